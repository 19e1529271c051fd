/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I/O APICs: only for the ISA lines (keyboard, serial port); PCI devices use
 * message signalled interrupts.  Everything is masked until it is routed.
 */
#include <sys/errno.h>
#include <sys/systm.h>
#include <machine/intr.h>
#include <platform/machdep.h>
#include <cpu/cpufunc.h>

#include "pc64.h"

enum { IOAPIC_VERSION = 1, IOAPIC_REDIR = 0x10 };
enum { REDIR_LOW = 1 << 13, REDIR_LEVEL = 1 << 15, REDIR_MASK = 1 << 16 };

static struct ioapic {
	volatile uint32_t *io_regs;
	uint32_t	io_gsi, io_npins;
} ioapics[nitems(acpi_info.ai_ioapic)];
static struct spinlock ioapic_spin = SPINLOCK_INITIALIZER("ioapic");

static uint32_t
ioapic_read(struct ioapic *io, uint32_t reg)
{
	io->io_regs[0] = reg;
	return io->io_regs[4];
}

static void
ioapic_write(struct ioapic *io, uint32_t reg, uint32_t v)
{
	io->io_regs[0] = reg;
	io->io_regs[4] = v;
}

void
ioapic_init(void)
{
	struct ioapic *io;
	uint32_t pin;
	int i;

	outb(0x21, 0xff);		/* the old controllers stay silent */
	outb(0xa1, 0xff);
	for (i = 0; i < acpi_info.ai_nioapics; i++) {
		io = &ioapics[i];
		io->io_regs = pmap_mapdev(acpi_info.ai_ioapic[i].pa, 32);
		io->io_gsi = acpi_info.ai_ioapic[i].gsi;
		io->io_npins =
		    (ioapic_read(io, IOAPIC_VERSION) >> 16 & 0xff) + 1;
		for (pin = 0; pin < io->io_npins; pin++)
			ioapic_write(io, IOAPIC_REDIR + 2 * pin, REDIR_MASK);
	}
}

int
ioapic_route_isa(int irq, int vector, uint32_t apicid)
{
	uint32_t gsi = acpi_info.ai_isa[irq].gsi, low = (uint32_t)vector;
	uint16_t flags = acpi_info.ai_isa[irq].flags;
	struct ioapic *io;
	int i;

	if ((flags & 3) == 3)
		low |= REDIR_LOW;
	if ((flags >> 2 & 3) == 3)
		low |= REDIR_LEVEL;
	for (i = 0; i < acpi_info.ai_nioapics; i++) {
		io = &ioapics[i];
		if (gsi < io->io_gsi || gsi - io->io_gsi >= io->io_npins)
			continue;
		spin_lock(&ioapic_spin);
		gsi -= io->io_gsi;
		ioapic_write(io, IOAPIC_REDIR + 2 * gsi + 1, apicid << 24);
		ioapic_write(io, IOAPIC_REDIR + 2 * gsi, low);
		spin_unlock(&ioapic_spin);
		return 0;
	}
	return ENXIO;
}
