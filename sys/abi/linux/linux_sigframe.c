/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signal frames as Linux programs expect them on their stack.
 *
 *   high  | FPU state, 64-byte aligned   |
 *         | siginfo (128)                |
 *         | ucontext (304)               |
 *   rsp-> | return address: sa_restorer  |   rsp % 16 == 8
 *
 * The restorer calls rt_sigreturn with rsp at the ucontext.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/signal.h>
#include <sys/syscall.h>
#include <sys/systm.h>
#include <cpu/frame.h>

static MALLOC_DEFINE(M_SIGFRAME, "sigframe");

struct linux_sigcontext {
	uint64_t	r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t	rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
	uint16_t	cs, gs, fs, ss;
	uint64_t	err, trapno, oldmask, cr2, fpstate, reserved[8];
};
_Static_assert(sizeof(struct linux_sigcontext) == 256, "sigcontext");

struct linux_ucontext {
	uint64_t	uc_flags, uc_link;
	uint64_t	ss_sp;
	int32_t		ss_flags, ss_pad;
	uint64_t	ss_size;
	struct linux_sigcontext uc_mcontext;
	uint64_t	uc_sigmask;
};
_Static_assert(sizeof(struct linux_ucontext) == 304, "ucontext");

struct linux_sigframe {
	uint64_t	pretcode;
	struct linux_ucontext uc;
	uint8_t		info[128];
};

enum { UC_FP_XSTATE = 1, UC_SIGCONTEXT_SS = 2, UC_STRICT_RESTORE_SS = 4 };
enum { RED_ZONE = 128 };

vm_offset_t
sig_user_sp(const struct trapframe *tf)
{
	return tf->tf_rsp;
}

static void
context_save(struct linux_sigcontext *sc, const struct trapframe *tf)
{
	sc->r8 = tf->tf_r8;
	sc->r9 = tf->tf_r9;
	sc->r10 = tf->tf_r10;
	sc->r11 = tf->tf_r11;
	sc->r12 = tf->tf_r12;
	sc->r13 = tf->tf_r13;
	sc->r14 = tf->tf_r14;
	sc->r15 = tf->tf_r15;
	sc->rdi = tf->tf_rdi;
	sc->rsi = tf->tf_rsi;
	sc->rbp = tf->tf_rbp;
	sc->rbx = tf->tf_rbx;
	sc->rdx = tf->tf_rdx;
	sc->rax = tf->tf_rax;
	sc->rcx = tf->tf_rcx;
	sc->rsp = tf->tf_rsp;
	sc->rip = tf->tf_rip;
	sc->eflags = tf->tf_rflags;
	sc->cs = SEL_UCODE;
	sc->ss = SEL_UDATA;
	sc->trapno = tf->tf_trapno < 32 ? tf->tf_trapno : 0;
	sc->err = tf->tf_trapno < 32 ? tf->tf_err : 0;
}

static void
context_restore(const struct linux_sigcontext *sc, struct trapframe *tf)
{
	tf->tf_r8 = sc->r8;
	tf->tf_r9 = sc->r9;
	tf->tf_r10 = sc->r10;
	tf->tf_r11 = sc->r11;
	tf->tf_r12 = sc->r12;
	tf->tf_r13 = sc->r13;
	tf->tf_r14 = sc->r14;
	tf->tf_r15 = sc->r15;
	tf->tf_rdi = sc->rdi;
	tf->tf_rsi = sc->rsi;
	tf->tf_rbp = sc->rbp;
	tf->tf_rbx = sc->rbx;
	tf->tf_rdx = sc->rdx;
	tf->tf_rax = sc->rax;
	tf->tf_rcx = sc->rcx;
	tf->tf_rsp = sc->rsp;
	tf->tf_rip = sc->rip;
	tf->tf_rflags = sc->eflags;
}

static bool
on_sigstack(const struct lwp *lp, vm_offset_t sp)
{
	return (lp->lwp_sigstk_flags & SS_DISABLE) == 0 &&
	    sp - lp->lwp_sigstk_sp < lp->lwp_sigstk_size;
}

bool
md_sendsig(struct trapframe *tf, const struct ksigaction *ka, int sig,
    const struct ksiginfo *info, uint64_t oldmask)
{
	struct lwp *lp = curlwp();
	struct linux_sigframe sf;
	size_t fpsize = md_fpu_frame_size();
	vm_offset_t sp = tf->tf_rsp - RED_ZONE, fp;
	void *fpu;
	int error;

	if ((ka->sa_flags & SA_ONSTACK) && !on_sigstack(lp, tf->tf_rsp) &&
	    (lp->lwp_sigstk_flags & SS_DISABLE) == 0)
		sp = lp->lwp_sigstk_sp + lp->lwp_sigstk_size;
	fp = rounddown2(sp - fpsize, 64ULL);
	sp = rounddown2(fp - sizeof(sf), 16ULL) - 8;

	memset(&sf, 0, sizeof(sf));
	sf.pretcode = ka->sa_restorer;
	sf.uc.uc_flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS |
	    UC_STRICT_RESTORE_SS;
	sf.uc.ss_sp = lp->lwp_sigstk_sp;
	sf.uc.ss_size = lp->lwp_sigstk_size;
	sf.uc.ss_flags = (int32_t)lp->lwp_sigstk_flags;
	sf.uc.uc_sigmask = oldmask;
	context_save(&sf.uc.uc_mcontext, tf);
	sf.uc.uc_mcontext.oldmask = oldmask;
	sf.uc.uc_mcontext.cr2 = info->ksi_addr;
	sf.uc.uc_mcontext.fpstate = fp;
	sig_to_siginfo(sig, info, sf.info);

	fpu = kmalloc(fpsize, &M_SIGFRAME, M_WAITOK);
	md_fpu_save_to(fpu);
	error = copyout(fpu, fp, fpsize);
	kfree(fpu, &M_SIGFRAME);
	if (error || copyout(&sf, sp, sizeof(sf)) != 0)
		return false;
	if (lp->lwp_sigstk_flags & SS_AUTODISARM)
		lp->lwp_sigstk_flags = SS_DISABLE;
	tf->tf_rdi = (uint64_t)sig;
	tf->tf_rsi = sp + offsetof(struct linux_sigframe, info);
	tf->tf_rdx = sp + offsetof(struct linux_sigframe, uc);
	tf->tf_rax = 0;
	tf->tf_rsp = sp;
	tf->tf_rip = ka->sa_handler;
	tf->tf_rflags &= ~(uint64_t)(PSL_D | PSL_T);
	return true;
}

syscall_fn sys_rt_sigreturn;

/* The frame may hold anything; a bad one is the end of the program. */
int
sys_rt_sigreturn(struct syscall_args *sa)
{
	struct lwp *lp = curlwp();
	struct trapframe *tf = sa->frame;
	struct linux_ucontext uc;
	size_t fpsize = md_fpu_frame_size();
	void *fpu;
	int error = copyin(tf->tf_rsp, &uc, sizeof(uc));

	if (error == 0 && uc.uc_mcontext.fpstate != 0) {
		fpu = kmalloc(fpsize, &M_SIGFRAME, M_WAITOK);
		error = copyin(uc.uc_mcontext.fpstate, fpu, fpsize);
		if (error == 0)
			error = md_fpu_restore_from(fpu, fpsize);
		kfree(fpu, &M_SIGFRAME);
	}
	if (error) {
		sig_trap(SIGSEGV, SI_KERNEL, 0);
		return EFAULT;
	}
	context_restore(&uc.uc_mcontext, tf);
	if (!on_sigstack(lp, tf->tf_rsp)) {
		lp->lwp_sigstk_sp = uc.ss_sp;
		lp->lwp_sigstk_size = uc.ss_size;
		lp->lwp_sigstk_flags = (uint32_t)uc.ss_flags &
		    (SS_DISABLE | SS_AUTODISARM);
	}
	sig_setmask(uc.uc_sigmask);
	sa->result = (int64_t)tf->tf_rax;
	return 0;
}

syscall_fn sys_arch_prctl;

int
sys_arch_prctl(struct syscall_args *sa)
{
	uint64_t v;

	switch ((int)sa->a[0]) {
	case 0x1001:
		return md_set_gsbase(curthread, sa->a[1]);
	case 0x1002:
		return md_set_fsbase(curthread, sa->a[1]);
	case 0x1003:
		v = md_get_fsbase(curthread);
		return copyout(&v, sa->a[1], 8);
	case 0x1004:
		v = md_get_gsbase(curthread);
		return copyout(&v, sa->a[1], 8);
	}
	return EINVAL;
}
