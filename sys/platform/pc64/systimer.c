/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time: the TSC, measured once at boot against the HPET, the ACPI timer or
 * the PIT, whichever is there, and the local APIC's one-shot timer.
 *
 * S1  ns = (tsc - base) * mult >> 32 is the same function on all CPUs.
 * S2  A deadline further away than the timer can count is cut short; the
 *     clock code sees that nothing is due and arms again.
 */
#include <sys/clock.h>
#include <sys/systm.h>
#include <machine/intr.h>
#include <platform/machdep.h>
#include <cpu/cpufunc.h>

#include "pc64.h"

enum { CALIBRATE_US = 10000 };

static uint64_t tsc_base, tsc_mult;
static nsec_t wall_boot;

static nsec_t rtc_boot_ns(void);

nsec_t
md_mono_ns(void)
{
	return (nsec_t)((unsigned __int128)(rdtsc() - tsc_base) *
	    tsc_mult >> 32);
}

/* Reference counters: ticks from any start, and how many are a second. */
struct reference {
	uint64_t (*read)(void);
	uint64_t hz, mask;
};

static volatile uint64_t *hpet;

static uint64_t
hpet_read(void)
{
	/* By halves: some machines have a 32-bit counter. */
	return *(volatile uint32_t *)&hpet[0xf0 / 8];
}

static uint64_t
pm_timer_read(void)
{
	return inl((uint16_t)acpi_info.ai_pm_timer) & 0xffffff;
}

static uint64_t
pit_read(void)
{
	uint8_t lo, hi;

	outb(0x43, 0);			/* latch counter 0; it counts down */
	lo = inb(0x40);
	hi = inb(0x40);
	return 0xffff - (lo | hi << 8);
}

static void
reference_find(struct reference *ref)
{
	uint64_t period_fs;

	if (acpi_info.ai_hpet_pa != 0) {
		hpet = pmap_mapdev(acpi_info.ai_hpet_pa, 4096);
		period_fs = hpet[0] >> 32;
		if (period_fs >= 1000 && period_fs <= 100000000) {
			hpet[2] |= 1;	/* count */
			*ref = (struct reference){ hpet_read,
			    1000000000000000ULL / period_fs, 0xffffffffu };
			return;
		}
	}
	if (acpi_info.ai_pm_timer != 0) {
		*ref = (struct reference){ pm_timer_read, 3579545, 0xffffff };
		return;
	}
	outb(0x43, 0x34);		/* counter 0, rate, 65536 */
	outb(0x40, 0);
	outb(0x40, 0);
	*ref = (struct reference){ pit_read, 1193182, 0xffff };
}

void
systimer_init(void)
{
	struct reference ref;
	uint64_t t0, t1, c0, c1, want, ns;

	reference_find(&ref);
	want = ref.hz * CALIBRATE_US / 1000000;
	c0 = ref.read();
	t0 = rdtsc();
	lapic_timer_calibrate_begin();
	do {
		c1 = (ref.read() - c0) & ref.mask;
		t1 = rdtsc();
	} while (c1 < want);
	ns = c1 * NSEC_PER_SEC / ref.hz;
	lapic_timer_calibrate_end(ns);
	tsc_base = t0;
	tsc_mult = (ns << 32) / (t1 - t0);	/* ns is some 10^7 */
	wall_boot = rtc_boot_ns();
}

void
md_delay_us(uint64_t us)
{
	nsec_t end = md_mono_ns() + us * 1000;

	while (md_mono_ns() < end)
		cpu_pause();
}

void
md_timer_arm(nsec_t deadline)
{
	nsec_t now = md_mono_ns();

	lapic_timer_oneshot(deadline > now ? deadline - now : 0);
}

static uint8_t
rtc_reg(int reg)
{
	outb(0x70, (uint8_t)reg);
	return inb(0x71);
}

static uint32_t
rtc_field(int reg, bool bcd)
{
	uint8_t v = rtc_reg(reg);

	return bcd ? (v >> 4) * 10u + (v & 15) : v;
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar, y >= 1970. */
static uint64_t
days_from_civil(uint32_t y, uint32_t m, uint32_t d)
{
	static const uint16_t before[] = { 0, 31, 59, 90, 120, 151, 181, 212,
	    243, 273, 304, 334 };
	uint64_t days;
	uint32_t p = y - 1;

	days = 365ULL * (y - 1970) + (p / 4 - p / 100 + p / 400) -
	    (1969 / 4 - 1969 / 100 + 1969 / 400);
	days += before[(m - 1) % 12] + d - 1;
	if (m > 2 && (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)))
		days++;
	return days;
}

/*
 * The RTC keeps UTC.  Read until two readings agree outside an update; a
 * clock that never settles gives its last value.
 */
static nsec_t
rtc_boot_ns(void)
{
	uint32_t f[6], last[6] = { 0 }, hour;
	static const uint8_t regs[6] = { 0, 2, 4, 7, 8, 9 };
	uint64_t secs;
	uint8_t mode;
	bool bcd, pm;
	int i, tries;

	mode = rtc_reg(0x0b);
	bcd = (mode & 4) == 0;
	for (tries = 0; tries < 1000; tries++) {
		while (tries < 999 && (rtc_reg(0x0a) & 0x80))
			tries++;
		for (i = 0; i < 6; i++)
			f[i] = rtc_field(regs[i], i == 2 ? false : bcd);
		if (memcmp(f, last, sizeof(f)) == 0)
			break;
		memcpy(last, f, sizeof(f));
	}
	hour = f[2];
	pm = (mode & 2) == 0 && (hour & 0x80);
	hour &= 0x7f;
	if (bcd)
		hour = (hour >> 4) * 10 + (hour & 15);
	if ((mode & 2) == 0)
		hour = hour % 12 + (pm ? 12 : 0);
	secs = days_from_civil(2000 + f[5], f[4], f[3]) * 86400 +
	    hour * 3600 + f[1] * 60 + f[0];
	return secs * NSEC_PER_SEC - md_mono_ns();
}

nsec_t
md_wall_boot_ns(void)
{
	return wall_boot;
}
