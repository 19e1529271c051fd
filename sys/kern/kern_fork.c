/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * New processes and new threads: everything that clone(2) can ask for.
 *
 * A child is built completely while nobody can see it; proc_link() and
 * lwp_link_locked() then publish it, and only then is it scheduled.  A vforked
 * child shares the parent's address space and the parent sleeps, deaf to
 * signals but SIGKILL, until the child execs or exits.
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

enum {
	CLONE_VM = 0x100, CLONE_FS = 0x200, CLONE_FILES = 0x400,
	CLONE_SIGHAND = 0x800, CLONE_PIDFD = 0x1000, CLONE_PTRACE = 0x2000,
	CLONE_VFORK = 0x4000, CLONE_PARENT = 0x8000, CLONE_THREAD = 0x10000,
	CLONE_NEWNS = 0x20000, CLONE_SYSVSEM = 0x40000,
	CLONE_SETTLS = 0x80000, CLONE_PARENT_SETTID = 0x100000,
	CLONE_CHILD_CLEARTID = 0x200000, CLONE_DETACHED = 0x400000,
	CLONE_UNTRACED = 0x800000, CLONE_CHILD_SETTID = 0x1000000,
	CLONE_NEWSPACES = 0x7e020000,	/* namespaces: not here */
};

static int
clone_check(uint64_t flags)
{
	if (flags & (CLONE_NEWSPACES | CLONE_PIDFD))
		return EINVAL;
	if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
		return EINVAL;
	if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
		return EINVAL;
	if ((flags & 0xff) > NSIG)
		return EINVAL;
	return 0;
}

/* The first thing a new thread does, in its own address space. */
static void
lwp_started(struct lwp *lp, const struct fork_args *fa, struct trapframe *tf)
{
	*tf = *fa->fa_frame;
	tf->tf_rax = 0;
	if (fa->fa_stack != 0)
		tf->tf_rsp = fa->fa_stack;
	lp->lwp_clear_tid = fa->fa_flags & CLONE_CHILD_CLEARTID ?
	    fa->fa_ctid : 0;
}

static void
lwp_start(void *arg)
{
	md_user_return(((struct lwp *)arg)->lwp_frame);
}

/* Thread and machine state of lp, a copy of the current thread's. */
static int
lwp_build(struct lwp *lp, const struct fork_args *fa)
{
	struct lwp *self = curlwp();
	struct trapframe tf;
	struct thread *td;
	int error;

	error = lwkt_create(lwp_start, lp, &td, TDPRI_USER, usched_choose_cpu(),
	    "%s", lp->lwp_proc->p_comm);
	if (error)
		return error;
	lp->lwp_thread = td;
	td->td_lwp = lp;
	lp->lwp_sigmask = self->lwp_flags & LWPF_OLDMASK ?
	    self->lwp_oldmask : self->lwp_sigmask;
	memcpy(lp->lwp_comm, self->lwp_comm, sizeof(lp->lwp_comm));
	if (!(fa->fa_flags & CLONE_VM) || (fa->fa_flags & CLONE_VFORK)) {
		lp->lwp_sigstk_sp = self->lwp_sigstk_sp;
		lp->lwp_sigstk_size = self->lwp_sigstk_size;
		lp->lwp_sigstk_flags = self->lwp_sigstk_flags;
	}
	lwp_started(lp, fa, &tf);
	md_lwp_setup(td, &tf);
	md_fpu_clone(td);
	lp->lwp_frame = md_lwp_frame(td);
	md_set_fsbase(td, fa->fa_flags & CLONE_SETTLS ? fa->fa_tls :
	    md_get_fsbase(curthread));
	md_set_gsbase(td, md_get_gsbase(curthread));
	return 0;
}

/* Store the new tid in the child's memory. */
static void
store_tid(struct vm_map *map, vm_offset_t uaddr, pid_t tid)
{
	(void)vm_map_access(map, uaddr, &tid, sizeof(tid), true);
}

static int
fork_thread(const struct fork_args *fa, pid_t *tidp)
{
	struct proc *p = curproc();
	struct lwp *lp = lwp_alloc(p);
	int error;

	if ((error = lwp_build(lp, fa)) != 0) {
		lwp_free(lp);
		return error;
	}
	*tidp = lp->lwp_tid;
	if (fa->fa_flags & CLONE_PARENT_SETTID)
		store_tid(p->p_vm, fa->fa_ptid, lp->lwp_tid);
	if (fa->fa_flags & CLONE_CHILD_SETTID)
		store_tid(p->p_vm, fa->fa_ctid, lp->lwp_tid);
	spin_lock(&proc_spin);
	lwp_link_locked(lp);
	/* The process may be ending or stopping: the newcomer looks. */
	if (p->p_flags & (PF_EXITING | PF_SINGLE | PF_STOPPING))
		lwp_need_ast(lp);
	spin_unlock(&proc_spin);
	lwkt_schedule(lp->lwp_thread);
	return 0;
}

/* Everything of the parent that the child has its own copy or share of. */
static int
copy_resources(struct proc *p, struct proc *c, uint64_t flags)
{
	if (flags & CLONE_VM) {
		vm_map_ref(p->p_vm);
		c->p_vm = p->p_vm;
	} else if ((c->p_vm = vm_map_fork(p->p_vm)) == NULL) {
		return ENOMEM;
	}
	c->p_fd = flags & CLONE_FILES ? filedesc_share(p->p_fd) :
	    filedesc_copy(p->p_fd);
	c->p_fs = flags & CLONE_FS ? procfs_ctx_share(p->p_fs) :
	    procfs_ctx_copy(p->p_fs);
	if (flags & CLONE_SIGHAND) {
		atomic_fetch_add(&p->p_sigacts->sa_refs, 1);
		c->p_sigacts = p->p_sigacts;
	} else {
		c->p_sigacts = sigacts_copy(p->p_sigacts);
	}
	lock_shared(&p->p_lock);
	c->p_cred = cred_hold(p->p_cred);
	c->p_exe = p->p_exe;
	if (c->p_exe != NULL)
		vn_ref(c->p_exe);
	if (nc_isset(&p->p_exench))
		nc_copy(&p->p_exench, &c->p_exench);
	lock_release(&p->p_lock);
	memcpy(c->p_comm, p->p_comm, sizeof(c->p_comm));
	memcpy(c->p_rlimit, p->p_rlimit, sizeof(c->p_rlimit));
	c->p_argstart = p->p_argstart;
	c->p_argend = p->p_argend;
	c->p_envstart = p->p_envstart;
	c->p_envend = p->p_envend;
	c->p_auxv = p->p_auxv;
	c->p_auxvlen = p->p_auxvlen;
	c->p_nice = p->p_nice;
	c->p_personality = p->p_personality;
	c->p_flags = p->p_flags & PF_SUGID;
	return 0;
}

static void
vfork_wait(struct proc *c)
{
	for (;;) {
		tsleep_interlock(&c->p_flags);
		if ((atomic_load(&c->p_flags) & PF_VFORKED) == 0)
			break;
		tsleep(&c->p_flags, PINTERLOCKED, "vfork", 0);
	}
	tsleep_remove();
}

/* The child of a vfork has its own address space, or none. */
void
proc_exec_vfork_done(struct proc *p)
{
	if (atomic_fetch_and(&p->p_flags, ~PF_VFORKED) & PF_VFORKED)
		wakeup(&p->p_flags);
}

static int
nproc_check(struct proc *p)
{
	uint64_t lim = p->p_rlimit[RLIMIT_NPROC][0], n = 0;
	struct proc *q;

	if (lim == RLIM_INFINITY || cred_capable(p->p_cred, CAP_SYS_RESOURCE))
		return 0;
	spin_lock(&proc_spin);
	TAILQ_FOREACH(q, &allproc, p_all)
		n += q->p_cred != NULL &&
		    q->p_cred->cr_ruid == p->p_cred->cr_ruid;
	spin_unlock(&proc_spin);
	return n >= lim ? EAGAIN : 0;
}

int
proc_fork(const struct fork_args *fa, pid_t *pidp)
{
	struct proc *p = curproc(), *c, *parent;
	struct lwp *lp;
	int error;

	if ((error = clone_check(fa->fa_flags)) != 0)
		return error;
	if (fa->fa_flags & CLONE_THREAD)
		return fork_thread(fa, pidp);
	if ((error = nproc_check(p)) != 0)
		return error;
	c = proc_alloc();
	lp = lwp_alloc(c);
	error = copy_resources(p, c, fa->fa_flags);
	if (error == 0)
		error = lwp_build(lp, fa);
	if (error) {
		proc_free_resources(c);
		lwp_free(lp);
		proc_rele(c);
		return error;
	}
	c->p_exitsig = fa->fa_flags & 0xff;
	*pidp = c->p_pid;
	if (fa->fa_flags & CLONE_VFORK)
		atomic_fetch_or(&c->p_flags, PF_VFORKED);
	if (fa->fa_flags & CLONE_PARENT_SETTID)
		store_tid(p->p_vm, fa->fa_ptid, c->p_pid);
	if (fa->fa_flags & CLONE_CHILD_SETTID)
		store_tid(c->p_vm, fa->fa_ctid, c->p_pid);
	spin_lock(&proc_spin);
	c->p_state = PS_ACTIVE;
	lwp_link_locked(lp);
	parent = fa->fa_flags & CLONE_PARENT && p->p_parent ? p->p_parent : p;
	spin_unlock(&proc_spin);
	proc_ref(c);
	proc_link(c, parent, p->p_pgrp);
	lwkt_schedule(lp->lwp_thread);
	if (fa->fa_flags & CLONE_VFORK)
		vfork_wait(c);
	proc_rele(c);
	return 0;
}

/* ---- system calls ---- */

syscall_fn sys_fork, sys_vfork, sys_clone, sys_clone3, sys_set_tid_address;

static int
do_fork(struct fork_args *fa, struct syscall_args *sa)
{
	pid_t pid = 0;
	int error;

	fa->fa_frame = sa->frame;
	error = proc_fork(fa, &pid);
	sa->result = pid;
	return error;
}

int
sys_fork(struct syscall_args *sa)
{
	struct fork_args fa = { .fa_flags = SIGCHLD };

	return do_fork(&fa, sa);
}

int
sys_vfork(struct syscall_args *sa)
{
	struct fork_args fa = { .fa_flags = CLONE_VM | CLONE_VFORK | SIGCHLD };

	return do_fork(&fa, sa);
}

/* clone(flags, stack, parent_tid, child_tid, tls) */
int
sys_clone(struct syscall_args *sa)
{
	struct fork_args fa = {
		.fa_flags = (uint32_t)sa->a[0], .fa_stack = sa->a[1],
		.fa_ptid = sa->a[2], .fa_ctid = sa->a[3], .fa_tls = sa->a[4],
	};

	return do_fork(&fa, sa);
}

int
sys_clone3(struct syscall_args *sa)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal,
		    stack, stack_size, tls, set_tid, set_tid_size, cgroup;
	} ca;
	struct fork_args fa;
	int error;

	if (sa->a[1] < 64 || sa->a[1] > PAGE_SIZE)
		return sa->a[1] > PAGE_SIZE ? E2BIG : EINVAL;
	memset(&ca, 0, sizeof(ca));
	error = copyin(sa->a[0], &ca, MIN(sa->a[1], sizeof(ca)));
	if (error)
		return error;
	if (ca.set_tid_size != 0 || ca.exit_signal > NSIG ||
	    (ca.flags & 0xff) != 0 || ca.flags >> 32 ||
	    (ca.stack == 0) != (ca.stack_size == 0))
		return EINVAL;
	if ((ca.flags & (CLONE_THREAD | CLONE_PARENT)) && ca.exit_signal)
		return EINVAL;
	memset(&fa, 0, sizeof(fa));
	fa.fa_flags = ca.flags | ca.exit_signal;
	fa.fa_stack = ca.stack ? ca.stack + ca.stack_size : 0;
	fa.fa_ptid = ca.parent_tid;
	fa.fa_ctid = ca.child_tid;
	fa.fa_tls = ca.tls;
	return do_fork(&fa, sa);
}

int
sys_set_tid_address(struct syscall_args *sa)
{
	struct lwp *lp = curlwp();

	lp->lwp_clear_tid = sa->a[0];
	sa->result = lp->lwp_tid;
	return 0;
}
