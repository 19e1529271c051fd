/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory reclaim: the queue of cached pages.
 *
 * Second chance: the hand takes the oldest page; one that was used since it
 * last came by (VMP_ACTIVE) goes to the young end, a clean idle one is freed.
 * Dirty, busy and wired pages go to the young end too.  Reclaim
 * never waits for I/O or for a lock that is held across one.
 */
#include <sys/atomic.h>
#include <sys/queue.h>
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <vm/vm_lru.h>
#include <vm/vm_object.h>

static TAILQ_HEAD(, vm_page) lru = TAILQ_HEAD_INITIALIZER(lru);
static struct spinlock lru_spin = SPINLOCK_INITIALIZER("vmlru");
uint64_t vm_lru_count;

void
vm_lru_insert(struct vm_page *pg)
{
	spin_lock(&lru_spin);
	TAILQ_INSERT_TAIL(&lru, pg, m_queue);
	atomic_store_relaxed(&vm_lru_count, vm_lru_count + 1);
	spin_unlock(&lru_spin);
}

void
vm_lru_remove(struct vm_page *pg)
{
	spin_lock(&lru_spin);
	TAILQ_REMOVE(&lru, pg, m_queue);
	atomic_store_relaxed(&vm_lru_count, vm_lru_count - 1);
	spin_unlock(&lru_spin);
}

/* Free up to npages clean pages; look at each page at most twice. */
static uint64_t
lru_reclaim(uint64_t npages)
{
	uint64_t freed = 0, looks = atomic_load_relaxed(&vm_lru_count) * 2;
	struct vm_object *vo;
	struct vm_page *pg;
	uint32_t flags;

	while (freed < npages && looks-- > 0) {
		spin_lock(&lru_spin);
		pg = TAILQ_FIRST(&lru);
		if (pg == NULL) {
			spin_unlock(&lru_spin);
			break;
		}
		TAILQ_REMOVE(&lru, pg, m_queue);
		TAILQ_INSERT_TAIL(&lru, pg, m_queue);
		flags = atomic_load_relaxed(&pg->m_flags);
		if ((flags & (VMP_ACTIVE | VMP_DIRTY | VMP_BUSY)) ||
		    atomic_load_relaxed(&pg->m_wire) > 0 ||
		    !vm_page_trybusy(pg)) {
			if (flags & VMP_ACTIVE)
				vm_page_setflags(pg, 0, VMP_ACTIVE);
			spin_unlock(&lru_spin);
			continue;
		}
		spin_unlock(&lru_spin);
		/* Busy and on the list: it belongs to an object (B1). */
		vo = pg->m_object;
		if (vm_page_flags(pg) & VMP_MAPPED) {
			if (vm_object_unmap_hook != NULL)
				vm_object_unmap_hook(vo, pg->m_pindex,
				    pg->m_pindex + 1);
			vm_page_setflags(pg, 0, VMP_MAPPED);
		}
		if ((vm_page_flags(pg) & VMP_DIRTY) ||
		    atomic_load(&pg->m_wire) > 0) {
			vm_page_unbusy(pg);
			continue;
		}
		vm_object_remove(vo, pg);
		freed++;
	}
	return freed;
}

static struct vm_reclaimer lru_vr = {
	.vr_reclaim = lru_reclaim, .vr_name = "pages",
};

void
vm_object_init(void)
{
	vm_reclaim_register(&lru_vr);
}
