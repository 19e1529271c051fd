/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside vfs/core, and what vfs/namecache and vfs/syscalls register with it.
 */
#ifndef _VFS_CORE_H_
#define _VFS_CORE_H_

#include <sys/mount.h>
#include <sys/vnode.h>
#include <sys/vop.h>

struct uio;

/* The namecache, registered at boot: core names no name. */
struct vfs_name_hooks {
	/* Apply the EFF_NAME effects of an operation.  No blocking. */
	void	(*nh_commit)(struct vop_msg *, const struct vop_effects *);
	/* Detach every name of a vnode; false: one is in use now. */
	bool	(*nh_forget)(struct vnode *);
	/* Make mnt_rootnch; mark or unmark what is mounted on. */
	void	(*nh_root)(struct mount *);
	void	(*nh_cover)(const struct nchandle *, struct mount *);
	/* Free every name of the mount that nobody holds. */
	void	(*nh_purge)(struct mount *);
	/* Memory is short: drop about n unused names. */
	uint64_t (*nh_trim)(uint64_t n);
};
extern struct vfs_name_hooks vfs_name_hooks;

/* vfs_layer.c */
void	vop_gate_enter(struct vop_msg *);
void	vop_gate_exit(struct vop_msg *);
/* Wait until every operation that is inside now has left.  Blocks. */
void	vop_gate_drain(struct mount *);
bool	vfs_vnode_writers(struct mount *);	/* vfs_vnode.c */
struct vop_gate *vop_gate_alloc(void);
void	vop_gate_free(struct vop_gate *);

/* vfs_vop.c */
int	vop_put(struct lwkt_port *, struct lwkt_msg *);
void	vop_start(struct vop_msg *, struct mount *, enum vop_op,
	    struct ucred *);
int	vop_do(struct vop_msg *);

/* vfs_vnode.c */
void	vfs_vnode_init(void);
void	vfs_vnode_flushmount(struct mount *);	/* reclaim what is idle */
bool	vfs_vnode_mapped(struct mount *);
extern uint64_t vfs_nvnodes;			/* [a] */

/* vfs_attr.c: from the cache, without blocking; for walks in an epoch. */
bool	vn_attr_peek(struct vnode *, struct vattr *);
bool	vn_attr_search(struct vnode *, const struct ucred *);

/* vfs_pages.c: a valid page, wired; EIO, ENOMEM.  Blocks. */
int	vn_page_get(struct vnode *, vm_pindex_t, struct vm_page **);
/* Read through the page cache to any buffer, up to v_size; the uio's offset
 * and residue move.  EFAULT, EIO.  Blocks. */
int	vn_uio_read(struct vnode *, struct uio *);

/* vfs_syncer.c */
void	vfs_syncer_start(struct mount *);
void	vfs_syncer_stop(struct mount *);

#endif
