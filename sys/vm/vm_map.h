/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User address spaces.  vm/vm_map.c, vm_fault.c, vm_anon.c.
 *
 * A map is a sorted set of entries.  An entry shows a window of an object
 * (file or shared memory) or zeroes.  Over private entries lie anonymous
 * pages, kept for the whole space in one tree by page number (vm_anon.c).
 * They are counted (m_refs: spaces that share the page after a fork) and
 * copied on write while shared.
 *
 * M1  vm_lock exclusive to change entries, shared to fault.  Geometry of an
 *     entry with an object changes under the object's vo_spin too, because
 *     the object side walks its mappings without the map lock.
 * M2  A slot of the anonymous tree and the translation that follows from it
 *     change together, while the page in the slot is busy.
 * M3  Translations are a cache: any may vanish and is faulted in again.
 */
#ifndef _VM_VM_MAP_H_
#define _VM_VM_MAP_H_

#include <sys/lock.h>
#include <sys/queue.h>
#include <sys/tree.h>
#include <sys/types.h>

struct pmap;
struct vm_object;
struct vm_page;

enum { VM_PROT_NONE = 0, VM_PROT_READ = 1, VM_PROT_WRITE = 2, VM_PROT_EXEC = 4 };
enum { VME_SHARED = 1, VME_GROWSDOWN = 2, VME_NORESERVE = 4, VME_STACK = 8,
       VME_HEAP = 16, VME_DONTFORK = 32, VME_WIPEONFORK = 64 };

struct vm_map_entry {
	struct rb_node	 me_node;	/* [map lock] */
	LIST_ENTRY(vm_map_entry) me_mapping;	/* [vo_spin] */
	struct vm_map	*me_map;	/* I */
	vm_offset_t	 me_start, me_end;	/* M1, page aligned */
	uint64_t	 me_offset;	/* bytes into the object at me_start */
	struct vm_object *me_object;	/* I or NULL: zero fill */
	uint8_t		 me_prot, me_maxprot;
	uint16_t	 me_flags;	/* VME_* */
};

/* Anonymous pages by virtual page number: a radix tree of 64-way nodes. */
struct vm_anon_node {
	uint64_t	 an_map;	/* which slots are filled */
	void		*an_slot[64];
};

struct vm_anon {
	struct spinlock	 va_spin;
	struct vm_anon_node *va_root;	/* [va_spin] */
	struct vm_anon_node *va_leaf;	/* [va_spin] last one used, a hint */
	uint64_t	 va_leafno;	/* [va_spin] page number / 64 of it */
	uint64_t	 va_count;	/* [va_spin] pages */
};

struct vm_map {
	struct lock	 vm_lock;
	struct rb_tree	 vm_entries;	/* [vm_lock] */
	struct vm_map_entry *vm_hint;	/* [a] last found, or NULL */
	struct vm_anon	 vm_anon;
	struct pmap	*vm_pmap;	/* I */
	int32_t		 vm_refs;	/* [a] CLONE_VM, onlookers */
	vm_offset_t	 vm_min, vm_max;
	vm_offset_t	 vm_brk_start, vm_brk;	/* [vm_lock] */
	vm_offset_t	 vm_mmap_base;
	vm_offset_t	 vm_stack_top;
	uint64_t	 vm_size;	/* bytes mapped */
	uint64_t	 vm_limit;	/* RLIMIT_AS */
	uint64_t	 vm_stacklimit;	/* RLIMIT_STACK */
};

/* User addresses. */
#define VM_USER_MIN	0x10000ULL
#define VM_USER_MAX	0x7ffffffff000ULL

struct vm_map *vm_map_create(void);		/* NULL: no memory */
void	vm_map_ref(struct vm_map *);
void	vm_map_rele(struct vm_map *);		/* last: unmaps all; blocks */
struct vm_map *vm_map_fork(struct vm_map *);	/* copy on write; NULL */

/* Map [*addr, +len) of object (the reference passes to the map, also on
 * error) or zeroes.  fixed replaces what was there. */
int	vm_map_insert(struct vm_map *, vm_offset_t *addr, uint64_t len,
	    struct vm_object *, uint64_t offset, int prot, int maxprot,
	    int flags, bool fixed);
int	vm_map_remove(struct vm_map *, vm_offset_t start, vm_offset_t end);
int	vm_map_protect(struct vm_map *, vm_offset_t start, vm_offset_t end,
	    int prot);
int	vm_map_find_space(struct vm_map *, uint64_t len, vm_offset_t hint,
	    vm_offset_t *addr);
struct vm_map_entry *vm_map_lookup(struct vm_map *, vm_offset_t);	/* locked */
struct vm_map_entry *vm_map_lookup_ge(struct vm_map *, vm_offset_t);
int	vm_map_brk(struct vm_map *, vm_offset_t newbrk, uint64_t datalimit);
/* Throw away private contents (MADV_DONTNEED).  Map lock held. */
void	vm_map_discard(struct vm_map *, struct vm_map_entry *,
	    vm_offset_t start, vm_offset_t end);
int	vm_map_clip(struct vm_map *, vm_offset_t);	/* locked excl. */

/* A fault at addr wanting prot.  0, EFAULT (SIGSEGV; EACCES: it is mapped,
 * but not so), EIO or ENOSPC (SIGBUS), ENOMEM.  Blocks. */
int	vm_fault(struct vm_map *, vm_offset_t addr, int prot);
/* Copy from or to another address space (procfs, tests).  EFAULT. */
int	vm_map_access(struct vm_map *, vm_offset_t addr, void *buf, size_t len,
	    bool write);

/* vm_anon.c.  Page numbers are addresses / PAGE_SIZE. */
void	vm_anon_init(struct vm_anon *);
struct vm_page *vm_anon_lookup(struct vm_anon *, uint64_t vpn);
/* The page in the slot, busied, or NULL if the slot is empty.  Blocks. */
struct vm_page *vm_anon_busy(struct vm_anon *, uint64_t vpn);
unsigned vm_anon_run(struct vm_anon *, uint64_t vpn);
/* Fill an empty slot (old NULL) or replace old; EEXIST: it changed; ENOMEM. */
int	vm_anon_set(struct vm_anon *, uint64_t vpn, struct vm_page *old,
	    struct vm_page *new);
/* Fill empty slots from vpn on; returns how many, up to the first filled one
 * or the end of a leaf. */
int	vm_anon_fill(struct vm_anon *, uint64_t vpn, struct vm_page **, int n);
void	vm_anon_remove(struct vm_anon *, uint64_t start, uint64_t end);
/* Child shares the pages of [start, end).  ENOMEM. */
int	vm_anon_share(struct vm_anon *parent, struct vm_anon *child,
	    uint64_t start, uint64_t end);
int	vm_anon_move(struct vm_anon *, uint64_t from, uint64_t to, uint64_t n);
void	vm_anon_free(struct vm_anon *);		/* all of it */
void	vm_anon_page_drop(struct vm_page *);

void	vm_map_init(void);

#endif
