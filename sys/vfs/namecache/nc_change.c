/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What committed operations do to names.  Nothing here blocks: it runs inside
 * vop_commit(), with the names of the operation locked by it.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/vnode.h>
#include <sys/vop.h>

#include "../core/vfs_core.h"
#include "nc.h"

uint32_t nc_rename_seq;

/* A name appeared: negative -> positive. */
static void
name_created(struct namecache *ncp, struct vnode *vp)
{
	if (nc_flags_get(ncp) & NCF_DESTROYED)
		return;
	if (ncp->nc_vp == vp)
		return;
	nc_detach(ncp);
	nc_attach(ncp, vp);
}

/* A name vanished.  An entry that nobody else looks at becomes a negative
 * one; otherwise the holders keep it and the name is free for a new entry. */
static void
name_removed(struct namecache *ncp)
{
	if (nc_flags_get(ncp) & NCF_DESTROYED)
		return;
	if ((nc_flags_get(ncp) & NCF_DIR) ||
	    atomic_load(&ncp->nc_refs) > 1) {
		nc_destroy(ncp);
		return;
	}
	nc_detach(ncp);
	nc_attach(ncp, NULL);
}

/* Exchange names.  A long name is a pointer, a short one lies inside.  Readers
 * without locks may see a mixture; nc_rename_seq tells them. */
static void
swap_names(struct namecache *a, struct namecache *b)
{
	char *aname = a->nc_name == (char *)a->nc_inline ? NULL : a->nc_name;
	char *bname = b->nc_name == (char *)b->nc_inline ? NULL : b->nc_name;
	uint16_t n = a->nc_nlen;
	uint64_t w;
	size_t i;

	for (i = 0; i < nitems(a->nc_inline); i++) {
		w = a->nc_inline[i];
		atomic_store_relaxed(&a->nc_inline[i], b->nc_inline[i]);
		atomic_store_relaxed(&b->nc_inline[i], w);
	}
	atomic_store_relaxed(&a->nc_name, bname != NULL ? bname :
	    (char *)a->nc_inline);
	atomic_store_relaxed(&b->nc_name, aname != NULL ? aname :
	    (char *)b->nc_inline);
	atomic_store_relaxed(&a->nc_nlen, b->nc_nlen);
	atomic_store_relaxed(&b->nc_nlen, n);
}

static void
kid_remove(struct namecache *parent, struct namecache *kid)
{
	spin_lock(&parent->nc_spin);
	LIST_REMOVE(kid, nc_sibling);
	spin_unlock(&parent->nc_spin);
}

static void
kid_insert(struct namecache *parent, struct namecache *kid)
{
	spin_lock(&parent->nc_spin);
	LIST_INSERT_HEAD(&parent->nc_kids, kid, nc_sibling);
	spin_unlock(&parent->nc_spin);
}

/* Under nc_rename_spin and both buckets: the entries change places. */
static void
swap_places(struct namecache *a, struct namecache *b)
{
	struct namecache *ap = a->nc_parent, *bp = b->nc_parent;
	uint32_t hash = a->nc_hash;

	if (ap != bp) {
		kid_remove(ap, a);
		kid_remove(bp, b);
		kid_insert(bp, a);
		kid_insert(ap, b);
	}
	spin_lock(&a->nc_spin);
	spin_lock(&b->nc_spin);
	atomic_store_relaxed(&a->nc_parent, bp);
	atomic_store_relaxed(&b->nc_parent, ap);
	swap_names(a, b);
	atomic_store_relaxed(&a->nc_hash, b->nc_hash);
	atomic_store_relaxed(&b->nc_hash, hash);
	spin_unlock(&b->nc_spin);
	spin_unlock(&a->nc_spin);
}

/*
 * The entry `from` moves to where `to` is, with everything below it; its old
 * place is taken by `to`, which is destroyed, or, in an exchange, lives on.
 * Whoever looks for the target finds the old or the new object, never
 * nothing: both buckets change under both locks.
 */
static void
name_renamed(struct namecache *from, struct namecache *to, bool exchange)
{
	struct nc_bucket *fb, *tb;

	if (from == to)
		return;
	spin_lock(&nc_rename_spin);
	atomic_fetch_add(&nc_rename_seq, 1);
	fb = nc_bucket(from->nc_hash);
	tb = nc_bucket(to->nc_hash);
	spin_lock(fb < tb ? &fb->nb_spin : &tb->nb_spin);
	if (fb != tb)
		spin_lock(fb < tb ? &tb->nb_spin : &fb->nb_spin);
	if (nc_flags_get(from) & NCF_HASHED)
		nc_bucket_remove(fb, from);
	if (nc_flags_get(to) & NCF_HASHED)
		nc_bucket_remove(tb, to);
	swap_places(from, to);
	nc_bucket_insert(tb, from);
	if (exchange)
		nc_bucket_insert(fb, to);
	if (fb != tb)
		spin_unlock(&tb->nb_spin);
	spin_unlock(&fb->nb_spin);
	atomic_fetch_add(&nc_rename_seq, 1);
	spin_unlock(&nc_rename_spin);
	if (!exchange)
		nc_destroy(to);
}

static void
nc_commit(struct vop_msg *msg, const struct vop_effects *eff)
{
	const struct vop_effect *ve;
	int i;

	if (msg->vm_op == VOP_NRENAME) {
		name_renamed(msg->vm_nch.nch_ncp, msg->u.rename.tnch.nch_ncp,
		    (msg->u.rename.flags & RENAME_EXCHANGE) != 0);
		return;
	}
	for (i = 0; i < eff->n; i++) {
		ve = &eff->e[i];
		if (ve->ve_kind != EFF_NAME || ve->ve_nch == NULL ||
		    !nc_isset(ve->ve_nch))
			continue;
		if (ve->ve_vp != NULL)
			name_created(ve->ve_nch->nch_ncp, ve->ve_vp);
		else
			name_removed(ve->ve_nch->nch_ncp);
	}
}

/* The vnode is to be reclaimed: its names become unresolved. */
static bool
nc_forget(struct vnode *vp)
{
	struct namecache *ncp;
	bool busy;

	for (;;) {
		spin_lock(&vp->v_spin);
		ncp = TAILQ_FIRST(&vp->v_names);
		busy = ncp != NULL && !nc_tryref(ncp);
		spin_unlock(&vp->v_spin);
		if (ncp == NULL)
			return true;
		if (busy)		/* being freed: it leaves by itself */
			return false;
		if (!lock_try_excl(&ncp->nc_lock)) {
			nc_unref(ncp);
			return false;
		}
		if (ncp->nc_vp == vp)
			nc_detach(ncp);
		lock_release(&ncp->nc_lock);
		nc_unref(ncp);
	}
}

static void
nc_make_root(struct mount *mp)
{
	struct namecache *ncp;

	ncp = nc_alloc(mp, "", 0);
	atomic_fetch_or(&ncp->nc_flags, NCF_ROOT);
	nc_attach(ncp, mp->mnt_root);
	mp->mnt_rootnch.nch_mount = mp;
	mp->mnt_rootnch.nch_ncp = ncp;
	mount_ref(mp);
}

/* mp NULL: uncovered, unless another mount is there (below it). */
static void
nc_cover(const struct nchandle *nch, struct mount *mp)
{
	bool keep = mp != NULL;

	if (!keep) {
		mp = mount_covering(nch);
		keep = mp != NULL;
		if (keep)
			mount_rele(mp);
	}
	atomic_store(&nch->nch_ncp->nc_covering, mp);
	if (keep)
		atomic_fetch_or(&nch->nch_ncp->nc_flags, NCF_MOUNTPT);
	else
		atomic_fetch_and(&nch->nch_ncp->nc_flags,
		    ~(uint32_t)NCF_MOUNTPT);
}

void
nc_init(void)
{
	nc_hash_init();
	vfs_name_hooks.nh_commit = nc_commit;
	vfs_name_hooks.nh_forget = nc_forget;
	vfs_name_hooks.nh_root = nc_make_root;
	vfs_name_hooks.nh_cover = nc_cover;
	vfs_name_hooks.nh_purge = nc_hash_purge;
	vfs_name_hooks.nh_trim = nc_trim;
}
