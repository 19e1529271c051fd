/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end: power off by ACPI S5, reset by whatever the machine has, halt.
 * No lock is taken; these work in a panic.
 */
#include <sys/systm.h>
#include <platform/machdep.h>
#include <cpu/cpufunc.h>

#include "pc64.h"

enum { SLP_EN = 1 << 13, SCI_EN = 1 };

void
md_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void
acpi_enable(void)
{
	struct acpi_info *ai = &acpi_info;
	int i;

	if (ai->ai_smi_cmd == 0 || (inw((uint16_t)ai->ai_pm1a) & SCI_EN))
		return;
	outb((uint16_t)ai->ai_smi_cmd, ai->ai_acpi_enable);
	for (i = 0; i < 3000 && !(inw((uint16_t)ai->ai_pm1a) & SCI_EN); i++)
		md_delay_us(1000);
}

void
md_poweroff(void)
{
	struct acpi_info *ai = &acpi_info;

	if (ai->ai_pm1a != 0 && ai->ai_has_s5) {
		acpi_enable();
		outw((uint16_t)ai->ai_pm1a, ai->ai_s5a | SLP_EN);
		if (ai->ai_pm1b != 0)
			outw((uint16_t)ai->ai_pm1b, ai->ai_s5b | SLP_EN);
		md_delay_us(2000000);	/* it takes effect when it likes */
	}
	kprintf("The machine does not power itself off; you may now.\n");
	md_halt();
}

void
md_reboot(void)
{
	static const struct { uint16_t limit; uint64_t base; }
	    __attribute__((__packed__)) no_idt;
	struct acpi_info *ai = &acpi_info;

	intr_disable();
	if (ai->ai_reset_space == 1) {
		outb((uint16_t)ai->ai_reset_addr, ai->ai_reset_value);
		md_delay_us(50000);
	}
	outb(0xcf9, 0x02);
	outb(0xcf9, 0x06);
	md_delay_us(50000);
	outb(0x64, 0xfe);		/* the keyboard controller */
	md_delay_us(50000);
	__asm__ volatile("lidt %0; int3" : : "m" (no_idt));
	md_halt();
}
