/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions of user programs: page faults, and everything that is a signal. */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <cpu/frame.h>
#include <vm/vm_map.h>

/*
 * No memory for a page of the current process: the largest process ends, so
 * that the others can go on.  The fault is tried again.
 */
static void
out_of_memory(void)
{
	struct proc *p, *big = NULL;
	uint64_t n, most = 0;
	bool dying = false;

	spin_lock(&proc_spin);
	TAILQ_FOREACH(p, &allproc, p_all) {
		if (p == initproc || p->p_state == PS_ZOMBIE ||
		    p->p_vm == NULL)
			continue;
		if (p->p_flags & PF_OOM)
			dying = true;
		n = p->p_vm->vm_anon.va_count;
		if (n >= most && !(p->p_flags & PF_OOM)) {
			most = n;
			big = p;
		}
	}
	if (big != NULL && !dying) {
		atomic_fetch_or(&big->p_flags, PF_OOM);
		kprintf("out of memory: killing %s (pid %d, %lu KB)\n",
		    big->p_comm, big->p_pid, (unsigned long)most * 4);
		psignal_locked(big, SIGKILL, NULL);
	}
	spin_unlock(&proc_spin);
	tsleep(&allproc, 0, "oom", 10 * 1000 * 1000);
}

static void
page_fault(struct proc *p, uint64_t err, uint64_t addr)
{
	int prot, error;

	if (err & PGEX_I)
		prot = VM_PROT_EXEC;
	else if (err & PGEX_W)
		prot = VM_PROT_WRITE;
	else
		prot = VM_PROT_READ;
	error = vm_fault(p->p_vm, addr, prot);
	switch (error) {
	case 0:
		atomic_store_relaxed(&p->p_minflt, p->p_minflt + 1);
		break;
	case EFAULT:
		sig_trap(SIGSEGV, SEGV_MAPERR, addr);
		break;
	case EACCES:
		sig_trap(SIGSEGV, SEGV_ACCERR, addr);
		break;
	case ENOMEM:
		out_of_memory();
		break;
	default:
		sig_trap(SIGBUS, BUS_ADRERR, addr);
		break;
	}
}

void
user_trap(struct trapframe *tf, int trapno, uint64_t err, uint64_t addr)
{
	struct lwp *lp = curthread->td_lwp;

	lp->lwp_insys = true;
	switch (trapno) {
	case T_PAGEFLT:
		page_fault(lp->lwp_proc, err, addr);
		break;
	case T_DIVIDE:
		sig_trap(SIGFPE, FPE_INTDIV, tf->tf_rip);
		break;
	case T_OVERFLOW:
		sig_trap(SIGSEGV, SI_KERNEL, 0);
		break;
	case T_FPE:
	case T_SIMD:
		sig_trap(SIGFPE, FPE_FLTINV, tf->tf_rip);
		break;
	case T_DEBUG:
		sig_trap(SIGTRAP, TRAP_TRACE, tf->tf_rip);
		break;
	case T_BREAKPOINT:
		sig_trap(SIGTRAP, SI_KERNEL, 0);
		break;
	case T_INVOP:
	case T_NOFPU:
		sig_trap(SIGILL, ILL_ILLOPN, tf->tf_rip);
		break;
	case T_ALIGN:
		sig_trap(SIGBUS, BUS_ADRALN, tf->tf_rip);
		break;
	default:			/* GPF, stack, bounds, segments */
		sig_trap(SIGSEGV, SI_KERNEL, 0);
		break;
	}
	lp->lwp_insys = false;
	if (__builtin_expect(lp->lwp_flags & LWPF_AST, 0))
		atomic_fetch_or(&mycpu->gd_reqflags, RQF_AST);
}
