/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of an entry.
 *
 *   new -> hashed        [nc_hash_enter]
 *   hashed, references 0 -> stays, on the LRU        [nc_unref]
 *   hashed, references 0 -> freed                    [nc_trim, purge]
 *   hashed -> DESTROYED, unhashed                    [nc_destroy]
 *   unhashed, references 0 -> freed at once          [nc_unref]
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/vnode.h>

#include "nc.h"

enum { NC_CLAIMED = -0x40000000 };

static MALLOC_DEFINE(M_NAMECACHE, "namecache");
static MALLOC_DEFINE(M_NCNAME, "long names");

uint64_t nc_count, nc_negatives;
static uint64_t nc_lastid;
static TAILQ_HEAD(, namecache) lru = TAILQ_HEAD_INITIALIZER(lru);
static struct spinlock lru_spin = SPINLOCK_INITIALIZER("nclru");

/* One reference, not linked anywhere. */
struct namecache *
nc_alloc(struct mount *mp, const char *name, size_t len)
{
	struct namecache *ncp;

	ncp = kmalloc(sizeof(*ncp), &M_NAMECACHE, M_WAITOK);
	memset(ncp, 0, sizeof(*ncp));
	ncp->nc_mount = mp;
	ncp->nc_refs = 1;
	ncp->nc_nlen = (uint16_t)len;
	ncp->nc_name = len <= NC_INLINE ? (char *)ncp->nc_inline :
	    kmalloc(NAME_MAX + 1, &M_NCNAME, M_WAITOK | M_ZERO);
	memcpy(ncp->nc_name, name, len);
	ncp->nc_id = atomic_fetch_add(&nc_lastid, 1) + 1;
	spin_init(&ncp->nc_spin, "nc");
	lock_init(&ncp->nc_lock, "name");
	LIST_INIT(&ncp->nc_kids);
	atomic_fetch_add(&nc_count, 1);
	return ncp;
}

static void
entry_release(struct epoch_item *ei)
{
	struct namecache *ncp = container_of(ei, struct namecache, nc_epoch);

	if (ncp->nc_name != (char *)ncp->nc_inline)
		kfree(ncp->nc_name, &M_NCNAME);
	kfree(ncp, &M_NAMECACHE);
}

bool
nc_tryref(struct namecache *ncp)
{
	int32_t r = atomic_load_relaxed(&ncp->nc_refs);

	while (r >= 0) {
		if (atomic_cmpset(&ncp->nc_refs, &r, r + 1))
			return true;
	}
	return false;
}

void
nc_ref(struct namecache *ncp)
{
	int32_t old = atomic_fetch_add(&ncp->nc_refs, 1);

	KKASSERT(old > 0);
}

static void
lru_remove(struct namecache *ncp)
{
	spin_lock(&lru_spin);
	if (nc_flags_get(ncp) & NCF_ONLRU) {
		TAILQ_REMOVE(&lru, ncp, nc_lru);
		atomic_fetch_and(&ncp->nc_flags, ~(uint32_t)NCF_ONLRU);
	}
	spin_unlock(&lru_spin);
}

static void
lru_insert(struct namecache *ncp)
{
	if (atomic_load_relaxed(&ncp->nc_flags) & NCF_ONLRU)
		return;
	spin_lock(&lru_spin);
	if ((nc_flags_get(ncp) & NCF_ONLRU) == 0) {
		TAILQ_INSERT_TAIL(&lru, ncp, nc_lru);
		atomic_fetch_or(&ncp->nc_flags, NCF_ONLRU);
	}
	spin_unlock(&lru_spin);
}

/* Claimed by us: out of every list; returns the parent, whose reference it
 * held and which the caller gives back. */
static struct namecache *
entry_free(struct namecache *ncp)
{
	struct namecache *parent;
	struct vnode *vp;
	bool vref;

	KKASSERT(!lock_held(&ncp->nc_lock));
	KKASSERT(LIST_EMPTY(&ncp->nc_kids));
	nc_unhash(ncp);
	lru_remove(ncp);
	parent = ncp->nc_parent;
	if (parent != NULL) {
		spin_lock(&parent->nc_spin);
		LIST_REMOVE(ncp, nc_sibling);
		spin_unlock(&parent->nc_spin);
	}
	vp = ncp->nc_vp;
	vref = (nc_flags_get(ncp) & NCF_VREF) != 0;
	nc_detach(ncp);
	atomic_fetch_sub(&nc_count, 1);
	epoch_call(&ncp->nc_epoch, entry_release);
	if (vref)
		vn_rele(vp);
	return parent;
}

/* One reference less; true: it was the last of an entry without a name, which
 * the caller has claimed and frees.  In an epoch, so that the entry can still
 * be looked at when somebody else frees it. */
static bool
drop_ref(struct namecache *ncp)
{
	int32_t r = atomic_load_relaxed(&ncp->nc_refs), zero = 0;
	bool last = false;

	if (r == 1 && (nc_flags_get(ncp) & NCF_HASHED))
		lru_insert(ncp);
	epoch_enter();
	do {
		KKASSERT(r > 0);
	} while (!atomic_cmpset(&ncp->nc_refs, &r, r - 1));
	/* Only now: the name may have gone while we counted. */
	if (r == 1 && (atomic_load(&ncp->nc_flags) & NCF_HASHED) == 0)
		last = atomic_cmpset(&ncp->nc_refs, &zero, NC_CLAIMED);
	epoch_exit();
	return last;
}

/*
 * Give back a reference.  The last one of an entry without a name frees it,
 * and its parent if that has no name either.  Blocks only when that frees the
 * last use of a removed directory.
 */
void
nc_unref(struct namecache *ncp)
{
	while (ncp != NULL && drop_ref(ncp))
		ncp = entry_free(ncp);
}

/* Put under a parent (referenced for it).  False: the parent is destroyed. */
bool
nc_link_parent(struct namecache *ncp, struct namecache *parent)
{
	bool ok;

	spin_lock(&parent->nc_spin);
	ok = (nc_flags_get(parent) & NCF_DESTROYED) == 0;
	if (ok) {
		LIST_INSERT_HEAD(&parent->nc_kids, ncp, nc_sibling);
		atomic_store_relaxed(&ncp->nc_parent, parent);
	}
	spin_unlock(&parent->nc_spin);
	if (ok)
		nc_ref(parent);
	return ok;
}

/* Resolve to an object (referenced by the caller) or, NULL, to nothing. */
void
nc_attach(struct namecache *ncp, struct vnode *vp)
{
	uint32_t set = NCF_RESOLVED;

	if (vp != NULL) {
		if (vp->v_type == VDIR)
			set |= NCF_DIR;
		else if (vp->v_type == VLNK)
			set |= NCF_SYMLINK;
		vn_hold(vp);
	} else {
		set |= NCF_NEGATIVE;
		atomic_fetch_add(&nc_negatives, 1);
	}
	spin_lock(&ncp->nc_spin);
	KKASSERT(ncp->nc_vp == NULL && !(nc_flags_get(ncp) & NCF_RESOLVED));
	atomic_store_relaxed(&ncp->nc_vp, vp);
	if (vp != NULL) {
		spin_lock(&vp->v_spin);
		TAILQ_INSERT_TAIL(&vp->v_names, ncp, nc_vnlist);
		spin_unlock(&vp->v_spin);
	}
	atomic_fetch_or(&ncp->nc_flags, set);
	spin_unlock(&ncp->nc_spin);
}

void
nc_detach(struct namecache *ncp)
{
	struct vnode *vp;
	bool negative;

	spin_lock(&ncp->nc_spin);
	vp = ncp->nc_vp;
	negative = (nc_flags_get(ncp) & NCF_NEGATIVE) != 0;
	atomic_fetch_and(&ncp->nc_flags,
	    ~(uint32_t)(NCF_RESOLVED | NCF_NEGATIVE | NCF_DIR |
	    NCF_SYMLINK));
	atomic_store_relaxed(&ncp->nc_vp, NULL);
	if (vp != NULL) {
		spin_lock(&vp->v_spin);
		TAILQ_REMOVE(&vp->v_names, ncp, nc_vnlist);
		spin_unlock(&vp->v_spin);
	}
	spin_unlock(&ncp->nc_spin);
	if (vp != NULL)
		vn_drop(vp);
	if (negative)
		atomic_fetch_sub(&nc_negatives, 1);
}

/* The first child that still has a name, referenced. */
static struct namecache *
kid_pick(struct namecache *ncp)
{
	struct namecache *kid;

	spin_lock(&ncp->nc_spin);
	LIST_FOREACH(kid, &ncp->nc_kids, nc_sibling) {
		if ((nc_flags_get(kid) & NCF_DESTROYED) == 0 && nc_tryref(kid))
			break;
	}
	spin_unlock(&ncp->nc_spin);
	return kid;
}

/*
 * The name does not exist any more.  A directory keeps its vnode for those who
 * stand in it; the (negative) names below it go too.  The caller references
 * ncp.  Does not block.
 */
void
nc_destroy(struct namecache *ncp)
{
	struct namecache *kid;
	bool dir;

	nc_unhash(ncp);
	spin_lock(&ncp->nc_spin);
	dir = ncp->nc_vp != NULL && (nc_flags_get(ncp) & NCF_DIR);
	atomic_fetch_or(&ncp->nc_flags, NCF_DESTROYED);
	if (dir && (nc_flags_get(ncp) & NCF_VREF) == 0 && vn_tryget(ncp->nc_vp))
		atomic_fetch_or(&ncp->nc_flags, NCF_VREF);
	spin_unlock(&ncp->nc_spin);
	if (!dir)
		nc_detach(ncp);
	while ((kid = kid_pick(ncp)) != NULL) {
		nc_destroy(kid);
		nc_unref(kid);
	}
}

/* Free about n unused entries, oldest first.  Does not block. */
uint64_t
nc_trim(uint64_t n)
{
	struct namecache *ncp, *parent;
	uint64_t freed = 0, looks = 4 * n + 16;
	int32_t r;

	while (freed < n && looks-- > 0) {
		spin_lock(&lru_spin);
		ncp = TAILQ_FIRST(&lru);
		if (ncp == NULL) {
			spin_unlock(&lru_spin);
			break;
		}
		TAILQ_REMOVE(&lru, ncp, nc_lru);
		atomic_fetch_and(&ncp->nc_flags, ~(uint32_t)NCF_ONLRU);
		r = 0;
		if (!atomic_cmpset(&ncp->nc_refs, &r, NC_CLAIMED)) {
			/* In use: its last user puts it back.  Claimed by
			 * another: its freer finds it off the list. */
			spin_unlock(&lru_spin);
			continue;
		}
		spin_unlock(&lru_spin);
		parent = entry_free(ncp);
		if (parent != NULL)
			nc_unref(parent);
		freed++;
	}
	return freed;
}
