/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions of user programs: page faults, and everything that is a signal. */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <cpu/frame.h>
#include <vm/vm_map.h>

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
	case ENOMEM:			/* and nothing left to kill */
		sig_trap(SIGKILL, SI_KERNEL, 0);
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
