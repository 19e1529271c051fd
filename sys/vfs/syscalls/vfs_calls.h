/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside vfs/syscalls. */
#ifndef _VFS_CALLS_H_
#define _VFS_CALLS_H_

#include <sys/vfs_kern.h>

/* vfs_names.c */
int	kvfs_check_create(struct nlookup *);
int	kvfs_new_attr(struct kvfs *, struct vnode *dvp, mode_t, dev_t rdev,
	    struct vattr *);

#endif
