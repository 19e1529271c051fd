/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of devices.  A handler runs on the CPU that the interrupt was
 * bound to, in a critical section, like an IPI message: it may schedule
 * threads, and must not block.
 */
#ifndef _MACHINE_INTR_H_
#define _MACHINE_INTR_H_

#include <stdint.h>

/* A vector for a message signalled interrupt: what to write where.  ENOSPC
 * when the CPU's 64 device vectors are all in use. */
int	intr_alloc_msi(int cpu, void (*fn)(void *), void *arg,
	    uint64_t *addr, uint32_t *data);
/* An ISA interrupt line, edge triggered unless the firmware says otherwise. */
int	intr_establish_isa(int irq, void (*fn)(void *), void *arg);

/* Device registers at physical address pa, uncached.  Never unmapped. */
void	*pmap_mapdev(uint64_t pa, uint64_t size);

#endif
