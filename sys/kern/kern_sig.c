/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals: posting, choosing who takes one, stopping, and delivery at the
 * border to user mode.  The calls are in kern_sigcalls.c.
 *
 * G1  Pending sets and queues change under proc_spin; the sets are read
 *     without it as a hint that something may be there.
 * G2  Nothing is delivered inside the kernel.  A sleep with PCATCH ends with
 *     ERESTART, the call unwinds, and sig_deliver() decides: a handler with
 *     SA_RESTART, a stop and its continuation, or nothing at all restart the
 *     call; a handler without it makes it EINTR.
 * G3  Who makes a signal deliverable to a thread (posting, unmasking) sets
 *     LWPF_AST for it.
 * G4  A stop is complete when every lwp waits in sig_stop(); only then does
 *     the parent see it.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <cpu/frame.h>
#include <platform/machdep.h>

static MALLOC_DEFINE(M_SIG, "signal");

#define SIG_IGNORES	(SIGBIT(SIGCHLD) | SIGBIT(SIGCONT) | \
	    SIGBIT(SIGURG) | SIGBIT(SIGWINCH))
#define SIG_CORES	(SIGBIT(SIGQUIT) | SIGBIT(SIGILL) | SIGBIT(SIGTRAP) | \
	    SIGBIT(SIGABRT) | SIGBIT(SIGBUS) | SIGBIT(SIGFPE) | \
	    SIGBIT(SIGSEGV) | SIGBIT(SIGXCPU) | SIGBIT(SIGXFSZ) | \
	    SIGBIT(SIGSYS))
#define SIG_FAULTS	(SIGBIT(SIGSEGV) | SIGBIT(SIGBUS) | SIGBIT(SIGILL) | \
	    SIGBIT(SIGFPE) | SIGBIT(SIGTRAP) | SIGBIT(SIGSYS))

struct sigacts *
sigacts_alloc(void)
{
	struct sigacts *sa = kmalloc(sizeof(*sa), &M_SIG, M_WAITOK | M_ZERO);

	sa->sa_refs = 1;
	return sa;
}

struct sigacts *
sigacts_copy(const struct sigacts *old)
{
	struct sigacts *sa = kmalloc(sizeof(*sa), &M_SIG, M_WAITOK);

	spin_lock(&proc_spin);
	memcpy(sa, old, sizeof(*sa));
	spin_unlock(&proc_spin);
	sa->sa_refs = 1;
	return sa;
}

void
sigacts_rele(struct sigacts *sa)
{
	if (atomic_fetch_sub(&sa->sa_refs, 1) == 1)
		kfree(sa, &M_SIG);
}

/* Handlers vanish with the program; ignored stay ignored. */
void
sig_exec(struct proc *p)
{
	struct sigacts *sa;
	int i;

	if (atomic_load(&p->p_sigacts->sa_refs) > 1) {
		sa = sigacts_copy(p->p_sigacts);
		sigacts_rele(p->p_sigacts);
		p->p_sigacts = sa;
	}
	spin_lock(&proc_spin);
	for (i = 1; i <= NSIG; i++) {
		struct ksigaction *ka = &p->p_sigacts->sa_act[i];

		if (ka->sa_handler != SIG_IGN)
			ka->sa_handler = SIG_DFL;
		ka->sa_flags = ka->sa_mask = ka->sa_restorer = 0;
	}
	spin_unlock(&proc_spin);
}

void
sig_flush(struct ksiginfo_list *list)
{
	struct ksiginfo *ksi;

	while ((ksi = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, ksi_list);
		kfree(ksi, &M_SIG);
	}
}

void
lwp_need_ast(struct lwp *lp)
{
	struct globaldata *gd;

	atomic_fetch_or(&lp->lwp_flags, LWPF_AST);
	gd = lp->lwp_thread->td_gd;
	atomic_fetch_or(&gd->gd_reqflags, RQF_AST);
	if (gd != mycpu)
		md_ipi_poke(gd->gd_cpuid);
}

/* Make lp look at its signals, out of a sleep too. */
static void
lwp_notify(struct lwp *lp)
{
	lwp_need_ast(lp);
	if (lp->lwp_thread != curthread)
		tsleep_signal(lp->lwp_thread);
}

static void
notify_all(struct proc *p)
{
	struct lwp *lp;

	LIST_FOREACH(lp, &p->p_lwps, lwp_list)
		lwp_notify(lp);
}

/* Remove the signals of mask from a queue, and from its set. */
static void
discard(struct ksiginfo_list *list, uint64_t *pend, uint64_t mask)
{
	struct ksiginfo_list keep = STAILQ_HEAD_INITIALIZER(keep);
	struct ksiginfo *ksi;

	if ((*pend & mask) == 0)
		return;
	atomic_fetch_and(pend, ~mask);
	while ((ksi = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, ksi_list);
		if (mask & SIGBIT(ksi->ksi_signo))
			kfree(ksi, &M_SIG);
		else
			STAILQ_INSERT_TAIL(&keep, ksi, ksi_list);
	}
	STAILQ_CONCAT(list, &keep);
}

void
sig_discard_locked(struct proc *p, uint64_t mask)
{
	struct lwp *lp;

	discard(&p->p_siginfo, &p->p_sigpend, mask);
	LIST_FOREACH(lp, &p->p_lwps, lwp_list)
		discard(&lp->lwp_siginfo, &lp->lwp_sigpend, mask);
}

static void
enqueue(struct ksiginfo_list *list, uint64_t *pend, int sig,
    const struct ksiginfo *info)
{
	struct ksiginfo *ksi;

	if (sig < SIGRTMIN && (*pend & SIGBIT(sig)))
		return;
	ksi = kmalloc(sizeof(*ksi), &M_SIG, M_NOWAIT);
	if (ksi != NULL) {		/* else it carries nothing */
		if (info != NULL)
			*ksi = *info;
		else
			*ksi = (struct ksiginfo){ .ksi_code = SI_KERNEL };
		ksi->ksi_signo = sig;
		STAILQ_INSERT_TAIL(list, ksi, ksi_list);
	}
	atomic_fetch_or(pend, SIGBIT(sig));
}

/* Tell the parent that p stopped or went on. */
static void
notify_parent_job(struct proc *p, int code, int status)
{
	struct proc *pp = p->p_parent;
	struct ksiginfo ksi = {
		.ksi_code = code, .ksi_pid = p->p_pid, .ksi_status = status,
		.ksi_uid = p->p_cred->cr_ruid,
	};

	if (pp == NULL || pp->p_sigacts == NULL)	/* it is ending */
		return;
	if ((pp->p_sigacts->sa_act[SIGCHLD].sa_flags & SA_NOCLDSTOP) == 0)
		psignal_locked(pp, SIGCHLD, &ksi);
	wakeup(pp);
}

/* SIGCONT and SIGKILL end a stop, also one that is not yet complete. */
static void
proc_continue(struct proc *p, bool note)
{
	bool was = p->p_state == PS_STOPPED;

	if ((p->p_flags & PF_STOPPING) == 0)
		return;
	atomic_fetch_and(&p->p_flags, ~(PF_STOPPING | PF_STOPNOTE));
	if (was)
		p->p_state = PS_ACTIVE;
	wakeup(&p->p_nstopped);
	if (was && note) {
		atomic_fetch_or(&p->p_flags, PF_CONTNOTE);
		notify_parent_job(p, CLD_CONTINUED, SIGCONT);
	}
}

static bool
is_ignored(struct proc *p, int sig)
{
	uint64_t h = p->p_sigacts->sa_act[sig].sa_handler;

	return h == SIG_IGN ||
	    (h == SIG_DFL && (SIGBIT(sig) & SIG_IGNORES));
}

/* Init takes only what it asked for: what it handles, and what it blocks,
 * because that is how sigtimedwait(2) is told of it. */
static bool
is_immune(struct proc *p, int sig)
{
	struct lwp *lp;

	if (p != initproc || p->p_sigacts->sa_act[sig].sa_handler != SIG_DFL)
		return false;
	if (sig != SIGKILL && sig != SIGSTOP)
		LIST_FOREACH(lp, &p->p_lwps, lwp_list)
			if ((lp->lwp_sigmask | lp->lwp_sigwait) & SIGBIT(sig))
				return false;
	return true;
}

/*
 * The common part of posting: what happens whoever takes it.  false: the
 * signal is used up.
 */
static bool
post_effects(struct proc *p, int sig)
{
	if (p->p_state == PS_ZOMBIE || p->p_sigacts == NULL ||
	    (p->p_flags & PF_EXITING) || is_immune(p, sig))
		return false;
	if (SIGBIT(sig) & SIG_STOPS)
		sig_discard_locked(p, SIGBIT(SIGCONT));
	if (sig == SIGCONT || sig == SIGKILL) {
		sig_discard_locked(p, SIG_STOPS);
		proc_continue(p, sig == SIGCONT);
	}
	return true;
}

void
psignal_locked(struct proc *p, int sig, const struct ksiginfo *info)
{
	struct lwp *lp, *chosen = NULL;
	uint64_t bit = SIGBIT(sig);

	if (sig < 1 || sig > NSIG || !post_effects(p, sig))
		return;
	LIST_FOREACH(lp, &p->p_lwps, lwp_list) {
		if (lp->lwp_flags & LWPF_EXITING)
			continue;
		if (lp->lwp_sigwait & bit) {
			chosen = lp;
			break;
		}
		if ((lp->lwp_sigmask & bit) == 0 &&
		    (chosen == NULL || lp->lwp_thread == curthread))
			chosen = lp;
	}
	if (chosen != NULL && (chosen->lwp_sigwait & bit) == 0 &&
	    is_ignored(p, sig))
		return;
	enqueue(&p->p_siginfo, &p->p_sigpend, sig, info);
	if (sig == SIGKILL)
		notify_all(p);
	else if (chosen != NULL)
		lwp_notify(chosen);
}

void
psignal(struct proc *p, int sig, const struct ksiginfo *info)
{
	spin_lock(&proc_spin);
	psignal_locked(p, sig, info);
	spin_unlock(&proc_spin);
}

void
pgsignal_locked(struct pgrp *pg, int sig, const struct ksiginfo *info)
{
	struct proc *p;

	LIST_FOREACH(p, &pg->pg_members, p_pglist)
		psignal_locked(p, sig, info);
}

void
pgsignal(struct pgrp *pg, int sig, const struct ksiginfo *info)
{
	spin_lock(&proc_spin);
	pgsignal_locked(pg, sig, info);
	spin_unlock(&proc_spin);
}

void
lwp_signal_locked(struct lwp *lp, int sig, const struct ksiginfo *info)
{
	struct proc *p = lp->lwp_proc;
	uint64_t bit = SIGBIT(sig);

	if (!post_effects(p, sig))
		return;
	if (is_ignored(p, sig) && !((lp->lwp_sigmask | lp->lwp_sigwait) & bit))
		return;
	enqueue(&lp->lwp_siginfo, &lp->lwp_sigpend, sig, info);
	if (sig == SIGKILL)
		notify_all(p);
	else if ((lp->lwp_sigmask & bit) == 0 || (lp->lwp_sigwait & bit))
		lwp_notify(lp);
}

void
lwp_signal(struct lwp *lp, int sig, const struct ksiginfo *info)
{
	spin_lock(&proc_spin);
	lwp_signal_locked(lp, sig, info);
	spin_unlock(&proc_spin);
}

void
sig_self(int sig)
{
	struct lwp *lp = curlwp();

	if (lp != NULL)
		lwp_signal(lp, sig, NULL);
}

/*
 * A fault of this thread.  If it cannot be handled (blocked, ignored), the
 * default action is restored, so that the process dies instead of faulting
 * for ever.
 */
void
sig_trap(int sig, int code, vm_offset_t addr)
{
	struct lwp *lp = curlwp();
	struct proc *p = lp->lwp_proc;
	struct ksigaction *ka;
	struct ksiginfo ksi = { .ksi_code = code, .ksi_addr = addr };

	spin_lock(&proc_spin);
	ka = &p->p_sigacts->sa_act[sig];
	if (ka->sa_handler == SIG_IGN || (lp->lwp_sigmask & SIGBIT(sig))) {
		ka->sa_handler = SIG_DFL;
		lp->lwp_sigmask &= ~SIGBIT(sig);
	}
	if (is_immune(p, sig)) {
		spin_unlock(&proc_spin);
		panic("init: signal %d at %#lx", sig, (unsigned long)addr);
	}
	enqueue(&lp->lwp_siginfo, &lp->lwp_sigpend, sig, &ksi);
	lwp_need_ast(lp);
	spin_unlock(&proc_spin);
}

void
sig_tempmask(uint64_t mask)
{
	struct lwp *lp = curlwp();

	if ((lp->lwp_flags & LWPF_OLDMASK) == 0)
		lp->lwp_oldmask = lp->lwp_sigmask;
	atomic_fetch_or(&lp->lwp_flags, LWPF_OLDMASK);
	sig_setmask(mask);
	lwp_need_ast(lp);
}

/* Changes under proc_spin, because posting reads it to choose. */
void
sig_setmask(uint64_t mask)
{
	struct lwp *lp = curlwp();

	spin_lock(&proc_spin);
	lp->lwp_sigmask = mask & ~SIG_CANTMASK;
	spin_unlock(&proc_spin);
	if ((lp->lwp_sigpend | lp->lwp_proc->p_sigpend) & ~lp->lwp_sigmask)
		lwp_need_ast(lp);
}

int
sig_pending_error(void)
{
	struct lwp *lp = curlwp();
	struct proc *p;

	if (lp == NULL)
		return 0;
	p = lp->lwp_proc;
	usched_sleep(lp);
	if (atomic_load(&p->p_flags) & (PF_EXITING | PF_SINGLE | PF_STOPPING))
		return ERESTART;
	if ((atomic_load(&lp->lwp_sigpend) | atomic_load(&p->p_sigpend)) &
	    (~lp->lwp_sigmask | lp->lwp_sigwait))
		return ERESTART;
	return 0;
}

bool
sig_blocked_or_ignored(int sig)
{
	struct lwp *lp = curlwp();

	return (lp->lwp_sigmask & SIGBIT(sig)) ||
	    lp->lwp_proc->p_sigacts->sa_act[sig].sa_handler == SIG_IGN;
}

/* Take sig off one queue. */
static bool
dequeue(struct ksiginfo_list *list, uint64_t *pend, int sig,
    struct ksiginfo *info)
{
	struct ksiginfo_list rest = STAILQ_HEAD_INITIALIZER(rest);
	struct ksiginfo *ksi;
	bool found = false, more = false;

	if ((*pend & SIGBIT(sig)) == 0)
		return false;
	*info = (struct ksiginfo){ .ksi_signo = sig, .ksi_code = SI_KERNEL };
	while ((ksi = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, ksi_list);
		if (ksi->ksi_signo == sig && !found) {
			*info = *ksi;
			kfree(ksi, &M_SIG);
			found = true;
			continue;
		}
		more |= ksi->ksi_signo == sig;
		STAILQ_INSERT_TAIL(&rest, ksi, ksi_list);
	}
	STAILQ_CONCAT(list, &rest);
	if (!more)
		atomic_fetch_and(pend, ~SIGBIT(sig));
	return true;
}

/* Faults come first, then SIGKILL, then by number. */
int
sig_take(struct lwp *lp, uint64_t allowed, struct ksiginfo *info)
{
	struct proc *p = lp->lwp_proc;
	uint64_t set;
	int sig = 0;

	spin_lock(&proc_spin);
	set = (lp->lwp_sigpend | p->p_sigpend) & allowed;
	if (set != 0) {
		if (lp->lwp_sigpend & allowed & SIG_FAULTS)
			set = lp->lwp_sigpend & allowed & SIG_FAULTS;
		else if (set & SIGBIT(SIGKILL))
			set = SIGBIT(SIGKILL);
		sig = __builtin_ctzll(set) + 1;
		if (!dequeue(&lp->lwp_siginfo, &lp->lwp_sigpend, sig, info))
			dequeue(&p->p_siginfo, &p->p_sigpend, sig, info);
	}
	spin_unlock(&proc_spin);
	return sig;
}

/* proc_spin held: is the stop complete? */
void
sig_stop_check_locked(struct proc *p)
{
	if ((p->p_flags & PF_STOPPING) == 0 || p->p_state != PS_ACTIVE ||
	    p->p_nstopped < p->p_nlwps || p->p_nlwps == 0)
		return;
	p->p_state = PS_STOPPED;
	p->p_xstat = (p->p_stopsig << 8) | 0x7f;
	atomic_fetch_or(&p->p_flags, PF_STOPNOTE);
	atomic_fetch_and(&p->p_flags, ~PF_CONTNOTE);
	notify_parent_job(p, CLD_STOPPED, p->p_stopsig);
}

static void
sig_begin_stop(struct proc *p, int sig)
{
	spin_lock(&proc_spin);
	if (p->p_flags & PF_EXITING) {
		spin_unlock(&proc_spin);
		return;
	}
	if (sig == SIGSTOP || !pgrp_is_orphaned_locked(p->p_pgrp)) {
		p->p_stopsig = sig;
		atomic_fetch_or(&p->p_flags, PF_STOPPING);
		notify_all(p);
	}
	spin_unlock(&proc_spin);
}

/* Wait here until the process is continued or dies. */
static void
sig_stop(struct lwp *lp)
{
	struct proc *p = lp->lwp_proc;

	spin_lock(&proc_spin);
	p->p_nstopped++;
	sig_stop_check_locked(p);
	while ((p->p_flags & PF_STOPPING) &&
	    !(p->p_flags & (PF_EXITING | PF_SINGLE))) {
		ssleep(&p->p_nstopped, &proc_spin, 0, "stop", 0);
		spin_lock(&proc_spin);
	}
	p->p_nstopped--;
	spin_unlock(&proc_spin);
}

/* The call that was interrupted: again, or EINTR? */
static void
settle_restart(struct lwp *lp, struct trapframe *tf,
    const struct ksigaction *ka)
{
	if ((lp->lwp_flags & LWPF_RESTART) == 0)
		return;
	atomic_fetch_and(&lp->lwp_flags, ~LWPF_RESTART);
	if (ka != NULL && (lp->lwp_rserror == ERESTARTNOHAND ||
	    (ka->sa_flags & SA_RESTART) == 0)) {
		tf->tf_rax = -(int64_t)EINTR;
		atomic_fetch_and(&lp->lwp_flags, ~LWPF_RESUME);
		return;
	}
	tf->tf_rax = tf->tf_err;
	tf->tf_rip -= 2;
}

static void
run_handler(struct lwp *lp, struct trapframe *tf, int sig,
    const struct ksiginfo *info)
{
	struct proc *p = lp->lwp_proc;
	struct ksigaction ka;
	uint64_t old, mask;

	spin_lock(&proc_spin);
	ka = p->p_sigacts->sa_act[sig];
	if (ka.sa_flags & SA_RESETHAND)
		p->p_sigacts->sa_act[sig].sa_handler = SIG_DFL;
	spin_unlock(&proc_spin);
	settle_restart(lp, tf, &ka);
	old = lp->lwp_flags & LWPF_OLDMASK ? lp->lwp_oldmask : lp->lwp_sigmask;
	if (!md_sendsig(tf, &ka, sig, info, old)) {
		proc_exit(SIGSEGV);
	}
	atomic_fetch_and(&lp->lwp_flags, ~LWPF_OLDMASK);
	mask = lp->lwp_sigmask | ka.sa_mask;
	if ((ka.sa_flags & SA_NODEFER) == 0)
		mask |= SIGBIT(sig);
	sig_setmask(mask);
}

static void
default_action(struct proc *p, int sig)
{
	if (SIGBIT(sig) & SIG_STOPS) {
		sig_begin_stop(p, sig);
		return;
	}
	if (SIGBIT(sig) & SIG_IGNORES)
		return;
	proc_exit(sig);		/* no core files: bit 0x80 stays clear */
}

/*
 * At the user boundary, with nothing held.  Blocks; may not return.
 */
void
sig_deliver(struct trapframe *tf)
{
	struct lwp *lp = curlwp();
	struct proc *p = lp->lwp_proc;
	struct ksiginfo info;
	uint64_t handler;
	int sig;

	for (;;) {
		if (atomic_load(&p->p_flags) & (PF_EXITING | PF_SINGLE))
			lwp_exit_check();
		if (atomic_load(&p->p_flags) & PF_STOPPING) {
			sig_stop(lp);
			continue;
		}
		sig = sig_take(lp, ~lp->lwp_sigmask, &info);
		if (sig == 0)
			break;
		handler = p->p_sigacts->sa_act[sig].sa_handler;
		if (handler == SIG_IGN ||
		    (handler == SIG_DFL && p == initproc))
			continue;
		if (handler == SIG_DFL || sig == SIGKILL || sig == SIGSTOP)
			default_action(p, sig);
		else
			run_handler(lp, tf, sig, &info);
	}
	settle_restart(lp, tf, NULL);
	if (lp->lwp_flags & LWPF_OLDMASK) {
		atomic_fetch_and(&lp->lwp_flags, ~LWPF_OLDMASK);
		sig_setmask(lp->lwp_oldmask);
	}
}

void
user_ast(struct trapframe *tf)
{
	struct lwp *lp = curlwp();

	atomic_fetch_and(&mycpu->gd_reqflags, ~RQF_AST);
	usched_ast();
	while (atomic_load(&lp->lwp_flags) & LWPF_AST) {
		atomic_fetch_and(&lp->lwp_flags, ~LWPF_AST);
		sig_deliver(tf);
	}
}
