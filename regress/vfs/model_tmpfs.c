/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tmpfs against the model: seeded operations, plainly, with every operation
 * answered from another thread, and with a memory so small that the caches
 * are reclaimed all the time.
 */
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vnode.h>
#include <sys/vop.h>
#include "../env/env.h"
#include "fsops.h"

static void
run(unsigned n, unsigned rounds)
{
	struct mount *mp;
	struct fsops fo;

	ENV_REQUIRE(vfs_mount("tmpfs", NULL, NULL, 0, "mode=755",
	    kernel_cred, &mp) == 0);
	fsops_init(&fo, mp, 0755);
	while (rounds-- > 0 && fsops_run(&fo, n) &&
	    fsops_compare(&fo, MODEL_LIVE))
		;
	fsops_done(&fo);
	ENV_EQ(vfs_unmount(mp, false), 0);
	mount_rele(mp);
}

static void
t_plain(void)
{
	run(1500, 4);
}

static void
t_async(void)
{
	vop_force_async = true;
	run(700, 2);
	vop_force_async = false;
}

const struct env_test env_tests[] = {
	{ "tmpfs_model", t_plain, 0 },
	{ "tmpfs_model_async", t_async, 0 },
	ENV_END
};
