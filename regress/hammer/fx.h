/* SPDX-License-Identifier: BSD-2-Clause */
/* A mounted HAMMER volume on a test disk, and what tests do with it. */
#ifndef _REGRESS_HAMMER_FX_H_
#define _REGRESS_HAMMER_FX_H_

#include <sys/mount.h>
#include <sys/vfs_kern.h>
#include <sys/vnode.h>

#include "../env/env.h"

struct fx {
	struct env_disk	*disk;
	const char	*name;		/* of the disk */
	const char	*opts;		/* mount options, or NULL */
	uint32_t	 flags;		/* MNT_* */
	struct mount	*mp;
	struct kvfs	 kv;
};

/* A fresh filesystem of that size, mounted. */
bool	fx_open(struct fx *, uint64_t size, int diskflags);
/* Unmount, run the offline checker over the image, destroy the disk. */
void	fx_close(struct fx *);
bool	fx_mount(struct fx *);
void	fx_umount(struct fx *);
void	fx_remount(struct fx *);
/* Errors that the offline checker finds on the disk as it is. */
int	fx_check(struct env_disk *);
/* The number of the last operation. */
uint64_t fx_last(struct fx *);
/* path@@0x<tid>; static storage, four at a time. */
const char *fx_at(const char *path, uint64_t tid);
/* As a shell's `> path' does. */
int	fx_put(struct fx *, const char *path, const void *, size_t len);
bool	fx_holds(struct fx *, const char *path, const char *want);
int	fx_entries(struct fx *, const char *path);	/* without . and .. */
int	fx_ioctl(struct fx *, const char *path, uint64_t cmd, void *,
	    size_t len);

#endif
