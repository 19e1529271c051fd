/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HAMMER against the model: random operations; the tree now, after a remount,
 * and as of moments that were remembered on the way; power cuts at device
 * writes, where the survivor must be the state at some T at or above the
 * horizon, with all of the past below it.
 */
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>

#include "../vfs/fsops.h"
#include "fx.h"

enum { SIZE = 256 << 20, MAXMOMENTS = 400 };

static struct {
	uint64_t	 t[MAXMOMENTS];
	int		 n;
} moments;

static bool
remember(struct fsops *fo, void *arg __unused)
{
	if (env_random(8) == 0 && moments.n < MAXMOMENTS &&
	    model_last(fo->fo_model) != 0)
		moments.t[moments.n++] = model_last(fo->fo_model);
	return true;
}

/* A few of the remembered moments. */
static bool
look_back(struct fsops *fo, int probes)
{
	uint64_t t;

	while (probes-- > 0 && moments.n > 0) {
		t = moments.t[env_random((uint64_t)moments.n)];
		if (!fsops_compare(fo, t))
			return false;
	}
	return true;
}

static bool
start(struct fx *fx, struct fsops *fo, int diskflags)
{
	if (!fx_open(fx, SIZE, diskflags))
		return false;
	moments.n = 0;
	fsops_init(fo, fx->mp, 0755);
	fo->fo_maxsize = 90000;
	fo->fo_after = remember;
	return true;
}

/* The same model on a new mount of the same disk. */
static bool
remount(struct fx *fx, struct fsops *fo)
{
	kvfs_done(&fo->fo_kv);
	fx_remount(fx);
	if (fx->mp == NULL)
		return false;
	fo->fo_mount = fx->mp;
	kvfs_init(&fo->fo_kv, fx->mp);
	return true;
}

static void
run(unsigned n, int rounds, int diskflags)
{
	struct fsops fo;
	struct fx fx = { 0 };

	if (!start(&fx, &fo, diskflags))
		return;
	while (rounds-- > 0) {
		if (!fsops_run(&fo, n) || !fsops_compare(&fo, MODEL_LIVE) ||
		    !look_back(&fo, 8) || !remount(&fx, &fo) ||
		    !fsops_compare(&fo, MODEL_LIVE) || !look_back(&fo, 8))
			break;
	}
	fsops_done(&fo);
	fx_close(&fx);
}

static void
t_model(void)
{
	run(700, 3, ED_SYNC | ED_INORDER);
}

static void
t_model_disk(void)
{
	run(700, 2, 0);
}

static void
t_model_async(void)
{
	vop_force_async = true;
	run(400, 2, 0);
	vop_force_async = false;
}

/* ---- power cuts -------------------------------------------------------- */

/*
 * In a crash child the thread that did the work may still be told that its
 * disk has died; it is no part of the test any more.
 */
static bool in_child;
static struct env_disk *cut_disk;

static void
park_in_child(struct fsops *fo __unused)
{
	while (in_child || env_disk_is_cut(cut_disk))
		tsleep(&in_child, 0, "child", 0);
}

static bool
remember_or_park(struct fsops *fo, void *arg)
{
	park_in_child(fo);
	return remember(fo, arg);
}

static void
survivor_check(struct env_disk *disk, uint64_t n, void *arg)
{
	static char why[1000];
	struct fsops *fo = arg, after;
	struct fx fx = { .disk = disk, .name = env_disk_disk(disk)->d_name };
	struct model_view mv;
	char prefix[64];
	uint64_t t, old, last;
	int i;

	in_child = true;
	if (!fx_mount(&fx))
		return;
	last = fx_last(&fx);
	after = *fo;
	after.fo_mount = fx.mp;
	after.fo_failed = false;
	kvfs_init(&after.fo_kv, fx.mp);
	fsops_view(&after, &mv, "");
	if (model_crash_check(fo->fo_model, &mv, &t, why, sizeof(why)) != 0) {
		env_printf("cut at write %u after op %u: %s\n", (unsigned)n,
		    (unsigned)fo->fo_count, why);
		ENV_CHECK(!"the survivor is a state of the model");
		return;
	}
	for (i = 0; i < 3 && moments.n > 0; i++) {
		old = moments.t[env_random((uint64_t)moments.n)];
		/* Numbers that changed nothing may be lost with the cut. */
		if (old > t || old > last)
			continue;
		ksnprintf(prefix, sizeof(prefix), "@@0x%016llx",
		    (unsigned long long)old);
		fsops_view(&after, &mv, prefix);
		if (model_compare(fo->fo_model, old, &mv, why,
		    sizeof(why)) != 0) {
			env_printf("cut at write %u: the past: %s\n",
			    (unsigned)n, why);
			ENV_CHECK(!"the past of a survivor");
			return;
		}
	}
	/* Life goes on. */
	ENV_EQ(fx_put(&fx, "/after the cut", "x", 1), 0);
	kvfs_done(&after.fo_kv);
	fx_umount(&fx);
	if (n % 16 == 0)
		ENV_EQ(fx_check(disk), 0);
}

static void
crash(uint64_t first, uint64_t every, unsigned nops)
{
	struct fsops fo;
	struct fx fx = { 0 };

	if (!start(&fx, &fo, 0))
		return;
	cut_disk = fx.disk;
	fo.fo_after = remember_or_park;
	fo.fo_differs = park_in_child;
	env_disk_crash_children(fx.disk, first, every, 1, survivor_check, &fo);
	fsops_run(&fo, nops);
	vfs_sync(fx.mp, true);
	park_in_child(&fo);
	env_disk_crash_children(fx.disk, 1, 0, 1, survivor_check, &fo);
	env_printf("%u children\n", (unsigned)env_disk_children(fx.disk));
	fsops_done(&fo);
	fx_close(&fx);
}

static void
t_crash(void)
{
	crash(1, 3, 500);
}

const struct env_test env_tests[] = {
	{ "model", t_model, 0 },
	{ "model_disk", t_model_disk, 0 },
	{ "model_async", t_model_async, 0 },
	{ "crash", t_crash, ENV_DET_ONLY },
	ENV_END
};
