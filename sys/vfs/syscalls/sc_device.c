/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open device nodes.  The vnode only names the device; the file talks to the
 * cdev, which may be another than the node's (/dev/tty, /dev/ptmx).
 */
#include <sys/dev.h>
#include <sys/disk.h>

#include "sc.h"

static MALLOC_DEFINE(M_DEVFILE, "open devices");

struct devfile {
	struct vnode	*df_vp;		/* referenced */
	struct cdev	*df_cdev;	/* referenced */
};

static int
dev_io(struct file *fp, struct uio *uio, bool useoff, bool write)
{
	struct devfile *df = fp->f_data;
	const struct dev_ops *ops = df->df_cdev->si_ops;
	int (*fn)(struct cdev *, struct uio *, int) =
	    write ? ops->do_write : ops->do_read;
	bool seekable = S_ISBLK(df->df_cdev->si_mode);
	int error;

	if (fn == NULL)
		return EINVAL;
	/* A terminal's reader may sleep for long: no lock, no offset. */
	if (useoff || !seekable)
		return fn(df->df_cdev, uio, (int)fp->f_flags);
	lock_excl(&fp->f_offlock);
	uio->uio_offset = fp->f_offset;
	error = fn(df->df_cdev, uio, (int)fp->f_flags);
	fp->f_offset = uio->uio_offset;
	lock_release(&fp->f_offlock);
	return error;
}

static int
dev_file_read(struct file *fp, struct uio *uio, bool useoff)
{
	return dev_io(fp, uio, useoff, false);
}

static int
dev_file_write(struct file *fp, struct uio *uio, bool useoff)
{
	return dev_io(fp, uio, useoff, true);
}

static int
dev_file_ioctl(struct file *fp, uint64_t cmd, uint64_t uarg, int64_t *result)
{
	struct devfile *df = fp->f_data;

	if (df->df_cdev->si_ops->do_ioctl == NULL)
		return ENOTTY;
	return df->df_cdev->si_ops->do_ioctl(df->df_cdev, cmd, uarg, result);
}

static int
dev_file_poll(struct file *fp, int events, struct poll_waiter *pw)
{
	struct devfile *df = fp->f_data;

	if (df->df_cdev->si_ops->do_poll == NULL)
		return (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM) & events;
	return df->df_cdev->si_ops->do_poll(df->df_cdev, events, pw);
}

static int
dev_file_stat(struct file *fp, struct vattr *va)
{
	struct devfile *df = fp->f_data;
	int error = vn_getattr(df->df_vp, va, fp->f_cred);

	/* isatty(3) and ttyname(3) compare device numbers. */
	if (error == 0)
		va->va_rdev = df->df_cdev->si_dev;
	return error;
}

static int
dev_file_seek(struct file *fp, off_t off, int whence, off_t *result)
{
	struct devfile *df = fp->f_data;
	off_t base = 0;
	int error = 0;

	if (!S_ISBLK(df->df_cdev->si_mode)) {
		/* Memory devices seek and stay where they are. */
		if (df->df_cdev->si_ops->do_poll != NULL)
			return ESPIPE;
		*result = 0;
		return 0;
	}
	lock_excl(&fp->f_offlock);
	if (whence == 1)
		base = fp->f_offset;
	else if (whence == 2)
		base = (off_t)df->df_cdev->si_disk->d_size;
	else if (whence != 0)
		error = EINVAL;
	if (error == 0 && (__builtin_add_overflow(off, base, &off) || off < 0))
		error = EINVAL;
	if (error == 0)
		*result = fp->f_offset = off;
	lock_release(&fp->f_offlock);
	return error;
}

static int
dev_file_sync(struct file *fp, bool datasync __unused)
{
	struct devfile *df = fp->f_data;

	if (df->df_cdev->si_disk == NULL)
		return EINVAL;
	return disk_flush(df->df_cdev->si_disk);
}

static void
dev_file_close(struct file *fp)
{
	struct devfile *df = fp->f_data;

	if (df->df_cdev->si_ops->do_close != NULL)
		df->df_cdev->si_ops->do_close(df->df_cdev, (int)fp->f_flags);
	dev_put(df->df_cdev);
	vn_rele(df->df_vp);
	nc_drop(&fp->f_nch);
	kfree(df, &M_DEVFILE);
}

static const struct file_ops dev_file_ops = {
	.fo_name = "device",
	.fo_read = dev_file_read,
	.fo_write = dev_file_write,
	.fo_ioctl = dev_file_ioctl,
	.fo_poll = dev_file_poll,
	.fo_stat = dev_file_stat,
	.fo_seek = dev_file_seek,
	.fo_sync = dev_file_sync,
	.fo_close = dev_file_close,
};

/* Takes over the caller's references on vp and nch when it succeeds. */
int
sc_device_open(struct vnode *vp, struct nchandle *nch, int oflags,
    struct file **fpp)
{
	struct cdev *cd, *real;
	struct devfile *df;
	struct vattr va;
	struct file *fp;
	int error;

	if (vp->v_mount->mnt_flags & MNT_NODEV)
		return EACCES;
	error = vn_getattr(vp, &va, curcred());
	if (error != 0)
		return error;
	cd = dev_lookup_num(va.va_rdev, vp->v_type == VBLK);
	if (cd == NULL)
		return ENXIO;
	if (cd->si_ops->do_clone != NULL) {
		error = cd->si_ops->do_clone(cd, oflags, &real);
		dev_put(cd);
		if (error != 0)
			return error;
		cd = real;
	}
	if (cd->si_ops->do_open != NULL) {
		error = cd->si_ops->do_open(cd, oflags);
		if (error != 0) {
			dev_put(cd);
			return error;
		}
	}
	df = kmalloc(sizeof(*df), &M_DEVFILE, M_WAITOK);
	df->df_vp = vp;
	df->df_cdev = cd;
	fp = file_alloc(&dev_file_ops, df, (uint32_t)oflags, curcred());
	fp->f_nch = *nch;
	*fpp = fp;
	return 0;
}
