/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual CPUs, clocks, waiting.
 *
 * Deterministic mode: all virtual CPUs share one host thread.  The one that
 * runs gives way at cpu_poll() when the seeded chooser says so, always in
 * md_spin_wait(), and in md_cpu_idle().  Simulated time passes a little at
 * every poll; when every CPU is idle it jumps to the next timer.
 *
 * Threaded mode: each virtual CPU is a host thread that sleeps on a futex when
 * it is idle; one more host thread watches the timers of busy CPUs.
 *
 * V4  vk_self of a host thread changes in deterministic mode only.
 * V5  All CPUs idle and no timer set: nothing can ever happen again.  That is
 *     a lost wakeup or a deadlock, and a panic that lists all threads.
 */
#include <sys/atomic.h>
#include <sys/systm.h>
#include <platform/machdep.h>
#include "vk.h"
#include "vk_san.h"

enum {
	POLL_NS		= 20,
	SPIN_NS		= 50,
	SPIN_ALONE	= 100 * 1000 * 1000,
	POLL_STRETCH	= 24,		/* polls between switches, at most */
};

struct vcpu vcpus[MAXCPU];
bool vk_det;
static __thread struct vcpu *vk_self;
static nsec_t det_now = 1000;		/* simulated monotonic clock */
static nsec_t det_next = UINT64_MAX;	/* earliest vc_deadline */
static uint64_t rng_state;
static uint32_t det_countdown = 1;
static uint32_t spin_alone;
static uint64_t host_start;		/* threaded: host clock at boot */
static uint64_t host_wall;
static uint32_t timer_word;		/* futex of the timer thread */
static nsec_t timer_target = UINT64_MAX;	/* [a] it sleeps until */

struct globaldata *
vk_mycpu(void)
{
	return &vk_self->vc_gd;
}

void
vk_set_cpu(struct vcpu *vc)
{
	vk_self = vc;
}

static uint64_t
rng(void)
{
	uint64_t z = rng_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint64_t
vk_random(uint64_t n)
{
	static uint64_t threaded;

	if (vk_det)
		return n == 0 ? 0 : rng() % n;
	return n == 0 ? 0 : (atomic_fetch_add(&threaded, 1) *
	    0x9e3779b97f4a7c15ULL >> 20) % n;
}

uint64_t
vk_seed(void)
{
	return vk_opts.vo_seed;
}

bool
vk_deterministic(void)
{
	return vk_det;
}

void
vk_clock_start(void)
{
	rng_state = vk_opts.vo_seed * 0x2545f4914f6cdd1dULL + 1;
	host_start = host_mono_ns();
	host_wall = host_wall_ns();
}

nsec_t
md_mono_ns(void)
{
	return vk_det ? det_now : host_mono_ns() - host_start + 1;
}

nsec_t
md_wall_boot_ns(void)
{
	if (vk_det && !vk_opts.vo_realclock)
		return 1795000000ULL * 1000000000ULL;
	return host_wall;
}

uint64_t
md_entropy(void)
{
	return vk_det && !vk_opts.vo_realclock ? rng() : host_entropy();
}

/* ---- deterministic ---- */

static void
det_timers(void)
{
	int i;

	if (det_now < det_next)
		return;
	det_next = UINT64_MAX;
	for (i = 0; i < ncpus; i++) {
		if (vcpus[i].vc_deadline <= det_now) {
			vcpus[i].vc_deadline = UINT64_MAX;
			atomic_fetch_or(&vcpus[i].vc_gd.gd_reqflags,
			    RQF_TIMER);
		}
		det_next = MIN(det_next, vcpus[i].vc_deadline);
	}
}

static bool
det_runnable(const struct vcpu *vc)
{
	return vc->vc_up && (!vc->vc_asleep || vc->vc_gd.gd_reqflags != 0);
}

/* Another CPU that can run, at random; NULL if there is none. */
static struct vcpu *
det_choose(void)
{
	struct vcpu *list[MAXCPU];
	int i, n = 0;

	for (i = 0; i < ncpus; i++)
		if (&vcpus[i] != vk_self && det_runnable(&vcpus[i]))
			list[n++] = &vcpus[i];
	return n == 0 ? NULL : list[n == 1 ? 0 : rng() % (unsigned)n];
}

static void
det_switch(struct vcpu *to)
{
	struct thread *from = vk_self->vc_gd.gd_curthread;

	vk_self = to;
	vk_fiber_switch(from, to->vc_gd.gd_curthread);
}

static void
det_poll(void)
{
	struct vcpu *to;

	det_now += POLL_NS;
	det_timers();
	if (--det_countdown > 0)
		return;
	det_countdown = 1 + (uint32_t)(rng() % POLL_STRETCH);
	spin_alone = 0;
	if (ncpus > 1 && (to = det_choose()) != NULL)
		det_switch(to);
}

static void
det_spin(void)
{
	struct vcpu *to;

	det_now += SPIN_NS;
	det_timers();
	if ((to = det_choose()) != NULL) {
		det_switch(to);
		return;
	}
	if (++spin_alone > SPIN_ALONE)
		panic("cpu %d spins for something that nobody does",
		    mycpu->gd_cpuid);
}

static void
det_idle(struct vcpu *vc)
{
	struct vcpu *to;

	vc->vc_asleep = 1;
	while (atomic_load(&vc->vc_gd.gd_reqflags) == 0) {
		if ((to = det_choose()) != NULL) {
			det_switch(to);
			continue;
		}
		if (det_next == UINT64_MAX) {
			lwkt_threads_print();
			panic("all CPUs are idle and no timer is set");
		}
		det_now = MAX(det_now, det_next);
		det_timers();
	}
	vc->vc_asleep = 0;
}

/* ---- threaded ---- */

static void
thr_idle(struct vcpu *vc)
{
	uint32_t seen = atomic_load(&vc->vc_wake);
	nsec_t now, deadline;

	atomic_store(&vc->vc_asleep, 1);
	while (atomic_load(&vc->vc_gd.gd_reqflags) == 0) {
		now = md_mono_ns();
		deadline = atomic_load(&vc->vc_deadline);
		if (deadline <= now) {
			atomic_store(&vc->vc_deadline, UINT64_MAX);
			atomic_fetch_or(&vc->vc_gd.gd_reqflags, RQF_TIMER);
			break;
		}
		host_futex_wait(&vc->vc_wake, seen,
		    deadline == UINT64_MAX ? 0 : deadline - now);
		seen = atomic_load(&vc->vc_wake);
	}
	atomic_store(&vc->vc_asleep, 0);
}

/* Set RQF_TIMER of CPUs that are too busy to look at the clock. */
void
vk_timer_thread(void *unused __unused)
{
	nsec_t now, next, d;
	uint32_t seen;
	int i;

	for (;;) {
		seen = atomic_load(&timer_word);
		now = md_mono_ns();
		next = UINT64_MAX;
		for (i = 0; i < ncpus; i++) {
			d = atomic_load(&vcpus[i].vc_deadline);
			if (d <= now && atomic_cmpset(&vcpus[i].vc_deadline,
			    &d, UINT64_MAX)) {
				atomic_fetch_or(&vcpus[i].vc_gd.gd_reqflags,
				    RQF_TIMER);
				md_ipi_poke(i);
			} else
				next = MIN(next, d);
		}
		atomic_store(&timer_target, next);
		if (next > now)
			host_futex_wait(&timer_word, seen,
			    next == UINT64_MAX ? 0 : next - now);
	}
}

/* ---- both ---- */

void
cpu_poll(void)
{
	if (vk_det)
		det_poll();
}

void
md_spin_wait(void)
{
	static __thread uint32_t spins;

	if (vk_det)
		det_spin();
	else if (++spins % 64 == 0)
		host_yield();
	else
		cpu_pause();
}

void
md_cpu_idle(void)
{
	if (vk_det)
		det_idle(vk_self);
	else
		thr_idle(vk_self);
}

void
md_ipi_poke(int cpu)
{
	struct vcpu *vc = &vcpus[cpu];

	if (vk_det)
		return;
	atomic_fetch_add(&vc->vc_wake, 1);
	if (atomic_load(&vc->vc_asleep))
		host_futex_wake(&vc->vc_wake);
}

void
md_timer_arm(nsec_t deadline)
{
	atomic_store(&vk_self->vc_deadline, deadline);
	if (vk_det)
		det_next = MIN(det_next, deadline);
	else if (deadline < atomic_load(&timer_target)) {
		atomic_fetch_add(&timer_word, 1);
		host_futex_wake(&timer_word);
	}
}

static void
cpu_fiber(void *arg)
{
	struct vcpu *vc = arg;

	vc->vc_up = 1;
	kern_cpu_main(vc->vc_gd.gd_cpuid);
}

static void
cpu_host_thread(void *arg)
{
	struct vcpu *vc = arg;

	vk_self = vc;
	vk_fiber_adopt(vc->vc_gd.gd_curthread);
	atomic_store(&vc->vc_up, 1);
	kern_cpu_main(vc->vc_gd.gd_cpuid);
}

void
md_cpu_start_all(void)
{
	int i;

	for (i = 1; i < vk_opts.vo_cpus; i++) {
		vcpus[i].vc_deadline = UINT64_MAX;
		kern_cpu_setup(&vcpus[i].vc_gd, i);
	}
	ncpus = vk_opts.vo_cpus;
	for (i = 1; i < ncpus; i++) {
		if (vk_det) {
			vk_fiber_init(vcpus[i].vc_gd.gd_curthread, cpu_fiber,
			    &vcpus[i]);
			vcpus[i].vc_up = 1;
		} else
			host_thread_create(cpu_host_thread, &vcpus[i]);
	}
	if (!vk_det)
		host_thread_create(vk_timer_thread, NULL);
	for (i = 1; i < ncpus; i++)
		while (!atomic_load(&vcpus[i].vc_up))
			host_yield();
}

void
md_stop_others(void)
{
}
