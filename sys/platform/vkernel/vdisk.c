/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks in files of the host.  A request is done when bio_submit() returns:
 * whoever wants late and reordered completions uses the test disk of
 * regress/env.
 */
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include "host.h"
#include "vklib.h"

static MALLOC_DEFINE(M_VDISK, "vdisk");

struct vdisk {
	struct disk	vd_disk;
	int		vd_fd;
};

static int
vdisk_transfer(const struct vdisk *vd, const struct bio *bio)
{
	uint64_t off = (uint64_t)bio->bio_offset;
	const struct bio_seg *seg = bio->bio_segs;
	uint32_t i;
	int error = 0;

	for (i = 0; i < bio->bio_nsegs && error == 0; i++, seg++) {
		error = bio->bio_cmd == BIO_READ ?
		    host_file_read(vd->vd_fd, seg->bs_data, seg->bs_len, off) :
		    host_file_write(vd->vd_fd, seg->bs_data, seg->bs_len, off);
		off += seg->bs_len;
	}
	return error;
}

static void
vdisk_strategy(struct disk *dp, struct bio *bio)
{
	struct vdisk *vd = dp->d_driver;
	int error = EOPNOTSUPP;

	switch (bio->bio_cmd) {
	case BIO_READ:
	case BIO_WRITE:
		error = vdisk_transfer(vd, bio);
		break;
	case BIO_FLUSH:
		error = host_file_sync(vd->vd_fd);
		break;
	case BIO_DISCARD:
		error = host_file_discard(vd->vd_fd, (uint64_t)bio->bio_offset,
		    bio->bio_length);
		break;
	}
	bio_complete(bio, error);
}

static const struct disk_ops vdisk_ops = { vdisk_strategy };

struct attach {
	const char	*at_name;
	const char	*at_path;
	int		at_flags;
	uint64_t	at_create;
};

static int
vdisk_attach(void *arg)
{
	const struct attach *at = arg;
	struct vdisk *vd;
	uint64_t size;
	int fd, error;

	error = host_file_open(at->at_path, at->at_flags & VKD_WRITE,
	    at->at_create, &fd, &size);
	if (error)
		return error;
	vd = kmalloc(sizeof(*vd), &M_VDISK, M_WAITOK | M_ZERO);
	vd->vd_fd = fd;
	kstrlcpy(vd->vd_disk.d_name, at->at_name, sizeof(vd->vd_disk.d_name));
	vd->vd_disk.d_size = size;
	vd->vd_disk.d_sector = 512;
	vd->vd_disk.d_readonly = (at->at_flags & VKD_WRITE) == 0;
	vd->vd_disk.d_ops = &vdisk_ops;
	vd->vd_disk.d_driver = vd;
	error = disk_register(&vd->vd_disk);
	if (error) {
		host_file_close(fd);
		kfree(vd, &M_VDISK);
	}
	return error;
}

static int
vdisk_detach(void *arg)
{
	struct disk *dp;
	struct vdisk *vd;
	int error = disk_get(arg, &dp);

	if (error)
		return error;
	if (dp->d_ops != &vdisk_ops) {
		disk_put(dp);
		return EINVAL;
	}
	vd = dp->d_driver;
	disk_put(dp);
	disk_unregister(dp);
	host_file_sync(vd->vd_fd);
	host_file_close(vd->vd_fd);
	kfree(vd, &M_VDISK);
	return 0;
}

int
vk_disk_attach(const char *name, const char *path, int flags,
    uint64_t create_size)
{
	struct attach at = { name, path, flags, create_size };

	return vk_run(vdisk_attach, &at);
}

int
vk_disk_detach(const char *name)
{
	return vk_run(vdisk_detach, (void *)(uintptr_t)name);
}
