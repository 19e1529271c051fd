/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slice tables: good MBR, logical and GPT tables give their slices, requests
 * are translated and kept inside; hostile tables give no slice that leaves
 * the disk, and end.
 */
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <libkern/crc.h>
#include "../env/env.h"

enum { SIZE = 16 << 20, SECTORS = SIZE / 512, ROUNDS = 60 };

static void
put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static void
put64(uint8_t *p, uint64_t v)
{
	put32(p, (uint32_t)v);
	put32(p + 4, (uint32_t)(v >> 32));
}

static void
mbr_entry(uint8_t *sector, int i, uint8_t type, uint32_t first, uint32_t n)
{
	uint8_t *e = sector + 446 + i * 16;

	memset(e, 0, 16);
	e[4] = type;
	put32(e + 8, first);
	put32(e + 12, n);
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

static struct disk *
slice(int n)
{
	struct disk *dp;
	char name[16];

	ksnprintf(name, sizeof(name), "ed0s%d", n);
	if (disk_get(name, &dp) != 0)
		return NULL;
	disk_put(dp);
	return dp;
}

static void
expect(int n, uint64_t first, uint64_t count)
{
	struct disk *dp = slice(n);

	ENV_REQUIRE(dp != NULL);
	ENV_EQ(dp->d_start, first * 512);
	ENV_EQ(dp->d_size, count * 512);
}

/* A request stays inside its slice and arrives at the right place. */
static void
check_io(struct env_disk *ed, int n)
{
	struct disk *dp = slice(n);
	uint8_t buf[512], seen[512];

	memset(buf, 0xa0 + n, sizeof(buf));
	ENV_REQUIRE(dp != NULL);
	ENV_EQ(disk_rw(dp, BIO_WRITE, 512, buf, 512), 0);
	env_disk_peek(ed, (uint64_t)dp->d_start + 512, seen, 512);
	ENV_EQ(memcmp(buf, seen, 512), 0);
	ENV_CHECK(disk_rw(dp, BIO_WRITE, (off_t)dp->d_size, buf, 512) != 0);
}

static void
t_mbr(void)
{
	struct env_disk *ed = env_disk_create("ed0", SIZE, 0);
	uint8_t s[512] = { 0 };

	mbr_entry(s, 0, 0x83, 64, 1000);
	mbr_entry(s, 1, 0x83, 2000, 1000);
	mbr_entry(s, 2, 0x05, 4000, 8000);
	mbr_entry(s, 3, 0x83, 32000, SECTORS - 32000);
	env_disk_poke(ed, 0, s, 512);
	memset(s, 0, 512);
	mbr_entry(s, 0, 0x83, 63, 500);
	mbr_entry(s, 1, 0x05, 2000, 1000);
	env_disk_poke(ed, 4000 * 512, s, 512);
	memset(s, 0, 512);
	mbr_entry(s, 0, 0x83, 63, 700);
	env_disk_poke(ed, 6000 * 512, s, 512);
	ENV_EQ(disk_reprobe(env_disk_disk(ed)), 0);
	expect(1, 64, 1000);
	expect(2, 2000, 1000);
	expect(4, 32000, SECTORS - 32000);
	expect(5, 4063, 500);
	expect(6, 6063, 700);
	ENV_CHECK(slice(7) == NULL);
	check_io(ed, 1);
	check_io(ed, 6);
	env_disk_destroy(ed);
	ENV_CHECK(slice(1) == NULL);
}

/* A GPT with n entries; header fields can be spoiled before the checksum. */
static void
gpt_make(struct env_disk *ed, const uint64_t (*slices)[2], int n, int spoil,
    uint64_t value)
{
	uint8_t h[512] = { 0 }, s[512] = { 0 };
	uint8_t *t = kmalloc(128 * 128, &M_TEMP, M_WAITOK | M_ZERO);

	mbr_entry(s, 0, 0xee, 1, SECTORS - 1);
	env_disk_poke(ed, 0, s, 512);
	for (int i = 0; i < n; i++) {
		memset(t + i * 128, 0x11 + i, 32);
		put64(t + i * 128 + 32, slices[i][0]);
		put64(t + i * 128 + 40, slices[i][1]);
	}
	memcpy(h, "EFI PART", 8);
	put32(h + 8, 0x10000);
	put32(h + 12, 92);
	put64(h + 24, 1);
	put64(h + 32, SECTORS - 1);
	put64(h + 40, 34);
	put64(h + 48, SECTORS - 34);
	put64(h + 72, 2);
	put32(h + 80, 128);
	put32(h + 84, 128);
	put32(h + 88, crc32_ieee(0, t, 128 * 128));
	if (spoil > 0)
		put64(h + spoil, value);
	put32(h + 16, 0);
	put32(h + 16, crc32_ieee(0, h, 92));
	env_disk_poke(ed, 512, h, 512);
	env_disk_poke(ed, 1024, t, 128 * 128);
	kfree(t, &M_TEMP);
	disk_reprobe(env_disk_disk(ed));
}

static void
t_gpt(void)
{
	static const uint64_t good[3][2] = { { 40, 2047 }, { 2048, 9999 },
	    { 10000, SECTORS - 34 } };
	static const uint64_t bad[5][2] = { { 40, 2047 }, { 2000, 3000 },
	    { 5000, 4000 }, { 10000, UINT64_MAX }, { SECTORS, SECTORS + 5 } };
	static const uint64_t one[1][2] = { { 40, 2047 } };
	struct env_disk *ed = env_disk_create("ed0", SIZE, 0);
	uint8_t b = 1;

	gpt_make(ed, good, 3, 0, 0);
	expect(1, 40, 2008);
	expect(2, 2048, 7952);
	expect(3, 10000, SECTORS - 34 - 10000 + 1);
	check_io(ed, 2);
	gpt_make(ed, bad, 5, 0, 0);
	expect(1, 40, 2008);
	for (int i = 2; i <= 5; i++)
		ENV_CHECK(slice(i) == NULL);
	/* Tables that lie about their place, size and number. */
	gpt_make(ed, one, 1, 72, UINT64_MAX / 512);
	ENV_CHECK(slice(1) == NULL);
	gpt_make(ed, one, 1, 72, SECTORS - 1);
	ENV_CHECK(slice(1) == NULL);
	gpt_make(ed, one, 1, 80, 0xffffffffffffffffULL);
	ENV_CHECK(slice(1) == NULL);
	gpt_make(ed, one, 1, 80, (128ULL << 32) | 0x10000000);
	ENV_CHECK(slice(1) == NULL);
	gpt_make(ed, one, 1, 12, UINT32_MAX);
	ENV_CHECK(slice(1) == NULL);
	/* A damaged table is not believed. */
	gpt_make(ed, one, 1, 0, 0);
	ENV_CHECK(slice(1) != NULL);
	env_disk_poke(ed, 1024 + 32, &b, 1);
	disk_reprobe(env_disk_disk(ed));
	ENV_CHECK(slice(1) == NULL);
	env_disk_destroy(ed);
}

/* A chain of logical slices that comes back to itself, and one that leaves. */
static void
t_loops(void)
{
	struct env_disk *ed = env_disk_create("ed0", SIZE, 0);
	uint8_t s[512] = { 0 };

	mbr_entry(s, 0, 0x05, 100, 30000);
	env_disk_poke(ed, 0, s, 512);
	mbr_entry(s, 0, 0x83, 1, 10);
	mbr_entry(s, 1, 0x05, 0, 100);
	env_disk_poke(ed, 100 * 512, s, 512);
	ENV_EQ(disk_reprobe(env_disk_disk(ed)), 0);
	mbr_entry(s, 1, 0x05, UINT32_MAX, 100);
	env_disk_poke(ed, 100 * 512, s, 512);
	ENV_EQ(disk_reprobe(env_disk_disk(ed)), 0);
	expect(5, 101, 10);
	env_disk_destroy(ed);
}

static int
inside(struct disk *dp, void *arg)
{
	struct disk *whole = arg;

	if (dp->d_whole == whole)
		ENV_CHECK(dp->d_start > 0 && dp->d_size > 0 &&
		    (uint64_t)dp->d_start + dp->d_size <= whole->d_size &&
		    (uint64_t)dp->d_start + dp->d_size >= dp->d_size);
	return 0;
}

/* Random bytes with the right signatures. */
static void
t_noise(void)
{
	struct env_disk *ed = env_disk_create("ed0", SIZE, 0);
	uint8_t s[512];
	int i, k;

	for (i = 0; i < ROUNDS; i++) {
		for (k = 0; k < 512; k++)
			s[k] = (uint8_t)env_random(256);
		for (k = 0; k < 4; k++) {
			s[446 + k * 16] = env_random(8) ? 0 : 0x80;
			if (env_random(2))
				s[446 + k * 16 + 4] =
				    env_random(2) ? 0x05 : 0x83;
			else	/* small numbers are nearer to sense */
				memset(s + 446 + k * 16 + 9, 0, 3);
		}
		s[510] = 0x55;
		s[511] = 0xaa;
		env_disk_poke(ed, env_random(4) ? 0 :
		    env_random(SECTORS) * 512, s, 512);
		disk_reprobe(env_disk_disk(ed));
		disk_foreach(inside, env_disk_disk(ed));
	}
	env_disk_destroy(ed);
}

/* What is claimed cannot be probed anew, nor claimed twice, with its whole. */
static void
t_claims(void)
{
	struct env_disk *ed = env_disk_create("ed0", SIZE, 0);
	uint8_t s[512] = { 0 };
	struct disk *dp;

	mbr_entry(s, 0, 0x83, 64, 1000);
	mbr_entry(s, 1, 0x83, 2000, 1000);
	env_disk_poke(ed, 0, s, 512);
	disk_reprobe(env_disk_disk(ed));
	ENV_EQ(disk_get("ed0s1", &dp), 0);
	ENV_EQ(disk_claim(dp), 0);
	ENV_EQ(disk_claim(dp), EBUSY);
	ENV_EQ(disk_claim(env_disk_disk(ed)), EBUSY);
	ENV_EQ(disk_claim(slice(2)), 0);
	ENV_EQ(disk_reprobe(env_disk_disk(ed)), EBUSY);
	disk_unclaim(slice(2));
	disk_unclaim(dp);
	disk_put(dp);
	ENV_EQ(disk_reprobe(env_disk_disk(ed)), 0);
	env_disk_destroy(ed);
}

const int env_default_seeds = 5;

const struct env_test env_tests[] = {
	{ "slices_mbr", t_mbr, 0 },
	{ "slices_gpt", t_gpt, 0 },
	{ "slices_loops", t_loops, 0 },
	{ "slices_noise", t_noise, 0 },
	{ "slices_claims", t_claims, 0 },
	ENV_END
};
