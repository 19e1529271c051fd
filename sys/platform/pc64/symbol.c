/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for kernel addresses, and backtraces by frame pointers.  The table is
 * made from the linked kernel (mksyms.py) and linked in by a second pass.
 */
#include <sys/systm.h>

#include <platform/machdep.h>
#include "pc64.h"

extern const uint32_t ksym_count;
extern const uint32_t ksym_addrs[];	/* address - KERNBASE, ascending */
extern const uint32_t ksym_names[];	/* offset into ksym_text */
extern const char ksym_text[];

void
md_symbol(uintptr_t pc, char *buf, size_t size)
{
	uint32_t lo = 0, hi = ksym_count, mid, off = (uint32_t)(pc - KERNBASE);

	if (pc < KERNBASE || pc >= (uintptr_t)ktext_end || ksym_count == 0 ||
	    off < ksym_addrs[0]) {
		ksnprintf(buf, size, "%#lx", pc);
		return;
	}
	while (hi - lo > 1) {
		mid = (lo + hi) / 2;
		if (ksym_addrs[mid] <= off)
			lo = mid;
		else
			hi = mid;
	}
	ksnprintf(buf, size, "%s+%#x", ksym_text + ksym_names[lo],
	    off - ksym_addrs[lo]);
}

int
md_backtrace(uintptr_t *pcs, int n)
{
	uintptr_t *fp = __builtin_frame_address(0), *next;
	int i;

	for (i = 0; i < n; i++) {
		if ((uintptr_t)fp < DMAP_BASE || ((uintptr_t)fp & 7) != 0 ||
		    fp[1] < KERNBASE)
			break;
		pcs[i] = fp[1];
		next = (uintptr_t *)fp[0];
		if (next <= fp) {
			i++;
			break;
		}
		fp = next;
	}
	return i;
}
