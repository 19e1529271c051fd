/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Named pipes.  The pipe hangs on the vnode while the vnode is referenced by
 * an open (v_fifo, guarded by fifo_lock); opens wait for the other end as
 * POSIX asks.
 */
#include <sys/atomic.h>
#include <sys/pipe.h>
#include <sys/thread.h>

#include "sc.h"

static MALLOC_DEFINE(M_FIFO, "open fifos");

static struct spinlock fifo_lock = SPINLOCK_INITIALIZER("fifo");

struct fifofile {
	struct vnode	*ff_vp;		/* referenced */
	struct pipe	*ff_pipe;	/* referenced */
};

static int
fifo_read(struct file *fp, struct uio *uio, bool useoff)
{
	struct fifofile *ff = fp->f_data;

	return useoff ? ESPIPE : pipe_read(ff->ff_pipe, uio,
	    (int)fp->f_flags);
}

static int
fifo_write(struct file *fp, struct uio *uio, bool useoff)
{
	struct fifofile *ff = fp->f_data;

	return useoff ? ESPIPE : pipe_write(ff->ff_pipe, uio,
	    (int)fp->f_flags);
}

static int
fifo_ioctl(struct file *fp, uint64_t cmd, uint64_t uarg, int64_t *result)
{
	struct fifofile *ff = fp->f_data;

	return pipe_ioctl(ff->ff_pipe, cmd, uarg, result);
}

static int
fifo_poll(struct file *fp, int events, struct poll_waiter *pw)
{
	struct fifofile *ff = fp->f_data;

	return pipe_poll(ff->ff_pipe, (int)fp->f_flags, events, pw);
}

static int
fifo_stat(struct file *fp, struct vattr *va)
{
	struct fifofile *ff = fp->f_data;

	return vn_getattr(ff->ff_vp, va, fp->f_cred);
}

/* Drop an open's hold on the vnode's pipe; the last takes it off.  The vnode
 * has a reference of its own, so the first release never frees. */
static void
fifo_drop(struct vnode *vp, struct pipe *pi)
{
	bool last;

	spin_lock(&fifo_lock);
	pipe_rele(pi);
	last = atomic_load(&pi->pi_refs) == 1;
	if (last)
		vp->v_fifo = NULL;
	spin_unlock(&fifo_lock);
	if (last)
		pipe_rele(pi);
}

static void
fifo_close(struct file *fp)
{
	struct fifofile *ff = fp->f_data;

	pipe_close(ff->ff_pipe, (int)fp->f_flags);
	fifo_drop(ff->ff_vp, ff->ff_pipe);
	vn_rele(ff->ff_vp);
	nc_drop(&fp->f_nch);
	kfree(ff, &M_FIFO);
}

static const struct file_ops fifo_file_ops = {
	.fo_name = "fifo",
	.fo_read = fifo_read,
	.fo_write = fifo_write,
	.fo_ioctl = fifo_ioctl,
	.fo_poll = fifo_poll,
	.fo_stat = fifo_stat,
	.fo_close = fifo_close,
};

/* The vnode's pipe with a reference for this open, made if need be. */
static struct pipe *
fifo_get(struct vnode *vp)
{
	struct pipe *fresh = pipe_alloc(), *pi;

	spin_lock(&fifo_lock);
	if (vp->v_fifo == NULL) {
		vp->v_fifo = fresh;
		fresh = NULL;
	}
	pi = vp->v_fifo;
	pipe_ref(pi);
	spin_unlock(&fifo_lock);
	if (fresh != NULL)
		pipe_rele(fresh);
	return pi;
}

/* Wait until the other end was opened, counting opens, so that one that comes
 * and goes quickly is not missed. */
static int
fifo_wait_peer(struct pipe *pi, int *ends, uint32_t *opens, uint32_t seen)
{
	int error = 0;

	lock_excl(&pi->pi_lock);
	while (*ends == 0 && *opens == seen && error == 0) {
		tsleep_interlock(&pi->pi_readers);
		lock_release(&pi->pi_lock);
		error = tsleep(&pi->pi_readers, PCATCH | PINTERLOCKED,
		    "fifo", 0);
		lock_excl(&pi->pi_lock);
	}
	lock_release(&pi->pi_lock);
	return error;
}

/* Takes over the caller's references on vp and nch when it succeeds. */
int
sc_fifo_open(struct vnode *vp, struct nchandle *nch, int oflags,
    struct file **fpp)
{
	struct pipe *pi = fifo_get(vp);
	int mode = oflags & O_ACCMODE, error = 0;
	uint32_t ropens, wopens;
	struct fifofile *ff;
	struct file *fp;

	lock_excl(&pi->pi_lock);
	if (mode == O_WRONLY && (oflags & O_NONBLOCK) && pi->pi_readers == 0)
		error = ENXIO;
	ropens = pi->pi_ropens;
	wopens = pi->pi_wopens;
	lock_release(&pi->pi_lock);
	if (error == 0) {
		pipe_open(pi, oflags);
		if (mode == O_RDONLY && (oflags & O_NONBLOCK) == 0)
			error = fifo_wait_peer(pi, &pi->pi_writers,
			    &pi->pi_wopens, wopens);
		else if (mode == O_WRONLY && (oflags & O_NONBLOCK) == 0)
			error = fifo_wait_peer(pi, &pi->pi_readers,
			    &pi->pi_ropens, ropens);
		if (error != 0)
			pipe_close(pi, oflags);
	}
	if (error != 0) {
		fifo_drop(vp, pi);
		return error;
	}
	ff = kmalloc(sizeof(*ff), &M_FIFO, M_WAITOK);
	ff->ff_vp = vp;
	ff->ff_pipe = pi;
	fp = file_alloc(&fifo_file_ops, ff, (uint32_t)oflags, curcred());
	fp->f_nch = *nch;
	*fpp = fp;
	return 0;
}
