/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of 16 KB metadata buffers: freemap, B-Tree, meta and small data.
 *
 * B1  Contents change under hm_lock held exclusively only, through
 *     hammer_buffer_modify().  A pointer into a buffer is good until the next
 *     modify of it, because modify copies bytes that a writer still needs.
 * B2  Uncommitted bytes are never written in place: a dirty buffer goes to
 *     the disk through the log first (see hammer_flusher.c).
 * B3  Referenced, dirty and carried buffers stay.  The rest is evicted by a
 *     clock when the cache is larger than hm_maxbufs.
 * B4  Whoever looks for a buffer holds hm_lock.  So inside a transaction, which
 *     has it exclusively, the cache needs no hm_bufspin.
 */
#include <sys/atomic.h>

#include "hammer_core.h"

static struct hammer_bufhead *
buf_bucket(struct hammer_mount *hmp, hammer_off_t off)
{
	return &hmp->hm_hash[(off / HAMMER_BUFSIZE) & (HAMMER_BUFHASH - 1)];
}

void
hammer_buffers_init(struct hammer_mount *hmp)
{
	spin_init(&hmp->hm_bufspin, "hmrbuf");
	hmp->hm_hash = kmalloc(sizeof(*hmp->hm_hash) * HAMMER_BUFHASH,
	    &M_HAMMER, M_ZERO);
	TAILQ_INIT(&hmp->hm_bufs);
	TAILQ_INIT(&hmp->hm_dirty);
	TAILQ_INIT(&hmp->hm_carried);
}

struct hammer_bytes *
hammer_bytes_alloc(void)
{
	struct hammer_bytes *bytes;

	bytes = kmalloc(sizeof(*bytes), &M_HAMMER, 0);
	bytes->hb_refs = 1;
	bytes->hb_p = kmalloc(HAMMER_BUFSIZE, &M_HAMMERBUF, 0);
	return bytes;
}

void
hammer_bytes_put(struct hammer_bytes *bytes)
{
	if (__atomic_sub_fetch(&bytes->hb_refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	kfree(bytes->hb_p, &M_HAMMERBUF);
	kfree(bytes, &M_HAMMER);
}

static void
buf_free(struct hammer_buffer *b)
{
	if (b->b_bytes != NULL)
		hammer_bytes_put(b->b_bytes);
	kfree(b, &M_HAMMER);
}

void
hammer_buffers_destroy(struct hammer_mount *hmp)
{
	struct hammer_buffer *b;

	if (hmp->hm_hash == NULL)
		return;
	hmp->hm_rootbuf = NULL;		/* its reference goes with it */
	while ((b = TAILQ_FIRST(&hmp->hm_bufs)) != NULL) {
		TAILQ_REMOVE(&hmp->hm_bufs, b, b_all);
		buf_free(b);
	}
	kfree(hmp->hm_hash, &M_HAMMER);
	hmp->hm_hash = NULL;
}

/*
 * Take one buffer out of a full cache.  hm_bufspin held; returns it unlinked,
 * for the caller to free, or NULL.
 */
static struct hammer_buffer *
buf_evict(struct hammer_mount *hmp)
{
	struct hammer_buffer *b;
	int tries;

	for (tries = 0; tries < 64; tries++) {
		b = TAILQ_FIRST(&hmp->hm_bufs);
		if (b == NULL)
			return NULL;
		TAILQ_REMOVE(&hmp->hm_bufs, b, b_all);
		if (b->b_refs == 0 && !b->b_used &&
		    b->b_state == BUFST_CLEAN && !(b->b_flags & BUF_LOADING)) {
			LIST_REMOVE(b, b_hash);
			hmp->hm_nbufs--;
			return b;
		}
		b->b_used = 0;
		TAILQ_INSERT_TAIL(&hmp->hm_bufs, b, b_all);
	}
	return NULL;
}

static void
cache_lock(struct hammer_mount *hmp)
{
	if (!hmp->hm_inside)
		spin_lock(&hmp->hm_bufspin);
}

static void
cache_unlock(struct hammer_mount *hmp)
{
	if (!hmp->hm_inside)
		spin_unlock(&hmp->hm_bufspin);
}

/* Find, or make an empty one in state LOADING (*created). */
static struct hammer_buffer *
buf_lookup(struct hammer_mount *hmp, hammer_off_t off, bool *created)
{
	struct hammer_buffer *b, *new = NULL, *victim = NULL;

again:
	*created = false;
	cache_lock(hmp);
	LIST_FOREACH(b, buf_bucket(hmp, off), b_hash) {
		if (b->b_off == off)
			break;
	}
	if (b != NULL) {
		hammer_buffer_ref(b);	/* putting takes no lock */
		b->b_used = 1;
		cache_unlock(hmp);
		if (new != NULL)
			buf_free(new);
		return b;
	}
	if (new == NULL) {
		if (hmp->hm_nbufs >= hmp->hm_maxbufs)
			victim = buf_evict(hmp);
		cache_unlock(hmp);
		if (victim != NULL)
			buf_free(victim);
		new = kmalloc(sizeof(*new), &M_HAMMER, M_ZERO);
		new->b_off = off;
		new->b_refs = 1;
		new->b_flags = BUF_LOADING;
		new->b_bytes = hammer_bytes_alloc();
		goto again;
	}
	LIST_INSERT_HEAD(buf_bucket(hmp, off), new, b_hash);
	TAILQ_INSERT_TAIL(&hmp->hm_bufs, new, b_all);
	hmp->hm_nbufs++;
	cache_unlock(hmp);
	*created = true;
	return new;
}

static void
buf_loaded(struct hammer_mount *hmp, struct hammer_buffer *b, bool valid)
{
	spin_lock(&hmp->hm_bufspin);
	b->b_flags = valid ? BUF_VALID : 0;
	spin_unlock(&hmp->hm_bufspin);
	wakeup(b);
}

int
hammer_buffer_get(struct hammer_mount *hmp, hammer_off_t off,
    struct hammer_buffer **bp)
{
	struct hammer_buffer *b;
	bool created;
	int error;

	off = hammer_off_zone2(off) & ~HAMMER_BUFMASK64;
	b = buf_lookup(hmp, off, &created);
	if (!created && (b->b_flags & BUF_VALID)) {
		*bp = b;
		return 0;
	}
	spin_lock(&hmp->hm_bufspin);
	if (!created) {
		while (b->b_flags & BUF_LOADING) {
			ssleep(b, &hmp->hm_bufspin, 0, "hmrbuf", 0);
			spin_lock(&hmp->hm_bufspin);
		}
		/* An earlier read failed: try again ourselves. */
		if (!(b->b_flags & BUF_VALID)) {
			b->b_flags = BUF_LOADING;
			created = true;
		}
	}
	spin_unlock(&hmp->hm_bufspin);
	if (created) {
		hammer_stat(&hmp->hm_st_reads);
		error = hammer_volume_rw(hmp, BIO_READ, off, b->b_bytes->hb_p,
		    HAMMER_BUFSIZE);
		buf_loaded(hmp, b, error == 0);
		if (error != 0) {
			hammer_buffer_put(hmp, b);
			return error;
		}
	}
	*bp = b;
	return 0;
}

int
hammer_buffer_fresh(struct hammer_mount *hmp, hammer_off_t off,
    struct hammer_buffer **bp)
{
	struct hammer_buffer *b;
	struct disk *disk;
	bool created;
	off_t o;
	int error;

	off = hammer_off_zone2(off) & ~HAMMER_BUFMASK64;
	error = hammer_volume_locate(hmp, off, HAMMER_BUFSIZE, &disk, &o);
	if (error != 0)
		return error;
	b = buf_lookup(hmp, off, &created);
	if (!created && !(b->b_flags & BUF_VALID)) {
		/* Being read by someone who should not be: let it end. */
		hammer_buffer_put(hmp, b);
		error = hammer_buffer_get(hmp, off, &b);
		if (error != 0)
			return error;
	}
	if (created) {
		memset(b->b_bytes->hb_p, 0, HAMMER_BUFSIZE);
		buf_loaded(hmp, b, true);
	} else {
		memset(hammer_buffer_modify(hmp, b, off, HAMMER_BUFSIZE), 0,
		    HAMMER_BUFSIZE);
	}
	b->b_checked = 0xff;
	*bp = b;
	return 0;
}

void
hammer_buffer_ref(struct hammer_buffer *b)
{
	__atomic_add_fetch(&b->b_refs, 1, __ATOMIC_RELAXED);
}

void
hammer_buffer_put(struct hammer_mount *hmp, struct hammer_buffer *b)
{
	(void)hmp;
	__atomic_sub_fetch(&b->b_refs, 1, __ATOMIC_RELEASE);
}

/* Bits beg..end-1 of a word. */
static uint64_t
bit_range(uint32_t beg, uint32_t end)
{
	uint64_t hi = end >= 64 ? ~0ULL : (1ULL << end) - 1;

	return hi & ~((1ULL << beg) - 1);
}

void *
hammer_buffer_modify(struct hammer_mount *hmp, struct hammer_buffer *b,
    hammer_off_t off, uint32_t len)
{
	const uint32_t per = HAMMER_NODE_SIZE / HAMMER_GRANULE;
	uint32_t in = off & HAMMER_BUFMASK;
	uint32_t beg = in / HAMMER_GRANULE;
	uint32_t end = (in + len + HAMMER_GRANULE - 1) / HAMMER_GRANULE;
	uint32_t est, w, e;
	struct hammer_bytes *copy;

	if (b->b_state != BUFST_DIRTY) {
		if (b->b_state == BUFST_CARRIED) {
			TAILQ_REMOVE(&hmp->hm_carried, b, b_group);
			hmp->hm_ncarried--;
			hmp->hm_logest += b->b_logest;
		} else {
			b->b_logest = 0;
		}
		b->b_state = BUFST_DIRTY;
		TAILQ_INSERT_TAIL(&hmp->hm_dirty, b, b_group);
		hmp->hm_ndirty++;
	}
	if (__atomic_load_n(&b->b_bytes->hb_refs, __ATOMIC_ACQUIRE) > 1) {
		copy = hammer_bytes_alloc();
		memcpy(copy->hb_p, b->b_bytes->hb_p, HAMMER_BUFSIZE);
		hammer_bytes_put(b->b_bytes);
		b->b_bytes = copy;
		hmp->hm_st_copies++;
	}
	for (w = beg / per; beg < end; w++, beg = e) {
		e = MIN(end, (w + 1) * per);
		b->b_dirty[w] |= bit_range(beg - w * per, e - w * per);
	}
	/* A bound: each piece, its framing, and never more than everything. */
	est = roundup2(len, HAMMER_GRANULE) + 2 * HAMMER_GRANULE;
	est = MIN(est + est / 8, (HAMMER_BUFSIZE + 3072) - b->b_logest);
	b->b_logest += est;
	hmp->hm_logest += est;
	return b->b_bytes->hb_p + in;
}

void
hammer_buffer_forget(struct hammer_mount *hmp, hammer_off_t off, uint64_t len)
{
	struct hammer_buffer *b, *next;
	hammer_off_t end;

	off = hammer_off_zone2(off);
	for (end = off + len; off < end; off += HAMMER_BUFSIZE) {
		spin_lock(&hmp->hm_bufspin);
		LIST_FOREACH_SAFE(b, buf_bucket(hmp, off), b_hash, next) {
			if (b->b_off == off)
				break;
		}
		if (b != NULL && b->b_refs == 0 && b->b_state == BUFST_CLEAN &&
		    !(b->b_flags & BUF_LOADING)) {
			LIST_REMOVE(b, b_hash);
			TAILQ_REMOVE(&hmp->hm_bufs, b, b_all);
			hmp->hm_nbufs--;
		} else {
			if (b != NULL) {
				memset(b->b_lastins, 0, sizeof(b->b_lastins));
				b->b_zone = 0;
			}
			b = NULL;
		}
		spin_unlock(&hmp->hm_bufspin);
		if (b != NULL)
			buf_free(b);
	}
}
