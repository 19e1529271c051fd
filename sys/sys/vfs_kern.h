/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File system work by path or by vnode, inside the kernel: what system calls,
 * image builders and tests share.  vfs/syscalls/vfs_*.c.
 *
 * Each call is complete: walks, checks permissions for the context's
 * credential, locks, sends the operation.  All block.
 */
#ifndef _SYS_VFS_KERN_H_
#define _SYS_VFS_KERN_H_

#include <sys/namecache.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vop.h>

struct mount;
struct ucred;
struct vnode;

/* Who asks, and where paths begin. */
struct kvfs {
	struct nchandle	 kv_root;	/* "/" */
	struct nchandle	 kv_start;	/* a relative path begins here */
	struct ucred	*kv_cred;
	mode_t		 kv_umask;
};

/* The root of a mount as seen by root (the user), umask 0.  Holds the mount
 * until kvfs_done(). */
void	kvfs_init(struct kvfs *, struct mount *);
/* The system's root; needs vfs_mountroot(). */
int	kvfs_init_root(struct kvfs *);
void	kvfs_done(struct kvfs *);
/* The first mount; unset before vfs_mountroot(). */
extern struct nchandle vfs_rootnch;

/* Permissions (mode bits, owner, groups; user 0 may do all but execute what
 * nobody may).  EACCES; EROFS for VWRITE on a read-only tree. */
enum { VEXEC = 1, VWRITE = 2, VREAD = 4 };
int	vn_access(struct vnode *, int mode, struct ucred *);

/* follow: at the end of the path.  A referenced vnode; nch may be NULL. */
int	kvfs_lookup(struct kvfs *, const char *path, bool follow,
	    struct nchandle *nch, struct vnode **);
/* Like open(2): O_* flags.  *vpp referenced, VOP_OPEN done, write opens are
 * counted: pair with kvfs_close().  nch (may be NULL) gets a handle. */
int	kvfs_open(struct kvfs *, const char *path, int oflags, mode_t mode,
	    struct nchandle *nch, struct vnode **vpp);
void	kvfs_close(struct vnode *, int oflags, struct ucred *);

int	kvfs_mkdir(struct kvfs *, const char *path, mode_t mode);
/* S_IFREG S_IFCHR S_IFBLK S_IFIFO S_IFSOCK in mode. */
int	kvfs_mknod(struct kvfs *, const char *path, mode_t mode, dev_t rdev);
int	kvfs_symlink(struct kvfs *, const char *target, const char *path);
int	kvfs_readlink(struct kvfs *, const char *path, char *buf, size_t size,
	    size_t *len);
/* Two contexts, because linkat and renameat start from two places; they may
 * be the same. */
int	kvfs_link(struct kvfs *, const char *from, bool follow,
	    struct kvfs *, const char *to);
int	kvfs_link_vnode(struct vnode *, struct kvfs *, const char *to);
int	kvfs_unlink(struct kvfs *, const char *path);
int	kvfs_rmdir(struct kvfs *, const char *path);
int	kvfs_rename(struct kvfs *, const char *from, struct kvfs *,
	    const char *to, int flags);		/* RENAME_* */

int	kvfs_stat(struct kvfs *, const char *path, bool follow, struct vattr *);
/* va_mask says what; the rules of chmod, chown, utimensat, truncate. */
int	kvfs_setattr(struct kvfs *, const char *path, bool follow,
	    const struct vattr *);
int	vn_setattr(struct vnode *, const struct vattr *, struct ucred *);
int	kvfs_truncate(struct kvfs *, const char *path, uint64_t size);
int	kvfs_fsync(struct kvfs *, const char *path);

/* Whole-file conveniences.  create: O_CREAT|O_EXCL and closed again.  write:
 * the file exists; all of len or an error.  read: *done may be short. */
int	kvfs_create(struct kvfs *, const char *path, mode_t mode);
int	kvfs_write(struct kvfs *, const char *path, const void *, size_t,
	    off_t);
int	kvfs_read(struct kvfs *, const char *path, void *, size_t, off_t,
	    size_t *done);
/* Every entry, "." and ".." too, in directory order; fn false: stop. */
int	kvfs_readdir(struct kvfs *, const char *path, vop_dirent_fn *,
	    void *arg);
int	kvfs_mount(struct kvfs *, const char *fstype, const char *special,
	    const char *path, uint32_t flags, const char *data);
int	kvfs_umount(struct kvfs *, const char *path, bool force);

#endif
