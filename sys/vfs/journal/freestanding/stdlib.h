/* SPDX-License-Identifier: BSD-2-Clause */
/* For xxhash.h only: its allocating calls are not used. */
#ifndef _JFREESTANDING_STDLIB_H_
#define _JFREESTANDING_STDLIB_H_
#include <stddef.h>
static inline void *
malloc(size_t n)
{
	(void)n;
	return NULL;
}
static inline void
free(void *p)
{
	(void)p;
}
#endif
