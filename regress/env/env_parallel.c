/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads and waiting for tests, on both platforms.  See env.h. */
#include <sys/atomic.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include "env.h"

struct parallel {
	void		(*p_fn)(void *, int);
	void		*p_arg;
	int32_t		p_left;		/* [a] */
};

struct parallel_arg {
	struct parallel	*pa_all;
	int		pa_index;
};

static void
parallel_thread(void *arg)
{
	struct parallel_arg *pa = arg;
	struct parallel *p = pa->pa_all;

	p->p_fn(p->p_arg, pa->pa_index);
	if (atomic_fetch_sub(&p->p_left, 1) == 1)
		wakeup(&p->p_left);
}

/* The last thread may still be in wakeup(): that uses the address only. */
void
env_parallel(int n, void (*fn)(void *, int), void *arg)
{
	struct parallel p = { fn, arg, n };
	struct parallel_arg *pa;
	struct thread *td;
	int i;

	pa = kmalloc((size_t)n * sizeof(*pa), &M_TEMP, M_WAITOK);
	for (i = 0; i < n; i++) {
		pa[i].pa_all = &p;
		pa[i].pa_index = i;
		lwkt_create(parallel_thread, &pa[i], &td, TDPRI_KERN,
		    i % ncpus, "par%d", i);
		lwkt_schedule(td);
	}
	for (;;) {
		tsleep_interlock(&p.p_left);
		if (atomic_load(&p.p_left) == 0)
			break;
		tsleep(&p.p_left, PINTERLOCKED, "parallel", 0);
	}
	tsleep_remove();
	kfree(pa, &M_TEMP);
}

bool
env_wait(bool (*cond)(void *), void *arg)
{
	int i;

	for (i = 0; i < 30000; i++) {
		if (cond(arg))
			return true;
		tsleep(&cond, 0, "envwait", 1000 * 1000);
	}
	return false;
}

