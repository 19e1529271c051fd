/* SPDX-License-Identifier: BSD-2-Clause */
/* hammer show-undo: print the records of the UNDO FIFO. */
#include <string.h>

#include <libhammer_disk/hdisk.h>

#include "hammer_tool.h"

static const char *
redo_flags(uint32_t flags)
{
	static char buf[64];

	snprintf(buf, sizeof(buf), "%s%s%s%s%s",
	    flags & HAMMER_REDO_WRITE ? "WRITE " : "",
	    flags & HAMMER_REDO_TRUNC ? "TRUNC " : "",
	    flags & HAMMER_REDO_TERM_WRITE ? "TERM_WRITE " : "",
	    flags & HAMMER_REDO_TERM_TRUNC ? "TERM_TRUNC " : "",
	    flags & HAMMER_REDO_SYNC ? "SYNC " : "");
	return buf;
}

static void
print_record(const struct hammer_fifo_head *head, uint64_t pos, bool crc)
{
	const struct hammer_fifo_undo *undo = (const void *)head;
	const struct hammer_fifo_redo *redo = (const void *)head;

	printf("%c %016llx size=%-3u ", crc ? ' ' : 'B',
	    (unsigned long long)hammer_off_make(HAMMER_ZONE_UNDO, 0, pos),
	    head->hdr_size);
	if (head->hdr_type == HAMMER_HEAD_TYPE_PAD) {
		printf("PAD\n");
		return;
	}
	printf("seq=%08x ", head->hdr_seq);
	switch (head->hdr_type) {
	case HAMMER_HEAD_TYPE_DUMMY:
		printf("DUMMY\n");
		break;
	case HAMMER_HEAD_TYPE_UNDO:
		printf("UNDO off=%016llx len=%d\n",
		    (unsigned long long)undo->undo_offset,
		    undo->undo_data_bytes);
		break;
	case HAMMER_HEAD_TYPE_REDO:
		printf("REDO %sobjid=%016llx off=%016llx len=%d lo=%08x\n",
		    redo_flags(redo->redo_flags),
		    (unsigned long long)redo->redo_objid,
		    (unsigned long long)redo->redo_offset,
		    redo->redo_data_bytes, redo->redo_localization);
		break;
	default:
		printf("type %04x\n", head->hdr_type);
	}
}

int
cmd_show_undo(int argc, char **argv)
{
	struct hd_fs *fs = tool_volumes();
	const struct hammer_blockmap *bm =
	    &fs->hf_root->vol0_blockmap[HAMMER_ZONE_UNDO];
	uint64_t size = hammer_off_short(bm->alloc_offset), pos = 0;
	union {
		struct hammer_fifo_head head;
		char bytes[HAMMER_UNDO_ALIGN];
	} rec;
	const void *p;
	uint32_t room, seq = 0;
	bool crc, shown = true, known;
	int bad = 0;

	(void)argc;
	(void)argv;
	printf("first %016llx next %016llx end %016llx\n",
	    (unsigned long long)bm->first_offset,
	    (unsigned long long)bm->next_offset,
	    (unsigned long long)bm->alloc_offset);
	for (; pos < size; pos += rec.head.hdr_size) {
		room = HAMMER_UNDO_ALIGN - (uint32_t)(pos &
		    (HAMMER_UNDO_ALIGN - 1));
		p = hd_get(fs, hd_undo(fs, pos), room);
		if (p != NULL)
			memcpy(rec.bytes, p, room);
		known = p != NULL &&
		    rec.head.hdr_signature == HAMMER_HEAD_SIGNATURE &&
		    rec.head.hdr_size >= 8 && (rec.head.hdr_size & 7) == 0 &&
		    rec.head.hdr_size <= room;
		if (!known) {
			printf("B %016llx not a record\n",
			    (unsigned long long)pos);
			rec.head.hdr_size = room;
			bad++;
			continue;
		}
		crc = rec.head.hdr_type == HAMMER_HEAD_TYPE_PAD ||
		    (rec.head.hdr_size >= 24 &&
		    hammer_crc_test_fifo(fs->hf_version, &rec.head));
		bad += !crc;
		/* A stretch of untouched DUMMYs is one line without -v. */
		if (!opts.verbose && crc && rec.head.hdr_size == 512 &&
		    rec.head.hdr_type == HAMMER_HEAD_TYPE_DUMMY) {
			if (shown)
				printf("  ... DUMMY from %016llx seq=%08x\n",
				    (unsigned long long)pos,
				    rec.head.hdr_seq);
			shown = false;
			continue;
		}
		shown = true;
		if (rec.head.hdr_type != HAMMER_HEAD_TYPE_PAD) {
			if (rec.head.hdr_seq != seq + 1)
				printf("  ---- sequence break\n");
			seq = rec.head.hdr_seq;
		}
		print_record(&rec.head, pos, crc);
	}
	hd_close(fs);
	return bad == 0 ? 0 : 1;
}
