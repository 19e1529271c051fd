/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding, opening and closing files; whole-file conveniences. */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>
#include <sys/vnode.h>
#include <sys/vop.h>

#include "vfs_calls.h"

void
kvfs_init(struct kvfs *kv, struct mount *mp)
{
	nc_copy(&mp->mnt_rootnch, &kv->kv_root);
	nc_copy(&mp->mnt_rootnch, &kv->kv_start);
	kv->kv_cred = kernel_cred;
	kv->kv_umask = 0;
}

int
kvfs_init_root(struct kvfs *kv)
{
	if (!nc_isset(&vfs_rootnch))
		return ENOENT;
	kvfs_init(kv, vfs_rootnch.nch_mount);
	return 0;
}

void
kvfs_done(struct kvfs *kv)
{
	nc_drop(&kv->kv_root);
	nc_drop(&kv->kv_start);
}

/* The name that was found has lost its object since: something else may have
 * the name by now, and then nobody may see it missing. */
static bool
was_replaced(const struct nlookup *nl)
{
	return nc_isset(&nl->nl_nch) && nl->nl_dots == 0 &&
	    nc_destroyed(&nl->nl_nch);
}

int
kvfs_lookup(struct kvfs *kv, const char *path, bool follow,
    struct nchandle *nch, struct vnode **vpp)
{
	struct nlookup nl;
	bool again;
	int error;

	*vpp = NULL;
	error = nc_fast_lookup(&kv->kv_root, &kv->kv_start, path, follow,
	    kv->kv_cred, nch, vpp);
	if (error != EAGAIN)
		return error;
	do {
		nlookup_init(&nl, &kv->kv_root, &kv->kv_start, kv->kv_cred,
		    follow ? NLC_FOLLOW : 0);
		error = nlookup(&nl, path);
		if (error == 0)
			error = nc_vnode(&nl.nl_nch, kv->kv_cred, vpp);
		again = error == ENOENT && was_replaced(&nl);
		if (error == 0 && nch != NULL)
			nc_copy(&nl.nl_nch, nch);
		nlookup_done(&nl);
	} while (again);
	return error;
}

static int
open_access(int oflags)
{
	static const uint8_t need[4] = { VREAD, VWRITE, VREAD | VWRITE,
	    VREAD | VWRITE };
	int mode = need[oflags & O_ACCMODE];

	return (oflags & O_TRUNC) ? mode | VWRITE : mode;
}

/* Count a writer, unless the file is being executed. */
static int
writer_enter(struct vnode *vp)
{
	int32_t w = atomic_load_relaxed(&vp->v_writers);

	do {
		if (w < 0)
			return ETXTBSY;
	} while (!atomic_cmpset(&vp->v_writers, &w, w + 1));
	return 0;
}

/* An existing object: may it be opened so? */
static int
open_check(struct vnode *vp, int oflags, struct ucred *cred)
{
	bool writes = (oflags & O_ACCMODE) != O_RDONLY || (oflags & O_TRUNC);

	if (vp->v_type == VLNK)
		return ELOOP;
	if ((oflags & O_DIRECTORY) && vp->v_type != VDIR)
		return ENOTDIR;
	if (vp->v_type == VDIR && (writes || (oflags & O_CREAT)))
		return EISDIR;
	if (vp->v_type == VSOCK)
		return ENXIO;
	if ((vp->v_type == VCHR || vp->v_type == VBLK) &&
	    (vp->v_mount->mnt_flags & MNT_NODEV))
		return EACCES;
	return vn_access(vp, open_access(oflags), cred);
}

/* Make the regular file that was not there.  EAGAIN: it is there now. */
static int
open_create(struct kvfs *kv, struct nlookup *nl, mode_t mode,
    struct vnode **vpp)
{
	struct vattr va;
	int error;

	if (nl->nl_dirslash)
		return EISDIR;
	error = kvfs_check_create(nl);
	if (error == 0)
		error = kvfs_new_attr(kv, nl->nl_dvp,
		    S_IFREG | (mode & 07777), 0, &va);
	if (error == 0)
		error = vop_ncreate(&nl->nl_nch, nl->nl_dvp, &va, vpp,
		    kv->kv_cred);
	return error;
}

/* Walk, and create if asked to.  *vpp referenced. */
static int
open_find(struct kvfs *kv, const char *path, int oflags, mode_t mode,
    struct nlookup *nl, struct vnode **vpp, bool *created)
{
	uint32_t flags = (oflags & O_NOFOLLOW) ? 0 : NLC_FOLLOW;
	int error;

	if ((oflags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		flags = 0;
	if (oflags & O_CREAT)
		flags |= NLC_CREATE | NLC_PARENT | NLC_LOCK;
	nlookup_init(nl, &kv->kv_root, &kv->kv_start, kv->kv_cred, flags);
	if ((oflags & O_CREAT) == 0) {
		error = nc_fast_lookup(&nl->nl_root, &nl->nl_start, path,
		    (flags & NLC_FOLLOW) != 0, kv->kv_cred, &nl->nl_nch, vpp);
		if (error != EAGAIN)
			return error;
	}
	error = nlookup(nl, path);
	if (error != 0)
		return error;
	error = nc_vnode(&nl->nl_nch, kv->kv_cred, vpp);
	if (error == ENOENT && (oflags & O_CREAT)) {
		error = open_create(kv, nl, mode, vpp);
		*created = error == 0;
	} else if (error == 0 &&
	    (oflags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
		vn_rele(*vpp);
		*vpp = NULL;
		error = EEXIST;
	}
	if (nl->nl_locked) {
		nc_unlock(&nl->nl_nch);
		nl->nl_locked = false;
	}
	return error;
}

int
kvfs_open(struct kvfs *kv, const char *path, int oflags, mode_t mode,
    struct nchandle *nch, struct vnode **vpp)
{
	struct vattr va;
	struct nlookup nl;
	struct vnode *vp = NULL;
	bool created = false;
	int error;

	*vpp = NULL;
	if ((oflags & O_TMPFILE) == O_TMPFILE)
		return EOPNOTSUPP;
	for (;;) {
		error = open_find(kv, path, oflags, mode & ~kv->kv_umask,
		    &nl, &vp, &created);
		if (error != ENOENT || !was_replaced(&nl))
			break;
		nlookup_done(&nl);
	}
	if (error == 0 && !created)
		error = open_check(vp, oflags, kv->kv_cred);
	if (error == 0 && (oflags & O_ACCMODE) != O_RDONLY &&
	    vp->v_type == VREG)
		error = writer_enter(vp);
	if (error != 0)
		goto fail;
	if ((oflags & O_TRUNC) && vp->v_type == VREG && !created) {
		memset(&va, 0, sizeof(va));
		va.va_mask = VA_SIZE;
		error = vop_setattr(vp, &va, kv->kv_cred);
	}
	if (error == 0)
		error = vop_open(vp, oflags, kv->kv_cred);
	if (error != 0) {
		if ((oflags & O_ACCMODE) != O_RDONLY && vp->v_type == VREG)
			atomic_fetch_sub(&vp->v_writers, 1);
		goto fail;
	}
	if (nch != NULL) {
		*nch = nl.nl_nch;
		nl.nl_nch.nch_mount = NULL;
		nl.nl_nch.nch_ncp = NULL;
	}
	nlookup_done(&nl);
	*vpp = vp;
	return 0;
fail:
	nlookup_done(&nl);
	if (vp != NULL)
		vn_rele(vp);
	return error;
}

/* Consumes the reference. */
void
kvfs_close(struct vnode *vp, int oflags, struct ucred *cred)
{
	vop_close(vp, oflags, cred);
	if ((oflags & O_ACCMODE) != O_RDONLY && vp->v_type == VREG)
		atomic_fetch_sub(&vp->v_writers, 1);
	vn_rele(vp);
}

int
kvfs_stat(struct kvfs *kv, const char *path, bool follow, struct vattr *vap)
{
	struct vnode *vp;
	int error;

	error = nc_fast_stat(&kv->kv_root, &kv->kv_start, path, follow,
	    kv->kv_cred, vap);
	if (error != EAGAIN)
		return error;
	error = kvfs_lookup(kv, path, follow, NULL, &vp);
	if (error != 0)
		return error;
	error = vn_getattr(vp, vap, kv->kv_cred);
	vn_rele(vp);
	return error;
}

int
kvfs_readlink(struct kvfs *kv, const char *path, char *buf, size_t size,
    size_t *len)
{
	struct vnode *vp;
	int error;

	error = kvfs_lookup(kv, path, false, NULL, &vp);
	if (error != 0)
		return error;
	error = vp->v_type == VLNK ?
	    vop_readlink(vp, buf, size, len, kv->kv_cred) : EINVAL;
	vn_rele(vp);
	return error;
}

int
kvfs_fsync(struct kvfs *kv, const char *path)
{
	struct vnode *vp;
	int error;

	error = kvfs_lookup(kv, path, true, NULL, &vp);
	if (error != 0)
		return error;
	error = vop_fsync(vp, false, true, kv->kv_cred);
	vn_rele(vp);
	return error;
}

int
kvfs_create(struct kvfs *kv, const char *path, mode_t mode)
{
	struct vnode *vp;
	int error;

	error = kvfs_open(kv, path, O_CREAT | O_EXCL | O_WRONLY, mode, NULL,
	    &vp);
	if (error == 0)
		kvfs_close(vp, O_WRONLY, kv->kv_cred);
	return error;
}

int
kvfs_write(struct kvfs *kv, const char *path, const void *buf, size_t len,
    off_t off)
{
	struct vnode *vp;
	size_t done;
	int error;

	error = kvfs_open(kv, path, O_WRONLY, 0, NULL, &vp);
	if (error != 0)
		return error;
	error = vn_write(vp, buf, len, off, 0, kv->kv_cred, &done, NULL);
	if (error == 0 && done < len)
		error = ENOSPC;
	kvfs_close(vp, O_WRONLY, kv->kv_cred);
	return error;
}

int
kvfs_read(struct kvfs *kv, const char *path, void *buf, size_t len, off_t off,
    size_t *done)
{
	struct vnode *vp;
	int error;

	*done = 0;
	error = kvfs_open(kv, path, O_RDONLY, 0, NULL, &vp);
	if (error != 0)
		return error;
	error = vp->v_type == VDIR ? EISDIR :
	    vn_read(vp, buf, len, off, kv->kv_cred, done);
	kvfs_close(vp, O_RDONLY, kv->kv_cred);
	return error;
}

struct readdir_all {
	vop_dirent_fn	*fn;
	void		*arg;
	off_t		 next;
	bool		 stopped, any;
};

static bool
readdir_one(void *arg, const char *name, size_t len, ino_t ino, int dtype,
    off_t next)
{
	struct readdir_all *ra = arg;

	if (!ra->fn(ra->arg, name, len, ino, dtype, next)) {
		ra->stopped = true;
		return false;
	}
	ra->next = next;
	ra->any = true;
	return true;
}

int
kvfs_readdir(struct kvfs *kv, const char *path, vop_dirent_fn *fn, void *arg)
{
	struct readdir_all ra = { fn, arg, 0, false, false };
	struct vnode *vp;
	bool eof = false;
	int error;

	error = kvfs_open(kv, path, O_RDONLY | O_DIRECTORY, 0, NULL, &vp);
	if (error != 0)
		return error;
	while (error == 0 && !eof && !ra.stopped) {
		ra.any = false;
		error = vop_readdir(vp, ra.next, readdir_one, &ra, &eof,
		    kv->kv_cred);
		if (!ra.any)
			break;
	}
	kvfs_close(vp, O_RDONLY | O_DIRECTORY, kv->kv_cred);
	return error;
}

int
kvfs_mount(struct kvfs *kv, const char *fstype, const char *special,
    const char *path, uint32_t flags, const char *data)
{
	struct nchandle nch = { NULL, NULL };
	struct mount *mp;
	struct vnode *vp;
	int error;

	if (kv->kv_cred->cr_fsuid != 0)
		return EPERM;
	error = kvfs_lookup(kv, path, true, &nch, &vp);
	if (error != 0)
		return error;
	error = vp->v_type == VDIR ? 0 : ENOTDIR;
	if (error == 0)
		error = vfs_mount(fstype, special, &nch, flags, data,
		    kv->kv_cred, &mp);
	if (error == 0)
		mount_rele(mp);
	vn_rele(vp);
	nc_drop(&nch);
	return error;
}

int
kvfs_umount(struct kvfs *kv, const char *path, bool force)
{
	struct nchandle nch = { NULL, NULL };
	struct mount *mp;
	struct vnode *vp;
	int error;

	if (kv->kv_cred->cr_fsuid != 0)
		return EPERM;
	error = kvfs_lookup(kv, path, true, &nch, &vp);
	if (error != 0)
		return error;
	mp = nch.nch_mount;
	mount_ref(mp);
	error = nch.nch_ncp == mp->mnt_rootnch.nch_ncp ? 0 : EINVAL;
	vn_rele(vp);
	nc_drop(&nch);
	if (error == 0 && !nc_isset(&mp->mnt_covered))
		error = EBUSY;			/* the root of all */
	if (error == 0)
		error = vfs_unmount(mp, force);
	mount_rele(mp);
	return error;
}
