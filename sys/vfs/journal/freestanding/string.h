/* SPDX-License-Identifier: BSD-2-Clause */
/* For xxhash.h only: builtins, which -ffreestanding would turn into calls. */
#ifndef _JFREESTANDING_STRING_H_
#define _JFREESTANDING_STRING_H_
#include <stddef.h>
#define memcpy(d, s, n)	__builtin_memcpy((d), (s), (n))
#define memset(d, c, n)	__builtin_memset((d), (c), (n))
#define memcmp(a, b, n)	__builtin_memcmp((a), (b), (n))
#endif
