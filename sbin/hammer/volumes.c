/* SPDX-License-Identifier: BSD-2-Clause */
/* Volumes of the offline verbs, and the header in print. */
#include <stdlib.h>
#include <string.h>

#include <libhammer_disk/hdisk.h>

#include "hammer_tool.h"

struct hd_fs *
tool_volumes(void)
{
	char *paths[HAMMER_MAX_VOLUMES], *s;
	struct hd_fs *fs;
	const struct hammer_blockmap *undo;
	bool badcrc;
	int n = 0;

	if (opts.blkdevs == NULL)
		hd_fatal("hammer: name the volumes with -f (joined by ':')");
	for (s = strtok(opts.blkdevs, ":"); s != NULL; s = strtok(NULL, ":")) {
		if (n == HAMMER_MAX_VOLUMES)
			hd_fatal("hammer: too many volumes");
		paths[n++] = s;
	}
	fs = n == 0 ? NULL : hd_open(paths, n, &badcrc);
	if (fs == NULL)
		exit(1);
	if (badcrc)
		printf("B\tvolume header: bad CRC\n");
	undo = &fs->hf_root->vol0_blockmap[HAMMER_ZONE_UNDO];
	if (undo->first_offset != undo->next_offset)
		fprintf(stderr, "hammer: the volume is in use or needs "
		    "recovery (a mount does it): what follows may be in "
		    "between states\n");
	return fs;
}

void
tool_header(const struct hd_fs *fs)
{
	const struct hammer_volume_ondisk *od = fs->hf_root;
	const struct hammer_blockmap *bm;
	uint64_t size, used;
	int i;

	printf("vol_label\t%.64s\n", od->vol_label);
	printf("vol_count\t%d\n", od->vol_count);
	printf("vol_version\t%u\n", od->vol_version);
	printf("vol_fstype\t%s\n", hd_uuidstr(&od->vol_fstype));
	printf("vol_fsid\t%s\n", hd_uuidstr(&od->vol_fsid));
	printf("vol_bot_beg\t%s\n", hd_sizestr((uint64_t)od->vol_bot_beg));
	printf("vol_mem_beg\t%s\n", hd_sizestr((uint64_t)od->vol_mem_beg));
	printf("vol_buf_beg\t%s\n", hd_sizestr((uint64_t)od->vol_buf_beg));
	printf("vol_buf_end\t%s\n", hd_sizestr((uint64_t)od->vol_buf_end));
	printf("vol0_bigblocks\t%lld free of %lld\n",
	    (long long)od->vol0_stat_freebigblocks,
	    (long long)od->vol0_stat_bigblocks);
	printf("vol0_inodes\t%lld\n", (long long)od->vol0_stat_inodes);
	printf("vol0_btree_root\t%016llx\n",
	    (unsigned long long)od->vol0_btree_root);
	printf("vol0_next_tid\t%016llx\n",
	    (unsigned long long)od->vol0_next_tid);
	bm = &od->vol0_blockmap[HAMMER_ZONE_UNDO];
	size = hammer_off_short(bm->alloc_offset);
	used = size == 0 ? 0 : (bm->next_offset - bm->first_offset + size) %
	    size;
	printf("undo_size\t%s\n", hd_sizestr(size));
	printf("undo_used\t%s\n", hd_sizestr(used));
	printf("zone #             phys             first            next"
	    "             alloc\n");
	for (i = 0; i < HAMMER_MAX_ZONES; i++) {
		bm = &od->vol0_blockmap[i];
		printf("zone %-2d %-10s %016llx %016llx %016llx %016llx\n", i,
		    i == 0 ? "" : hd_zonename(i),
		    (unsigned long long)bm->phys_offset,
		    (unsigned long long)bm->first_offset,
		    (unsigned long long)bm->next_offset,
		    (unsigned long long)bm->alloc_offset);
	}
}
