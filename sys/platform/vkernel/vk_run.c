/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Library mode: the border between a host program and the kernel in it.
 *
 * Deterministic: the host's stack is one more fiber.  The thread "vkrun"
 * switches to it when it has nothing to run, and vk_run() switches back.
 *
 * Threaded: vk_run() puts a request on a list, raises RQF_INTR on CPU 0 and
 * sleeps on a futex; "vkrun" makes a thread for each request.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <platform/machdep.h>
#include "vk.h"
#include "vk_main.h"

struct request {
	struct request	*rq_next;
	int		(*rq_fn)(void *);
	void		*rq_arg;
	int		rq_result;
	uint32_t	rq_done;	/* [a] futex word */
};

static struct thread host_fiber;	/* deterministic: the host's stack */
static struct request *requests;	/* [a] deterministic: at most one */
static uint32_t kernel_up;		/* [a] futex word */

/* ---- kernel side ---- */

static void
request_run(struct request *rq)
{
	rq->rq_result = rq->rq_fn(rq->rq_arg);
	atomic_store(&rq->rq_done, 1);
}

static void
request_thread(void *arg)
{
	struct request *rq = arg;

	rq->rq_result = rq->rq_fn(rq->rq_arg);
	/* The waiter may be gone with its stack as soon as it sees this. */
	atomic_store(&rq->rq_done, 1);
	host_futex_wake(&rq->rq_done);
}

static void
run_thread_det(void)
{
	for (;;) {
		vk_fiber_switch(curthread, &host_fiber);
		request_run(atomic_swap(&requests, NULL));
	}
}

static void
run_thread_threaded(void)
{
	struct request *rq, *next;
	struct thread *td;
	int cpu = 0;

	for (;;) {
		tsleep_interlock(&requests);
		rq = atomic_swap(&requests, NULL);
		if (rq == NULL) {
			tsleep(&requests, PINTERLOCKED, "vkrun", 0);
			continue;
		}
		tsleep_remove();
		for (; rq != NULL; rq = next) {
			next = rq->rq_next;
			lwkt_create(request_thread, rq, &td, TDPRI_KERN,
			    cpu, "vkrun");
			cpu = (cpu + 1) % ncpus;
			lwkt_schedule(td);
		}
	}
}

static void
run_thread(void *unused __unused)
{
	atomic_store(&kernel_up, 1);
	if (vk_det)
		run_thread_det();
	host_futex_wake(&kernel_up);
	run_thread_threaded();
}

void
vk_run_interrupts(void)
{
	if (atomic_load(&requests) != NULL)
		wakeup(&requests);
}

/* The last line of init_main.c's table. */
void
md_late_init(void)
{
	struct thread *td;

	lwkt_create(run_thread, NULL, &td, TDPRI_KERN, 0, "vkrun");
	lwkt_schedule(td);
}

static void
boot_fiber(void *unused __unused)
{
	kern_main();
}

static void
boot_host_thread(void *unused __unused)
{
	vk_set_cpu(&vcpus[0]);
	vk_fiber_adopt(vcpus[0].vc_gd.gd_curthread);
	kern_main();
}

/* ---- host side ---- */

/* Deterministic: let the kernel run until vkrun comes back. */
static void
kernel_enter(void)
{
	vk_fiber_switch(&host_fiber, curthread);
}

void
vk_boot(const struct vk_opts *opts)
{
	struct vcpu *vc = &vcpus[0];

	vk_opts = *opts;
	if (vk_opts.vo_cpus < 1)
		vk_opts.vo_cpus = 1;
	if (vk_opts.vo_cpus > MAXCPU)
		vk_opts.vo_cpus = MAXCPU;
	if (vk_opts.vo_mem == 0)
		vk_opts.vo_mem = 256 << 20;
	vk_det = !vk_opts.vo_threaded;
	vk_clock_start();
	vk_arena_init();
	vc->vc_deadline = UINT64_MAX;
	vc->vc_up = 1;
	vk_set_cpu(vc);
	kern_cpu_setup(&vc->vc_gd, 0);
	if (vk_det) {
		vk_fiber_adopt(&host_fiber);
		vk_fiber_init(vc->vc_gd.gd_curthread, boot_fiber, NULL);
		kernel_enter();
		return;
	}
	vk_set_cpu(NULL);
	host_thread_create(boot_host_thread, NULL);
	while (!atomic_load(&kernel_up))
		host_futex_wait(&kernel_up, 0, 0);
}

int
vk_run(int (*fn)(void *), void *arg)
{
	struct request rq = { NULL, fn, arg, 0, 0 };
	struct request *head;

	if (vk_det) {
		atomic_store(&requests, &rq);
		while (!atomic_load(&rq.rq_done))
			kernel_enter();
		return rq.rq_result;
	}
	head = atomic_load(&requests);
	do {
		rq.rq_next = head;
	} while (!atomic_cmpset(&requests, &head, &rq));
	atomic_fetch_or(&vcpus[0].vc_gd.gd_reqflags, RQF_INTR);
	md_ipi_poke(0);
	while (!atomic_load(&rq.rq_done))
		host_futex_wait(&rq.rq_done, 0, 0);
	return rq.rq_result;
}

void
vk_shutdown(void)
{
}
