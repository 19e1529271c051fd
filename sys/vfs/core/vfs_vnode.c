/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a vnode (rules V1, V2 in sys/vnode.h).
 *
 *   alive      v_refs >= 0       counted without a lock
 *   claimed    v_refs < 0        one thread reclaims it; others wait
 *   dead       VN_DEAD           only the structure is left, until v_holds 0
 *
 *   alive -> claimed   [claim: v_refs was 0, or our own last one]
 *   claimed -> alive   [unclaim: a name was in use]
 *   claimed -> dead    [reclaim]
 *
 * L1  Being alive is one hold, every name in the namecache another.
 * L2  A vnode goes on the LRU when it first becomes idle and stays there while
 *     it is used again; the reclaimer steps over those in use.
 * L3  VN_UNLINKED is set by somebody who has a reference, so the one who gives
 *     back the last reference sees it.
 */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <vm/vm_object.h>

#include "vfs_core.h"

enum { VREF_CLAIMED = -0x40000000 };

static MALLOC_DEFINE(M_VNODE, "vnode");

uint64_t vfs_nvnodes;				/* [a] alive */
static uint64_t vnode_limit;
static struct vnode_list lru;			/* [lru_spin] oldest first */
static struct spinlock lru_spin = SPINLOCK_INITIALIZER("vnlru");
static uint32_t vnlru_kick;			/* [a] work for vnlru_main */

int
vn_alloc(struct mount *mp, enum vtype type, void *data, struct vnode **vpp)
{
	struct vnode *vp;

	vp = kmalloc(sizeof(*vp), &M_VNODE, M_WAITOK | M_ZERO);
	spin_init(&vp->v_spin, "vnode");
	lock_init(&vp->v_lock, "vnode");
	vp->v_type = type;
	vp->v_refs = 1;
	vp->v_holds = 1;
	vp->v_mount = mp;
	vp->v_data = data;
	TAILQ_INIT(&vp->v_names);
	if (type == VREG || type == VBLK)
		vp->v_object = vm_object_alloc(OBJT_VNODE, vp);
	spin_lock(&mp->mnt_spin);
	TAILQ_INSERT_TAIL(&mp->mnt_vnodes, vp, v_mntlist);
	spin_unlock(&mp->mnt_spin);
	if (atomic_fetch_add(&vfs_nvnodes, 1) >= vnode_limit &&
	    vnode_limit != 0 && atomic_swap(&vnlru_kick, 1) == 0)
		wakeup(&vnlru_kick);
	*vpp = vp;
	return 0;
}

void
vn_hold(struct vnode *vp)
{
	atomic_fetch_add(&vp->v_holds, 1);
}

static void
vnode_release(struct epoch_item *ei)
{
	kfree(container_of(ei, struct vnode, v_epoch), &M_VNODE);
}

void
vn_drop(struct vnode *vp)
{
	if (atomic_fetch_sub(&vp->v_holds, 1) == 1) {
		KKASSERT(atomic_load_relaxed(&vp->v_flags) & VN_DEAD);
		KKASSERT(TAILQ_EMPTY(&vp->v_names));
		epoch_call(&vp->v_epoch, vnode_release);
	}
}

void
vn_ref(struct vnode *vp)
{
	int32_t old = atomic_fetch_add(&vp->v_refs, 1);

	KKASSERT(old > 0);
}

bool
vn_tryget(struct vnode *vp)
{
	int32_t r = atomic_load_relaxed(&vp->v_refs);

	while (r >= 0) {
		if (atomic_cmpset(&vp->v_refs, &r, r + 1))
			return true;
	}
	return false;
}

int
vn_get(struct vnode *vp)
{
	while (!vn_tryget(vp)) {
		tsleep_interlock(vp);
		if (atomic_load(&vp->v_flags) & VN_DEAD) {
			tsleep_remove();
			return ENOENT;
		}
		if (atomic_load(&vp->v_refs) < 0)
			tsleep(vp, PINTERLOCKED, "vnget", 0);
		else
			tsleep_remove();
	}
	return 0;
}

void
vn_setflags(struct vnode *vp, uint32_t set, uint32_t clear)
{
	spin_lock(&vp->v_spin);
	atomic_store(&vp->v_flags, (atomic_load_relaxed(&vp->v_flags) & ~clear) | set);
	spin_unlock(&vp->v_spin);
}

/* from: 0 (idle) or 1 (our own reference). */
static bool
vnode_claim(struct vnode *vp, int32_t from)
{
	return atomic_cmpset(&vp->v_refs, &from, VREF_CLAIMED);
}

static void
vnode_unclaim(struct vnode *vp)
{
	atomic_store(&vp->v_refs, 0);
	wakeup(vp);
}

static void
lru_insert(struct vnode *vp)
{
	if (atomic_load_relaxed(&vp->v_flags) & VN_ONLRU)
		return;
	spin_lock(&lru_spin);
	if ((atomic_load_relaxed(&vp->v_flags) & VN_ONLRU) == 0) {
		TAILQ_INSERT_TAIL(&lru, vp, v_lru);
		vn_setflags(vp, VN_ONLRU, 0);
	}
	spin_unlock(&lru_spin);
}

static void
lru_remove(struct vnode *vp)
{
	spin_lock(&lru_spin);
	if (atomic_load_relaxed(&vp->v_flags) & VN_ONLRU) {
		TAILQ_REMOVE(&lru, vp, v_lru);
		vn_setflags(vp, 0, VN_ONLRU);
	}
	spin_unlock(&lru_spin);
}

/* claimed -> dead.  EBUSY: a name is in use, alive again and idle.  Blocks. */
static int
vnode_reclaim(struct vnode *vp)
{
	struct mount *mp = vp->v_mount;
	int error;

	if (vfs_name_hooks.nh_forget != NULL &&
	    !vfs_name_hooks.nh_forget(vp)) {
		vnode_unclaim(vp);
		return EBUSY;
	}
	vn_setflags(vp, VN_RECLAIMING, 0);
	lru_remove(vp);
	vn_mark_clean(vp);
	if (vp->v_object != NULL)
		vm_object_truncate(vp->v_object, 0);
	error = vop_reclaim(vp);
	if (error != 0)
		kprintf("vfs: reclaim on %s failed: %d\n", mp->mnt_from, error);
	spin_lock(&mp->mnt_spin);
	TAILQ_REMOVE(&mp->mnt_vnodes, vp, v_mntlist);
	spin_unlock(&mp->mnt_spin);
	if (vp->v_object != NULL) {
		vp->v_object->vo_vnode = NULL;
		vm_object_rele(vp->v_object);
		vp->v_object = NULL;
	}
	vp->v_data = NULL;
	vn_setflags(vp, VN_DEAD, VN_RECLAIMING);
	atomic_fetch_sub(&vfs_nvnodes, 1);
	wakeup(vp);
	vn_drop(vp);
	return 0;
}

/* The last reference of an object without a name.  Blocks. */
static void
vnode_finish(struct vnode *vp)
{
	vop_inactive(vp);
	lru_insert(vp);
	if (vnode_claim(vp, 1))
		vnode_reclaim(vp);	/* EBUSY: idle, the LRU has it */
	else
		vn_rele(vp);		/* somebody came meanwhile */
}

void
vn_rele(struct vnode *vp)
{
	int32_t r = atomic_load_relaxed(&vp->v_refs), zero = 0;
	bool finish = false;

	if (r == 1)
		lru_insert(vp);
	epoch_enter();			/* the structure stays while we look */
	do {
		KKASSERT(r > 0);
		if (r == 1 && (atomic_load(&vp->v_flags) & VN_UNLINKED)) {
			finish = true;
			break;
		}
	} while (!atomic_cmpset(&vp->v_refs, &r, r - 1));
	/* It may have lost its last name while we counted: then the one who
	 * removed that saw our reference, and the duty is ours. */
	if (!finish && r == 1 &&
	    (atomic_load(&vp->v_flags) & (VN_UNLINKED | VN_DEAD)) ==
	    VN_UNLINKED)
		finish = atomic_cmpset(&vp->v_refs, &zero, 1);
	epoch_exit();
	if (finish)
		vnode_finish(vp);
}

/* The caller holds vp (vn_hold). */
int
vn_recycle(struct vnode *vp)
{
	int error;

	if ((atomic_load_relaxed(&vp->v_flags) & VN_DIRTY) || vn_pages_dirty(vp)) {
		if (!vn_tryget(vp))
			return EBUSY;
		error = vop_fsync(vp, false, true, kernel_cred);
		vn_rele(vp);
		if (error != 0)
			return error;
	}
	if (!vnode_claim(vp, 0))
		return EBUSY;
	return vnode_reclaim(vp);
}

/*
 * Reclaim every idle vnode of a mount that is going away.  Those that are
 * still referenced (by the filesystem) stay.  Blocks.
 */
void
vfs_vnode_flushmount(struct mount *mp)
{
	struct vnode *vp;
	bool progress;

	do {
		progress = false;
		spin_lock(&mp->mnt_spin);
		TAILQ_FOREACH(vp, &mp->mnt_vnodes, v_mntlist) {
			if (atomic_load(&vp->v_refs) == 0) {
				vn_hold(vp);
				break;
			}
		}
		spin_unlock(&mp->mnt_spin);
		if (vp != NULL) {
			progress = vn_recycle(vp) == 0;
			vn_drop(vp);
		}
	} while (progress);
}

/* Is a file of the mount mapped somewhere? */
bool
vfs_vnode_mapped(struct mount *mp)
{
	struct vnode *vp;

	spin_lock(&mp->mnt_spin);
	TAILQ_FOREACH(vp, &mp->mnt_vnodes, v_mntlist) {
		if (vp->v_object != NULL &&
		    atomic_load_relaxed(&vp->v_object->vo_refs) > 1)
			break;
	}
	spin_unlock(&mp->mnt_spin);
	return vp != NULL;
}

/* Is a file of the mount open for writing? */
bool
vfs_vnode_writers(struct mount *mp)
{
	struct vnode *vp;

	spin_lock(&mp->mnt_spin);
	TAILQ_FOREACH(vp, &mp->mnt_vnodes, v_mntlist) {
		if (atomic_load_relaxed(&vp->v_writers) > 0)
			break;
	}
	spin_unlock(&mp->mnt_spin);
	return vp != NULL;
}

void
vn_mark_dirty(struct vnode *vp)
{
	struct mount *mp = vp->v_mount;

	if ((atomic_load_relaxed(&vp->v_flags) & VN_DIRTY) ||
	    (mp->mnt_op->vfc_flags & VFC_MEMORY))
		return;
	spin_lock(&mp->mnt_spin);
	if ((atomic_load_relaxed(&vp->v_flags) & VN_DIRTY) == 0) {
		vn_setflags(vp, VN_DIRTY, 0);
		vp->v_dirtytime = clock_mono_ns();
		TAILQ_INSERT_TAIL(&mp->mnt_dirty, vp, v_dirtylist);
	}
	spin_unlock(&mp->mnt_spin);
}

void
vn_mark_clean(struct vnode *vp)
{
	struct mount *mp = vp->v_mount;

	if ((atomic_load_relaxed(&vp->v_flags) & VN_DIRTY) == 0)
		return;
	spin_lock(&mp->mnt_spin);
	if (atomic_load_relaxed(&vp->v_flags) & VN_DIRTY) {
		vn_setflags(vp, 0, VN_DIRTY);
		TAILQ_REMOVE(&mp->mnt_dirty, vp, v_dirtylist);
	}
	spin_unlock(&mp->mnt_spin);
}

/* The oldest idle clean vnode, held; looks at a few only. */
static struct vnode *
lru_pick(void)
{
	struct vnode *vp;
	int looks = 64;

	spin_lock(&lru_spin);
	while (looks-- > 0 && (vp = TAILQ_FIRST(&lru)) != NULL) {
		TAILQ_REMOVE(&lru, vp, v_lru);
		if (atomic_load_relaxed(&vp->v_refs) != 0) {
			vn_setflags(vp, 0, VN_ONLRU);	/* it comes back */
			/* It may have become idle just now, seeing ONLRU. */
			if (atomic_load(&vp->v_refs) == 0) {
				vn_setflags(vp, VN_ONLRU, 0);
				TAILQ_INSERT_TAIL(&lru, vp, v_lru);
			}
			continue;
		}
		TAILQ_INSERT_TAIL(&lru, vp, v_lru);
		if (atomic_load_relaxed(&vp->v_flags) & VN_DIRTY)
			continue;
		vn_hold(vp);
		spin_unlock(&lru_spin);
		return vp;
	}
	spin_unlock(&lru_spin);
	return NULL;
}

static void
vnlru_main(void *arg __unused)
{
	uint64_t target;
	struct vnode *vp;
	int misses;

	for (;;) {
		tsleep_interlock(&vnlru_kick);
		if (atomic_load(&vnlru_kick) == 0) {
			tsleep(&vnlru_kick, PINTERLOCKED, "vnlru", 0);
			continue;
		}
		tsleep_remove();
		target = MIN(vnode_limit, atomic_load(&vfs_nvnodes));
		target -= target / 8;
		if (vfs_name_hooks.nh_trim != NULL)
			vfs_name_hooks.nh_trim(target / 8);
		for (misses = 0; misses < 16 &&
		    atomic_load(&vfs_nvnodes) > target; ) {
			vp = lru_pick();
			if (vp == NULL)
				break;
			if (vn_recycle(vp) != 0)
				misses++;
			vn_drop(vp);
		}
		atomic_store(&vnlru_kick, 0);
	}
}

/* Pages are short.  Vnodes take locks to free, so a thread does it. */
static uint64_t
vnode_reclaimer(uint64_t npages __unused)
{
	if (atomic_swap(&vnlru_kick, 1) == 0)
		wakeup(&vnlru_kick);
	return 0;
}

static struct vm_reclaimer vnode_vr = {
	.vr_reclaim = vnode_reclaimer, .vr_name = "vnodes",
};

static void
object_vnode_rele(struct vnode *vp)
{
	vn_rele(vp);
}

void
vfs_vnode_init(void)
{
	struct thread *td;

	TAILQ_INIT(&lru);
	vm_object_vnode_ref = vn_ref;
	vm_object_vnode_rele = object_vnode_rele;
	vnode_limit = MAX(vm_pages_total / 8, (uint64_t)1024);
	vm_reclaim_register(&vnode_vr);
	if (lwkt_create(vnlru_main, NULL, &td, TDPRI_KERN, -1, "vnlru") == 0)
		lwkt_schedule(td);
}
