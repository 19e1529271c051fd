/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open files on regular files, directories and symlinks: f_data is a
 * referenced vnode, f_nch the name it was opened by.
 *
 * V1  A read of cached data takes no vnode lock and sends no message.
 * V2  A write copies user memory into kernel memory first and then sends one
 *     operation for each piece of up to WRITE_PIECE bytes (contract, 1).
 */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <vm/vm_object.h>
#include <vfs/core/vfs_core.h>

#include "sc.h"

enum {
	WRITE_PIECE	= 1 << 20,
	WRITE_SMALL	= 256,		/* bytes copied through the stack */
	FS_IOCTL_MAX	= 16384,	/* what the number can say */
};

static MALLOC_DEFINE(M_BOUNCE, "write buffers");

struct vnode *
file_vnode(struct file *fp)
{
	return fp->f_ops == &vnode_file_ops ? fp->f_data : NULL;
}

/* A read that goes to the filesystem: procfs and such. */
static int
uncached_read(struct vnode *vp, struct uio *uio, struct ucred *cred)
{
	size_t len = MIN(uio->uio_resid, (uint64_t)65536), done;
	char *buf = kmalloc(len, &M_BOUNCE, M_WAITOK);
	int error = vop_read(vp, buf, len, uio->uio_offset, cred, &done);

	if (error == 0)
		error = uiomove(buf, done, uio);
	kfree(buf, &M_BOUNCE);
	return error;
}

static int
vn_file_read(struct file *fp, struct uio *uio, bool useoff)
{
	struct vnode *vp = fp->f_data;
	int error;

	if (vp->v_type == VDIR)
		return EISDIR;
	if (vp->v_type != VREG)
		return EINVAL;
	if (!useoff) {
		lock_excl(&fp->f_offlock);
		uio->uio_offset = fp->f_offset;
	}
	if (uio->uio_resid == 0)
		error = 0;
	else if (vp->v_object == NULL ||
	    (atomic_load_relaxed(&vp->v_flags) & VN_NOCACHE))
		error = uncached_read(vp, uio, fp->f_cred);
	else
		error = vn_uio_read(vp, uio);
	if (!useoff) {
		fp->f_offset = uio->uio_offset;
		lock_release(&fp->f_offlock);
	}
	return error;
}

static int
write_ioflags(const struct file *fp)
{
	int io = 0;

	if (fp->f_flags & O_APPEND)
		io |= IO_APPEND;
	if ((fp->f_flags & O_SYNC) == O_SYNC)
		io |= IO_SYNC;
	else if (fp->f_flags & O_DSYNC)
		io |= IO_DSYNC;
	return io;
}

/* How far the process may let a file grow: *n bytes at off are cut to that.
 * Nothing left: the signal, and EFBIG. */
int
sc_fsize_limit(uint64_t off, uint64_t *n)
{
	struct proc *p = curproc();
	uint64_t limit = p ? p->p_rlimit[RLIMIT_FSIZE][0] : RLIM_INFINITY;

	if (off + *n <= limit)
		return 0;
	if (off < limit) {
		*n = limit - off;
		return 0;
	}
	sig_self(SIGXFSZ);
	return EFBIG;
}

/* V2.  The uio's offset ends behind the last byte written. */
static int
vnode_write(struct vnode *vp, struct uio *uio, int ioflags, struct ucred *cred)
{
	char small[WRITE_SMALL], *buf = small;
	size_t piece = MIN(uio->uio_resid, (uint64_t)WRITE_PIECE);
	uint64_t keep = 0, want = uio->uio_resid;
	int error = 0;

	if (uio->uio_resid > (uint64_t)INT64_MAX - (uint64_t)uio->uio_offset)
		return EFBIG;
	error = sc_fsize_limit((ioflags & IO_APPEND) ?
	    atomic_load_relaxed(&vp->v_size) :
	    (uint64_t)uio->uio_offset, &want);
	if (error != 0)
		return error;
	keep = uio->uio_resid - want;	/* stays unwritten: a short write */
	uio->uio_resid = want;
	if (piece > sizeof(small))
		buf = kmalloc(piece, &M_BOUNCE, M_WAITOK);
	while (uio->uio_resid > 0 && error == 0) {
		size_t n = MIN(uio->uio_resid, (uint64_t)piece), done = 0;
		uint64_t resid = uio->uio_resid;
		off_t off = uio->uio_offset;

		error = uiomove(buf, n, uio);
		n = (size_t)(resid - uio->uio_resid);
		uio->uio_offset = off;
		if (n > 0) {
			int e = vop_write(vp, buf, n, &off, ioflags, cred,
			    &done);

			uio->uio_offset = off + (off_t)done;
			uio->uio_resid += n - done;
			if (e != 0)
				error = e;
			else if (done < n)
				break;
		}
	}
	if (buf != small)
		kfree(buf, &M_BOUNCE);
	uio->uio_resid += keep;
	return error;
}

static int
vn_file_write(struct file *fp, struct uio *uio, bool useoff)
{
	struct vnode *vp = fp->f_data;
	uint64_t resid = uio->uio_resid;
	int error;

	if (vp->v_type == VDIR)
		return EISDIR;
	if (vp->v_type != VREG)
		return EINVAL;
	if (!useoff) {
		lock_excl(&fp->f_offlock);
		uio->uio_offset = fp->f_offset;
	}
	error = resid == 0 ? 0 : vnode_write(vp, uio, write_ioflags(fp),
	    fp->f_cred);
	if (!useoff) {
		fp->f_offset = uio->uio_offset;
		lock_release(&fp->f_offlock);
	}
	return error;
}

/* The filesystem's own ioctls: the size and direction are in the number. */
static int
fs_ioctl(struct file *fp, uint64_t cmd, uint64_t uarg, int64_t *result)
{
	size_t len = (cmd >> 16) & 0x3fff;
	bool in = (cmd >> 30) & 1, out = (cmd >> 31) & 1;
	char *data;
	int error = 0;

	if (len > FS_IOCTL_MAX)
		return ENOTTY;
	data = kmalloc(len + 1, &M_BOUNCE, M_WAITOK | M_ZERO);
	if (in && len > 0)
		error = copyin(uarg, data, len);
	if (error == 0)
		error = vop_ioctl(fp->f_data, cmd, data, len,
		    (int)fp->f_flags, result, fp->f_cred);
	if (error == 0 && out && len > 0)
		error = copyout(data, uarg, len);
	kfree(data, &M_BOUNCE);
	return error == EOPNOTSUPP ? ENOTTY : error;
}

static int
vn_file_ioctl(struct file *fp, uint64_t cmd, uint64_t uarg, int64_t *result)
{
	struct vnode *vp = fp->f_data;
	int32_t n;

	if ((uint32_t)cmd == 0x541b && vp->v_type == VREG) {	/* FIONREAD */
		int64_t left = (int64_t)atomic_load_relaxed(&vp->v_size) -
		    fp->f_offset;

		n = (int32_t)MIN(MAX(left, (int64_t)0), (int64_t)INT32_MAX);
		*result = 0;
		return copyout(&n, uarg, sizeof(n));
	}
	return fs_ioctl(fp, cmd, uarg, result);
}

static int
vn_file_stat(struct file *fp, struct vattr *va)
{
	return vn_getattr(fp->f_data, va, fp->f_cred);
}

static int
vn_file_seek(struct file *fp, off_t off, int whence, off_t *result)
{
	struct vnode *vp = fp->f_data;
	struct vattr va;
	int error = 0;

	lock_excl(&fp->f_offlock);
	switch (whence) {
	case 0:				/* SEEK_SET */
		break;
	case 1:				/* SEEK_CUR */
		if (__builtin_add_overflow(off, fp->f_offset, &off))
			error = EOVERFLOW;
		break;
	case 2:				/* SEEK_END */
		error = vn_getattr(vp, &va, fp->f_cred);
		if (error == 0 && __builtin_add_overflow(off,
		    (off_t)va.va_size, &off))
			error = EOVERFLOW;
		break;
	case 3:				/* SEEK_DATA: all of a file is data */
	case 4:				/* SEEK_HOLE: but for its end */
		error = vn_getattr(vp, &va, fp->f_cred);
		if (error == 0 && (off < 0 || (uint64_t)off >= va.va_size))
			error = ENXIO;
		if (error == 0 && whence == 4)
			off = (off_t)va.va_size;
		break;
	default:
		error = EINVAL;
	}
	if (error == 0 && off < 0)
		error = EINVAL;
	if (error == 0)
		*result = fp->f_offset = off;
	lock_release(&fp->f_offlock);
	return error;
}

static int
vn_file_mmap(struct file *fp, uint64_t off, uint64_t len __unused,
    int prot __unused, int flags __unused, struct vm_object **objp,
    uint64_t *objoff)
{
	struct vnode *vp = fp->f_data;

	if (vp->v_type != VREG || vp->v_object == NULL ||
	    (atomic_load_relaxed(&vp->v_flags) & VN_NOCACHE))
		return ENODEV;
	vm_object_ref(vp->v_object);
	*objp = vp->v_object;
	*objoff = off;
	return 0;
}

static int
vn_file_truncate(struct file *fp, uint64_t size)
{
	struct vnode *vp = fp->f_data;
	struct vattr va;

	uint64_t none = 0;
	int error;

	if (vp->v_type != VREG)
		return EINVAL;
	error = size > atomic_load_relaxed(&vp->v_size) ?
	    sc_fsize_limit(size, &none) : 0;
	if (error != 0)
		return error;
	memset(&va, 0, sizeof(va));
	va.va_mask = VA_SIZE;
	va.va_size = size;
	return vop_setattr(vp, &va, fp->f_cred);
}

static int
vn_file_sync(struct file *fp, bool datasync)
{
	return vop_fsync(fp->f_data, datasync, true, fp->f_cred);
}

static void
vn_file_close(struct file *fp)
{
	struct vnode *vp = fp->f_data;

	sc_lock_file_gone(fp, vp);
	if ((fp->f_flags & O_PATH) == 0)
		kvfs_close(vp, (int)fp->f_flags, fp->f_cred);
	else
		vn_rele(vp);
	nc_drop(&fp->f_nch);
}

const struct file_ops vnode_file_ops = {
	.fo_name = "vnode",
	.fo_read = vn_file_read,
	.fo_write = vn_file_write,
	.fo_ioctl = vn_file_ioctl,
	.fo_stat = vn_file_stat,
	.fo_seek = vn_file_seek,
	.fo_mmap = vn_file_mmap,
	.fo_truncate = vn_file_truncate,
	.fo_sync = vn_file_sync,
	.fo_close = vn_file_close,
};
