/* SPDX-License-Identifier: BSD-2-Clause */
/* hammer blockmap: print layer1 and layer2. */
#include <libhammer_disk/hdisk.h>

#include "hammer_tool.h"

static int
print_layer2(struct hd_fs *fs, hammer_off_t off, const struct hammer_layer2 *l2)
{
	bool crc = hammer_crc_test_layer2(fs->hf_version, l2);
	bool app = l2->append_off <= HAMMER_BIGBLOCK_SIZE;
	bool fre = l2->bytes_free >= 0 &&
	    l2->bytes_free <= HAMMER_BIGBLOCK_SIZE;

	printf("%c%c%c     %016llx zone=%-2d %-10s app=%-7u free=%-7d "
	    "fill=%5.1f", crc ? ' ' : 'B', app ? ' ' : 'A', fre ? ' ' : 'F',
	    (unsigned long long)off, l2->zone, hd_zonename(l2->zone),
	    l2->append_off, l2->bytes_free,
	    (HAMMER_BIGBLOCK_SIZE - (double)l2->bytes_free) * 100 /
	    HAMMER_BIGBLOCK_SIZE);
	if (opts.verbose)
		printf(" crc=%08x", l2->entry_crc);
	printf("\n");
	return crc && app && fre ? 0 : 1;
}

int
cmd_blockmap(int argc, char **argv)
{
	struct hd_fs *fs = tool_volumes();
	struct hammer_layer1 l1;
	struct hammer_layer2 l2;
	hammer_off_t off;
	uint64_t bb, n;
	int vol, bad = 0;

	(void)argc;
	(void)argv;
	tool_header(fs);
	for (vol = 0; vol < HAMMER_MAX_VOLUMES; vol++) {
		if (fs->hf_vol[vol].hv_fd < 0)
			continue;
		n = (uint64_t)(fs->hf_vol[vol].hv_ondisk.vol_buf_end -
		    fs->hf_vol[vol].hv_ondisk.vol_buf_beg) /
		    HAMMER_BIGBLOCK_SIZE;
		for (bb = 0; bb < n; bb++) {
			off = hammer_off_make(HAMMER_ZONE_FREEMAP, vol,
			    bb * HAMMER_BIGBLOCK_SIZE);
			if (!hd_layers(fs, off, &l1, &l2)) {
				printf("B layer1 %016llx: no entry\n",
				    (unsigned long long)off);
				bad++;
				bb |= HAMMER_LAYER2_RADIX - 1;
				continue;
			}
			if (bb % HAMMER_LAYER2_RADIX == 0) {
				bool ok = hammer_crc_test_layer1(
				    fs->hf_version, &l1);

				bad += !ok;
				printf("%c layer1 %016llx @%016llx "
				    "blocks-free %lld\n", ok ? ' ' : 'B',
				    (unsigned long long)off,
				    (unsigned long long)l1.phys_offset,
				    (long long)l1.blocks_free);
			}
			bad += print_layer2(fs, off, &l2);
		}
	}
	if (bad != 0)
		printf("%d bad entries\n", bad);
	hd_close(fs);
	return bad == 0 ? 0 : 1;
}
