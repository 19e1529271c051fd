/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of LWKT share with each other and with nobody else. */
#ifndef _KERN_LWKT_H_
#define _KERN_LWKT_H_

#include <sys/thread.h>

enum {					/* td_flags */
	TDF_RUNNING	= 0x01,		/* its stack is in use */
	TDF_RUNQ	= 0x02,		/* on gd_runq */
	TDF_EXITING	= 0x04,		/* will not run again */
	TDF_MIGRATING	= 0x08,		/* td_migrate takes it after the switch */
	TDF_IDLE	= 0x10,		/* an idle thread, never on a queue */
};

enum {					/* td_mpflags */
	TDMP_SCHED	= 0x01,		/* td_schedmsg is under way */
};

extern bool lwkt_panicking;		/* kern_panic.c: invariants are off */

/* lwkt_sched.c.  All in a critical section. */
void	lwkt_switch(void);		/* the current thread stops running */
void	lwkt_switch_raw(void);		/* the same, tokens are gone already */
void	lwkt_switched(void);		/* first thing after any switch */
void	lwkt_requeue_self(void);	/* the tail of my run queue */
void	lwkt_enqueue(struct thread *);	/* a thread of this CPU */
void	lwkt_idle_loop(void) __noreturn;

/* lwkt_thread.c */
void	lwkt_thread_reap(struct globaldata *);
void	lwkt_idle_init(struct globaldata *, int cpuid);

/* lwkt_token.c: give up and take back all of the current thread's tokens. */
void	lwkt_tokens_release(struct thread *);
void	lwkt_tokens_reacquire(struct thread *);

/* lwkt_ipiq.c: run what is queued for this CPU; false if there was nothing. */
bool	lwkt_ipi_process(void);
/* While spinning outside of the scheduler: serve other CPUs, then wait. */
void	lwkt_spin_service(void);

/* kern_callout.c */
void	callout_cpu_init(struct globaldata *);
void	callout_timer(void);		/* RQF_TIMER */

/* kern_clock.c: a CPU that was idle begins to work. */
void	clock_tick_start(struct globaldata *);

#endif
