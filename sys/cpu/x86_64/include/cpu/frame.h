/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The border between the kernel and user mode on x86-64.
 *
 * F1  The registers of a user program that is in the kernel are a struct
 *     trapframe at the very top of its thread's kernel stack; curthread->
 *     td_md.md_frame points there for as long as the thread has an lwp.
 * F2  Every field but tf_trapno and tf_err is loaded back when the thread
 *     returns; the kernel forces a user %cs, %ss and safe flags, so that any
 *     value at all may be put here.
 * F3  Hooks run on the thread's own stack with interrupts enabled, no critical
 *     section and no lock held, and must return that way.
 */
#ifndef _CPU_FRAME_H_
#define _CPU_FRAME_H_

#include <sys/types.h>

struct thread;

/* Pushed by exception.S; the order is known there. */
struct trapframe {
	uint64_t tf_r15, tf_r14, tf_r13, tf_r12, tf_rbp, tf_rbx;
	uint64_t tf_r11, tf_r10, tf_r9, tf_r8;
	uint64_t tf_rax, tf_rcx, tf_rdx, tf_rsi, tf_rdi;
	uint64_t tf_trapno;	/* T_* */
	uint64_t tf_err;	/* hardware's; the call number for T_SYSCALL */
	uint64_t tf_rip, tf_cs, tf_rflags, tf_rsp, tf_ss;
};

enum {					/* tf_trapno: the vector, or */
	T_DIVIDE	= 0,
	T_DEBUG		= 1,
	T_NMI		= 2,
	T_BREAKPOINT	= 3,
	T_OVERFLOW	= 4,
	T_BOUND		= 5,
	T_INVOP		= 6,
	T_NOFPU		= 7,
	T_DOUBLE	= 8,
	T_TSS		= 10,
	T_SEGNP		= 11,
	T_STACK		= 12,
	T_GPF		= 13,
	T_PAGEFLT	= 14,
	T_FPE		= 16,
	T_ALIGN		= 17,
	T_MCHECK	= 18,
	T_SIMD		= 19,
	T_SYSCALL	= 0x100,
};

enum {					/* tf_err of T_PAGEFLT */
	PGEX_P		= 0x01,		/* protection, not a missing page */
	PGEX_W		= 0x02,
	PGEX_U		= 0x04,
	PGEX_RSV	= 0x08,
	PGEX_I		= 0x10,		/* instruction fetch */
};

enum {
	SEL_KCODE	= 0x08,
	SEL_KDATA	= 0x10,
	SEL_UDATA	= 0x18 | 3,
	SEL_UCODE	= 0x20 | 3,
	SEL_TSS		= 0x28,
};

enum {					/* tf_rflags */
	PSL_C	= 0x0001,
	PSL_T	= 0x0100,
	PSL_I	= 0x0200,
	PSL_D	= 0x0400,
	PSL_NT	= 0x4000,
	PSL_AC	= 0x40000,
	PSL_USERSET = 0x0dd5 | PSL_AC,	/* what a user may choose */
};

/* One past the last user address: canonical, and one page short of it so
 * that a system call instruction cannot end at the border. */
#define USER_VA_MAX	0x00007ffffffff000ULL

/*
 * Hooks: the process side provides, the platform calls.
 */

/* T_SYSCALL: number in tf_rax and tf_err, arguments in rdi rsi rdx r10 r8 r9;
 * leave the result (or -errno) in tf_rax.  To restart the call, set tf_rax =
 * tf_err and tf_rip -= 2. */
void	syscall_dispatch(struct trapframe *);
/* An exception in user mode.  addr: faulting address of T_PAGEFLT, where err
 * has the PGEX_ bits.  Fix it or post a signal, then return. */
void	user_trap(struct trapframe *, int trapno, uint64_t err, uint64_t addr);
/* Called before every return to user mode while RQF_AST or RQF_RESCHED is in
 * gd_reqflags; clears RQF_AST, delivers signals, yields. */
void	user_ast(struct trapframe *);

/*
 * Helpers: the platform provides.
 */

/* Enter user mode on the current thread (exec of the first program, new
 * threads).  Pending ASTs are looked at first. */
void	md_user_return(struct trapframe *) __noreturn;
/* Prepare td (created, never run) so that it enters user mode with these
 * registers when it first runs.  td_lwp must be set before it runs.
 * Blocks for memory. */
void	md_lwp_setup(struct thread *td, const struct trapframe *);

/* Where a thread's user registers are; its user segment bases. */
struct trapframe *md_lwp_frame(const struct thread *);
uint64_t md_get_fsbase(const struct thread *);
uint64_t md_get_gsbase(const struct thread *);
/* User segment bases of the current thread, or of one that is not running.
 * EPERM for an address that is not a user's. */
int	md_set_fsbase(struct thread *, uint64_t);
int	md_set_gsbase(struct thread *, uint64_t);

/*
 * FPU state of user threads.  A thread has one from md_lwp_setup() or
 * md_fpu_init() on.  The format in signal frames is Linux's: the FXSAVE image,
 * its software bytes at 464, the XSAVE extension, and a closing magic.
 */
void	md_fpu_init(struct thread *);	/* clean state (exec); blocks first */
void	md_fpu_clone(struct thread *to);	/* from the current thread; blocks */
void	md_fpu_free(struct thread *);	/* not running any more, or exiting */
size_t	md_fpu_frame_size(void);	/* bytes in a signal frame */
void	md_fpu_save_to(void *buf);	/* kernel memory, md_fpu_frame_size() */
/* EINVAL: not a state that the CPU would take; nothing is changed then. */
int	md_fpu_restore_from(const void *buf, size_t len);

#endif
