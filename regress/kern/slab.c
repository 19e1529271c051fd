/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The slab and the page allocator: no overlap, alignment, memory that comes
 * back after frees on other CPUs, pressure.  Runs with --slab under ASan (the
 * table below asks for nothing: files.mk passes no options), so the cases
 * call the slab only when it is in use, and the page cases always.
 */
#include <sys/atomic.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include "../env/env.h"

enum { ROUNDS = 2000, SLOTS = 64 };

static MALLOC_DEFINE(M_TEST, "test");

struct object {
	uint32_t	o_size;
	uint32_t	o_stamp;
};

static struct object *slots[SLOTS];	/* [a] swapped in and out */

static void
fill(struct object *o, uint32_t size, uint32_t stamp)
{
	o->o_size = size;
	o->o_stamp = stamp;
	memset(o + 1, (int)(stamp & 0xff), size - sizeof(*o));
}

static bool
intact(const struct object *o)
{
	const uint8_t *p = (const uint8_t *)(o + 1);

	for (uint32_t i = 0; i < o->o_size - sizeof(*o); i++)
		if (p[i] != (o->o_stamp & 0xff))
			return false;
	return true;
}

static uint32_t
some_size(void)
{
	uint64_t r = env_random(100);

	if (r < 70)
		return 8 + (uint32_t)env_random(500);
	if (r < 95)
		return 8 + (uint32_t)env_random(4000);
	return 8 + (uint32_t)env_random(60000);
}

/* Each swaps a new object into a slot and frees what it finds there: mostly
 * another CPU's. */
static void
churn(void *arg __unused, int id)
{
	struct object *o, *old;
	uint32_t size;

	for (int i = 0; i < ROUNDS; i++) {
		size = some_size();
		o = kmalloc(size, &M_TEST, M_WAITOK);
		if (size >= 16 && (size & (size - 1)) == 0)
			ENV_EQ((uintptr_t)o & (MIN(size, 4096u) - 1), 0);
		ENV_EQ((uintptr_t)o & 15, 0);
		fill(o, size, (uint32_t)(id * ROUNDS + i));
		old = atomic_swap(&slots[env_random(SLOTS)], o);
		if (old != NULL) {
			ENV_REQUIRE(intact(old));
			kfree(old, &M_TEST);
		}
	}
}

/* One empty zone per size and CPU may stay, and a CPU's dead threads. */
static bool
pages_back(void *arg)
{
	uint64_t before = *(uint64_t *)arg;

	return before < atomic_load(&vm_pages_free) +
	    (24 * 8 + 8 * 8 + 64) * (uint64_t)ncpus;
}

static void
t_churn(void)
{
	uint64_t before;

	before = atomic_load(&vm_pages_free);
	for (int round = 0; round < 3; round++)
		env_parallel(2 * ncpus, churn, NULL);
	for (int i = 0; i < SLOTS; i++) {
		kfree(slots[i], &M_TEST);
		slots[i] = NULL;
	}
	ENV_EQ(atomic_load(&M_TEST.mt_count), 0);
	ENV_EQ(atomic_load(&M_TEST.mt_bytes), 0);
	ENV_CHECK(env_wait(pages_back, &before));
}

/* Allocated here, freed there, far more than there is memory. */
static struct object *mailbox;

static void
one_way(void *arg __unused, int id)
{
	struct object *o, *none;

	for (int i = 0; i < 40000; i++) {
		if (id == 0) {
			o = kmalloc(1024, &M_TEST, M_WAITOK);
			none = NULL;
			while (!atomic_cmpset(&mailbox, &none, o)) {
				none = NULL;
				lwkt_yield();
			}
		} else {
			while ((o = atomic_swap(&mailbox, NULL)) == NULL)
				lwkt_yield();
			kfree(o, &M_TEST);
		}
	}
}

static void
t_one_way(void)
{
	uint64_t before = atomic_load(&vm_pages_free);

	mailbox = NULL;
	env_parallel(2, one_way, NULL);
	ENV_EQ(atomic_load(&M_TEST.mt_count), 0);
	ENV_CHECK(before < atomic_load(&vm_pages_free) + 200);
}

static void
pages(void *arg __unused, int id __unused)
{
	struct vm_page *m[32];
	int order[32];
	uint64_t *p;

	memset(m, 0, sizeof(m));
	for (int i = 0; i < ROUNDS / 4; i++) {
		int s = (int)env_random(32);

		if (m[s] != NULL) {
			p = vm_page_kva(m[s]);
			ENV_EQ(*p, (uintptr_t)p ^ (uint64_t)order[s]);
			if (order[s] == 0)
				vm_page_free(m[s]);
			else
				vm_page_free_contig(m[s], order[s]);
		}
		order[s] = (int)env_random(6);
		m[s] = order[s] == 0 ? vm_page_alloc(0) :
		    vm_page_alloc_contig(order[s], 0);
		ENV_REQUIRE(m[s] != NULL);
		p = vm_page_kva(m[s]);
		ENV_EQ(btop(vm_page_pa(m[s])) & ((1ULL << order[s]) - 1), 0);
		ENV_CHECK(vm_page_from_pa(kva_to_pa(p)) == m[s]);
		*p = (uintptr_t)p ^ (uint64_t)order[s];
	}
	for (int s = 0; s < 32; s++)
		if (m[s] != NULL)
			vm_page_free_range(m[s], 1ULL << order[s]);
}

static void
t_pages(void)
{
	uint64_t before = atomic_load(&vm_pages_free);

	env_parallel(2 * ncpus, pages, NULL);
	tsleep(&before, 0, "test", 1000000);
	ENV_CHECK(before < atomic_load(&vm_pages_free) + 64);
}

/* A cache that gives pages back when it is asked, and only then. */
static struct spinlock hoard_spin = SPINLOCK_INITIALIZER("hoard");
static struct vm_page *hoard[1 << 17];
static uint64_t nhoard, asked;

static uint64_t
hoard_reclaim(uint64_t want)
{
	struct vm_page *m;
	uint64_t n;

	for (n = 0; n < want; n++) {
		spin_lock(&hoard_spin);
		m = nhoard > 0 ? hoard[--nhoard] : NULL;
		atomic_fetch_add(&asked, 1);
		spin_unlock(&hoard_spin);
		if (m == NULL)
			break;
		vm_page_free(m);
	}
	return n;
}

static struct vm_reclaimer hoarder = { NULL, hoard_reclaim, "hoard" };

static void
t_pressure(void)
{
	struct vm_page *m;
	uint64_t n = vm_pages_total + vm_pages_total / 4;

	vm_reclaim_register(&hoarder);
	if (n > nitems(hoard))
		n = nitems(hoard);
	for (uint64_t i = 0; i < n; i++) {
		m = vm_page_alloc(0);
		spin_lock(&hoard_spin);
		hoard[nhoard++] = m;
		spin_unlock(&hoard_spin);
	}
	ENV_CHECK(atomic_load(&asked) > 0);
	while (hoard_reclaim(1000) > 0)
		;
	ENV_EQ(nhoard, 0);
}

/* Every second page is taken: a block can be had only if the cache is asked,
 * although half of the memory is free. */
static void
t_fragments(void)
{
	struct vm_page *m;
	uint64_t limit = MIN(vm_pages_total, nitems(hoard)), n = 0;
	void *p;

	while (n < limit && (m = vm_page_alloc(VPA_NOWAIT)) != NULL)
		hoard[n++] = m;
	for (uint64_t i = 0; i < n; i++) {
		m = hoard[i];
		if (btop(vm_page_pa(m)) & 1)
			vm_page_free(m);
		else {
			spin_lock(&hoard_spin);
			hoard[nhoard++] = m;
			spin_unlock(&hoard_spin);
		}
	}
	if (n < limit) {		/* all of it was taken */
		p = kmalloc(32768, &M_TEST, M_WAITOK);
		ENV_CHECK(p != NULL);
		kfree(p, &M_TEST);
	}
	while (hoard_reclaim(1000) > 0)
		;
}

const struct env_test env_tests[] = {
	{ "slab_churn", t_churn, 0 },
	{ "slab_one_way", t_one_way, 0 },
	{ "pages", t_pages, 0 },
	{ "page_pressure", t_pressure, 0 },
	{ "page_fragments", t_fragments, 0 },
	ENV_END
};
