/* SPDX-License-Identifier: BSD-2-Clause */
/* Clearing and copying with wide registers: see bulk.S. */
#ifndef _CPU_BULK_H_
#define _CPU_BULK_H_

#include <stddef.h>
#include <stdint.h>

enum { BULK_BLOCK = 512 };

extern uint8_t cpu_has_bulk;	/* set once the FPU is set up; assembly reads it */

/* In a critical section; nblocks > 0. */
void	cpu_bulk_zero(void *to, size_t nblocks);
void	cpu_bulk_copy(void *to, const void *from, size_t nblocks);

#endif
