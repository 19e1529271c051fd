/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptor tables beyond what sys/file.h offers everybody. */
#ifndef _SYS_FDESC_H_
#define _SYS_FDESC_H_

#include <sys/file.h>

/* Put fp into slot n (dup2): it gets the caller's reference, what was there is
 * closed.  EBADF: n is out of range.  Blocks. */
int	fd_install_at(struct file *, int n, bool cloexec);
/* Look at and change (set 0 or 1; -1: only look) close-on-exec.  EBADF. */
int	fd_cloexec(int n, int set, bool *was);
/* The first descriptor >= from in use, or -1; a reference on its file if fpp
 * is not NULL.  For close_range and /proc/N/fd. */
int	fd_next(struct filedesc *, int from, struct file **fpp);
struct filedesc *fd_current(void);
bool	filedesc_shared(const struct filedesc *);	/* by others too */

/*
 * A descriptor of the current process goes away (close, exec, exit), maybe not
 * the last of its file: what belongs to the process and the file ends, that
 * is record locks.  vfs/syscalls sets the hook.  The errno is close(2)'s.
 */
int	file_closing(struct file *);
extern int (*file_closing_hook)(struct file *);

#endif
