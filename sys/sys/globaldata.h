/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CPU owns.  Only that CPU writes it, in a critical section, except
 * fields marked [a].  mycpu comes from <machine/cpu.h> and is valid until the
 * next block or migration.
 */
#ifndef _SYS_GLOBALDATA_H_
#define _SYS_GLOBALDATA_H_

#include <sys/atomic.h>
#include <sys/param.h>
#include <sys/thread.h>
#include <machine/cpu.h>		/* mycpu, struct md_globaldata */

enum {					/* gd_reqflags */
	RQF_IPI		= 0x01,		/* gd_ipiq is not empty */
	RQF_TIMER	= 0x02,		/* a callout is due */
	RQF_INTR	= 0x04,		/* md interrupt work pending */
	RQF_RESCHED	= 0x08,		/* a better thread is runnable */
	RQF_AST		= 0x10,		/* look before user mode */
};

TAILQ_HEAD(thread_queue, thread);

struct globaldata {
	struct globaldata *gd_self;
	struct thread	*gd_curthread;
	int		 gd_cpuid;
	uint32_t	 gd_reqflags;	/* [a] */
	int		 gd_intr_nesting;	/* in an IPI function or interrupt */
	struct thread_queue gd_runq[TDPRI_MAX + 1];
	uint32_t	 gd_runqmask;
	struct ipi_msg	*gd_ipiq;	/* [a] intrusive MPSC list */
	struct thread	*gd_idlethread;
	struct thread	*gd_switchfrom;	/* who ran before, see lwkt_sched.c */
	struct thread_queue gd_dead;	/* exited, to be freed or used again */
	int		 gd_ndead;
	uint64_t	 gd_switches;
	nsec_t		 gd_switchtime;
	nsec_t		 gd_idletime;
	uint64_t	 gd_quiesce;	/* [a] counts quiescent points (epochs) */
	void		*gd_kmem;	/* kern_malloc.c */
	void		*gd_callout;	/* kern_callout.c */
	void		*gd_sleepq;	/* kern_sleep.c */
	void		*gd_vm;		/* vm page cache of this CPU */
	void		*gd_user;	/* kern_usched.c */
	struct md_globaldata gd_md;	/* platform */
};

extern int ncpus;
extern struct globaldata *cpu_globaldata[MAXCPU];

/* A platform may know a shorter way. */
#ifdef md_curthread
#define curthread	md_curthread
#else
#define curthread	(mycpu->gd_curthread)
#endif

/* Run pending IPIs, timers and interrupts.  critcount is 0 on entry. */
void	splz(void);

static inline void
crit_enter(void)
{
	curthread->td_critcount++;
	compiler_fence();
}

static inline void
crit_exit(void)
{
	struct thread *td = curthread;

	compiler_fence();
	if (--td->td_critcount == 0 &&
	    atomic_load_relaxed(&mycpu->gd_reqflags) != 0)
		splz();
}

static inline bool
crit_held(void)
{
	return curthread->td_critcount > 0;
}

#endif
