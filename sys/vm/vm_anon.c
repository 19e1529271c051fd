/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Anonymous pages of an address space, by virtual page number.
 *
 * A radix tree of 64-way nodes, six levels deep, so that it costs memory only
 * where there are pages.  Each node knows its filled slots in a bitmap, so
 * walks skip holes.  The last leaf is remembered: faults come in runs.
 *
 * A1  va_spin guards the nodes.  A slot's page is changed only while the page
 *     in it is busy (see vm_map.h, M2), or by the holder of the exclusive map
 *     lock after the translations are gone.
 * A2  m_refs of a page is the number of trees that it is in.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <vm/vm_map.h>
#include <vm/vm_page.h>

static MALLOC_DEFINE(M_VMANON, "vm anon");

enum { AN_SHIFT = 6, AN_WAYS = 64, AN_LEVELS = 6, AN_TOP = AN_LEVELS - 1 };

static inline unsigned
an_index(uint64_t vpn, int level)
{
	return (vpn >> (level * AN_SHIFT)) & (AN_WAYS - 1);
}

static inline uint64_t
an_span(int level)
{
	return 1ULL << ((level + 1) * AN_SHIFT);
}

void
vm_anon_init(struct vm_anon *va)
{
	spin_init(&va->va_spin, "vmanon");
	va->va_root = va->va_leaf = NULL;
	va->va_leafno = 0;
	va->va_count = 0;
}

/* The leaf of vpn, or NULL.  va_spin held. */
static struct vm_anon_node *
an_leaf(struct vm_anon *va, uint64_t vpn)
{
	struct vm_anon_node *an;
	int level;

	if (va->va_leaf != NULL && va->va_leafno == vpn >> AN_SHIFT)
		return va->va_leaf;
	an = va->va_root;
	for (level = AN_TOP; level > 0 && an != NULL; level--)
		an = an->an_slot[an_index(vpn, level)];
	if (an != NULL) {
		va->va_leaf = an;
		va->va_leafno = vpn >> AN_SHIFT;
	}
	return an;
}

struct vm_page *
vm_anon_lookup(struct vm_anon *va, uint64_t vpn)
{
	struct vm_anon_node *an;
	struct vm_page *m = NULL;

	spin_lock(&va->va_spin);
	an = an_leaf(va, vpn);
	if (an != NULL)
		m = an->an_slot[an_index(vpn, 0)];
	spin_unlock(&va->va_spin);
	return m;
}

/*
 * Wait until somebody un-busies m, which was busy in its slot a moment ago;
 * va_spin is held and released.  Under it m stays in the slot, so WANTED is
 * set on a page that is not free, and taken back if the holder was faster.
 */
static void
anon_page_wait(struct vm_anon *va, struct vm_page *m)
{
	tsleep_interlock(m);
	vm_page_setflags(m, VMP_WANTED, 0);
	if (atomic_load(&m->m_flags) & VMP_BUSY) {
		spin_unlock(&va->va_spin);
		tsleep(m, PINTERLOCKED, "anonpg", 10 * 1000 * 1000);
	} else {
		vm_page_setflags(m, 0, VMP_WANTED);
		spin_unlock(&va->va_spin);
		tsleep_remove();
	}
}

struct vm_page *
vm_anon_busy(struct vm_anon *va, uint64_t vpn)
{
	struct vm_anon_node *an;
	struct vm_page *m;

	for (;;) {
		spin_lock(&va->va_spin);
		an = an_leaf(va, vpn);
		m = an ? an->an_slot[an_index(vpn, 0)] : NULL;
		if (m == NULL || vm_page_trybusy(m)) {
			spin_unlock(&va->va_spin);
			return m;
		}
		anon_page_wait(va, m);
	}
}

/* How many pages in a row lie right before vpn (within its leaf). */
unsigned
vm_anon_run(struct vm_anon *va, uint64_t vpn)
{
	struct vm_anon_node *an;
	unsigned i = an_index(vpn, 0), n = 0;
	uint64_t holes;

	spin_lock(&va->va_spin);
	an = an_leaf(va, vpn);
	if (an != NULL && i > 0) {
		holes = ~an->an_map & ((1ULL << i) - 1);
		n = holes == 0 ? i : i - (64 - __builtin_clzll(holes));
	}
	spin_unlock(&va->va_spin);
	return n;
}

/*
 * Make the path down to vpn's leaf.  Memory is allocated without the
 * spinlock, one node per round; a node that somebody else put there first
 * makes ours superfluous.
 */
static int
an_grow(struct vm_anon *va, uint64_t vpn)
{
	struct vm_anon_node *an, *fresh, **slot;
	int level;

	for (;;) {
		fresh = kmalloc(sizeof(*fresh), &M_VMANON, M_WAITOK | M_ZERO);
		spin_lock(&va->va_spin);
		slot = &va->va_root;
		an = NULL;
		for (level = AN_TOP; level >= 0; level--) {
			if (*slot == NULL)
				break;
			an = *slot;
			slot = (struct vm_anon_node **)
			    &an->an_slot[an_index(vpn, level)];
		}
		if (level < 0) {		/* the leaf is there */
			spin_unlock(&va->va_spin);
			kfree(fresh, &M_VMANON);
			return 0;
		}
		*slot = fresh;
		if (an != NULL)
			an->an_map |= 1ULL << an_index(vpn, level + 1);
		spin_unlock(&va->va_spin);
		if (level == 0)
			return 0;
	}
}

int
vm_anon_set(struct vm_anon *va, uint64_t vpn, struct vm_page *old,
    struct vm_page *new)
{
	struct vm_anon_node *an;
	unsigned i = an_index(vpn, 0);
	int error = 0;

	spin_lock(&va->va_spin);
	while ((an = an_leaf(va, vpn)) == NULL) {
		spin_unlock(&va->va_spin);
		if (old != NULL)
			return EEXIST;
		if ((error = an_grow(va, vpn)) != 0)
			return error;
		spin_lock(&va->va_spin);
	}
	if (an->an_slot[i] != old) {
		error = EEXIST;
	} else {
		an->an_slot[i] = new;
		an->an_map |= 1ULL << i;
		if (old == NULL)
			va->va_count++;
	}
	spin_unlock(&va->va_spin);
	return error;
}

int
vm_anon_fill(struct vm_anon *va, uint64_t vpn, struct vm_page **m, int n)
{
	struct vm_anon_node *an;
	unsigned at = an_index(vpn, 0);
	int i = 0;

	spin_lock(&va->va_spin);
	an = an_leaf(va, vpn);
	if (an != NULL) {
		for (; i < n && at + i < AN_WAYS; i++) {
			if (an->an_slot[at + i] != NULL)
				break;
			an->an_slot[at + i] = m[i];
			an->an_map |= 1ULL << (at + i);
		}
		va->va_count += (uint64_t)i;
	}
	spin_unlock(&va->va_spin);
	return i;
}

void
vm_anon_page_drop(struct vm_page *m)
{
	if (atomic_fetch_sub(&m->m_refs, 1) == 1)
		vm_page_free(m);
}

/*
 * Drop the pages of [start, end) below an, whose first page number is base;
 * nodes that become empty are freed.  Returns true if an itself is empty.
 */
static bool
an_remove(struct vm_anon *va, struct vm_anon_node *an, int level,
    uint64_t base, uint64_t start, uint64_t end)
{
	uint64_t bits, span = an_span(level) / AN_WAYS, b;
	unsigned i;

	for (bits = an->an_map; bits != 0; bits &= bits - 1) {
		i = __builtin_ctzll(bits);
		b = base + i * span;
		if (b + span <= start || b >= end)
			continue;
		if (level == 0) {
			vm_anon_page_drop(an->an_slot[i]);
			va->va_count--;
		} else {
			if (!an_remove(va, an->an_slot[i], level - 1, b,
			    start, end))
				continue;
			kfree(an->an_slot[i], &M_VMANON);
		}
		an->an_slot[i] = NULL;
		an->an_map &= ~(1ULL << i);
	}
	return an->an_map == 0;
}

/* Locks: the map exclusively, and no translation of the range is left. */
void
vm_anon_remove(struct vm_anon *va, uint64_t start, uint64_t end)
{
	if (va->va_root == NULL)
		return;
	va->va_leaf = NULL;
	if (an_remove(va, va->va_root, AN_TOP, 0, start, end)) {
		kfree(va->va_root, &M_VMANON);
		va->va_root = NULL;
	}
}

void
vm_anon_free(struct vm_anon *va)
{
	vm_anon_remove(va, 0, an_span(AN_TOP));
	KKASSERT(va->va_count == 0);
}

/* The first filled slot at or after vpn below an: its number, or ~0. */
static uint64_t
an_next(struct vm_anon_node *an, int level, uint64_t base, uint64_t vpn)
{
	uint64_t bits = an->an_map, span = an_span(level) / AN_WAYS, b, r;
	unsigned i;

	if (vpn > base) {
		if (vpn - base >= an_span(level))
			return ~0ULL;
		bits &= ~0ULL << ((vpn - base) / span);
	}
	for (; bits != 0; bits &= bits - 1) {
		i = __builtin_ctzll(bits);
		b = base + i * span;
		if (level == 0)
			return b;
		r = an_next(an->an_slot[i], level - 1, b, vpn);
		if (r != ~0ULL)
			return r;
	}
	return ~0ULL;
}

/*
 * Locks: both maps exclusively; the parent's translations are already
 * read-only.  Leaf by leaf: the common process has three or four.
 */
int
vm_anon_share(struct vm_anon *pa, struct vm_anon *ca, uint64_t start,
    uint64_t end)
{
	struct vm_anon_node *pl, *cl;
	struct vm_page *m;
	uint64_t vpn, bits, leafend;
	unsigned i;
	int error;

	for (vpn = start; vpn < end && pa->va_root != NULL; vpn = leafend) {
		vpn = an_next(pa->va_root, AN_TOP, 0, vpn);
		if (vpn >= end)
			break;
		leafend = (vpn | (AN_WAYS - 1)) + 1;
		spin_lock(&pa->va_spin);
		pl = an_leaf(pa, vpn);
		spin_unlock(&pa->va_spin);
		spin_lock(&ca->va_spin);
		cl = an_leaf(ca, vpn);
		spin_unlock(&ca->va_spin);
		if (cl == NULL) {
			if ((error = an_grow(ca, vpn)) != 0)
				return error;
			spin_lock(&ca->va_spin);
			cl = an_leaf(ca, vpn);
			spin_unlock(&ca->va_spin);
		}
		bits = pl->an_map & (~0ULL << an_index(vpn, 0));
		if (end < leafend)
			bits &= (1ULL << (end & (AN_WAYS - 1))) - 1;
		for (; bits != 0; bits &= bits - 1) {
			i = __builtin_ctzll(bits);
			m = pl->an_slot[i];
			atomic_fetch_add(&m->m_refs, 1);
			cl->an_slot[i] = m;
			cl->an_map |= 1ULL << i;
			ca->va_count++;
		}
	}
	return 0;
}

/* Move n slots (mremap).  Locks: map exclusively, no translations there; the
 * target range is empty. */
int
vm_anon_move(struct vm_anon *va, uint64_t from, uint64_t to, uint64_t n)
{
	struct vm_anon_node *an;
	struct vm_page *m;
	uint64_t vpn;
	int error;

	for (vpn = from; va->va_root != NULL; vpn++) {
		vpn = an_next(va->va_root, AN_TOP, 0, vpn);
		if (vpn >= from + n)
			break;
		m = vm_anon_lookup(va, vpn);
		error = vm_anon_set(va, to + (vpn - from), NULL, m);
		if (error)
			return error;
		spin_lock(&va->va_spin);
		an = an_leaf(va, vpn);
		an->an_slot[an_index(vpn, 0)] = NULL;
		an->an_map &= ~(1ULL << an_index(vpn, 0));
		va->va_count--;
		spin_unlock(&va->va_spin);
	}
	return 0;
}
