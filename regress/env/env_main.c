/* SPDX-License-Identifier: BSD-2-Clause */
/* main() of every hosted test: options, boot, cases, results.  See env.h. */
#include <sys/atomic.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <platform/vkernel/host.h>
#include "env.h"
#include "env_private.h"

int	main(int argc, char **argv);

bool env_case_failed;
static const char *case_skipped;
static const struct env_test *current;

void
env_printf(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	host_write(line, MIN((size_t)n, sizeof(line) - 1));
}

bool
env_check(bool ok, const char *expr, const char *file, int line)
{
	if (!ok) {
		atomic_store(&env_case_failed, true);
		env_printf("%s:%d: %s: failed: %s (seed %lu)\n", file, line,
		    current->et_name, expr, (unsigned long)vk_seed());
	}
	return ok;
}

bool
env_check_eq(int64_t a, int64_t b, const char *ea, const char *eb,
    const char *file, int line)
{
	if (a != b) {
		atomic_store(&env_case_failed, true);
		env_printf("%s:%d: %s: %s is %ld, %s is %ld (seed %lu)\n",
		    file, line, current->et_name, ea, (long)a, eb, (long)b,
		    (unsigned long)vk_seed());
	}
	return a == b;
}

void
env_skip(const char *why)
{
	case_skipped = why;
}

uint64_t
env_random(uint64_t n)
{
	return vk_random(n);
}

static int
run_case(void *arg)
{
	const struct env_test *t = arg;

	t->et_fn();
	return 0;
}

static bool
wanted(const struct env_test *t, int argc, char **argv)
{
	int i;
	bool any = false;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] == '-') {
			if (strcmp(argv[i], "--seed") == 0 ||
			    strcmp(argv[i], "--seeds") == 0 ||
			    strcmp(argv[i], "--cpus") == 0 ||
			    strcmp(argv[i], "--mem") == 0)
				i++;
			continue;
		}
		any = true;
		if (strcmp(argv[i], t->et_name) == 0)
			return true;
	}
	return !any;
}

static int
run_all(const struct vk_opts *o, int argc, char **argv)
{
	const struct env_test *t;
	int bad = 0;

	env_printf("seed %lu, %d cpus, %s\n", (unsigned long)o->vo_seed,
	    o->vo_cpus, o->vo_threaded ? "threaded" : "deterministic");
	vk_boot(o);
	for (t = env_tests; t->et_name != NULL; t++) {
		if (!wanted(t, argc, argv))
			continue;
		if (o->vo_threaded ? t->et_flags & ENV_DET_ONLY :
		    t->et_flags & ENV_THREADED_ONLY) {
			env_printf("skip - %s: not in this mode\n",
			    t->et_name);
			continue;
		}
		current = t;
		env_case_failed = false;
		case_skipped = NULL;
		vk_run(run_case, (void *)(uintptr_t)t);
		if (case_skipped != NULL && !env_case_failed)
			env_printf("skip - %s: %s\n", t->et_name, case_skipped);
		else
			env_printf("%s - %s\n", env_case_failed ? "not ok" :
			    "ok", t->et_name);
		bad += env_case_failed;
	}
	return bad != 0;
}

static uint64_t
number(const char *s)
{
	return s == NULL ? 0 : kstrtou64(s, NULL, 0);
}

/* A process for each seed, because a process boots one kernel. */
static int
run_seeds(struct vk_opts *o, uint64_t n, int argc, char **argv)
{
	uint64_t i;
	int pid, status, bad = 0;

	for (i = 0; i < n; i++, o->vo_seed++) {
		pid = host_fork();
		if (pid == 0)
			host_exit(run_all(o, argc, argv));
		status = host_wait(pid);
		if (status > 1)
			env_printf("not ok - crash with seed %lu\n",
			    (unsigned long)o->vo_seed);
		bad |= status != 0;
	}
	return bad;
}

int
main(int argc, char **argv)
{
	struct vk_opts o = { .vo_cpus = 4, .vo_quiet = true };
	uint64_t seeds = 0;
	bool seeded = false;
	int i;

	host_fix_addresses(argv);
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--seed") == 0) {
			o.vo_seed = number(argv[++i]);
			seeded = true;
		} else if (strcmp(argv[i], "--seeds") == 0)
			seeds = number(argv[++i]);
		else if (strcmp(argv[i], "--cpus") == 0)
			o.vo_cpus = (int)number(argv[++i]);
		else if (strcmp(argv[i], "--mem") == 0)
			o.vo_mem = number(argv[++i]) << 20;
		else if (strcmp(argv[i], "--threaded") == 0)
			o.vo_threaded = true;
		else if (strcmp(argv[i], "--slab") == 0)
			o.vo_slab = true;
		else if (strcmp(argv[i], "--verbose") == 0)
			o.vo_quiet = false;
		else if (argv[i][0] == '-') {
			env_printf("unknown option %s, see regress/env/env.h\n",
			    argv[i]);
			return 2;
		}
	}
	if (env_default_threaded())
		o.vo_threaded = true;
	if (!seeded)
		o.vo_seed = host_wall_ns() / 1000 % 1000000;
	if (seeds == 0 && !seeded && !o.vo_threaded &&
	    &env_default_seeds != NULL)
		seeds = (uint64_t)env_default_seeds;
	if (seeds > 1)
		return run_seeds(&o, seeds, argc, argv);
	host_exit(run_all(&o, argc, argv));
}
