/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pipes: a ring of bytes between descriptors.
 *
 *     tail            head
 *  ----|===============|-----------    (mod PIPE_SIZE, free running)
 *
 * I1  head - tail <= PIPE_SIZE; both move under pi_lock only.
 * I2  A write of up to PIPE_ATOMIC bytes goes in as a whole or waits.
 * I3  Bytes are copied to and from user memory under pi_lock, which is a
 *     sleeping lock: a page fault may happen there, on a page that is no
 *     pipe's.
 * I4  pi_rwait and pi_wwait say that a wakeup is owed.  Sleepers set them under
 *     pi_lock, after tsleep_interlock().
 */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/fdesc.h>
#include <sys/malloc.h>
#include <sys/pipe.h>
#include <sys/proc.h>
#include <sys/signal.h>
#include <sys/syscall.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <sys/uio.h>

static MALLOC_DEFINE(M_PIPE, "pipes");

int	sys_pipe(struct syscall_args *);
int	sys_pipe2(struct syscall_args *);

static uint64_t pipe_inos;

struct pipe *
pipe_alloc(void)
{
	struct pipe *pi = kmalloc(sizeof(*pi), &M_PIPE, M_WAITOK | M_ZERO);
	nsec_t now = clock_wall_ns();

	pi->pi_refs = 1;
	lock_init(&pi->pi_lock, "pipe");
	poll_queue_init(&pi->pi_poll);
	pi->pi_time.tv_sec = (int64_t)(now / NSEC_PER_SEC);
	pi->pi_time.tv_nsec = (int64_t)(now % NSEC_PER_SEC);
	pi->pi_ino = atomic_fetch_add(&pipe_inos, 1) + 1;
	return pi;
}

void
pipe_ref(struct pipe *pi)
{
	atomic_fetch_add(&pi->pi_refs, 1);
}

void
pipe_rele(struct pipe *pi)
{
	if (atomic_fetch_sub(&pi->pi_refs, 1) > 1)
		return;
	kfree(pi->pi_buf, &M_PIPE);
	kfree(pi, &M_PIPE);
}

/* Something changed: whoever waits looks again.  pi_lock held. */
static void
pipe_wake(struct pipe *pi, bool readers, bool writers)
{
	if (readers && pi->pi_rwait) {
		pi->pi_rwait = false;
		wakeup(&pi->pi_rwait);
	}
	if (writers && pi->pi_wwait) {
		pi->pi_wwait = false;
		wakeup(&pi->pi_wwait);
	}
	if (!LIST_EMPTY(&pi->pi_poll.pq_list))
		poll_wakeup(&pi->pi_poll);
}

/* Sleep until *flag's wakeup; pi_lock is released and taken again. */
static int
pipe_sleep(struct pipe *pi, bool *flag)
{
	int error;

	tsleep_interlock(flag);
	*flag = true;
	lock_release(&pi->pi_lock);
	error = tsleep(flag, PCATCH | PINTERLOCKED, "pipe", 0);
	lock_excl(&pi->pi_lock);
	return error;
}

void
pipe_open(struct pipe *pi, int fflags)
{
	lock_excl(&pi->pi_lock);
	if ((fflags & O_ACCMODE) != O_WRONLY)
		pi->pi_readers++, pi->pi_ropens++;
	if ((fflags & O_ACCMODE) != O_RDONLY)
		pi->pi_writers++, pi->pi_wopens++;
	wakeup(&pi->pi_readers);
	pipe_wake(pi, true, true);
	lock_release(&pi->pi_lock);
}

void
pipe_close(struct pipe *pi, int fflags)
{
	lock_excl(&pi->pi_lock);
	if ((fflags & O_ACCMODE) != O_WRONLY)
		pi->pi_readers--;
	if ((fflags & O_ACCMODE) != O_RDONLY)
		pi->pi_writers--;
	KKASSERT(pi->pi_readers >= 0 && pi->pi_writers >= 0);
	if (pi->pi_readers == 0 && pi->pi_writers == 0)
		pi->pi_tail = pi->pi_head;	/* a FIFO starts empty again */
	pipe_wake(pi, true, true);
	lock_release(&pi->pi_lock);
}

/* Move n bytes at ring position pos (it may wrap). */
static int
pipe_copy(struct pipe *pi, uint32_t pos, uint32_t n, struct uio *uio)
{
	uint32_t at = pos % PIPE_SIZE, first = MIN(n, PIPE_SIZE - at);
	int error = uiomove(pi->pi_buf + at, first, uio);

	if (error == 0 && n > first)
		error = uiomove(pi->pi_buf, n - first, uio);
	return error;
}

int
pipe_read(struct pipe *pi, struct uio *uio, int fflags)
{
	uint64_t resid = uio->uio_resid;
	uint32_t n;
	int error = 0;

	if (resid == 0)
		return 0;
	lock_excl(&pi->pi_lock);
	while (pi->pi_head == pi->pi_tail) {
		if (pi->pi_writers == 0)
			goto out;
		error = (fflags & O_NONBLOCK) ? EAGAIN :
		    pipe_sleep(pi, &pi->pi_rwait);
		if (error != 0)
			goto out;
	}
	n = (uint32_t)MIN((uint64_t)(pi->pi_head - pi->pi_tail), resid);
	error = pipe_copy(pi, pi->pi_tail, n, uio);
	pi->pi_tail += (uint32_t)(resid - uio->uio_resid);
	if (resid != uio->uio_resid)
		pipe_wake(pi, false, true);
out:
	lock_release(&pi->pi_lock);
	return error;
}

int
pipe_write(struct pipe *pi, struct uio *uio, int fflags)
{
	bool whole = uio->uio_resid <= PIPE_ATOMIC;
	uint64_t resid;
	uint32_t room, n;
	int error = 0;

	lock_excl(&pi->pi_lock);
	while (uio->uio_resid > 0) {
		if (pi->pi_readers == 0) {
			error = EPIPE;
			break;
		}
		if (pi->pi_buf == NULL)
			pi->pi_buf = kmalloc(PIPE_SIZE, &M_PIPE, M_WAITOK);
		room = PIPE_SIZE - (pi->pi_head - pi->pi_tail);
		if (room == 0 || (whole && room < uio->uio_resid)) {
			error = (fflags & O_NONBLOCK) ? EAGAIN :
			    pipe_sleep(pi, &pi->pi_wwait);
			if (error != 0)
				break;
			continue;
		}
		n = (uint32_t)MIN((uint64_t)room, uio->uio_resid);
		resid = uio->uio_resid;
		error = pipe_copy(pi, pi->pi_head, n, uio);
		pi->pi_head += (uint32_t)(resid - uio->uio_resid);
		pipe_wake(pi, true, false);
		if (error != 0)
			break;
	}
	lock_release(&pi->pi_lock);
	return error;
}

int
pipe_poll(struct pipe *pi, int fflags, int events, struct poll_waiter *pw)
{
	int mode = fflags & O_ACCMODE, r = 0;

	lock_excl(&pi->pi_lock);
	if (mode != O_WRONLY) {
		if (pi->pi_head != pi->pi_tail)
			r |= POLLIN | POLLRDNORM;
		if (pi->pi_writers == 0 && pi->pi_wopens > 0)
			r |= POLLHUP;
	}
	if (mode != O_RDONLY) {
		if (PIPE_SIZE - (pi->pi_head - pi->pi_tail) >= PIPE_ATOMIC)
			r |= POLLOUT | POLLWRNORM;
		if (pi->pi_readers == 0)
			r |= POLLERR;
	}
	r &= events | POLLHUP | POLLERR;
	if (r == 0 && pw != NULL)
		poll_queue_add(&pi->pi_poll, pw);
	lock_release(&pi->pi_lock);
	return r;
}

int
pipe_ioctl(struct pipe *pi, uint64_t cmd, uint64_t uarg, int64_t *result)
{
	int32_t n;

	if (cmd != 0x541b)			/* FIONREAD */
		return ENOTTY;
	lock_excl(&pi->pi_lock);
	n = (int32_t)(pi->pi_head - pi->pi_tail);
	lock_release(&pi->pi_lock);
	*result = 0;
	return copyout(&n, uarg, sizeof(n));
}

/* ---- the files that pipe(2) makes ---- */

static int
pipe_fo_read(struct file *fp, struct uio *uio, bool useoff)
{
	return useoff ? ESPIPE : pipe_read(fp->f_data, uio,
	    (int)fp->f_flags);
}

static int
pipe_fo_write(struct file *fp, struct uio *uio, bool useoff)
{
	return useoff ? ESPIPE : pipe_write(fp->f_data, uio,
	    (int)fp->f_flags);
}

static int
pipe_fo_ioctl(struct file *fp, uint64_t cmd, uint64_t uarg, int64_t *result)
{
	return pipe_ioctl(fp->f_data, cmd, uarg, result);
}

static int
pipe_fo_poll(struct file *fp, int events, struct poll_waiter *pw)
{
	return pipe_poll(fp->f_data, (int)fp->f_flags, events, pw);
}

static int
pipe_fo_stat(struct file *fp, struct vattr *va)
{
	struct pipe *pi = fp->f_data;

	memset(va, 0, sizeof(*va));
	va->va_mode = S_IFIFO | 0600;
	va->va_uid = fp->f_cred->cr_uid;
	va->va_gid = fp->f_cred->cr_gid;
	va->va_nlink = 1;
	va->va_ino = pi->pi_ino;
	va->va_fsdev = makedev(0, 8);
	va->va_blksize = PIPE_ATOMIC;
	va->va_atime = va->va_mtime = va->va_ctime = pi->pi_time;
	return 0;
}

static void
pipe_fo_close(struct file *fp)
{
	struct pipe *pi = fp->f_data;

	pipe_close(pi, (int)fp->f_flags);
	pipe_rele(pi);
}

static const struct file_ops pipe_file_ops = {
	.fo_name = "pipe",
	.fo_read = pipe_fo_read,
	.fo_write = pipe_fo_write,
	.fo_ioctl = pipe_fo_ioctl,
	.fo_poll = pipe_fo_poll,
	.fo_stat = pipe_fo_stat,
	.fo_close = pipe_fo_close,
};

static int
do_pipe(vm_offset_t ufds, uint32_t flags)
{
	struct file *rf, *wf;
	struct pipe *pi;
	int32_t fds[2];
	bool cloexec = (flags & O_CLOEXEC) != 0;
	int error;

	if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return EINVAL;
	if (flags & O_DIRECT)
		return EOPNOTSUPP;	/* packet mode */
	pi = pipe_alloc();
	pipe_open(pi, O_RDWR);
	pipe_ref(pi);
	rf = file_alloc(&pipe_file_ops, pi, O_RDONLY | (flags & O_NONBLOCK),
	    curcred());
	wf = file_alloc(&pipe_file_ops, pi, O_WRONLY | (flags & O_NONBLOCK),
	    curcred());
	error = fd_install(rf, 0, cloexec, &fds[0]);
	if (error != 0) {
		file_rele(rf);
		file_rele(wf);
		return error;
	}
	error = fd_install(wf, 0, cloexec, &fds[1]);
	if (error != 0) {
		fd_close(fds[0]);
		file_rele(wf);
		return error;
	}
	error = copyout(fds, ufds, sizeof(fds));
	if (error != 0) {
		fd_close(fds[0]);
		fd_close(fds[1]);
	}
	return error;
}

int
sys_pipe(struct syscall_args *sa)
{
	sa->result = 0;
	return do_pipe(sa->a[0], 0);
}

int
sys_pipe2(struct syscall_args *sa)
{
	sa->result = 0;
	return do_pipe(sa->a[0], (uint32_t)sa->a[1]);
}
