/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disk layer: the registry of disks and slices, and the way of a request.
 *
 *   bio_submit() -> checks, slice start added -> driver -> bio_complete()
 *	-> slice start taken off, statistics -> bio_done
 *
 * D1  A driver sees requests that lie inside its disk and are whole sectors.
 * D2  A request is completed exactly once, whoever answers it.
 * D3  d_claims and d_writers exclude each other, over a disk and its slices:
 *     what is mounted cannot be opened for writing, and the other way round.
 */
#include <sys/atomic.h>
#include <sys/dev.h>
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/lock.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include "disk.h"

MALLOC_DEFINE(M_DISK, "disk");

struct lock disks_lock;
static TAILQ_HEAD(, disk) disks = TAILQ_HEAD_INITIALIZER(disks);
static uint32_t disks_made;

enum { DISK_MAJOR = 254, DISK_MINORS = 64, DISK_BOUNCE = 65536,
       DISK_GONE_POLL_NS = 1000000 };

/* Requests completed in an interrupt of this CPU. [its CPU, critical section]*/
struct done_queue {
	TAILQ_HEAD(, bio) dq_bios;
} __attribute__((__aligned__(CACHE_LINE)));

static struct done_queue done_queues[MAXCPU];
static void	done_start(void);

void
disk_init(void)
{
	lock_init(&disks_lock, "disks");
	done_start();
}

/* ---- requests ---- */

void
bio_init(struct bio *bio, struct disk *dp, enum bio_cmd cmd, off_t offset,
    void *data, size_t len)
{
	memset(bio, 0, sizeof(*bio));
	bio->bio_cmd = cmd;
	bio->bio_disk = dp;
	bio->bio_offset = offset;
	bio->bio_length = len;
	bio->bio_segs = bio->bio_inline;
	if (data != NULL) {
		KKASSERT(len <= UINT32_MAX);
		bio->bio_nsegs = 1;
		bio->bio_inline[0].bs_data = data;
		bio->bio_inline[0].bs_len = (uint32_t)len;
	}
}

static int
bio_check(const struct disk *dp, const struct bio *bio)
{
	if (bio->bio_cmd == BIO_FLUSH)
		return 0;
	if (bio->bio_offset < 0 || bio->bio_length == 0 ||
	    ((uint64_t)bio->bio_offset | bio->bio_length) % dp->d_sector != 0)
		return EINVAL;
	if ((uint64_t)bio->bio_offset > dp->d_size ||
	    bio->bio_length > dp->d_size - (uint64_t)bio->bio_offset)
		return EIO;
	if (dp->d_readonly && bio->bio_cmd != BIO_READ)
		return EROFS;
	return 0;
}

void
bio_submit(struct bio *bio)
{
	struct disk *dp = bio->bio_disk;
	struct disk *whole = dp->d_whole != NULL ? dp->d_whole : dp;
	int error = bio_check(dp, bio);

	bio->bio_error = 0;
	bio->bio_offset += dp->d_start;
	if (error == 0)
		error = disk_injected(dp, bio);
	if (error != 0)
		bio_complete(bio, error);
	else
		whole->d_ops->do_strategy(whole, bio);
}

/* A wait for one request: on the waiter's stack, so the flag is set last and
 * the wakeup is by an address that nobody dereferences. */
static void
bio_wait_done(struct bio *bio)
{
	void *ident = bio->bio_caller1;

	atomic_store((int *)bio->bio_caller2, 1);
	wakeup(ident);
}

/*
 * Call bio_done.  In an interrupt it goes to a thread of this CPU, because
 * bio_done may take locks; the wakeup of bio_wait() need not.
 */
static void
bio_finish(struct bio *bio)
{
	struct done_queue *dq;

	if (mycpu->gd_intr_nesting == 0 || bio->bio_done == bio_wait_done) {
		bio->bio_done(bio);
		return;
	}
	crit_enter();
	dq = &done_queues[mycpu->gd_cpuid];
	TAILQ_INSERT_TAIL(&dq->dq_bios, bio, bio_queue);
	wakeup(dq);
	crit_exit();
}

static void
done_thread(void *arg)
{
	struct done_queue *dq = arg;
	struct bio *bio;

	for (;;) {
		tsleep_interlock(dq);
		crit_enter();
		bio = TAILQ_FIRST(&dq->dq_bios);
		if (bio != NULL)
			TAILQ_REMOVE(&dq->dq_bios, bio, bio_queue);
		crit_exit();
		if (bio == NULL) {
			tsleep(dq, PINTERLOCKED, "biodone", 0);
			continue;
		}
		tsleep_remove();
		bio->bio_done(bio);
	}
}

static void
done_start(void)
{
	struct done_queue *dq;
	struct thread *td;
	int cpu;

	for (cpu = 0; cpu < ncpus; cpu++) {
		dq = &done_queues[cpu];
		TAILQ_INIT(&dq->dq_bios);
		lwkt_create(done_thread, dq, &td, TDPRI_INT, cpu, "biodone%d",
		    cpu);
		lwkt_schedule(td);
	}
}

void
bio_complete(struct bio *bio, int error)
{
	struct disk *dp = bio->bio_disk;

	bio->bio_offset -= dp->d_start;
	bio->bio_error = error;
	if (error != 0)
		atomic_fetch_add(&dp->d_errors, 1);
	switch (bio->bio_cmd) {
	case BIO_READ:
		atomic_fetch_add(&dp->d_reads, 1);
		atomic_fetch_add(&dp->d_read_bytes, bio->bio_length);
		break;
	case BIO_WRITE:
		atomic_fetch_add(&dp->d_writes, 1);
		atomic_fetch_add(&dp->d_write_bytes, bio->bio_length);
		break;
	case BIO_FLUSH:
		atomic_fetch_add(&dp->d_flushes, 1);
		break;
	case BIO_DISCARD:
		break;
	}
	bio_finish(bio);
}

int
bio_wait(struct bio *bio)
{
	int done = 0;

	bio->bio_caller1 = bio;
	bio->bio_caller2 = &done;
	bio->bio_done = bio_wait_done;
	bio_submit(bio);
	for (;;) {
		tsleep_interlock(bio);
		if (atomic_load(&done))
			break;
		tsleep(bio, PINTERLOCKED, "bio", 0);
	}
	tsleep_remove();
	return bio->bio_error;
}

int
disk_rw(struct disk *dp, enum bio_cmd cmd, off_t offset, void *data,
    size_t len)
{
	uint8_t *bounce = kmalloc(MIN(len, (size_t)DISK_BOUNCE), &M_DISK,
	    M_WAITOK);
	uint8_t *p = data;
	struct bio bio;
	int error = 0;

	while (len > 0 && error == 0) {
		size_t n = MIN(len, (size_t)DISK_BOUNCE);

		if (cmd == BIO_WRITE)
			memcpy(bounce, p, n);
		bio_init(&bio, dp, cmd, offset, bounce, n);
		error = bio_wait(&bio);
		if (cmd == BIO_READ && error == 0)
			memcpy(p, bounce, n);
		offset = (off_t)((uint64_t)offset + n);
		p += n;
		len -= n;
	}
	kfree(bounce, &M_DISK);
	return error;
}

int
disk_flush(struct disk *dp)
{
	struct bio bio;

	bio_init(&bio, dp, BIO_FLUSH, 0, NULL, 0);
	return bio_wait(&bio);
}

/* ---- registry ---- */

static struct disk *
disk_find(const char *name)
{
	struct disk *dp;

	TAILQ_FOREACH(dp, &disks, d_list)
		if (strcmp(dp->d_name, name) == 0)
			return dp;
	return NULL;
}

static int
disk_add(struct disk *dp)
{
	int error;

	lock_excl(&disks_lock);
	if (disk_find(dp->d_name) != NULL) {
		lock_release(&disks_lock);
		return EEXIST;
	}
	if (dp->d_whole == NULL)
		dp->d_dev = makedev(DISK_MAJOR, disks_made++ * DISK_MINORS);
	else
		dp->d_dev = dp->d_whole->d_dev + (dev_t)dp->d_slice;
	TAILQ_INSERT_TAIL(&disks, dp, d_list);
	lock_release(&disks_lock);
	error = disk_dev_create(dp);
	if (error != 0) {
		lock_excl(&disks_lock);
		TAILQ_REMOVE(&disks, dp, d_list);
		lock_release(&disks_lock);
	}
	return error;
}

static void
disk_slice_add(struct disk *whole, int number, off_t start, uint64_t size)
{
	struct disk *dp = kmalloc(sizeof(*dp), &M_DISK, M_WAITOK | M_ZERO);

	ksnprintf(dp->d_name, sizeof(dp->d_name), "%ss%d", whole->d_name,
	    number);
	dp->d_size = size;
	dp->d_sector = whole->d_sector;
	dp->d_readonly = whole->d_readonly;
	dp->d_whole = whole;
	dp->d_start = start;
	dp->d_slice = number;
	if (disk_add(dp) != 0) {
		kprintf("%s: no room for its device node\n", dp->d_name);
		kfree(dp, &M_DISK);
	}
}

int
disk_register(struct disk *dp)
{
	int error;

	if (dp->d_sector < 512 || dp->d_sector > PAGE_SIZE ||
	    (dp->d_sector & (dp->d_sector - 1)) != 0)
		return EINVAL;
	dp->d_size = rounddown2(dp->d_size, (uint64_t)dp->d_sector);
	dp->d_whole = NULL;
	dp->d_start = 0;
	dp->d_slice = 0;
	error = disk_add(dp);
	if (error != 0)
		return error;
	error = disk_slices_probe(dp, disk_slice_add);
	if (error != 0)
		kprintf("%s: cannot read its slice table, error %d\n",
		    dp->d_name, error);
	return 0;
}

/* Take the slices of a whole disk away.  They are not in use (the caller has
 * checked) or the disk itself is gone. */
static void
disk_slices_remove(struct disk *whole)
{
	struct disk *dp, *next;

	for (;;) {
		lock_excl(&disks_lock);
		dp = NULL;
		TAILQ_FOREACH_SAFE(dp, &disks, d_list, next)
			if (dp->d_whole == whole)
				break;
		if (dp != NULL)
			TAILQ_REMOVE(&disks, dp, d_list);
		lock_release(&disks_lock);
		if (dp == NULL)
			return;
		disk_dev_destroy(dp);
		while (atomic_load(&dp->d_refs) > 0)
			tsleep(&dp->d_refs, 0, "diskgo", DISK_GONE_POLL_NS);
		disk_inject(dp, 0, 0, 0, 0, 0);
		kfree(dp, &M_DISK);
	}
}

void
disk_unregister(struct disk *dp)
{
	disk_slices_remove(dp);
	lock_excl(&disks_lock);
	TAILQ_REMOVE(&disks, dp, d_list);
	lock_release(&disks_lock);
	disk_dev_destroy(dp);
	while (atomic_load(&dp->d_refs) > 0)
		tsleep(&dp->d_refs, 0, "diskgo", DISK_GONE_POLL_NS);
	disk_inject(dp, 0, 0, 0, 0, 0);
}

/* Do a and b share sectors: the same, or a disk and its slice? */
static bool
disk_related(const struct disk *a, const struct disk *b)
{
	return a == b || a->d_whole == b || b->d_whole == a;
}

static bool
disk_in_use(struct disk *dp, bool claims, bool writers)
{
	struct disk *o;

	TAILQ_FOREACH(o, &disks, d_list)
		if (disk_related(dp, o) && ((claims && o->d_claims > 0) ||
		    (writers && o->d_writers > 0)))
			return true;
	return false;
}

int
disk_reprobe(struct disk *dp)
{
	if (dp->d_whole != NULL)
		return EINVAL;
	lock_excl(&disks_lock);
	if (disk_in_use(dp, true, false)) {
		lock_release(&disks_lock);
		return EBUSY;
	}
	lock_release(&disks_lock);
	disk_slices_remove(dp);
	return disk_slices_probe(dp, disk_slice_add);
}

int
disk_claim(struct disk *dp)
{
	int error = EBUSY;

	lock_excl(&disks_lock);
	if (!disk_in_use(dp, true, true)) {
		dp->d_claims++;
		error = 0;
	}
	lock_release(&disks_lock);
	return error;
}

void
disk_unclaim(struct disk *dp)
{
	lock_excl(&disks_lock);
	KKASSERT(dp->d_claims > 0);
	dp->d_claims--;
	lock_release(&disks_lock);
}

int
disk_writer_add(struct disk *dp)
{
	int error = EBUSY;

	lock_excl(&disks_lock);
	if (dp->d_readonly)
		error = EROFS;
	else if (!disk_in_use(dp, true, false)) {
		dp->d_writers++;
		error = 0;
	}
	lock_release(&disks_lock);
	return error;
}

void
disk_writer_remove(struct disk *dp)
{
	lock_excl(&disks_lock);
	KKASSERT(dp->d_writers > 0);
	dp->d_writers--;
	lock_release(&disks_lock);
}

int
disk_get(const char *name, struct disk **dpp)
{
	struct disk *dp;

	lock_shared(&disks_lock);
	dp = disk_find(name);
	if (dp != NULL)
		atomic_fetch_add(&dp->d_refs, 1);
	lock_release(&disks_lock);
	*dpp = dp;
	return dp != NULL ? 0 : ENXIO;
}

void
disk_put(struct disk *dp)
{
	uint32_t before = atomic_fetch_sub(&dp->d_refs, 1);

	KKASSERT(before > 0);
}

int
disk_foreach(int (*fn)(struct disk *, void *), void *arg)
{
	struct disk *dp;
	int rc = 0;

	lock_shared(&disks_lock);
	TAILQ_FOREACH(dp, &disks, d_list)
		if ((rc = fn(dp, arg)) != 0)
			break;
	lock_release(&disks_lock);
	return rc;
}
