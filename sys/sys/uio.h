/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A transfer between kernel memory and one buffer that is user memory or
 * kernel memory.  Only the system call layer and devices use the user kind;
 * VFS messages carry kernel memory.
 */
#ifndef _SYS_UIO_H_
#define _SYS_UIO_H_

#include <sys/types.h>

struct uio_iov {
	uint64_t	base;		/* user address, or kernel pointer */
	uint64_t	len;
};

struct uio {
	struct uio_iov	*uio_iov;
	int		 uio_iovcnt;
	off_t		 uio_offset;
	uint64_t	 uio_resid;
	bool		 uio_write;	/* data goes from the buffer to us */
	bool		 uio_kernel;	/* iov holds kernel pointers */
};

/* Move up to len bytes at kaddr, in the uio's direction.  EFAULT.  Blocks. */
int	uiomove(void *kaddr, size_t len, struct uio *);
/* A uio over one kernel buffer. */
void	uio_kernel_init(struct uio *, struct uio_iov *, void *buf, size_t len,
	    off_t offset, bool write);

#endif
