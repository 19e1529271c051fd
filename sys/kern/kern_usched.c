/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scheduling of user threads, above the per-CPU LWKT schedulers.
 *
 * A user thread runs at its base priority (by nice value).  The tick makes
 * equals take turns (kern_clock.c).  One that computes for several ticks
 * without ever waiting sinks a level, so that a shell or an editor that wakes
 * runs at once; it rises again when it waits.  Threads are placed where there
 * is an idle CPU: at fork, at exec, and when their time slice ends while
 * others queue behind them.
 */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/globaldata.h>
#include <sys/proc.h>
#include <sys/systm.h>

enum { USCHED_HOG_TICKS = 3 };

static uint32_t usched_rotor;		/* [a] */

static bool
cpu_is_idle(const struct globaldata *gd)
{
	return atomic_load_relaxed(&gd->gd_curthread) == gd->gd_idlethread &&
	    atomic_load_relaxed(&gd->gd_runqmask) == 0;
}

/* An idle CPU other than this one, or -1.  A guess is good enough. */
static int
idle_cpu(void)
{
	int self = mycpu->gd_cpuid, i, c;

	for (i = 1; i < ncpus; i++) {
		c = (self + i) % ncpus;
		if (cpu_is_idle(cpu_globaldata[c]))
			return c;
	}
	return -1;
}

int
usched_choose_cpu(void)
{
	int c;

	if (ncpus == 1)
		return 0;
	c = idle_cpu();
	if (c >= 0)
		return c;
	return (int)(atomic_fetch_add(&usched_rotor, 1) % (uint32_t)ncpus);
}

int
usched_basepri(const struct proc *p)
{
	return TDPRI_USER - (p->p_nice > 0) - (p->p_nice > 9);
}

/* From the tick: td is what it interrupted. */
static void
usched_tick(struct thread *td)
{
	struct lwp *lp = td->td_lwp;

	if (lp->lwp_insys)
		lp->lwp_sticks++;
	else
		lp->lwp_uticks++;
	lp->lwp_slice++;
	/* Whatever flag somebody set too late for this CPU is seen now. */
	atomic_fetch_or(&mycpu->gd_reqflags, RQF_AST);
}

void
usched_sleep(struct lwp *lp)
{
	if (lp->lwp_slice >= USCHED_HOG_TICKS)
		lp->lwp_thread->td_pri = usched_basepri(lp->lwp_proc);
	lp->lwp_slice = 0;
}

void
usched_ast(void)
{
	struct thread *td = curthread;
	struct lwp *lp = td->td_lwp;
	int c;

	if (lp->lwp_slice >= USCHED_HOG_TICKS &&
	    td->td_pri == usched_basepri(lp->lwp_proc))
		lwkt_setpri(td, td->td_pri - 1);
	if ((atomic_load_relaxed(&mycpu->gd_reqflags) & RQF_RESCHED) == 0)
		return;
	if (ncpus > 1 && mycpu->gd_runqmask != 0 && (c = idle_cpu()) >= 0)
		lwkt_migrate(c);
	else
		lwkt_yield();
}

/* A new program has no cache to lose: go where it is quiet. */
void
usched_exec(void)
{
	int c;

	if (ncpus > 1 && mycpu->gd_runqmask != 0 && (c = idle_cpu()) >= 0)
		lwkt_migrate(c);
}

void
usched_init(void)
{
	clock_tick_hook = usched_tick;
}
