/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The test disk keeps its promises: what the crash tests of filesystems rest
 * on.  Numbered blocks are written and flushed in patterns whose possible
 * survivors are known.
 */
#include <sys/atomic.h>
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include "../env/env.h"

enum { BLK = 4096, SIZE = 16 << 20 };

static uint32_t
block_get(struct env_disk *ed, uint64_t n)
{
	uint32_t v;

	env_disk_peek(ed, n * BLK, &v, sizeof(v));
	return v;
}

static int
block_put(struct env_disk *ed, uint64_t n, uint32_t v)
{
	uint32_t *b = kmalloc(BLK, &M_TEMP, M_WAITOK);
	int error;

	for (int i = 0; i < BLK / 4; i++)
		b[i] = v;
	error = disk_rw(env_disk_disk(ed), BIO_WRITE, (off_t)(n * BLK), b,
	    BLK);
	kfree(b, &M_TEMP);
	return error;
}

static void
io(void *arg, int id)
{
	struct env_disk *ed = arg;
	uint32_t *b = kmalloc(BLK, &M_TEMP, M_WAITOK);

	for (uint32_t i = 0; i < 20; i++) {
		ENV_EQ(block_put(ed, (uint64_t)id * 20 + i, id * 100 + i), 0);
		ENV_EQ(disk_rw(env_disk_disk(ed), BIO_READ,
		    (off_t)((id * 20 + i) * BLK), b, BLK), 0);
		ENV_EQ(b[BLK / 4 - 1], id * 100 + i);
	}
	kfree(b, &M_TEMP);
}

static void
t_io(void)
{
	struct env_disk *ed = env_disk_create("ed0", SIZE, 0);

	ENV_REQUIRE(ed != NULL);
	env_parallel(8, io, ed);
	ENV_EQ(env_disk_writes(ed), 160);
	env_disk_destroy(ed);
}

static void
t_range(void)
{
	struct env_disk *ed = env_disk_create("ed0", SIZE, 0);
	struct disk *dp = env_disk_disk(ed);
	char buf[1024];

	ENV_CHECK(disk_rw(dp, BIO_READ, SIZE, buf, 512) != 0);
	ENV_CHECK(disk_rw(dp, BIO_READ, SIZE - 512, buf, 1024) != 0);
	ENV_EQ(disk_rw(dp, BIO_READ, SIZE - 512, buf, 512), 0);
	ENV_EQ(disk_rw(dp, BIO_READ, 100, buf, 512), EINVAL);
	ENV_CHECK(disk_rw(dp, BIO_READ, INT64_MAX - 511, buf, 512) != 0);
	ENV_CHECK(disk_rw(dp, BIO_READ, -512, buf, 512) != 0);
	disk_inject(dp, BIO_READ, 4096, 8192, EIO, 1);
	ENV_EQ(disk_rw(dp, BIO_READ, 4096, buf, 512), EIO);
	ENV_EQ(disk_rw(dp, BIO_READ, 4096, buf, 512), 0);
	env_disk_destroy(ed);
}

/* Flushed blocks survive; others are old or new, and some of each appear. */
static void
t_survivor(void)
{
	struct env_disk *ed = env_disk_create("ed0", SIZE, 0), *s;
	int lost = 0, kept = 0;

	for (uint64_t i = 0; i < 64; i++)
		block_put(ed, i, 1);
	ENV_EQ(disk_flush(env_disk_disk(ed)), 0);
	for (uint64_t i = 0; i < 32; i++)
		block_put(ed, i, 2);
	env_disk_cut_now(ed);
	ENV_EQ(block_put(ed, 40, 3), EIO);
	s = env_disk_survivor(ed, "ed1", env_random(1000));
	for (uint64_t i = 0; i < 64; i++) {
		uint32_t v = block_get(s, i);

		ENV_CHECK(v == 1 || (v == 2 && i < 32));
		lost += i < 32 && v == 1;
		kept += v == 2;
	}
	ENV_CHECK(lost > 0 && kept > 0);
	env_disk_destroy(s);
	env_disk_destroy(ed);
}

static void
t_cut_at(void)
{
	struct env_disk *ed = env_disk_create("ed0", SIZE, ED_SYNC);

	env_disk_cut_at(ed, 5);
	for (uint64_t i = 1; i <= 10; i++)
		ENV_EQ(block_put(ed, i, 7), i < 5 ? 0 : EIO);
	ENV_EQ(disk_flush(env_disk_disk(ed)), EIO);
	ENV_CHECK(env_disk_is_cut(ed));
	env_disk_destroy(ed);
}

static uint32_t flushed_upto;

static void
check_child(struct env_disk *s, uint64_t n, void *arg __unused)
{
	for (uint64_t i = 0; i < n; i++) {
		uint32_t v = block_get(s, i);

		ENV_CHECK(v == 0 || v == i + 1);
		if (i < flushed_upto)
			ENV_EQ(v, i + 1);
	}
	ENV_EQ(block_get(s, n), 0);
	/* The survivor is a working disk. */
	ENV_EQ(block_put(s, 100, 5), 0);
	ENV_EQ(disk_flush(env_disk_disk(s)), 0);
}

static void
t_children(void)
{
	struct env_disk *ed = env_disk_create("ed0", SIZE, 0);

	flushed_upto = 0;
	env_disk_crash_children(ed, 1, 3, 2, check_child, NULL);
	for (uint32_t i = 0; i < 40; i++) {
		ENV_EQ(block_put(ed, i, i + 1), 0);
		if (i % 7 == 6) {
			ENV_EQ(disk_flush(env_disk_disk(ed)), 0);
			flushed_upto = i + 1;
		}
	}
	ENV_EQ(env_disk_children(ed), 28);
	env_disk_destroy(ed);
}

const struct env_test env_tests[] = {
	{ "disk_io", t_io, 0 },
	{ "disk_range", t_range, 0 },
	{ "disk_survivor", t_survivor, 0 },
	{ "disk_cut_at", t_cut_at, 0 },
	{ "disk_children", t_children, ENV_DET_ONLY },
	ENV_END
};
