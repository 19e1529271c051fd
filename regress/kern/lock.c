/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping locks: exclusion over sleeps, sharing, no starvation of the
 * exclusive side, upgrade, recursion, and hand-over to another operation.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/lock.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include "../env/env.h"

enum { ROUNDS = 150 };

static struct lock lk;
static int32_t writers, readers;
static uint64_t plain;
static int32_t stop;

static void
mixed(void *arg __unused, int id)
{
	for (int i = 0; i < ROUNDS; i++) {
		if ((id + i) % 3 == 0) {
			lock_excl(&lk);
			ENV_EQ(atomic_fetch_add(&writers, 1), 0);
			ENV_EQ(atomic_load(&readers), 0);
			plain++;
			if (i % 10 == 0)
				tsleep(&plain, 0, "test", 2000);
			ENV_CHECK(lock_held_excl(&lk));
			atomic_fetch_sub(&writers, 1);
			lock_release(&lk);
		} else {
			lock_shared(&lk);
			atomic_fetch_add(&readers, 1);
			ENV_EQ(atomic_load(&writers), 0);
			if (i % 10 == 0)
				tsleep(&plain, 0, "test", 2000);
			atomic_fetch_sub(&readers, 1);
			lock_release(&lk);
		}
	}
}

static void
t_mixed(void)
{
	lock_init(&lk, "test");
	plain = 0;
	env_parallel(9, mixed, NULL);
	ENV_EQ(plain, 9 * ROUNDS / 3);
	ENV_CHECK(!lock_held(&lk));
}

/* Readers that overlap for ever do not keep a writer out. */
static void
crowd(void *arg __unused, int id)
{
	if (id == 0) {
		for (int i = 0; i < 10; i++) {
			lock_excl(&lk);
			plain++;
			lock_release(&lk);
			tsleep(&plain, 0, "test", 10000);
		}
		atomic_store(&stop, 1);
		return;
	}
	while (!atomic_load(&stop)) {
		lock_shared(&lk);
		tsleep(&plain, 0, "test", 3000 + env_random(3000));
		lock_release(&lk);
	}
}

static void
t_starvation(void)
{
	lock_init(&lk, "test");
	plain = 0;
	stop = 0;
	env_parallel(6, crowd, NULL);
	ENV_EQ(plain, 10);
}

static void
upgrades(void *arg, int id __unused)
{
	int32_t *done = arg;

	for (int i = 0; i < ROUNDS; i++) {
		lock_shared(&lk);
		if (lock_try_upgrade(&lk) == 0) {
			ENV_EQ(atomic_fetch_add(&writers, 1), 0);
			plain++;
			lwkt_yield();
			atomic_fetch_sub(&writers, 1);
			atomic_fetch_add(done, 1);
			lock_downgrade(&lk);
			ENV_CHECK(!lock_held_excl(&lk));
		}
		lock_release(&lk);
	}
}

static void
t_upgrade(void)
{
	int32_t done = 0;

	lock_init(&lk, "test");
	plain = 0;
	env_parallel(4, upgrades, &done);
	ENV_EQ(plain, done);
	ENV_CHECK(done > 0);
	lock_shared(&lk);
	ENV_EQ(lock_try_upgrade(&lk), 0);
	lock_release(&lk);
}

static void
t_recursion(void)
{
	lock_init(&lk, "test");
	lock_excl(&lk);
	lock_excl(&lk);
	ENV_CHECK(lock_try_excl(&lk));
	lock_release(&lk);
	lock_release(&lk);
	ENV_CHECK(lock_held_excl(&lk));
	ENV_CHECK(!lock_try_shared(&lk));
	lock_release(&lk);
	ENV_CHECK(!lock_held(&lk));
}

/* One thread locks for an operation, another one finishes it. */
static int32_t given;

static void
hand_over(void *arg __unused, int id)
{
	xid_t op = 0x7777000000000000ULL;

	if (id == 0) {
		lock_excl(&lk);
		lock_give(&lk, op);
		ENV_CHECK(!lock_held_excl(&lk));
		atomic_store(&given, 1);
		wakeup(&given);
		lock_excl(&lk);		/* waits for the other */
		ENV_EQ(given, 2);
		lock_release(&lk);
		return;
	}
	for (;;) {
		tsleep_interlock(&given);
		if (atomic_load(&given))
			break;
		tsleep(&given, PINTERLOCKED, "test", 0);
	}
	tsleep_remove();
	curthread->td_xid = op;
	ENV_CHECK(lock_held_excl(&lk));
	tsleep(&plain, 0, "test", 100000);
	given = 2;
	lock_release(&lk);
	curthread->td_xid = curthread->td_ownxid;
}

static void
t_hand_over(void)
{
	lock_init(&lk, "test");
	given = 0;
	env_parallel(2, hand_over, NULL);
}

const int env_default_seeds = 20;

const struct env_test env_tests[] = {
	{ "lock_mixed", t_mixed, 0 },
	{ "lock_starvation", t_starvation, 0 },
	{ "lock_upgrade", t_upgrade, 0 },
	{ "lock_recursion", t_recursion, 0 },
	{ "lock_hand_over", t_hand_over, 0 },
	ENV_END
};
