/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The upper half of HAMMER: vnodes over the core of hammer.h.
 *
 *   vnode  <->  struct hammer_inode  <->  INODE record (newest, or as of T)
 *
 * V1  Order of locks: name locks, v_lock of files (by obj_id), the core's
 *     transaction lock.  Inside the last nothing of the first two, no vnode
 *     and no page is waited for.
 * V2  hi_data is what is true now.  For a regular file size, times and pages
 *     may be newer than the newest INODE record (HIF_DIRTY); a version point
 *     (hammer_data.c) makes them records.  Every other change goes to hi_data
 *     and to the tree in one transaction.
 * V3  hi_data changes with hi_spin held, by who holds the transaction lock
 *     exclusively; size and times of a file by who holds its v_lock.
 * V4  An inode is in the table from before its vnode can be found until
 *     VOP_RECLAIM.  hi_vp NULL there: being loaded, wait.
 * V5  An as-of inode (hi_asof != HAMMER_MAX_TID) never changes.
 */
#ifndef _VFS_HAMMER_VFS_H_
#define _VFS_HAMMER_VFS_H_

#include <sys/atomic.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/queue.h>
#include <sys/spinlock.h>
#include <sys/stat.h>
#include <sys/tree.h>
#include <sys/types.h>
#include <sys/vnode.h>
#include <sys/vop.h>

#include "hammer.h"

enum {					/* hi_flags */
	HIF_DIRTY	= 0x01,	/* [v_lock] data newer than the records */
	HIF_GONE	= 0x02,	/* [trans] the INODE record is dead */
	HIF_NOHISTORY	= 0x04,	/* [trans] from uflags and mount options */
	HIF_HASHED	= 0x08,	/* [bucket] in the table */
	HIF_NEW		= 0x10,	/* not in the tree yet */
};

struct hammer_inode {
	struct rb_node	 hi_node;	/* [bucket] */
	struct hammer_fs *hi_fs;	/* I */
	struct vnode	*hi_vp;		/* [bucket] NULL: being loaded */
	int64_t		 hi_obj_id;	/* I once hashed */
	uint32_t	 hi_loc;	/* I PFS id << 16 */
	uint32_t	 hi_flags;
	hammer_tid_t	 hi_asof;	/* I HAMMER_MAX_TID: live */
	struct spinlock	 hi_spin;
	struct hammer_inode_data hi_data;	/* V2, V3 */
	uint64_t	 hi_recsize;	/* [v_lock] size in the newest record */
	uint64_t	 hi_lowdirty;	/* [v_lock] HIF_DIRTY: writes since then
					 * were at and above this offset */
	hammer_tid_t	 hi_rectid;	/* [trans] its create_tid */
	hammer_tid_t	 hi_nohist;	/* [trans] HIF_NOHISTORY since */
	hammer_tid_t	 hi_lasttid;	/* [a] newest operation on it */
	uint64_t	 hi_dirtybytes;	/* [v_lock] charged to hf_dirtybytes */
	int		 hi_error;	/* [v_lock] of a lost version point */
};

struct hammer_bucket {
	struct spinlock	 hb_spin;
	struct rb_tree	 hb_tree;	/* [hb_spin] */
	uint32_t	 hb_waiters;	/* [hb_spin] sleep on the bucket */
};

enum { HAMMER_BUCKETS = 1024, HAMMER_MAXDISKS = HAMMER_MAX_VOLUMES };

struct hammer_fs {
	struct hammer_mount *hf_hmp;	/* I the core's */
	struct mount	*hf_mp;		/* I */
	struct disk	**hf_disks;	/* I */
	int		 hf_ndisks;
	bool		 hf_nohistory;	/* mount option */
	hammer_tid_t	 hf_mounttid;	/* I newest number at mount */
	hammer_tid_t	 hf_asof;	/* I -T: whole mount as of, or MAX */
	int64_t		 hf_dirtybytes;	/* [a] page data not yet versioned */
	struct thread	*hf_orphan;	/* [a] cleaning thread */
	bool		 hf_stop;	/* [a] unmounting */
	struct hammer_bucket hf_bucket[HAMMER_BUCKETS];
};

static inline struct hammer_inode *
hammer_ip(const struct vnode *vp)
{
	return vp->v_data;
}

static inline struct hammer_fs *
hammer_fs_of(const struct mount *mp)
{
	return mp->mnt_data;
}

/* The number of the newest operation.  One that is drawn is ended before a
 * read of the tree that begins later. */
static inline uint64_t
hammer_last_number(const struct mount *mp)
{
	return atomic_load_relaxed(&mp->mnt_number);
}

static inline bool
hammer_is_asof(const struct hammer_inode *ip)
{
	return ip->hi_asof != HAMMER_MAX_TID;
}

/*
 * How a record of the object is ended.  Without history it is destroyed, if it
 * is no older than that rule (hi_nohist): moments before it stay whole.
 */
static inline uint32_t
hammer_delete_flags(const struct hammer_inode *ip, hammer_tid_t create_tid)
{
	return (ip->hi_flags & HIF_NOHISTORY) && create_tid >= ip->hi_nohist ?
	    HAMMER_DELETE_DESTROY : 0;
}

/* Cursor flags for looking at what the inode sees. */
static inline void
hammer_cursor_view(struct hammer_cursor *cur, const struct hammer_inode *ip)
{
	if (hammer_is_asof(ip)) {
		cur->hc_flags = HAMMER_CURSOR_ASOF;
		cur->hc_asof = ip->hi_asof;
	}
}

/* hammer_inode.c */
void	hammer_inodes_init(struct hammer_fs *);
/* The vnode of an object, referenced.  ENOENT EIO.  Blocks; no locks held. */
int	hammer_iget(struct hammer_fs *, uint32_t loc, int64_t obj_id,
	    hammer_tid_t asof, struct vnode **);
/* An inode and vnode (referenced) for something to be created: no number,
 * not in the table.  Blocks. */
int	hammer_inew(struct hammer_fs *, uint32_t loc,
	    const struct hammer_inode_data *, struct vnode **);
/* Enter it, its hi_obj_id being set.  Does not block. */
void	hammer_ihash(struct hammer_inode *, struct vnode *);
/* Throw away a hammer_inew() that came to nothing. */
void	hammer_idiscard(struct vnode *);
int	hammer_ireclaim(struct vnode *);
/* Whether history is kept, after uflags changed at tid. */
void	hammer_inohistory(struct hammer_inode *, hammer_tid_t tid);
/* Replace hi_data (V3). */
void	hammer_iset(struct hammer_inode *, const struct hammer_inode_data *);
void	hammer_iattr(const struct hammer_inode *,
	    const struct hammer_inode_data *, struct vattr *);
enum vtype hammer_vtype(uint8_t obj_type);
mode_t	hammer_typemode(uint8_t obj_type);	/* S_IF* */
uint8_t	hammer_objtype(mode_t);
/* Records, inside a transaction: first, next version, none, times only. */
int	hammer_inode_insert(struct hammer_trans *, struct hammer_inode *,
	    const struct hammer_inode_data *);
int	hammer_inode_roll(struct hammer_trans *, struct hammer_inode *,
	    const struct hammer_inode_data *);
int	hammer_inode_delete(struct hammer_trans *, struct hammer_inode *);
/* The directory changed now: *nd gets its new times. */
int	hammer_inode_touch(struct hammer_trans *, struct hammer_inode *,
	    struct hammer_inode_data *nd);

/* hammer_dir.c: directory entries. */
struct hammer_dirent {
	int64_t		 hd_obj_id;
	uint32_t	 hd_loc;
	uint8_t		 hd_objtype;
	int64_t		 hd_key;
};
uint32_t hammer_dir_loc(const struct hammer_inode *dip);
int	hammer_dir_lookup(struct hammer_cursor *, struct hammer_inode *dip,
	    const char *name, size_t len, struct hammer_dirent *);
int	hammer_dir_add(struct hammer_trans *, struct hammer_inode *dip,
	    const char *name, size_t len, struct hammer_inode *ip);
int	hammer_dir_remove(struct hammer_trans *, struct hammer_inode *dip,
	    const char *name, size_t len, int64_t obj_id);
int	hammer_dir_empty(struct hammer_inode *dip, bool *empty);

/* hammer_data.c */
/* Make what is dirty media and history.  v_lock exclusive, no transaction.
 * wait: until it is durable.  Blocks. */
int	hammer_version_point(struct vnode *, bool wait);
/* The same with the lock taken here; all that VOP_FSYNC does. */
int	hammer_fsync(struct vnode *, bool wait);
/* End every DATA record of the file from block `from` on, at most max; *more
 * if some are left.  Inside a transaction. */
int	hammer_data_delete(struct hammer_trans *, struct hammer_inode *,
	    uint64_t from, int max, bool *more);
int	hammer_data_truncate(struct hammer_trans *, struct hammer_inode *,
	    uint64_t newsize, int max, bool *more);
/* Fill busy pages.  VOP_GETPAGES. */
int	hammer_data_getpages(struct vnode *, struct vm_page **, int count);
int	hammer_space_check(struct hammer_fs *, uint64_t bytes);

/* hammer_asof.c */
/* Does the name end in a well-formed @@ suffix?  *baselen is what is before
 * it; *loc changes if it names a PFS.  tid HAMMER_MAX_TID is now. */
bool	hammer_asof_parse(const char *name, size_t len, size_t *baselen,
	    hammer_tid_t *tid, uint32_t *loc);
dev_t	hammer_asof_dev(const struct hammer_inode *);
/* The mtime that a directory had at hi_asof.  Read lock held. */
int	hammer_asof_mtime(struct hammer_inode *);

/* hammer_ioctl.c, hammer_pfs.c */
int	hammer_vop_ioctl(struct vop_msg *);
int	hammer_pfs_open(struct hammer_fs *, uint32_t pfs_id,
	    struct hammer_pseudofs_data *);
/* The target text of a "@@PFSnnnnn" symlink, or false. */
bool	hammer_pfs_target(struct hammer_fs *, const char *link, size_t len,
	    char *buf, size_t size, size_t *outlen);

/* hammer_vfsops.c: an operation of our own draws a number. */
int	hammer_fs_sync(struct hammer_fs *, bool wait);
void	hammer_orphans_start(struct hammer_fs *);
void	hammer_orphans_stop(struct hammer_fs *);
/* Finish an object without names: all data, then the inode.  Blocks. */
int	hammer_finish_unlink(struct vnode *);

/* hammer_vnops_*.c */
int	hammer_vop_nresolve(struct vop_msg *);
int	hammer_vop_nlookupdotdot(struct vop_msg *);
int	hammer_vop_ncreate(struct vop_msg *);
int	hammer_vop_nsymlink(struct vop_msg *);
int	hammer_vop_nlink(struct vop_msg *);
int	hammer_vop_nremove(struct vop_msg *);
int	hammer_vop_nrmdir(struct vop_msg *);
int	hammer_vop_nrename(struct vop_msg *);
int	hammer_vop_open(struct vop_msg *);
int	hammer_vop_close(struct vop_msg *);
int	hammer_vop_getattr(struct vop_msg *);
int	hammer_vop_setattr(struct vop_msg *);
int	hammer_vop_write(struct vop_msg *);
int	hammer_vop_readdir(struct vop_msg *);
int	hammer_vop_readlink(struct vop_msg *);
int	hammer_vop_getpages(struct vop_msg *);
int	hammer_vop_mkwrite(struct vop_msg *);
int	hammer_vop_fsync(struct vop_msg *);
int	hammer_vop_allocate(struct vop_msg *);
int	hammer_vop_inactive(struct vop_msg *);
int	hammer_vop_reclaim(struct vop_msg *);

/* Effects: the next free one, cleared. */
struct vop_effect *hammer_effect(struct vop_effects *, enum vop_effect_kind,
	    struct vnode *);
/* The attributes of an inode went to nd; remember both. */
void	hammer_effect_attr(struct vop_effects *, struct vnode *,
	    const struct hammer_inode_data *nd, uint32_t mask);

MALLOC_DECLARE(M_HAMMERFS);

#endif
