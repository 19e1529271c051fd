/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC of each CPU, by memory (xAPIC) or by MSR (x2APIC, used when
 * the CPU has it).  One-shot timer, interprocessor interrupts, end of
 * interrupt.  Register numbers are those of the memory layout, divided by 16.
 */
#include <sys/systm.h>
#include <machine/intr.h>
#include <platform/machdep.h>
#include <cpu/cpufunc.h>

#include "pc64.h"

enum {
	LAPIC_ID	= 0x02,
	LAPIC_TPR	= 0x08,
	LAPIC_EOI	= 0x0b,
	LAPIC_SVR	= 0x0f,
	LAPIC_ESR	= 0x28,
	LAPIC_ICR	= 0x30,
	LAPIC_ICR_HI	= 0x31,
	LAPIC_LVT_TIMER	= 0x32,
	LAPIC_LVT_LINT0	= 0x35,
	LAPIC_LVT_LINT1	= 0x36,
	LAPIC_LVT_ERROR	= 0x37,
	LAPIC_TICR	= 0x38,
	LAPIC_TCCR	= 0x39,
	LAPIC_DIVIDE	= 0x3e,
};

enum {
	ICR_NMI		= 0x400,
	ICR_INIT	= 0x500,
	ICR_STARTUP	= 0x600,
	ICR_PENDING	= 0x1000,
	ICR_ASSERT	= 0x4000,
	ICR_OTHERS	= 0xc0000,
	LVT_MASKED	= 0x10000,
};

static volatile uint32_t *lapic_regs;
static bool lapic_x2;
/* Timer ticks for 2^20 ns, at divide by 1. */
static uint64_t lapic_ticks_per_msish;

static uint32_t
lapic_read(int reg)
{
	if (lapic_x2)
		return (uint32_t)rdmsr(MSR_X2APIC + reg);
	return lapic_regs[reg * 4];
}

static void
lapic_write(int reg, uint32_t v)
{
	if (lapic_x2)
		wrmsr(MSR_X2APIC + reg, v);
	else
		lapic_regs[reg * 4] = v;
}

void
lapic_init(void)
{
	lapic_x2 = cpu_has_x2apic;
	if (!lapic_x2)
		lapic_regs = pmap_mapdev(acpi_info.ai_lapic_pa, 4096);
}

void
lapic_cpu_init(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE) | 1 << 11;

	if (lapic_x2)
		base |= 1 << 10;
	wrmsr(MSR_APIC_BASE, base);
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT1, ICR_NMI);
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_SVR, 0x100 | VEC_SPURIOUS);
	lapic_write(LAPIC_DIVIDE, 0x0b);		/* by 1 */
	lapic_write(LAPIC_LVT_TIMER, VEC_TIMER);	/* one-shot */
}

uint32_t
lapic_id(void)
{
	uint32_t id = lapic_read(LAPIC_ID);

	return lapic_x2 ? id : id >> 24;
}

void
lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

static void
lapic_icr(uint32_t apicid, uint32_t cmd)
{
	uint64_t fl;

	if (lapic_x2) {
		/* Earlier stores are visible before the interrupt is. */
		atomic_fence();
		wrmsr(MSR_X2APIC + LAPIC_ICR, (uint64_t)apicid << 32 | cmd);
		return;
	}
	fl = intr_save();
	while (lapic_read(LAPIC_ICR) & ICR_PENDING)
		cpu_pause();
	lapic_write(LAPIC_ICR_HI, apicid << 24);
	lapic_write(LAPIC_ICR, cmd);
	intr_restore(fl);
}

void
lapic_ipi(uint32_t apicid, int vector)
{
	lapic_icr(apicid, ICR_ASSERT | (uint32_t)vector);
}

void
lapic_nmi_others(void)
{
	lapic_icr(0, ICR_OTHERS | ICR_ASSERT | ICR_NMI);
}

/* INIT, then two start-ups at the given page below 1 MiB. */
void
lapic_startup(uint32_t apicid, uint64_t page)
{
	lapic_icr(apicid, ICR_ASSERT | ICR_INIT);
	md_delay_us(200);
	lapic_icr(apicid, ICR_ASSERT | ICR_STARTUP | (uint32_t)(page >> 12));
	md_delay_us(200);
	lapic_icr(apicid, ICR_ASSERT | ICR_STARTUP | (uint32_t)(page >> 12));
}

void
lapic_timer_calibrate_begin(void)
{
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | VEC_TIMER);
	lapic_write(LAPIC_TICR, 0xffffffffu);
}

void
lapic_timer_calibrate_end(uint64_t ns)
{
	uint64_t ticks = 0xffffffffu - lapic_read(LAPIC_TCCR);

	lapic_write(LAPIC_TICR, 0);
	lapic_write(LAPIC_LVT_TIMER, VEC_TIMER);
	lapic_ticks_per_msish = (ticks << 20) / ns;
	if (lapic_ticks_per_msish == 0)
		panic("the local APIC timer does not count");
}

/* An interrupt in about ns from now; later deadlines are cut short. */
void
lapic_timer_oneshot(uint64_t ns)
{
	uint64_t ticks;

	ns = MIN(ns, 1000000000ULL);
	ticks = (ns * lapic_ticks_per_msish >> 20) + 1;
	lapic_write(LAPIC_TICR, (uint32_t)MIN(ticks, 0xffffffffULL));
}
