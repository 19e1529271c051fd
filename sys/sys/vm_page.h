/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical pages.  vm/vm_page.c (allocator), vm/vm_object.c (membership).
 *
 * P1  A page is free, or belongs to one owner: an object, or whoever
 *     allocated it without one (slab, page tables, anonymous memory).
 * P2  VMP_BUSY: one thread is changing the page's identity or contents; all
 *     others wait in vm_page_sleep().  A page is removed from its object only
 *     while busy.
 * P3  m_wire > 0 keeps the page's memory from being freed or reused, not its
 *     contents from changing.
 */
#ifndef _SYS_VM_PAGE_H_
#define _SYS_VM_PAGE_H_

#include <sys/param.h>
#include <sys/queue.h>
#include <sys/types.h>

struct vm_object;

enum {					/* m_flags, [a] */
	VMP_BUSY	= 0x01,
	VMP_WANTED	= 0x02,		/* somebody sleeps for BUSY to clear */
	VMP_VALID	= 0x04,		/* contents are the file's */
	VMP_DIRTY	= 0x08,		/* newer than the filesystem's */
	VMP_MAPPED	= 0x10,		/* may be in some pmap */
	VMP_FREE	= 0x20,
	VMP_ACTIVE	= 0x40,		/* used since the reclaimer looked */
	VMP_WRITEBACK	= 0x80,		/* being written; contents stable */
	VMP_ORPHAN	= 0x100,	/* left its object while wired: the last
					 * unwire frees it */
};

struct vm_page {
	struct vm_object *m_object;	/* [BUSY] */
	vm_pindex_t	 m_pindex;	/* [BUSY] */
	uint32_t	 m_flags;
	int32_t		 m_wire;	/* [a] */
	int32_t		 m_refs;	/* [a] anonymous: address spaces sharing */
	uint16_t	 m_order;	/* buddy order when free */
	TAILQ_ENTRY(vm_page) m_queue;	/* free list or LRU */
};

extern struct vm_page *vm_page_array;	/* by physical page number - first */
extern uint64_t vm_page_first, vm_page_count;
extern uint64_t vm_pages_total, vm_pages_free;	/* [a] statistics */

/* The platform reports usable memory at boot, before anything is allocated. */
void	vm_phys_add(vm_paddr_t start, vm_paddr_t end);
void	vm_page_init(void);

enum { VPA_ZERO = 1, VPA_NOWAIT = 2, VPA_RESERVE = 4 };
/* One page without an owner, wired once by nobody.  Blocks unless NOWAIT
 * (then it may be NULL). */
struct vm_page *vm_page_alloc(int flags);
/* 2^order contiguous pages; for the slab and drivers.  NULL if none. */
struct vm_page *vm_page_alloc_contig(int order, int flags);
void	vm_page_free(struct vm_page *);		/* not wired, no object */
void	vm_page_free_contig(struct vm_page *, int order);
/* Any run of pages, for who gives back the tail of a contiguous block. */
void	vm_page_free_range(struct vm_page *, uint64_t n);
/* Memory is short: sleep until somebody freed some.  Panics if nobody can. */
void	vm_page_wait_memory(void);
/* Called when threads wait for memory and no cache had any for a second: the
 * process code's, to end the largest one.  May block. */
extern void (*vm_oom_hook)(void);
/* Start the thread that answers memory pressure (init_main.c). */
void	vm_reclaim_start(void);

vm_paddr_t	vm_page_pa(const struct vm_page *);
struct vm_page *vm_page_from_pa(vm_paddr_t);
/* Kernel address of the page's memory: always mapped (direct map). */
void	*vm_page_kva(const struct vm_page *);
vm_paddr_t kva_to_pa(const void *kva);		/* direct map or kmalloc memory */
void	*pa_to_kva(vm_paddr_t);

void	vm_page_wire(struct vm_page *);
void	vm_page_unwire(struct vm_page *);
bool	vm_page_trybusy(struct vm_page *);
void	vm_page_unbusy(struct vm_page *);	/* wakes waiters */
void	vm_page_setflags(struct vm_page *, uint32_t set, uint32_t clear);
static inline uint32_t
vm_page_flags(const struct vm_page *pg)
{
	return __atomic_load_n(&pg->m_flags, __ATOMIC_RELAXED);
}

#endif
