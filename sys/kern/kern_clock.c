/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time of day, and the tick by which threads of equal priority take turns.
 *
 * A CPU ticks only while it has something to do: the tick that finds it idle
 * is the last, and the switch away from the idle thread starts it again.
 */
#include <sys/atomic.h>
#include <sys/callout.h>
#include <sys/clock.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <platform/machdep.h>
#include "lwkt.h"

enum { TICK_NS = 10 * 1000 * 1000 };

struct clock_tick {
	struct callout	ct_callout;
	bool		ct_ready;	/* initialised */
	bool		ct_on;
} __attribute__((__aligned__(CACHE_LINE)));

static struct clock_tick ticks[MAXCPU];
void (*clock_tick_hook)(struct thread *);
static int64_t wall_offset;		/* [a] wall clock minus md's */

nsec_t
clock_mono_ns(void)
{
	return md_mono_ns();
}

nsec_t
clock_wall_ns(void)
{
	return md_wall_boot_ns() + md_mono_ns() +
	    atomic_load_relaxed(&wall_offset);
}

void
clock_wall_set(nsec_t ns)
{
	atomic_store(&wall_offset,
	    (int64_t)(ns - md_wall_boot_ns() - md_mono_ns()));
}

static void
clock_tick(void *arg)
{
	struct clock_tick *ct = arg;
	struct globaldata *gd = mycpu;
	struct thread *td = gd->gd_curthread;

	if (td == gd->gd_idlethread && gd->gd_runqmask == 0) {
		ct->ct_on = false;
		return;
	}
	if (td->td_lwp != NULL && clock_tick_hook != NULL)
		clock_tick_hook(td);
	if (gd->gd_runqmask >> td->td_pri != 0)
		atomic_fetch_or(&gd->gd_reqflags, RQF_RESCHED);
	callout_reset_direct(&ct->ct_callout, TICK_NS);
}

/* In a critical section of gd's CPU, on the way from idle to a thread. */
void
clock_tick_start(struct globaldata *gd)
{
	struct clock_tick *ct = &ticks[gd->gd_cpuid];

	if (ct->ct_on)
		return;
	if (!ct->ct_ready) {
		callout_init(&ct->ct_callout, clock_tick, ct);
		ct->ct_ready = true;
	}
	ct->ct_on = true;
	callout_reset_direct(&ct->ct_callout, TICK_NS);
}
