/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mounting HAMMER.
 *
 *   special   /dev/vbd1, or all volumes joined by ':'
 *   data      nohistory, tid=0x<TID> (the whole mount as of it, read-only)
 */
#include <sys/atomic.h>
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>

#include "hammer_vfs.h"

static vop_fn_t *const hammer_vops[VOP_COUNT] = {
	[VOP_NRESOLVE] = hammer_vop_nresolve,
	[VOP_NLOOKUPDOTDOT] = hammer_vop_nlookupdotdot,
	[VOP_NCREATE] = hammer_vop_ncreate,
	[VOP_NMKDIR] = hammer_vop_ncreate,
	[VOP_NMKNOD] = hammer_vop_ncreate,
	[VOP_NLINK] = hammer_vop_nlink,
	[VOP_NSYMLINK] = hammer_vop_nsymlink,
	[VOP_NREMOVE] = hammer_vop_nremove,
	[VOP_NRMDIR] = hammer_vop_nrmdir,
	[VOP_NRENAME] = hammer_vop_nrename,
	[VOP_OPEN] = hammer_vop_open,
	[VOP_CLOSE] = hammer_vop_close,
	[VOP_GETATTR] = hammer_vop_getattr,
	[VOP_SETATTR] = hammer_vop_setattr,
	[VOP_WRITE] = hammer_vop_write,
	[VOP_READDIR] = hammer_vop_readdir,
	[VOP_READLINK] = hammer_vop_readlink,
	[VOP_GETPAGES] = hammer_vop_getpages,
	[VOP_MKWRITE] = hammer_vop_mkwrite,
	[VOP_FSYNC] = hammer_vop_fsync,
	[VOP_IOCTL] = hammer_vop_ioctl,
	[VOP_ALLOCATE] = hammer_vop_allocate,
	[VOP_INACTIVE] = hammer_vop_inactive,
	[VOP_RECLAIM] = hammer_vop_reclaim,
};

/* The core's own jobs draw their numbers from the mount's counter. */
static hammer_tid_t
fs_number(void *arg)
{
	struct hammer_fs *fs = arg;
	struct vop_msg msg;

	vop_internal_init(&msg, fs->hf_mp, VOP_FSYNC, NULL);
	return vop_number(&msg);
}

static bool
option_is(const char *s, size_t len, const char *want)
{
	return strlen(want) == len && memcmp(s, want, len) == 0;
}

static int
parse_option(struct hammer_fs *fs, const char *s, size_t len)
{
	char buf[32], *end;

	if (len == 0 || option_is(s, len, "rw") || option_is(s, len, "ro") ||
	    option_is(s, len, "defaults"))
		return 0;
	if (option_is(s, len, "nohistory")) {
		fs->hf_nohistory = true;
		return 0;
	}
	if (len > 4 && len < sizeof(buf) && memcmp(s, "tid=", 4) == 0) {
		memcpy(buf, s + 4, len - 4);
		buf[len - 4] = 0;
		fs->hf_asof = kstrtou64(buf, &end, 0);
		return *end == 0 && fs->hf_asof != 0 ? 0 : EINVAL;
	}
	return EINVAL;
}

static int
parse_options(struct hammer_fs *fs, const char *s)
{
	size_t len;
	int error;

	while (s != NULL && *s) {
		for (len = 0; s[len] && s[len] != ','; len++)
			;
		error = parse_option(fs, s, len);
		if (error)
			return error;
		s += len + (s[len] == ',');
	}
	return 0;
}

static void
close_disks(struct hammer_fs *fs)
{
	while (fs->hf_ndisks > 0) {
		disk_unclaim(fs->hf_disks[--fs->hf_ndisks]);
		disk_put(fs->hf_disks[fs->hf_ndisks]);
	}
	kfree(fs->hf_disks, &M_HAMMERFS);
	fs->hf_disks = NULL;
}

static int
open_disk(struct hammer_fs *fs, const char *s, size_t len)
{
	struct disk **dp = &fs->hf_disks[fs->hf_ndisks];
	char name[64];
	int error;

	if (len > 5 && memcmp(s, "/dev/", 5) == 0) {
		s += 5;
		len -= 5;
	}
	if (len == 0 || len >= sizeof(name) ||
	    fs->hf_ndisks == HAMMER_MAXDISKS)
		return EINVAL;
	memcpy(name, s, len);
	name[len] = 0;
	error = disk_get(name, dp);
	if (error)
		return error;
	error = disk_claim(*dp);
	if (error)
		disk_put(*dp);
	else
		fs->hf_ndisks++;
	return error;
}

static int
open_disks(struct hammer_fs *fs, const char *s)
{
	size_t len;
	int error = 0;

	fs->hf_disks = kmalloc(HAMMER_MAXDISKS * sizeof(struct disk *),
	    &M_HAMMERFS, M_WAITOK);
	while (*s && error == 0) {
		for (len = 0; s[len] && s[len] != ':'; len++)
			;
		error = open_disk(fs, s, len);
		s += len + (s[len] == ':');
	}
	if (error)
		close_disks(fs);
	return error;
}

static int
hammer_mount(struct mount *mp, const char *special, const char *data,
    struct ucred *cred __unused)
{
	struct hammer_fs *fs;
	uint32_t flags = 0;
	int error;

	if (special == NULL || *special == 0)
		return EINVAL;
	fs = kmalloc(sizeof(*fs), &M_HAMMERFS, M_WAITOK | M_ZERO);
	fs->hf_mp = mp;
	fs->hf_asof = HAMMER_MAX_TID;
	hammer_inodes_init(fs);
	error = parse_options(fs, data);
	if (error)
		goto free;
	if (fs->hf_asof != HAMMER_MAX_TID)
		mp->mnt_flags |= MNT_RDONLY;
	if (mp->mnt_flags & MNT_RDONLY)
		flags |= HAMMER_MOUNT_RDONLY;
	error = open_disks(fs, special);
	if (error)
		goto free;
	error = hammer_core_mount(fs->hf_disks, fs->hf_ndisks, flags,
	    &fs->hf_hmp);
	if (error)
		goto close;
	mp->mnt_data = fs;
	mp->mnt_vops = hammer_vops;
	mp->mnt_number = hammer_last_tid(fs->hf_hmp) & ~15ULL;
	fs->hf_mounttid = mp->mnt_number;
	hammer_set_private(fs->hf_hmp, fs);
	hammer_set_tid_source(fs->hf_hmp, fs_number, fs);
	error = hammer_iget(fs, 0, HAMMER_OBJID_ROOT, fs->hf_asof,
	    &mp->mnt_root);
	if (error == 0 && mp->mnt_root->v_type != VDIR) {
		vn_rele(mp->mnt_root);
		error = EIO;
	}
	if (error)
		goto unmount;
	hammer_orphans_start(fs);
	return 0;
unmount:
	hammer_core_unmount(fs->hf_hmp);
close:
	close_disks(fs);
free:
	mp->mnt_data = NULL;
	kfree(fs, &M_HAMMERFS);
	return error;
}

static int
hammer_unmount(struct mount *mp, bool force __unused)
{
	struct hammer_fs *fs = hammer_fs_of(mp);
	int error;

	hammer_orphans_stop(fs);
	error = hammer_core_unmount(fs->hf_hmp);
	close_disks(fs);
	mp->mnt_data = NULL;
	kfree(fs, &M_HAMMERFS);
	return error;
}

static int
hammer_remount(struct mount *mp, uint32_t flags, const char *data)
{
	struct hammer_fs *fs = hammer_fs_of(mp);
	bool ro = flags & MNT_RDONLY;
	int error;

	error = parse_options(fs, data);
	if (error)
		return error;
	if (!ro && fs->hf_asof != HAMMER_MAX_TID)
		return EROFS;
	if (ro == hammer_is_rdonly(fs->hf_hmp))
		return 0;
	if (ro)
		hammer_orphans_stop(fs);
	error = hammer_core_remount(fs->hf_hmp,
	    ro ? HAMMER_MOUNT_RDONLY : 0);
	if (error == 0 && !ro) {
		mp->mnt_number = MAX(mp->mnt_number,
		    hammer_last_tid(fs->hf_hmp) & ~15ULL);
		hammer_orphans_start(fs);
	}
	return error;
}

static int
hammer_statfs(struct mount *mp, struct statfs_info *sf)
{
	struct hammer_fs *fs = hammer_fs_of(mp);
	struct hammer_space hs;
	uint64_t fsid;

	hammer_space(fs->hf_hmp, &hs);
	sf->f_type = 0x48414d52;	/* "HAMR" */
	sf->f_bsize = HAMMER_BUFSIZE;
	sf->f_blocks = hs.hs_total / HAMMER_BUFSIZE;
	sf->f_bfree = hs.hs_free / HAMMER_BUFSIZE;
	sf->f_bavail = hs.hs_avail / HAMMER_BUFSIZE;
	sf->f_files = (uint64_t)MAX(hs.hs_inodes, (int64_t)0);
	/* Inodes are made of space: as many as fit. */
	sf->f_ffree = hs.hs_avail / 1024;
	sf->f_files += sf->f_ffree;
	sf->f_namelen = NAME_MAX;
	memcpy(&fsid, hammer_fsid(fs->hf_hmp)->u, sizeof(fsid));
	sf->f_fsid = fsid;
	return 0;
}

/* The caller has versioned every dirty vnode. */
static int
hammer_vfs_sync(struct mount *mp, bool wait)
{
	struct hammer_fs *fs = hammer_fs_of(mp);

	if (hammer_is_rdonly(fs->hf_hmp))
		return 0;
	return hammer_sync(fs->hf_hmp, wait, NULL);
}

static struct vfsops hammer_vfsops = {
	.vfc_name = "hammer",
	.vfc_flags = VFC_ASOF,
	.vfs_mount = hammer_mount,
	.vfs_remount = hammer_remount,
	.vfs_unmount = hammer_unmount,
	.vfs_statfs = hammer_statfs,
	.vfs_sync = hammer_vfs_sync,
};

void hammer_init(void);

/* Called once at boot. */
void
hammer_init(void)
{
	vfs_register(&hammer_vfsops);
}
