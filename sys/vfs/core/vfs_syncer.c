/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The syncer of a mount: a thread that starts the write-back of vnodes that
 * have been dirty for a while, then lets the filesystem flush what it has
 * gathered.  It never waits for the disk on behalf of one file.
 */
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>

#include "vfs_core.h"

static const nsec_t SYNC_PERIOD = 1 * NSEC_PER_SEC;
static const nsec_t SYNC_AGE = 5 * NSEC_PER_SEC;

/* The oldest dirty vnode, held, if it is old enough. */
static struct vnode *
dirty_pick(struct mount *mp, nsec_t before)
{
	struct vnode *vp;

	spin_lock(&mp->mnt_spin);
	vp = TAILQ_FIRST(&mp->mnt_dirty);
	if (vp != NULL && vp->v_dirtytime <= before) {
		/* To the young end: a file that fails does not stop others. */
		TAILQ_REMOVE(&mp->mnt_dirty, vp, v_dirtylist);
		vp->v_dirtytime = clock_mono_ns();
		TAILQ_INSERT_TAIL(&mp->mnt_dirty, vp, v_dirtylist);
		vn_hold(vp);
	} else {
		vp = NULL;
	}
	spin_unlock(&mp->mnt_spin);
	return vp;
}

static bool
sync_aged(struct mount *mp)
{
	nsec_t now = clock_mono_ns();
	struct vnode *vp;
	bool any = false;

	if (now < SYNC_AGE)
		return false;
	while ((vp = dirty_pick(mp, now - SYNC_AGE)) != NULL) {
		if (vn_get(vp) == 0) {
			vop_fsync(vp, false, false, kernel_cred);
			vn_rele(vp);
		}
		vn_drop(vp);
		any = true;
	}
	return any;
}

static void
syncer_main(void *arg)
{
	struct mount *mp = arg;

	while (!atomic_load(&mp->mnt_stop)) {
		tsleep_interlock(&mp->mnt_stop);
		if (atomic_load(&mp->mnt_stop)) {
			tsleep_remove();
			break;
		}
		tsleep(&mp->mnt_stop, PINTERLOCKED, "syncer", SYNC_PERIOD);
		if (atomic_load(&mp->mnt_stop))
			break;
		if (sync_aged(mp) && mp->mnt_op->vfs_sync != NULL)
			mp->mnt_op->vfs_sync(mp, false);
	}
	atomic_store(&mp->mnt_syncer, NULL);
	wakeup(&mp->mnt_syncer);
	lwkt_exit();
}

void
vfs_syncer_start(struct mount *mp)
{
	struct thread *td;

	if (mp->mnt_op->vfc_flags & VFC_MEMORY)
		return;
	if (lwkt_create(syncer_main, mp, &td, TDPRI_KERN, -1, "syncer") != 0)
		return;
	mp->mnt_syncer = td;
	lwkt_schedule(td);
}

/* Blocks until the thread does not touch the mount any more. */
void
vfs_syncer_stop(struct mount *mp)
{
	atomic_store(&mp->mnt_stop, true);
	wakeup(&mp->mnt_stop);
	for (;;) {
		tsleep_interlock(&mp->mnt_syncer);
		if (atomic_load(&mp->mnt_syncer) == NULL) {
			tsleep_remove();
			break;
		}
		tsleep(&mp->mnt_syncer, PINTERLOCKED, "syncend", 0);
	}
	mp->mnt_stop = false;
}
