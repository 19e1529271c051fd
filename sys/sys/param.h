/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes that the whole kernel agrees on. */
#ifndef _SYS_PARAM_H_
#define _SYS_PARAM_H_

enum {
	PAGE_SHIFT	= 12,
	PAGE_SIZE	= 1 << PAGE_SHIFT,
	PAGE_MASK	= PAGE_SIZE - 1,
	MAXCPU		= 64,
	CACHE_LINE	= 64,
	NAME_MAX	= 255,		/* bytes in one path component */
	PATH_MAX	= 4096,		/* bytes in a path, NUL included */
	SYMLOOP_MAX	= 40,		/* symlinks followed in one walk */
	KSTACK_SIZE	= 32768,	/* kernel stack of a thread, bytes */
};

#define btop(x)		((uint64_t)(x) >> PAGE_SHIFT)
#define ptob(x)		((uint64_t)(x) << PAGE_SHIFT)

#endif
