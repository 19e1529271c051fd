/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's half of mkroot. */
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>

#include "mkroot.h"

static int
make_file(struct kvfs *kv, const struct mkroot_item *it)
{
	int error = kvfs_create(kv, it->path, it->mode);

	if (error == 0 && it->size > 0)
		error = kvfs_write(kv, it->path, it->data, it->size, 0);
	return error;
}

static int
make_item(struct kvfs *kv, const struct mkroot_item *it)
{
	int error;

	switch (it->kind) {
	case 'd':
		error = kvfs_mkdir(kv, it->path, it->mode);
		return error == EEXIST ? 0 : error;
	case 'f':
		return make_file(kv, it);
	case 'l':
		return kvfs_symlink(kv, it->target, it->path);
	case 'c':
	case 'b':
		return kvfs_mknod(kv, it->path, it->mode |
		    (it->kind == 'c' ? S_IFCHR : S_IFBLK),
		    makedev(it->major, it->minor));
	}
	return EINVAL;
}

int
mkroot_fill(void *arg)
{
	struct mkroot_job *job = arg;
	struct mount *mp;
	struct kvfs kv;
	int error, e;

	job->failed = "(mount)";
	error = vfs_mount("hammer", "/dev/vbd0", NULL, 0, NULL, kernel_cred,
	    &mp);
	if (error != 0)
		return error;
	kvfs_init(&kv, mp);
	for (size_t i = 0; i < job->n && error == 0; i++) {
		job->failed = job->items[i].path;
		job->bytes += job->items[i].size;
		error = make_item(&kv, &job->items[i]);
	}
	if (error == 0) {
		job->failed = "(sync)";
		error = vfs_sync(mp, true);
	}
	kvfs_done(&kv);
	e = vfs_unmount(mp, false);
	mount_rele(mp);
	if (error == 0 && e != 0) {
		job->failed = "(unmount)";
		error = e;
	}
	return error;
}
