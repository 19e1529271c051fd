/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM objects: pages by index.  A vnode's object is the one cache of its data.
 * vm/vm_object.c.
 */
#ifndef _VM_VM_OBJECT_H_
#define _VM_VM_OBJECT_H_

#include <sys/spinlock.h>
#include <sys/tree.h>
#include <sys/types.h>
#include <vm/vm_page.h>

struct vnode;
struct vm_map_entry;

enum vm_object_type { OBJT_VNODE, OBJT_ANON, OBJT_PHYS };

LIST_HEAD(vm_mapping_list, vm_map_entry);

struct vm_object {
	struct spinlock	 vo_spin;
	enum vm_object_type vo_type;
	int32_t		 vo_refs;	/* [a] */
	void		*vo_pages;	/* [vo_spin] index -> page */
	uint64_t	 vo_npages;	/* [vo_spin] */
	uint64_t	 vo_ndirty;	/* [vo_spin] */
	struct vnode	*vo_vnode;	/* I OBJT_VNODE; not a reference */
	int64_t		*vo_charge;	/* I or NULL: [a] counts dirty pages of
					 * many objects (a tmpfs's space) */
	struct vm_mapping_list vo_mappings;	/* [vo_spin] who maps us */
};

/*
 * An object starts with one reference.  That of a vnode's object is the
 * vnode's own; every further reference (a mapping) also references the
 * vnode, so a mapped file is never recycled.
 */
void	vm_object_init(void);		/* boot */
struct vm_object *vm_object_alloc(enum vm_object_type, struct vnode *);
void	vm_object_ref(struct vm_object *);
void	vm_object_rele(struct vm_object *);	/* last: frees all pages */

/* Find and wire a VALID page that is not busy; NULL if absent or busy.  Does
 * not block: the fast path of read(2). */
struct vm_page *vm_object_get_valid(struct vm_object *, vm_pindex_t);
/* Find or allocate, busied.  Blocks (for memory, for the busy holder).  The
 * page may be !VALID: the caller fills it.  VPA_NOWAIT: NULL instead. */
struct vm_page *vm_object_grab(struct vm_object *, vm_pindex_t, int flags);
/* As grab, but NULL if the page is not there (waits while it is busy). */
struct vm_page *vm_object_lookup_busy(struct vm_object *, vm_pindex_t);
/* First dirty page with index in [start, end), busied, or NULL.  Blocks. */
struct vm_page *vm_object_next_dirty(struct vm_object *, vm_pindex_t start,
	    vm_pindex_t end);
void	vm_object_mark_dirty(struct vm_object *, struct vm_page *);	/* busy */
void	vm_object_mark_clean(struct vm_object *, struct vm_page *);	/* busy */
/* Take a busied page out and free it (or let the last unwire free it). */
void	vm_object_remove(struct vm_object *, struct vm_page *);
/* Remove all pages with index >= start (unmapping them).  Blocks. */
void	vm_object_truncate(struct vm_object *, vm_pindex_t start);
/* Wait until the page is not busy (the holder of vo_spin calls; it is
 * released).  The page may be gone afterwards: look it up again. */
void	vm_object_wait_busy(struct vm_object *, struct vm_page *);

/* Registered by vfs/core: references of the vnode behind an object. */
extern void (*vm_object_vnode_ref)(struct vnode *);
extern void (*vm_object_vnode_rele)(struct vnode *);	/* may block */

/* vm_map.c registers these two: remove or write-protect [start, end) in every
 * address space that maps the object. */
extern void (*vm_object_unmap_hook)(struct vm_object *, vm_pindex_t start,
	    vm_pindex_t end);
extern void (*vm_object_wrprotect_hook)(struct vm_object *, vm_pindex_t start,
	    vm_pindex_t end);

/* Memory pressure: whoever caches pages or memory registers to be asked. */
struct vm_reclaimer {
	struct vm_reclaimer *vr_next;
	uint64_t (*vr_reclaim)(uint64_t npages);	/* returns pages freed */
	const char *vr_name;
};
void	vm_reclaim_register(struct vm_reclaimer *);

#endif
