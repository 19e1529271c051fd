/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UNDO FIFO as a log of after-images, one span per group.
 *
 * Recovery, ours and everybody's, starts at the header's first_offset, takes
 * the sequence number of the record before it, follows records whose numbers
 * go on by one, and copies each UNDO record's bytes to their address, last
 * record first.  So what is in an UNDO record is what will be there: we log
 * what the group left behind, and a span looks like this:
 *
 *    ... R(N) | DUMMY seq+16 | R(N+1) R(N+1) ... PAD |
 *               ^ break        ^ first_offset of header N+1
 *
 * F1  The DUMMY's number does not follow R(N): with header N on the disk,
 *     recovery ends before it and group N+1 does not exist, whether its span
 *     is whole, torn or absent.  No pre-images are needed to take it back,
 *     because none of its bytes is in place before header N+1 is durable (B2).
 * F2  R(N+1) follows the DUMMY without a break: with header N+1 on the disk,
 *     which is written after a flush of the span, all of it is found.
 * F3  A record never crosses a 512-byte sector, each sector begins with a
 *     record that is not a PAD, and every byte belongs to a record.
 * F4  A number met at the end of a span is never the next by chance: within
 *     one lap of the FIFO numbers only grow, and recovery jumps by more than
 *     a lap can hold before anything is written over a torn span.
 * F5  Span N is not overwritten before header N+1 is durable: a group's log is
 *     less than half of the FIFO (hm_loglimit).
 */
#include <sys/disk.h>

#include "hammer_core.h"

enum {
	FIFO_CHUNK	= 65536,
	FIFO_BREAK	= 16,		/* F1 */
	FIFO_MINROOM	= 64,		/* less is not worth a record */
};

/* Where FIFO bytes are in zone 2.  EIO if the header's array is bad. */
int
hammer_fifo_locate(struct hammer_mount *hmp, uint64_t pos, uint32_t len,
    hammer_off_t *zone2)
{
	hammer_off_t base;

	if (pos >= hmp->hm_fifo.ff_size ||
	    len > HAMMER_BIGBLOCK_SIZE - (pos & HAMMER_BIGBLOCK_MASK64))
		return EIO;
	base = hmp->hm_root->vol0_undo_array[pos / HAMMER_BIGBLOCK_SIZE];
	if (hammer_off_zone(base) != HAMMER_ZONE_RAW_BUFFER ||
	    (base & HAMMER_BIGBLOCK_MASK64) != 0)
		return EIO;
	*zone2 = base + (pos & HAMMER_BIGBLOCK_MASK64);
	return 0;
}

/* Take size and positions from the header.  EIO: they make no sense. */
int
hammer_fifo_init(struct hammer_mount *hmp)
{
	const struct hammer_blockmap *bm =
	    &hmp->hm_root->vol0_blockmap[HAMMER_ZONE_UNDO];
	struct hammer_fifo *ff = &hmp->hm_fifo;
	hammer_off_t zone2;
	uint64_t pos;

	ff->ff_size = hammer_off_short(bm->alloc_offset);
	ff->ff_first = hammer_off_short(bm->first_offset);
	ff->ff_next = hammer_off_short(bm->next_offset);
	STAILQ_INIT(&ff->ff_chunks);
	if (ff->ff_size == 0 || (ff->ff_size & HAMMER_BIGBLOCK_MASK64) != 0 ||
	    ff->ff_size > (uint64_t)HAMMER_MAX_UNDO_BIGBLOCKS *
	    HAMMER_BIGBLOCK_SIZE ||
	    ff->ff_first > ff->ff_size || ff->ff_next > ff->ff_size ||
	    ((ff->ff_first | ff->ff_next) & (HAMMER_HEAD_ALIGN - 1)) != 0) {
		kprintf("hammer: bad UNDO FIFO offsets in the header\n");
		return EIO;
	}
	ff->ff_first %= ff->ff_size;
	ff->ff_next %= ff->ff_size;
	for (pos = 0; pos < ff->ff_size; pos += HAMMER_BIGBLOCK_SIZE) {
		if (hammer_fifo_locate(hmp, pos, 1, &zone2) != 0) {
			kprintf("hammer: bad UNDO big-block in the header\n");
			return EIO;
		}
	}
	return 0;
}

/* Memory for the bytes at ff_next; a chunk is contiguous on the disk. */
static struct hammer_fifochunk *
fifo_chunk(struct hammer_fifo *ff)
{
	struct hammer_fifochunk *fc = NULL;
	uint64_t room;

	if (!STAILQ_EMPTY(&ff->ff_chunks))
		fc = container_of(ff->ff_chunks.sq_last,
		    struct hammer_fifochunk, fc_list);
	if (fc != NULL && fc->fc_len < fc->fc_size)
		return fc;
	room = HAMMER_BIGBLOCK_SIZE - (ff->ff_next & HAMMER_BIGBLOCK_MASK64);
	fc = kmalloc(sizeof(*fc), &M_HAMMER, M_ZERO);
	fc->fc_pos = ff->ff_next;
	fc->fc_size = (uint32_t)MIN(room, (uint64_t)FIFO_CHUNK);
	fc->fc_mem = kmalloc(fc->fc_size, &M_HAMMERBUF, 0);
	STAILQ_INSERT_TAIL(&ff->ff_chunks, fc, fc_list);
	return fc;
}

/* len bytes at the append position, zeroed, inside one sector. */
static void *
fifo_take(struct hammer_fifo *ff, uint32_t len)
{
	struct hammer_fifochunk *fc = fifo_chunk(ff);
	void *p = fc->fc_mem + fc->fc_len;

	KKASSERT(len <= fc->fc_size - fc->fc_len);
	memset(p, 0, len);
	fc->fc_len += len;
	ff->ff_next += len;
	if (ff->ff_next == ff->ff_size)
		ff->ff_next = 0;
	return p;
}

static uint32_t
fifo_room(const struct hammer_fifo *ff)
{
	return HAMMER_UNDO_ALIGN -
	    (uint32_t)(ff->ff_next & (HAMMER_UNDO_ALIGN - 1));
}

static void
fifo_frame(struct hammer_mount *hmp, void *rec, uint16_t type, uint32_t size)
{
	struct hammer_fifo_head *head = rec;
	struct hammer_fifo_tail *tail;

	tail = (void *)((char *)rec + size - sizeof(*tail));
	if (type == HAMMER_HEAD_TYPE_PAD) {
		/* 8 bytes: head and tail are one. */
		tail->tail_signature = HAMMER_TAIL_SIGNATURE;
		tail->tail_type = type;
		tail->tail_size = size;
		head->hdr_signature = HAMMER_HEAD_SIGNATURE;
		head->hdr_type = type;
		head->hdr_size = size;
		return;
	}
	tail->tail_signature = HAMMER_TAIL_SIGNATURE;
	tail->tail_type = type;
	tail->tail_size = size;
	head->hdr_signature = HAMMER_HEAD_SIGNATURE;
	head->hdr_type = type;
	head->hdr_size = size;
	head->hdr_seq = hmp->hm_fifo.ff_seq++;
	hammer_crc_set_fifo(hmp->hm_version, head);
}

static void
fifo_pad(struct hammer_mount *hmp)
{
	uint32_t room = fifo_room(&hmp->hm_fifo);

	if (room != HAMMER_UNDO_ALIGN)
		fifo_frame(hmp, fifo_take(&hmp->hm_fifo, room),
		    HAMMER_HEAD_TYPE_PAD, room);
}

/* Open a span: the break, then first.  Position is at a sector (F3). */
void
hammer_fifo_begin(struct hammer_mount *hmp)
{
	struct hammer_fifo *ff = &hmp->hm_fifo;
	const uint32_t size = sizeof(struct hammer_fifo_head) +
	    sizeof(struct hammer_fifo_tail);

	KKASSERT(fifo_room(ff) == HAMMER_UNDO_ALIGN);
	KKASSERT(STAILQ_EMPTY(&ff->ff_chunks));
	ff->ff_seq += FIFO_BREAK;
	fifo_frame(hmp, fifo_take(ff, size), HAMMER_HEAD_TYPE_DUMMY, size);
	ff->ff_first = ff->ff_next;
}

/* Log the after-image of len bytes at a zone-1 or zone-2 address. */
void
hammer_fifo_append(struct hammer_mount *hmp, hammer_off_t off,
    const void *bytes, uint32_t len)
{
	const uint32_t frame = sizeof(struct hammer_fifo_undo) +
	    sizeof(struct hammer_fifo_tail);
	struct hammer_fifo_undo *undo;
	const char *p = bytes;
	uint32_t n, size;

	while (len > 0) {
		if (fifo_room(&hmp->hm_fifo) < MIN(frame + len,
		    (uint32_t)FIFO_MINROOM)) {
			fifo_pad(hmp);
			continue;
		}
		n = MIN(len, fifo_room(&hmp->hm_fifo) - frame);
		size = frame + roundup2(n, (uint32_t)HAMMER_HEAD_ALIGN);
		undo = fifo_take(&hmp->hm_fifo, size);
		undo->undo_offset = off;
		undo->undo_data_bytes = (int32_t)n;
		memcpy(undo + 1, p, n);
		fifo_frame(hmp, undo, HAMMER_HEAD_TYPE_UNDO, size);
		p += n;
		off += n;
		len -= n;
	}
}

/* Close a span, at a whole sector of the disk. */
void
hammer_fifo_end(struct hammer_mount *hmp)
{
	struct hammer_fifo *ff = &hmp->hm_fifo;
	uint32_t sector = hmp->hm_vol[HAMMER_ROOT_VOLNO].v_disk->d_sector;

	fifo_pad(hmp);
	while (sector > HAMMER_UNDO_ALIGN && (ff->ff_next & (sector - 1)) != 0)
		fifo_frame(hmp, fifo_take(ff, HAMMER_UNDO_ALIGN),
		    HAMMER_HEAD_TYPE_DUMMY, HAMMER_UNDO_ALIGN);
}

int
hammer_fifo_write(struct hammer_mount *hmp, struct hammer_waiter *w)
{
	struct hammer_fifo *ff = &hmp->hm_fifo;
	struct hammer_fifochunk *fc;
	hammer_off_t zone2;
	int error = 0, e;

	while ((fc = STAILQ_FIRST(&ff->ff_chunks)) != NULL) {
		STAILQ_REMOVE_HEAD(&ff->ff_chunks, fc_list);
		hmp->hm_st_logbytes += fc->fc_len;
		e = hammer_fifo_locate(hmp, fc->fc_pos, fc->fc_len, &zone2);
		if (e == 0)
			e = hammer_write_mem(hmp, w, zone2, fc->fc_mem,
			    fc->fc_len, false);
		else
			kfree(fc->fc_mem, &M_HAMMERBUF);
		kfree(fc, &M_HAMMER);
		if (e != 0 && error == 0)
			error = e;
	}
	return error;
}
