/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tmpfs: a tree in memory.
 *
 * T1  A node references its vnode as long as it has a name, so a vnode of
 *     ours is reclaimed only when the object is gone or at unmount.
 * T2  File data is nowhere but in the pages of the vnode's object; a page
 *     that was written is dirty for ever, and so never reclaimed; an absent
 *     page is a hole.  tm_pages is the objects' vo_charge.
 * T3  tn_lock guards the attributes and, in a directory, the entries.  Several
 *     are taken in rising order of tn_ino; v_lock comes before.
 */
#ifndef _TMPFS_H_
#define _TMPFS_H_

#include <sys/lock.h>
#include <sys/stat.h>
#include <sys/tree.h>
#include <sys/types.h>
#include <sys/vop.h>

struct tmpfs_mount {
	struct mount	*tm_mount;
	int64_t		 tm_pages;	/* [a] pages in use */
	int64_t		 tm_maxpages;	/* [a] */
	int64_t		 tm_nodes;	/* [a] */
	int64_t		 tm_maxnodes;	/* [a] */
	ino_t		 tm_lastino;	/* [a] */
	struct tmpfs_node *tm_root;
};

struct tmpfs_node {
	struct lock	 tn_lock;
	struct vnode	*tn_vnode;	/* I see T1 */
	struct vattr	 tn_attr;	/* [tn_lock] va_bytes is computed */
	ino_t		 tn_ino;	/* I */
	struct tmpfs_node *tn_parent;	/* [tn_lock] directories: ".." */
	struct rb_tree	 tn_names;	/* [tn_lock] entries by name */
	struct rb_tree	 tn_cookies;	/* [tn_lock] entries by cookie */
	off_t		 tn_lastcookie;	/* [tn_lock] never goes back */
	uint64_t	 tn_nentries;	/* [tn_lock] */
	char		*tn_link;	/* I symlinks */
};

struct tmpfs_dirent {
	struct rb_node	 td_name_node;
	struct rb_node	 td_cookie_node;
	off_t		 td_cookie;
	struct tmpfs_node *td_node;
	uint32_t	 td_hash;
	uint16_t	 td_nlen;
	char		 td_name[];
};

/* tmpfs_node.c */
struct tmpfs_mount *tmpfs_of(struct mount *);
struct tmpfs_node *tmpfs_node_of(struct vnode *);
int	tmpfs_node_alloc(struct tmpfs_mount *, const struct vattr *,
	    const char *link, struct tmpfs_node **);
void	tmpfs_node_free(struct tmpfs_mount *, struct tmpfs_node *);
struct tmpfs_dirent *tmpfs_dirent_alloc(const char *, size_t,
	    struct tmpfs_node *);
void	tmpfs_dirent_free(struct tmpfs_dirent *);
struct tmpfs_dirent *tmpfs_find(struct tmpfs_node *dir, const char *, size_t);
void	tmpfs_enter(struct tmpfs_node *dir, struct tmpfs_dirent *);
void	tmpfs_leave(struct tmpfs_node *dir, struct tmpfs_dirent *);
void	tmpfs_lock_nodes(struct tmpfs_node **, int n);	/* sorts; NULLs ok */
void	tmpfs_unlock_nodes(struct tmpfs_node **, int n);
/* Times of the operation; effects. */
struct timespec tmpfs_now(struct vop_msg *);
void	tmpfs_attr(struct tmpfs_node *, struct vattr *);
struct vop_effect *tmpfs_eff(struct vop_effects *, enum vop_effect_kind,
	    struct vnode *);
void	tmpfs_eff_name(struct vop_effects *, struct vnode *dvp,
	    const struct nchandle *, ino_t was, struct tmpfs_node *now);
void	tmpfs_eff_attr(struct vop_effects *, struct tmpfs_node *,
	    const struct vattr *was, uint32_t mask);

void	tmpfs_init(void);

/* tmpfs_names.c, tmpfs_rename.c, tmpfs_file.c */
vop_fn_t tmpfs_nresolve, tmpfs_nlookupdotdot, tmpfs_create, tmpfs_nlink,
    tmpfs_remove, tmpfs_nrename, tmpfs_readdir, tmpfs_readlink,
    tmpfs_getattr, tmpfs_setattr, tmpfs_write, tmpfs_getpages,
    tmpfs_mkwrite, tmpfs_allocate, tmpfs_inactive, tmpfs_reclaim;

#endif
