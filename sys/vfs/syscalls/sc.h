/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside vfs/syscalls: from user arguments to kernel-side file work
 * (sys/vfs_kern.h) and back.
 */
#ifndef _VFS_SYSCALLS_SC_H_
#define _VFS_SYSCALLS_SC_H_

#include <sys/errno.h>
#include <sys/fdesc.h>
#include <sys/file.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/syscall.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/uio.h>
#include <sys/vfs_kern.h>
#include <sys/vnode.h>
#include <sys/vop.h>

enum {
	AT_FDCWD		= -100,
	AT_SYMLINK_NOFOLLOW	= 0x100,
	AT_EACCESS		= 0x200,
	AT_REMOVEDIR		= 0x200,
	AT_SYMLINK_FOLLOW	= 0x400,
	AT_NO_AUTOMOUNT		= 0x800,
	AT_EMPTY_PATH		= 0x1000,
	AT_STATX_SYNC_TYPE	= 0x6000,
};

/*
 * A path argument: the user's text in kernel memory and the context in which
 * it is looked up.  sc_path() fills it from a directory descriptor (or
 * AT_FDCWD) and a user pointer; sc_done() gives everything back, also after an
 * error.  With empty_ok an empty path means the descriptor itself: sp_vp and
 * sp_nch are set, and sp_path is "".
 * Errors: EFAULT ENAMETOOLONG ENOENT EBADF ENOTDIR.  Blocks.
 */
struct sc_path {
	struct kvfs	 sp_kv;
	char		*sp_path;
	struct file	*sp_file;	/* the descriptor, when empty_ok used it */
	struct vnode	*sp_vp;		/* its vnode, not a reference */
	bool		 sp_set;
};
int	sc_path(struct sc_path *, int dirfd, vm_offset_t upath, bool empty_ok);
void	sc_done(struct sc_path *);
/* The context of the current process alone (root, cwd, cred, umask). */
void	sc_context(struct kvfs *);

/* A descriptor's file that must be a vnode's; reference to be released. */
int	sc_vnode_file(int fd, struct file **, struct vnode **);

/* sc_file.c: files whose f_data is a vnode. */
extern const struct file_ops vnode_file_ops;
/* sc_device.c: open character and block devices; sc_fifo.c. */
int	sc_device_open(struct vnode *, struct nchandle *, int oflags,
	    struct file **);
int	sc_fifo_open(struct vnode *, struct nchandle *, int oflags,
	    struct file **);
/* sc_open.c: any kind of file by path; the file is not yet a descriptor. */
int	sc_open(struct kvfs *, const char *path, int oflags, mode_t mode,
	    struct file **);

/* sc_lock.c: the end of a file (flock, open-file locks) and of a process's
 * descriptor on it (record locks). */
void	sc_lock_file_gone(struct file *, struct vnode *);
int	sc_lock_closing(struct file *);
int	sc_fcntl_lock(struct file *, int cmd, vm_offset_t uflock);

/* sc_stat.c */
int	sc_copyout_stat(const struct vattr *, vm_offset_t ubuf);

void	vfs_syscalls_init(void);	/* init_main.c */

/* sc_file.c: RLIMIT_FSIZE.  *n bytes at off, cut to what is allowed; EFBIG
 * (and SIGXFSZ) if nothing is. */
int	sc_fsize_limit(uint64_t off, uint64_t *n);

#endif
