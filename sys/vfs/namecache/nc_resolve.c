/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a name to what it names: asking the filesystem when the cache does not
 * know.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/vnode.h>
#include <sys/vop.h>

#include "nc.h"

/* A referenced vnode if the entry has one now.  EAGAIN: ask the filesystem;
 * ENOENT: negative.  Blocks only for a vnode that is being reclaimed. */
static int
entry_peek(struct namecache *ncp, struct vnode **vpp)
{
	struct vnode *vp;
	uint32_t flags;
	bool got = false;

	spin_lock(&ncp->nc_spin);
	vp = ncp->nc_vp;
	flags = nc_flags_get(ncp);
	if (vp != NULL) {
		got = vn_tryget(vp);
		if (!got)
			vn_hold(vp);
	}
	spin_unlock(&ncp->nc_spin);
	*vpp = vp;
	if (got)
		return 0;
	if (vp == NULL)
		return (flags & (NCF_RESOLVED | NCF_DESTROYED)) ?
		    ENOENT : EAGAIN;
	if (vn_get(vp) == 0) {
		vn_drop(vp);
		return 0;
	}
	vn_drop(vp);
	return EAGAIN;
}

/*
 * The vnode of an entry that is referenced, not locked (or locked by this
 * operation).  Blocks.  ENOENT, EIO.
 */
int
nc_entry_vnode(struct namecache *ncp, struct ucred *cred, struct vnode **vpp)
{
	int error;

	while ((error = entry_peek(ncp, vpp)) == EAGAIN) {
		lock_excl(&ncp->nc_lock);
		error = nc_resolve_entry(ncp->nc_mount, ncp, cred);
		lock_release(&ncp->nc_lock);
		if (error != 0)
			break;
	}
	if (error != 0)
		*vpp = NULL;
	return error;
}

/* The directory of an entry, referenced.  Resolves from the nearest ancestor
 * that is known, downward, without recursion. */
static int
parent_vnode(struct namecache *ncp, struct ucred *cred, struct vnode **vpp)
{
	struct namecache *p, *up;
	int error;

	for (;;) {
		spin_lock(&ncp->nc_spin);
		p = ncp->nc_parent;
		if (p != NULL)
			nc_ref(p);
		spin_unlock(&ncp->nc_spin);
		if (p == NULL)
			return ENOENT;
		error = entry_peek(p, vpp);
		if (error != EAGAIN) {
			nc_unref(p);
			return error;
		}
		/* p does not know its vnode: climb to one whose parent does. */
		for (;;) {
			spin_lock(&p->nc_spin);
			up = p->nc_parent;
			if (up != NULL)
				nc_ref(up);
			spin_unlock(&p->nc_spin);
			if (up == NULL || entry_peek(up, vpp) != EAGAIN)
				break;
			nc_unref(p);
			p = up;
		}
		if (up == NULL) {
			nc_unref(p);
			return ENOENT;
		}
		if (*vpp != NULL)
			vn_rele(*vpp);
		nc_unref(up);
		lock_excl(&p->nc_lock);
		error = nc_resolve_entry(p->nc_mount, p, cred);
		lock_release(&p->nc_lock);
		nc_unref(p);
		if (error != 0)
			return error;
	}
}

/*
 * Locks:  ncp locked.  Blocks.
 * Errors: 0 positive; ENOENT negative or destroyed; EIO: still unresolved.
 */
int
nc_resolve_entry(struct mount *mp, struct namecache *ncp, struct ucred *cred)
{
	struct nchandle nch = { mp, ncp };
	struct vnode *dvp, *vp;
	int error;

	for (;;) {
		error = entry_peek(ncp, &vp);
		if (error == 0)
			vn_rele(vp);
		if (error != EAGAIN)
			return error;
		error = parent_vnode(ncp, cred, &dvp);
		if (error != 0)
			return error;
		if (dvp->v_type != VDIR)
			error = ENOTDIR;
		else
			error = vop_nresolve(&nch, dvp, cred);
		vn_rele(dvp);
		if (error != 0 && error != ENOENT)
			return error;
		if ((nc_flags_get(ncp) & NCF_RESOLVED) == 0)
			return error;	/* a negative answer not to be kept */
	}
}

int
nc_resolve(const struct nchandle *nch, struct ucred *cred)
{
	return nc_resolve_entry(nch->nch_mount, nch->nch_ncp, cred);
}

int
nc_vnode(const struct nchandle *nch, struct ucred *cred, struct vnode **vpp)
{
	return nc_entry_vnode(nch->nch_ncp, cred, vpp);
}

void
nc_setvp(const struct nchandle *nch, struct vnode *vp)
{
	nc_attach(nch->nch_ncp, vp);
}
