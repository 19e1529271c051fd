/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of threads and processes, and waiting for it.
 *
 * X1  Whoever sets PF_EXITING first decides the wait status; every lwp then
 *     ends at its user boundary.  The last one tears the process down.
 * X2  A zombie is made in one step under proc_spin: children handed on, the
 *     parent told.  After that only the reaper touches the proc.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/file.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/syscall.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vnode.h>
#include <cpu/frame.h>
#include <vm/vm_map.h>

enum { WNOHANG = 1, WUNTRACED = 2, WEXITED = 4, WCONTINUED = 8,
       WNOWAIT = 0x01000000 };
enum { P_ALL = 0, P_PID = 1, P_PGID = 2 };

/* Close, unmap and forget; also for a child that was never born. */
void
proc_free_resources(struct proc *p)
{
	struct vm_map *map;
	struct vnode *exe;

	if (p->p_fd != NULL)
		filedesc_rele(p->p_fd);
	p->p_fd = NULL;
	lock_excl(&p->p_lock);
	map = p->p_vm;
	p->p_vm = NULL;
	exe = p->p_exe;
	p->p_exe = NULL;
	if (nc_isset(&p->p_exench))
		nc_drop(&p->p_exench);
	lock_release(&p->p_lock);
	if (map != NULL)
		vm_map_rele(map);
	if (exe != NULL)
		vn_rele(exe);
	if (p->p_fs != NULL)
		procfs_ctx_rele(p->p_fs);
	p->p_fs = NULL;
	if (p->p_sigacts != NULL)
		sigacts_rele(p->p_sigacts);
	spin_lock(&proc_spin);
	p->p_sigacts = NULL;
	spin_unlock(&proc_spin);
}

/* All lwps of p but the current one: look up, you are to end. */
static void
proc_rouse_others(struct proc *p)
{
	struct lwp *lp;

	LIST_FOREACH(lp, &p->p_lwps, lwp_list) {
		if (lp == curlwp())
			continue;
		lwp_need_ast(lp);
		tsleep_signal(lp->lwp_thread);
	}
	wakeup(&p->p_nstopped);
}

void
proc_exit(int status)
{
	struct proc *p = curproc();

	spin_lock(&proc_spin);
	if ((p->p_flags & PF_EXITING) == 0) {
		p->p_xstat = status;
		atomic_fetch_or(&p->p_flags, PF_EXITING);
		proc_rouse_others(p);
	}
	spin_unlock(&proc_spin);
	lwp_exit();
}

void
lwp_exit_check(void)
{
	struct lwp *lp = curlwp();
	struct proc *p = lp->lwp_proc;
	uint32_t flags = atomic_load(&p->p_flags);

	if ((flags & PF_EXITING) ||
	    ((flags & PF_SINGLE) && p->p_single != lp))
		lwp_exit();
}

/* Wait until the others are gone (exec). */
int
proc_single(struct proc *p)
{
	spin_lock(&proc_spin);
	if (p->p_flags & (PF_EXITING | PF_SINGLE)) {
		spin_unlock(&proc_spin);
		return EINTR;
	}
	if (p->p_nlwps > 1) {
		p->p_single = curlwp();
		atomic_fetch_or(&p->p_flags, PF_SINGLE);
		proc_rouse_others(p);
		while (p->p_nlwps > 1) {
			ssleep(&p->p_nlwps, &proc_spin, 0, "single", 0);
			spin_lock(&proc_spin);
		}
		atomic_fetch_and(&p->p_flags, ~PF_SINGLE);
		p->p_single = NULL;
	}
	if (curlwp()->lwp_tid != p->p_pid)
		lwp_rename_locked(curlwp(), p->p_pid);
	spin_unlock(&proc_spin);
	return 0;
}

static struct proc *
reaper_of(struct proc *p)
{
	struct proc *q;

	for (q = p->p_parent; q != NULL; q = q->p_parent)
		if (q->p_subreaper && !(q->p_flags & PF_EXITING))
			return q;
	return initproc;
}

static void
reparent_children(struct proc *p)
{
	struct proc *c, *r = reaper_of(p);
	bool zombie = false;

	while ((c = LIST_FIRST(&p->p_children)) != NULL) {
		LIST_REMOVE(c, p_sibling);
		LIST_INSERT_HEAD(&r->p_children, c, p_sibling);
		c->p_parent = r;
		if (c->p_pdeathsig != 0)
			psignal_locked(c, c->p_pdeathsig, NULL);
		if (c->p_state == PS_ZOMBIE) {
			c->p_exitsig = SIGCHLD;
			zombie = true;
		}
	}
	if (zombie) {
		psignal_locked(r, SIGCHLD, NULL);
		wakeup(r);
	}
}

/* SIGCHLD and its siginfo; true if the parent does not want to wait. */
static bool
notify_parent_exit(struct proc *p)
{
	struct proc *pp = p->p_parent;
	const struct ksigaction *ka;
	struct ksiginfo ksi = {
		.ksi_pid = p->p_pid, .ksi_uid = p->p_cred->cr_ruid,
		.ksi_code = p->p_xstat & 0x7f ? CLD_KILLED : CLD_EXITED,
		.ksi_status = p->p_xstat & 0x7f ? p->p_xstat & 0x7f :
		    (p->p_xstat >> 8) & 0xff,
	};
	bool unwanted = false;

	if (pp->p_sigacts != NULL && p->p_exitsig == SIGCHLD) {
		ka = &pp->p_sigacts->sa_act[SIGCHLD];
		unwanted = ka->sa_handler == SIG_IGN ||
		    (ka->sa_flags & SA_NOCLDWAIT);
	}
	if (p->p_exitsig != 0)
		psignal_locked(pp, p->p_exitsig, &ksi);
	wakeup(pp);
	return unwanted;
}

/* The last lwp, all resources gone: become a zombie. */
static void
proc_bury(struct proc *p, struct lwp *lp)
{
	struct pgrp *pg = NULL;
	bool unwanted;

	spin_lock(&proc_spin);
	rusage_lwp(lp, &p->p_ru);
	lwp_unlink_locked(lp);
	sig_flush(&p->p_siginfo);
	sig_flush(&lp->lwp_siginfo);
	p->p_state = PS_ZOMBIE;
	pgrp_check_orphan(p);
	reparent_children(p);
	unwanted = notify_parent_exit(p);
	if (unwanted) {
		rusage_add(&p->p_parent->p_cru, &p->p_ru);
		pg = proc_setpgrp_locked(p, NULL);
		proc_unlink_locked(p);
	}
	/* From here on the parent may free p: a switch must not look at it. */
	curthread->td_lwp = NULL;
	spin_unlock(&proc_spin);
	if (unwanted) {
		if (pg != NULL)
			pgrp_rele(pg);
		proc_rele(p);
	}
}

static void
proc_teardown(struct proc *p)
{
	struct session *s;
	bool leader;

	if (p == initproc)
		panic("init died: status %#x", p->p_xstat);
	itimer_exit(p);
	spin_lock(&proc_spin);
	s = p->p_pgrp->pg_session;
	leader = s->s_leader == p;
	if (leader)
		s->s_leader = NULL;
	spin_unlock(&proc_spin);
	if (leader)
		tty_session_exit(s);
	proc_free_resources(p);
	proc_exec_vfork_done(p);
}

void
lwp_exit(void)
{
	struct thread *td = curthread;
	struct lwp *lp = td->td_lwp;
	struct proc *p = lp->lwp_proc;
	bool last;

	futex_exit(lp);
	spin_lock(&proc_spin);
	atomic_fetch_or(&lp->lwp_flags, LWPF_EXITING);
	last = p->p_nlwps == 1;
	if (last) {
		if ((p->p_flags & PF_EXITING) == 0)
			atomic_fetch_or(&p->p_flags, PF_EXITING);
	} else {
		rusage_lwp(lp, &p->p_ru);
		lwp_unlink_locked(lp);
		sig_flush(&lp->lwp_siginfo);
		sig_stop_check_locked(p);
		wakeup(&p->p_nlwps);
		td->td_lwp = NULL;	/* as in proc_bury() */
	}
	spin_unlock(&proc_spin);
	if (last) {
		proc_teardown(p);
		proc_bury(p, lp);
	}
	md_fpu_free(td);
	lwp_free(lp);
	lwkt_exit();
}

/* ---- system calls ---- */

syscall_fn sys_exit, sys_exit_group, sys_wait4, sys_waitid;

int
sys_exit(struct syscall_args *sa)
{
	struct proc *p = curproc();

	spin_lock(&proc_spin);
	if (p->p_nlwps == 1 && !(p->p_flags & PF_EXITING))
		p->p_xstat = ((int)sa->a[0] & 0xff) << 8;
	spin_unlock(&proc_spin);
	lwp_exit();
}

int
sys_exit_group(struct syscall_args *sa)
{
	proc_exit(((int)sa->a[0] & 0xff) << 8);
}

struct wait_args {
	int		 wa_type;	/* P_* */
	pid_t		 wa_id;
	int		 wa_options;
	/* out */
	pid_t		 wa_pid;
	uid_t		 wa_uid;
	int		 wa_status;	/* wait status */
	struct rusage_sum wa_ru;
};

static bool
wait_matches(const struct proc *c, const struct wait_args *wa)
{
	switch (wa->wa_type) {
	case P_PID:
		return c->p_pid == wa->wa_id;
	case P_PGID:
		return c->p_pgrp != NULL && c->p_pgrp->pg_id == wa->wa_id;
	default:
		return true;
	}
}

/* Has c something to say?  proc_spin held. */
static bool
wait_event(struct proc *c, struct wait_args *wa)
{
	bool take = (wa->wa_options & WNOWAIT) == 0;

	if (c->p_state == PS_ZOMBIE && (wa->wa_options & WEXITED)) {
		wa->wa_status = c->p_xstat;
	} else if ((wa->wa_options & WUNTRACED) &&
	    c->p_state == PS_STOPPED && (c->p_flags & PF_STOPNOTE)) {
		wa->wa_status = c->p_xstat;
		if (take)
			atomic_fetch_and(&c->p_flags, ~PF_STOPNOTE);
	} else if ((wa->wa_options & WCONTINUED) &&
	    (c->p_flags & PF_CONTNOTE)) {
		wa->wa_status = 0xffff;
		if (take)
			atomic_fetch_and(&c->p_flags, ~PF_CONTNOTE);
	} else {
		return false;
	}
	wa->wa_pid = c->p_pid;
	wa->wa_uid = c->p_cred->cr_ruid;
	rusage_proc_locked(c, &wa->wa_ru);
	rusage_add(&wa->wa_ru, &c->p_cru);
	return true;
}

/* proc_spin held; lets go of it. */
static void
reap(struct proc *p, struct proc *c)
{
	struct pgrp *pg;

	rusage_add(&p->p_cru, &c->p_ru);
	rusage_add(&p->p_cru, &c->p_cru);
	pg = proc_setpgrp_locked(c, NULL);
	proc_unlink_locked(c);
	spin_unlock(&proc_spin);
	if (pg != NULL)
		pgrp_rele(pg);
	proc_rele(c);
}

/*
 * Blocks.  0 with wa_pid 0: nothing yet (WNOHANG).  ECHILD, ERESTART.
 */
static int
proc_wait(struct wait_args *wa)
{
	struct proc *p = curproc(), *c;
	bool any;
	int error;

	wa->wa_pid = 0;
	memset(&wa->wa_ru, 0, sizeof(wa->wa_ru));
	spin_lock(&proc_spin);
	for (;;) {
		any = false;
		LIST_FOREACH(c, &p->p_children, p_sibling) {
			if (!wait_matches(c, wa))
				continue;
			any = true;
			if (!wait_event(c, wa))
				continue;
			if (c->p_state == PS_ZOMBIE &&
			    !(wa->wa_options & WNOWAIT))
				reap(p, c);
			else
				spin_unlock(&proc_spin);
			return 0;
		}
		if (!any || (wa->wa_options & WNOHANG))
			break;
		error = ssleep(p, &proc_spin, PCATCH, "wait", 0);
		if (error)
			return error;
		spin_lock(&proc_spin);
	}
	spin_unlock(&proc_spin);
	return any ? 0 : ECHILD;
}

int
sys_wait4(struct syscall_args *sa)
{
	pid_t pid = (pid_t)sa->a[0];
	struct wait_args wa = {
		.wa_type = pid > 0 ? P_PID : pid == -1 ? P_ALL : P_PGID,
		.wa_id = pid > 0 ? pid : pid == 0 ?
		    curproc()->p_pgrp->pg_id : -pid,
		.wa_options = ((int)sa->a[2] &
		    (WNOHANG | WUNTRACED | WCONTINUED)) | WEXITED,
	};
	int error;

	if (sa->a[2] & ~0xe000000bULL & 0xffffffff)
		return EINVAL;
	if ((error = proc_wait(&wa)) != 0)
		return error;
	sa->result = wa.wa_pid;
	if (wa.wa_pid == 0)
		return 0;
	if (sa->a[1] != 0 && (error = copyout(&wa.wa_status, sa->a[1],
	    sizeof(wa.wa_status))) != 0)
		return error;
	return sa->a[3] ? copyout_rusage(&wa.wa_ru, sa->a[3]) : 0;
}

int
sys_waitid(struct syscall_args *sa)
{
	struct wait_args wa = {
		.wa_type = (int)sa->a[0], .wa_id = (pid_t)sa->a[1],
		.wa_options = (int)sa->a[3],
	};
	struct ksiginfo ksi;
	uint8_t buf[128];
	int error, st;

	if (sa->a[0] > P_PGID || (wa.wa_options & ~(WNOHANG | WUNTRACED |
	    WEXITED | WCONTINUED | WNOWAIT | (int)0xe0000000)) ||
	    !(wa.wa_options & (WUNTRACED | WEXITED | WCONTINUED)))
		return EINVAL;
	if (wa.wa_type == P_PGID && wa.wa_id == 0)
		wa.wa_id = curproc()->p_pgrp->pg_id;
	if ((error = proc_wait(&wa)) != 0)
		return error;
	memset(&ksi, 0, sizeof(ksi));
	memset(buf, 0, sizeof(buf));
	if (wa.wa_pid != 0) {
		st = wa.wa_status;
		ksi.ksi_pid = wa.wa_pid;
		ksi.ksi_uid = wa.wa_uid;
		if (st == 0xffff) {
			ksi.ksi_code = CLD_CONTINUED;
			ksi.ksi_status = SIGCONT;
		} else if ((st & 0xff) == 0x7f) {
			ksi.ksi_code = CLD_STOPPED;
			ksi.ksi_status = st >> 8;
		} else {
			ksi.ksi_code = st & 0x7f ? CLD_KILLED : CLD_EXITED;
			ksi.ksi_status = st & 0x7f ? st & 0x7f : st >> 8;
		}
		sig_to_siginfo(SIGCHLD, &ksi, buf);
	}
	if (sa->a[2] != 0 && (error = copyout(buf, sa->a[2], 128)) != 0)
		return error;
	if (wa.wa_pid != 0 && sa->a[4] != 0)
		return copyout_rusage(&wa.wa_ru, sa->a[4]);
	return 0;
}
