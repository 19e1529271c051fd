/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The namecache as everyone outside vfs/namecache sees it.  A place in the
 * tree is a struct nchandle: an entry seen through a mount.
 *
 *   UNRESOLVED -> POSITIVE, NEGATIVE   [nc_resolve, effects of vop_commit]
 *   POSITIVE -> NEGATIVE, DESTROYED    [remove, rename over]
 *   NEGATIVE -> POSITIVE               [create, link, rename to]
 *   any -> UNRESOLVED                  [invalidate, reclaim of the vnode]
 */
#ifndef _SYS_NAMECACHE_H_
#define _SYS_NAMECACHE_H_

#include <sys/types.h>

struct mount;
struct namecache;
struct ucred;
struct vnode;

struct nchandle {
	struct mount	 *nch_mount;
	struct namecache *nch_ncp;
};

/* References.  A handle holds its mount and its entry. */
void	nc_hold(const struct nchandle *);
void	nc_drop(struct nchandle *);		/* clears it */
void	nc_copy(const struct nchandle *src, struct nchandle *dst);
static inline bool
nc_isset(const struct nchandle *nch)
{
	return nch->nch_ncp != NULL;
}

/* Name locks (owner: the operation, see lock.h). */
void	nc_lock(const struct nchandle *);
bool	nc_trylock(const struct nchandle *);
void	nc_unlock(const struct nchandle *);

/* The vnode of a resolved entry with a new reference.  ENOENT negative. */
int	nc_vnode(const struct nchandle *, struct ucred *, struct vnode **);
/* Text of the name of an entry; valid while it is locked or its parent's
 * name lock order is held.  Not terminated: *lenp bytes. */
const char *nc_name(const struct nchandle *, size_t *lenp);
bool	nc_parent(const struct nchandle *, struct nchandle *parent);
/* Has the name been removed (or replaced) since the handle was made? */
bool	nc_destroyed(const struct nchandle *);
/* Absolute path as seen below root into buf; ENAMETOOLONG, ENOENT. */
int	nc_fullpath(const struct nchandle *, const struct nchandle *root,
	    char *buf, size_t size);

/* Fill an entry from the filesystem if it is unresolved (locked). Blocks. */
int	nc_resolve(const struct nchandle *, struct ucred *);
/* For filesystems in VOP_NRESOLVE: vp or NULL (negative). */
void	nc_setvp(const struct nchandle *, struct vnode *);

/*
 * Path walk.  Give start (NULL: cwd or root of the current process) and a
 * kernel string.
 */
enum {
	NLC_FOLLOW	= 0x01,		/* follow a symlink at the end */
	NLC_CREATE	= 0x02,		/* the last name may be missing */
	NLC_DELETE	= 0x04,		/* will remove: check the directory */
	NLC_PARENT	= 0x08,		/* also return the parent's vnode */
	NLC_LOCK	= 0x10,		/* return the leaf locked */
	NLC_DIRECTORY	= 0x20,		/* must be a directory */
	NLC_NOCROSS	= 0x40,		/* stay below: no mount crossing at end */
	NLC_BENEATH	= 0x80,
};

struct nlookup {
	struct nchandle	 nl_nch;	/* out: the leaf */
	struct vnode	*nl_dvp;	/* out: NLC_PARENT, a reference */
	struct ucred	*nl_cred;
	uint32_t	 nl_flags;
	bool		 nl_dirslash;	/* out: the path ended in '/' */
	bool		 nl_locked;	/* nl_nch is locked: done() unlocks */
	int		 nl_dots;	/* out: no name at the end: 1 ".", 2 "..",
					 * 3 a root */
	struct nchandle	 nl_root;	/* in: process root */
	struct nchandle	 nl_start;	/* in: where a relative path begins */
};

/* Cached paths without locks (nc_fast.c); EAGAIN: use nlookup(). */
struct vattr;
int	nc_fast_stat(const struct nchandle *root, const struct nchandle *start,
	    const char *path, bool follow, const struct ucred *,
	    struct vattr *);
int	nc_fast_lookup(const struct nchandle *root,
	    const struct nchandle *start, const char *path, bool follow,
	    const struct ucred *, struct nchandle *, struct vnode **);

/* Boot: before the first mount. */
void	nc_init(void);

/* root/start handles are copied.  Blocks. ENOENT ENOTDIR ELOOP EACCES
 * ENAMETOOLONG.  Always pair with nlookup_done(), also on error. */
void	nlookup_init(struct nlookup *, const struct nchandle *root,
	    const struct nchandle *start, struct ucred *, uint32_t flags);
int	nlookup(struct nlookup *, const char *path);
void	nlookup_done(struct nlookup *);

#endif
