/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages between CPUs.
 *
 * gd_ipiq is a stack that any CPU pushes to and its owner takes whole and
 * reverses: so the messages of one sender run in the order sent, and a queue
 * can neither be full nor make a sender wait.
 *
 * Q1  Who pushes on an empty stack sets RQF_IPI and pokes.  The owner clears
 *     RQF_IPI before it takes the stack, so a push that it does not see finds
 *     the stack empty and sets the flag again.
 * Q2  The entry is its sender's again once im_flags is 0, which is stored
 *     after the last look at it and before the function runs.
 */
#include <sys/atomic.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <platform/machdep.h>
#include "lwkt.h"

enum { IMF_BUSY = 1 };

struct ipi_sync {
	void		(*is_func)(void *, void *);
	void		*is_arg;
	void		*is_arg2;
	int32_t		is_left;	/* [a] */
};

void
lwkt_ipi_send(int cpu, struct ipi_msg *im)
{
	struct globaldata *gd = cpu_globaldata[cpu];
	struct ipi_msg *head;

	KKASSERT((atomic_fetch_or(&im->im_flags, IMF_BUSY) & IMF_BUSY) == 0);
	crit_enter();
	head = atomic_load_relaxed(&gd->gd_ipiq);
	do {
		im->im_next = head;
	} while (!atomic_cmpset(&gd->gd_ipiq, &head, im));
	if (head == NULL) {
		atomic_fetch_or(&gd->gd_reqflags, RQF_IPI);
		if (gd != mycpu)
			md_ipi_poke(cpu);
	}
	crit_exit();
}

void
lwkt_ipi_call(int cpu, struct ipi_msg *im, void (*func)(void *, void *),
    void *arg, void *arg2)
{
	im->im_func = func;
	im->im_arg = arg;
	im->im_arg2 = arg2;
	lwkt_ipi_send(cpu, im);
}

bool
lwkt_ipi_process(void)
{
	struct globaldata *gd = mycpu;
	struct ipi_msg *im, *next, *list = NULL;
	void (*func)(void *, void *);
	void *arg, *arg2;

	atomic_fetch_and(&gd->gd_reqflags, ~RQF_IPI);
	im = atomic_swap(&gd->gd_ipiq, NULL);
	if (im == NULL)
		return false;
	for (; im != NULL; im = next) {
		next = im->im_next;
		im->im_next = list;
		list = im;
	}
	while ((im = list) != NULL) {
		list = im->im_next;
		func = im->im_func;
		arg = im->im_arg;
		arg2 = im->im_arg2;
		atomic_store_rel(&im->im_flags, 0);
		func(arg, arg2);
	}
	return true;
}

void
lwkt_spin_service(void)
{
	struct globaldata *gd = mycpu;

	if (gd->gd_intr_nesting == 0 &&
	    (atomic_load_relaxed(&gd->gd_reqflags) & RQF_IPI)) {
		crit_enter();
		gd->gd_intr_nesting++;
		lwkt_ipi_process();
		gd->gd_intr_nesting--;
		crit_exit();
	}
	md_spin_wait();
}

static void
sync_func(void *arg, void *unused __unused)
{
	struct ipi_sync *is = arg;

	is->is_func(is->is_arg, is->is_arg2);
	atomic_fetch_sub(&is->is_left, 1);
}

/*
 * Two CPUs that do this to each other both come through, because each serves
 * its own queue while it waits.  In a critical section that means that IPI
 * functions run inside it.
 */
void
lwkt_ipi_sync(uint64_t cpumask, void (*func)(void *, void *), void *arg,
    void *arg2)
{
	struct ipi_msg msgs[MAXCPU];
	struct ipi_sync is = { func, arg, arg2, 0 };
	int cpu, self;

	KKASSERT(curthread->td_spincount == 0 || lwkt_panicking);
	crit_enter();
	self = mycpu->gd_cpuid;
	cpumask &= ncpus == 64 ? ~0ULL : (1ULL << ncpus) - 1;
	is.is_left = __builtin_popcountll(cpumask & ~(1ULL << self));
	for (cpu = 0; cpu < ncpus; cpu++) {
		if (cpu == self || (cpumask >> cpu & 1) == 0)
			continue;
		msgs[cpu].im_flags = 0;
		lwkt_ipi_call(cpu, &msgs[cpu], sync_func, &is, NULL);
	}
	if (cpumask >> self & 1)
		func(arg, arg2);
	while (atomic_load(&is.is_left) > 0)
		lwkt_spin_service();
	crit_exit();
}
