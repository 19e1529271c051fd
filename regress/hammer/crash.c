/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power cuts.  A seeded workload runs; at its device writes the process forks,
 * the child's disk loses power there (unflushed writes are there, lost or
 * torn as the seed says), and the child
 *   - cuts the power again inside recovery, up to twice,
 *   - mounts, and finds exactly the state after some transaction T, with
 *     T at least what a sync had confirmed;
 *   - goes on working, unmounts, and the checker finds nothing wrong.
 */
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>

#include "../env/env.h"
#include "mkimg.h"
#include "oracle.h"

enum { IMAGE_SIZE = 160 * 1024 * 1024, NSNAP = 512 };

static struct env_disk *disk;
static char path[128];
static hammer_tid_t confirmed;	/* what sync has promised */

static struct snap { hammer_tid_t tid; struct oracle o; } snaps[NSNAP];
static int nsnaps;

static void
snap_take(struct oracle *o, hammer_tid_t tid)
{
	struct snap *s = &snaps[nsnaps++ % NSNAP];

	oracle_copy(&s->o, o);
	s->tid = tid;
}

static struct oracle *
snap_at(hammer_tid_t tid)
{
	struct snap *best = NULL;
	int i;

	for (i = 0; i < NSNAP; i++) {
		if (snaps[i].tid != 0 && snaps[i].tid <= tid &&
		    (best == NULL || snaps[i].tid > best->tid))
			best = &snaps[i];
	}
	return best == NULL ? NULL : &best->o;
}

static void
after_cut(struct env_disk *d, uint64_t n, void *arg)
{
	struct env_disk *next;
	struct hammer_mount *hmp;
	struct oracle *o, mine = { NULL, 0, 0 };
	struct disk *dd;
	hammer_tid_t tid;
	bool rdonly;
	int error, i;

	(void)n;
	(void)arg;
	oracle_before_end = NULL;
	for (i = 0; i < 2 && env_random(2) == 0; i++) {
		env_disk_cut_at(d, 1 + env_random(6));
		dd = env_disk_disk(d);
		error = hammer_core_mount(&dd, 1, 0, &hmp);
		if (error == 0)
			hammer_core_unmount(hmp);
		next = env_disk_survivor(d, i == 0 ? "cut1" : "cut2",
		    env_random(1u << 30));
		d = next;
	}
	dd = env_disk_disk(d);
	error = hammer_core_mount(&dd, 1, env_random(8) == 0 ?
	    HAMMER_MOUNT_RDONLY : 0, &hmp);
	ENV_EQ(error, 0);
	if (error != 0)
		return;
	tid = hammer_last_tid(hmp);
	ENV_CHECK(tid >= confirmed);
	o = snap_at(tid);
	if (o == NULL)
		o = &mine;
	ENV_CHECK(oracle_compare(hmp, o, 4));
	rdonly = hammer_is_rdonly(hmp);
	if (!rdonly) {
		oracle_copy(&mine, o);
		tid = ((tid + 15) & ~15ULL) + 32;
		for (i = 0; i < 6; i++, tid += 16) {
			ENV_EQ(oracle_trans(hmp, &mine, tid, 5, false, 20000),
			    0);
			if (env_random(3) == 0)
				ENV_EQ(hammer_sync(hmp, true, NULL), 0);
		}
		ENV_CHECK(oracle_compare(hmp, &mine, 2));
	}
	ENV_EQ(hammer_core_unmount(hmp), 0);
	if (!rdonly && env_random(4) == 0) {
		mkimg_name(path, sizeof(path));
		ENV_EQ(env_disk_save(d, path), 0);
		ENV_EQ(mkimg_check(path, 1), 0);
		mkimg_remove(path);
	}
}

static void
run(int rounds, int ops, bool nohistory, uint32_t maxlen, uint64_t oneof)
{
	struct oracle o = { NULL, 0, 0 };
	struct hammer_mount *hmp;
	struct disk *d;
	hammer_tid_t tid;
	int i, k;

	mkimg_name(path, sizeof(path));
	ENV_REQUIRE(mkimg_create(path, IMAGE_SIZE) == 0);
	disk = env_disk_create("ham0", IMAGE_SIZE, 0);
	ENV_REQUIRE(disk != NULL);
	ENV_EQ(env_disk_load(disk, path), 0);
	mkimg_remove(path);
	nsnaps = 0;
	memset(snaps, 0, sizeof(snaps));
	confirmed = 0;
	env_disk_crash_children(disk, 1 + env_random(oneof), oneof, 1,
	    after_cut, NULL);
	d = env_disk_disk(disk);
	ENV_EQ(hammer_core_mount(&d, 1, 0, &hmp), 0);
	tid = (hammer_last_tid(hmp) + 16) & ~15ULL;
	oracle_before_end = snap_take;
	for (i = 0; i < rounds; i++) {
		for (k = 0; k < 8; k++) {
			tid += HAMMER_TID_STEP;
			ENV_REQUIRE(oracle_trans(hmp, &o, tid, ops, nohistory,
			    maxlen) == 0);
		}
		if (env_random(2) == 0) {
			ENV_EQ(hammer_sync(hmp, env_random(3) != 0, NULL), 0);
			confirmed = hammer_committed(hmp);
		}
		if (env_random(12) == 0) {
			ENV_EQ(hammer_core_unmount(hmp), 0);
			confirmed = tid;
			ENV_EQ(hammer_core_mount(&d, 1, 0, &hmp), 0);
		}
	}
	ENV_EQ(hammer_core_unmount(hmp), 0);
	oracle_before_end = NULL;
	env_disk_crash_children(disk, 0, 0, 0, NULL, NULL);
	env_printf("%llu power cuts in %llu writes\n",
	    (unsigned long long)env_disk_children(disk),
	    (unsigned long long)env_disk_writes(disk));
	env_disk_destroy(disk);
}

static void
t_small(void)
{
	run(12, 3, false, 2000, 2);
}

static void
t_mixed(void)
{
	run(10, 10, false, 30000, 6);
}

static void
t_nohistory(void)
{
	run(10, 8, true, 8000, 5);
}

const struct env_test env_tests[] = {
	{ "small", t_small, ENV_DET_ONLY },
	{ "mixed", t_mixed, ENV_DET_ONLY },
	{ "nohistory", t_nohistory, ENV_DET_ONLY },
	ENV_END
};
