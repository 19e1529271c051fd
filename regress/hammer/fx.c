/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/ucred.h>

#include "fx.h"
#include "mkimg.h"

bool
fx_mount(struct fx *fx)
{
	char special[32];

	fx->mp = NULL;
	ksnprintf(special, sizeof(special), "/dev/%s", fx->name);
	if (!ENV_EQ(vfs_mount("hammer", special, NULL, fx->flags, fx->opts,
	    kernel_cred, &fx->mp), 0))
		return false;
	kvfs_init(&fx->kv, fx->mp);
	return true;
}

bool
fx_open(struct fx *fx, uint64_t size, int diskflags)
{
	char path[64];
	int error;

	mkimg_name(path, sizeof(path));
	if (!ENV_EQ(mkimg_create(path, size), 0))
		return false;
	fx->name = "hd0";
	fx->disk = env_disk_create(fx->name, size, diskflags);
	error = env_disk_load(fx->disk, path);
	mkimg_remove(path);
	return ENV_EQ(error, 0) && fx_mount(fx);
}

void
fx_umount(struct fx *fx)
{
	kvfs_done(&fx->kv);
	ENV_EQ(vfs_unmount(fx->mp, false), 0);
	mount_rele(fx->mp);
	fx->mp = NULL;
}

int
fx_check(struct env_disk *disk)
{
	char path[64];
	int n = -1;

	mkimg_name(path, sizeof(path));
	if (env_disk_save(disk, path) == 0) {
		n = mkimg_check(path, 0);
		if (n != 0)
			mkimg_check(path, 1);
	}
	mkimg_remove(path);
	return n;
}

void
fx_close(struct fx *fx)
{
	fx_umount(fx);
	ENV_EQ(fx_check(fx->disk), 0);
	env_disk_destroy(fx->disk);
}

void
fx_remount(struct fx *fx)
{
	fx_umount(fx);
	fx_mount(fx);
}

uint64_t
fx_last(struct fx *fx)
{
	return fx->mp->mnt_number;
}

const char *
fx_at(const char *path, uint64_t tid)
{
	static char buf[4][300];
	static int i;

	i = (i + 1) % 4;
	ksnprintf(buf[i], sizeof(buf[i]), "%s@@0x%016llx", path,
	    (unsigned long long)tid);
	return buf[i];
}

int
fx_put(struct fx *fx, const char *path, const void *data, size_t len)
{
	struct vnode *vp;
	size_t done;
	int error;

	error = kvfs_open(&fx->kv, path, O_WRONLY | O_CREAT | O_TRUNC, 0644,
	    NULL, &vp);
	if (error)
		return error;
	error = vn_write(vp, data, len, 0, 0, kernel_cred, &done, NULL);
	kvfs_close(vp, O_WRONLY, kernel_cred);
	return error;
}

bool
fx_holds(struct fx *fx, const char *path, const char *want)
{
	char buf[256];
	size_t n = 0;
	int error;

	error = kvfs_read(&fx->kv, path, buf, sizeof(buf), 0, &n);
	if (error == 0 && n == strlen(want) && memcmp(buf, want, n) == 0)
		return true;
	env_printf("%s: error %d, %zu bytes: %.*s\n", path, error, n,
	    (int)n, buf);
	return false;
}

static bool
count_entry(void *arg, const char *name __unused, size_t len __unused,
    ino_t ino __unused, int dtype __unused, off_t next __unused)
{
	++*(int *)arg;
	return true;
}

int
fx_entries(struct fx *fx, const char *path)
{
	int n = 0;

	ENV_EQ(kvfs_readdir(&fx->kv, path, count_entry, &n), 0);
	return n - 2;
}

int
fx_ioctl(struct fx *fx, const char *path, uint64_t cmd, void *io, size_t len)
{
	struct vnode *vp;
	int64_t result;
	int error;

	error = kvfs_lookup(&fx->kv, path, true, NULL, &vp);
	if (error)
		return error;
	error = vop_ioctl(vp, cmd, io, len, O_RDONLY, &result, kernel_cred);
	vn_rele(vp);
	return error;
}
