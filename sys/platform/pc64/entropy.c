/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardware randomness: RDRAND, else the jitter of reading a device clock. */
#include <sys/systm.h>
#include <platform/machdep.h>
#include <cpu/cpufunc.h>

static bool
rdrand(uint64_t *v)
{
	uint32_t r[4];
	bool ok;
	int i;

	cpuid(1, 0, r);
	if ((r[2] & 1u << 30) == 0)
		return false;
	for (i = 0; i < 10; i++) {
		__asm__ volatile("rdrand %0; setc %1" : "=r" (*v), "=qm" (ok));
		if (ok)
			return true;
	}
	return false;
}

uint64_t
md_entropy(void)
{
	uint64_t v = 0, t;
	int i;

	if (rdrand(&v))
		return v ^ rdtsc();
	for (i = 0; i < 64; i++) {
		t = rdtsc();
		inb(0x61);		/* a bus cycle of varying length */
		v = (v << 7 | v >> 57) ^ (rdtsc() - t) ^ t;
	}
	return v;
}
