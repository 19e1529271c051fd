/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes, also the inside of FIFOs.  kern/kern_pipe.c. */
#ifndef _SYS_PIPE_H_
#define _SYS_PIPE_H_

#include <sys/file.h>
#include <sys/lock.h>
#include <sys/types.h>

enum {
	PIPE_SIZE	= 65536,	/* bytes buffered */
	PIPE_ATOMIC	= 4096,		/* PIPE_BUF: writes up to it stay whole */
};

struct pipe {
	int32_t		 pi_refs;	/* [a] files, and the FIFO's vnode */
	struct lock	 pi_lock;
	uint8_t		*pi_buf;	/* [pi_lock] from the first write on */
	uint32_t	 pi_head;	/* [pi_lock] free running: written */
	uint32_t	 pi_tail;	/* [pi_lock] read */
	int		 pi_readers, pi_writers;	/* [pi_lock] open ends */
	uint32_t	 pi_ropens, pi_wopens;	/* [pi_lock] ever, for FIFOs */
	bool		 pi_rwait, pi_wwait;	/* [pi_lock] somebody sleeps */
	struct poll_queue pi_poll;
	struct timespec	 pi_time;	/* I made */
	ino_t		 pi_ino;	/* I */
};

struct pipe *pipe_alloc(void);		/* one reference, no end open */
void	pipe_ref(struct pipe *);
void	pipe_rele(struct pipe *);
/* Open an end or both (O_RDONLY, O_WRONLY, O_RDWR) and close it; wakes
 * whoever waits for that.  A reference is kept meanwhile. */
void	pipe_open(struct pipe *, int fflags);
void	pipe_close(struct pipe *, int fflags);

/* For files whose f_data is a pipe; a FIFO's file calls them too. */
int	pipe_read(struct pipe *, struct uio *, int fflags);
int	pipe_write(struct pipe *, struct uio *, int fflags);
int	pipe_poll(struct pipe *, int fflags, int events, struct poll_waiter *);
int	pipe_ioctl(struct pipe *, uint64_t cmd, uint64_t uarg, int64_t *);

#endif
