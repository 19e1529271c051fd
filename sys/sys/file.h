/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open files and descriptors.  kern/kern_desc.c; the kinds of files register
 * their operations (vnodes: vfs/syscalls/vfs_file.c; pipes: kern_pipe.c).
 */
#ifndef _SYS_FILE_H_
#define _SYS_FILE_H_

#include <sys/lock.h>
#include <sys/namecache.h>
#include <sys/stat.h>
#include <sys/types.h>

struct file;
struct uio;
struct vm_object;

enum { POLLIN = 1, POLLPRI = 2, POLLOUT = 4, POLLERR = 8, POLLHUP = 16,
       POLLNVAL = 32, POLLRDNORM = 64, POLLWRNORM = 256 };

/* A queue of threads in poll(2); objects embed one and call poll_wakeup(). */
struct poll_queue {
	struct spinlock	 pq_spin;
	LIST_HEAD(, poll_waiter) pq_list;
};
struct poll_waiter {
	LIST_ENTRY(poll_waiter) pw_list;
	struct poll_queue *pw_queue;
	void		*pw_ident;	/* wakeup() this */
	uint32_t	*pw_fired;	/* set to 1 first */
	struct poll_waiter *pw_more;	/* caller's spare waiters */
};
void	poll_queue_init(struct poll_queue *);
void	poll_queue_add(struct poll_queue *, struct poll_waiter *);
void	poll_wakeup(struct poll_queue *);

struct file_ops {
	const char *fo_name;
	int	(*fo_read)(struct file *, struct uio *, bool useoff);
	int	(*fo_write)(struct file *, struct uio *, bool useoff);
	int	(*fo_ioctl)(struct file *, uint64_t cmd, uint64_t uarg,
		    int64_t *result);
	int	(*fo_poll)(struct file *, int events, struct poll_waiter *);
	int	(*fo_stat)(struct file *, struct vattr *);
	int	(*fo_seek)(struct file *, off_t, int whence, off_t *result);
	/* Object to map at offset; may be NULL: ENODEV. */
	int	(*fo_mmap)(struct file *, uint64_t off, uint64_t len, int prot,
		    int flags, struct vm_object **, uint64_t *objoff);
	int	(*fo_truncate)(struct file *, uint64_t size);
	int	(*fo_sync)(struct file *, bool datasync);
	/* Last reference is gone. */
	void	(*fo_close)(struct file *);
};

struct file {
	int32_t		 f_refs;	/* [a] */
	uint32_t	 f_flags;	/* [a] O_* */
	const struct file_ops *f_ops;	/* I */
	void		*f_data;	/* vnode, pipe end, ... */
	struct lock	 f_offlock;
	off_t		 f_offset;	/* [f_offlock] */
	struct nchandle	 f_nch;		/* I what was opened, or unset */
	struct ucred	*f_cred;	/* I */
};

struct file *file_alloc(const struct file_ops *, void *data, uint32_t flags,
	    struct ucred *);
void	file_ref(struct file *);
void	file_rele(struct file *);

/* Descriptors of the current process. */
struct filedesc;
int	fd_get(int fd, struct file **);		/* reference; EBADF */
int	fd_install(struct file *, int minfd, bool cloexec, int *fd);	/* EMFILE */
int	fd_close(int fd);
struct filedesc *filedesc_alloc(void);
struct filedesc *filedesc_copy(struct filedesc *);
struct filedesc *filedesc_share(struct filedesc *);
void	filedesc_rele(struct filedesc *);	/* closes all with the last */
void	filedesc_exec(struct filedesc *);	/* close-on-exec */
struct vnode *file_vnode(struct file *);	/* NULL if not a vnode */

/* In-kernel files (kern_fp.c): for exec, journals, tools in the kernel. */
int	fp_open(const char *path, int flags, mode_t mode, struct file **);
int	fp_read(struct file *, void *, size_t, off_t, size_t *done);
int	fp_write(struct file *, const void *, size_t, off_t, size_t *done);

#endif
