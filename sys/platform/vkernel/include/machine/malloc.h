/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel memory from the host's malloc: under AddressSanitizer, which then
 * sees every kmalloc'd object and finds uses after kfree.
 */
#ifndef _MACHINE_MALLOC_H_
#define _MACHINE_MALLOC_H_

#include <sys/types.h>

bool	md_hostmem(void);		/* use it? */
void	*md_hostmem_alloc(size_t size, size_t align);
size_t	md_hostmem_size(void *);
void	md_hostmem_free(void *);

#endif
