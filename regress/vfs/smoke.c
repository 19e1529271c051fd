/* SPDX-License-Identifier: BSD-2-Clause */
/* One of everything on tmpfs: the first thing to look at when all fails. */
#include <sys/dev.h>
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>
#include <sys/vnode.h>
#include "../../sys/vfs/core/vfs_core.h"
#include "../env/env.h"

static struct mount *
fresh(const char *opts)
{
	struct mount *mp = NULL;

	ENV_EQ(vfs_mount("tmpfs", NULL, NULL, 0, opts, kernel_cred, &mp), 0);
	return mp;
}

static void
finish(struct kvfs *kv, struct mount *mp)
{
	kvfs_done(kv);
	ENV_EQ(vfs_unmount(mp, false), 0);
	mount_rele(mp);
}

static bool
count_entry(void *arg, const char *name __unused, size_t len __unused,
    ino_t ino __unused, int dtype __unused, off_t next __unused)
{
	++*(int *)arg;
	return true;
}

static void
t_files(void)
{
	struct mount *mp = fresh(NULL);
	struct kvfs kv;
	struct vattr va;
	char buf[64];
	size_t n;
	int count = 0;

	kvfs_init(&kv, mp);
	ENV_EQ(kvfs_mkdir(&kv, "/a", 0755), 0);
	ENV_EQ(kvfs_mkdir(&kv, "/a", 0755), EEXIST);
	ENV_EQ(kvfs_mkdir(&kv, "/a/b/c", 0755), ENOENT);
	ENV_EQ(kvfs_mkdir(&kv, "a/b/", 0755), 0);
	ENV_EQ(kvfs_create(&kv, "/a/b/f", 0644), 0);
	ENV_EQ(kvfs_create(&kv, "/a/b/f", 0644), EEXIST);
	ENV_EQ(kvfs_write(&kv, "/a/b/f", "hello", 5, 0), 0);
	ENV_EQ(kvfs_write(&kv, "/a/b/f", "world", 5, 10000), 0);
	ENV_EQ(kvfs_read(&kv, "/a/b/../b/./f", buf, sizeof(buf), 0, &n), 0);
	ENV_EQ(n, sizeof(buf));
	ENV_CHECK(memcmp(buf, "hello\0\0", 7) == 0);
	ENV_EQ(kvfs_read(&kv, "a/b/f", buf, sizeof(buf), 9999, &n), 0);
	ENV_EQ(n, 6);
	ENV_CHECK(memcmp(buf, "\0world", 6) == 0);
	ENV_EQ(kvfs_symlink(&kv, "b/f", "/a/l"), 0);
	ENV_EQ(kvfs_readlink(&kv, "/a/l", buf, sizeof(buf), &n), 0);
	ENV_EQ(n, 3);
	ENV_EQ(kvfs_stat(&kv, "/a/l", true, &va), 0);
	ENV_EQ(va.va_size, 10005);
	ENV_EQ(va.va_bytes, 2 * 4096);
	ENV_EQ(kvfs_link(&kv, "/a/l", true, &kv, "/f2"), 0);
	ENV_EQ(kvfs_stat(&kv, "/f2", true, &va), 0);
	ENV_EQ(va.va_nlink, 2);
	ENV_EQ(kvfs_truncate(&kv, "/f2", 3), 0);
	ENV_EQ(kvfs_truncate(&kv, "/f2", 8), 0);
	ENV_EQ(kvfs_read(&kv, "/a/l", buf, sizeof(buf), 0, &n), 0);
	ENV_EQ(n, 8);
	ENV_CHECK(memcmp(buf, "hel\0\0\0\0\0", 8) == 0);
	ENV_EQ(kvfs_rename(&kv, "/a/b", &kv, "/a/b/x", 0), EINVAL);
	ENV_EQ(kvfs_rename(&kv, "/a/b", &kv, "/d", 0), 0);
	ENV_EQ(kvfs_stat(&kv, "/a/b", true, &va), ENOENT);
	ENV_EQ(kvfs_stat(&kv, "/d/f", true, &va), 0);
	ENV_EQ(kvfs_stat(&kv, "/a/l", true, &va), ENOENT);
	ENV_EQ(kvfs_rmdir(&kv, "/d"), ENOTEMPTY);
	ENV_EQ(kvfs_unlink(&kv, "/d"), EISDIR);
	ENV_EQ(kvfs_unlink(&kv, "/d/f"), 0);
	ENV_EQ(kvfs_readdir(&kv, "/d", count_entry, &count), 0);
	ENV_EQ(count, 2);
	ENV_EQ(kvfs_rmdir(&kv, "/d"), 0);
	ENV_EQ(kvfs_stat(&kv, "/", true, &va), 0);
	ENV_EQ(va.va_nlink, 3);
	finish(&kv, mp);
}

static void
t_mounts(void)
{
	struct mount *mp = fresh(NULL);
	struct vattr va;
	struct kvfs kv;
	char path[128];
	struct nchandle nch;
	struct vnode *vp;

	kvfs_init(&kv, mp);
	ENV_EQ(kvfs_mkdir(&kv, "/m", 0755), 0);
	ENV_EQ(kvfs_mount(&kv, "tmpfs", NULL, "/m", 0, "size=64k"), 0);
	ENV_EQ(kvfs_mkdir(&kv, "/m/x", 0755), 0);
	ENV_EQ(kvfs_stat(&kv, "/m/x/../../m/x", true, &va), 0);
	ENV_EQ(kvfs_lookup(&kv, "/m/x", true, &nch, &vp), 0);
	ENV_EQ(nc_fullpath(&nch, &kv.kv_root, path, sizeof(path)), 0);
	ENV_CHECK(strcmp(path, "/m/x") == 0);
	ENV_EQ(kvfs_umount(&kv, "/m", false), EBUSY);
	vn_rele(vp);
	nc_drop(&nch);
	ENV_EQ(kvfs_rmdir(&kv, "/m"), EBUSY);
	ENV_EQ(kvfs_rename(&kv, "/m/x", &kv, "/y", 0), EXDEV);
	ENV_EQ(kvfs_umount(&kv, "/m", false), 0);
	ENV_EQ(kvfs_stat(&kv, "/m/x", true, &va), ENOENT);
	ENV_EQ(kvfs_rmdir(&kv, "/m"), 0);
	finish(&kv, mp);
}

static void
t_remount(void)
{
	struct mount *mp = fresh(NULL);
	struct vnode *vp;
	struct kvfs kv;

	kvfs_init(&kv, mp);
	ENV_EQ(kvfs_create(&kv, "/f", 0644), 0);
	ENV_EQ(kvfs_open(&kv, "/f", O_WRONLY, 0, NULL, &vp), 0);
	ENV_EQ(vfs_remount(mp, MNT_RDONLY, NULL), EBUSY);
	ENV_EQ(kvfs_create(&kv, "/g", 0644), 0);
	kvfs_close(vp, O_WRONLY, kernel_cred);
	ENV_EQ(vfs_remount(mp, MNT_RDONLY, NULL), 0);
	ENV_EQ(kvfs_unlink(&kv, "/g"), EROFS);
	ENV_EQ(kvfs_write(&kv, "/f", "x", 1, 0), EROFS);
	ENV_EQ(kvfs_open(&kv, "/f", O_RDONLY, 0, NULL, &vp), 0);
	kvfs_close(vp, O_RDONLY, kernel_cred);
	ENV_EQ(vfs_remount(mp, 0, NULL), 0);
	ENV_EQ(kvfs_unlink(&kv, "/g"), 0);
	finish(&kv, mp);
}

static uint64_t vnodes_wanted;

static bool
vnodes_gone(void *arg __unused)
{
	return vfs_nvnodes <= vnodes_wanted;
}

/* A mount that is detached while a file in it is open. */
static void
t_detach(void)
{
	struct mount *mp = fresh(NULL);
	struct nchandle nch;
	struct vnode *vp;
	struct vattr va;
	struct kvfs kv;
	char buf[8];
	size_t n;

	kvfs_init(&kv, mp);
	ENV_EQ(kvfs_mkdir(&kv, "/m", 0755), 0);
	vnodes_wanted = vfs_nvnodes;
	ENV_EQ(kvfs_mount(&kv, "tmpfs", NULL, "/m", 0, NULL), 0);
	ENV_EQ(kvfs_create(&kv, "/m/f", 0644), 0);
	ENV_EQ(kvfs_write(&kv, "/m/f", "data", 4, 0), 0);
	ENV_EQ(kvfs_open(&kv, "/m/f", O_RDWR, 0, &nch, &vp), 0);
	ENV_EQ(kvfs_umount(&kv, "/m", false), EBUSY);
	ENV_EQ(kvfs_stat(&kv, "/m/f", true, &va), 0);
	ENV_EQ(kvfs_umount(&kv, "/m", true), 0);
	ENV_EQ(kvfs_stat(&kv, "/m/f", true, &va), ENOENT);
	ENV_EQ(kvfs_rmdir(&kv, "/m"), 0);
	ENV_EQ(vn_write(vp, "more", 4, 4, 0, kernel_cred, &n, NULL), 0);
	ENV_EQ(vn_read(vp, buf, 8, 0, kernel_cred, &n), 0);
	ENV_CHECK(n == 8 && memcmp(buf, "datamore", 8) == 0);
	kvfs_close(vp, O_RDWR, kernel_cred);
	nc_drop(&nch);
	vnodes_wanted--;			/* "/m" went, too */
	ENV_CHECK(env_wait(vnodes_gone, NULL));
	finish(&kv, mp);
}

static void
t_space(void)
{
	struct mount *mp = fresh("size=64k");
	static char block[70000];
	struct statfs_info sf;
	struct kvfs kv;

	kvfs_init(&kv, mp);
	ENV_EQ(kvfs_create(&kv, "f", 0600), 0);
	ENV_EQ(kvfs_write(&kv, "f", block, 70000, 0), ENOSPC);
	ENV_EQ(vfs_statfs(mp, &sf), 0);
	ENV_EQ(sf.f_bfree, 0);
	ENV_EQ(kvfs_truncate(&kv, "f", 4096), 0);
	ENV_EQ(vfs_statfs(mp, &sf), 0);
	ENV_EQ(sf.f_bfree, 15);
	ENV_EQ(kvfs_unlink(&kv, "f"), 0);
	ENV_EQ(vfs_statfs(mp, &sf), 0);
	ENV_EQ(sf.f_bfree, 16);
	finish(&kv, mp);
}

static struct cdev probe_dev = {
	.si_name = "deep/er/probe", .si_mode = S_IFCHR | 0640, .si_gid = 5,
};

static void
t_devfs(void)
{
	struct mount *mp = fresh(NULL);
	struct vattr va;
	struct kvfs kv;

	kvfs_init(&kv, mp);
	ENV_EQ(kvfs_mkdir(&kv, "/dev", 0755), 0);
	ENV_EQ(kvfs_mount(&kv, "devfs", NULL, "/dev", 0, NULL), 0);
	ENV_EQ(kvfs_stat(&kv, "/dev/null", true, &va), 0);
	ENV_CHECK(S_ISCHR(va.va_mode));
	ENV_EQ(va.va_rdev, makedev(1, 3));
	ENV_EQ(kvfs_stat(&kv, "/dev/deep/er/probe", true, &va), ENOENT);
	probe_dev.si_dev = makedev(99, 1);
	ENV_EQ(dev_register(&probe_dev), 0);
	ENV_EQ(kvfs_stat(&kv, "/dev/deep/er/probe", true, &va), 0);
	ENV_EQ(va.va_gid, 5);
	ENV_EQ(va.va_rdev, makedev(99, 1));
	dev_unregister(&probe_dev);
	ENV_EQ(kvfs_stat(&kv, "/dev/deep/er/probe", true, &va), ENOENT);
	ENV_EQ(kvfs_umount(&kv, "/dev", false), 0);
	finish(&kv, mp);
}

static void
t_async(void)
{
	vop_force_async = true;
	t_files();
	t_mounts();
	t_space();
	vop_force_async = false;
}

const struct env_test env_tests[] = {
	{ "files", t_files, 0 },
	{ "mounts", t_mounts, 0 },
	{ "remount", t_remount, 0 },
	{ "detach", t_detach, 0 },
	{ "space", t_space, 0 },
	{ "devfs", t_devfs, 0 },
	{ "async", t_async, 0 },
	ENV_END
};
