/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler of one CPU: queues by priority, the switch, and splz().
 *
 * S1  Everything here belongs to one CPU and runs in a critical section of
 *     its current thread; there is no lock.  Another CPU that wants a thread
 *     to run sends td_schedmsg to the CPU that owns the thread.
 * S2  The running thread is not on a run queue, except between
 *     lwkt_requeue_self() and the switch that follows.
 * S3  TDF_RUNNING is cleared by the next thread, in lwkt_switched(), when the
 *     old stack is not in use any more.  Only then can the thread migrate or
 *     its memory go away.
 * S4  No IPI function runs between the moment a thread decides to stop and
 *     the switch: both are in one critical section.
 * S5  lwkt_schedule() is a kick, not a result: a thread that waits for
 *     something looks again whenever it runs.  So kicks may be merged, and a
 *     late one does no harm.
 *
 * A schedule message that finds its thread gone to another CPU follows it.
 */
#include <sys/clock.h>
#include <sys/epoch.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <platform/machdep.h>
#include "lwkt.h"

static void
runq_insert(struct globaldata *gd, struct thread *td)
{
	TAILQ_INSERT_TAIL(&gd->gd_runq[td->td_pri], td, td_runq);
	gd->gd_runqmask |= 1u << td->td_pri;
	td->td_flags |= TDF_RUNQ;
}

static void
runq_remove(struct globaldata *gd, struct thread *td)
{
	struct thread_queue *q = &gd->gd_runq[td->td_pri];

	TAILQ_REMOVE(q, td, td_runq);
	if (TAILQ_EMPTY(q))
		gd->gd_runqmask &= ~(1u << td->td_pri);
	td->td_flags &= ~TDF_RUNQ;
}

/* The best runnable thread, off its queue; the idle thread if there is none. */
static struct thread *
runq_take(struct globaldata *gd)
{
	struct thread *td;

	if (gd->gd_runqmask == 0)
		return gd->gd_idlethread;
	td = TAILQ_FIRST(&gd->gd_runq[31 - __builtin_clz(gd->gd_runqmask)]);
	runq_remove(gd, td);
	return td;
}

void
lwkt_enqueue(struct thread *td)
{
	struct globaldata *gd = mycpu;

	KKASSERT(td->td_gd == gd);
	if (td->td_flags & (TDF_RUNQ | TDF_RUNNING | TDF_EXITING | TDF_IDLE))
		return;
	runq_insert(gd, td);
	if (td->td_pri > gd->gd_curthread->td_pri)
		atomic_fetch_or(&gd->gd_reqflags, RQF_RESCHED);
}

void
lwkt_requeue_self(void)
{
	struct globaldata *gd = mycpu;
	struct thread *td = gd->gd_curthread;

	if ((td->td_flags & (TDF_RUNQ | TDF_IDLE)) == 0)
		runq_insert(gd, td);
}

/*
 * On the thread's CPU.  The flag is cleared last: until then the reaper leaves
 * the thread's memory alone, and a kick that finds it set has been delivered.
 */
static void
schedule_remote(void *arg, void *unused __unused)
{
	struct thread *td = arg;
	struct globaldata *gd = atomic_load(&td->td_gd);

	if (gd != mycpu) {
		lwkt_ipi_call(gd->gd_cpuid, &td->td_schedmsg, schedule_remote,
		    td, NULL);
		return;
	}
	lwkt_enqueue(td);
	atomic_fetch_and(&td->td_mpflags, ~TDMP_SCHED);
}

void
lwkt_schedule(struct thread *td)
{
	struct globaldata *gd;

	crit_enter();
	gd = atomic_load(&td->td_gd);
	if (gd == mycpu)
		lwkt_enqueue(td);
	else if ((atomic_fetch_or(&td->td_mpflags, TDMP_SCHED) &
	    TDMP_SCHED) == 0)
		lwkt_ipi_call(gd->gd_cpuid, &td->td_schedmsg, schedule_remote,
		    td, NULL);
	crit_exit();
}

/*
 * Runs in the thread that was switched to: finish what the thread before it
 * could not do while it stood on its own stack.
 */
void
lwkt_switched(void)
{
	struct globaldata *gd = mycpu;
	struct thread *prev = gd->gd_switchfrom;
	struct globaldata *to;

	prev->td_flags &= ~TDF_RUNNING;
	if (prev->td_flags & TDF_EXITING) {
		TAILQ_INSERT_TAIL(&gd->gd_dead, prev, td_runq);
		gd->gd_ndead++;
	} else if (prev->td_flags & TDF_MIGRATING) {
		prev->td_flags &= ~TDF_MIGRATING;
		to = prev->td_migrate;
		atomic_store(&prev->td_gd, to);
		lwkt_schedule(prev);
	}
}

void
lwkt_switch_raw(void)
{
	struct globaldata *gd;
	struct thread *td, *next;
	nsec_t now;

	cpu_poll();
	gd = mycpu;
	td = gd->gd_curthread;
	KKASSERT(td->td_critcount > 0);
	KKASSERT(td->td_spincount == 0);
	KKASSERT(gd->gd_intr_nesting == 0);

	if (atomic_load_relaxed(&gd->gd_reqflags) & RQF_RESCHED)
		atomic_fetch_and(&gd->gd_reqflags, ~RQF_RESCHED);
	next = runq_take(gd);
	epoch_quiescent(gd);
	if (next == td)
		return;

	now = md_mono_ns();
	if (td->td_flags & TDF_IDLE) {
		gd->gd_idletime += now - gd->gd_switchtime;
		clock_tick_start(gd);
	}
	td->td_cputime += now - gd->gd_switchtime;
	gd->gd_switchtime = now;
	gd->gd_switches++;
	gd->gd_switchfrom = td;
	gd->gd_curthread = next;
	next->td_flags |= TDF_RUNNING;
	md_switch(td, next);
	lwkt_switched();
}

void
lwkt_switch(void)
{
	struct thread *td = curthread;

	if (td->td_ntoks == 0) {
		lwkt_switch_raw();
		return;
	}
	lwkt_tokens_release(td);
	lwkt_switch_raw();
	lwkt_tokens_reacquire(td);
}

void
lwkt_yield(void)
{
	crit_enter();
	lwkt_requeue_self();
	lwkt_switch();
	crit_exit();
}

void
lwkt_yield_if_needed(void)
{
	cpu_poll();
	if (atomic_load_relaxed(&mycpu->gd_reqflags) == 0)
		return;
	lwkt_assert_may_block();
	if (!crit_held())
		splz();
	if (atomic_load_relaxed(&mycpu->gd_reqflags) & RQF_RESCHED)
		lwkt_yield();
}

void
lwkt_migrate(int cpu)
{
	struct thread *td = curthread;

	KKASSERT(cpu >= 0 && cpu < ncpus);
	lwkt_assert_may_block();
	crit_enter();
	if (mycpu->gd_cpuid != cpu) {
		td->td_migrate = cpu_globaldata[cpu];
		td->td_flags |= TDF_MIGRATING;
		lwkt_switch();
	}
	crit_exit();
}

void
lwkt_setpri(struct thread *td, int pri)
{
	struct globaldata *gd;

	KKASSERT(td == curthread);
	KKASSERT(pri > TDPRI_IDLE && pri <= TDPRI_MAX);
	crit_enter();
	gd = mycpu;
	td->td_pri = pri;
	if (gd->gd_runqmask >> pri > 1)
		atomic_fetch_or(&gd->gd_reqflags, RQF_RESCHED);
	crit_exit();
}

void
lwkt_assert_may_block(void)
{
	KKASSERT(curthread->td_spincount == 0 || lwkt_panicking);
	KKASSERT(mycpu->gd_intr_nesting == 0 || lwkt_panicking);
}

/*
 * The end of a critical section found work.  A better thread is switched to
 * only if the current one holds no token: what tokens guard may change only
 * where the holder calls something that says that it blocks.
 */
void
splz(void)
{
	struct globaldata *gd = mycpu;
	struct thread *td = gd->gd_curthread;
	uint32_t flags;

	if (gd->gd_intr_nesting != 0)
		return;
	for (;;) {
		flags = atomic_load(&gd->gd_reqflags);
		if ((flags & (RQF_IPI | RQF_TIMER | RQF_INTR)) == 0)
			break;
		td->td_critcount++;
		gd->gd_intr_nesting++;
		if (flags & RQF_IPI)
			lwkt_ipi_process();
		if (flags & RQF_TIMER) {
			atomic_fetch_and(&gd->gd_reqflags, ~RQF_TIMER);
			callout_timer();
		}
		if (flags & RQF_INTR) {
			atomic_fetch_and(&gd->gd_reqflags, ~RQF_INTR);
			md_run_interrupts();
		}
		gd->gd_intr_nesting--;
		td->td_critcount--;
	}
	if ((flags & RQF_RESCHED) && td->td_ntoks == 0 &&
	    (td->td_flags & TDF_IDLE) == 0) {
		td->td_critcount++;
		if (gd->gd_runqmask >> td->td_pri > 1) {
			lwkt_requeue_self();
			lwkt_switch_raw();
		}
		td->td_critcount--;
	}
}

/*
 * What a CPU does when it has nothing to do.  The idle thread looks at its
 * queue in a critical section, and md_cpu_idle() looks at gd_reqflags in a way
 * that no poke can slip by.
 */
void
lwkt_idle_loop(void)
{
	struct globaldata *gd = mycpu;
	struct thread *td = gd->gd_curthread;

	KKASSERT(td == gd->gd_idlethread);
	for (;;) {
		KKASSERT(td->td_critcount == 0);
		td->td_critcount++;
		if (gd->gd_runqmask != 0)
			lwkt_switch_raw();
		epoch_quiescent(gd);
		td->td_critcount--;
		if (gd->gd_ndead > 0)
			lwkt_thread_reap(gd);
		if (atomic_load(&gd->gd_reqflags) & ~(RQF_RESCHED | RQF_AST))
			splz();
		else {
			/* A thread that an interrupt makes runnable from here
			 * on is seen in one of the two places. */
			atomic_fetch_and(&gd->gd_reqflags,
			    ~(RQF_RESCHED | RQF_AST));
			if (gd->gd_runqmask == 0)
				md_cpu_idle();
		}
	}
}
