/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the two halves of mkroot: host files on one side, the kernel on the
 * other.  Compiler types only. */
#ifndef _RELEASE_MKROOT_H_
#define _RELEASE_MKROOT_H_

#include <stddef.h>
#include <stdint.h>

struct mkroot_item {
	char	 kind;			/* d f l c b */
	char	*path;
	uint32_t mode;
	uint32_t major, minor;
	char	*target;		/* l */
	void	*data;			/* f */
	size_t	 size;
};

struct mkroot_job {
	struct mkroot_item *items;
	size_t	 n;
	const char *failed;		/* out: path of what failed */
	uint64_t bytes;			/* out */
};

/* In a kernel thread: mount the HAMMER volume on disk vbd0, make every item,
 * unmount.  errno. */
int	mkroot_fill(void *job);

#endif
