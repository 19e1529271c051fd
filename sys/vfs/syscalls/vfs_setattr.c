/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may change which attribute: chmod, chown, utimensat, truncate. */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>
#include <sys/vnode.h>
#include <sys/vop.h>

#include "vfs_calls.h"

static int
check_mode(struct vnode *vp, const struct vattr *cur, struct vattr *va,
    struct ucred *cred)
{
	if (vp->v_type == VLNK)
		return EOPNOTSUPP;
	if (cred->cr_fsuid != 0 && cred->cr_fsuid != cur->va_uid)
		return EPERM;
	va->va_mode = (cur->va_mode & S_IFMT) | (va->va_mode & 07777);
	if (cred->cr_fsuid != 0 && cur->va_gid != cred->cr_fsgid &&
	    !cred_in_group(cred, cur->va_gid))
		va->va_mode &= ~(mode_t)S_ISGID;
	return 0;
}

static int
check_owner(struct vnode *vp, const struct vattr *cur, struct vattr *va,
    struct ucred *cred)
{
	mode_t mode = cur->va_mode;

	if (cred->cr_fsuid != 0) {
		if ((va->va_mask & VA_UID) && va->va_uid != cur->va_uid)
			return EPERM;
		if (cred->cr_fsuid != cur->va_uid)
			return EPERM;
		if ((va->va_mask & VA_GID) && va->va_gid != cur->va_gid &&
		    va->va_gid != cred->cr_fsgid &&
		    !cred_in_group(cred, va->va_gid))
			return EPERM;
	}
	/* A program does not keep its powers under a new owner. */
	if (vp->v_type == VREG && (va->va_mask & VA_MODE) == 0) {
		mode &= ~(mode_t)S_ISUID;
		if (mode & 010)
			mode &= ~(mode_t)S_ISGID;
		if (mode != cur->va_mode) {
			va->va_mask |= VA_MODE;
			va->va_mode = mode;
		}
	}
	return 0;
}

static int
check_times(struct vnode *vp, const struct vattr *cur, struct vattr *va,
    struct ucred *cred)
{
	nsec_t now = clock_wall_ns();
	struct timespec ts = { (int64_t)(now / NSEC_PER_SEC),
	    (int64_t)(now % NSEC_PER_SEC) };
	bool all_now = true;

	if (va->va_mask & VA_ATIME_NOW) {
		va->va_atime = ts;
		va->va_mask |= VA_ATIME;
	} else if (va->va_mask & VA_ATIME) {
		all_now = false;
	}
	if (va->va_mask & VA_MTIME_NOW) {
		va->va_mtime = ts;
		va->va_mask |= VA_MTIME;
	} else if (va->va_mask & VA_MTIME) {
		all_now = false;
	}
	/* "Both now" is what a writer may do; one of them is not. */
	if ((va->va_mask & (VA_ATIME | VA_MTIME)) != (VA_ATIME | VA_MTIME))
		all_now = false;
	if (cred->cr_fsuid == 0 || cred->cr_fsuid == cur->va_uid)
		return 0;
	return all_now ? vn_access(vp, VWRITE, cred) : EPERM;
}

/*
 * Change attributes after checking the rules.  VA_SIZE is not checked here:
 * the right to truncate comes from the path or from the descriptor.
 */
int
vn_setattr(struct vnode *vp, const struct vattr *want, struct ucred *cred)
{
	struct vattr va = *want, cur;
	int error;

	if ((vp->v_mount->mnt_flags & MNT_RDONLY) ||
	    (atomic_load_relaxed(&vp->v_flags) & VN_ASOF))
		return EROFS;
	error = vn_getattr(vp, &cur, cred);
	if (error == 0 && (va.va_mask & VA_MODE))
		error = check_mode(vp, &cur, &va, cred);
	if (error == 0 && (va.va_mask & (VA_UID | VA_GID)))
		error = check_owner(vp, &cur, &va, cred);
	if (error == 0 && (va.va_mask &
	    (VA_ATIME | VA_MTIME | VA_ATIME_NOW | VA_MTIME_NOW)))
		error = check_times(vp, &cur, &va, cred);
	if (error == 0 && (va.va_mask & VA_FLAGS) && cred->cr_fsuid != 0 &&
	    cred->cr_fsuid != cur.va_uid)
		error = EPERM;
	if (error == 0 && (va.va_mask & VA_SIZE)) {
		if (vp->v_type == VDIR)
			error = EISDIR;
		else if (vp->v_type != VREG)
			error = EINVAL;
		else if (va.va_size > (uint64_t)INT64_MAX)
			error = EFBIG;
	}
	if (error == 0 && va.va_mask != 0)
		error = vop_setattr(vp, &va, cred);
	return error;
}

int
kvfs_setattr(struct kvfs *kv, const char *path, bool follow,
    const struct vattr *va)
{
	struct vnode *vp;
	int error;

	error = kvfs_lookup(kv, path, follow, NULL, &vp);
	if (error != 0)
		return error;
	error = vn_setattr(vp, va, kv->kv_cred);
	vn_rele(vp);
	return error;
}

int
kvfs_truncate(struct kvfs *kv, const char *path, uint64_t size)
{
	struct vattr va;
	struct vnode *vp;
	int error;

	error = kvfs_lookup(kv, path, true, NULL, &vp);
	if (error != 0)
		return error;
	memset(&va, 0, sizeof(va));
	va.va_mask = VA_SIZE;
	va.va_size = size;
	error = vp->v_type == VDIR ? EISDIR :
	    vn_access(vp, VWRITE, kv->kv_cred);
	if (error == 0 && atomic_load_relaxed(&vp->v_writers) < 0)
		error = ETXTBSY;
	if (error == 0)
		error = vn_setattr(vp, &va, kv->kv_cred);
	vn_rele(vp);
	return error;
}
