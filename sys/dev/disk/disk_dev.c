/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block device nodes: /dev/vbd0, /dev/vbd0s1.  Reads and writes of any
 * alignment go through a bounce buffer of whole sectors; a partial sector is
 * read, changed and written.  Not a cache: what is written is at the disk when
 * write(2) returns, durable after fsync or BLKFLSBUF.
 */
#include <sys/dev.h>
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/stat.h>
#include <sys/systm.h>
#include <sys/uio.h>
#include "disk.h"

enum {
	DEV_CHUNK	= 65536,	/* bytes bounced at once */
	/* ioctls, Linux numbers */
	BLKROGET	= 0x125e,
	BLKRRPART	= 0x125f,
	BLKGETSIZE	= 0x1260,	/* unsigned long, 512-byte units */
	BLKFLSBUF	= 0x1261,
	BLKSSZGET	= 0x1268,	/* int, sector bytes */
	BLKPBSZGET	= 0x127b,
};
#define BLKGETSIZE64	0x80081272u	/* uint64_t, bytes */

static int
disk_dev_open(struct cdev *cd, int fflags)
{
	if ((fflags & O_ACCMODE) == O_RDONLY)
		return 0;
	return disk_writer_add(cd->si_disk);
}

static int
disk_dev_close(struct cdev *cd, int fflags)
{
	if ((fflags & O_ACCMODE) == O_RDONLY)
		return 0;
	disk_writer_remove(cd->si_disk);
	return disk_flush(cd->si_disk);
}

/* Move at most one chunk at the uio's offset; *moved is what was done. */
static int
disk_dev_chunk(struct disk *dp, struct uio *uio, uint8_t *buf, size_t *moved)
{
	uint64_t off = (uint64_t)uio->uio_offset;
	uint64_t start = rounddown2(off, (uint64_t)dp->d_sector);
	size_t skip = (size_t)(off - start);
	size_t n = MIN(uio->uio_resid, (uint64_t)(DEV_CHUNK - skip));
	size_t span;
	struct bio bio;
	int error = 0;

	n = MIN(n, dp->d_size - off);
	span = roundup2(skip + n, (size_t)dp->d_sector);
	if (!uio->uio_write || skip != 0 || span != n) {
		bio_init(&bio, dp, BIO_READ, (off_t)start, buf, span);
		error = bio_wait(&bio);
	}
	if (error == 0)
		error = uiomove(buf + skip, n, uio);
	if (error == 0 && uio->uio_write) {
		bio_init(&bio, dp, BIO_WRITE, (off_t)start, buf, span);
		error = bio_wait(&bio);
	}
	*moved = n;
	return error;
}

static int
disk_dev_io(struct cdev *cd, struct uio *uio, int fflags __unused)
{
	struct disk *dp = cd->si_disk;
	uint8_t *buf;
	size_t moved;
	int error = 0;

	if (uio->uio_offset < 0)
		return EINVAL;
	if ((uint64_t)uio->uio_offset >= dp->d_size)
		return uio->uio_write && uio->uio_resid > 0 ? ENOSPC : 0;
	buf = kmalloc(DEV_CHUNK, &M_DISK, M_WAITOK);
	while (error == 0 && uio->uio_resid > 0 &&
	    (uint64_t)uio->uio_offset < dp->d_size)
		error = disk_dev_chunk(dp, uio, buf, &moved);
	kfree(buf, &M_DISK);
	return error;
}

static int
disk_dev_ioctl(struct cdev *cd, uint64_t cmd, uint64_t uarg, int64_t *result)
{
	struct disk *dp = cd->si_disk;
	uint64_t u64;
	uint32_t u32;

	*result = 0;
	switch ((uint32_t)cmd) {
	case BLKGETSIZE64:
		u64 = dp->d_size;
		return copyout(&u64, uarg, sizeof(u64));
	case BLKGETSIZE:
		u64 = dp->d_size / 512;
		return copyout(&u64, uarg, sizeof(u64));
	case BLKSSZGET:
	case BLKPBSZGET:
		u32 = dp->d_sector;
		return copyout(&u32, uarg, sizeof(u32));
	case BLKROGET:
		u32 = dp->d_readonly;
		return copyout(&u32, uarg, sizeof(u32));
	case BLKFLSBUF:
		return disk_flush(dp);
	case BLKRRPART:
		return disk_reprobe(dp);
	}
	return ENOTTY;
}

static const struct dev_ops disk_dev_ops = {
	.do_name = "disk",
	.do_open = disk_dev_open,
	.do_close = disk_dev_close,
	.do_read = disk_dev_io,
	.do_write = disk_dev_io,
	.do_ioctl = disk_dev_ioctl,
};

int
disk_dev_create(struct disk *dp)
{
	struct cdev *cd = kmalloc(sizeof(*cd), &M_DISK, M_WAITOK | M_ZERO);
	int error;

	kstrlcpy(cd->si_name, dp->d_name, sizeof(cd->si_name));
	cd->si_mode = S_IFBLK | 0600;
	cd->si_dev = dp->d_dev;
	cd->si_ops = &disk_dev_ops;
	cd->si_disk = dp;
	dp->d_cdev = cd;
	error = dev_register(cd);
	if (error != 0) {
		dp->d_cdev = NULL;
		kfree(cd, &M_DISK);
	}
	return error;
}

void
disk_dev_destroy(struct disk *dp)
{
	dev_unregister(dp->d_cdev);
	kfree(dp->d_cdev, &M_DISK);
	dp->d_cdev = NULL;
}
