/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers.  Each CPU has a queue: two trees by deadline, a spinlock, and a
 * soft-clock thread.
 *
 *   idle -> pending      [callout_reset]
 *   pending -> idle      [callout_stop]
 *   pending -> running   [softclock, or callout_timer for direct ones]
 *   running -> idle      when fn has returned, which may have made it pending
 *
 * C1  A callout is on the queue of CPU co_cpu; co_cpu changes only under that
 *     queue's lock and when it is neither pending nor running there.
 * C2  fn may free its callout: nobody looks at it after fn has begun, except
 *     callout_drain(), whose caller owns it.
 * C3  The queue's owner alone arms its timer.  Who makes an earlier deadline
 *     on another CPU's queue sets RQF_TIMER there and pokes.
 */
#include <sys/atomic.h>
#include <sys/callout.h>
#include <sys/clock.h>
#include <sys/malloc.h>
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <platform/machdep.h>
#include "kern_init.h"
#include "lwkt.h"

enum {					/* co_flags */
	COF_PENDING	= 0x01,
	COF_DIRECT	= 0x02,
	COF_DRAINING	= 0x04,		/* may not be armed again */
};

struct callout_cpu {
	struct spinlock	 cc_spin;
	struct rb_tree	 cc_soft;	/* [cc_spin] for the thread */
	struct rb_tree	 cc_direct;	/* [cc_spin] for callout_timer() */
	uint64_t	 cc_seq;	/* [cc_spin] order of equal deadlines */
	struct callout	*cc_running;	/* [cc_spin] the thread is in its fn */
	bool		 cc_wanted;	/* [cc_spin] somebody drains it */
	bool		 cc_awake;	/* [cc_spin] the thread has been kicked */
	nsec_t		 cc_armed;	/* [owner CPU] timer is set to this */
	struct globaldata *cc_gd;
	struct thread	*cc_thread;
} __attribute__((__aligned__(CACHE_LINE)));

static struct callout_cpu callout_cpus[MAXCPU];

static int
callout_cmp(const struct rb_node *na, const struct rb_node *nb)
{
	const struct callout *a = container_of(na, struct callout, co_node);
	const struct callout *b = container_of(nb, struct callout, co_node);

	if (a->co_deadline != b->co_deadline)
		return a->co_deadline < b->co_deadline ? -1 : 1;
	return a->co_seq < b->co_seq ? -1 : a->co_seq > b->co_seq;
}

static struct callout *
callout_first(struct rb_tree *tree)
{
	struct rb_node *n = rb_first(tree);

	return n == NULL ? NULL : container_of(n, struct callout, co_node);
}

void
callout_cpu_init(struct globaldata *gd)
{
	struct callout_cpu *cc = &callout_cpus[gd->gd_cpuid];

	spin_init(&cc->cc_spin, "callout");
	rb_init(&cc->cc_soft, callout_cmp);
	rb_init(&cc->cc_direct, callout_cmp);
	cc->cc_gd = gd;
	gd->gd_callout = cc;
}

void
callout_init(struct callout *co, void (*fn)(void *), void *arg)
{
	memset(co, 0, sizeof(*co));
	co->co_fn = fn;
	co->co_arg = arg;
	co->co_cpu = mycpu->gd_cpuid;
}

/* Lock the queue that the callout belongs to. */
static struct callout_cpu *
callout_lock(struct callout *co)
{
	struct callout_cpu *cc;
	int cpu;

	for (;;) {
		cpu = atomic_load(&co->co_cpu);
		cc = &callout_cpus[cpu];
		spin_lock(&cc->cc_spin);
		if (atomic_load_relaxed(&co->co_cpu) == cpu)
			return cc;
		spin_unlock(&cc->cc_spin);
	}
}

static void
callout_remove(struct callout_cpu *cc, struct callout *co)
{
	rb_remove(co->co_flags & COF_DIRECT ? &cc->cc_direct : &cc->cc_soft,
	    &co->co_node);
	co->co_flags &= ~(COF_PENDING | COF_DIRECT);
}

/* Set the timer to the next deadline that nobody is told of yet. */
static void
callout_arm(struct callout_cpu *cc, nsec_t now)
{
	struct callout *co = callout_first(&cc->cc_direct);
	nsec_t next = co != NULL ? co->co_deadline : UINT64_MAX;

	co = callout_first(&cc->cc_soft);
	if (co != NULL && co->co_deadline < next &&
	    !((cc->cc_awake || cc->cc_thread == NULL) &&
	    co->co_deadline <= now))
		next = co->co_deadline;
	if (next != UINT64_MAX && next != cc->cc_armed) {
		cc->cc_armed = next;
		md_timer_arm(next);
	}
}

static void
callout_set(struct callout *co, nsec_t delay, uint32_t direct)
{
	struct callout_cpu *cc, *mine;
	nsec_t deadline;

	crit_enter();
	deadline = clock_mono_ns() + delay;
	if (deadline < delay)
		deadline = UINT64_MAX - 1;
	mine = mycpu->gd_callout;
	cc = callout_lock(co);
	if (co->co_flags & COF_DRAINING) {
		spin_unlock(&cc->cc_spin);
		crit_exit();
		return;
	}
	if (co->co_flags & COF_PENDING)
		callout_remove(cc, co);
	if (cc != mine && cc->cc_running != co) {
		atomic_store(&co->co_cpu, mycpu->gd_cpuid);
		spin_unlock(&cc->cc_spin);
		cc = callout_lock(co);
		if (co->co_flags & COF_PENDING)		/* another's reset */
			callout_remove(cc, co);
	}
	co->co_deadline = deadline;
	co->co_seq = cc->cc_seq++;
	co->co_flags |= COF_PENDING | direct;
	rb_insert(direct ? &cc->cc_direct : &cc->cc_soft, &co->co_node);
	if (cc == mine) {
		if (cc->cc_armed == 0 || deadline < cc->cc_armed)
			callout_arm(cc, deadline - delay);
	} else {
		atomic_fetch_or(&cc->cc_gd->gd_reqflags, RQF_TIMER);
		md_ipi_poke(cc->cc_gd->gd_cpuid);
	}
	spin_unlock(&cc->cc_spin);
	crit_exit();
}

void
callout_reset(struct callout *co, nsec_t delay)
{
	callout_set(co, delay, 0);
}

void
callout_reset_direct(struct callout *co, nsec_t delay)
{
	callout_set(co, delay, COF_DIRECT);
}

bool
callout_stop(struct callout *co)
{
	struct callout_cpu *cc = callout_lock(co);
	bool pending = (co->co_flags & COF_PENDING) != 0;

	if (pending)
		callout_remove(cc, co);
	spin_unlock(&cc->cc_spin);
	return pending;
}

void
callout_drain(struct callout *co)
{
	struct callout_cpu *cc;

	lwkt_assert_may_block();
	for (;;) {
		cc = callout_lock(co);
		if (co->co_flags & COF_PENDING)
			callout_remove(cc, co);
		if (cc->cc_running != co || cc->cc_thread == curthread)
			break;
		co->co_flags |= COF_DRAINING;
		cc->cc_wanted = true;
		ssleep(&cc->cc_running, &cc->cc_spin, 0, "codrain", 0);
	}
	co->co_flags &= ~COF_DRAINING;
	spin_unlock(&cc->cc_spin);
}

/* RQF_TIMER: in a critical section of this CPU, like an IPI function. */
void
callout_timer(void)
{
	struct callout_cpu *cc = mycpu->gd_callout;
	struct callout *co;
	void (*fn)(void *);
	void *arg;
	nsec_t now = md_mono_ns();
	bool kick = false;

	spin_lock(&cc->cc_spin);
	cc->cc_armed = 0;
	while ((co = callout_first(&cc->cc_direct)) != NULL &&
	    co->co_deadline <= now) {
		callout_remove(cc, co);
		fn = co->co_fn;
		arg = co->co_arg;
		spin_unlock(&cc->cc_spin);
		fn(arg);
		spin_lock(&cc->cc_spin);
	}
	co = callout_first(&cc->cc_soft);
	if (co != NULL && co->co_deadline <= now && cc->cc_thread != NULL &&
	    !cc->cc_awake)
		kick = cc->cc_awake = true;
	callout_arm(cc, now);
	spin_unlock(&cc->cc_spin);
	if (kick)
		wakeup(cc);
}

static void
softclock(void *arg)
{
	struct callout_cpu *cc = arg;
	struct callout *co;
	void (*fn)(void *);
	void *fnarg;
	nsec_t now;

	spin_lock(&cc->cc_spin);
	for (;;) {
		now = md_mono_ns();
		co = callout_first(&cc->cc_soft);
		if (co == NULL || co->co_deadline > now) {
			cc->cc_awake = false;
			callout_arm(cc, now);
			ssleep(cc, &cc->cc_spin, 0, "softclk", 0);
			spin_lock(&cc->cc_spin);
			continue;
		}
		callout_remove(cc, co);
		fn = co->co_fn;
		fnarg = co->co_arg;
		cc->cc_running = co;
		spin_unlock(&cc->cc_spin);
		fn(fnarg);
		KKASSERT(curthread->td_ntoks == 0);
		spin_lock(&cc->cc_spin);
		cc->cc_running = NULL;
		if (cc->cc_wanted) {
			cc->cc_wanted = false;
			wakeup(&cc->cc_running);
		}
	}
}

/* Start the soft-clock threads, when all CPUs are there. */
void
callout_start(void)
{
	struct callout_cpu *cc;
	int cpu;

	for (cpu = 0; cpu < ncpus; cpu++) {
		cc = &callout_cpus[cpu];
		lwkt_create(softclock, cc, &cc->cc_thread, TDPRI_SOFT, cpu,
		    "softclock%d", cpu);
		lwkt_schedule(cc->cc_thread);
	}
}
