/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mounted filesystems and their stack of layers.  vfs/core/vfs_mount.c.
 */
#ifndef _SYS_MOUNT_H_
#define _SYS_MOUNT_H_

#include <sys/epoch.h>
#include <sys/lock.h>
#include <sys/msgport.h>
#include <sys/namecache.h>
#include <sys/queue.h>
#include <sys/types.h>

struct mount;
struct vnode;
struct vop_msg;
struct vop_effects;
struct vop_gate;

struct statfs_info {			/* sizes in f_bsize units */
	uint64_t	f_type, f_bsize, f_blocks, f_bfree, f_bavail;
	uint64_t	f_files, f_ffree, f_fsid, f_namelen, f_flags;
};

enum {					/* vfc_flags */
	VFC_MEMORY = 1,	/* files live in the page cache: no syncer, no dirty list */
	VFC_NODEV = 2,	/* takes no device ("nodev" in /proc/filesystems) */
	VFC_NONAMES = 4, /* names are not kept: looked up anew by each walk */
	VFC_ASOF = 8,	/* keeps its past: name@@0x<number> */
};

/* A filesystem type.  Register with vfs_register() at boot. */
struct vfsops {
	const char *vfc_name;		/* "hammer" */
	uint32_t vfc_flags;
	/* special: device path text or NULL; data: option text or NULL.
	 * Sets mnt_data, mnt_vops, mnt_root (a referenced root vnode). */
	int	(*vfs_mount)(struct mount *, const char *special,
		    const char *data, struct ucred *);
	/* May be NULL.  The mount is in the tree; called once. */
	void	(*vfs_start)(struct mount *);
	int	(*vfs_remount)(struct mount *, uint32_t flags, const char *data);
	/* No vnode is left but those that the filesystem itself references. */
	int	(*vfs_unmount)(struct mount *, bool force);
	int	(*vfs_statfs)(struct mount *, struct statfs_info *);
	/* Everything that is done so far becomes durable if wait. */
	int	(*vfs_sync)(struct mount *, bool wait);
	TAILQ_ENTRY(vfsops) vfc_list;
};

/* A vnode operation of a filesystem: runs where mnt_dispatch decides. */
typedef int vop_fn_t(struct vop_msg *);

/*
 * A layer between the namecache and the filesystem.  vl_down gets each
 * message; it may call vop_next(msg) to pass it on, and sees the result when
 * that returns (or at its reply, if it was asynchronous).  vl_commit runs
 * inside vop_commit(): it must not block.
 */
struct vop_layer {
	const char *vl_name;
	int	(*vl_down)(struct vop_layer *, struct vop_msg *);
	void	(*vl_commit)(struct vop_layer *, struct vop_msg *,
		    const struct vop_effects *);
	void	*vl_private;
};

/* The layers of a mount, top first; replaced as a whole, never changed. */
struct vop_stack {
	int	vs_count;
	struct vop_layer *vs_layer[];
};

enum {					/* mnt_flags: Linux MS_* where they exist */
	MNT_RDONLY = 1, MNT_NOSUID = 2, MNT_NODEV = 4, MNT_NOEXEC = 8,
	MNT_SYNC = 16, MNT_NOATIME = 1024,
};

TAILQ_HEAD(vnode_list, vnode);

struct mount {
	TAILQ_ENTRY(mount) mnt_list;	/* [mountlist lock] */
	const struct vfsops *mnt_op;	/* I */
	vop_fn_t *const	*mnt_vops;	/* I indexed by enum vop_op; NULL entry:
					 * EOPNOTSUPP, see vop_default() */
	struct lwkt_port mnt_port;	/* where messages are sent */
	struct vop_stack *mnt_stack;	/* [a] layers, or NULL (vfs_layer.c) */
	struct vop_gate	*mnt_gate;	/* I operations inside (vfs_layer.c) */
	void		*mnt_data;	/* the filesystem's */
	struct vnode	*mnt_root;	/* I referenced */
	struct nchandle	 mnt_rootnch;	/* root entry of this mount */
	struct nchandle	 mnt_covered;	/* what it is mounted on, or unset */
	uint32_t	 mnt_flags;
	int32_t		 mnt_refs;	/* [a] handles */
	struct spinlock	 mnt_spin;	/* lists below */
	struct vnode_list mnt_vnodes;	/* [mnt_spin] */
	struct vnode_list mnt_dirty;	/* [mnt_spin] oldest first */
	struct lock	 mnt_renamelock;	/* directory renames */
	uint64_t	 mnt_number;	/* [mnt_numspin] last drawn, see contract */
	struct spinlock	 mnt_numspin;
	uint32_t	 mnt_numstep;	/* I 16 */
	uint64_t	 mnt_id;
	dev_t		 mnt_dev;	/* st_dev of the live tree */
	struct thread	*mnt_syncer;
	void		*mnt_journals;	/* vfs/journal's */
	bool		 mnt_unmounting; /* [mountlist] no new ways in */
	bool		 mnt_stop;	/* [a] the syncer shall end */
	void		*mnt_dead;	/* set: forced unmount began */
	struct epoch_item mnt_epoch;	/* after it was freed */
	char		 mnt_from[256];	/* "/dev/vbd0" */
	char		 mnt_opts[256];
};

void	vfs_register(struct vfsops *);
struct vfsops *vfs_find(const char *name);
int	vfs_foreach_type(int (*fn)(const struct vfsops *, void *), void *arg);
/* Mount at a covered place (NULL: the first root).  Blocks. */
int	vfs_mount(const char *fstype, const char *special,
	    const struct nchandle *on, uint32_t flags, const char *data,
	    struct ucred *, struct mount **);
/* The caller has one mount_ref() and no handle into it.  EBUSY: somebody else
 * uses it, or mounted on it.  force: detach now, finish with the last user. */
int	vfs_unmount(struct mount *, bool force);
/* Change flags and options.  EBUSY: to read-only with files open for writing.*/
int	vfs_remount(struct mount *, uint32_t flags, const char *data);
int	vfs_statfs(struct mount *, struct statfs_info *);
/* The first mounts, from the boot command line; called by init_main.c. */
void	vfs_init(void);
void	vfs_mountroot(void);
int	vfs_sync_all(bool wait);
int	vfs_sync(struct mount *, bool wait);
struct mount *mount_covering(const struct nchandle *);	/* ref, or NULL */
void	mount_ref(struct mount *);
void	mount_rele(struct mount *);
/* In mount order; fn != 0 stops. */
int	mount_foreach(int (*fn)(struct mount *, void *), void *arg);

/* An unmount can no longer fail: layers must leave.  vfs/journal sets it. */
extern void (*mount_leave_hook)(struct mount *);

/* Layers attach to and leave a live mount.  detach waits until nothing is
 * inside.  Both block. */
int	mount_layer_attach(struct mount *, struct vop_layer *);
void	mount_layer_detach(struct mount *, struct vop_layer *);

#endif
