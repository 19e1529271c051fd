/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel memory: the per-CPU slab allocator, kern/kern_malloc.c.
 *
 * Alignment: 16 bytes; a power-of-two size up to a page is aligned to itself;
 * PAGE_SIZE and more is page aligned and physically contiguous up to 128 KB.
 */
#ifndef _SYS_MALLOC_H_
#define _SYS_MALLOC_H_

#include <sys/types.h>

/* Define one per owner of memory with MALLOC_DEFINE; counted per CPU. */
struct malloc_type {
	const char	*mt_name;
	int64_t		 mt_bytes;	/* [a] in use */
	int64_t		 mt_count;	/* [a] objects in use */
	struct malloc_type *mt_next;	/* registration list */
};

#define MALLOC_DEFINE(var, name) struct malloc_type var = { .mt_name = name }
#define MALLOC_DECLARE(var)	extern struct malloc_type var

enum {
	M_WAITOK	= 0x0,	/* may block; never returns NULL */
	M_NOWAIT	= 0x1,	/* never blocks; may return NULL */
	M_ZERO		= 0x2,	/* cleared */
};

/* size > 0.  M_WAITOK blocks.  Not from hard interrupts. */
void	*kmalloc(size_t size, struct malloc_type *, int flags);
void	*krealloc(void *, size_t oldsize, size_t size, struct malloc_type *,
	    int flags);
/* Any CPU, any thread; NULL is allowed.  Never blocks. */
void	kfree(void *, struct malloc_type *);
char	*kstrdup(const char *, struct malloc_type *);
/* Visit the types that were ever used; they never go away. */
void	kmalloc_foreach(void (*fn)(const struct malloc_type *, void *), void *arg);
void	kmalloc_init(void);		/* init_main.c */

MALLOC_DECLARE(M_TEMP);

#endif
