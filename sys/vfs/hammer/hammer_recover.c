/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recovery at mount, stage 1: the UNDO records of the FIFO, backwards.
 *
 *      first_offset                       end: numbers stop going on by one
 *   ...| seq | +1 | +2 | PAD | +3 | ... | +n | anything
 *   ^ the record before gives seq            ^ applied from here to the left
 *
 * It works the same for our groups (after-images, hammer_fifo.c) and for what
 * other systems leave (pre-images of an unfinished flush).
 *
 * Y1  Every record is checked (signature, size, sector, CRC, tail, number)
 *     before the first byte is copied.
 * Y2  Read-write: changed buffers are written in place, then a flush, then a
 *     clean header, then a flush.  A crash in between runs it again.
 *     Read-only: they stay in memory.
 * Y3  The header's FIFO entry is never taken from records.
 * Y4  If the header says that records exist which the scan does not reach, the
 *     log is damaged, and mounting would show half an operation: EIO.
 */
#include <sys/disk.h>

#include "hammer_core.h"

struct fifo_scan {
	struct hammer_mount *sc_hmp;
	char		*sc_win;	/* 16 KB window */
	uint64_t	 sc_winpos;
};

enum { RECOVER_BUFS = 1024 };		/* then write what there is */

/* The bytes at a FIFO position, to the end of their 16 KB. */
static int
scan_window(struct fifo_scan *sc, uint64_t pos, void **p)
{
	uint64_t win = pos & ~HAMMER_BUFMASK64;
	hammer_off_t zone2;
	int error;

	if (win != sc->sc_winpos) {
		sc->sc_winpos = HAMMER_OFF_BAD;
		error = hammer_fifo_locate(sc->sc_hmp, win, HAMMER_BUFSIZE,
		    &zone2);
		if (error == 0)
			error = hammer_volume_rw(sc->sc_hmp, BIO_READ, zone2,
			    sc->sc_win, HAMMER_BUFSIZE);
		if (error != 0)
			return error;
		sc->sc_winpos = win;
	}
	*p = sc->sc_win + (pos & HAMMER_BUFMASK64);
	return 0;
}

/* Is there a good record at pos?  NULL: no. */
static struct hammer_fifo_head *
scan_record(struct fifo_scan *sc, uint64_t pos)
{
	uint32_t room = HAMMER_UNDO_ALIGN -
	    (uint32_t)(pos & (HAMMER_UNDO_ALIGN - 1));
	const struct hammer_fifo_undo *undo;
	const struct hammer_fifo_tail *tail;
	struct hammer_fifo_head *head;
	void *p;

	if ((pos & (HAMMER_HEAD_ALIGN - 1)) != 0 ||
	    scan_window(sc, pos, &p) != 0)
		return NULL;
	head = p;
	if (head->hdr_signature != HAMMER_HEAD_SIGNATURE ||
	    (head->hdr_size & (HAMMER_HEAD_ALIGN - 1)) != 0 ||
	    head->hdr_size > room)
		return NULL;
	if (head->hdr_type == HAMMER_HEAD_TYPE_PAD)
		return room != HAMMER_UNDO_ALIGN &&
		    head->hdr_size >= HAMMER_HEAD_ALIGN ? head : NULL;
	if (head->hdr_size < sizeof(*head) + sizeof(*tail))
		return NULL;
	tail = (const void *)((char *)p + head->hdr_size - sizeof(*tail));
	if (tail->tail_signature != HAMMER_TAIL_SIGNATURE ||
	    tail->tail_type != head->hdr_type ||
	    tail->tail_size != head->hdr_size)
		return NULL;
	if (!hammer_crc_test_fifo(sc->sc_hmp->hm_version, head))
		return NULL;
	if (head->hdr_type == HAMMER_HEAD_TYPE_UNDO) {
		undo = p;
		if (head->hdr_size < sizeof(*undo) + sizeof(*tail) ||
		    undo->undo_data_bytes < 0 ||
		    (uint32_t)undo->undo_data_bytes > head->hdr_size -
		    sizeof(*undo) - sizeof(*tail))
			return NULL;
	}
	return head;
}

/* The record that ends at *pos (PADs too); *pos becomes its start. */
static struct hammer_fifo_head *
scan_back(struct fifo_scan *sc, uint64_t *pos)
{
	uint64_t end = *pos == 0 ? sc->sc_hmp->hm_fifo.ff_size : *pos;
	const struct hammer_fifo_tail *tail;
	struct hammer_fifo_head *head;
	uint32_t size;
	void *p;

	if (scan_window(sc, end - sizeof(*tail), &p) != 0)
		return NULL;
	tail = p;
	size = tail->tail_size;
	if ((tail->tail_signature != HAMMER_TAIL_SIGNATURE &&
	    (tail->tail_signature != HAMMER_HEAD_SIGNATURE || size != 8)) ||
	    size < sizeof(*tail) ||
	    size > ((end - 1) & (HAMMER_UNDO_ALIGN - 1)) + 1)
		return NULL;
	*pos = end - size;
	head = scan_record(sc, *pos);
	return head != NULL && head->hdr_size == size ? head : NULL;
}

/* Number of the record before the recovery range. */
static int
scan_seq(struct fifo_scan *sc, uint32_t *seq)
{
	uint64_t pos = sc->sc_hmp->hm_fifo.ff_first;
	struct hammer_fifo_head *head;
	int pads;

	for (pads = 0; pads < HAMMER_UNDO_ALIGN; pads++) {
		head = scan_back(sc, &pos);
		if (head == NULL)
			break;
		if (head->hdr_type != HAMMER_HEAD_TYPE_PAD) {
			*seq = head->hdr_seq;
			return 0;
		}
	}
	kprintf("hammer: no record before the UNDO FIFO's first offset %llx\n",
	    (unsigned long long)sc->sc_hmp->hm_fifo.ff_first);
	return EIO;
}

/*
 * Follow the numbers.  *end is behind the last record, *reach behind the PADs
 * that follow it; both are distances from ff_first.
 */
static void
scan_forward(struct fifo_scan *sc, uint32_t *seq, uint64_t *end,
    uint64_t *reach)
{
	const struct hammer_fifo *ff = &sc->sc_hmp->hm_fifo;
	struct hammer_fifo_head *head;
	uint64_t dist = 0;

	*end = *reach = 0;
	while (dist < ff->ff_size) {
		head = scan_record(sc, (ff->ff_first + dist) % ff->ff_size);
		if (head == NULL)
			break;
		if (head->hdr_type != HAMMER_HEAD_TYPE_PAD) {
			if (head->hdr_seq != *seq + 1)
				break;
			++*seq;
			*end = dist + head->hdr_size;
		}
		dist += head->hdr_size;
		*reach = dist;
	}
}

/* Write in place what has been changed so far. */
static int
recover_place(struct hammer_mount *hmp)
{
	struct hammer_buffer *b;
	struct hammer_waiter *w = hammer_waiter_alloc();
	int error = 0, e;

	while ((b = TAILQ_FIRST(&hmp->hm_dirty)) != NULL) {
		TAILQ_REMOVE(&hmp->hm_dirty, b, b_group);
		memset(b->b_dirty, 0, sizeof(b->b_dirty));
		b->b_state = BUFST_CLEAN;
		e = hammer_write_bytes(hmp, w, b->b_off, b->b_bytes);
		error = error != 0 ? error : e;
	}
	hmp->hm_ndirty = 0;
	hmp->hm_logest = 0;
	e = hammer_waiter_finish(w);
	return error != 0 ? error : e;
}

static int
recover_apply(struct hammer_mount *hmp, const struct hammer_fifo_undo *undo)
{
	uint32_t len = (uint32_t)undo->undo_data_bytes;
	uint32_t in = (uint32_t)(undo->undo_offset & HAMMER_BUFMASK64);
	struct hammer_volume *vol;
	struct hammer_buffer *buf;
	int error = EIO;

	if (in + len > HAMMER_BUFSIZE)
		goto bad;
	if (hammer_off_zone(undo->undo_offset) == HAMMER_ZONE_RAW_BUFFER) {
		error = hammer_buffer_get(hmp, undo->undo_offset, &buf);
		if (error != 0)
			goto bad;
		memcpy(hammer_buffer_modify(hmp, buf, undo->undo_offset, len),
		    undo + 1, len);
		hammer_buffer_put(hmp, buf);
		return 0;
	}
	vol = &hmp->hm_vol[hammer_off_vol(undo->undo_offset)];
	if (hammer_off_zone(undo->undo_offset) == HAMMER_ZONE_RAW_VOLUME &&
	    hammer_off_short(undo->undo_offset) < HAMMER_BUFSIZE &&
	    vol->v_disk != NULL) {
		memcpy((char *)vol->v_ondisk + in, undo + 1, len);
		return 0;
	}
bad:
	kprintf("hammer: UNDO record for %016llx/%u cannot be applied\n",
	    (unsigned long long)undo->undo_offset, len);
	return error;
}

/*
 * XXX REDO, which other systems write for fsync of data, is only counted: its
 * replay needs the file write path of the vnode layer (stage 2).
 */
static unsigned
recover_redo(const struct hammer_fifo_redo *redo)
{
	return redo->head.hdr_size >= sizeof(*redo) && (redo->redo_flags &
	    (HAMMER_REDO_WRITE | HAMMER_REDO_TRUNC)) != 0;
}

static int
recover_backwards(struct fifo_scan *sc, uint64_t dist)
{
	struct hammer_mount *hmp = sc->sc_hmp;
	struct hammer_fifo *ff = &hmp->hm_fifo;
	struct hammer_fifo_head *head;
	uint64_t pos = (ff->ff_first + dist) % ff->ff_size;
	unsigned redos = 0;
	int error;

	while (dist > 0) {
		head = scan_back(sc, &pos);
		if (head == NULL || head->hdr_size > dist)
			return EIO;
		dist -= head->hdr_size;
		if (head->hdr_type == HAMMER_HEAD_TYPE_REDO)
			redos += recover_redo((void *)head);
		if (head->hdr_type != HAMMER_HEAD_TYPE_UNDO)
			continue;
		error = recover_apply(hmp, (void *)head);
		if (error == 0 && hmp->hm_ndirty > RECOVER_BUFS &&
		    !(hmp->hm_flags & HAMMER_MOUNT_RDONLY))
			error = recover_place(hmp);
		if (error != 0)
			return error;
	}
	if (redos > 0)
		kprintf("hammer: %s: %u REDO records of another system are "
		    "not replayed: file data fsynced just before the crash "
		    "is lost\n", hmp->hm_root->vol_label, redos);
	return 0;
}

/* Write the recovered state and a clean header (Y2). */
int
hammer_recover_finish(struct hammer_mount *hmp)
{
	int error;

	error = recover_place(hmp);
	if (error != 0)
		return error;
	hmp->hm_hdrdirty = false;
	return hammer_make_clean(hmp);
}

/*
 * Called when headers are read and the cache is empty.  Afterwards hm_root is
 * the committed header, and ff_seq and ff_next say where logging goes on.
 * Blocks.  EIO.
 */
int
hammer_recover(struct hammer_mount *hmp)
{
	struct hammer_fifo *ff = &hmp->hm_fifo;
	struct hammer_blockmap bm = hmp->hm_root->vol0_blockmap[HAMMER_ZONE_UNDO];
	bool good = hammer_crc_test_volume(hmp->hm_root);
	struct fifo_scan sc = { hmp, NULL, HAMMER_OFF_BAD };
	uint64_t end, reach, want;
	uint32_t seq;
	int error;

	sc.sc_win = kmalloc(HAMMER_BUFSIZE, &M_HAMMERBUF, 0);
	error = scan_seq(&sc, &seq);
	if (error != 0)
		goto out;
	scan_forward(&sc, &seq, &end, &reach);
	want = (ff->ff_next + ff->ff_size - ff->ff_first) % ff->ff_size;
	if (want > reach) {
		kprintf("hammer: %s: the log ends after %llu of %llu bytes\n",
		    hmp->hm_root->vol_label, (unsigned long long)reach,
		    (unsigned long long)want);
		error = EIO;
		goto out;
	}
	if (end > 0) {
		kprintf("hammer: %s: recovery, %llu bytes of log\n",
		    hmp->hm_root->vol_label, (unsigned long long)end);
		error = recover_backwards(&sc, end);
		if (error != 0)
			goto out;
		hmp->hm_root->vol0_blockmap[HAMMER_ZONE_UNDO] = bm;
	}
	if (!good && !hammer_crc_test_volume(hmp->hm_root)) {
		kprintf("hammer: %s: bad header CRC\n",
		    hmp->hm_root->vol_label);
		error = EIO;
		goto out;
	}
	/* On from the next sector, with numbers that were never here (F4). */
	ff->ff_next = roundup2(ff->ff_first + end,
	    (uint64_t)MAX(512U, hmp->hm_vol[0].v_disk->d_sector)) %
	    ff->ff_size;
	ff->ff_seq = seq + 1 + (uint32_t)(ff->ff_size / 32);
	hmp->hm_hdrdirty = end > 0;
out:
	kfree(sc.sc_win, &M_HAMMERBUF);
	return error;
}
