/* SPDX-License-Identifier: BSD-2-Clause */
/* What the compiler calls where the base instruction set has no instruction. */
#include <stdint.h>

int	__popcountdi2(int64_t);

int
__popcountdi2(int64_t v)
{
	uint64_t u = (uint64_t)v;

	u -= u >> 1 & 0x5555555555555555ULL;
	u = (u & 0x3333333333333333ULL) + (u >> 2 & 0x3333333333333333ULL);
	u = (u + (u >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (int)(u * 0x0101010101010101ULL >> 56);
}
