/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Light weight kernel threads, tokens and sleeping.
 * kern/lwkt_thread.c, lwkt_sched.c, lwkt_token.c, lwkt_ipiq.c, kern_sleep.c.
 *
 * T1  A run queue and the td_flags of its threads are written by their own
 *     CPU only, in a critical section.  Another CPU sends an IPI message.
 * T2  A thread moves to another CPU only by lwkt_migrate() on itself.
 * T3  A critical section holds off IPI messages, timers and interrupts of
 *     this CPU; they run when the outermost one ends.  It belongs to the
 *     thread: blocking inside one is legal.
 */
#ifndef _SYS_THREAD_H_
#define _SYS_THREAD_H_

#include <sys/msgport.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <machine/thread.h>		/* struct md_thread */

struct lwp;
struct lwkt_token;
struct globaldata;

enum {
	TDPRI_IDLE	= 0,
	TDPRI_USER	= 6,
	TDPRI_KERN	= 10,		/* kernel daemons, a user in the kernel */
	TDPRI_SOFT	= 14,		/* callouts, completions */
	TDPRI_INT	= 20,		/* interrupt threads */
	TDPRI_MAX	= 31,
};

/*
 * IPI messages: func(arg, arg2) runs on the CPU, in a critical section, and
 * must not block.  In order from one sender.  The entry is caller storage
 * until its function has begun (it is intrusive: a queue cannot be full).
 */
struct ipi_msg {
	struct ipi_msg	*im_next;
	void		(*im_func)(void *, void *);
	void		*im_arg;
	void		*im_arg2;
	uint32_t	 im_flags;	/* [a] busy */
};

enum { LWKT_MAXTOKENS = 16 };

struct lwkt_tokref {
	struct lwkt_token *tr_tok;
	bool		 tr_shared;
	bool		 tr_nested;	/* held already by an earlier ref */
};

struct thread {
	TAILQ_ENTRY(thread) td_runq;	/* [owner CPU] */
	TAILQ_ENTRY(thread) td_sleepq;	/* [sleep bucket] hash chain */
	LIST_ENTRY(thread) td_all;	/* [all-threads spinlock] */
	struct globaldata *td_gd;	/* owner CPU */
	int		 td_pri;
	int		 td_critcount;	/* [self] */
	uint32_t	 td_flags;	/* [owner CPU] TDF_* */
	uint32_t	 td_mpflags;	/* [a] */
	int		 td_spincount;	/* [self] spinlocks held */
	xid_t		 td_xid;	/* [self] operation worked for */
	xid_t		 td_ownxid;	/* I this thread's own id, never 0 */
	const void	*td_wchan;	/* [sleep bucket] queued on, or NULL */
	const char	*td_wmesg;
	int		 td_wresult;	/* [sleep bucket] */
	bool		 td_wcatch;	/* [sleep bucket] signals may end it */
	struct lwkt_port td_port;	/* reply port of this thread */
	struct lwkt_tokref td_toks[LWKT_MAXTOKENS];	/* [self] */
	int		 td_ntoks;
	struct lwp	*td_lwp;	/* I NULL: pure kernel thread */
	struct globaldata *td_migrate;	/* [self] where lwkt_migrate() goes */
	struct ipi_msg	 td_schedmsg;	/* one TDMP_SCHED at a time */
	void		(*td_start)(void *);	/* I where it begins */
	void		*td_private;	/* the creator's */
	void		*td_kstack;
	nsec_t		 td_cputime;	/* [owner CPU] */
	struct md_thread td_md;		/* platform */
	char		 td_name[32];
};

/* Create a thread that will call fn(arg) on the given CPU (-1: this one). It
 * does not run before lwkt_schedule().  Blocks for memory. */
int	lwkt_create(void (*fn)(void *), void *arg, struct thread **tdp,
	    int pri, int cpu, const char *fmt, ...) __printflike(6, 7);
void	lwkt_schedule(struct thread *);	/* make runnable; any CPU */
void	lwkt_yield(void);		/* let equals run */
void	lwkt_yield_if_needed(void);	/* cheap; in long loops */
void	lwkt_exit(void) __noreturn;
void	lwkt_migrate(int cpu);		/* move the current thread */
void	lwkt_setpri(struct thread *, int pri);	/* of the current thread */
/* May this context block?  Asserts no spinlock, not in an IPI or interrupt. */
void	lwkt_assert_may_block(void);
void	lwkt_threads_print(void);	/* for the debugger and panics */

/*
 * Sleep on an address.  To lose no wakeup: tsleep_interlock(ident), test the
 * condition, tsleep(ident, PINTERLOCKED ...).  timo_ns 0 is for ever.
 * Returns 0, EWOULDBLOCK (timed out), EINTR or ERESTART (PCATCH only).
 */
enum { PCATCH = 1, PINTERLOCKED = 2 };
int	tsleep(const void *ident, int flags, const char *wmesg, nsec_t timo_ns);
void	tsleep_interlock(const void *ident);
void	tsleep_remove(void);		/* undo tsleep_interlock() */
void	wakeup(const void *ident);	/* any context but hard interrupt */
void	wakeup_one(const void *ident);
/* Atomically release a spinlock and sleep; the lock is not retaken. */
struct spinlock;
int	ssleep(const void *ident, struct spinlock *, int flags,
	    const char *wmesg, nsec_t timo_ns);
/* End the PCATCH sleep of a thread, if it is in one: a signal was posted.  The
 * caller keeps the thread from going away. */
void	tsleep_signal(struct thread *);
/* Is there a signal for the current thread?  0, EINTR or ERESTART.  Set by
 * kern_sig.c; called at PCATCH sleeps, may not block. */
extern int (*tsleep_signal_hook)(void);

/*
 * Serializing tokens: exclusion while running.  They are lost across every
 * blocking call and held again when it returns, so they cannot deadlock by
 * order, and what they guard must be checked again after blocking.
 * Release in LIFO order.  Never shared and then exclusive.
 */
struct lwkt_token {
	int64_t		 t_count;	/* [a] see lwkt_token.c */
	struct thread	*t_owner;	/* [a] exclusive holder */
	uint64_t	 t_collisions;
	const char	*t_name;
};
#define LWKT_TOKEN_INITIALIZER(name) { 0, NULL, 0, name }

void	lwkt_token_init(struct lwkt_token *, const char *name);
void	lwkt_token_get(struct lwkt_token *);
void	lwkt_token_get_shared(struct lwkt_token *);
bool	lwkt_token_try(struct lwkt_token *);
void	lwkt_token_put(struct lwkt_token *);
bool	lwkt_token_held(const struct lwkt_token *);	/* exclusively, by me */

void	lwkt_ipi_send(int cpu, struct ipi_msg *);
/* The same: fills the entry first. */
void	lwkt_ipi_call(int cpu, struct ipi_msg *, void (*func)(void *, void *),
	    void *arg, void *arg2);
/* Run func on every CPU of the mask (this one too) and wait for all.  No
 * spinlocks held; IPI functions of this CPU may run meanwhile. */
void	lwkt_ipi_sync(uint64_t cpumask, void (*func)(void *, void *),
	    void *arg, void *arg2);

#include <sys/globaldata.h>		/* mycpu, curthread, crit_enter() */

#endif
