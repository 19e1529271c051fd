/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * newfs at many sizes: the checker finds nothing, the numbers of the header
 * are as documented; checksums and name hashes have known values.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libhammer_disk/hdisk.h>

#include "mkimg.h"

static int failed;

static void
check(bool ok, const char *what, long long n)
{
	if (!ok) {
		printf("# %s (%lld)\n", what, n);
		failed = 1;
	}
}

static void
done(const char *name)
{
	printf("%s - %s\n", failed ? "not ok" : "ok", name);
	if (failed)
		exit(1);
}

static void
size(uint64_t mb)
{
	const struct hammer_volume_ondisk *od;
	char name[128], *paths[1] = { name };
	uint64_t undo = mb / 128 * 8, n;
	struct hd_fs *fs;
	bool badcrc;

	undo = undo < 16 ? 16 : undo > 512 ? 512 : undo;
	mkimg_name(name, sizeof(name));
	check(mkimg_create(name, mb << 20) == 0, "newfs", (long long)mb);
	check(mkimg_check(name, 1) == 0, "check", (long long)mb);
	fs = hd_open(paths, 1, &badcrc);
	check(fs != NULL && !badcrc, "open", (long long)mb);
	od = fs->hf_root;
	check(hammer_off_short(od->vol0_blockmap[HAMMER_ZONE_UNDO].
	    alloc_offset) == undo << 20, "undo size", (long long)undo);
	n = (uint64_t)(od->vol_buf_end - od->vol_buf_beg) /
	    HAMMER_BIGBLOCK_SIZE;
	check((uint64_t)od->vol0_stat_bigblocks == n - 2 - undo / 8,
	    "stat_bigblocks", od->vol0_stat_bigblocks);
	check(od->vol0_stat_freebigblocks == od->vol0_stat_bigblocks - 2,
	    "stat_freebigblocks", od->vol0_stat_freebigblocks);
	hd_close(fs);
	mkimg_remove(name);
}

int
main(void)
{
	static const uint64_t sizes[] = { 160, 256, 257, 300, 512, 1000, 2048,
	    5000 };
	uint32_t max;
	char name[128];
	size_t i;

	check(hammer_crc32("123456789", 9) == 0xcbf43926U, "crc32", 0);
	check(hammer_crc32c("123456789", 9) == 0xe3069283U, "crc32c", 0);
	check(hammer_dirhash(1, "foo.c", 5, &max) == 0x132d449008540000LL,
	    "dirhash", 0);
	check(hammer_dirhash(1, "foo.c~", 6, &max) >> 32 ==
	    hammer_dirhash(1, "foo.c", 5, &max) >> 32, "dirhash pieces", 0);
	check(hammer_dirhash(1, "", 0, &max) == 1LL << 32, "dirhash of none",
	    0);
	done("checksums");
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		size(sizes[i]);
	done("newfs");
	mkimg_name(name, sizeof(name));
	check(mkimg_create(name, 100 << 20) != 0, "too small is refused", 100);
	mkimg_remove(name);
	done("small");
	return 0;
}
