/* SPDX-License-Identifier: BSD-2-Clause */
/* open(2) and its kin; in-kernel opens (fp_open). */
#include "sc.h"

int	sys_open(struct syscall_args *);
int	sys_openat(struct syscall_args *);
int	sys_creat(struct syscall_args *);
int	sys_close(struct syscall_args *);
int	sys_close_range(struct syscall_args *);

enum { OPEN_STATUS = O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | O_SYNC |
    O_DIRECT | O_LARGEFILE | O_NOATIME | O_PATH };

/* O_PATH: a place, not an open file. */
static int
open_place(struct kvfs *kv, const char *path, int oflags, struct file **fpp)
{
	struct nchandle nch = { NULL, NULL };
	struct vnode *vp;
	int error = kvfs_lookup(kv, path, (oflags & O_NOFOLLOW) == 0, &nch,
	    &vp);

	if (error != 0)
		return error;
	if ((oflags & O_DIRECTORY) && vp->v_type != VDIR) {
		vn_rele(vp);
		nc_drop(&nch);
		return ENOTDIR;
	}
	*fpp = file_alloc(&vnode_file_ops, vp, O_PATH, kv->kv_cred);
	(*fpp)->f_nch = nch;
	return 0;
}

int
sc_open(struct kvfs *kv, const char *path, int oflags, mode_t mode,
    struct file **fpp)
{
	struct nchandle nch = { NULL, NULL };
	struct vnode *vp;
	int error;

	if (oflags & O_PATH)
		return open_place(kv, path, oflags, fpp);
	if ((oflags & O_TMPFILE) == O_TMPFILE)
		return EOPNOTSUPP;
	if ((oflags & O_ACCMODE) == O_ACCMODE)
		return EINVAL;
	error = kvfs_open(kv, path, oflags, mode, &nch, &vp);
	if (error != 0)
		return error;
	switch (vp->v_type) {
	case VREG:
	case VDIR:
		*fpp = file_alloc(&vnode_file_ops, vp,
		    (uint32_t)(oflags & OPEN_STATUS), kv->kv_cred);
		(*fpp)->f_nch = nch;
		return 0;
	case VCHR:
	case VBLK:
		error = sc_device_open(vp, &nch, oflags & (OPEN_STATUS |
		    O_NOCTTY | O_EXCL), fpp);
		break;
	case VFIFO:
		error = sc_fifo_open(vp, &nch, oflags & OPEN_STATUS, fpp);
		break;
	default:
		error = vp->v_type == VLNK ? ELOOP : ENXIO;
	}
	if (error != 0) {
		kvfs_close(vp, oflags, kv->kv_cred);
		nc_drop(&nch);
	}
	return error;
}

static int
do_open(struct syscall_args *sa, int dirfd, vm_offset_t upath, int oflags,
    mode_t mode)
{
	struct sc_path sp;
	struct file *fp;
	int fd, error;

	error = sc_path(&sp, dirfd, upath, false);
	if (error == 0)
		error = sc_open(&sp.sp_kv, sp.sp_path, oflags,
		    mode & 07777, &fp);
	sc_done(&sp);
	if (error != 0)
		return error;
	error = fd_install(fp, 0, (oflags & O_CLOEXEC) != 0, &fd);
	if (error != 0) {
		file_rele(fp);
		return error;
	}
	sa->result = fd;
	return 0;
}

int
sys_open(struct syscall_args *sa)
{
	return do_open(sa, AT_FDCWD, sa->a[0], (int)sa->a[1],
	    (mode_t)sa->a[2]);
}

int
sys_openat(struct syscall_args *sa)
{
	return do_open(sa, (int)sa->a[0], sa->a[1], (int)sa->a[2],
	    (mode_t)sa->a[3]);
}

int
sys_creat(struct syscall_args *sa)
{
	return do_open(sa, AT_FDCWD, sa->a[0], O_CREAT | O_WRONLY | O_TRUNC,
	    (mode_t)sa->a[1]);
}

int
sys_close(struct syscall_args *sa)
{
	sa->result = 0;
	return fd_close((int)sa->a[0]);
}

int
sys_close_range(struct syscall_args *sa)
{
	uint32_t first = (uint32_t)sa->a[0], last = (uint32_t)sa->a[1];
	uint32_t flags = (uint32_t)sa->a[2];
	struct filedesc *fd = fd_current();
	int n;

	sa->result = 0;
	if (first > last || (flags & ~4u) != 0)	/* CLOSE_RANGE_CLOEXEC */
		return EINVAL;
	for (n = first > INT32_MAX ? -1 : (int)first;
	    n >= 0 && (n = fd_next(fd, n, NULL)) >= 0 && (uint32_t)n <= last;
	    n++) {
		if (flags & 4)
			fd_cloexec(n, 1, NULL);
		else
			fd_close(n);
	}
	return 0;
}

/* ---- files opened by the kernel for itself ---- */

int
fp_open(const char *path, int flags, mode_t mode, struct file **fpp)
{
	struct kvfs kv;
	int error;

	sc_context(&kv);
	error = sc_open(&kv, path, flags, mode, fpp);
	nc_drop(&kv.kv_root);
	nc_drop(&kv.kv_start);
	return error;
}

static int
fp_io(struct file *fp, void *buf, size_t len, off_t off, bool write,
    size_t *done)
{
	struct uio_iov iov;
	struct uio uio;
	int error;

	uio_kernel_init(&uio, &iov, buf, len, off, write);
	error = write ? fp->f_ops->fo_write(fp, &uio, true) :
	    fp->f_ops->fo_read(fp, &uio, true);
	*done = len - (size_t)uio.uio_resid;
	return error;
}

int
fp_read(struct file *fp, void *buf, size_t len, off_t off, size_t *done)
{
	return fp_io(fp, buf, len, off, false, done);
}

int
fp_write(struct file *fp, const void *buf, size_t len, off_t off, size_t *done)
{
	return fp_io(fp, (void *)(uintptr_t)buf, len, off, true, done);
}
