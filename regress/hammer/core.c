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

static int
put_record(struct hammer_trans *trans, int64_t obj, uint16_t type, int64_t key,
    uint32_t len, uint32_t seed)
{
	struct hammer_leaf_elm leaf;
	void *data = kmalloc(MAX(len, 1u), &M_TEMP, 0);
	int error;

	memset(&leaf, 0, sizeof(leaf));
	leaf.base.localization = type == HAMMER_RECTYPE_DATA ?
	    HAMMER_LOCALIZE_MISC : HAMMER_LOCALIZE_INODE;
	leaf.base.obj_id = obj;
	leaf.base.rec_type = type;
	leaf.base.key = key;
	oracle_bytes(seed, data, len);
	error = hammer_record_insert(trans, &leaf, data, len);
	kfree(data, &M_TEMP);
	return error;
}

static int
drop_record(struct hammer_trans *trans, int64_t obj, uint16_t type,
    int64_t key, uint32_t flags)
{
	struct hammer_cursor c;
	int error;

	hammer_cursor_init(&c, trans->hmp);
	hammer_cursor_key(&c, type == HAMMER_RECTYPE_DATA ?
	    HAMMER_LOCALIZE_MISC : HAMMER_LOCALIZE_INODE, obj, type, key);
	error = hammer_btree_lookup(&c);
	if (error == 0)
		error = hammer_record_delete(trans, &c, flags);
	hammer_cursor_done(&c);
	return error;
}

/* What an append and fsync does to the media: two writes, two flushes. */
static void
t_fsync(void)
{
	struct hammer_mount *hmp;
	struct hammer_trans trans;
	hammer_tid_t tid = 0x200000000ULL;
	uint64_t w, f, writes = 0;
	int i, worst = 0;

	ENV_REQUIRE(setup());
	hmp = up(0);
	ENV_REQUIRE(hmp != NULL);
	for (i = 0; i < 200; i++) {
		w = env_disk_writes(disk);
		f = env_disk_flushes(disk);
		ENV_EQ(hammer_trans_begin(hmp, &trans, 0), 0);
		trans.tid = tid += 16;
		if (i > 0)
			ENV_EQ(drop_record(&trans, 500, HAMMER_RECTYPE_INODE,
			    0, 0), 0);
		ENV_EQ(put_record(&trans, 500, HAMMER_RECTYPE_INODE, 0, 128,
		    1), 0);
		ENV_EQ(put_record(&trans, 500, HAMMER_RECTYPE_DATA,
		    (i + 1) * 100, 100, 2), 0);
		hammer_trans_end(&trans);
		ENV_EQ(hammer_group_wait(hmp, tid), 0);
		w = env_disk_writes(disk) - w;
		writes += w;
		worst = MAX(worst, (int)w);
		ENV_EQ(env_disk_flushes(disk) - f, 2);
	}
	env_printf("%d.%02d device writes per fsync, at most %d\n",
	    (int)(writes / 200), (int)(writes / 2 % 100), worst);
	ENV_CHECK(writes <= 200 * 22 / 10);
	ENV_EQ(hammer_core_unmount(hmp), 0);
	teardown();
}

/* To the last big-block and back: ENOSPC comes at begin, deletes still work,
 * what was freed can be used again. */
static void
t_full(void)
{
	struct hammer_mount *hmp;
	struct hammer_trans trans;
	struct hammer_space hs;
	hammer_tid_t tid = 0x200000000ULL;
	int round, i, error, n, first = 0;

	ENV_REQUIRE(setup());
	hmp = up(0);
	ENV_REQUIRE(hmp != NULL);
	for (round = 0; round < 3; round++) {
		for (n = 0;; n++) {
			error = hammer_trans_begin(hmp, &trans,
			    HAMMER_CREDIT_DATA);
			if (error != 0)
				break;
			trans.tid = tid += 16;
			for (i = 0; i < 16; i++)
				ENV_EQ(put_record(&trans, 700 + n,
				    HAMMER_RECTYPE_DATA, i, 65536, 3), 0);
			hammer_trans_end(&trans);
		}
		ENV_EQ(error, ENOSPC);
		hammer_space(hmp, &hs);
		ENV_EQ(hs.hs_avail, 0);
		ENV_EQ(hammer_sync(hmp, true, NULL), 0);
		if (round == 0)
			first = n;
		env_printf("round %d: %d MB\n", round, n);
		ENV_CHECK(n >= first - 8);
		while (n-- > 0) {
			ENV_REQUIRE(hammer_trans_begin(hmp, &trans,
			    HAMMER_CREDIT_DATA | HAMMER_CREDIT_FREE) == 0);
			trans.tid = tid += 16;
			for (i = 0; i < 16; i++)
				ENV_EQ(drop_record(&trans, 700 + n,
				    HAMMER_RECTYPE_DATA, i,
				    HAMMER_DELETE_DESTROY), 0);
			hammer_trans_end(&trans);
		}
	}
	ENV_EQ(hammer_core_unmount(hmp), 0);
	teardown();
}

/* Two volumes: the second is used when the first is full. */
static void
t_volumes(void)
{
	static char p0[140], p1[140];
	char *paths[2] = { p0, p1 };
	const uint64_t sizes[2] = { IMAGE_SIZE, 64 * 1024 * 1024 };
	struct env_disk *v[2];
	struct disk *d[2];
	struct hammer_mount *hmp;
	struct hammer_trans trans;
	struct hammer_cursor c;
	const void *data;
	hammer_tid_t tid = 0x200000000ULL;
	uint32_t len;
	int i, n, error, second = 0;

	mkimg_name(path, sizeof(path));
	ksnprintf(p0, sizeof(p0), "%s.0", path);
	ksnprintf(p1, sizeof(p1), "%s.1", path);
	ENV_REQUIRE(mkimg_create_n(paths, sizes, 2) == 0);
	v[0] = env_disk_create("vol0", sizes[0], 0);
	v[1] = env_disk_create("vol1", sizes[1], 0);
	for (i = 0; i < 2; i++) {
		ENV_EQ(env_disk_load(v[i], paths[i]), 0);
		d[1 - i] = env_disk_disk(v[i]);
	}
	ENV_EQ(hammer_core_mount(d, 1, 0, &hmp), EINVAL);
	ENV_EQ(hammer_core_mount(d, 2, 0, &hmp), 0);
	ENV_EQ(hammer_volume_count(hmp), 2);
	for (n = 0;; n++) {
		error = hammer_trans_begin(hmp, &trans, HAMMER_CREDIT_DATA);
		if (error != 0)
			break;
		trans.tid = tid += 16;
		for (i = 0; i < 16; i++)
			ENV_EQ(put_record(&trans, 700 + n,
			    HAMMER_RECTYPE_DATA, i, 60000, 9), 0);
		hammer_trans_end(&trans);
	}
	ENV_EQ(error, ENOSPC);
	ENV_EQ(hammer_core_unmount(hmp), 0);
	ENV_EQ(hammer_core_mount(d, 2, HAMMER_MOUNT_RDONLY, &hmp), 0);
	hammer_cursor_init(&c, hmp);
	hammer_cursor_key(&c, HAMMER_LOCALIZE_MISC, 700, HAMMER_RECTYPE_DATA,
	    0);
	c.hc_end.obj_id = 700 + n;
	hammer_read_begin(hmp);
	for (i = 0, error = hammer_btree_first(&c); error == 0; i++) {
		second += hammer_off_vol(c.hc_leaf.data_offset) == 1;
		ENV_EQ(hammer_cursor_data(&c, &data, &len), 0);
		error = hammer_btree_next(&c);
	}
	hammer_read_end(hmp);
	hammer_cursor_done(&c);
	ENV_EQ(i, n * 16);
	ENV_CHECK(second > 200);
	ENV_EQ(hammer_core_unmount(hmp), 0);
	for (i = 0; i < 2; i++) {
		ENV_EQ(env_disk_save(v[i], paths[i]), 0);
		env_disk_destroy(v[i]);
	}
	ENV_EQ(mkimg_check_n(paths, 2, 1), 0);
	mkimg_remove(p0);
	mkimg_remove(p1);
}

enum { PAR_THREADS = 4, PAR_ROUNDS = 60 };
static struct hammer_mount *par_hmp;
static hammer_tid_t par_tid;

static hammer_tid_t
par_draw(void *arg)
{
	(void)arg;
	return par_tid += HAMMER_TID_STEP;
}

static void
par_thread(void *arg, int me)
{
	struct hammer_trans trans;
	struct hammer_cursor c;
	const void *data;
	uint8_t want[300];
	uint32_t len;
	int i, k, error;

	(void)arg;
	for (i = 0; i < PAR_ROUNDS; i++) {
		ENV_EQ(hammer_trans_begin(par_hmp, &trans, 0), 0);
		trans.tid = hammer_tid_alloc(par_hmp);
		for (k = 0; k < 4; k++)
			ENV_EQ(put_record(&trans, 1000 + me,
			    HAMMER_RECTYPE_DATA, i * 4 + k, 300,
			    (uint32_t)(i * 4 + k)), 0);
		if (i > 10)
			ENV_EQ(drop_record(&trans, 1000 + me,
			    HAMMER_RECTYPE_DATA, (i - 10) * 4,
			    i & 1 ? HAMMER_DELETE_DESTROY : 0), 0);
		hammer_trans_end(&trans);
		if (i % 8 == me)
			ENV_EQ(hammer_group_wait(par_hmp, trans.tid), 0);
		/* Read what another thread wrote. */
		hammer_cursor_init(&c, par_hmp);
		hammer_cursor_key(&c, HAMMER_LOCALIZE_MISC,
		    1000 + (me + 1) % PAR_THREADS, HAMMER_RECTYPE_DATA, 0);
		c.hc_end.key = HAMMER_MAX_KEY;
		hammer_read_begin(par_hmp);
		for (error = hammer_btree_last(&c), k = 0; error == 0 && k < 20;
		    error = hammer_btree_prev(&c), k++) {
			ENV_EQ(hammer_cursor_data(&c, &data, &len), 0);
			oracle_bytes((uint32_t)c.hc_leaf.base.key, want, 300);
			ENV_CHECK(len == 300 && memcmp(want, data, 300) == 0);
		}
		hammer_read_end(par_hmp);
		hammer_cursor_done(&c);
	}
}

static void
t_parallel(void)
{
	ENV_REQUIRE(setup());
	par_hmp = up(0);
	ENV_REQUIRE(par_hmp != NULL);
	par_tid = 0x200000000ULL;
	hammer_set_tid_source(par_hmp, par_draw, NULL);
	env_parallel(PAR_THREADS, par_thread, NULL);
	ENV_EQ(hammer_core_unmount(par_hmp), 0);
	teardown();
}

/* Look at everything, change a little; errors are fine, panics are not. */
static void
poke_around(struct hammer_mount *hmp)
{
	struct hammer_trans trans;
	struct hammer_cursor c;
	const void *data;
	uint32_t len;
	int k, n, error;

	hammer_cursor_init(&c, hmp);
	hammer_cursor_key(&c, 0, HAMMER_MIN_OBJID, 0, HAMMER_MIN_KEY);
	c.hc_end.localization = ~0U;
	c.hc_end.obj_id = HAMMER_MAX_OBJID;
	c.hc_flags = HAMMER_CURSOR_ALL;
	hammer_read_begin(hmp);
	n = 0;
	for (error = hammer_btree_first(&c); error == 0 && n++ < 5000;
	    error = hammer_btree_next(&c))
		hammer_cursor_data(&c, &data, &len);
	n = 0;
	for (error = hammer_btree_last(&c); error == 0 && n++ < 5000;
	    error = hammer_btree_prev(&c))
		continue;
	hammer_read_end(hmp);
	hammer_cursor_done(&c);
	for (k = 0; k < 40; k++) {
		if (hammer_trans_begin(hmp, &trans, 0) != 0)
			break;
		trans.tid = hammer_tid_alloc(hmp);
		error = put_record(&trans, 100 + (int64_t)env_random(40),
		    HAMMER_RECTYPE_DATA, (int64_t)env_random(50), 500, 1);
		if (error == 0)
			error = drop_record(&trans, 100 +
			    (int64_t)env_random(40), HAMMER_RECTYPE_DATA,
			    (int64_t)env_random(50),
			    k & 1 ? HAMMER_DELETE_DESTROY : 0);
		if (error != 0)
			hammer_trans_abort(&trans);
		else
			hammer_trans_end(&trans);
	}
}

static struct env_disk *
damage_source(void)
{
	struct hammer_mount *hmp;
	struct oracle o = { NULL, 0, 0 };
	hammer_tid_t tid = 0x200000000ULL;
	int i;

	if (!setup() || (hmp = up(0)) == NULL)
		return NULL;
	for (i = 0; i < 200; i++)
		ENV_EQ(oracle_trans(hmp, &o, tid += 16, 6, false, 20000), 0);
	ENV_EQ(hammer_core_unmount(hmp), 0);
	oracle_free(&o);
	return disk;
}

/* Damaged bytes: EIO at worst, never a panic. */
static void
t_damage(void)
{
	struct hammer_mount *hmp;
	struct env_disk *good = damage_source();
	struct disk *d;
	uint8_t byte;
	uint64_t at;
	int i, k, mounts = 0;

	ENV_REQUIRE(good != NULL);
	for (i = 0; i < 60; i++) {
		disk = env_disk_clone(good, "bad0");
		ENV_REQUIRE(disk != NULL);
		for (k = 0; k < 1 + i * 8; k++) {
			/* header, layer1, layer2, FIFO, tree, meta, data */
			at = k % 3 == 0 ? env_random(2048) : 557056 +
			    8388608 * (uint64_t)(k % 7 == 6 ? 4 + k % 5 :
			    k % 9) + env_random(300000);
			env_disk_peek(disk, at, &byte, 1);
			byte ^= (uint8_t)(1 << env_random(8));
			if (k % 3 != 0 || i % 4 == 0)
				env_disk_poke(disk, at, &byte, 1);
		}
		d = env_disk_disk(disk);
		if (hammer_core_mount(&d, 1, i % 3 == 0 ?
		    HAMMER_MOUNT_RDONLY : 0, &hmp) == 0) {
			mounts++;
			poke_around(hmp);
			hammer_core_unmount(hmp);
		}
		env_disk_destroy(disk);
	}
	env_printf("%d of 60 damaged images mounted\n", mounts);
	disk = good;
	teardown();
}

/* Nodes, layer entries and headers that lie, under good checksums. */
static void
t_crafted(void)
{
	static struct hammer_node_ondisk node;
	struct hammer_volume_ondisk od;
	struct hammer_layer2 l2;
	struct hammer_mount *hmp;
	struct env_disk *good = damage_source();
	struct disk *d;
	uint64_t zone2 = 557056, at;
	int i, k, m, mounts = 0;

	ENV_REQUIRE(good != NULL);
	for (i = 0; i < 120; i++) {
		disk = env_disk_clone(good, "bad0");
		ENV_REQUIRE(disk != NULL);
		for (k = 0; k < 1 + i % 6; k++) {
			at = zone2 + 4ULL * HAMMER_BIGBLOCK_SIZE +
			    env_random(24) * HAMMER_NODE_SIZE;
			env_disk_peek(disk, at, &node, sizeof(node));
			for (m = 0; m < 3; m++)
				((uint8_t *)&node)[4 + env_random(m == 0 ? 60 :
				    2000)] ^= (uint8_t)(1 << env_random(8));
			hammer_crc_set_node(7, &node);
			env_disk_poke(disk, at, &node, sizeof(node));
		}
		if (i % 4 == 0) {
			at = zone2 + HAMMER_BIGBLOCK_SIZE + 16 *
			    (4 + env_random(5));
			env_disk_peek(disk, at, &l2, sizeof(l2));
			((uint8_t *)&l2)[env_random(12)] ^=
			    (uint8_t)(1 << env_random(8));
			hammer_crc_set_layer2(7, &l2);
			env_disk_poke(disk, at, &l2, sizeof(l2));
		}
		if (i % 5 == 0) {
			env_disk_peek(disk, 0, &od, sizeof(od));
			((uint8_t *)&od)[200 + env_random(1000)] ^=
			    (uint8_t)(1 << env_random(8));
			for (m = 0; m < HAMMER_MAX_ZONES; m++)
				hammer_crc_set_blockmap(7,
				    &od.vol0_blockmap[m]);
			hammer_crc_set_volume(&od);
			env_disk_poke(disk, 0, &od, sizeof(od));
		}
		d = env_disk_disk(disk);
		if (hammer_core_mount(&d, 1, 0, &hmp) == 0) {
			mounts++;
			poke_around(hmp);
			hammer_core_unmount(hmp);
		}
		env_disk_destroy(disk);
	}
	env_printf("%d of 120 crafted images mounted\n", mounts);
	disk = good;
	teardown();
}

const struct env_test env_tests[] = {
	{ "history", t_history, 0 },
	{ "nohistory", t_nohistory, 0 },
	{ "large", t_large, 0 },
	{ "ascend", t_ascend, 0 },
	{ "fsync", t_fsync, 0 },
	{ "full", t_full, 0 },
	{ "volumes", t_volumes, 0 },
	{ "parallel", t_parallel, 0 },
	{ "damage", t_damage, ENV_DET_ONLY },
	{ "crafted", t_crafted, ENV_DET_ONLY },
	ENV_END
};
