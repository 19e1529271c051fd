/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleep and wakeup: no wakeup is lost between test and sleep (a lost one ends
 * deterministic mode: all CPUs idle); timeouts race with wakeups; wakeup_one
 * wakes one; signals end PCATCH sleeps only; priorities are kept.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include "../env/env.h"

enum { ROUNDS = 400 };

static int32_t turn;

/* Two threads per pair take turns through one word. */
static void
ping(void *arg __unused, int id)
{
	static int32_t words[8];
	int32_t *w = &words[id / 2];

	if (id % 2 == 0)
		atomic_store(w, 0);
	for (int i = 0; i < ROUNDS; i++) {
		for (;;) {
			tsleep_interlock(w);
			if (atomic_load(w) % 2 == id % 2)
				break;
			tsleep(w, PINTERLOCKED, "ping", 0);
		}
		tsleep_remove();
		atomic_fetch_add(w, 1);
		wakeup(w);
	}
}

static void
t_ping(void)
{
	env_parallel(8, ping, NULL);
}

static struct spinlock sp = SPINLOCK_INITIALIZER("test");
static int32_t tickets, taken, timeouts;

/* Consumers with timeouts; producers with wakeup_one. */
static void
pool(void *arg __unused, int id)
{
	int error;

	for (int i = 0; i < ROUNDS; i++) {
		spin_lock(&sp);
		if (id % 2) {
			tickets++;
			spin_unlock(&sp);
			wakeup_one(&tickets);
			continue;
		}
		while (tickets == 0) {
			error = ssleep(&tickets, &sp, 0, "pool",
			    env_random(2) ? 0 : 1 + env_random(3000));
			ENV_CHECK(error == 0 || error == EWOULDBLOCK);
			spin_lock(&sp);
			timeouts += error != 0;
			/* A wakeup that came with the timeout is passed on. */
			if (error != 0 && tickets > 0)
				wakeup_one(&tickets);
		}
		tickets--;
		taken++;
		spin_unlock(&sp);
	}
}

static void
t_pool(void)
{
	tickets = taken = 0;
	env_parallel(8, pool, NULL);
	ENV_EQ(taken, 4 * ROUNDS);
	ENV_EQ(tickets, 0);
}

static struct spinlock victim_spin = SPINLOCK_INITIALIZER("victim");
static struct thread *victim;		/* [victim_spin] keeps it alive */
static int32_t phase;

static void
victim_set(struct thread *td)
{
	spin_lock(&victim_spin);
	victim = td;
	spin_unlock(&victim_spin);
}

static void
signals(void *arg __unused, int id)
{
	if (id == 0) {
		victim_set(curthread);
		ENV_EQ(tsleep(&turn, PCATCH, "test", 0), EINTR);
		atomic_store(&phase, 1);
		ENV_EQ(tsleep(&turn, 0, "test", 3000000), EWOULDBLOCK);
		atomic_store(&phase, 2);
		victim_set(NULL);
		return;
	}
	while (atomic_load(&phase) < 2) {
		spin_lock(&victim_spin);
		if (id == 1 && victim != NULL)
			tsleep_signal(victim);
		spin_unlock(&victim_spin);
		tsleep(&phase, 0, "test", 100000);
	}
}

static void
t_signal(void)
{
	phase = 0;
	env_parallel(2, signals, NULL);
}

/* A better thread that becomes runnable here runs before a worse one. */
static int32_t sequence[4], nsequence;

static void
stamp(void *arg)
{
	sequence[atomic_fetch_add(&nsequence, 1)] = (int)(intptr_t)arg;
}

static bool
stamped(void *arg __unused)
{
	return atomic_load(&nsequence) == 3;
}

static void
t_priority(void)
{
	static const int pri[3] = { TDPRI_USER, TDPRI_SOFT, TDPRI_INT };
	struct thread *td;

	nsequence = 0;
	crit_enter();
	for (int i = 0; i < 3; i++) {
		lwkt_create(stamp, (void *)(intptr_t)pri[i], &td, pri[i], -1,
		    "pri%d", i);
		lwkt_schedule(td);
	}
	crit_exit();
	ENV_CHECK(env_wait(stamped, NULL));
	ENV_EQ(sequence[0], TDPRI_INT);
	ENV_EQ(sequence[1], TDPRI_SOFT);
	ENV_EQ(sequence[2], TDPRI_USER);
}

/* Migrate all over while others kick the thread. */
static struct thread *wanderer;

static void
wander(void *arg __unused, int id)
{
	if (id == 0) {
		atomic_store(&wanderer, curthread);
		for (int i = 0; i < ROUNDS; i++) {
			int cpu = (int)env_random((uint64_t)ncpus);

			lwkt_migrate(cpu);
			ENV_EQ(mycpu->gd_cpuid, cpu);
			if (i % 8 == 0)
				tsleep(&wanderer, 0, "test", 1000);
		}
		atomic_store(&wanderer, NULL);
		atomic_store(&phase, 9);
		return;
	}
	while (atomic_load(&phase) != 9) {
		struct thread *td = atomic_load(&wanderer);

		/* It cannot exit: env_parallel's frame outlives us all, and
		 * its thread memory is kept while a kick is on its way. */
		if (td != NULL)
			lwkt_schedule(td);
		lwkt_yield();
	}
}

static void
t_wander(void)
{
	phase = 0;
	env_parallel(3, wander, NULL);
}

const int env_default_seeds = 20;

const struct env_test env_tests[] = {
	{ "sleep_ping", t_ping, 0 },
	{ "sleep_pool", t_pool, 0 },
	{ "sleep_signal", t_signal, 0 },
	{ "sched_priority", t_priority, 0 },
	{ "sched_wander", t_wander, ENV_DET_ONLY },
	ENV_END
};
