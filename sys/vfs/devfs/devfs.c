/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devfs: the device registry as a tree.
 *
 * The tree itself is a tmpfs (asked for by name, so that devfs includes
 * nothing of it): modes, owners, links and directories work as anywhere.  devfs
 * adds the nodes: all that are registered when it is mounted, and each that
 * comes or goes later, in every devfs that is mounted.
 *
 * D1  dev_listener runs under the registry's lock; the populate walk too.  So
 *     no node is missed or made twice, and nothing here takes that lock while
 *     it holds a lock of the tree.
 * D2  A node that a user removed stays removed.
 */
#include <sys/dev.h>
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>

#include "devfs.h"

static void devfs_start(struct mount *);

/* Make the directories of "a/b/node". */
static void
make_parents(struct kvfs *kv, const char *name)
{
	char path[sizeof(((struct cdev *)0)->si_name)];
	const char *slash = name;
	size_t n;

	while ((slash = strchr(slash, '/')) != NULL) {
		n = (size_t)(slash - name);
		memcpy(path, name, n);
		path[n] = '\0';
		kvfs_mkdir(kv, path, 0755);
		slash++;
	}
}

static void
node_add(struct kvfs *kv, struct cdev *cd)
{
	struct vattr va;
	int error;

	make_parents(kv, cd->si_name);
	error = kvfs_mknod(kv, cd->si_name, cd->si_mode, cd->si_dev);
	if (error == 0 && (cd->si_uid != 0 || cd->si_gid != 0)) {
		memset(&va, 0, sizeof(va));
		va.va_mask = VA_UID | VA_GID;
		va.va_uid = cd->si_uid;
		va.va_gid = cd->si_gid;
		error = kvfs_setattr(kv, cd->si_name, false, &va);
	}
	if (error != 0 && error != EEXIST)
		kprintf("devfs: %s: error %d\n", cd->si_name, error);
}

static void
populate(struct cdev *cd, void *arg)
{
	node_add(arg, cd);
}

struct change {
	struct cdev	*cd;
	bool		 added;
};

static int
change_mount(struct mount *mp, void *arg)
{
	struct change *ch = arg;
	struct kvfs kv;

	if (mp->mnt_op->vfs_start != devfs_start)
		return 0;
	kvfs_init(&kv, mp);
	if (ch->added)
		node_add(&kv, ch->cd);
	else
		kvfs_unlink(&kv, ch->cd->si_name);
	kvfs_done(&kv);
	return 0;
}

static void
dev_changed(struct cdev *cd, bool added)
{
	struct change ch = { cd, added };

	mount_foreach(change_mount, &ch);
}

static int
devfs_mount(struct mount *mp, const char *special, const char *data,
    struct ucred *cred)
{
	return vfs_find("tmpfs")->vfs_mount(mp, special,
	    data != NULL && *data != '\0' ? data : "mode=755,size=1m", cred);
}

/* The mount is in the list: from here on the listener tells it of changes,
 * and what it told already is there. */
static void
devfs_start(struct mount *mp)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "fd" },
		{ "/proc/self/fd/0", "stdin" },
		{ "/proc/self/fd/1", "stdout" },
		{ "/proc/self/fd/2", "stderr" },
	};
	struct kvfs kv;
	size_t i;

	kvfs_init(&kv, mp);
	dev_foreach(populate, &kv);
	kvfs_mkdir(&kv, "pts", 0755);
	kvfs_mkdir(&kv, "shm", 01777);
	for (i = 0; i < nitems(links); i++)
		kvfs_symlink(&kv, links[i][0], links[i][1]);
	kvfs_done(&kv);
}

static int
devfs_unmount(struct mount *mp, bool force)
{
	return vfs_find("tmpfs")->vfs_unmount(mp, force);
}

static int
devfs_statfs(struct mount *mp, struct statfs_info *sf)
{
	return vfs_find("tmpfs")->vfs_statfs(mp, sf);
}

static struct vfsops devfs_ops = {
	.vfc_name = "devfs",
	.vfc_flags = VFC_MEMORY | VFC_NODEV,
	.vfs_mount = devfs_mount,
	.vfs_start = devfs_start,
	.vfs_unmount = devfs_unmount,
	.vfs_statfs = devfs_statfs,
};

/* Linux's name for the same thing, for scripts that mount it. */
static struct vfsops devtmpfs_ops;

void
devfs_init(void)
{
	vfs_register(&devfs_ops);
	devtmpfs_ops = devfs_ops;
	devtmpfs_ops.vfc_name = "devtmpfs";
	vfs_register(&devtmpfs_ops);
	dev_set_listener(dev_changed);
	devfs_mem_init();
}
