/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel memory from a host: there is none here. */
#ifndef _MACHINE_MALLOC_H_
#define _MACHINE_MALLOC_H_

#include <sys/types.h>

static inline bool
md_hostmem(void)
{
	return false;
}

static inline void *
md_hostmem_alloc(size_t size __unused, size_t align __unused)
{
	return NULL;
}

static inline size_t
md_hostmem_size(void *p __unused)
{
	return 0;
}

static inline void
md_hostmem_free(void *p __unused)
{
}

#endif
