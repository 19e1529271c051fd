/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path walk: components, dot and dot-dot, symlinks, mount crossings.
 *
 * W1  The walk holds references only; the leaf alone is locked, and only if
 *     NLC_LOCK asks for it.  A cached name is read without its lock: the walk
 *     then happened before whatever the lock's holder is about to commit.
 * W2  A name with "@@" is a place in the past.  An absolute moment ("@@0x") is
 *     cached like any name; a relative one means something else a second
 *     later, so its entry is private to this walk.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>
#include <sys/vnode.h>
#include <sys/vop.h>
#include <vm/vm_page.h>

#include "nc.h"

static MALLOC_DEFINE(M_PATH, "paths");

/* A kernel without processes begins at the root of all. */
void	proc_get_root(struct nchandle *) __attribute__((__weak__));
void	proc_get_cwd(struct nchandle *) __attribute__((__weak__));

struct walk {
	struct nlookup	*nl;
	const char	*path;		/* what is left */
	char		*buf[2];	/* link texts, used in turn */
	int		 nbuf;
	int		 links;
};

void
nlookup_init(struct nlookup *nl, const struct nchandle *root,
    const struct nchandle *start, struct ucred *cred, uint32_t flags)
{
	memset(nl, 0, sizeof(*nl));
	nl->nl_cred = cred;
	nl->nl_flags = flags;
	if (root == NULL && proc_get_root != NULL)
		proc_get_root(&nl->nl_root);
	else
		nc_copy(root != NULL ? root : &vfs_rootnch, &nl->nl_root);
	if (start == NULL && proc_get_cwd != NULL)
		proc_get_cwd(&nl->nl_start);
	else
		nc_copy(start != NULL ? start : &vfs_rootnch, &nl->nl_start);
}

void
nlookup_done(struct nlookup *nl)
{
	if (nl->nl_locked)
		nc_unlock(&nl->nl_nch);
	nl->nl_locked = false;
	nc_drop(&nl->nl_nch);
	if (nl->nl_dvp != NULL)
		vn_rele(nl->nl_dvp);
	nl->nl_dvp = NULL;
	nc_drop(&nl->nl_root);
	nc_drop(&nl->nl_start);
}

static bool
same_place(const struct nchandle *a, const struct nchandle *b)
{
	return a->nch_ncp == b->nch_ncp && a->nch_mount == b->nch_mount;
}

/* "@@" in the name: 1 an absolute moment, 2 a relative one. */
static int
asof_kind(const char *name, size_t len)
{
	const char *at = name, *end = name + len;

	while ((at = memchr(at, '@', (size_t)(end - at))) != NULL &&
	    at + 1 < end) {
		if (at[1] == '@')
			return at + 3 < end && at[2] == '0' && at[3] == 'x' ?
			    1 : 2;
		at++;
	}
	return 0;
}

/* Is ncp, which we hold the lock of, still this name? */
static bool
still_named(struct namecache *ncp, const struct namecache *parent,
    const char *name, size_t len)
{
	bool same;

	spin_lock(&ncp->nc_spin);
	same = (nc_flags_get(ncp) & NCF_DESTROYED) == 0 &&
	    ncp->nc_parent == parent && ncp->nc_nlen == len &&
	    memcmp(ncp->nc_name, name, len) == 0;
	spin_unlock(&ncp->nc_spin);
	return same;
}

/* The cache has grown past its share of memory. */
static inline void
limit_check(void)
{
	uint64_t limit = MAX(vm_pages_total / 4, (uint64_t)4096);

	if (atomic_load_relaxed(&nc_count) > limit)
		nc_trim(16);
}

/*
 * The entry of a name, referenced, resolved (the result tells how that went),
 * and locked if `lock`.  0, ENOENT (negative: *ncpp is set), other errors
 * leave *ncpp NULL.
 */
static int
child_get(struct mount *mp, struct namecache *parent, const char *name,
    size_t len, bool lock, struct ucred *cred, struct namecache **ncpp)
{
	struct nc_key key;
	uint32_t flags;
	int asof = mp->mnt_op->vfc_flags & VFC_NONAMES ? 2 :
	    asof_kind(name, len), error;
	struct namecache *ncp, *fresh;
	bool dead;

	*ncpp = NULL;
	nc_key_init(&key, parent, name, len);
	for (;;) {
		ncp = asof == 2 ? NULL : nc_hash_find(parent, &key);
		if (ncp != NULL && !lock) {
			flags = atomic_load_acq(&ncp->nc_flags);
			if (flags & NCF_RESOLVED) {
				*ncpp = ncp;
				return (flags & NCF_NEGATIVE) ? ENOENT : 0;
			}
		}
		if (ncp != NULL) {
			lock_excl(&ncp->nc_lock);
			if (!still_named(ncp, parent, name, len)) {
				lock_release(&ncp->nc_lock);
				nc_unref(ncp);
				continue;
			}
			break;
		}
		limit_check();
		fresh = nc_alloc(mp, name, len);
		lock_excl(&fresh->nc_lock);
		if (asof == 2) {
			dead = !nc_link_parent(fresh, parent);
			ncp = NULL;
		} else {
			ncp = nc_hash_enter(fresh, parent, &key, &dead);
		}
		if (ncp == NULL && !dead) {
			ncp = fresh;
			break;
		}
		lock_release(&fresh->nc_lock);
		nc_unref(fresh);		/* it was never hashed */
		if (dead)
			return ENOENT;
		nc_unref(ncp);			/* found after all */
	}
	error = nc_resolve_entry(mp, ncp, cred);
	if (error == ENOENT && asof != 0)
		nc_unhash(ncp);			/* W2: not for long */
	if (!lock || (error != 0 && error != ENOENT))
		lock_release(&ncp->nc_lock);
	if (error != 0 && error != ENOENT) {
		nc_unref(ncp);
		return error;
	}
	*ncpp = ncp;
	return error;
}

/* Step over every mount on top of cur. */
static void
cross_mounts(struct nchandle *cur)
{
	struct mount *mp;
	struct nchandle root;

	while ((atomic_load_relaxed(&cur->nch_ncp->nc_flags) & NCF_MOUNTPT) &&
	    (mp = mount_covering(cur)) != NULL) {
		nc_copy(&mp->mnt_rootnch, &root);
		mount_rele(mp);
		nc_drop(cur);
		*cur = root;
	}
}

static int
dotdot(struct walk *w, struct nchandle *cur)
{
	struct nchandle up;

	if (w->nl->nl_flags & NLC_BENEATH) {
		if (same_place(cur, &w->nl->nl_start))
			return EXDEV;
	}
	for (;;) {
		if (same_place(cur, &w->nl->nl_root))
			return 0;
		if ((nc_flags_get(cur->nch_ncp) & NCF_ROOT) == 0)
			break;
		if (!nc_isset(&cur->nch_mount->mnt_covered))
			return 0;		/* the root of all */
		nc_copy(&cur->nch_mount->mnt_covered, &up);
		nc_drop(cur);
		*cur = up;
	}
	if (nc_flags_get(cur->nch_ncp) & NCF_DESTROYED)
		return ENOENT;
	if (nc_parent(cur, &up)) {
		nc_drop(cur);
		*cur = up;
		cross_mounts(cur);
	}
	return 0;
}

static bool
is_destroyed(struct namecache *ncp)
{
	return (nc_flags_get(ncp) & NCF_DESTROYED) != 0;
}

/* Put a symlink's text before the rest of the path. */
static int
follow_link(struct walk *w, struct namecache *ncp, struct nchandle *cur)
{
	struct nlookup *nl = w->nl;
	struct vnode *vp;
	size_t len, rest = strlen(w->path);
	char *buf;
	int error;

	if (++w->links > SYMLOOP_MAX)
		return ELOOP;
	error = nc_entry_vnode(ncp, nl->nl_cred, &vp);
	if (error != 0)
		return error;
	w->nbuf ^= 1;
	if (w->buf[w->nbuf] == NULL)
		w->buf[w->nbuf] = kmalloc(PATH_MAX, &M_PATH, M_WAITOK);
	buf = w->buf[w->nbuf];
	error = vop_readlink(vp, buf, PATH_MAX, &len, nl->nl_cred);
	vn_rele(vp);
	if (error != 0)
		return error;
	if (len == 0)
		return ENOENT;
	if (len + rest >= PATH_MAX)
		return ENAMETOOLONG;
	memcpy(buf + len, w->path, rest + 1);
	w->path = buf;
	if (*buf == '/') {
		if (nl->nl_flags & NLC_BENEATH)
			return EXDEV;
		nc_drop(cur);
		nc_copy(&nl->nl_root, cur);
		cross_mounts(cur);
	}
	return 0;
}

/* May we search this directory? */
static int
check_search(struct namecache *ncp, struct ucred *cred)
{
	struct vnode *vp;
	int error;

	if ((atomic_load_relaxed(&ncp->nc_flags) & NCF_DIR) == 0) {
		error = nc_entry_vnode(ncp, cred, &vp);
		if (error != 0)
			return error;
		error = vp->v_type == VDIR ? 0 : ENOTDIR;
		vn_rele(vp);
		if (error != 0)
			return error;
	}
	if (cred->cr_fsuid == 0)
		return 0;
	error = nc_entry_vnode(ncp, cred, &vp);
	if (error != 0)
		return error;
	error = vn_access(vp, VEXEC, cred);
	vn_rele(vp);
	return error;
}

enum step { STEP_MORE, STEP_DONE };

/* One component.  cur moves on, or nl_nch is set. */
static int
walk_step(struct walk *w, struct nchandle *cur, enum step *what)
{
	struct nlookup *nl = w->nl;
	const char *name = w->path, *end;
	struct namecache *ncp;
	bool last, slash, lock, follow;
	size_t len;
	int error;

	for (end = name; *end != '\0' && *end != '/'; end++)
		;
	len = (size_t)(end - name);
	slash = *end == '/';
	while (*end == '/')
		end++;
	last = *end == '\0';
	if (len > NAME_MAX)
		return ENAMETOOLONG;
	*what = STEP_MORE;
	error = check_search(cur->nch_ncp, nl->nl_cred);
	if (error != 0)
		return error;
	if (last)
		nl->nl_dirslash = slash;
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'))) {
		w->path = end;
		nl->nl_dots = last ? (int)len : 0;
		return len == 2 ? dotdot(w, cur) : 0;
	}
	lock = last && (nl->nl_flags & NLC_LOCK);
	error = child_get(cur->nch_mount, cur->nch_ncp, name, len, lock,
	    nl->nl_cred, &ncp);
	if (ncp == NULL)
		return error;
	if (error == 0 && (nc_flags_get(ncp) & NCF_SYMLINK)) {
		follow = !last || (nl->nl_flags & NLC_FOLLOW) || (slash &&
		    !(nl->nl_flags & (NLC_CREATE | NLC_DELETE)));
		if (follow) {
			if (lock)
				lock_release(&ncp->nc_lock);
			/* Keep the slashes: they ask for a directory. */
			w->path = name + len;
			error = follow_link(w, ncp, cur);
			if (error == ENOENT && is_destroyed(ncp)) {
				w->path = name;	/* replaced: look again */
				error = 0;
			}
			nc_unref(ncp);
			return error;
		}
	}
	w->path = end;
	if (!last) {
		if (error != 0) {
			nc_unref(ncp);
			return error;
		}
		nc_unref(cur->nch_ncp);
		cur->nch_ncp = ncp;
		cross_mounts(cur);
		return 0;
	}
	*what = STEP_DONE;
	if (nl->nl_flags & NLC_PARENT) {
		int e2 = nc_entry_vnode(cur->nch_ncp, nl->nl_cred,
		    &nl->nl_dvp);
		if (e2 != 0) {
			if (lock)
				lock_release(&ncp->nc_lock);
			nc_unref(ncp);
			return e2;
		}
	}
	nl->nl_nch.nch_mount = cur->nch_mount;
	nl->nl_nch.nch_ncp = ncp;
	mount_ref(cur->nch_mount);
	nl->nl_locked = lock;
	if (error == 0 && (nc_flags_get(ncp) & NCF_MOUNTPT) &&
	    !(nl->nl_flags & (NLC_NOCROSS | NLC_DELETE))) {
		if (lock)
			lock_release(&ncp->nc_lock);
		cross_mounts(&nl->nl_nch);
		if (lock)
			nc_lock(&nl->nl_nch);
	}
	if (error == 0 && (slash || (nl->nl_flags & NLC_DIRECTORY)) &&
	    !(nc_flags_get(nl->nl_nch.nch_ncp) & NCF_DIR))
		return ENOTDIR;
	if (error == ENOENT && (nl->nl_flags & NLC_CREATE))
		error = 0;
	return error;
}

int
nlookup(struct nlookup *nl, const char *path)
{
	struct walk w = { .nl = nl, .path = path };
	struct nchandle cur;
	enum step what = STEP_MORE;
	int error = 0;

	KKASSERT(!nc_isset(&nl->nl_nch));
	if (!nc_isset(&nl->nl_root) || !nc_isset(&nl->nl_start))
		return ENOENT;
	if (*path == '\0')
		return ENOENT;
	if (*path == '/' && (nl->nl_flags & NLC_BENEATH))
		return EXDEV;
	nc_copy(*path == '/' ? &nl->nl_root : &nl->nl_start, &cur);
	cross_mounts(&cur);
	for (;;) {
		while (*w.path == '/')
			w.path++;
		if (*w.path == '\0')
			break;
		error = walk_step(&w, &cur, &what);
		if (error != 0 || what == STEP_DONE)
			break;
	}
	if (what == STEP_DONE) {
		nc_drop(&cur);
	} else if (error == 0) {
		/* It ended in "/", "." or "..": the place itself. */
		nl->nl_nch = cur;
		if (nl->nl_dots == 0)
			nl->nl_dots = 3;
		if (nl->nl_flags & NLC_LOCK) {
			nc_lock(&nl->nl_nch);
			nl->nl_locked = true;
		}
		if (nc_flags_get(cur.nch_ncp) & NCF_DESTROYED)
			error = atomic_load_relaxed(&cur.nch_ncp->nc_vp) !=
			    NULL ? 0 : ENOENT;
	} else {
		nc_drop(&cur);
	}
	if (w.buf[0] != NULL)
		kfree(w.buf[0], &M_PATH);
	if (w.buf[1] != NULL)
		kfree(w.buf[1], &M_PATH);
	return error;
}
