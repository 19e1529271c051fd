/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The harness on the PC: the same cases, linked into a kernel of their own
 * that runs them when it is up and powers off.  Real CPUs, real interrupts.
 * Cases that need the test disk or fork are not linked here.
 */
#include <sys/atomic.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <platform/machdep.h>
#include "env.h"
#include "env_private.h"

bool env_case_failed;
static const char *current;
static uint64_t seed;

void	kern_selftest(void);

void
env_printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	kvprintf(fmt, ap);
	va_end(ap);
}

bool
env_check(bool ok, const char *expr, const char *file, int line)
{
	if (!ok) {
		atomic_store(&env_case_failed, true);
		kprintf("%s:%d: %s: failed: %s\n", file, line, current, expr);
	}
	return ok;
}

bool
env_check_eq(int64_t a, int64_t b, const char *ea, const char *eb,
    const char *file, int line)
{
	if (a != b) {
		atomic_store(&env_case_failed, true);
		kprintf("%s:%d: %s: %s is %ld, %s is %ld\n", file, line,
		    current, ea, (long)a, eb, (long)b);
	}
	return a == b;
}

uint64_t
vk_random(uint64_t n)
{
	uint64_t v;

	random_bytes(&v, sizeof(v));
	return n == 0 ? 0 : v % n;
}

uint64_t
env_random(uint64_t n)
{
	return vk_random(n);
}

uint64_t
vk_seed(void)
{
	return seed;
}

bool
vk_deterministic(void)
{
	return false;
}

static void
case_thread(void *unused __unused)
{
	const struct env_test *t;

	for (t = env_tests; t->et_name != NULL; t++) {
		if (t->et_flags & ENV_DET_ONLY)
			continue;
		current = t->et_name;
		env_case_failed = false;
		t->et_fn();
		kprintf("%s - pc64 %s\n", env_case_failed ? "not ok" : "ok",
		    t->et_name);
	}
	kprintf("done\n");
	md_poweroff();
}

/* A line of init_main.c's table. */
void
kern_selftest(void)
{
	struct thread *td;

	lwkt_create(case_thread, NULL, &td, TDPRI_KERN, 0, "cases");
	lwkt_schedule(td);
}
