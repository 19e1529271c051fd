/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPI messages: none lost, in order from one sender, in a critical section;
 * synchronous calls against each other come through; epochs wait for readers.
 */
#include <sys/atomic.h>
#include <sys/epoch.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include "../env/env.h"

enum { ROUNDS = 300 };

static int64_t last_seen[64][64];	/* [receiver CPU][sender] */
static int32_t received;

static void
receive(void *arg, void *arg2)
{
	int sender = (int)(intptr_t)arg, cpu = mycpu->gd_cpuid;
	int64_t seq = (intptr_t)arg2;

	ENV_CHECK(crit_held());
	ENV_EQ(last_seen[cpu][sender], seq - 1);
	last_seen[cpu][sender] = seq;
	atomic_fetch_add(&received, 1);
}

static void
flood(void *arg __unused, int id)
{
	struct ipi_msg *msgs;
	int n = ROUNDS * ncpus;

	msgs = kmalloc((size_t)n * sizeof(*msgs), &M_TEMP, M_WAITOK | M_ZERO);
	for (int i = 0; i < n; i++)
		lwkt_ipi_call(i % ncpus, &msgs[i], receive,
		    (void *)(intptr_t)id, (void *)(intptr_t)(i / ncpus + 1));
	for (int i = 0; i < n; i++)
		while (atomic_load(&msgs[i].im_flags) != 0)
			lwkt_yield();
	kfree(msgs, &M_TEMP);
}

static bool
all_received(void *arg)
{
	return atomic_load(&received) == *(int32_t *)arg;
}

static void
t_flood(void)
{
	int32_t want = 6 * ROUNDS * ncpus;

	memset(last_seen, 0, sizeof(last_seen));
	received = 0;
	env_parallel(6, flood, NULL);
	ENV_CHECK(env_wait(all_received, &want));
	for (int c = 0; c < ncpus; c++)
		for (int s = 0; s < 6; s++)
			ENV_EQ(last_seen[c][s], ROUNDS);
}

static void
count(void *arg, void *arg2 __unused)
{
	int32_t *n = arg;

	atomic_fetch_add(&n[mycpu->gd_cpuid], 1);
}

static void
sync_all(void *arg __unused, int id __unused)
{
	int32_t n[64];

	for (int i = 0; i < 50; i++) {
		memset(n, 0, sizeof(n));
		lwkt_ipi_sync(~0ULL, count, n, NULL);
		for (int c = 0; c < ncpus; c++)
			ENV_EQ(n[c], 1);
	}
}

static void
t_sync(void)
{
	env_parallel(2 * ncpus, sync_all, NULL);
}

/* Nothing runs in a critical section, everything when it ends. */
static int32_t ran;

static void
mark(void *arg __unused, void *arg2 __unused)
{
	atomic_fetch_add(&ran, 1);
}

static void
t_held_off(void)
{
	struct ipi_msg m = { 0 };

	ran = 0;
	crit_enter();
	crit_enter();
	lwkt_ipi_call(mycpu->gd_cpuid, &m, mark, NULL, NULL);
	crit_exit();
	ENV_EQ(atomic_load(&ran), 0);
	crit_exit();
	ENV_EQ(atomic_load(&ran), 1);
}

/* A reader never sees what was freed. */
struct node {
	struct epoch_item n_epoch;
	int		n_alive;
};
static struct node *shared_node;
static int32_t freed, writers_left;

static void
node_free(struct epoch_item *ei)
{
	struct node *n = container_of(ei, struct node, n_epoch);

	n->n_alive = 0;
	kfree(n, &M_TEMP);
	atomic_fetch_add(&freed, 1);
}

static void
epochs(void *arg __unused, int id)
{
	struct node *n, *old;

	if (id > 0) {
		while (atomic_load(&writers_left) > 0) {
			epoch_enter();
			n = atomic_load_acq(&shared_node);
			cpu_poll();
			ENV_EQ(n->n_alive, 1);
			cpu_poll();
			ENV_EQ(n->n_alive, 1);
			epoch_exit();
			lwkt_yield();
		}
		return;
	}
	for (int i = 0; i < 100; i++) {
		n = kmalloc(sizeof(*n), &M_TEMP, M_WAITOK);
		n->n_alive = 1;
		old = atomic_swap(&shared_node, n);
		if (i % 10 == 0) {
			epoch_wait();
			node_free(&old->n_epoch);
		} else
			epoch_call(&old->n_epoch, node_free);
		if (env_random(4) == 0)
			lwkt_yield();
	}
	epoch_drain();
	ENV_EQ(atomic_load(&freed), 100);
	atomic_store(&writers_left, 0);
}

static void
t_epoch(void)
{
	freed = 0;
	writers_left = 1;
	shared_node = kmalloc(sizeof(*shared_node), &M_TEMP, M_WAITOK);
	shared_node->n_alive = 1;
	env_parallel(ncpus + 1, epochs, NULL);
	kfree(shared_node, &M_TEMP);
}

const int env_default_seeds = 20;

const struct env_test env_tests[] = {
	{ "ipi_flood", t_flood, 0 },
	{ "ipi_sync", t_sync, 0 },
	{ "ipi_held_off", t_held_off, 0 },
	{ "epoch", t_epoch, 0 },
	ENV_END
};
