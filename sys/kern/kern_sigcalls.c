/* SPDX-License-Identifier: BSD-2-Clause */
/* The signal system calls: dispositions, masks, waiting, sending. */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/proc.h>
#include <sys/syscall.h>
#include <sys/systm.h>
#include <sys/time.h>
#include <sys/ucred.h>

syscall_fn sys_rt_sigaction, sys_rt_sigprocmask, sys_rt_sigpending,
    sys_rt_sigsuspend, sys_rt_sigtimedwait, sys_sigaltstack, sys_pause,
    sys_kill, sys_tkill, sys_tgkill, sys_rt_sigqueueinfo,
    sys_rt_tgsigqueueinfo;

/* siginfo_t as it lies in user memory, by the parts that are used. */
struct linux_siginfo {
	int32_t		si_signo, si_errno, si_code, si_pad;
	union {
		struct {
			int32_t	 pid;
			uint32_t uid;
			uint64_t value;
		} q;
		struct {
			int32_t	 pid;
			uint32_t uid;
			int32_t	 status, pad;
			int64_t	 utime, stime;
		} c;
		struct { int32_t tid, overrun; uint64_t value; } t;
		uint64_t addr;
		uint8_t	 room[112];
	} u;
};
_Static_assert(sizeof(struct linux_siginfo) == 128, "siginfo_t");

/* Fill 128 bytes of a siginfo_t. */
void
sig_to_siginfo(int sig, const struct ksiginfo *ksi, void *out)
{
	struct linux_siginfo *si = out;

	memset(si, 0, sizeof(*si));
	si->si_signo = sig;
	si->si_code = ksi->ksi_code;
	si->si_errno = ksi->ksi_errno;
	if (ksi->ksi_code == SI_TIMER) {
		si->u.t.tid = ksi->ksi_pid;
		si->u.t.value = ksi->ksi_value;
	} else if (ksi->ksi_code <= 0 || ksi->ksi_code == SI_KERNEL) {
		si->u.q.pid = ksi->ksi_pid;
		si->u.q.uid = ksi->ksi_uid;
		si->u.q.value = ksi->ksi_value;
	} else if (sig == SIGCHLD) {
		si->u.c.pid = ksi->ksi_pid;
		si->u.c.uid = ksi->ksi_uid;
		si->u.c.status = ksi->ksi_status;
		si->u.c.utime = ksi->ksi_utime;
		si->u.c.stime = ksi->ksi_stime;
	} else {
		si->u.addr = ksi->ksi_addr;
	}
}

int
sys_rt_sigaction(struct syscall_args *sa)
{
	struct proc *p = curproc();
	struct ksigaction new, old, *ka;
	int sig = (int)sa->a[0], error;
	bool set = sa->a[1] != 0;

	if (sa->a[3] != 8 || sig < 1 || sig > NSIG)
		return EINVAL;
	if (set && (sig == SIGKILL || sig == SIGSTOP))
		return EINVAL;
	if (set && (error = copyin(sa->a[1], &new, sizeof(new))) != 0)
		return error;
	ka = &p->p_sigacts->sa_act[sig];
	spin_lock(&proc_spin);
	old = *ka;
	if (set) {
		new.sa_mask &= ~SIG_CANTMASK;
		*ka = new;
		if (new.sa_handler == SIG_IGN || (new.sa_handler == SIG_DFL &&
		    (sig == SIGCHLD || sig == SIGCONT || sig == SIGURG ||
		    sig == SIGWINCH)))
			sig_discard_locked(p, SIGBIT(sig));
	}
	spin_unlock(&proc_spin);
	return sa->a[2] ? copyout(&old, sa->a[2], sizeof(old)) : 0;
}

int
sys_rt_sigprocmask(struct syscall_args *sa)
{
	struct lwp *lp = curlwp();
	uint64_t old = lp->lwp_sigmask, set;
	int error;

	if (sa->a[3] != 8)
		return EINVAL;
	if (sa->a[1] != 0) {
		if ((error = copyin(sa->a[1], &set, 8)) != 0)
			return error;
		switch ((int)sa->a[0]) {
		case 0:			/* SIG_BLOCK */
			set |= old;
			break;
		case 1:			/* SIG_UNBLOCK */
			set = old & ~set;
			break;
		case 2:			/* SIG_SETMASK */
			break;
		default:
			return EINVAL;
		}
		sig_setmask(set);
	}
	return sa->a[2] ? copyout(&old, sa->a[2], 8) : 0;
}

int
sys_rt_sigpending(struct syscall_args *sa)
{
	struct lwp *lp = curlwp();
	uint64_t set;

	if (sa->a[1] > 8)
		return EINVAL;
	set = (lp->lwp_sigpend | lp->lwp_proc->p_sigpend) & lp->lwp_sigmask;
	return copyout(&set, sa->a[0], sa->a[1]);
}

/* Sleep until a signal is there; never returns 0. */
static int
sig_pause(void)
{
	int error;

	do {
		error = tsleep(curlwp(), PCATCH, "pause", 0);
	} while (error == 0 && (error = sig_pending_error()) == 0);
	return ERESTARTNOHAND;
}

int
sys_pause(struct syscall_args *sa __unused)
{
	return sig_pause();
}

int
sys_rt_sigsuspend(struct syscall_args *sa)
{
	uint64_t mask;
	int error;

	if (sa->a[1] != 8)
		return EINVAL;
	if ((error = copyin(sa->a[0], &mask, 8)) != 0)
		return error;
	sig_tempmask(mask);
	return sig_pause();
}

int
sys_rt_sigtimedwait(struct syscall_args *sa)
{
	struct lwp *lp = curlwp();
	struct ksiginfo info;
	uint8_t buf[128];
	uint64_t set;
	nsec_t timo = 0, deadline = 0, now;
	int error, sig;

	if (sa->a[3] != 8)
		return EINVAL;
	if ((error = copyin(sa->a[0], &set, 8)) != 0)
		return error;
	set &= ~SIG_CANTMASK;
	if (sa->a[2] != 0) {
		if ((error = copyin_timespec(sa->a[2], &timo)) != 0)
			return error;
		deadline = clock_mono_ns() + timo;
	}
	spin_lock(&proc_spin);
	lp->lwp_sigwait = set;
	spin_unlock(&proc_spin);
	for (error = 0;;) {
		sig = sig_take(lp, set, &info);
		if (sig != 0 || error != 0)
			break;
		if (sa->a[2] != 0) {
			now = clock_mono_ns();
			if (now >= deadline) {
				error = EAGAIN;
				break;
			}
			timo = deadline - now;
		}
		error = tsleep(lp, PCATCH, "sigwait", timo);
		if (error == EWOULDBLOCK)
			error = 0;
	}
	spin_lock(&proc_spin);
	lp->lwp_sigwait = 0;
	spin_unlock(&proc_spin);
	if (sig == 0)
		return error == EAGAIN ? EAGAIN : EINTR;
	sa->result = sig;
	if (sa->a[1] == 0)
		return 0;
	sig_to_siginfo(sig, &info, buf);
	return copyout(buf, sa->a[1], sizeof(buf));
}

struct linux_stack {
	uint64_t	ss_sp;
	int32_t		ss_flags, ss_pad;
	uint64_t	ss_size;
};

int
sys_sigaltstack(struct syscall_args *sa)
{
	struct lwp *lp = curlwp();
	struct linux_stack new, old;
	vm_offset_t sp = sig_user_sp(sa->frame);
	bool on;
	int error;

	on = !(lp->lwp_sigstk_flags & SS_DISABLE) &&
	    sp - lp->lwp_sigstk_sp < lp->lwp_sigstk_size;
	memset(&old, 0, sizeof(old));
	old.ss_sp = lp->lwp_sigstk_sp;
	old.ss_size = lp->lwp_sigstk_size;
	old.ss_flags = (int32_t)lp->lwp_sigstk_flags | (on ? SS_ONSTACK : 0);
	if (sa->a[0] != 0) {
		if ((error = copyin(sa->a[0], &new, sizeof(new))) != 0)
			return error;
		if (on)
			return EPERM;
		if (new.ss_flags & ~(SS_DISABLE | SS_ONSTACK |
		    (int32_t)SS_AUTODISARM))
			return EINVAL;
		if (new.ss_flags & SS_DISABLE) {
			new.ss_sp = new.ss_size = 0;
		} else if (new.ss_size < 2048) {
			return ENOMEM;
		}
		lp->lwp_sigstk_sp = new.ss_sp;
		lp->lwp_sigstk_size = new.ss_size;
		lp->lwp_sigstk_flags = (uint32_t)new.ss_flags &
		    (SS_DISABLE | SS_AUTODISARM);
	}
	return sa->a[1] ? copyout(&old, sa->a[1], sizeof(old)) : 0;
}

/* ---- sending ---- */

/* proc_spin held. */
static bool
may_signal(const struct proc *to, int sig)
{
	const struct proc *p = curproc();
	const struct ucred *a = p->p_cred, *b = to->p_cred;

	if (p == to || cred_capable(a, CAP_KILL) ||
	    a->cr_uid == b->cr_ruid || a->cr_uid == b->cr_svuid ||
	    a->cr_ruid == b->cr_ruid || a->cr_ruid == b->cr_svuid)
		return true;
	return sig == SIGCONT && to->p_pgrp != NULL &&
	    to->p_pgrp->pg_session == p->p_pgrp->pg_session;
}

static void
user_info(struct ksiginfo *ksi, int code)
{
	memset(ksi, 0, sizeof(*ksi));
	ksi->ksi_code = code;
	ksi->ksi_pid = curproc()->p_pid;
	ksi->ksi_uid = curcred()->cr_ruid;
}

static int
kill_one_locked(struct proc *p, int sig, const struct ksiginfo *ksi)
{
	if (!may_signal(p, sig))
		return EPERM;
	if (sig != 0)
		psignal_locked(p, sig, ksi);
	return 0;
}

/* To every process of a group, or (pg NULL) all but init and oneself. */
static int
kill_many_locked(struct pgrp *pg, int sig, const struct ksiginfo *ksi)
{
	struct proc *p, *self = curproc();
	int error = ESRCH, e;

	if (pg != NULL) {
		LIST_FOREACH(p, &pg->pg_members, p_pglist) {
			e = kill_one_locked(p, sig, ksi);
			if (e == 0 || error == ESRCH)
				error = e;
		}
		return error;
	}
	TAILQ_FOREACH(p, &allproc, p_all) {
		if (p == initproc || p == self)
			continue;
		e = kill_one_locked(p, sig, ksi);
		if (e == 0 || error == ESRCH)
			error = e;
	}
	return error;
}

int
sys_kill(struct syscall_args *sa)
{
	pid_t pid = (pid_t)sa->a[0];
	int sig = (int)sa->a[1], error = ESRCH;
	struct ksiginfo ksi;
	struct proc *p;
	struct pgrp *pg;

	if (sig < 0 || sig > NSIG)
		return EINVAL;
	user_info(&ksi, SI_USER);
	spin_lock(&proc_spin);
	if (pid > 0) {
		p = proc_find_locked(pid);
		if (p != NULL)
			error = kill_one_locked(p, sig, &ksi);
	} else if (pid == -1) {
		error = kill_many_locked(NULL, sig, &ksi);
	} else {
		pg = pid == 0 ? curproc()->p_pgrp : pgrp_find_locked(-pid);
		if (pg != NULL)
			error = kill_many_locked(pg, sig, &ksi);
	}
	spin_unlock(&proc_spin);
	return error;
}

static int
kill_thread(pid_t tgid, pid_t tid, int sig, const struct ksiginfo *ksi)
{
	struct lwp *lp;
	int error = ESRCH;

	if (tid <= 0 || sig < 0 || sig > NSIG)
		return EINVAL;
	spin_lock(&proc_spin);
	lp = lwp_find_locked(tid);
	if (lp != NULL && (tgid == 0 || lp->lwp_proc->p_pid == tgid)) {
		if (!may_signal(lp->lwp_proc, sig)) {
			error = EPERM;
		} else {
			error = 0;
			if (sig != 0)
				lwp_signal_locked(lp, sig, ksi);
		}
	}
	spin_unlock(&proc_spin);
	return error;
}

int
sys_tkill(struct syscall_args *sa)
{
	struct ksiginfo ksi;

	user_info(&ksi, SI_TKILL);
	return kill_thread(0, (pid_t)sa->a[0], (int)sa->a[1], &ksi);
}

int
sys_tgkill(struct syscall_args *sa)
{
	struct ksiginfo ksi;

	if ((pid_t)sa->a[0] <= 0)
		return EINVAL;
	user_info(&ksi, SI_TKILL);
	return kill_thread((pid_t)sa->a[0], (pid_t)sa->a[1], (int)sa->a[2],
	    &ksi);
}

/* A siginfo made by the user: he may not pretend to be the kernel. */
static int
queue_info(vm_offset_t u, bool self, struct ksiginfo *ksi)
{
	struct linux_siginfo si;
	int error = copyin(u, &si, sizeof(si));

	if (error)
		return error;
	if (!self && (si.si_code >= 0 || si.si_code == SI_TKILL))
		return EPERM;
	memset(ksi, 0, sizeof(*ksi));
	ksi->ksi_code = si.si_code;
	ksi->ksi_errno = si.si_errno;
	ksi->ksi_pid = si.u.q.pid;
	ksi->ksi_uid = si.u.q.uid;
	ksi->ksi_value = si.u.q.value;
	return 0;
}

int
sys_rt_sigqueueinfo(struct syscall_args *sa)
{
	pid_t pid = (pid_t)sa->a[0];
	int sig = (int)sa->a[1], error;
	struct ksiginfo ksi;
	struct proc *p;

	error = queue_info(sa->a[2], pid == curproc()->p_pid, &ksi);
	if (error)
		return error;
	if (sig < 0 || sig > NSIG)
		return EINVAL;
	spin_lock(&proc_spin);
	p = proc_find_locked(pid);
	error = p ? kill_one_locked(p, sig, &ksi) : ESRCH;
	spin_unlock(&proc_spin);
	return error;
}

int
sys_rt_tgsigqueueinfo(struct syscall_args *sa)
{
	struct ksiginfo ksi;
	int error;

	error = queue_info(sa->a[3], (pid_t)sa->a[0] == curproc()->p_pid,
	    &ksi);
	if (error)
		return error;
	if ((pid_t)sa->a[0] <= 0)
		return EINVAL;
	return kill_thread((pid_t)sa->a[0], (pid_t)sa->a[1], (int)sa->a[2],
	    &ksi);
}
