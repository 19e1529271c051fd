/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups: how what transactions did becomes durable.
 *
 * A group is a consecutive interval of whole transactions.  The flusher closes
 * the open group N (under hm_lock: no transaction is inside), and writes it
 * while N+1 goes on:
 *
 *   close   node CRCs; after-images of everything changed into FIFO span R(N);
 *           image of the header with first_offset = start of R(N)
 *   1       write R(N), N's large data, and in place what N-1 changed and N
 *           did not log again
 *   2       flush every disk
 *   3       write the header
 *   4       flush the root disk: N is durable, waiters go on
 *   5       in-place writes of N's large pieces start ("eager")
 *
 * G1  Recovery with header N replays R(N) onto the places (hammer_fifo.c).
 *     So a byte changed by groups up to N is, once header N may be on the
 *     disk, in R(N), or durably in place.  By induction: what N-1 changed and
 *     R(N) does not have is written in step 1 and durable after step 2; what
 *     R(N-1) only carried on is the same.
 * G2  Nothing of N is in place before header N is durable, except what no
 *     committed state refers to: large data, and small data in buffers that
 *     hold more of it than is worth logging.  So header N-1 with R(N-1) finds
 *     every place as N-1 left it or about to be rewritten by R(N-1).
 * G3  A torn header: R(N) has the header's own changing parts outside of the
 *     FIFO's entry, so sector 0 of either generation, by its first_offset,
 *     brings the other sectors to its own.
 * G4  Recovery only writes places that R(N) names and then a clean header;
 *     crashing inside and running again gives the same.
 * G5  Writers hold references on the bytes they write; a transaction that
 *     modifies such a buffer gets a copy (hammer_buffer_modify), so nobody
 *     waits for the disk but those who asked for durability or room.
 * G6  hm_error is for ever: after a failed write or flush nothing is written
 *     any more, and waiters get EIO.
 */
#include "hammer_core.h"

enum {
	EAGER_BYTES	= 10240, /* log bytes at which a buffer goes in place */
	DIRECT_BYTES	= 4096,	/* small data: in place instead of the log */
	IDLE_CLEAN	= 2,	/* quiet periods before the header is cleaned */
};
#define GROUP_PERIOD	(2 * 1000000000ULL)

/* A buffer on its way to its place, as it was when the group closed. */
struct hammer_place {
	struct hammer_buffer *pl_buf;
	struct hammer_bytes *pl_bytes;
};

static void
place_add(struct hammer_place *list, uint32_t *n, struct hammer_buffer *b)
{
	hammer_buffer_ref(b);
	__atomic_add_fetch(&b->b_bytes->hb_refs, 1, __ATOMIC_RELAXED);
	list[*n].pl_buf = b;
	list[*n].pl_bytes = b->b_bytes;
	++*n;
	memset(b->b_carry, 0, sizeof(b->b_carry));
	memset(b->b_dirty, 0, sizeof(b->b_dirty));
	b->b_logest = 0;
	b->b_state = BUFST_CLEAN;
}

static int
place_write(struct hammer_mount *hmp, struct hammer_waiter *w,
    const struct hammer_place *list, uint32_t n)
{
	uint32_t i;
	int error = 0, e;

	for (i = 0; i < n; i++) {
		e = hammer_write_bytes(hmp, w, list[i].pl_buf->b_off,
		    list[i].pl_bytes);
		if (e != 0 && error == 0)
			error = e;
	}
	hmp->hm_st_inplace += n;
	return error;
}

static void
place_done(struct hammer_mount *hmp, struct hammer_place *list, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		hammer_bytes_put(list[i].pl_bytes);
		hammer_buffer_put(hmp, list[i].pl_buf);
	}
	kfree(list, &M_HAMMER);
}

static struct hammer_place *
place_alloc(uint32_t n)
{
	return n == 0 ? NULL : kmalloc(sizeof(struct hammer_place) * n,
	    &M_HAMMER, 0);
}

/* ---- closing ------------------------------------------------------------ */

static void
close_nodes(struct hammer_mount *hmp, struct hammer_buffer *b)
{
	int i;

	for (i = 0; i < HAMMER_NODES_PER_BUF; i++) {
		if (b->b_dirty[i] == 0)
			continue;
		hammer_crc_set_node(hmp->hm_version, (void *)(b->b_bytes->hb_p +
		    i * HAMMER_NODE_SIZE));
		b->b_dirty[i] |= 1;
	}
}

static bool
granule(const struct hammer_buffer *b, uint32_t i)
{
	return (b->b_carry[i / 64] >> (i & 63) & 1) != 0;
}

/* Log what is dirty or carried; a gap of one granule costs less than a
 * record's frame. */
static void
close_log(struct hammer_mount *hmp, struct hammer_buffer *b)
{
	const uint32_t n = HAMMER_BUFSIZE / HAMMER_GRANULE;
	uint32_t i, beg, len, sum = 0;
	int w;

	for (w = 0; w < HAMMER_NODES_PER_BUF; w++) {
		b->b_carry[w] |= b->b_dirty[w];
		b->b_dirty[w] = 0;
	}
	for (i = 0; i < n; ) {
		if ((i & 63) == 0 && b->b_carry[i / 64] == 0) {
			i += 64;
			continue;
		}
		if (!granule(b, i)) {
			i++;
			continue;
		}
		beg = i;
		while (i < n && (granule(b, i) || (i + 1 < n &&
		    granule(b, i + 1))))
			i++;
		len = (i - beg) * HAMMER_GRANULE;
		hammer_fifo_append(hmp, b->b_off + beg * HAMMER_GRANULE,
		    b->b_bytes->hb_p + beg * HAMMER_GRANULE, len);
		sum += len + len / 8 + HAMMER_GRANULE;
	}
	b->b_logest = MIN(sum, HAMMER_BUFSIZE + 3072U);
}

/* The header as this group leaves it; parts of it go into the log (G3). */
static void
close_header(struct hammer_mount *hmp)
{
	struct hammer_volume_ondisk *od = hmp->hm_root;
	const uint32_t stat = offsetof(struct hammer_volume_ondisk,
	    vol0_stat_bigblocks);
	const uint32_t maps = offsetof(struct hammer_volume_ondisk,
	    vol0_blockmap[HAMMER_ZONE_BTREE]);
	int zone;

	od->vol0_next_tid = MAX(od->vol0_next_tid, hmp->hm_tid +
	    HAMMER_TID_STEP);
	for (zone = HAMMER_ZONE_BTREE; zone < HAMMER_MAX_ZONES; zone++)
		hammer_crc_set_blockmap(hmp->hm_version,
		    &od->vol0_blockmap[zone]);
	hammer_fifo_append(hmp, hammer_off_make(HAMMER_ZONE_RAW_VOLUME,
	    HAMMER_ROOT_VOLNO, stat), (char *)od + stat,
	    offsetof(struct hammer_volume_ondisk, vol0_blockmap) - stat);
	hammer_fifo_append(hmp, hammer_off_make(HAMMER_ZONE_RAW_VOLUME,
	    HAMMER_ROOT_VOLNO, maps), (char *)od + maps,
	    4 * sizeof(struct hammer_blockmap));
}

/* Take the image that is to be written. */
static void
header_image(struct hammer_mount *hmp, bool clean)
{
	struct hammer_blockmap *bm =
	    &hmp->hm_root->vol0_blockmap[HAMMER_ZONE_UNDO];
	struct hammer_fifo *ff = &hmp->hm_fifo;

	if (clean)
		ff->ff_first = ff->ff_next;
	bm->first_offset = hammer_off_make(HAMMER_ZONE_UNDO, 0, ff->ff_first);
	bm->next_offset = hammer_off_make(HAMMER_ZONE_UNDO, 0, ff->ff_next);
	hammer_crc_set_blockmap(hmp->hm_version, bm);
	hammer_crc_set_volume(hmp->hm_root);
	memset(hmp->hm_hdrimage, 0, HAMMER_HDRIMAGE);
	memcpy(hmp->hm_hdrimage, hmp->hm_root, sizeof(*hmp->hm_root));
	hmp->hm_hdrdirty = false;
}

/* Steps 2 to 4. */
static int
header_commit(struct hammer_mount *hmp)
{
	int error;

	error = hammer_volume_flush_all(hmp);
	if (error == 0)
		error = hammer_volume_write_header(hmp, hmp->hm_hdrimage);
	if (error == 0)
		error = disk_flush(hmp->hm_vol[HAMMER_ROOT_VOLNO].v_disk);
	return error;
}

/* Wait for the eager writes of the group before. */
static int
eager_finish(struct hammer_mount *hmp)
{
	int error = 0;

	if (hmp->hm_place != NULL)
		error = hammer_waiter_finish(hmp->hm_place);
	hmp->hm_place = NULL;
	place_done(hmp, hmp->hm_eager, hmp->hm_neager);
	hmp->hm_eager = NULL;
	hmp->hm_neager = 0;
	return error;
}

static void
group_done(struct hammer_mount *hmp, uint64_t group, hammer_tid_t tid,
    int error)
{
	spin_lock(&hmp->hm_grpspin);
	if (error != 0) {
		__atomic_store_n(&hmp->hm_error, EIO, __ATOMIC_RELEASE);
	} else {
		hmp->hm_done = group;
		if (hmp->hm_committed < tid)
			__atomic_store_n(&hmp->hm_committed, tid,
			    __ATOMIC_RELEASE);
	}
	spin_unlock(&hmp->hm_grpspin);
	wakeup(&hmp->hm_done);
	if (error != 0)
		kprintf("hammer: %s: flush failed, error %d; no more writes\n",
		    hmp->hm_root->vol_label, error);
}

/* hm_lock exclusive to change it, but waiters look without. */
static void
group_next(struct hammer_mount *hmp)
{
	__atomic_store_n(&hmp->hm_group, hmp->hm_group + 1, __ATOMIC_RELEASE);
}

/* Is there something to write?  A guess, for the timer. */
static bool
group_busy(struct hammer_mount *hmp)
{
	bool busy;

	lock_shared(&hmp->hm_lock);
	busy = hmp->hm_ndirty != 0 || hmp->hm_hdrdirty;
	lock_release(&hmp->hm_lock);
	return busy;
}

/*
 * Close and write the open group.  An empty one is durable at once.
 */
int
hammer_flush_group(struct hammer_mount *hmp)
{
	struct hammer_buffer *b;
	struct hammer_place *place, *eager;
	struct hammer_waiter *data, *w;
	hammer_tid_t tid;
	uint64_t group;
	uint32_t nplace = 0, neager = 0;
	int error, e;

	lock_excl(&hmp->hm_lock);
	if (hmp->hm_error != 0) {
		lock_release(&hmp->hm_lock);
		return EIO;
	}
	hammer_freed_release(hmp, hmp->hm_done);
	group = hmp->hm_group;
	tid = hmp->hm_tid;
	if (hmp->hm_ndirty == 0 && !hmp->hm_hdrdirty) {
		group_next(hmp);
		lock_release(&hmp->hm_lock);
		group_done(hmp, group, tid, 0);
		return 0;
	}
	place = place_alloc(hmp->hm_ncarried + hmp->hm_ndirty);
	eager = place_alloc(hmp->hm_ndirty);
	while ((b = TAILQ_FIRST(&hmp->hm_carried)) != NULL) {
		TAILQ_REMOVE(&hmp->hm_carried, b, b_group);
		place_add(place, &nplace, b);
	}
	hmp->hm_ncarried = 0;

	hammer_fifo_begin(hmp);
	close_header(hmp);
	while ((b = TAILQ_FIRST(&hmp->hm_dirty)) != NULL) {
		TAILQ_REMOVE(&hmp->hm_dirty, b, b_group);
		if (b->b_zone == HAMMER_ZONE_SMALL_DATA &&
		    b->b_logest > DIRECT_BYTES) {
			place_add(place, &nplace, b);
			continue;
		}
		if (b->b_zone == HAMMER_ZONE_BTREE)
			close_nodes(hmp, b);
		close_log(hmp, b);
		if (b->b_logest > EAGER_BYTES) {
			place_add(eager, &neager, b);
			continue;
		}
		b->b_state = BUFST_CARRIED;
		TAILQ_INSERT_TAIL(&hmp->hm_carried, b, b_group);
		hmp->hm_ncarried++;
	}
	hammer_fifo_end(hmp);
	header_image(hmp, false);
	hmp->hm_ndirty = 0;
	hmp->hm_logest = 0;
	data = hmp->hm_data;
	hmp->hm_data = hammer_waiter_alloc();
	__atomic_store_n(&hmp->hm_closedtid, tid, __ATOMIC_RELEASE);
	group_next(hmp);
	lock_release(&hmp->hm_lock);

	w = hammer_waiter_alloc();
	error = hammer_fifo_write(hmp, w);
	e = place_write(hmp, w, place, nplace);
	error = error != 0 ? error : e;
	e = hammer_waiter_finish(w);
	error = error != 0 ? error : e;
	e = hammer_waiter_finish(data);
	error = error != 0 ? error : e;
	e = eager_finish(hmp);
	error = error != 0 ? error : e;
	place_done(hmp, place, nplace);
	if (error == 0)
		error = header_commit(hmp);
	hmp->hm_clean = false;
	hmp->hm_st_groups++;
	group_done(hmp, group, tid, error);

	hmp->hm_eager = eager;
	hmp->hm_neager = neager;
	if (neager > 0 && error == 0) {
		hmp->hm_place = hammer_waiter_alloc();
		e = place_write(hmp, hmp->hm_place, eager, neager);
		if (e != 0)
			group_done(hmp, group, tid, e);
	}
	return error;
}

/*
 * With nothing new to log: everything in place, and a header that needs no
 * recovery, which other systems' tools like to see.  Does nothing while a
 * group is open.
 */
int
hammer_make_clean(struct hammer_mount *hmp)
{
	struct hammer_buffer *b;
	struct hammer_place *place;
	struct hammer_waiter *w;
	uint32_t nplace = 0;
	int error, e;

	lock_excl(&hmp->hm_lock);
	if (hmp->hm_error != 0 || hmp->hm_ndirty != 0 || hmp->hm_hdrdirty) {
		lock_release(&hmp->hm_lock);
		return hmp->hm_error;
	}
	place = place_alloc(hmp->hm_ncarried);
	while ((b = TAILQ_FIRST(&hmp->hm_carried)) != NULL) {
		TAILQ_REMOVE(&hmp->hm_carried, b, b_group);
		place_add(place, &nplace, b);
	}
	hmp->hm_ncarried = 0;
	header_image(hmp, true);
	lock_release(&hmp->hm_lock);

	w = hammer_waiter_alloc();
	error = place_write(hmp, w, place, nplace);
	e = hammer_waiter_finish(w);
	error = error != 0 ? error : e;
	e = eager_finish(hmp);
	error = error != 0 ? error : e;
	place_done(hmp, place, nplace);
	if (error == 0)
		error = header_commit(hmp);
	if (error != 0)
		group_done(hmp, 0, 0, error);
	hmp->hm_clean = error == 0;
	return error;
}

/* ---- the thread ----------------------------------------------------------- */

void
hammer_flusher_kick(struct hammer_mount *hmp, uint64_t group)
{
	spin_lock(&hmp->hm_grpspin);
	if (hmp->hm_wanted < group)
		hmp->hm_wanted = group;
	spin_unlock(&hmp->hm_grpspin);
	wakeup(&hmp->hm_wanted);
}

static void
flusher_main(void *arg)
{
	struct hammer_mount *hmp = arg;
	int quiet = 0;
	bool stop, wanted;

	for (;;) {
		spin_lock(&hmp->hm_grpspin);
		stop = (hmp->hm_state & FL_STOP) != 0;
		wanted = hmp->hm_wanted > hmp->hm_done && hmp->hm_error == 0;
		if (!stop && !wanted) {
			if (ssleep(&hmp->hm_wanted, &hmp->hm_grpspin, 0,
			    "hmridl", GROUP_PERIOD) == 0)
				continue;
		} else {
			spin_unlock(&hmp->hm_grpspin);
		}
		if (stop)
			break;
		if (wanted || group_busy(hmp)) {
			hammer_flush_group(hmp);
			quiet = 0;
		} else if (!hmp->hm_clean && ++quiet >= IDLE_CLEAN) {
			hammer_make_clean(hmp);
			quiet = 0;
		}
	}
	spin_lock(&hmp->hm_grpspin);
	hmp->hm_state |= FL_STOPPED;
	spin_unlock(&hmp->hm_grpspin);
	wakeup(&hmp->hm_state);
	lwkt_exit();
}

void
hammer_flusher_init(struct hammer_mount *hmp)
{
	spin_init(&hmp->hm_grpspin, "hmrgrp");
	hmp->hm_group = 1;
	hmp->hm_clean = true;
	hmp->hm_data = hammer_waiter_alloc();
	hmp->hm_hdrimage = kmalloc(HAMMER_HDRIMAGE, &M_HAMMERBUF, M_ZERO);
	hmp->hm_loglimit = MIN(hmp->hm_fifo.ff_size / 2 - 256 * 1024,
	    8ULL * 1024 * 1024);
	hmp->hm_dirtylimit = hmp->hm_maxbufs / 2;
	hmp->hm_closedtid = 0;
	LIST_INIT(&hmp->hm_wios);
}

int
hammer_flusher_start(struct hammer_mount *hmp)
{
	int error;

	hmp->hm_state = FL_RUNNING;
	error = lwkt_create(flusher_main, hmp, &hmp->hm_flusher, TDPRI_KERN, -1,
	    "hammer %s", hmp->hm_root->vol_label);
	if (error == 0)
		lwkt_schedule(hmp->hm_flusher);
	else
		hmp->hm_state = 0;
	return error;
}

/* Stop the thread; the caller may flush by itself then.  Blocks. */
void
hammer_flusher_stop(struct hammer_mount *hmp)
{
	spin_lock(&hmp->hm_grpspin);
	if (!(hmp->hm_state & FL_RUNNING)) {
		spin_unlock(&hmp->hm_grpspin);
		return;
	}
	hmp->hm_state |= FL_STOP;
	spin_unlock(&hmp->hm_grpspin);
	wakeup(&hmp->hm_wanted);
	spin_lock(&hmp->hm_grpspin);
	while (!(hmp->hm_state & FL_STOPPED)) {
		ssleep(&hmp->hm_state, &hmp->hm_grpspin, 0, "hmrstp", 0);
		spin_lock(&hmp->hm_grpspin);
	}
	hmp->hm_state = 0;
	spin_unlock(&hmp->hm_grpspin);
}

/* ---- waiting --------------------------------------------------------------- */

static int
wait_done(struct hammer_mount *hmp, uint64_t group)
{
	int error;

	hammer_flusher_kick(hmp, group);
	spin_lock(&hmp->hm_grpspin);
	while (hmp->hm_done < group && hmp->hm_error == 0) {
		ssleep(&hmp->hm_done, &hmp->hm_grpspin, 0, "hmrsyn", 0);
		spin_lock(&hmp->hm_grpspin);
	}
	error = hmp->hm_done >= group ? 0 : EIO;
	spin_unlock(&hmp->hm_grpspin);
	return error;
}

/* Is everything durable that has been done so far? */
static bool
all_done(struct hammer_mount *hmp)
{
	bool done;

	lock_shared(&hmp->hm_lock);
	done = hmp->hm_ndirty == 0 && !hmp->hm_hdrdirty;
	if (done) {
		spin_lock(&hmp->hm_grpspin);
		done = hmp->hm_done + 1 == hmp->hm_group &&
		    hmp->hm_error == 0 && hmp->hm_committed == hmp->hm_tid;
		spin_unlock(&hmp->hm_grpspin);
	}
	lock_release(&hmp->hm_lock);
	return done;
}

/* A transaction that has ended is in the open group or an earlier one. */
int
hammer_sync(struct hammer_mount *hmp, bool wait, hammer_tid_t *committed)
{
	int error = 0;

	if (!(hmp->hm_state & FL_RUNNING))
		error = hmp->hm_error;
	else if (!wait)
		hammer_flusher_kick(hmp, __atomic_load_n(&hmp->hm_group,
		    __ATOMIC_ACQUIRE));
	else if (!all_done(hmp))
		error = wait_done(hmp, __atomic_load_n(&hmp->hm_group,
		    __ATOMIC_ACQUIRE));
	if (committed != NULL)
		*committed = hammer_committed(hmp);
	return error;
}

/* If tid went with the group that is being written, that is enough: its tid is
 * read before the number of the open group. */
int
hammer_group_wait(struct hammer_mount *hmp, hammer_tid_t tid)
{
	hammer_tid_t closed;
	uint64_t group;

	if (hammer_committed(hmp) >= tid)
		return 0;
	closed = __atomic_load_n(&hmp->hm_closedtid, __ATOMIC_ACQUIRE);
	group = __atomic_load_n(&hmp->hm_group, __ATOMIC_ACQUIRE);
	return wait_done(hmp, tid <= closed ? group - 1 : group);
}

hammer_tid_t
hammer_committed(struct hammer_mount *hmp)
{
	return __atomic_load_n(&hmp->hm_committed, __ATOMIC_ACQUIRE);
}
