/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel comes up, threads run and sleep, memory can be had. */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include "../env/env.h"

static int32_t hits[8];

static void
hit(void *arg __unused, int i)
{
	ENV_EQ(mycpu->gd_cpuid, i % ncpus);
	atomic_fetch_add(&hits[i], 1);
}

static void
t_threads(void)
{
	memset(hits, 0, sizeof(hits));
	env_parallel(8, hit, NULL);
	for (int i = 0; i < 8; i++)
		ENV_EQ(hits[i], 1);
}

static void
t_timeout(void)
{
	nsec_t t0 = clock_mono_ns();
	int error = tsleep(&t0, 0, "test", 5000000);

	ENV_EQ(error, EWOULDBLOCK);
	ENV_CHECK(clock_mono_ns() - t0 >= 5000000);
}

static void
t_migrate(void)
{
	for (int i = 0; i < 3 * ncpus; i++) {
		lwkt_migrate(i % ncpus);
		ENV_EQ(mycpu->gd_cpuid, i % ncpus);
	}
}

static void
t_malloc(void)
{
	char *p = kmalloc(1000, &M_TEMP, M_WAITOK | M_ZERO);

	for (int i = 0; i < 1000; i++)
		ENV_REQUIRE(p[i] == 0);
	kfree(p, &M_TEMP);
}

const struct env_test env_tests[] = {
	{ "threads", t_threads, 0 },
	{ "timeout", t_timeout, 0 },
	{ "migrate", t_migrate, 0 },
	{ "malloc", t_malloc, 0 },
	ENV_END
};
