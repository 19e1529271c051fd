/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rename: two names, up to two objects, and a tree that must stay a tree.
 *
 * The names are found without locks and then locked together, backing off so
 * that two renames in opposite directions never wait for each other.  What was
 * found may have changed before both were locked: then all begins anew.
 * Renames of directories exclude each other per mount, so the walk up from
 * the target sees a chain that stands still.
 */
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

struct renaming {
	struct nlookup	 from, to;
	struct nchandle	 fparent, tparent;	/* as seen by the walks */
	struct vnode	*fvp, *tvp;
	struct ucred	*cred;
	int		 flags;
};

static void
lock_pair(struct nchandle *a, struct nchandle *b)
{
	struct nchandle *t;

	nc_lock(a);
	while (a->nch_ncp != b->nch_ncp && !nc_trylock(b)) {
		nc_unlock(a);
		t = a;
		a = b;
		b = t;
		nc_lock(a);
	}
}

static void
unlock_pair(struct nchandle *a, struct nchandle *b)
{
	if (a->nch_ncp != b->nch_ncp)
		nc_unlock(b);
	nc_unlock(a);
}

/* Is a (an entry) b or above b, within one mount? */
static bool
is_above(const struct nchandle *a, const struct nchandle *b)
{
	struct nchandle cur, up;
	bool found;

	nc_copy(b, &cur);
	while (!(found = cur.nch_ncp == a->nch_ncp) && nc_parent(&cur, &up)) {
		nc_drop(&cur);
		cur = up;
	}
	nc_drop(&cur);
	return found;
}

/* Still under the parent that we had found it under? */
static bool
unmoved(const struct nchandle *nch, const struct nchandle *parent)
{
	struct nchandle now;
	bool same;

	if (nc_destroyed(nch) || !nc_parent(nch, &now))
		return false;
	same = now.nch_ncp == parent->nch_ncp;
	nc_drop(&now);
	return same;
}

static bool
is_mountpoint(const struct nchandle *nch)
{
	struct mount *mp = mount_covering(nch);

	if (mp != NULL)
		mount_rele(mp);
	return mp != NULL;
}

static int
sticky_check(struct vnode *dvp, struct vnode *vp, struct ucred *cred)
{
	struct vattr dva, va;
	int error;

	if (cred->cr_fsuid == 0)
		return 0;
	error = vn_getattr(dvp, &dva, cred);
	if (error != 0 || (dva.va_mode & S_ISVTX) == 0 ||
	    dva.va_uid == cred->cr_fsuid)
		return error;
	error = vn_getattr(vp, &va, cred);
	if (error == 0 && va.va_uid != cred->cr_fsuid)
		error = EPERM;
	return error;
}

static int
check_access(struct renaming *r)
{
	bool exchange = (r->flags & RENAME_EXCHANGE) != 0;
	bool moves = r->from.nl_dvp != r->to.nl_dvp;
	int error;

	error = vn_access(r->from.nl_dvp, VWRITE | VEXEC, r->cred);
	if (error == 0 && moves)
		error = vn_access(r->to.nl_dvp, VWRITE | VEXEC, r->cred);
	if (error == 0)
		error = sticky_check(r->from.nl_dvp, r->fvp, r->cred);
	if (error == 0 && r->tvp != NULL)
		error = sticky_check(r->to.nl_dvp, r->tvp, r->cred);
	/* A directory that moves gets a new "..": that is a write to it. */
	if (error == 0 && moves && r->fvp->v_type == VDIR)
		error = vn_access(r->fvp, VWRITE, r->cred);
	if (error == 0 && moves && exchange && r->tvp->v_type == VDIR)
		error = vn_access(r->tvp, VWRITE, r->cred);
	return error;
}

static int
check_types(struct renaming *r)
{
	bool fdir = r->fvp->v_type == VDIR;
	bool tdir = r->tvp != NULL && r->tvp->v_type == VDIR;

	if ((r->from.nl_dirslash && !fdir) ||
	    (r->to.nl_dirslash && !fdir && !tdir))
		return ENOTDIR;
	if (r->flags & RENAME_EXCHANGE)
		return 0;
	if (r->to.nl_dirslash && !fdir)
		return ENOTDIR;
	if (r->tvp != NULL && fdir && !tdir)
		return ENOTDIR;
	if (r->tvp != NULL && !fdir && tdir)
		return EISDIR;
	return 0;
}

/* Both names locked, directories' renames excluded. */
static int
rename_locked(struct renaming *r)
{
	struct nchandle *f = &r->from.nl_nch, *t = &r->to.nl_nch;
	int error;

	if (!unmoved(f, &r->fparent) || !unmoved(t, &r->tparent))
		return EAGAIN;
	error = nc_vnode(f, r->cred, &r->fvp);
	if (error != 0)
		return error == ENOENT ? EAGAIN : error;
	error = nc_vnode(t, r->cred, &r->tvp);
	if (error != 0 && error != ENOENT)
		return error;
	if (r->tvp != NULL && (r->flags & RENAME_NOREPLACE))
		return EEXIST;
	if (r->tvp == NULL && (r->flags & RENAME_EXCHANGE))
		return ENOENT;
	if ((atomic_load_relaxed(&r->fvp->v_flags) & VN_ASOF) ||
	    (r->tvp != NULL && (atomic_load_relaxed(&r->tvp->v_flags) & VN_ASOF)))
		return EROFS;
	if (is_above(f, &r->tparent))
		return EINVAL;
	if (is_above(t, &r->fparent))
		return (r->flags & RENAME_EXCHANGE) ? EINVAL : ENOTEMPTY;
	error = check_types(r);
	if (error == 0)
		error = check_access(r);
	if (error == 0 && (is_mountpoint(f) || is_mountpoint(t)))
		error = EBUSY;
	if (error != 0)
		return error;
	if (r->fvp == r->tvp)
		return 0;		/* two names of one object: nothing */
	return vop_nrename(f, r->from.nl_dvp, r->fvp, t, r->to.nl_dvp,
	    r->tvp, r->flags, r->cred);
}

static int
rename_once(struct kvfs *kf, const char *from, struct kvfs *kt,
    const char *to, struct renaming *r)
{
	struct mount *mp;
	int error;

	nlookup_init(&r->from, &kf->kv_root, &kf->kv_start, kf->kv_cred,
	    NLC_DELETE | NLC_PARENT);
	nlookup_init(&r->to, &kt->kv_root, &kt->kv_start, kt->kv_cred,
	    NLC_DELETE | NLC_CREATE | NLC_PARENT);
	error = nlookup(&r->from, from);
	if (error == 0)
		error = nlookup(&r->to, to);
	if (error != 0)
		return error;
	if (r->from.nl_dots != 0)
		return EBUSY;
	if (r->to.nl_dots != 0)
		return (r->flags & RENAME_NOREPLACE) ? EEXIST : EBUSY;
	mp = r->from.nl_nch.nch_mount;
	if (mp != r->to.nl_nch.nch_mount)
		return EXDEV;
	if (!nc_parent(&r->from.nl_nch, &r->fparent) ||
	    !nc_parent(&r->to.nl_nch, &r->tparent))
		return EAGAIN;
	lock_excl(&mp->mnt_renamelock);
	lock_pair(&r->from.nl_nch, &r->to.nl_nch);
	error = rename_locked(r);
	unlock_pair(&r->from.nl_nch, &r->to.nl_nch);
	lock_release(&mp->mnt_renamelock);
	return error;
}

int
kvfs_rename(struct kvfs *kf, const char *from, struct kvfs *kt,
    const char *to, int flags)
{
	struct renaming r;
	int error;

	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0 ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return EINVAL;
	do {
		memset(&r, 0, sizeof(r));
		r.cred = kf->kv_cred;
		r.flags = flags;
		error = rename_once(kf, from, kt, to, &r);
		nc_drop(&r.fparent);
		nc_drop(&r.tparent);
		nlookup_done(&r.from);
		nlookup_done(&r.to);
		if (r.fvp != NULL)
			vn_rele(r.fvp);
		if (r.tvp != NULL)
			vn_rele(r.tvp);
	} while (error == EAGAIN);
	return error;
}
