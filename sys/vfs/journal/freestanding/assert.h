/* SPDX-License-Identifier: BSD-2-Clause */
/* For xxhash.h only. */
#undef assert
#define assert(e)	((void)0)
#undef static_assert
#define static_assert	_Static_assert
