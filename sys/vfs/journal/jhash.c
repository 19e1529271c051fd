/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XXH64 out of Debian's header, for the kernel and for tools alike.
 *
 * The header wants four libc headers; those in freestanding/ give it the
 * compiler's builtins instead, so that one file serves every build.
 */
#define XXH_INLINE_ALL
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <xxhash.h>
#pragma GCC diagnostic pop

#include "jhash.h"

uint64_t
jhash(const void *p, size_t len, uint64_t seed)
{
	return XXH64(p, len, seed);
}
