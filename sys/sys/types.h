/* SPDX-License-Identifier: BSD-2-Clause */
/* Base types of the kernel.  Includes nothing but compiler headers. */
#ifndef _SYS_TYPES_H_
#define _SYS_TYPES_H_

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t		ssize_t;
typedef int64_t		off_t;		/* byte offset, signed */
typedef uint64_t	ino_t;
typedef uint64_t	dev_t;		/* Linux encoding, see makedev() */
typedef uint32_t	uid_t;
typedef uint32_t	gid_t;
typedef uint32_t	mode_t;		/* S_IF* and permission bits */
typedef int32_t		pid_t;

typedef uint64_t	vm_offset_t;	/* virtual address */
typedef uint64_t	vm_paddr_t;	/* physical address */
typedef uint64_t	vm_pindex_t;	/* page number inside an object */
typedef uint64_t	xid_t;		/* operation (transaction) that owns locks */
typedef uint64_t	nsec_t;		/* nanoseconds, monotonic unless said */

struct timespec {
	int64_t		tv_sec;
	int64_t		tv_nsec;
};

/* Linux dev_t: 12 bits of major, 20 of minor, spread as glibc does. */
static inline dev_t
makedev(uint32_t maj, uint32_t min)
{
	return (((dev_t)(maj & 0xfffff000u) << 32) |
	    ((dev_t)(maj & 0xfffu) << 8) |
	    ((dev_t)(min & 0xffffff00u) << 12) | (min & 0xffu));
}

static inline uint32_t
dev_major(dev_t dev)
{
	return (uint32_t)((dev >> 8) & 0xfff) |
	    (uint32_t)((dev >> 32) & 0xfffff000u);
}

static inline uint32_t
dev_minor(dev_t dev)
{
	return (uint32_t)(dev & 0xff) | (uint32_t)((dev >> 12) & 0xffffff00u);
}

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, field) \
	((type *)((char *)(p) - offsetof(type, field)))
#define roundup2(x, a)	(((x) + ((a) - 1)) & ~(__typeof__(x))((a) - 1))
#define rounddown2(x, a) ((x) & ~(__typeof__(x))((a) - 1))
#define __unused	__attribute__((__unused__))
#define __printflike(f, v) __attribute__((__format__(__printf__, f, v)))
#define __noreturn	__attribute__((__noreturn__))

#define MIN(a, b)	((a) < (b) ? (a) : (b))
#define MAX(a, b)	((a) > (b) ? (a) : (b))

#endif
