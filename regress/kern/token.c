/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens: a section without blocking is never shared with another holder;
 * opposite orders never deadlock; blocking inside gives the token away and
 * takes it back.
 */
#include <sys/atomic.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include "../env/env.h"

static struct lwkt_token ta = LWKT_TOKEN_INITIALIZER("a");
static struct lwkt_token tb = LWKT_TOKEN_INITIALIZER("b");
static struct lwkt_token tc = LWKT_TOKEN_INITIALIZER("c");
static uint64_t plain_a, plain_b;	/* guarded by ta, tb */
static int32_t inside;			/* [a] exclusive holders of ta */
static int32_t readers;			/* [a] shared holders of ta */
static int32_t most_readers;

enum { ROUNDS = 300 };

static void
enter_a(void)
{
	ENV_EQ(atomic_fetch_add(&inside, 1), 0);
	ENV_EQ(atomic_load(&readers), 0);
	ENV_CHECK(lwkt_token_held(&ta));
}

static void
leave_a(void)
{
	atomic_fetch_sub(&inside, 1);
}

static void
exclusive(void *arg __unused, int id)
{
	uint64_t v;

	for (int i = 0; i < ROUNDS; i++) {
		lwkt_token_get(&ta);
		enter_a();
		v = plain_a;
		cpu_poll();
		cpu_poll();
		plain_a = v + 1;
		leave_a();
		if ((i + id) % 16 == 0)
			lwkt_yield();
		lwkt_token_put(&ta);
	}
}

static void
t_exclusive(void)
{
	plain_a = 0;
	env_parallel(8, exclusive, NULL);
	ENV_EQ(plain_a, 8 * ROUNDS);
}

static void
orders(void *arg __unused, int id)
{
	struct lwkt_token *order[3] = { &ta, &tb, &tc }, *t;
	int j, k;

	for (int i = 0; i < ROUNDS; i++) {
		for (j = 2; j > 0; j--) {
			k = (int)env_random((uint64_t)j + 1);
			t = order[k];
			order[k] = order[j];
			order[j] = t;
		}
		for (j = 0; j < 3; j++)
			lwkt_token_get(order[j]);
		enter_a();
		plain_a++;
		plain_b++;
		leave_a();
		if ((i + id) % 8 == 0)
			tsleep(&plain_a, 0, "test", 1000);
		enter_a();
		ENV_CHECK(lwkt_token_held(&tb) && lwkt_token_held(&tc));
		plain_b--;
		leave_a();
		for (j = 2; j >= 0; j--)
			lwkt_token_put(order[j]);
	}
}

static void
t_orders(void)
{
	plain_a = plain_b = 0;
	env_parallel(6, orders, NULL);
	ENV_EQ(plain_a, 6 * ROUNDS);
	ENV_EQ(plain_b, 0);
}

static void
shared(void *arg __unused, int id)
{
	int32_t n, most;

	for (int i = 0; i < ROUNDS; i++) {
		if (id == 0) {
			lwkt_token_get(&ta);
			enter_a();
			plain_a++;
			leave_a();
			lwkt_token_put(&ta);
			continue;
		}
		lwkt_token_get_shared(&ta);
		n = atomic_fetch_add(&readers, 1) + 1;
		ENV_EQ(atomic_load(&inside), 0);
		most = atomic_load(&most_readers);
		while (n > most && !atomic_cmpset(&most_readers, &most, n))
			;
		for (int j = 0; j < 20; j++)
			cpu_poll();
		atomic_fetch_sub(&readers, 1);
		lwkt_token_put(&ta);
	}
}

static void
t_shared(void)
{
	plain_a = 0;
	most_readers = 0;
	env_parallel(8, shared, NULL);
	ENV_EQ(plain_a, ROUNDS);
	if (vk_deterministic() && ncpus > 2)
		ENV_CHECK(most_readers > 1);
}

/* While the holder sleeps, others have the token. */
static int32_t got_it;

static void
thief(void *arg __unused, int id __unused)
{
	lwkt_token_get(&ta);
	atomic_store(&got_it, 1);
	wakeup(&got_it);
	lwkt_token_put(&ta);
}

static void
sleeper(void *arg __unused, int id)
{
	if (id != 0) {
		thief(NULL, 0);
		return;
	}
	lwkt_token_get(&ta);
	for (;;) {
		tsleep_interlock(&got_it);
		if (atomic_load(&got_it))
			break;
		tsleep(&got_it, PINTERLOCKED, "test", 0);
		ENV_CHECK(lwkt_token_held(&ta));
	}
	tsleep_remove();
	lwkt_token_put(&ta);
	ENV_CHECK(!lwkt_token_held(&ta));
}

static void
t_sleep(void)
{
	atomic_store(&got_it, 0);
	env_parallel(2, sleeper, NULL);
}

static void
t_nested(void)
{
	lwkt_token_get(&ta);
	lwkt_token_get(&tb);
	lwkt_token_get(&ta);
	lwkt_token_get_shared(&ta);
	ENV_CHECK(lwkt_token_try(&tb));
	lwkt_token_put(&tb);
	lwkt_token_put(&ta);
	lwkt_yield();
	lwkt_token_put(&ta);
	ENV_CHECK(lwkt_token_held(&ta));
	lwkt_token_put(&tb);
	lwkt_token_put(&ta);
	ENV_CHECK(!lwkt_token_held(&ta));
}

const int env_default_seeds = 20;

const struct env_test env_tests[] = {
	{ "token_exclusive", t_exclusive, 0 },
	{ "token_orders", t_orders, 0 },
	{ "token_shared", t_shared, 0 },
	{ "token_sleep", t_sleep, 0 },
	{ "token_nested", t_nested, 0 },
	ENV_END
};
