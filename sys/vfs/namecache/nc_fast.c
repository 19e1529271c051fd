/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path walk of cached names, without locks or references.
 *
 * Q1  All of it runs in one epoch: entries, vnodes and mounts that it sees
 *     stay readable.
 * Q2  What it found counts only if no rename ran meanwhile (nc_rename_seq) and
 *     the last entry still has its name and its vnode.  Each step before it
 *     was true when it was taken, and a directory with a name in it cannot
 *     have been removed.
 * Q3  Anything out of the ordinary (a symlink in the way, a name not cached,
 *     a refused permission) is left to nlookup(), which also knows the errno.
 */
#include <sys/atomic.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>
#include <sys/vnode.h>

#include "../core/vfs_core.h"
#include "nc.h"

struct place {
	struct mount	 *mp;
	struct namecache *ncp;
};

/* Onto the mounts that cover a place.  False: one is leaving. */
static bool
fast_cross(struct place *at)
{
	struct mount *mp;

	while (nc_flags_get(at->ncp) & NCF_MOUNTPT) {
		mp = atomic_load_acq(&at->ncp->nc_covering);
		if (mp == NULL || atomic_load_relaxed(&mp->mnt_unmounting))
			return false;
		at->ncp = atomic_load_relaxed(&mp->mnt_rootnch.nch_ncp);
		at->mp = mp;
		if (at->ncp == NULL)
			return false;
	}
	return true;
}

/* May cred search the directory?  False: maybe not. */
static bool
fast_search(const struct namecache *ncp, const struct ucred *cred)
{
	struct vnode *vp;

	if ((nc_flags_get(ncp) & NCF_DIR) == 0)
		return false;
	if (cred->cr_fsuid == 0)
		return true;
	vp = atomic_load_relaxed(&ncp->nc_vp);
	return vp != NULL && vn_attr_search(vp, cred);
}

static bool
fast_dotdot(struct place *at, const struct nchandle *root)
{
	struct namecache *up;

	if (at->ncp == root->nch_ncp)
		return true;
	if (nc_flags_get(at->ncp) & (NCF_ROOT | NCF_DESTROYED))
		return false;
	up = atomic_load_relaxed(&at->ncp->nc_parent);
	if (up == NULL)
		return false;
	at->ncp = up;
	return fast_cross(at);
}

/*
 * Walk.  0: *at is a resolved, positive entry; ENOENT: the last name is known
 * not to be; EAGAIN: ask nlookup().
 */
static int
fast_walk(const struct nchandle *root, const struct nchandle *start,
    const char *path, bool follow, const struct ucred *cred, struct place *at)
{
	const struct nchandle *from = *path == '/' ? root : start;
	struct namecache *ncp;
	const char *name;
	struct nc_key key;
	uint32_t flags;
	size_t len;

	at->mp = from->nch_mount;
	at->ncp = from->nch_ncp;
	if (*path == '\0' || !fast_cross(at) ||
	    (nc_flags_get(at->ncp) & (NCF_RESOLVED | NCF_DESTROYED)) !=
	    NCF_RESOLVED)
		return EAGAIN;
	for (;;) {
		while (*path == '/')
			path++;
		if (*path == '\0')
			return 0;
		for (name = path; *path != '\0' && *path != '/'; path++) {
			if (path[0] == '@' && path[1] == '@')
				return EAGAIN;
		}
		len = (size_t)(path - name);
		if (len > NAME_MAX || !fast_search(at->ncp, cred))
			return EAGAIN;
		if (name[0] == '.' && len <= 2 &&
		    (len == 1 || name[1] == '.')) {
			if (len == 2 && !fast_dotdot(at, root))
				return EAGAIN;
			continue;
		}
		nc_key_init(&key, at->ncp, name, len);
		ncp = nc_hash_peek(at->ncp, &key);
		if (ncp == NULL)
			return EAGAIN;
		flags = atomic_load_acq(&ncp->nc_flags);
		if ((flags & (NCF_RESOLVED | NCF_HASHED | NCF_DESTROYED)) !=
		    (NCF_RESOLVED | NCF_HASHED))
			return EAGAIN;
		at->ncp = ncp;
		if (flags & NCF_NEGATIVE)
			return ENOENT;
		if ((flags & NCF_SYMLINK) && (*path != '\0' || follow))
			return EAGAIN;
		if (*path == '/' && (flags & NCF_DIR) == 0)
			return EAGAIN;
		if (!fast_cross(at))
			return EAGAIN;
	}
}

/* Q2: is what the walk found still so? */
static bool
fast_valid(const struct place *at, const struct vnode *vp, uint32_t seq)
{
	uint32_t flags;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	flags = nc_flags_get(at->ncp);
	return (flags & (NCF_RESOLVED | NCF_DESTROYED)) == NCF_RESOLVED &&
	    (flags & (NCF_HASHED | NCF_ROOT)) != 0 &&
	    atomic_load_relaxed(&at->ncp->nc_vp) == vp &&
	    atomic_load_relaxed(&nc_rename_seq) == seq;
}

/* stat(2) of a cached path: 0, ENOENT, or EAGAIN: not so easy. */
int
nc_fast_stat(const struct nchandle *root, const struct nchandle *start,
    const char *path, bool follow, const struct ucred *cred,
    struct vattr *vap)
{
	struct vnode *vp = NULL;
	struct place at;
	uint32_t seq;
	int error;

	epoch_enter();
	seq = atomic_load_acq(&nc_rename_seq);
	error = (seq & 1) ? EAGAIN :
	    fast_walk(root, start, path, follow, cred, &at);
	if (error == 0) {
		vp = atomic_load_relaxed(&at.ncp->nc_vp);
		if (vp == NULL || !vn_attr_peek(vp, vap))
			error = EAGAIN;
	}
	if (error != EAGAIN && !fast_valid(&at, vp, seq))
		error = EAGAIN;
	epoch_exit();
	return error;
}

/* The vnode of a cached path, and a handle if nch is not NULL: 0 (referenced),
 * ENOENT, or EAGAIN: not so easy. */
int
nc_fast_lookup(const struct nchandle *root, const struct nchandle *start,
    const char *path, bool follow, const struct ucred *cred,
    struct nchandle *nch, struct vnode **vpp)
{
	struct vnode *vp = NULL;
	bool have_vp = false, have_nc = false;
	struct place at;
	uint32_t seq;
	int error;

	epoch_enter();
	seq = atomic_load_acq(&nc_rename_seq);
	error = (seq & 1) ? EAGAIN :
	    fast_walk(root, start, path, follow, cred, &at);
	if (error == 0) {
		vp = atomic_load_relaxed(&at.ncp->nc_vp);
		have_vp = vp != NULL && vn_tryget(vp);
		if (have_vp && nch != NULL && nc_tryref(at.ncp)) {
			have_nc = true;
			mount_ref(at.mp);
			if (atomic_load(&at.mp->mnt_unmounting))
				error = EAGAIN;
		}
		if (!have_vp || (nch != NULL && !have_nc))
			error = EAGAIN;
	}
	if (error != EAGAIN && !fast_valid(&at, vp, seq))
		error = EAGAIN;
	epoch_exit();
	if (error == 0) {
		*vpp = vp;
		if (nch != NULL) {
			nch->nch_mount = at.mp;
			nch->nch_ncp = at.ncp;
		}
		return 0;
	}
	if (have_vp)
		vn_rele(vp);
	if (have_nc) {
		nc_unref(at.ncp);
		mount_rele(at.mp);
	}
	return error;
}
