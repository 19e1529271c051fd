/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vnodes: files in memory.  Owner: vfs/core/vfs_vnode.c.
 *
 * V1  v_refs > 0 keeps the vnode active.  When it drops to 0 the vnode stays
 *     cached (with its pages) until it is reclaimed for memory or unmount; at
 *     nlink 0 (VN_UNLINKED) the filesystem gets VOP_INACTIVE at once.
 * V2  v_holds keeps the structure (namecache entries, cached pages); a held
 *     vnode may be reclaimed (VN_DEAD): vn_get() then fails with ENOENT.
 * V3  v_lock is the operation lock: exclusive for write, setattr, truncate;
 *     cached reads do not take it, they use pages and v_size_seq.
 * V4  v_attr is the cache of attributes above the filesystem.  It is written
 *     under v_attr_seq (odd while changing) by vn_attr_* only.
 */
#ifndef _SYS_VNODE_H_
#define _SYS_VNODE_H_

#include <sys/epoch.h>
#include <sys/lock.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/types.h>

struct cdev;
struct mount;
struct namecache;
struct ucred;
struct vm_object;
struct vnode;

enum vtype { VNON, VREG, VDIR, VBLK, VCHR, VLNK, VSOCK, VFIFO };

enum {					/* v_flags, [v_spin] */
	VN_ROOT		= 0x001,	/* root of its mount */
	VN_UNLINKED	= 0x002,	/* no name left: inactive on last ref */
	VN_DEAD		= 0x004,	/* reclaimed; every operation is EIO */
	VN_DIRTY	= 0x008,	/* on the mount's dirty list */
	VN_NOCACHE	= 0x010,	/* attributes not cacheable (procfs) */
	VN_RECLAIMING	= 0x020,
	VN_ASOF		= 0x040,	/* read-only view of the past */
	VN_ONLRU	= 0x100,	/* core's: on the list of idle vnodes */
};

TAILQ_HEAD(ncp_list, namecache);

struct vnode {
	struct spinlock	 v_spin;
	enum vtype	 v_type;	/* I */
	uint32_t	 v_flags;
	int32_t		 v_refs;	/* [a] */
	int32_t		 v_holds;	/* [a] */
	struct mount	*v_mount;	/* I */
	void		*v_data;	/* I the filesystem's inode */
	struct lock	 v_lock;
	struct vm_object *v_object;	/* I VREG, VBLK: page cache */
	struct cdev	*v_cdev;	/* VCHR, VBLK when open */
	void		*v_fifo;	/* VFIFO: pipe while open; vfs/syscalls */
	uint64_t	 v_size;	/* [v_lock, v_attr_seq] = v_attr.va_size */
	uint32_t	 v_attr_seq;	/* [a] */
	bool		 v_attr_valid;
	struct vattr	 v_attr;	/* [v_attr_seq] */
	struct ncp_list	 v_names;	/* [v_spin] namecache entries */
	int32_t		 v_writers;	/* [a] opens for write; <0: exec */
	void		*v_locks;	/* advisory locks; vfs/syscalls */
	TAILQ_ENTRY(vnode) v_mntlist;	/* [mount spin] */
	TAILQ_ENTRY(vnode) v_lru;	/* [lru spin] when v_refs == 0 */
	TAILQ_ENTRY(vnode) v_dirtylist;	/* [mount spin] */
	nsec_t		 v_dirtytime;	/* first dirtied */
	struct epoch_item v_epoch;	/* after it was freed */
};

/* For filesystems.  A new vnode has one reference and v_lock is not held;
 * the filesystem sets v_data and enters it in its own inode table. */
int	vn_alloc(struct mount *, enum vtype, void *data, struct vnode **);
/* Take a reference on a vnode found in the filesystem's own table: vn_hold()
 * it under the table's lock, release that, vn_get(), vn_drop().  Blocks.
 * ENOENT: reclaimed meanwhile, look again. */
int	vn_get(struct vnode *);
/* The same without blocking; false: it is being reclaimed, or was. */
bool	vn_tryget(struct vnode *);
void	vn_ref(struct vnode *);		/* needs a reference already */
void	vn_rele(struct vnode *);	/* may block (inactive) */
void	vn_hold(struct vnode *);
void	vn_drop(struct vnode *);
/* Set or clear VN_* bits under v_spin. */
void	vn_setflags(struct vnode *, uint32_t set, uint32_t clear);
/* Put on / take off the mount's dirty list (the syncer calls VOP_FSYNC). */
void	vn_mark_dirty(struct vnode *);
void	vn_mark_clean(struct vnode *);
/* Throw a vnode out: pages, names, VOP_RECLAIM.  EBUSY if referenced. */
int	vn_recycle(struct vnode *);

/* The attribute cache. */
void	vn_attr_set(struct vnode *, const struct vattr *);	/* all of it */
void	vn_attr_invalidate(struct vnode *);
/* A consistent copy; asks VOP_GETATTR when it is not cached.  Blocks. */
int	vn_getattr(struct vnode *, struct vattr *, struct ucred *);

/*
 * The page cache of a regular file, on v_object.  vfs/core/vfs_pages.c.
 * Kernel buffers only.  Reads stop at v_size (*done may be short).
 */
int	vn_read(struct vnode *, void *buf, size_t len, off_t off,
	    struct ucred *, size_t *done);
/* Through VOP_WRITE; IO_APPEND and IO_SYNC in ioflags. */
enum { IO_APPEND = 1, IO_SYNC = 2, IO_DSYNC = 4 };
int	vn_write(struct vnode *, const void *buf, size_t len, off_t off,
	    int ioflags, struct ucred *, size_t *done, off_t *endoff);
/* For filesystems inside VOP_WRITE (v_lock exclusive): copy into pages,
 * marking them dirty, reading partial old pages first.  Does not change
 * v_size.  ENOMEM, EIO, ENOSPC from VOP_GETPAGES. */
int	vn_pages_write(struct vnode *, const void *buf, size_t len, off_t off);
/* Truncation (v_lock exclusive): drop pages past newsize, zero the tail of
 * the last one, unmap. */
void	vn_pages_truncate(struct vnode *, uint64_t newsize);
/* Change the size seen by everyone (v_lock exclusive). */
void	vn_setsize(struct vnode *, uint64_t newsize);
bool	vn_pages_dirty(struct vnode *);
/* Visit dirty pages in file order, busied, write-protected in every address
 * space and marked clean before fn; fn != 0 makes that page dirty again and
 * stops.  v_lock exclusive.  Used for version points. */
struct vm_page;
int	vn_pages_flush(struct vnode *, uint64_t start, uint64_t end,
	    int (*fn)(struct vnode *, struct vm_page *, void *), void *arg);

#endif
