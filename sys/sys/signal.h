/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals (Linux numbers).  kern/kern_sig.c; the frames on user stacks are
 * abi/linux/linux_sigframe.c's.
 */
#ifndef _SYS_SIGNAL_H_
#define _SYS_SIGNAL_H_

#include <sys/queue.h>
#include <sys/types.h>

struct lwp;
struct pgrp;
struct proc;
struct trapframe;

enum {
	SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGILL = 4, SIGTRAP = 5,
	SIGABRT = 6, SIGBUS = 7, SIGFPE = 8, SIGKILL = 9, SIGUSR1 = 10,
	SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGALRM = 14, SIGTERM = 15,
	SIGSTKFLT = 16, SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19, SIGTSTP = 20,
	SIGTTIN = 21, SIGTTOU = 22, SIGURG = 23, SIGXCPU = 24, SIGXFSZ = 25,
	SIGVTALRM = 26, SIGPROF = 27, SIGWINCH = 28, SIGIO = 29, SIGPWR = 30,
	SIGSYS = 31, SIGRTMIN = 32, NSIG = 64,
};

enum {
	SA_NOCLDSTOP = 1, SA_NOCLDWAIT = 2, SA_SIGINFO = 4,
	SA_RESTORER = 0x04000000, SA_ONSTACK = 0x08000000,
	SA_RESTART = 0x10000000, SA_NODEFER = 0x40000000,
};
#define SA_RESETHAND	0x80000000u

enum { SIG_DFL = 0, SIG_IGN = 1 };
enum { SS_ONSTACK = 1, SS_DISABLE = 2 };
#define SS_AUTODISARM	0x80000000u

enum {					/* si_code */
	SI_USER = 0, SI_KERNEL = 0x80, SI_QUEUE = -1, SI_TIMER = -2,
	SI_TKILL = -6,
	CLD_EXITED = 1, CLD_KILLED = 2, CLD_DUMPED = 3, CLD_STOPPED = 5,
	CLD_CONTINUED = 6,
	SEGV_MAPERR = 1, SEGV_ACCERR = 2, BUS_ADRALN = 1, BUS_ADRERR = 2,
	ILL_ILLOPN = 2, FPE_INTDIV = 1, FPE_INTOVF = 2, FPE_FLTDIV = 3,
	FPE_FLTINV = 7, TRAP_BRKPT = 1, TRAP_TRACE = 2,
};

#define SIGBIT(s)	(1ULL << ((s) - 1))
#define SIG_CANTMASK	(SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))
#define SIG_STOPS	(SIGBIT(SIGSTOP) | SIGBIT(SIGTSTP) | \
	    SIGBIT(SIGTTIN) | SIGBIT(SIGTTOU))

/* As struct sigaction of the Linux system call. */
struct ksigaction {
	uint64_t	sa_handler;
	uint64_t	sa_flags;
	uint64_t	sa_restorer;
	uint64_t	sa_mask;
};

/* What a pending signal carries, enough to fill a siginfo_t. */
struct ksiginfo {
	STAILQ_ENTRY(ksiginfo) ksi_list;
	int		ksi_signo, ksi_code, ksi_errno;
	pid_t		ksi_pid;
	uid_t		ksi_uid;
	int		ksi_status;
	int64_t		ksi_utime, ksi_stime;
	uint64_t	ksi_value;	/* sigval, or a timer's id */
	vm_offset_t	ksi_addr;
};
STAILQ_HEAD(ksiginfo_list, ksiginfo);

/* Dispositions; shared by CLONE_SIGHAND. */
struct sigacts {
	int32_t		sa_refs;	/* [a] */
	struct ksigaction sa_act[NSIG + 1];	/* [proc_spin] by number */
};

/*
 * Send.  None of these blocks; any thread context (also callouts).  info may
 * be NULL.  They check no permission.
 */
void	psignal(struct proc *, int sig, const struct ksiginfo *info);
void	psignal_locked(struct proc *, int sig, const struct ksiginfo *info);
void	pgsignal(struct pgrp *, int sig, const struct ksiginfo *info);
void	pgsignal_locked(struct pgrp *, int sig, const struct ksiginfo *info);
void	lwp_signal(struct lwp *, int sig, const struct ksiginfo *info);
void	lwp_signal_locked(struct lwp *, int sig, const struct ksiginfo *info);
void	sig_discard_locked(struct proc *, uint64_t mask);
void	sig_stop_check_locked(struct proc *);
void	sig_setmask(uint64_t mask);	/* of the current thread */
/* To the current thread, for what it just did (SIGPIPE, SIGXFSZ). */
void	sig_self(int sig);
/* As sig_self, but cannot be blocked or ignored: faults. */
void	sig_trap(int sig, int code, vm_offset_t addr);

/* ppoll, pselect, sigsuspend: use mask until the return to user mode. */
void	sig_tempmask(uint64_t mask);
/* Is there something to interrupt a sleep?  0, EINTR or ERESTART. */
int	sig_pending_error(void);
/* Is sig blocked or ignored by the current thread? (tty job control) */
bool	sig_blocked_or_ignored(int sig);

/* Before user mode: stop, die, or enter handlers. */
void	sig_deliver(struct trapframe *);
/* The next signal to take for this thread, off its queue; 0: none. */
int	sig_take(struct lwp *, uint64_t allowed, struct ksiginfo *info);

struct sigacts *sigacts_alloc(void);
struct sigacts *sigacts_copy(const struct sigacts *);
void	sigacts_rele(struct sigacts *);
void	sig_exec(struct proc *);	/* caught become default */
void	sig_flush(struct ksiginfo_list *);

/* The 128 bytes of a siginfo_t. */
void	sig_to_siginfo(int sig, const struct ksiginfo *, void *out);
vm_offset_t sig_user_sp(const struct trapframe *);

/* abi/linux: put a frame on the user's stack and go to the handler.  false:
 * the stack is bad. */
bool	md_sendsig(struct trapframe *, const struct ksigaction *, int sig,
	    const struct ksiginfo *info, uint64_t oldmask);

#endif
