/* SPDX-License-Identifier: BSD-2-Clause */
/* The one hash of the journal format.  Pure: no kernel, no libc. */
#ifndef _VFS_JHASH_H_
#define _VFS_JHASH_H_

#include <stddef.h>
#include <stdint.h>

uint64_t jhash(const void *p, size_t len, uint64_t seed);	/* XXH64 */

#endif
