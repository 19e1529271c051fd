/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors: small numbers of a process that stand for open files.
 *
 * F1  A slot of a table owns one reference on its file.  fd_get() takes
 *     another under the table's spinlock, so a close elsewhere cannot pull
 *     the file from under a call that uses it.
 * F2  The last reference runs fo_close() in whatever thread drops it, with no
 *     lock held; it may block.
 * F3  fd_free is a lower bound of the free slots: the lowest free descriptor
 *     is found from it.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/fdesc.h>
#include <sys/file.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <sys/ucred.h>

static MALLOC_DEFINE(M_FILE, "files");
static MALLOC_DEFINE(M_FDESC, "descriptors");

enum { FD_FIRST = 32, FD_LIMIT = 1 << 20 };

struct fd_slot {
	struct file	*fs_file;
	bool		 fs_cloexec;
};

struct filedesc {
	struct spinlock	 fd_spin;
	int32_t		 fd_refs;	/* [a] processes that share it */
	int		 fd_size;	/* [fd_spin] */
	int		 fd_free;	/* [fd_spin] F3 */
	struct fd_slot	*fd_slots;	/* [fd_spin] */
};

/* ---- files ---- */

struct file *
file_alloc(const struct file_ops *ops, void *data, uint32_t flags,
    struct ucred *cred)
{
	struct file *fp = kmalloc(sizeof(*fp), &M_FILE, M_WAITOK | M_ZERO);

	fp->f_refs = 1;
	fp->f_ops = ops;
	fp->f_data = data;
	fp->f_flags = flags;
	fp->f_cred = cred_hold(cred);
	lock_init(&fp->f_offlock, "file offset");
	return fp;
}

void
file_ref(struct file *fp)
{
	atomic_fetch_add(&fp->f_refs, 1);
}

void
file_rele(struct file *fp)
{
	int32_t before = atomic_fetch_sub(&fp->f_refs, 1);

	KKASSERT(before > 0);
	if (before > 1)
		return;
	fp->f_ops->fo_close(fp);
	cred_drop(fp->f_cred);
	kfree(fp, &M_FILE);
}

/* ---- tables ---- */

struct filedesc *
filedesc_alloc(void)
{
	struct filedesc *fd = kmalloc(sizeof(*fd), &M_FDESC,
	    M_WAITOK | M_ZERO);

	spin_init(&fd->fd_spin, "descriptors");
	fd->fd_refs = 1;
	fd->fd_size = FD_FIRST;
	fd->fd_slots = kmalloc(FD_FIRST * sizeof(struct fd_slot), &M_FDESC,
	    M_WAITOK | M_ZERO);
	return fd;
}

struct filedesc *
filedesc_share(struct filedesc *fd)
{
	atomic_fetch_add(&fd->fd_refs, 1);
	return fd;
}

bool
filedesc_shared(const struct filedesc *fd)
{
	return atomic_load(&fd->fd_refs) > 1;
}

/* A table of at least `size` slots holding what `from` holds. */
struct filedesc *
filedesc_copy(struct filedesc *from)
{
	struct filedesc *fd = filedesc_alloc();
	int size, top;

	for (;;) {
		spin_lock(&from->fd_spin);
		for (top = from->fd_size; top > 0; top--)
			if (from->fd_slots[top - 1].fs_file != NULL)
				break;
		size = MAX(top, (int)FD_FIRST);
		if (size <= fd->fd_size)
			break;
		spin_unlock(&from->fd_spin);
		kfree(fd->fd_slots, &M_FDESC);
		fd->fd_slots = kmalloc((size_t)size * sizeof(struct fd_slot),
		    &M_FDESC, M_WAITOK | M_ZERO);
		fd->fd_size = size;
	}
	for (int i = 0; i < top; i++) {
		fd->fd_slots[i] = from->fd_slots[i];
		if (fd->fd_slots[i].fs_file != NULL)
			file_ref(fd->fd_slots[i].fs_file);
	}
	fd->fd_free = from->fd_free;
	spin_unlock(&from->fd_spin);
	return fd;
}

void
filedesc_rele(struct filedesc *fd)
{
	if (atomic_fetch_sub(&fd->fd_refs, 1) > 1)
		return;
	for (int i = 0; i < fd->fd_size; i++)
		if (fd->fd_slots[i].fs_file != NULL) {
			file_closing(fd->fd_slots[i].fs_file);
			file_rele(fd->fd_slots[i].fs_file);
		}
	kfree(fd->fd_slots, &M_FDESC);
	kfree(fd, &M_FDESC);
}

/* Room for slot n.  Called and returns with the lock held, drops it. */
static void
fd_grow(struct filedesc *fd, int n)
{
	while (n >= fd->fd_size) {
		int size = fd->fd_size * 2;
		struct fd_slot *slots, *old;

		while (size <= n)
			size *= 2;
		spin_unlock(&fd->fd_spin);
		slots = kmalloc((size_t)size * sizeof(*slots), &M_FDESC,
		    M_WAITOK | M_ZERO);
		spin_lock(&fd->fd_spin);
		old = slots;
		if (size > fd->fd_size) {
			old = fd->fd_slots;
			memcpy(slots, old, (size_t)fd->fd_size *
			    sizeof(*slots));
			fd->fd_slots = slots;
			fd->fd_size = size;
		}
		spin_unlock(&fd->fd_spin);
		kfree(old, &M_FDESC);
		spin_lock(&fd->fd_spin);
	}
}

/* Take slot n empty; the file it held, with the slot's reference. */
static struct file *
fd_take(struct filedesc *fd, int n)
{
	struct file *fp = fd->fd_slots[n].fs_file;

	fd->fd_slots[n].fs_file = NULL;
	fd->fd_slots[n].fs_cloexec = false;
	if (fp != NULL && n < fd->fd_free)
		fd->fd_free = n;
	return fp;
}

void
filedesc_exec(struct filedesc *fd)
{
	for (int i = 0; i < fd->fd_size; i++) {
		struct file *fp = NULL;

		spin_lock(&fd->fd_spin);
		if (fd->fd_slots[i].fs_cloexec)
			fp = fd_take(fd, i);
		spin_unlock(&fd->fd_spin);
		if (fp != NULL) {
			file_closing(fp);
			file_rele(fp);
		}
	}
}

/* ---- descriptors of the current process ---- */

static inline struct filedesc *
my_fds(void)
{
	struct proc *p = curproc();

	return p != NULL ? p->p_fd : NULL;
}

static int
fd_limit(void)
{
	uint64_t lim = curproc()->p_rlimit[RLIMIT_NOFILE][0];

	return (int)MIN(lim, (uint64_t)FD_LIMIT);
}

int
fd_get(int n, struct file **fpp)
{
	struct filedesc *fd = my_fds();
	struct file *fp = NULL;

	if (fd == NULL)
		return EBADF;
	spin_lock(&fd->fd_spin);
	if (n >= 0 && n < fd->fd_size &&
	    (fp = fd->fd_slots[n].fs_file) != NULL)
		file_ref(fp);
	spin_unlock(&fd->fd_spin);
	*fpp = fp;
	return fp != NULL ? 0 : EBADF;
}

/* On success the slot has the caller's reference. */
int
fd_install(struct file *fp, int minfd, bool cloexec, int *out)
{
	struct filedesc *fd = my_fds();
	int n, limit;

	if (fd == NULL)
		return EBADF;
	limit = fd_limit();
	if (minfd < 0 || minfd >= limit)
		return EINVAL;
	spin_lock(&fd->fd_spin);
	n = MAX(minfd, fd->fd_free);
	for (;;) {
		while (n < fd->fd_size && fd->fd_slots[n].fs_file != NULL)
			n++;
		if (n >= limit) {
			spin_unlock(&fd->fd_spin);
			return EMFILE;
		}
		if (n < fd->fd_size)
			break;
		fd_grow(fd, n);		/* drops the lock: look again */
		n = MAX(minfd, fd->fd_free);
	}
	fd->fd_slots[n].fs_file = fp;
	fd->fd_slots[n].fs_cloexec = cloexec;
	if (fd->fd_free >= minfd)	/* all below n are taken */
		fd->fd_free = n + 1;
	spin_unlock(&fd->fd_spin);
	*out = n;
	return 0;
}

int
fd_install_at(struct file *fp, int n, bool cloexec)
{
	struct filedesc *fd = my_fds();
	struct file *old;

	if (fd == NULL || n < 0 || n >= fd_limit())
		return EBADF;
	spin_lock(&fd->fd_spin);
	fd_grow(fd, n);
	old = fd->fd_slots[n].fs_file;
	fd->fd_slots[n].fs_file = fp;
	fd->fd_slots[n].fs_cloexec = cloexec;
	spin_unlock(&fd->fd_spin);
	if (old != NULL) {
		file_closing(old);
		file_rele(old);
	}
	return 0;
}

int
fd_close(int n)
{
	struct filedesc *fd = my_fds();
	struct file *fp = NULL;
	int error;

	if (fd == NULL)
		return EBADF;
	spin_lock(&fd->fd_spin);
	if (n >= 0 && n < fd->fd_size)
		fp = fd_take(fd, n);
	spin_unlock(&fd->fd_spin);
	if (fp == NULL)
		return EBADF;
	error = file_closing(fp);
	file_rele(fp);
	return error;
}

int
fd_cloexec(int n, int set, bool *was)
{
	struct filedesc *fd = my_fds();
	int error = EBADF;

	if (fd == NULL)
		return EBADF;
	spin_lock(&fd->fd_spin);
	if (n >= 0 && n < fd->fd_size && fd->fd_slots[n].fs_file != NULL) {
		if (was != NULL)
			*was = fd->fd_slots[n].fs_cloexec;
		if (set >= 0)
			fd->fd_slots[n].fs_cloexec = set;
		error = 0;
	}
	spin_unlock(&fd->fd_spin);
	return error;
}

int
fd_next(struct filedesc *fd, int from, struct file **fpp)
{
	int n = -1;

	spin_lock(&fd->fd_spin);
	for (int i = MAX(from, 0); i < fd->fd_size; i++)
		if (fd->fd_slots[i].fs_file != NULL) {
			n = i;
			if (fpp != NULL) {
				*fpp = fd->fd_slots[i].fs_file;
				file_ref(*fpp);
			}
			break;
		}
	spin_unlock(&fd->fd_spin);
	return n;
}

struct filedesc *
fd_current(void)
{
	return my_fds();
}

int (*file_closing_hook)(struct file *);

int
file_closing(struct file *fp)
{
	return file_closing_hook != NULL ? file_closing_hook(fp) : 0;
}
