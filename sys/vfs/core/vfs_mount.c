/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filesystem types and mounts.
 *
 * M1  mnt_refs counts handles into the mount and whoever holds it; a mount
 *     that is in the list has one more for its own root handle.
 * M2  A new way into a mount (mount_covering) takes its reference under
 *     mountlist_spin and not once mnt_unmounting is set; so an unmount that
 *     saw no foreign reference under that lock has the mount for itself.
 */
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>

#include "vfs_core.h"

struct nchandle vfs_rootnch;

static MALLOC_DEFINE(M_MOUNT, "mount");

void (*mount_leave_hook)(struct mount *);

static TAILQ_HEAD(, vfsops) vfs_types = TAILQ_HEAD_INITIALIZER(vfs_types);
static TAILQ_HEAD(, mount) mountlist = TAILQ_HEAD_INITIALIZER(mountlist);
static struct spinlock mountlist_spin = SPINLOCK_INITIALIZER("mounts");
static uint64_t mount_lastid;			/* [mountlist_spin] */

void
vfs_register(struct vfsops *ops)
{
	spin_lock(&mountlist_spin);
	TAILQ_INSERT_TAIL(&vfs_types, ops, vfc_list);
	spin_unlock(&mountlist_spin);
}

struct vfsops *
vfs_find(const char *name)
{
	struct vfsops *ops;

	spin_lock(&mountlist_spin);
	TAILQ_FOREACH(ops, &vfs_types, vfc_list) {
		if (strcmp(ops->vfc_name, name) == 0)
			break;
	}
	spin_unlock(&mountlist_spin);
	return ops;
}

int
vfs_foreach_type(int (*fn)(const struct vfsops *, void *), void *arg)
{
	struct vfsops *ops;
	int error = 0;

	/* Types are registered at boot and never leave. */
	TAILQ_FOREACH(ops, &vfs_types, vfc_list) {
		error = fn(ops, arg);
		if (error != 0)
			break;
	}
	return error;
}

void
mount_ref(struct mount *mp)
{
	atomic_fetch_add(&mp->mnt_refs, 1);
}

static void
mount_release(struct epoch_item *ei)
{
	struct mount *mp = container_of(ei, struct mount, mnt_epoch);

	vop_gate_free(mp->mnt_gate);
	kfree(mp, &M_MOUNT);
}

static void
mount_free(struct mount *mp)
{
	KKASSERT(TAILQ_EMPTY(&mp->mnt_vnodes));
	epoch_call(&mp->mnt_epoch, mount_release);
}

void
mount_rele(struct mount *mp)
{
	int32_t old = atomic_fetch_sub(&mp->mnt_refs, 1);

	KKASSERT(old > 0);
	if (old == 1)
		mount_free(mp);
}

/* The mount on top of a place, referenced, or NULL. */
struct mount *
mount_covering(const struct nchandle *nch)
{
	struct mount *mp;

	spin_lock(&mountlist_spin);
	TAILQ_FOREACH(mp, &mountlist, mnt_list) {
		if (mp->mnt_covered.nch_ncp == nch->nch_ncp &&
		    mp->mnt_covered.nch_mount == nch->nch_mount &&
		    !mp->mnt_unmounting) {
			mount_ref(mp);
			break;
		}
	}
	spin_unlock(&mountlist_spin);
	return mp;
}

int
mount_foreach(int (*fn)(struct mount *, void *), void *arg)
{
	struct mount *mp, *prev = NULL;
	uint64_t last = 0;
	int error = 0;

	/* Ids rise along the list; that is the cursor across blocking. */
	do {
		spin_lock(&mountlist_spin);
		TAILQ_FOREACH(mp, &mountlist, mnt_list) {
			if (mp->mnt_id > last && !mp->mnt_unmounting) {
				mount_ref(mp);
				last = mp->mnt_id;
				break;
			}
		}
		spin_unlock(&mountlist_spin);
		if (prev != NULL)
			mount_rele(prev);
		if (mp != NULL)
			error = fn(mp, arg);
		prev = mp;
	} while (mp != NULL && error == 0);
	if (prev != NULL && error != 0)
		mount_rele(prev);
	return error;
}

static struct mount *
mount_alloc(const struct vfsops *ops, const char *special, uint32_t flags,
    const char *data)
{
	struct mount *mp;

	mp = kmalloc(sizeof(*mp), &M_MOUNT, M_WAITOK | M_ZERO);
	mp->mnt_op = ops;
	mp->mnt_flags = flags;
	mp->mnt_refs = 1;
	mp->mnt_numstep = 16;
	lwkt_port_init(&mp->mnt_port, NULL);
	mp->mnt_port.mp_put = vop_put;
	mp->mnt_port.mp_private = mp;
	spin_init(&mp->mnt_spin, "mount");
	spin_init(&mp->mnt_numspin, "mntnum");
	TAILQ_INIT(&mp->mnt_vnodes);
	TAILQ_INIT(&mp->mnt_dirty);
	lock_init(&mp->mnt_renamelock, "rename");
	mp->mnt_gate = vop_gate_alloc();
	kstrlcpy(mp->mnt_from, special != NULL ? special : ops->vfc_name,
	    sizeof(mp->mnt_from));
	kstrlcpy(mp->mnt_opts, data != NULL ? data : "",
	    sizeof(mp->mnt_opts));
	spin_lock(&mountlist_spin);
	mp->mnt_id = ++mount_lastid;
	spin_unlock(&mountlist_spin);
	mp->mnt_dev = makedev(0, (uint32_t)mp->mnt_id + 16);
	return mp;
}

/*
 * *mpp is referenced for the caller, beside the list's own reference.
 * Blocks.  ENODEV: no such type; ENAMETOOLONG; the filesystem's errors.
 */
int
vfs_mount(const char *fstype, const char *special, const struct nchandle *on,
    uint32_t flags, const char *data, struct ucred *cred, struct mount **mpp)
{
	struct vfsops *ops = vfs_find(fstype);
	struct mount *mp;
	int error;

	*mpp = NULL;
	if (ops == NULL)
		return ENODEV;
	if ((special != NULL && strlen(special) >= sizeof(mp->mnt_from)) ||
	    (data != NULL && strlen(data) >= sizeof(mp->mnt_opts)))
		return ENAMETOOLONG;
	mp = mount_alloc(ops, special, flags, data);
	error = ops->vfs_mount(mp, special, data, cred);
	if (error != 0) {
		mount_rele(mp);
		return error;
	}
	KKASSERT(mp->mnt_root != NULL && mp->mnt_vops != NULL);
	vn_setflags(mp->mnt_root, VN_ROOT, 0);
	vfs_name_hooks.nh_root(mp);
	mount_ref(mp);				/* the caller's */
	if (on != NULL) {
		nc_copy(on, &mp->mnt_covered);
		vfs_name_hooks.nh_cover(on, mp);
	}
	spin_lock(&mountlist_spin);
	/* Newest first would be wrong for ids: append (see mount_foreach). */
	TAILQ_INSERT_TAIL(&mountlist, mp, mnt_list);
	spin_unlock(&mountlist_spin);
	vfs_syncer_start(mp);
	if (ops->vfs_start != NULL)
		ops->vfs_start(mp);
	*mpp = mp;
	return 0;
}

/* Is a handle or a mapping into the mount left beside the own root handle,
 * the list's and the caller's? */
static bool
mount_busy(struct mount *mp)
{
	return atomic_load(&mp->mnt_refs) > 3 || vfs_vnode_mapped(mp);
}

/* Nobody can enter any more: write out, forget, close.  Blocks. */
static int
mount_dismantle(struct mount *mp, bool force)
{
	struct nchandle covered = mp->mnt_covered;
	struct vnode *root = mp->mnt_root;
	int error;

	if (mount_leave_hook != NULL)
		mount_leave_hook(mp);
	vfs_syncer_stop(mp);
	vfs_name_hooks.nh_purge(mp);
	nc_drop(&mp->mnt_rootnch);
	vfs_name_hooks.nh_purge(mp);
	mp->mnt_root = NULL;
	vn_rele(root);
	vfs_vnode_flushmount(mp);
	error = mp->mnt_op->vfs_unmount(mp, force);
	vfs_vnode_flushmount(mp);
	if (error != 0)
		kprintf("vfs: unmount of %s: error %d\n", mp->mnt_from, error);
	spin_lock(&mountlist_spin);
	TAILQ_REMOVE(&mountlist, mp, mnt_list);
	spin_unlock(&mountlist_spin);
	mp->mnt_covered.nch_mount = NULL;
	mp->mnt_covered.nch_ncp = NULL;
	if (nc_isset(&covered)) {
		vfs_name_hooks.nh_cover(&covered, NULL);
		nc_drop(&covered);
	}
	mount_rele(mp);				/* the list's */
	return error;
}

/* Waits for the last user of a detached mount, then takes it apart. */
static void
detached_main(void *arg)
{
	static const nsec_t POLL = NSEC_PER_SEC / 10;
	struct mount *mp = arg;

	while (mount_busy(mp)) {
		tsleep(mp, 0, "detach", POLL);
		vfs_name_hooks.nh_purge(mp);
	}
	mount_dismantle(mp, false);
	mount_rele(mp);
	lwkt_exit();
}

/*
 * In use, but it shall go: no path leads into it any more, and the last user
 * ends it.  The root of all cannot go from under those who use it: it becomes
 * clean and read-only.
 */
static int
mount_detach(struct mount *mp)
{
	struct nchandle covered = mp->mnt_covered;
	struct thread *td;
	int error;

	if (!nc_isset(&covered)) {
		atomic_fetch_or(&mp->mnt_flags, MNT_RDONLY);
		if (mp->mnt_op->vfs_remount == NULL)
			return 0;
		return mp->mnt_op->vfs_remount(mp, mp->mnt_flags, NULL);
	}
	mount_ref(mp);
	error = lwkt_create(detached_main, mp, &td, TDPRI_KERN, -1,
	    "detached");
	if (error != 0) {
		mount_rele(mp);
		return error;
	}
	mp->mnt_covered.nch_mount = NULL;
	mp->mnt_covered.nch_ncp = NULL;
	vfs_name_hooks.nh_cover(&covered, NULL);
	nc_drop(&covered);
	lwkt_schedule(td);
	return 0;
}

int
vfs_unmount(struct mount *mp, bool force)
{
	int error;

	error = vfs_sync(mp, true);
	if (error != 0 && !force)
		return error;
	/* Unused names hold the mount through nothing; handles do. */
	vfs_name_hooks.nh_purge(mp);
	spin_lock(&mountlist_spin);
	if (mp->mnt_unmounting) {
		spin_unlock(&mountlist_spin);
		return EINVAL;
	}
	atomic_store(&mp->mnt_unmounting, true);
	spin_unlock(&mountlist_spin);
	if (!mount_busy(mp))
		return mount_dismantle(mp, force);
	error = force ? mount_detach(mp) : EBUSY;
	if (error != 0) {
		spin_lock(&mountlist_spin);
		atomic_store(&mp->mnt_unmounting, false);
		spin_unlock(&mountlist_spin);
	}
	return error;
}

/* No new changes, none under way, nothing dirty; undone if it cannot be. */
static int
mount_freeze(struct mount *mp)
{
	int error, tries;
	bool dirty;

	for (tries = 0; tries < 8; tries++) {
		error = vfs_sync(mp, true);
		if (error != 0)
			return error;
		atomic_fetch_or(&mp->mnt_flags, MNT_RDONLY);
		vop_gate_drain(mp);
		spin_lock(&mp->mnt_spin);
		dirty = !TAILQ_EMPTY(&mp->mnt_dirty);
		spin_unlock(&mp->mnt_spin);
		if (!dirty && !vfs_vnode_writers(mp))
			return 0;
		atomic_fetch_and(&mp->mnt_flags, ~(uint32_t)MNT_RDONLY);
		if (!dirty)
			break;
	}
	return EBUSY;
}

int
vfs_remount(struct mount *mp, uint32_t flags, const char *data)
{
	bool was_ro = (mp->mnt_flags & MNT_RDONLY) != 0;
	int error = 0;

	if ((flags & MNT_RDONLY) && !was_ro)
		error = mount_freeze(mp);
	if (error != 0)
		return error;
	if (mp->mnt_op->vfs_remount != NULL)
		error = mp->mnt_op->vfs_remount(mp, flags, data);
	if (error == 0)
		atomic_store(&mp->mnt_flags, flags);
	else if (!was_ro)
		atomic_fetch_and(&mp->mnt_flags, ~(uint32_t)MNT_RDONLY);
	return error;
}

int
vfs_statfs(struct mount *mp, struct statfs_info *sf)
{
	int error;

	memset(sf, 0, sizeof(*sf));
	if (mp->mnt_op->vfs_statfs == NULL)
		return ENOSYS;
	error = mp->mnt_op->vfs_statfs(mp, sf);
	if (sf->f_fsid == 0)
		sf->f_fsid = mp->mnt_dev;
	sf->f_flags = mp->mnt_flags;
	return error;
}

/* Everything done so far on the way to the disk; wait: and there. */
int
vfs_sync(struct mount *mp, bool wait)
{
	struct vnode *vp;
	nsec_t now = clock_mono_ns();
	int error = 0, one;

	if (mp->mnt_flags & MNT_RDONLY)
		return 0;
	for (;;) {
		spin_lock(&mp->mnt_spin);
		vp = TAILQ_FIRST(&mp->mnt_dirty);
		if (vp == NULL || vp->v_dirtytime > now) {
			spin_unlock(&mp->mnt_spin);
			break;
		}
		TAILQ_REMOVE(&mp->mnt_dirty, vp, v_dirtylist);
		vp->v_dirtytime = clock_mono_ns() + 1;
		TAILQ_INSERT_TAIL(&mp->mnt_dirty, vp, v_dirtylist);
		vn_hold(vp);
		spin_unlock(&mp->mnt_spin);
		if (vn_get(vp) == 0) {
			/* The filesystem's own sync waits once for all. */
			one = vop_fsync(vp, false,
			    wait && mp->mnt_op->vfs_sync == NULL, kernel_cred);
			if (error == 0)
				error = one;
			vn_rele(vp);
		}
		vn_drop(vp);
	}
	if (mp->mnt_op->vfs_sync != NULL) {
		one = mp->mnt_op->vfs_sync(mp, wait);
		if (error == 0)
			error = one;
	}
	return error;
}

static int
sync_one(struct mount *mp, void *arg)
{
	vfs_sync(mp, *(bool *)arg);
	return 0;
}

int
vfs_sync_all(bool wait)
{
	return mount_foreach(sync_one, &wait);
}
