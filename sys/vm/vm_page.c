/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical pages: a buddy allocator over what the platform reports, a few
 * pages in each CPU's pocket, and the thread that asks for memory back.
 *
 * Blocks of 2^order pages are free on vm_free[order], aligned to their size
 * by physical address; the first page of each has VMP_FREE and m_order.
 *
 * F1  vm_free, vm_quick and the VMP_FREE, m_order of free blocks: under vm_spin.
 * F2  Pages in a CPU's pocket belong to the CPU: only it takes them, in a
 *     critical section.  They count as used, so that the common allocation
 *     and free write nothing shared.
 * F3  The last vm_reserve pages are for who frees memory (VPA_RESERVE), and
 *     the half below that for allocations that cannot wait.
 * F4  A thread that finds no block although enough pages are free has the
 *     caches asked too: what they give joins with what is free.
 * F5  Single pages that come back wait on vm_quick and are joined with their
 *     buddies only when a larger block is wanted and there is none.
 */
#include <sys/atomic.h>
#include <sys/proc.h>
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

enum {
	VM_ORDERS	= 13,		/* up to 16 MB in one block */
	VM_RANGES	= 64,
	POCKET_MAX	= 32,
	POCKET_ORDER	= 4,
	POCKET_MOVE	= 1 << POCKET_ORDER,
	QUICK_JOIN	= 256,
	RECLAIM_CHUNK	= 64,
	RECLAIM_FRAGMENTED = 512,
	RECLAIM_PATIENCE = 50,		/* fruitless rounds of 20 ms */
};

struct phys_range {
	uint64_t	pr_first, pr_end;	/* page numbers */
};

struct pocket {
	int		 pk_count;
	struct vm_page	*pk_pages[POCKET_MAX];
} __attribute__((__aligned__(CACHE_LINE)));

TAILQ_HEAD(page_list, vm_page);

struct vm_page *vm_page_array;
uint64_t vm_page_first, vm_page_count;
uint64_t vm_pages_total, vm_pages_free;

static struct phys_range ranges[VM_RANGES];
static int nranges;
static struct spinlock vm_spin = SPINLOCK_INITIALIZER("vmpage");
static struct page_list vm_free[VM_ORDERS];	/* [vm_spin] */
static struct page_list vm_quick = TAILQ_HEAD_INITIALIZER(vm_quick);
static struct pocket pockets[MAXCPU];
static struct vm_reclaimer *reclaimers;		/* [vm_spin] newest first */
static uint64_t vm_reserve, vm_low, vm_high;
static int32_t vm_waiters;			/* [a] */
static uint32_t vm_fragmented;			/* [a] a block was not found */
void (*vm_oom_hook)(void);
static bool reclaim_on;

void
vm_phys_add(vm_paddr_t start, vm_paddr_t end)
{
	uint64_t first = btop(start + PAGE_MASK), last = btop(end);

	if (first >= last || nranges == VM_RANGES)
		return;
	ranges[nranges].pr_first = first;
	ranges[nranges].pr_end = last;
	nranges++;
}

vm_paddr_t
vm_page_pa(const struct vm_page *m)
{
	return ptob(vm_page_first + (uint64_t)(m - vm_page_array));
}

struct vm_page *
vm_page_from_pa(vm_paddr_t pa)
{
	uint64_t n = btop(pa) - vm_page_first;

	return n < vm_page_count ? &vm_page_array[n] : NULL;
}

void *
vm_page_kva(const struct vm_page *m)
{
	return pa_to_kva(vm_page_pa(m));
}

static void
free_insert(struct vm_page *m, int order)
{
	m->m_order = (uint16_t)order;
	atomic_store_relaxed(&m->m_flags, VMP_FREE);
	TAILQ_INSERT_HEAD(&vm_free[order], m, m_queue);
}

static void
free_remove(struct vm_page *m)
{
	TAILQ_REMOVE(&vm_free[m->m_order], m, m_queue);
	atomic_store_relaxed(&m->m_flags, 0);
}

/* Give a block back, joining it with its buddy as far as that goes. */
static void
buddy_free(struct vm_page *m, int order)
{
	uint64_t pn = vm_page_first + (uint64_t)(m - vm_page_array), bn;
	struct vm_page *b;

	for (; order < VM_ORDERS - 1; order++) {
		bn = pn ^ (1ULL << order);
		if (bn < vm_page_first || bn >= vm_page_first + vm_page_count)
			break;
		b = &vm_page_array[bn - vm_page_first];
		if ((atomic_load_relaxed(&b->m_flags) & VMP_FREE) == 0 || b->m_order != order)
			break;
		free_remove(b);
		if (bn < pn)
			pn = bn;
	}
	free_insert(&vm_page_array[pn - vm_page_first], order);
}

/* Join some of the single pages of vm_quick; false: there were none. */
static bool
quick_join(void)
{
	struct vm_page *m;
	int n;

	for (n = 0; n < QUICK_JOIN; n++) {
		m = TAILQ_FIRST(&vm_quick);
		if (m == NULL)
			break;
		TAILQ_REMOVE(&vm_quick, m, m_queue);
		buddy_free(m, 0);
	}
	return n > 0;
}

/* A block of at least this order, split if it is larger. */
static struct vm_page *
buddy_take(int order)
{
	struct vm_page *m;
	int o;

	for (o = order; o < VM_ORDERS && TAILQ_EMPTY(&vm_free[o]); o++)
		;
	if (o == VM_ORDERS)
		return NULL;
	m = TAILQ_FIRST(&vm_free[o]);
	free_remove(m);
	while (o-- > order)
		free_insert(m + (1ULL << o), o);
	return m;
}

static struct vm_page *
buddy_alloc(int order)
{
	struct vm_page *m;

	while ((m = buddy_take(order)) == NULL)
		if (!quick_join())
			return NULL;
	return m;
}

/* Free all pages [first, end), in the largest blocks that are aligned. */
static void
free_range(uint64_t first, uint64_t end)
{
	int order;

	while (first < end) {
		for (order = 0; order < VM_ORDERS - 1 &&
		    (first & (1ULL << order)) == 0 &&
		    first + (2ULL << order) <= end; order++)
			;
		buddy_free(&vm_page_array[first - vm_page_first], order);
		first += 1ULL << order;
	}
}

/*
 * The page array comes out of the largest range.  Holes between ranges have
 * entries that are never free.
 */
void
vm_page_init(void)
{
	uint64_t first = UINT64_MAX, end = 0, need;
	struct phys_range *pr, *big = &ranges[0];
	int i;

	KKASSERT(nranges > 0);
	for (i = 0; i < VM_ORDERS; i++)
		TAILQ_INIT(&vm_free[i]);
	for (pr = ranges; pr < ranges + nranges; pr++) {
		first = MIN(first, pr->pr_first);
		end = MAX(end, pr->pr_end);
		if (pr->pr_end - pr->pr_first > big->pr_end - big->pr_first)
			big = pr;
	}
	vm_page_first = first;
	vm_page_count = end - first;
	need = btop(vm_page_count * sizeof(struct vm_page) + PAGE_MASK);
	KKASSERT(need < big->pr_end - big->pr_first);
	vm_page_array = pa_to_kva(ptob(big->pr_first));
	big->pr_first += need;
	memset(vm_page_array, 0, vm_page_count * sizeof(struct vm_page));

	for (pr = ranges; pr < ranges + nranges; pr++) {
		free_range(pr->pr_first, pr->pr_end);
		vm_pages_total += pr->pr_end - pr->pr_first;
	}
	vm_pages_free = vm_pages_total;
	vm_reserve = MAX(vm_pages_total / 64, 32);
	vm_low = vm_reserve * 2;
	vm_high = vm_reserve * 3;
}

static void
reclaim_kick(void)
{
	if (reclaim_on)
		wakeup(&vm_low);
}

/* May an allocation of n pages with these flags go ahead? */
static bool
vm_allowed(uint64_t n, int flags)
{
	uint64_t left = atomic_load_relaxed(&vm_pages_free), floor;

	floor = flags & VPA_RESERVE ? 0 :
	    flags & VPA_NOWAIT ? vm_reserve / 2 : vm_reserve;
	return left >= n + floor;
}

void
vm_page_wait_memory(void)
{
	if (!reclaim_on)
		panic("out of memory at boot");
	if (atomic_load(&vm_pages_free) >= vm_low)
		atomic_store(&vm_fragmented, 1);
	lwkt_assert_may_block();
	atomic_fetch_add(&vm_waiters, 1);
	tsleep_interlock(&vm_waiters);
	reclaim_kick();
	tsleep(&vm_waiters, PINTERLOCKED, "vmwait", 100 * 1000 * 1000);
	atomic_fetch_sub(&vm_waiters, 1);
}

static void
pages_freed(uint64_t n)
{
	atomic_fetch_add(&vm_pages_free, n);
	if (atomic_load(&vm_waiters) > 0)
		wakeup(&vm_waiters);
}

/* Put up to POCKET_MOVE pages into the empty pocket, if flags allow. */
static void
pocket_fill(struct pocket *pk, int flags)
{
	struct vm_page *m;
	uint64_t left;
	int i;

	if (!vm_allowed(1, flags)) {
		reclaim_kick();
		return;
	}
	spin_lock(&vm_spin);
	while (pk->pk_count < POCKET_MOVE &&
	    (m = TAILQ_FIRST(&vm_quick)) != NULL) {
		TAILQ_REMOVE(&vm_quick, m, m_queue);
		pk->pk_pages[pk->pk_count++] = m;
	}
	if (pk->pk_count == 0) {
		/* A whole block, first page on top, costs as much as one. */
		m = buddy_take(POCKET_ORDER);
		for (i = m == NULL ? 0 : POCKET_MOVE; i > 0; i--)
			pk->pk_pages[pk->pk_count++] = m + i - 1;
	}
	while (pk->pk_count < POCKET_MOVE && (m = buddy_alloc(0)) != NULL)
		pk->pk_pages[pk->pk_count++] = m;
	spin_unlock(&vm_spin);
	left = atomic_fetch_sub(&vm_pages_free, (uint64_t)pk->pk_count);
	if (left < vm_low)
		reclaim_kick();
}

/* Move n pages of the pocket to vm_quick. */
static void
pocket_drain(struct pocket *pk, int n)
{
	struct vm_page *m;
	int i;

	spin_lock(&vm_spin);
	for (i = 0; i < n; i++) {
		m = pk->pk_pages[--pk->pk_count];
		TAILQ_INSERT_HEAD(&vm_quick, m, m_queue);
	}
	spin_unlock(&vm_spin);
	pages_freed((uint64_t)n);
}

static inline struct vm_page *
page_try(int flags)
{
	struct pocket *pk;
	struct vm_page *m = NULL;

	crit_enter();
	pk = &pockets[mycpu->gd_cpuid];
	if (pk->pk_count == 0)
		pocket_fill(pk, flags);
	if (pk->pk_count > 0)
		m = pk->pk_pages[--pk->pk_count];
	crit_exit();
	return m;
}

static void
page_reset(struct vm_page *m)
{
	m->m_object = NULL;
	m->m_pindex = 0;
	atomic_store_relaxed(&m->m_flags, 0);
	m->m_wire = 0;
	m->m_refs = 0;
	m->m_order = 0;
}

struct vm_page *
vm_page_alloc(int flags)
{
	struct vm_page *m;

	while ((m = page_try(flags)) == NULL) {
		if (flags & VPA_NOWAIT)
			return NULL;
		/* Who was told to end for its memory must get there. */
		if (curproc() != NULL && (curproc()->p_flags & PF_OOM) &&
		    !(flags & VPA_RESERVE)) {
			flags |= VPA_RESERVE;
			continue;
		}
		vm_page_wait_memory();
	}
	page_reset(m);
	if (flags & VPA_ZERO)
		memset(vm_page_kva(m), 0, PAGE_SIZE);
	return m;
}

struct vm_page *
vm_page_alloc_contig(int order, int flags)
{
	struct vm_page *m = NULL;
	uint64_t i, n = 1ULL << order;

	if (order == 0)
		return vm_page_alloc(flags | VPA_NOWAIT);
	if (order >= VM_ORDERS)
		return NULL;
	if (vm_allowed(n, flags | VPA_NOWAIT)) {
		spin_lock(&vm_spin);
		m = buddy_alloc(order);
		spin_unlock(&vm_spin);
	}
	if (m == NULL || atomic_load_relaxed(&vm_pages_free) < vm_low)
		reclaim_kick();
	if (m == NULL)
		return NULL;
	atomic_fetch_sub(&vm_pages_free, n);
	for (i = 0; i < n; i++)
		page_reset(m + i);
	if (flags & VPA_ZERO)
		memset(vm_page_kva(m), 0, PAGE_SIZE << order);
	return m;
}

void
vm_page_free(struct vm_page *m)
{
	struct pocket *pk;

	KKASSERT(m->m_object == NULL);
	KKASSERT(m->m_wire == 0);
	KKASSERT((m->m_flags & (VMP_FREE | VMP_WANTED)) == 0);
	crit_enter();
	pk = &pockets[mycpu->gd_cpuid];
	if (pk->pk_count == POCKET_MAX)
		pocket_drain(pk, POCKET_MOVE);
	pk->pk_pages[pk->pk_count++] = m;
	/* Short of memory: nobody keeps pages in a pocket. */
	if (__builtin_expect(atomic_load_relaxed(&vm_pages_free) < vm_low, 0))
		pocket_drain(pk, pk->pk_count);
	crit_exit();
}

void
vm_page_free_contig(struct vm_page *m, int order)
{
	uint64_t first = vm_page_first + (uint64_t)(m - vm_page_array);

	vm_page_free_range(m, 1ULL << order);
	KKASSERT((first & ((1ULL << order) - 1)) == 0);
}

void
vm_page_free_range(struct vm_page *m, uint64_t n)
{
	uint64_t first = vm_page_first + (uint64_t)(m - vm_page_array);
	uint64_t i;

	for (i = 0; i < n; i++)
		KKASSERT(m[i].m_wire == 0 && m[i].m_object == NULL);
	spin_lock(&vm_spin);
	free_range(first, first + n);
	spin_unlock(&vm_spin);
	pages_freed(n);
}

void
vm_page_wire(struct vm_page *m)
{
	atomic_fetch_add(&m->m_wire, 1);
}

void
vm_page_unwire(struct vm_page *m)
{
	int32_t was = atomic_fetch_sub(&m->m_wire, 1);

	KKASSERT(was > 0);
	if (was == 1 && (atomic_load(&m->m_flags) & VMP_ORPHAN))
		vm_page_free(m);
}

bool
vm_page_trybusy(struct vm_page *m)
{
	return (atomic_fetch_or(&m->m_flags, VMP_BUSY) & VMP_BUSY) == 0;
}

void
vm_page_unbusy(struct vm_page *m)
{
	uint32_t was;

	was = atomic_fetch_and(&m->m_flags, ~(VMP_BUSY | VMP_WANTED));
	KKASSERT(was & VMP_BUSY);
	if (was & VMP_WANTED)
		wakeup(m);
}

void
vm_page_setflags(struct vm_page *m, uint32_t set, uint32_t clear)
{
	if (set)
		atomic_fetch_or(&m->m_flags, set);
	if (clear)
		atomic_fetch_and(&m->m_flags, ~clear);
}

void
vm_reclaim_register(struct vm_reclaimer *vr)
{
	spin_lock(&vm_spin);
	vr->vr_next = reclaimers;
	atomic_store(&reclaimers, vr);
	spin_unlock(&vm_spin);
}

/* Ask every cache for a share of what is missing.  Returns what came. */
static uint64_t
reclaim_round(void)
{
	struct vm_reclaimer *vr;
	uint64_t want, got = 0, left = atomic_load(&vm_pages_free);

	want = left < vm_high ? vm_high - left : 0;
	if (atomic_swap(&vm_fragmented, 0))
		want += RECLAIM_FRAGMENTED;
	for (vr = atomic_load(&reclaimers); vr != NULL; vr = vr->vr_next)
		got += vr->vr_reclaim(MAX(want, RECLAIM_CHUNK));
	return got;
}

static bool
reclaim_needed(void)
{
	return atomic_load(&vm_pages_free) < vm_low ||
	    atomic_load(&vm_fragmented);
}

static void
reclaim_thread(void *unused __unused)
{
	int fruitless = 0;

	for (;;) {
		tsleep_interlock(&vm_low);
		if (!reclaim_needed()) {
			fruitless = 0;
			tsleep(&vm_low, PINTERLOCKED, "reclaim", 0);
			continue;
		}
		tsleep_remove();
		if (reclaim_round() > 0) {
			fruitless = 0;
			if (atomic_load(&vm_waiters) > 0)
				wakeup(&vm_waiters);
			lwkt_yield();
			continue;
		}
		/* Somebody may free some: a flush, an exit. */
		tsleep(&vm_waiters, 0, "nothing", 20 * 1000 * 1000);
		if (++fruitless < RECLAIM_PATIENCE ||
		    atomic_load(&vm_waiters) == 0)
			continue;
		fruitless = 0;
		kprintf("out of memory: %lu pages free of %lu\n",
		    (unsigned long)atomic_load(&vm_pages_free),
		    (unsigned long)vm_pages_total);
		if (vm_oom_hook != NULL)
			vm_oom_hook();
	}
}

void
vm_reclaim_start(void)
{
	struct thread *td;

	lwkt_create(reclaim_thread, NULL, &td, TDPRI_KERN + 1, 0, "reclaim");
	reclaim_on = true;
	lwkt_schedule(td);
}
