/* SPDX-License-Identifier: BSD-2-Clause */
/* What -fstack-protector-strong calls. */
#include <sys/systm.h>

#include "pc64.h"

void	__stack_chk_fail(void) __noreturn;

/* Set once by pc64_init(), which never returns. */
uint64_t __stack_chk_guard = 0x5bd1e995c0ffee00ULL;

void
__stack_chk_fail(void)
{
	panic("stack smashed");
}
