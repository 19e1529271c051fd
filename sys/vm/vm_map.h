/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User address spaces.  vm/vm_map.c, vm_fault.c, vm_anon.c.
 *
 * A map is a sorted set of entries.  An entry shows a window of an object
 * (file or shared memory), and, when private, anonymous pages that lie over
 * it.  Anonymous pages are counted (m_refs) and copied on write when shared.
 */
#ifndef _VM_VM_MAP_H_
#define _VM_VM_MAP_H_

#include <sys/lock.h>
#include <sys/queue.h>
#include <sys/tree.h>
#include <sys/types.h>

struct pmap;
struct vm_object;
struct vm_anon;
struct vnode;

enum { VM_PROT_NONE = 0, VM_PROT_READ = 1, VM_PROT_WRITE = 2, VM_PROT_EXEC = 4 };
enum { VME_SHARED = 1, VME_GROWSDOWN = 2, VME_NORESERVE = 4, VME_STACK = 8,
       VME_HEAP = 16 };

struct vm_map_entry {
	struct rb_node	 me_node;	/* [map lock] */
	LIST_ENTRY(vm_map_entry) me_mapping;	/* [vo_spin] */
	struct vm_map	*me_map;	/* I */
	vm_offset_t	 me_start, me_end;	/* [map lock] page aligned */
	uint64_t	 me_offset;	/* bytes into the object at me_start */
	struct vm_object *me_object;	/* or NULL: zero fill */
	struct vm_anon	*me_anon;	/* private pages, or NULL */
	uint8_t		 me_prot, me_maxprot;
	uint16_t	 me_flags;	/* VME_* */
};

struct vm_map {
	struct lock	 vm_lock;
	struct rb_tree	 vm_entries;	/* [vm_lock] */
	struct pmap	*vm_pmap;	/* I */
	int32_t		 vm_refs;	/* [a] CLONE_VM */
	vm_offset_t	 vm_min, vm_max;
	vm_offset_t	 vm_brk_start, vm_brk;	/* [vm_lock] */
	vm_offset_t	 vm_mmap_base;
	vm_offset_t	 vm_stack_top;
	uint64_t	 vm_size;	/* bytes mapped */
};

struct vm_map *vm_map_create(void);
void	vm_map_ref(struct vm_map *);
void	vm_map_rele(struct vm_map *);
struct vm_map *vm_map_fork(struct vm_map *);	/* copy on write */

/* Map [*addr, +len) of object (reference taken) or zeroes.  fixed replaces. */
int	vm_map_insert(struct vm_map *, vm_offset_t *addr, uint64_t len,
	    struct vm_object *, uint64_t offset, int prot, int maxprot,
	    int flags, bool fixed);
int	vm_map_remove(struct vm_map *, vm_offset_t start, vm_offset_t end);
int	vm_map_protect(struct vm_map *, vm_offset_t start, vm_offset_t end,
	    int prot);
int	vm_map_find_space(struct vm_map *, uint64_t len, vm_offset_t hint,
	    vm_offset_t *addr);

/* A fault at addr wanting prot.  0, EFAULT (SIGSEGV), EIO or ENOSPC (SIGBUS),
 * ENOMEM.  Blocks. */
int	vm_fault(struct vm_map *, vm_offset_t addr, int prot);

#endif
