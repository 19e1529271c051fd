/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The callers' side of each operation: build the message, send it, take the
 * results out.  All of them block.
 *
 * Locks on entry, still held on return:
 *   names      the handles (both of a rename) locked exclusively; directories
 *              and objects referenced, their v_lock free
 *   WRITE, SETATTR, ALLOCATE   taken here: v_lock exclusively
 *   others     the vnode referenced; FSYNC takes v_lock itself where it needs
 *              it, so that a flusher can work for the one who waits
 *
 * EROFS is decided here for every operation that writes; the filesystem
 * decides ENOSPC, EIO, EMLINK, ENOTEMPTY.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <vm/vm_object.h>

#include "vfs_core.h"

static inline void
start_name(struct vop_msg *msg, enum vop_op op, const struct nchandle *nch,
    struct vnode *dvp, struct ucred *cred)
{
	vop_start(msg, dvp->v_mount, op, cred);
	msg->vm_dvp = dvp;
	msg->vm_nch = *nch;
}

static inline void
start_vp(struct vop_msg *msg, enum vop_op op, struct vnode *vp,
    struct ucred *cred)
{
	vop_start(msg, vp->v_mount, op, cred);
	msg->vm_vp = vp;
}

/* nch unresolved.  0, ENOENT (now negative), EIO (still unresolved). */
int
vop_nresolve(const struct nchandle *nch, struct vnode *dvp, struct ucred *cred)
{
	struct vop_msg msg;

	start_name(&msg, VOP_NRESOLVE, nch, dvp, cred);
	return vop_do(&msg);
}

int
vop_nlookupdotdot(struct vnode *dvp, struct vnode **vpp, struct ucred *cred)
{
	struct vop_msg msg;
	int error;

	start_vp(&msg, VOP_NLOOKUPDOTDOT, dvp, cred);
	msg.vm_dvp = dvp;
	msg.u.dotdot.vp = NULL;
	error = vop_do(&msg);
	*vpp = error ? NULL : msg.u.dotdot.vp;
	return error;
}

static int
do_create(enum vop_op op, const struct nchandle *nch, struct vnode *dvp,
    const struct vattr *vap, const char *target, struct vnode **vpp,
    struct ucred *cred)
{
	struct vop_msg msg;
	int error;

	start_name(&msg, op, nch, dvp, cred);
	msg.u.create.vap = vap;
	msg.u.create.target = target;
	msg.u.create.vp = NULL;
	error = vop_do(&msg);
	*vpp = error ? NULL : msg.u.create.vp;
	return error;
}

/* nch negative, dvp a directory; *vpp gets a reference. */
int
vop_ncreate(const struct nchandle *nch, struct vnode *dvp,
    const struct vattr *vap, struct vnode **vpp, struct ucred *cred)
{
	return do_create(VOP_NCREATE, nch, dvp, vap, NULL, vpp, cred);
}

int
vop_nmkdir(const struct nchandle *nch, struct vnode *dvp,
    const struct vattr *vap, struct vnode **vpp, struct ucred *cred)
{
	return do_create(VOP_NMKDIR, nch, dvp, vap, NULL, vpp, cred);
}

int
vop_nmknod(const struct nchandle *nch, struct vnode *dvp,
    const struct vattr *vap, struct vnode **vpp, struct ucred *cred)
{
	return do_create(VOP_NMKNOD, nch, dvp, vap, NULL, vpp, cred);
}

int
vop_nsymlink(const struct nchandle *nch, struct vnode *dvp,
    const struct vattr *vap, const char *target, struct vnode **vpp,
    struct ucred *cred)
{
	return do_create(VOP_NSYMLINK, nch, dvp, vap, target, vpp, cred);
}

/* nch negative; vp on the same mount, not a directory. */
int
vop_nlink(const struct nchandle *nch, struct vnode *dvp, struct vnode *vp,
    struct ucred *cred)
{
	struct vop_msg msg;

	start_name(&msg, VOP_NLINK, nch, dvp, cred);
	msg.u.link.vp = vp;
	return vop_do(&msg);
}

static int
do_remove(enum vop_op op, const struct nchandle *nch, struct vnode *dvp,
    struct vnode *vp, struct ucred *cred)
{
	struct vop_msg msg;

	start_name(&msg, op, nch, dvp, cred);
	msg.u.remove.vp = vp;
	return vop_do(&msg);
}

int
vop_nremove(const struct nchandle *nch, struct vnode *dvp, struct vnode *vp,
    struct ucred *cred)
{
	return do_remove(VOP_NREMOVE, nch, dvp, vp, cred);
}

int
vop_nrmdir(const struct nchandle *nch, struct vnode *dvp, struct vnode *vp,
    struct ucred *cred)
{
	return do_remove(VOP_NRMDIR, nch, dvp, vp, cred);
}

/* All on one mount; tvp of a fitting type or NULL; not the same object; tdvp
 * not inside fvp; mnt_renamelock held when fvp or tvp is a directory. */
int
vop_nrename(const struct nchandle *fnch, struct vnode *fdvp, struct vnode *fvp,
    const struct nchandle *tnch, struct vnode *tdvp, struct vnode *tvp,
    int flags, struct ucred *cred)
{
	struct vop_msg msg;

	start_name(&msg, VOP_NRENAME, fnch, fdvp, cred);
	msg.u.rename.tnch = *tnch;
	msg.u.rename.tdvp = tdvp;
	msg.u.rename.fvp = fvp;
	msg.u.rename.tvp = tvp;
	msg.u.rename.flags = flags;
	return vop_do(&msg);
}

int
vop_open(struct vnode *vp, int fflags, struct ucred *cred)
{
	struct vop_msg msg;

	if (vp->v_mount->mnt_vops[VOP_OPEN] == NULL)
		return 0;
	start_vp(&msg, VOP_OPEN, vp, cred);
	msg.u.open.fflags = fflags;
	return vop_do(&msg);
}

int
vop_close(struct vnode *vp, int fflags, struct ucred *cred)
{
	struct vop_msg msg;

	if (vp->v_mount->mnt_vops[VOP_CLOSE] == NULL)
		return 0;
	start_vp(&msg, VOP_CLOSE, vp, cred);
	msg.u.open.fflags = fflags;
	return vop_do(&msg);
}

int
vop_getattr(struct vnode *vp, struct vattr *vap, struct ucred *cred)
{
	struct vop_msg msg;

	start_vp(&msg, VOP_GETATTR, vp, cred);
	msg.u.attr.vap = vap;
	return vop_do(&msg);
}

int
vop_setattr(struct vnode *vp, const struct vattr *vap, struct ucred *cred)
{
	struct vop_msg msg;
	int error;

	start_vp(&msg, VOP_SETATTR, vp, cred);
	msg.u.attr.vap = (struct vattr *)vap;
	lock_excl(&vp->v_lock);
	error = vop_do(&msg);
	lock_release(&vp->v_lock);
	return error;
}

/* One operation: *off is where to write, out: where it began (IO_APPEND). */
int
vop_write(struct vnode *vp, const void *buf, size_t len, off_t *off,
    int ioflags, struct ucred *cred, size_t *done)
{
	struct vop_msg msg;
	int error;

	start_vp(&msg, VOP_WRITE, vp, cred);
	msg.u.io.buf = (void *)buf;
	msg.u.io.len = len;
	msg.u.io.off = *off;
	msg.u.io.ioflags = ioflags;
	msg.u.io.done = 0;
	lock_excl(&vp->v_lock);
	if (ioflags & IO_APPEND)
		msg.u.io.off = (off_t)atomic_load_relaxed(&vp->v_size);
	error = vop_do(&msg);
	lock_release(&vp->v_lock);
	*off = msg.u.io.off;
	*done = msg.u.io.done;
	return error;
}

int
vop_read(struct vnode *vp, void *buf, size_t len, off_t off,
    struct ucred *cred, size_t *done)
{
	struct vop_msg msg;
	int error;

	start_vp(&msg, VOP_READ, vp, cred);
	msg.u.io.buf = buf;
	msg.u.io.len = len;
	msg.u.io.off = off;
	msg.u.io.ioflags = 0;
	msg.u.io.done = 0;
	error = vop_do(&msg);
	*done = msg.u.io.done;
	return error;
}

int
vop_readdir(struct vnode *vp, off_t cookie, vop_dirent_fn *fn, void *arg,
    bool *eof, struct ucred *cred)
{
	struct vop_msg msg;
	int error;

	start_vp(&msg, VOP_READDIR, vp, cred);
	msg.u.readdir.cookie = cookie;
	msg.u.readdir.fn = fn;
	msg.u.readdir.arg = arg;
	msg.u.readdir.eof = false;
	error = vop_do(&msg);
	if (eof != NULL)
		*eof = msg.u.readdir.eof;
	return error;
}

int
vop_readlink(struct vnode *vp, char *buf, size_t size, size_t *len,
    struct ucred *cred)
{
	struct vop_msg msg;
	int error;

	start_vp(&msg, VOP_READLINK, vp, cred);
	msg.u.readlink.buf = buf;
	msg.u.readlink.size = size;
	msg.u.readlink.len = 0;
	error = vop_do(&msg);
	*len = msg.u.readlink.len;
	return error;
}

/* Pages busy and invalid; on success all are valid, on error none is. */
int
vop_getpages(struct vnode *vp, struct vm_page **pages, int count)
{
	struct vop_msg msg;
	int error, i;

	start_vp(&msg, VOP_GETPAGES, vp, kernel_cred);
	msg.u.pages.pages = pages;
	msg.u.pages.count = count;
	error = vop_do(&msg);
	for (i = 0; i < count && error == 0; i++)
		vm_page_setflags(pages[i], VMP_VALID, 0);
	return error;
}

/* The page busy and valid.  On success the caller marks it dirty with
 * vm_object_mark_dirty() and the vnode with vn_mark_dirty().  ENOSPC. */
int
vop_mkwrite(struct vnode *vp, struct vm_page *pg)
{
	struct vop_msg msg;

	start_vp(&msg, VOP_MKWRITE, vp, kernel_cred);
	msg.u.pages.pages = &pg;
	msg.u.pages.count = 1;
	return vop_do(&msg);
}

int
vop_fsync(struct vnode *vp, bool datasync, bool wait, struct ucred *cred)
{
	struct vop_msg msg;

	start_vp(&msg, VOP_FSYNC, vp, cred);
	msg.u.fsync.datasync = datasync;
	msg.u.fsync.wait = wait;
	return vop_do(&msg);
}

int
vop_ioctl(struct vnode *vp, uint64_t cmd, void *data, size_t len, int fflags,
    int64_t *result, struct ucred *cred)
{
	struct vop_msg msg;
	int error;

	start_vp(&msg, VOP_IOCTL, vp, cred);
	msg.u.ioctl.cmd = cmd;
	msg.u.ioctl.data = data;
	msg.u.ioctl.len = len;
	msg.u.ioctl.fflags = fflags;
	msg.u.ioctl.result = 0;
	error = vop_do(&msg);
	*result = msg.u.ioctl.result;
	return error;
}

int
vop_allocate(struct vnode *vp, int mode, off_t off, uint64_t len,
    struct ucred *cred)
{
	struct vop_msg msg;
	int error;

	start_vp(&msg, VOP_ALLOCATE, vp, cred);
	msg.u.alloc.mode = mode;
	msg.u.alloc.off = off;
	msg.u.alloc.len = len;
	lock_excl(&vp->v_lock);
	error = vop_do(&msg);
	lock_release(&vp->v_lock);
	return error;
}

int
vop_inactive(struct vnode *vp)
{
	struct vop_msg msg;

	start_vp(&msg, VOP_INACTIVE, vp, kernel_cred);
	return vop_do(&msg);
}

int
vop_reclaim(struct vnode *vp)
{
	struct vop_msg msg;

	start_vp(&msg, VOP_RECLAIM, vp, kernel_cred);
	return vop_do(&msg);
}
