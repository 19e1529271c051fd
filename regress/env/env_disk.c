/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The test disk: see env.h.
 *
 *	submitted -> [queue] -> completed -> [cache] -> flushed -> base
 *
 * ed_view is what a reader sees: base with every completed write applied, in
 * order of completion.  ed_base is what is durable.
 *
 * X1  ed_cache holds the writes that are in ed_view and not yet in ed_base, in
 *     order of completion, with their data.
 * X2  A flush moves to ed_base what had completed when it was submitted.
 * X3  A survivor is base, and over it, in order, a seeded choice of sectors of
 *     the cache, of the queue's writes, and of the write that was cut.
 */
#include <sys/atomic.h>
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <platform/vkernel/host.h>
#include "env.h"
#include "env_private.h"

enum { SECTOR = 512, LATE_NS = 200 * 1000 };

static MALLOC_DEFINE(M_ENVDISK, "envdisk");

/* A write that is not durable. */
struct cached {
	TAILQ_ENTRY(cached) c_list;
	uint64_t	c_number;
	uint64_t	c_offset, c_length;
	uint8_t		c_data[];
};
TAILQ_HEAD(cached_list, cached);

struct env_disk {
	struct disk	ed_disk;
	struct spinlock	ed_spin;
	int		ed_flags;
	uint64_t	ed_size;
	uint8_t		*ed_view, *ed_base;
	struct cached_list ed_cache;	/* [ed_spin] X1 */
	TAILQ_HEAD(, bio) ed_queue;	/* [ed_spin] submitted */
	int		ed_queued;
	struct bio	*ed_now;	/* [thread] taken off the queue */
	struct bio	*ed_cutting;	/* the write that was cut */
	uint64_t	ed_writes, ed_flushes;
	uint64_t	ed_cut_at;
	bool		ed_cut;
	bool		ed_ending;
	struct thread	*ed_thread;
	struct env_trace *ed_trace;
	size_t		ed_ntrace, ed_maxtrace;
	/* crash children */
	uint64_t	ed_child_first, ed_child_every, ed_children;
	int		ed_child_seeds;
	void		(*ed_check)(struct env_disk *, uint64_t, void *);
	void		*ed_check_arg;
};

/* What the queue remembers of a request, in bio_driver. */
struct ticket {
	uint64_t	t_number;	/* of a write */
	struct cached	*t_mark;	/* flush: last in the cache then */
};

struct disk *
env_disk_disk(struct env_disk *ed)
{
	return &ed->ed_disk;
}

static uint64_t
mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static void
bio_gather(const struct bio *bio, uint8_t *to)
{
	uint32_t i;

	for (i = 0; i < bio->bio_nsegs; i++) {
		memcpy(to, bio->bio_segs[i].bs_data, bio->bio_segs[i].bs_len);
		to += bio->bio_segs[i].bs_len;
	}
}

static void
bio_scatter(const struct bio *bio, const uint8_t *from)
{
	uint32_t i;

	for (i = 0; i < bio->bio_nsegs; i++) {
		memcpy(bio->bio_segs[i].bs_data, from,
		    bio->bio_segs[i].bs_len);
		from += bio->bio_segs[i].bs_len;
	}
}

/* Do a write in the view and put it in the cache. */
static void
do_write(struct env_disk *ed, const struct bio *bio, uint64_t number)
{
	struct cached *c = kmalloc(sizeof(*c) + bio->bio_length, &M_ENVDISK,
	    M_WAITOK);

	c->c_number = number;
	c->c_offset = (uint64_t)bio->bio_offset;
	c->c_length = bio->bio_length;
	bio_gather(bio, c->c_data);
	spin_lock(&ed->ed_spin);
	memcpy(ed->ed_view + c->c_offset, c->c_data, c->c_length);
	TAILQ_INSERT_TAIL(&ed->ed_cache, c, c_list);
	spin_unlock(&ed->ed_spin);
}

static void
do_flush(struct env_disk *ed, struct cached *mark)
{
	struct cached *c;
	bool last = mark == NULL;

	while (!last) {
		spin_lock(&ed->ed_spin);
		c = TAILQ_FIRST(&ed->ed_cache);
		last = c == mark;
		TAILQ_REMOVE(&ed->ed_cache, c, c_list);
		memcpy(ed->ed_base + c->c_offset, c->c_data, c->c_length);
		spin_unlock(&ed->ed_spin);
		kfree(c, &M_ENVDISK);
	}
	atomic_fetch_add(&ed->ed_flushes, 1);
}

/* The end of a cache that an older flush may already have shortened: a mark
 * that is gone means that there is nothing left to do. */
static struct cached *
mark_valid(struct env_disk *ed, struct cached *mark)
{
	struct cached *c;

	spin_lock(&ed->ed_spin);
	TAILQ_FOREACH(c, &ed->ed_cache, c_list)
		if (c == mark)
			break;
	spin_unlock(&ed->ed_spin);
	return c;
}

static void
perform(struct env_disk *ed, struct bio *bio)
{
	struct ticket *t = bio->bio_driver;
	int error = 0;

	if (atomic_load(&ed->ed_cut)) {
		/* For later survivors: it was under way, and is freed now. */
		if (bio->bio_cmd == BIO_WRITE && t->t_number <= ed->ed_cut_at)
			do_write(ed, bio, t->t_number);
		if (ed->ed_cutting == bio)
			ed->ed_cutting = NULL;
		error = EIO;
	} else switch (bio->bio_cmd) {
	case BIO_READ:
		spin_lock(&ed->ed_spin);
		bio_scatter(bio, ed->ed_view + bio->bio_offset);
		spin_unlock(&ed->ed_spin);
		break;
	case BIO_WRITE:
		do_write(ed, bio, t->t_number);
		break;
	case BIO_FLUSH:
		do_flush(ed, mark_valid(ed, t->t_mark));
		break;
	case BIO_DISCARD:
		error = EOPNOTSUPP;
		break;
	}
	kfree(t, &M_ENVDISK);
	bio_complete(bio, error);
}

static struct bio *
queue_take(struct env_disk *ed)
{
	struct bio *bio = TAILQ_FIRST(&ed->ed_queue);
	uint64_t skip = 0;

	if ((ed->ed_flags & ED_INORDER) == 0)
		skip = env_random((uint64_t)ed->ed_queued);
	while (skip-- > 0 && TAILQ_NEXT(bio, bio_queue) != NULL)
		bio = TAILQ_NEXT(bio, bio_queue);
	TAILQ_REMOVE(&ed->ed_queue, bio, bio_queue);
	ed->ed_queued--;
	return bio;
}

static void
disk_thread(void *arg)
{
	struct env_disk *ed = arg;
	struct bio *bio;

	spin_lock(&ed->ed_spin);
	for (;;) {
		if (TAILQ_EMPTY(&ed->ed_queue)) {
			if (ed->ed_ending)
				break;
			ssleep(ed, &ed->ed_spin, 0, "envdisk", 0);
			spin_lock(&ed->ed_spin);
			continue;
		}
		spin_unlock(&ed->ed_spin);
		if (env_random(4) == 0)
			tsleep(&ed->ed_now, 0, "late",
			    1 + env_random(LATE_NS));
		spin_lock(&ed->ed_spin);
		ed->ed_now = bio = queue_take(ed);
		spin_unlock(&ed->ed_spin);
		perform(ed, bio);
		spin_lock(&ed->ed_spin);
		ed->ed_now = NULL;
	}
	ed->ed_thread = NULL;
	wakeup(&ed->ed_thread);
	spin_unlock(&ed->ed_spin);
}

static void
trace_add(struct env_disk *ed, const struct bio *bio, uint64_t number)
{
	struct env_trace *more = NULL;
	size_t max;

	if (ed->ed_ntrace == ed->ed_maxtrace) {
		max = ed->ed_maxtrace * 2 + 64;
		more = kmalloc(max * sizeof(*more), &M_ENVDISK, M_WAITOK);
		memcpy(more, ed->ed_trace, ed->ed_ntrace * sizeof(*more));
		kfree(ed->ed_trace, &M_ENVDISK);
		ed->ed_trace = more;
		ed->ed_maxtrace = max;
	}
	ed->ed_trace[ed->ed_ntrace++] = (struct env_trace){ number,
	    bio->bio_cmd, (uint64_t)bio->bio_offset, bio->bio_length };
}

static void	crash_children(struct env_disk *, struct bio *, uint64_t n);

static void
env_strategy(struct disk *dp, struct bio *bio)
{
	struct env_disk *ed = dp->d_driver;
	struct ticket *t = kmalloc(sizeof(*t), &M_ENVDISK, M_WAITOK | M_ZERO);

	bio->bio_driver = t;
	if (bio->bio_cmd == BIO_WRITE) {
		t->t_number = atomic_fetch_add(&ed->ed_writes, 1) + 1;
		if (ed->ed_child_every != 0 && !ed->ed_cut)
			crash_children(ed, bio, t->t_number);
		if (t->t_number == ed->ed_cut_at) {
			spin_lock(&ed->ed_spin);
			ed->ed_cutting = bio;
			atomic_store(&ed->ed_cut, true);
			spin_unlock(&ed->ed_spin);
		}
	}
	if (ed->ed_flags & ED_TRACE)
		trace_add(ed, bio, t->t_number);
	spin_lock(&ed->ed_spin);
	t->t_mark = TAILQ_LAST(&ed->ed_cache, cached_list);
	if (ed->ed_flags & ED_SYNC) {
		spin_unlock(&ed->ed_spin);
		perform(ed, bio);
		return;
	}
	TAILQ_INSERT_TAIL(&ed->ed_queue, bio, bio_queue);
	ed->ed_queued++;
	spin_unlock(&ed->ed_spin);
	wakeup(ed);
}

static const struct disk_ops env_ops = { env_strategy };

struct env_disk *
env_disk_create(const char *name, uint64_t size, int flags)
{
	struct env_disk *ed = kmalloc(sizeof(*ed), &M_ENVDISK,
	    M_WAITOK | M_ZERO);

	spin_init(&ed->ed_spin, "envdisk");
	TAILQ_INIT(&ed->ed_cache);
	TAILQ_INIT(&ed->ed_queue);
	ed->ed_flags = flags;
	ed->ed_size = rounddown2(size, (uint64_t)PAGE_SIZE);
	ed->ed_view = host_map(ed->ed_size, PAGE_SIZE);
	ed->ed_base = host_map(ed->ed_size, PAGE_SIZE);
	kstrlcpy(ed->ed_disk.d_name, name, sizeof(ed->ed_disk.d_name));
	ed->ed_disk.d_size = ed->ed_size;
	ed->ed_disk.d_sector = SECTOR;
	ed->ed_disk.d_readonly = (flags & ED_READONLY) != 0;
	ed->ed_disk.d_ops = &env_ops;
	ed->ed_disk.d_driver = ed;
	lwkt_create(disk_thread, ed, &ed->ed_thread, TDPRI_INT, -1, "%s",
	    name);
	lwkt_schedule(ed->ed_thread);
	if (disk_register(&ed->ed_disk) != 0) {
		ed->ed_disk.d_ops = NULL;
		env_disk_destroy(ed);
		return NULL;
	}
	return ed;
}

void
env_disk_destroy(struct env_disk *ed)
{
	struct cached *c;

	if (ed->ed_disk.d_ops != NULL)
		disk_unregister(&ed->ed_disk);
	spin_lock(&ed->ed_spin);
	ed->ed_ending = true;
	wakeup(ed);
	while (ed->ed_thread != NULL) {
		ssleep(&ed->ed_thread, &ed->ed_spin, 0, "edgone", 0);
		spin_lock(&ed->ed_spin);
	}
	spin_unlock(&ed->ed_spin);
	while ((c = TAILQ_FIRST(&ed->ed_cache)) != NULL) {
		TAILQ_REMOVE(&ed->ed_cache, c, c_list);
		kfree(c, &M_ENVDISK);
	}
	host_unmap(ed->ed_view, ed->ed_size);
	host_unmap(ed->ed_base, ed->ed_size);
	kfree(ed->ed_trace, &M_ENVDISK);
	kfree(ed, &M_ENVDISK);
}

void
env_disk_cut_at(struct env_disk *ed, uint64_t n)
{
	ed->ed_cut_at = n;
}

void
env_disk_cut_now(struct env_disk *ed)
{
	atomic_store(&ed->ed_cut, true);
}

bool
env_disk_is_cut(struct env_disk *ed)
{
	return atomic_load(&ed->ed_cut);
}

uint64_t
env_disk_writes(struct env_disk *ed)
{
	return atomic_load(&ed->ed_writes);
}

uint64_t
env_disk_flushes(struct env_disk *ed)
{
	return atomic_load(&ed->ed_flushes);
}

/* Which sectors of one write survive: all, none, or some. */
static void
survive(struct env_disk *to, uint64_t seed, uint64_t number, uint64_t off,
    uint64_t len, const uint8_t *data)
{
	uint64_t r = mix(seed * 0x9e3779b97f4a7c15ULL + number), i;

	for (i = 0; i < len; i += SECTOR) {
		switch (r & 3) {
		case 0:			/* lost */
			return;
		case 1:			/* torn */
			if (mix(r + i) & 1)
				continue;
			break;
		}
		memcpy(to->ed_base + off + i, data + i, SECTOR);
	}
}

static void
survive_bio(struct env_disk *to, uint64_t seed, struct bio *bio)
{
	struct ticket *t = bio->bio_driver;
	uint8_t *data;

	if (bio->bio_cmd != BIO_WRITE)
		return;
	data = kmalloc(bio->bio_length, &M_ENVDISK, M_WAITOK);
	bio_gather(bio, data);
	survive(to, seed, t->t_number, (uint64_t)bio->bio_offset,
	    bio->bio_length, data);
	kfree(data, &M_ENVDISK);
}

/* Copy what is not zero: an image that is mostly empty stays so. */
static void
copy_sparse(uint8_t *to, const uint8_t *from, uint64_t size)
{
	static const uint8_t zero[PAGE_SIZE];
	uint64_t i;

	for (i = 0; i < size; i += PAGE_SIZE)
		if (memcmp(from + i, zero, PAGE_SIZE) != 0)
			memcpy(to + i, from + i, PAGE_SIZE);
}

/* No request may run meanwhile, except in a stopped world (crash children,
 * deterministic mode) or on a disk that is cut and quiet. */
struct env_disk *
env_disk_survivor(struct env_disk *ed, const char *name, uint64_t seed)
{
	struct env_disk *to = env_disk_create(name, ed->ed_size,
	    ed->ed_flags & ~ED_READONLY);
	struct cached *c;
	struct bio *bio;

	if (to == NULL)
		return NULL;
	copy_sparse(to->ed_base, ed->ed_base, ed->ed_size);
	TAILQ_FOREACH(c, &ed->ed_cache, c_list)
		survive(to, seed, c->c_number, c->c_offset, c->c_length,
		    c->c_data);
	if (ed->ed_now != NULL && ed->ed_now != ed->ed_cutting)
		survive_bio(to, seed, ed->ed_now);
	TAILQ_FOREACH(bio, &ed->ed_queue, bio_queue)
		if (bio != ed->ed_cutting)
			survive_bio(to, seed, bio);
	if (ed->ed_cutting != NULL)
		survive_bio(to, seed, ed->ed_cutting);
	copy_sparse(to->ed_view, to->ed_base, ed->ed_size);
	disk_reprobe(&to->ed_disk);
	return to;
}

struct env_disk *
env_disk_clone(struct env_disk *ed, const char *name)
{
	struct env_disk *to = env_disk_create(name, ed->ed_size,
	    ed->ed_flags);

	if (to == NULL)
		return NULL;
	copy_sparse(to->ed_base, ed->ed_view, ed->ed_size);
	copy_sparse(to->ed_view, ed->ed_view, ed->ed_size);
	disk_reprobe(&to->ed_disk);
	return to;
}

void
env_disk_peek(struct env_disk *ed, uint64_t off, void *buf, size_t len)
{
	KKASSERT(off <= ed->ed_size && len <= ed->ed_size - off);
	memcpy(buf, ed->ed_view + off, len);
}

void
env_disk_poke(struct env_disk *ed, uint64_t off, const void *buf, size_t len)
{
	KKASSERT(off <= ed->ed_size && len <= ed->ed_size - off);
	memcpy(ed->ed_view + off, buf, len);
	memcpy(ed->ed_base + off, buf, len);
}

int
env_disk_save(struct env_disk *ed, const char *path)
{
	int fd, error = host_file_open(path, true, ed->ed_size, &fd, NULL);

	if (error)
		return error;
	error = host_file_write(fd, ed->ed_view, ed->ed_size, 0);
	host_file_close(fd);
	return error;
}

int
env_disk_load(struct env_disk *ed, const char *path)
{
	uint64_t size;
	int fd, error = host_file_open(path, false, 0, &fd, &size);

	if (error)
		return error;
	error = host_file_read(fd, ed->ed_view, MIN(size, ed->ed_size), 0);
	host_file_close(fd);
	copy_sparse(ed->ed_base, ed->ed_view, ed->ed_size);
	if (error == 0)
		disk_reprobe(&ed->ed_disk);
	return error;
}

size_t
env_disk_trace(struct env_disk *ed, const struct env_trace **trace)
{
	*trace = ed->ed_trace;
	return ed->ed_ntrace;
}

/* ---- crash children ---- */

struct child {
	struct env_disk	*ch_disk;
	uint64_t	ch_number, ch_seed;
};

static void
child_thread(void *arg)
{
	struct child *ch = arg;
	struct env_disk *ed = ch->ch_disk, *to;

	env_case_failed = false;
	to = env_disk_survivor(ed, "crash", ch->ch_seed);
	KKASSERT(to != NULL);
	ed->ed_check(to, ch->ch_number, ed->ed_check_arg);
	host_exit(env_case_failed ? 1 : 0);
}

/* In the child: the disk is dead, the writer stands still. */
static void __noreturn
child_run(struct env_disk *ed, struct bio *bio, uint64_t n, uint64_t seed)
{
	struct child ch = { ed, n, seed };
	struct thread *td;

	ed->ed_child_every = 0;
	ed->ed_cutting = bio;
	atomic_store(&ed->ed_cut, true);
	lwkt_create(child_thread, &ch, &td, TDPRI_KERN, -1, "crash");
	lwkt_schedule(td);
	for (;;)
		tsleep(&ch, 0, "crashed", 0);
}

static void
crash_children(struct env_disk *ed, struct bio *bio, uint64_t n)
{
	uint64_t seed;
	int i, pid, status;

	if (n < ed->ed_child_first ||
	    (n - ed->ed_child_first) % ed->ed_child_every != 0)
		return;
	for (i = 0; i < ed->ed_child_seeds; i++) {
		seed = vk_seed() * 1000003 + n * 31 + (uint64_t)i;
		pid = host_fork();
		if (pid == 0)
			child_run(ed, bio, n, seed);
		ed->ed_children++;
		status = host_wait(pid);
		if (status == 0)
			continue;
		env_case_failed = true;
		env_printf("crash at write %lu, survivor %d: child ended "
		    "with %d (seed %lu)\n", (unsigned long)n, i, status,
		    (unsigned long)vk_seed());
	}
}

void
env_disk_crash_children(struct env_disk *ed, uint64_t first, uint64_t every,
    int seeds, void (*check)(struct env_disk *, uint64_t, void *), void *arg)
{
	KKASSERT(vk_deterministic());
	ed->ed_child_first = first;
	ed->ed_child_seeds = seeds;
	ed->ed_check = check;
	ed->ed_check_arg = arg;
	ed->ed_child_every = every;
}

uint64_t
env_disk_children(struct env_disk *ed)
{
	return ed->ed_children;
}
