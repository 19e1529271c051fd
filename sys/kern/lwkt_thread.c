/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a thread.
 *
 *   new -> runnable      [lwkt_schedule]
 *   running -> dead      [lwkt_exit; after the switch it is on gd_dead]
 *   dead -> new          [lwkt_create takes thread and stack again]
 *   dead -> freed        [lwkt_thread_reap, beyond TD_CACHE of them]
 *
 * T4  A dead thread is touched by nobody once TDMP_SCHED is clear: until then
 *     a late kick is still on its way to it.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <platform/machdep.h>
#include "lwkt.h"

enum { TD_CACHE = 8 };			/* dead threads kept by a CPU */

static MALLOC_DEFINE(M_THREAD, "thread");

static LIST_HEAD(, thread) all_threads = LIST_HEAD_INITIALIZER;
static struct spinlock all_spin = SPINLOCK_INITIALIZER("allthreads");
static struct thread idle_threads[MAXCPU];
static uint64_t next_xid = MAXCPU + 1;

static void
thread_list_add(struct thread *td)
{
	spin_lock(&all_spin);
	LIST_INSERT_HEAD(&all_threads, td, td_all);
	spin_unlock(&all_spin);
}

/* Where every thread begins, in the critical section of the switch. */
static void
thread_start(void *arg)
{
	struct thread *td = curthread;

	lwkt_switched();
	KKASSERT(td->td_critcount == 1);
	crit_exit();
	td->td_start(arg);
	lwkt_exit();
}

static struct thread *
dead_take(struct globaldata *gd)
{
	struct thread *td;

	TAILQ_FOREACH(td, &gd->gd_dead, td_runq) {
		if (atomic_load(&td->td_mpflags) & TDMP_SCHED)
			continue;
		TAILQ_REMOVE(&gd->gd_dead, td, td_runq);
		gd->gd_ndead--;
		return td;
	}
	return NULL;
}

static void
thread_free(struct thread *td)
{
	md_thread_free(td);
	if (td->td_kstack != NULL)
		kfree(td->td_kstack, &M_THREAD);
	kfree(td, &M_THREAD);
}

void
lwkt_thread_reap(struct globaldata *gd)
{
	struct thread *td;

	while (gd->gd_ndead > TD_CACHE) {
		crit_enter();
		td = dead_take(gd);
		crit_exit();
		if (td == NULL)
			return;
		thread_free(td);
	}
}

/* A thread's memory and stack: a dead one's, or new. */
static struct thread *
thread_alloc(void)
{
	struct thread *td;
	void *stack;

	crit_enter();
	td = dead_take(mycpu);
	crit_exit();
	if (td != NULL) {
		stack = td->td_kstack;
		md_thread_free(td);
	} else {
		td = kmalloc(sizeof(*td), &M_THREAD, M_WAITOK);
		stack = NULL;
		if (MD_KSTACK_SIZE > 0)
			stack = kmalloc(MD_KSTACK_SIZE, &M_THREAD, M_WAITOK);
	}
	memset(td, 0, sizeof(*td));
	td->td_kstack = stack;
	return td;
}

int
lwkt_create(void (*fn)(void *), void *arg, struct thread **tdp, int pri,
    int cpu, const char *fmt, ...)
{
	struct thread *td;
	va_list ap;

	KKASSERT(pri > TDPRI_IDLE && pri <= TDPRI_MAX && cpu < ncpus);
	td = thread_alloc();
	va_start(ap, fmt);
	kvsnprintf(td->td_name, sizeof(td->td_name), fmt, ap);
	va_end(ap);
	td->td_pri = pri;
	td->td_critcount = 1;
	td->td_ownxid = td->td_xid = atomic_fetch_add(&next_xid, 1);
	td->td_gd = cpu < 0 ? mycpu : cpu_globaldata[cpu];
	td->td_start = fn;
	lwkt_port_init(&td->td_port, td);
	md_thread_init(td, thread_start, arg);
	thread_list_add(td);
	*tdp = td;
	return 0;
}

void
lwkt_exit(void)
{
	struct thread *td = curthread;

	lwkt_assert_may_block();
	KKASSERT(td->td_ntoks == 0);
	KKASSERT(td->td_wchan == NULL);
	lwkt_thread_reap(mycpu);
	spin_lock(&all_spin);
	LIST_REMOVE(td, td_all);
	spin_unlock(&all_spin);
	crit_enter();
	td->td_flags |= TDF_EXITING;
	lwkt_switch_raw();
	panic("a dead thread runs: %s", td->td_name);
}

/* The idle thread is what the CPU was running when it came to us. */
void
lwkt_idle_init(struct globaldata *gd, int cpuid)
{
	struct thread *td = &idle_threads[cpuid];

	td->td_gd = gd;
	td->td_pri = TDPRI_IDLE;
	td->td_flags = TDF_RUNNING | TDF_IDLE;
	td->td_ownxid = td->td_xid = cpuid + 1;
	td->td_critcount = 1;
	ksnprintf(td->td_name, sizeof(td->td_name), "idle%d", cpuid);
	spin_init(&td->td_port.mp_spin, "port");
	TAILQ_INIT(&td->td_port.mp_queue);
	gd->gd_idlethread = gd->gd_curthread = td;
}

void
lwkt_threads_print(void)
{
	struct thread *td;

	spin_lock(&all_spin);
	LIST_FOREACH(td, &all_threads, td_all)
		kprintf("%p cpu%d pri %2d flags %02x toks %d %s%s%s\n",
		    (void *)td, td->td_gd->gd_cpuid, td->td_pri, td->td_flags,
		    td->td_ntoks, td->td_name,
		    td->td_wchan != NULL ? " waits: " : "",
		    td->td_wchan != NULL && td->td_wmesg != NULL ?
		    td->td_wmesg : "");
	spin_unlock(&all_spin);
}
