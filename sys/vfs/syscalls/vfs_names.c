/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations on names: create, remove, link, rename.  Everything that can be
 * decided above a filesystem is decided here, with the name locked.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>
#include <sys/vnode.h>
#include <sys/vop.h>

#include "vfs_calls.h"

/* May this name appear in that directory? */
int
kvfs_check_create(struct nlookup *nl)
{
	return vn_access(nl->nl_dvp, VWRITE | VEXEC, nl->nl_cred);
}

/* Owner and group of a new object; set-group-id directories pass it on. */
int
kvfs_new_attr(struct kvfs *kv, struct vnode *dvp, mode_t mode, dev_t rdev,
    struct vattr *vap)
{
	struct vattr dva;
	int error;

	error = vn_getattr(dvp, &dva, kv->kv_cred);
	if (error != 0)
		return error;
	memset(vap, 0, sizeof(*vap));
	vap->va_mask = VA_MODE | VA_UID | VA_GID | VA_RDEV;
	vap->va_mode = (mode & S_IFMT) | (mode & 07777 & ~kv->kv_umask);
	vap->va_uid = kv->kv_cred->cr_fsuid;
	vap->va_gid = kv->kv_cred->cr_fsgid;
	vap->va_rdev = rdev;
	if (dva.va_mode & S_ISGID) {
		vap->va_gid = dva.va_gid;
		if (S_ISDIR(mode))
			vap->va_mode |= S_ISGID;
	}
	return 0;
}

/* Look up a name that shall be made: locked and negative. */
static int
lookup_new(struct kvfs *kv, const char *path, bool dir, struct nlookup *nl)
{
	struct vnode *vp;
	int error;

	nlookup_init(nl, &kv->kv_root, &kv->kv_start, kv->kv_cred,
	    NLC_CREATE | NLC_PARENT | NLC_LOCK);
	error = nlookup(nl, path);
	if (error != 0)
		return error;
	if (nl->nl_dots != 0)
		return EEXIST;
	error = nc_vnode(&nl->nl_nch, kv->kv_cred, &vp);
	if (error == 0) {
		vn_rele(vp);
		return EEXIST;
	}
	if (error != ENOENT)
		return error;
	if (nl->nl_dirslash && !dir)
		return ENOENT;
	return kvfs_check_create(nl);
}

int
kvfs_mkdir(struct kvfs *kv, const char *path, mode_t mode)
{
	struct nlookup nl;
	struct vattr va;
	struct vnode *vp;
	int error;

	error = lookup_new(kv, path, true, &nl);
	if (error == 0)
		error = kvfs_new_attr(kv, nl.nl_dvp,
		    S_IFDIR | (mode & 01777), 0, &va);
	if (error == 0)
		error = vop_nmkdir(&nl.nl_nch, nl.nl_dvp, &va, &vp,
		    kv->kv_cred);
	if (error == 0)
		vn_rele(vp);
	nlookup_done(&nl);
	return error;
}

int
kvfs_mknod(struct kvfs *kv, const char *path, mode_t mode, dev_t rdev)
{
	struct nlookup nl;
	struct vattr va;
	struct vnode *vp;
	int error;

	if ((mode & S_IFMT) == 0)
		mode |= S_IFREG;
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		rdev = 0;
		break;
	case S_IFCHR:
	case S_IFBLK:
		if (kv->kv_cred->cr_fsuid != 0)
			return EPERM;
		break;
	case S_IFDIR:
		return EPERM;
	default:
		return EINVAL;
	}
	error = lookup_new(kv, path, false, &nl);
	if (error == 0)
		error = kvfs_new_attr(kv, nl.nl_dvp, mode, rdev, &va);
	if (error == 0)
		error = S_ISREG(mode) ?
		    vop_ncreate(&nl.nl_nch, nl.nl_dvp, &va, &vp,
		    kv->kv_cred) :
		    vop_nmknod(&nl.nl_nch, nl.nl_dvp, &va, &vp, kv->kv_cred);
	if (error == 0)
		vn_rele(vp);
	nlookup_done(&nl);
	return error;
}

int
kvfs_symlink(struct kvfs *kv, const char *target, const char *path)
{
	struct nlookup nl;
	struct vattr va;
	struct vnode *vp;
	int error;

	if (*target == '\0')
		return ENOENT;
	if (strnlen(target, PATH_MAX) >= PATH_MAX)
		return ENAMETOOLONG;
	error = lookup_new(kv, path, false, &nl);
	if (error == 0)
		error = kvfs_new_attr(kv, nl.nl_dvp, S_IFLNK | 0777, 0, &va);
	if (error == 0) {
		va.va_mode = S_IFLNK | 0777;
		error = vop_nsymlink(&nl.nl_nch, nl.nl_dvp, &va, target, &vp,
		    kv->kv_cred);
	}
	if (error == 0)
		vn_rele(vp);
	nlookup_done(&nl);
	return error;
}

int
kvfs_link_vnode(struct vnode *vp, struct kvfs *kt, const char *to)
{
	struct nlookup nl;
	int error;

	error = lookup_new(kt, to, false, &nl);
	if (error == 0 && vp->v_mount != nl.nl_dvp->v_mount)
		error = EXDEV;
	if (error == 0 && (atomic_load_relaxed(&vp->v_flags) & VN_ASOF))
		error = EXDEV;
	if (error == 0 && vp->v_type == VDIR)
		error = EPERM;
	if (error == 0)
		error = vop_nlink(&nl.nl_nch, nl.nl_dvp, vp, kt->kv_cred);
	nlookup_done(&nl);
	return error;
}

int
kvfs_link(struct kvfs *kf, const char *from, bool follow, struct kvfs *kt,
    const char *to)
{
	struct vnode *vp;
	int error;

	error = kvfs_lookup(kf, from, follow, NULL, &vp);
	if (error != 0)
		return error;
	error = kvfs_link_vnode(vp, kt, to);
	vn_rele(vp);
	return error;
}

/* May cred remove vp from dvp?  Write access, and the sticky rule. */
static int
check_delete(struct vnode *dvp, struct vnode *vp, struct ucred *cred)
{
	struct vattr dva, va;
	int error;

	if (atomic_load_relaxed(&vp->v_flags) & VN_ASOF)
		return EROFS;
	error = vn_access(dvp, VWRITE | VEXEC, cred);
	if (error != 0 || cred->cr_fsuid == 0)
		return error;
	error = vn_getattr(dvp, &dva, cred);
	if (error != 0 || (dva.va_mode & S_ISVTX) == 0 ||
	    dva.va_uid == cred->cr_fsuid)
		return error;
	error = vn_getattr(vp, &va, cred);
	if (error == 0 && va.va_uid != cred->cr_fsuid)
		error = EPERM;
	return error;
}

/* Does something cover the place?  (It is not crossed by NLC_DELETE.) */
static bool
is_mountpoint(const struct nchandle *nch)
{
	struct mount *mp = mount_covering(nch);

	if (mp != NULL)
		mount_rele(mp);
	return mp != NULL;
}

static int
remove_common(struct kvfs *kv, const char *path, bool dir)
{
	struct nlookup nl;
	struct vnode *vp = NULL;
	int error;

	nlookup_init(&nl, &kv->kv_root, &kv->kv_start, kv->kv_cred,
	    NLC_DELETE | NLC_PARENT | NLC_LOCK);
	error = nlookup(&nl, path);
	if (error == 0 && nl.nl_dots != 0)
		error = !dir ? EISDIR : nl.nl_dots == 1 ? EINVAL :
		    nl.nl_dots == 2 ? ENOTEMPTY : EBUSY;
	if (error == 0)
		error = nc_vnode(&nl.nl_nch, kv->kv_cred, &vp);
	if (error != 0)
		goto done;
	error = check_delete(nl.nl_dvp, vp, kv->kv_cred);
	if (error == 0 && dir && vp->v_type != VDIR)
		error = ENOTDIR;
	if (error == 0 && !dir && vp->v_type == VDIR)
		error = EISDIR;
	if (error == 0 && is_mountpoint(&nl.nl_nch))
		error = EBUSY;
	if (error == 0)
		error = dir ? vop_nrmdir(&nl.nl_nch, nl.nl_dvp, vp,
		    kv->kv_cred) : vop_nremove(&nl.nl_nch, nl.nl_dvp, vp,
		    kv->kv_cred);
done:
	nlookup_done(&nl);
	if (vp != NULL)
		vn_rele(vp);
	return error;
}

int
kvfs_unlink(struct kvfs *kv, const char *path)
{
	return remove_common(kv, path, false);
}

int
kvfs_rmdir(struct kvfs *kv, const char *path)
{
	return remove_common(kv, path, true);
}
