/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads as the machine sees them: first entry, switch, first user entry.
 *
 * TH1 The top sizeof(struct trapframe) bytes of a kernel stack are the user's
 *     registers (cpu/frame.h F1); a thread begins below them.
 * TH2 The switch sets the kernel stack of system calls, the address space,
 *     segment bases and FPU state of a thread with an lwp.  A kernel thread
 *     runs on whatever address space is loaded: it touches no user address.
 */
#include <sys/errno.h>
#include <sys/param.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <platform/machdep.h>
#include <cpu/cpufunc.h>
#include <cpu/frame.h>

#include "pc64.h"

static uint64_t
kstack_top(const struct thread *td)
{
	return (uint64_t)td->td_kstack + KSTACK_SIZE;
}

void
md_thread_init(struct thread *td, void (*fn)(void *), void *arg)
{
	uint64_t *sp;

	td->td_md.md_frame = (struct trapframe *)kstack_top(td) - 1;
	sp = (uint64_t *)td->td_md.md_frame;
	*--sp = 0;				/* end of backtraces */
	*--sp = 0;
	*--sp = (uint64_t)cpu_thread_start;
	*--sp = 0;				/* rbp */
	*--sp = 0;				/* rbx */
	*--sp = (uint64_t)fn;			/* r12 */
	*--sp = (uint64_t)arg;			/* r13 */
	*--sp = 0;				/* r14 */
	*--sp = 0;				/* r15 */
	td->td_md.md_sp = (uint64_t)sp;
}

void
md_thread_free(struct thread *td)
{
	md_fpu_free(td);
}

struct thread *
md_switch(struct thread *from, struct thread *to)
{
	struct globaldata *gd = mycpu;
	struct proc *p;

	if (to->td_lwp != NULL) {
		cpu_set_kstack(gd, kstack_top(to));
		p = to->td_lwp->lwp_proc;
		if (p->p_vm != NULL && p->p_vm->vm_pmap != gd->gd_md.md_pmap)
			pmap_activate(p->p_vm->vm_pmap);
		wrmsr(MSR_FSBASE, to->td_md.md_fsbase);
		wrmsr(MSR_KGSBASE, to->td_md.md_gsbase);
	}
	/*
	 * The registers stay the state of whoever used them last; kernel
	 * threads do not touch them.  Its memory copy is current whenever
	 * it is not on a CPU.
	 */
	if (from->td_md.md_fpu != NULL)
		fpu_save(from->td_md.md_fpu);
	if (to->td_md.md_fpu != NULL)
		fpu_load(to->td_md.md_fpu);
	return cpu_switch_stack(&from->td_md.md_sp, to->td_md.md_sp, from);
}

/* The function of a thread that md_lwp_setup() prepared. */
static void
lwp_start(void *arg __unused)
{
	md_user_return(curthread->td_md.md_frame);
}

void
md_lwp_setup(struct thread *td, const struct trapframe *tf)
{
	td->td_start = lwp_start;
	if (tf != td->td_md.md_frame)
		memcpy(td->td_md.md_frame, tf, sizeof(*tf));
	if (td->td_md.md_fpu == NULL)
		md_fpu_init(td);
}

/*
 * Leave the kernel for good on this stack.  The switch that brought us here
 * may have been before the thread got its lwp, so everything is loaded anew.
 */
void
md_user_return(struct trapframe *tf)
{
	struct thread *td = curthread;
	struct proc *p = td->td_lwp->lwp_proc;

	if (td->td_md.md_fpu == NULL)
		md_fpu_init(td);
	if (tf != td->td_md.md_frame)
		memmove(td->td_md.md_frame, tf, sizeof(*tf));
	KKASSERT(td->td_critcount == 0);
	intr_disable();
	cpu_set_kstack(mycpu, kstack_top(td));
	if (p->p_vm != NULL)
		pmap_activate(p->p_vm->vm_pmap);
	wrmsr(MSR_FSBASE, td->td_md.md_fsbase);
	wrmsr(MSR_KGSBASE, td->td_md.md_gsbase);
	user_return_to(td->td_md.md_frame);
}

int
md_set_fsbase(struct thread *td, uint64_t base)
{
	if (base >= USER_VA_MAX)
		return EPERM;
	td->td_md.md_fsbase = base;
	if (td == curthread)
		wrmsr(MSR_FSBASE, base);
	return 0;
}

int
md_set_gsbase(struct thread *td, uint64_t base)
{
	if (base >= USER_VA_MAX)
		return EPERM;
	td->td_md.md_gsbase = base;
	if (td == curthread)
		wrmsr(MSR_KGSBASE, base);
	return 0;
}

struct trapframe *
md_lwp_frame(const struct thread *td)
{
	return td->td_md.md_frame;
}

uint64_t
md_get_fsbase(const struct thread *td)
{
	return td->td_md.md_fsbase;
}

uint64_t
md_get_gsbase(const struct thread *td)
{
	return td->td_md.md_gsbase;
}
