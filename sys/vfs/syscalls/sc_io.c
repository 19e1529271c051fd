/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and writing through descriptors.  A call that moved something
 * reports that, not the error that stopped it.
 */
#include "sc.h"

int	sys_read(struct syscall_args *);
int	sys_write(struct syscall_args *);
int	sys_pread64(struct syscall_args *);
int	sys_pwrite64(struct syscall_args *);
int	sys_readv(struct syscall_args *);
int	sys_writev(struct syscall_args *);
int	sys_preadv(struct syscall_args *);
int	sys_pwritev(struct syscall_args *);
int	sys_preadv2(struct syscall_args *);
int	sys_pwritev2(struct syscall_args *);
int	sys_lseek(struct syscall_args *);
int	sys_sendfile(struct syscall_args *);
int	sys_copy_file_range(struct syscall_args *);
int	sys_fsync(struct syscall_args *);
int	sys_fdatasync(struct syscall_args *);
int	sys_ftruncate(struct syscall_args *);
int	sys_fallocate(struct syscall_args *);
int	sys_ioctl(struct syscall_args *);
int	sys_fadvise64(struct syscall_args *);
int	sys_readahead(struct syscall_args *);

static MALLOC_DEFINE(M_IOV, "io vectors");

enum { IOV_MAX = 1024, IOV_FEW = 8, COPY_CHUNK = 65536 };
#define IO_MAX	0x7ffff000ULL		/* bytes in one call, as Linux */

/* A reference on a file that may be read or written. */
static int
io_file(int fd, bool write, struct file **fpp)
{
	int error = fd_get(fd, fpp), mode;

	if (error != 0)
		return error;
	mode = (int)(*fpp)->f_flags & (O_ACCMODE | O_PATH);
	if (mode == O_RDWR || mode == (write ? O_WRONLY : O_RDONLY))
		return 0;
	file_rele(*fpp);
	return EBADF;
}

static int
io_run(struct syscall_args *sa, struct file *fp, struct uio *uio, bool useoff)
{
	uint64_t len = uio->uio_resid;
	int error;

	if (uio->uio_write)
		error = fp->f_ops->fo_write == NULL ? EINVAL :
		    fp->f_ops->fo_write(fp, uio, useoff);
	else
		error = fp->f_ops->fo_read == NULL ? EINVAL :
		    fp->f_ops->fo_read(fp, uio, useoff);
	if (error == EPIPE)
		sig_self(SIGPIPE);
	if (uio->uio_resid != len)
		error = 0;
	sa->result = (int64_t)(len - uio->uio_resid);
	return error;
}

static int
io_simple(struct syscall_args *sa, bool write, bool useoff)
{
	struct uio_iov iov = { sa->a[1], MIN(sa->a[2], IO_MAX) };
	struct uio uio = { .uio_iov = &iov, .uio_iovcnt = 1,
	    .uio_resid = iov.len, .uio_write = write };
	struct file *fp;
	int error;

	if (useoff) {
		uio.uio_offset = (off_t)sa->a[3];
		if (uio.uio_offset < 0)
			return EINVAL;
	}
	error = io_file((int)sa->a[0], write, &fp);
	if (error != 0)
		return error;
	error = io_run(sa, fp, &uio, useoff);
	file_rele(fp);
	return error;
}

int
sys_read(struct syscall_args *sa)
{
	return io_simple(sa, false, false);
}

int
sys_write(struct syscall_args *sa)
{
	return io_simple(sa, true, false);
}

int
sys_pread64(struct syscall_args *sa)
{
	return io_simple(sa, false, true);
}

int
sys_pwrite64(struct syscall_args *sa)
{
	return io_simple(sa, true, true);
}

static int
io_vector(struct syscall_args *sa, bool write, bool useoff, off_t off)
{
	struct uio_iov few[IOV_FEW], *iov = few;
	struct uio uio = { .uio_write = write, .uio_offset = off };
	int n = (int)sa->a[2], error;
	struct file *fp;

	if (n < 0 || n > IOV_MAX || (useoff && off < 0))
		return EINVAL;
	error = io_file((int)sa->a[0], write, &fp);
	if (error != 0)
		return error;
	if (n > IOV_FEW)
		iov = kmalloc((size_t)n * sizeof(*iov), &M_IOV, M_WAITOK);
	error = copyin(sa->a[1], iov, (size_t)n * sizeof(*iov));
	for (int i = 0; i < n && error == 0; i++) {
		if ((int64_t)iov[i].len < 0)
			error = EINVAL;
		iov[i].len = MIN(iov[i].len, IO_MAX - uio.uio_resid);
		uio.uio_resid += iov[i].len;
	}
	uio.uio_iov = iov;
	uio.uio_iovcnt = n;
	if (error == 0)
		error = io_run(sa, fp, &uio, useoff);
	if (iov != few)
		kfree(iov, &M_IOV);
	file_rele(fp);
	return error;
}

int
sys_readv(struct syscall_args *sa)
{
	return io_vector(sa, false, false, 0);
}

int
sys_writev(struct syscall_args *sa)
{
	return io_vector(sa, true, false, 0);
}

int
sys_preadv(struct syscall_args *sa)
{
	return io_vector(sa, false, true, (off_t)sa->a[3]);
}

int
sys_pwritev(struct syscall_args *sa)
{
	return io_vector(sa, true, true, (off_t)sa->a[3]);
}

/* Offset -1: the file's own.  Flags change how, not what: RWF_DSYNC and
 * RWF_SYNC are honoured by a sync afterwards, others are refused. */
static int
io_vector2(struct syscall_args *sa, bool write)
{
	uint32_t flags = (uint32_t)sa->a[5];
	off_t off = (off_t)sa->a[3];
	struct file *fp;
	int error;

	if (flags & ~(write ? 6u : 0u))		/* RWF_DSYNC 2, RWF_SYNC 4 */
		return EOPNOTSUPP;
	error = io_vector(sa, write, off != -1, off == -1 ? 0 : off);
	if (error == 0 && flags != 0 && sa->result > 0) {
		error = fd_get((int)sa->a[0], &fp);
		if (error != 0)
			return error;
		if (fp->f_ops->fo_sync != NULL)
			error = fp->f_ops->fo_sync(fp, (flags & 4) == 0);
		file_rele(fp);
	}
	return error;
}

int
sys_preadv2(struct syscall_args *sa)
{
	return io_vector2(sa, false);
}

int
sys_pwritev2(struct syscall_args *sa)
{
	return io_vector2(sa, true);
}

int
sys_lseek(struct syscall_args *sa)
{
	struct file *fp;
	off_t result;
	int error = fd_get((int)sa->a[0], &fp);

	if (error != 0)
		return error;
	if (fp->f_flags & O_PATH)
		error = EBADF;
	else if (fp->f_ops->fo_seek == NULL)
		error = ESPIPE;
	else
		error = fp->f_ops->fo_seek(fp, (off_t)sa->a[1],
		    (int)sa->a[2], &result);
	if (error == 0)
		sa->result = result;
	file_rele(fp);
	return error;
}

/*
 * Copy between two files through kernel memory.  inoff and outoff: NULL uses
 * and moves the file's own offset.  *done counts what arrived.
 */
static int
file_copy(struct file *in, off_t *inoff, struct file *out, off_t *outoff,
    uint64_t len, uint64_t *done)
{
	char *buf = kmalloc(COPY_CHUNK, &M_IOV, M_WAITOK);
	struct uio_iov iov;
	struct uio uio;
	size_t n, put;
	off_t back;
	int error = 0;

	*done = 0;
	while (len > 0 && error == 0) {
		uio_kernel_init(&uio, &iov, buf, MIN(len, COPY_CHUNK),
		    inoff != NULL ? *inoff : 0, false);
		n = (size_t)uio.uio_resid;
		error = in->f_ops->fo_read(in, &uio, inoff != NULL);
		n -= (size_t)uio.uio_resid;
		if (n == 0)
			break;
		uio_kernel_init(&uio, &iov, buf, n,
		    outoff != NULL ? *outoff : 0, true);
		error = out->f_ops->fo_write(out, &uio, outoff != NULL);
		put = n - (size_t)uio.uio_resid;
		*done += put;
		len -= put;
		if (inoff != NULL)
			*inoff += (off_t)put;
		else if (put < n && in->f_ops->fo_seek != NULL)
			in->f_ops->fo_seek(in, -(off_t)(n - put), 1, &back);
		if (outoff != NULL)
			*outoff += (off_t)put;
		if (put < n)
			break;
	}
	kfree(buf, &M_IOV);
	return *done > 0 ? 0 : error;
}

static int
copyin_off(vm_offset_t uoff, off_t *off, off_t **offp)
{
	int error = 0;

	*offp = NULL;
	if (uoff != 0) {
		error = copyin(uoff, off, sizeof(*off));
		*offp = off;
		if (error == 0 && *off < 0)
			error = EINVAL;
	}
	return error;
}

int
sys_sendfile(struct syscall_args *sa)
{
	struct file *in, *out;
	uint64_t done;
	off_t off, *offp;
	int error;

	error = copyin_off(sa->a[2], &off, &offp);
	if (error != 0)
		return error;
	error = io_file((int)sa->a[1], false, &in);
	if (error != 0)
		return error;
	error = io_file((int)sa->a[0], true, &out);
	if (error == 0) {
		/* As Linux: the source must be mappable; cp and cat fall back
		 * to read(2) on EINVAL. */
		if (in->f_ops->fo_mmap == NULL || out->f_ops->fo_write == NULL)
			error = EINVAL;
		else
			error = file_copy(in, offp, out, NULL,
			    MIN(sa->a[3], IO_MAX), &done);
		if (error == 0 && offp != NULL)
			error = copyout(&off, sa->a[2], sizeof(off));
		if (error == EPIPE)
			sig_self(SIGPIPE);
		if (error == 0)
			sa->result = (int64_t)done;
		file_rele(out);
	}
	file_rele(in);
	return error;
}

int
sys_copy_file_range(struct syscall_args *sa)
{
	struct file *in, *out;
	off_t ioff, ooff, *ip, *op;
	uint64_t done;
	int error;

	if (sa->a[5] != 0)
		return EINVAL;
	error = copyin_off(sa->a[1], &ioff, &ip);
	if (error == 0)
		error = copyin_off(sa->a[3], &ooff, &op);
	if (error != 0)
		return error;
	error = io_file((int)sa->a[0], false, &in);
	if (error != 0)
		return error;
	error = io_file((int)sa->a[2], true, &out);
	if (error == 0) {
		struct vnode *iv = file_vnode(in), *ov = file_vnode(out);

		if (iv == NULL || ov == NULL || iv->v_type != VREG ||
		    ov->v_type != VREG || iv == ov)
			error = EINVAL;
		else if (iv->v_mount != ov->v_mount)
			error = EXDEV;
		else
			error = file_copy(in, ip, out, op,
			    MIN(sa->a[4], IO_MAX), &done);
		if (error == 0 && ip != NULL)
			error = copyout(&ioff, sa->a[1], sizeof(ioff));
		if (error == 0 && op != NULL)
			error = copyout(&ooff, sa->a[3], sizeof(ooff));
		if (error == 0)
			sa->result = (int64_t)done;
		file_rele(out);
	}
	file_rele(in);
	return error;
}

static int
do_fsync(struct syscall_args *sa, bool datasync)
{
	struct file *fp;
	int error = fd_get((int)sa->a[0], &fp);

	if (error != 0)
		return error;
	sa->result = 0;
	if (fp->f_flags & O_PATH)
		error = EBADF;
	else if (fp->f_ops->fo_sync == NULL)
		error = EINVAL;
	else
		error = fp->f_ops->fo_sync(fp, datasync);
	file_rele(fp);
	return error;
}

int
sys_fsync(struct syscall_args *sa)
{
	return do_fsync(sa, false);
}

int
sys_fdatasync(struct syscall_args *sa)
{
	return do_fsync(sa, true);
}

int
sys_ftruncate(struct syscall_args *sa)
{
	struct file *fp;
	int error;

	if ((int64_t)sa->a[1] < 0)
		return EINVAL;
	error = fd_get((int)sa->a[0], &fp);
	if (error != 0)
		return error;
	sa->result = 0;
	if ((fp->f_flags & O_PATH) != 0)
		error = EBADF;
	else if ((fp->f_flags & O_ACCMODE) == O_RDONLY ||
	    fp->f_ops->fo_truncate == NULL)
		error = EINVAL;
	else
		error = fp->f_ops->fo_truncate(fp, sa->a[1]);
	file_rele(fp);
	return error;
}

int
sys_fallocate(struct syscall_args *sa)
{
	struct file *fp;
	struct vnode *vp;
	int error;

	if ((int64_t)sa->a[2] < 0 || (int64_t)sa->a[3] <= 0)
		return EINVAL;
	error = io_file((int)sa->a[0], true, &fp);
	if (error != 0)
		return error;
	sa->result = 0;
	vp = file_vnode(fp);
	if (vp == NULL)
		error = ESPIPE;
	else if (vp->v_type != VREG)
		error = ENODEV;
	else if (sa->a[2] + sa->a[3] > (uint64_t)INT64_MAX)
		error = EFBIG;
	else
		error = vop_allocate(vp, (int)sa->a[1], (off_t)sa->a[2],
		    sa->a[3], fp->f_cred);
	file_rele(fp);
	return error;
}

int
sys_ioctl(struct syscall_args *sa)
{
	uint64_t cmd = (uint32_t)sa->a[1];
	struct file *fp;
	int32_t on;
	int error = fd_get((int)sa->a[0], &fp);

	if (error != 0)
		return error;
	sa->result = 0;
	if (fp->f_flags & O_PATH) {
		error = EBADF;
		goto out;
	}
	switch (cmd) {
	case 0x5421:				/* FIONBIO */
		error = copyin(sa->a[2], &on, sizeof(on));
		if (error == 0 && on != 0)
			__atomic_fetch_or(&fp->f_flags, O_NONBLOCK,
			    __ATOMIC_SEQ_CST);
		else if (error == 0)
			__atomic_fetch_and(&fp->f_flags,
			    ~(uint32_t)O_NONBLOCK, __ATOMIC_SEQ_CST);
		break;
	case 0x5450:				/* FIONCLEX */
	case 0x5451:				/* FIOCLEX */
		error = fd_cloexec((int)sa->a[0], cmd == 0x5451, NULL);
		break;
	default:
		error = fp->f_ops->fo_ioctl == NULL ? ENOTTY :
		    fp->f_ops->fo_ioctl(fp, cmd, sa->a[2], &sa->result);
	}
out:
	file_rele(fp);
	return error;
}

/* Advice changes nothing that a program can see: checked, then taken as heard. */
static int
advise(struct syscall_args *sa)
{
	struct file *fp;
	int error = fd_get((int)sa->a[0], &fp);

	if (error != 0)
		return error;
	sa->result = 0;
	if (fp->f_ops->fo_seek == NULL)
		error = ESPIPE;
	file_rele(fp);
	return error;
}

int
sys_fadvise64(struct syscall_args *sa)
{
	if (sa->a[3] > 5)
		return EINVAL;
	return advise(sa);
}

int
sys_readahead(struct syscall_args *sa)
{
	return advise(sa);
}
