/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes in the background: of shared 16 KB bytes, and of memory given away.
 *
 * I1  A waiter counts the writes that were started with it, plus one for its
 *     owner, who is the only one to sleep on it, in hammer_waiter_finish().
 * I2  A data write is on hm_wios until its bytes are on the disk, so a reader
 *     finds them there or on the disk, never neither.  The memory lives until
 *     the last such reader has copied it.
 */
#include <sys/atomic.h>
#include <sys/disk.h>

#include "hammer_core.h"

struct hammer_waiter *
hammer_waiter_alloc(void)
{
	struct hammer_waiter *w;

	w = kmalloc(sizeof(*w), &M_HAMMER, M_ZERO);
	w->w_count = 1;
	return w;
}

static void
waiter_drop(struct hammer_waiter *w)
{
	/* The owner may free w as soon as it sees 1: wake the address only. */
	if (__atomic_sub_fetch(&w->w_count, 1, __ATOMIC_ACQ_REL) == 1)
		wakeup(w);
}

int
hammer_waiter_finish(struct hammer_waiter *w)
{
	int error;

	for (;;) {
		tsleep_interlock(w);
		if (__atomic_load_n(&w->w_count, __ATOMIC_ACQUIRE) == 1)
			break;
		tsleep(w, PINTERLOCKED, "hmrio", 0);
	}
	tsleep_remove();
	error = w->w_error;
	kfree(w, &M_HAMMER);
	return error;
}

static void
wio_drop(struct hammer_wio *wio)
{
	if (__atomic_sub_fetch(&wio->wio_refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	if (wio->wio_bytes != NULL)
		hammer_bytes_put(wio->wio_bytes);
	kfree(wio->wio_mem, &M_HAMMERBUF);
	kfree(wio, &M_HAMMER);
}

static void
wio_done(struct bio *bio)
{
	struct hammer_wio *wio = bio->bio_caller1;
	struct hammer_mount *hmp = wio->wio_hmp;
	struct hammer_waiter *w = wio->wio_waiter;

	if (bio->bio_error != 0) {
		kprintf("hammer: %s: write error %d\n", bio->bio_disk->d_name,
		    bio->bio_error);
		__atomic_store_n(&w->w_error, bio->bio_error, __ATOMIC_RELAXED);
	}
	if (wio->wio_off != 0) {
		spin_lock(&hmp->hm_grpspin);
		LIST_REMOVE(wio, wio_list);
		spin_unlock(&hmp->hm_grpspin);
		__atomic_sub_fetch(&hmp->hm_inflight, wio->wio_len,
		    __ATOMIC_RELAXED);
		wakeup(&hmp->hm_inflight);
	}
	wio_drop(wio);
	waiter_drop(w);
}

static void
wio_submit(struct hammer_wio *wio, struct disk *disk, off_t off, void *data,
    uint32_t len)
{
	wio->wio_refs = 1;
	__atomic_add_fetch(&wio->wio_waiter->w_count, 1, __ATOMIC_RELAXED);
	bio_init(&wio->wio_bio, disk, BIO_WRITE, off, data, len);
	wio->wio_bio.bio_done = wio_done;
	wio->wio_bio.bio_caller1 = wio;
	bio_submit(&wio->wio_bio);
}

/* Write a buffer's bytes in place.  Takes a reference for the while. */
int
hammer_write_bytes(struct hammer_mount *hmp, struct hammer_waiter *w,
    hammer_off_t off, struct hammer_bytes *bytes)
{
	struct hammer_wio *wio;
	struct disk *disk;
	off_t o;
	int error;

	error = hammer_volume_locate(hmp, off, HAMMER_BUFSIZE, &disk, &o);
	if (error != 0)
		return error;
	wio = kmalloc(sizeof(*wio), &M_HAMMER, M_ZERO);
	wio->wio_hmp = hmp;
	wio->wio_waiter = w;
	wio->wio_bytes = bytes;
	__atomic_add_fetch(&bytes->hb_refs, 1, __ATOMIC_RELAXED);
	wio_submit(wio, disk, o, bytes->hb_p, HAMMER_BUFSIZE);
	return 0;
}

int
hammer_write_mem(struct hammer_mount *hmp, struct hammer_waiter *w,
    hammer_off_t off, void *mem, uint32_t len, bool data)
{
	struct hammer_wio *wio;
	struct disk *disk;
	off_t o;
	int error;

	error = hammer_volume_locate(hmp, off, len, &disk, &o);
	if (error != 0) {
		kfree(mem, &M_HAMMERBUF);
		return error;
	}
	wio = kmalloc(sizeof(*wio), &M_HAMMER, M_ZERO);
	wio->wio_hmp = hmp;
	wio->wio_waiter = w;
	wio->wio_mem = mem;
	wio->wio_len = len;
	if (data) {
		wio->wio_off = off;
		__atomic_add_fetch(&hmp->hm_inflight, len, __ATOMIC_RELAXED);
		spin_lock(&hmp->hm_grpspin);
		LIST_INSERT_HEAD(&hmp->hm_wios, wio, wio_list);
		spin_unlock(&hmp->hm_grpspin);
	}
	wio_submit(wio, disk, o, mem, len);
	return 0;
}

bool
hammer_write_peek(struct hammer_mount *hmp, hammer_off_t off, void *dst,
    uint32_t len)
{
	struct hammer_wio *wio;

	if (__atomic_load_n(&hmp->hm_inflight, __ATOMIC_ACQUIRE) == 0)
		return false;
	spin_lock(&hmp->hm_grpspin);
	LIST_FOREACH(wio, &hmp->hm_wios, wio_list) {
		if (off >= wio->wio_off &&
		    off + len <= wio->wio_off + wio->wio_len) {
			__atomic_add_fetch(&wio->wio_refs, 1, __ATOMIC_RELAXED);
			break;
		}
	}
	spin_unlock(&hmp->hm_grpspin);
	if (wio == NULL)
		return false;
	memcpy(dst, (char *)wio->wio_mem + (off - wio->wio_off), len);
	wio_drop(wio);
	return true;
}
