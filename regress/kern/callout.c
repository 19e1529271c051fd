/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Callouts: they fire in order and not early; after a drain the function does
 * not run, whatever races with it.
 */
#include <sys/atomic.h>
#include <sys/callout.h>
#include <sys/clock.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include "../env/env.h"

static nsec_t fired_at[64];
static int32_t fired, order[64];

static void
note(void *arg)
{
	int i = (int)(intptr_t)arg;

	fired_at[i] = clock_mono_ns();
	order[atomic_fetch_add(&fired, 1)] = i;
}

static bool
all_fired(void *arg)
{
	return atomic_load(&fired) == (int32_t)(intptr_t)arg;
}

static void
t_order(void)
{
	struct callout co[16];
	nsec_t due[16], now = clock_mono_ns();

	fired = 0;
	for (int i = 0; i < 16; i++) {
		callout_init(&co[i], note, (void *)(intptr_t)i);
		due[i] = (nsec_t)((i * 7) % 16 + 1) * 1000000;
	}
	crit_enter();
	for (int i = 0; i < 16; i++)
		callout_reset(&co[i], due[i]);
	crit_exit();
	ENV_CHECK(env_wait(all_fired, (void *)16));
	for (int i = 0; i < 16; i++) {
		ENV_CHECK(fired_at[i] >= now + due[i]);
		if (i > 0)
			ENV_CHECK(due[order[i]] > due[order[i - 1]]);
	}
}

/* Owner: reset, sometimes wait, drain, free.  A use after free is ASan's. */
struct victim {
	struct callout	v_co;
	int32_t		v_alive;
	int32_t		v_again;
};

static void
victim_fn(void *arg)
{
	struct victim *v = arg;

	ENV_EQ(atomic_load(&v->v_alive), 1);
	cpu_poll();
	if (v->v_again-- > 0)
		callout_reset(&v->v_co, 1000);
	ENV_EQ(atomic_load(&v->v_alive), 1);
}

static void
drains(void *arg __unused, int id __unused)
{
	struct victim *v;

	for (int i = 0; i < 100; i++) {
		v = kmalloc(sizeof(*v), &M_TEMP, M_WAITOK);
		v->v_alive = 1;
		v->v_again = (int)env_random(5);
		callout_init(&v->v_co, victim_fn, v);
		callout_reset(&v->v_co, env_random(20000));
		if (env_random(3) == 0)
			lwkt_migrate((int)env_random((uint64_t)ncpus));
		if (env_random(2) == 0)
			tsleep(&v, 0, "test", 1 + env_random(20000));
		if (env_random(4) == 0)
			callout_reset(&v->v_co, env_random(10000));
		callout_drain(&v->v_co);
		atomic_store(&v->v_alive, 0);
		lwkt_yield();
		kfree(v, &M_TEMP);
	}
}

static void
t_drain(void)
{
	env_parallel(2 * ncpus, drains, NULL);
}

static void
t_stop(void)
{
	struct callout co;

	fired = 0;
	callout_init(&co, note, NULL);
	callout_reset(&co, 1000000000);
	ENV_CHECK(callout_stop(&co));
	ENV_CHECK(!callout_stop(&co));
	callout_reset(&co, 1000);
	ENV_CHECK(env_wait(all_fired, (void *)1));
	ENV_CHECK(!callout_stop(&co));
	callout_drain(&co);
}

const int env_default_seeds = 20;

const struct env_test env_tests[] = {
	{ "callout_order", t_order, 0 },
	{ "callout_drain", t_drain, 0 },
	{ "callout_stop", t_stop, 0 },
	ENV_END
};
