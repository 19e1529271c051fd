/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HAMMER core against an oracle: random transactions with history, aborts,
 * syncs and remounts; after each case the tools' checker finds nothing wrong.
 */
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>

#include "../env/env.h"
#include "mkimg.h"
#include "oracle.h"

enum { IMAGE_SIZE = 160 * 1024 * 1024 };

static struct env_disk *disk;
static char path[128];

static bool
setup(void)
{
	mkimg_name(path, sizeof(path));
	if (!ENV_EQ(mkimg_create(path, IMAGE_SIZE), 0))
		return false;
	disk = env_disk_create("ham0", IMAGE_SIZE, 0);
	return ENV_CHECK(disk != NULL) && ENV_EQ(env_disk_load(disk, path), 0);
}

static struct hammer_mount *
up(uint32_t flags)
{
	struct hammer_mount *hmp = NULL;
	struct disk *d = env_disk_disk(disk);

	ENV_EQ(hammer_core_mount(&d, 1, flags, &hmp), 0);
	return hmp;
}

static void
teardown(void)
{
	ENV_EQ(env_disk_save(disk, path), 0);
	ENV_EQ(mkimg_check(path, 1), 0);
	env_disk_destroy(disk);
	mkimg_remove(path);
}

static void
run(int rounds, int ops, bool nohistory, uint32_t maxlen)
{
	struct oracle o = { NULL, 0, 0 };
	struct hammer_mount *hmp;
	hammer_tid_t tid, committed;
	int i, k;

	ENV_REQUIRE(setup());
	hmp = up(0);
	ENV_REQUIRE(hmp != NULL);
	tid = (hammer_last_tid(hmp) + 16) & ~15ULL;
	for (i = 0; i < rounds; i++) {
		for (k = 0; k < 20; k++) {
			tid += HAMMER_TID_STEP;
			if (!ENV_EQ(oracle_trans(hmp, &o, tid, ops, nohistory,
			    maxlen), 0))
				return;
		}
		if (env_random(3) == 0) {
			ENV_EQ(hammer_sync(hmp, true, &committed), 0);
			ENV_CHECK(committed == tid);
		}
		if (i % 8 == 7)
			ENV_REQUIRE(oracle_compare(hmp, &o, 40));
		if (env_random(10) == 0) {
			ENV_EQ(hammer_core_unmount(hmp), 0);
			hmp = up(0);
			ENV_REQUIRE(hmp != NULL);
			ENV_CHECK(hammer_last_tid(hmp) > tid);
		}
	}
	ENV_REQUIRE(oracle_compare(hmp, &o, 100));
	ENV_EQ(hammer_core_unmount(hmp), 0);
	hmp = up(HAMMER_MOUNT_RDONLY);
	ENV_REQUIRE(hmp != NULL);
	oracle_compare(hmp, &o, 20);
	ENV_EQ(hammer_core_unmount(hmp), 0);
	oracle_free(&o);
	teardown();
}

static void
t_history(void)
{
	run(40, 6, false, 4000);
}

static void
t_nohistory(void)
{
	run(60, 12, true, 20000);
}

static void
t_large(void)
{
	run(8, 8, true, 65536);
}

/* Ascending inserts leave full leaves; then everything goes again. */
static void
t_ascend(void)
{
	struct hammer_mount *hmp;
	struct hammer_leaf_elm leaf;
	struct hammer_trans trans;
	struct hammer_cursor c;
	char data[128];
	int i, k, n = 0;
	hammer_tid_t tid;

	ENV_REQUIRE(setup());
	hmp = up(0);
	ENV_REQUIRE(hmp != NULL);
	tid = 0x200000000ULL;
	memset(data, 7, sizeof(data));
	for (i = 0; i < 2000; i++) {
		ENV_EQ(hammer_trans_begin(hmp, &trans, 0), 0);
		trans.tid = tid += 16;
		for (k = 0; k < 5; k++) {
			memset(&leaf, 0, sizeof(leaf));
			leaf.base.localization = HAMMER_LOCALIZE_INODE;
			leaf.base.obj_id = 1000 + i * 5 + k;
			leaf.base.rec_type = HAMMER_RECTYPE_INODE;
			ENV_EQ(hammer_record_insert(&trans, &leaf, data, 128),
			    0);
		}
		ENV_EQ(hammer_record_insert(&trans, &leaf, data, 128), EEXIST);
		hammer_trans_end(&trans);
	}
	ENV_EQ(hammer_sync(hmp, true, NULL), 0);
	hammer_cursor_init(&c, hmp);
	hammer_cursor_key(&c, HAMMER_LOCALIZE_INODE, 1000,
	    HAMMER_RECTYPE_INODE, 0);
	c.hc_end.obj_id = 1000000;
	for (;;) {
		int error;

		ENV_EQ(hammer_trans_begin(hmp, &trans, HAMMER_CREDIT_FREE), 0);
		trans.tid = tid += 16;
		for (k = 0; k < 10; k++) {
			error = n % 2 ? hammer_btree_first(&c) :
			    hammer_btree_last(&c);
			if (error != 0)
				break;
			n++;
			ENV_EQ(hammer_record_delete(&trans, &c,
			    HAMMER_DELETE_DESTROY), 0);
		}
		hammer_trans_end(&trans);
		if (error != 0)
			break;
	}
	ENV_EQ(n, 10000);
	hammer_cursor_done(&c);
	ENV_EQ(hammer_core_unmount(hmp), 0);
	teardown();
}

const struct env_test env_tests[] = {
	{ "history", t_history, 0 },
	{ "nohistory", t_nohistory, 0 },
	{ "large", t_large, 0 },
	{ "ascend", t_ascend, 0 },
	ENV_END
};
