/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every way into the kernel and the way back to user mode.
 *
 * E1  In the kernel %gs is the CPU's globaldata; entries from user mode swap
 *     it.  NMI, double fault and machine check can hit between the two, so
 *     they run on stacks of their own and look at the register itself.
 * E2  An entry from user mode finds md_kstack_top in the TSS or %gs, so its
 *     frame is at the top of the thread's stack (frame.h, F1).
 * E3  Interrupts are off from the last look at gd_reqflags to the return.
 * E4  %rflags.AC is clear in C code, so that SMAP guards it.
 */
#include "assym.h"

	.text
	.macro PUSH_REGS
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.endm

	.macro POP_CALLEE
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	.endm

	.macro POP_REGS
	POP_CALLEE
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	.endm

/*
 * The system call instruction: %rcx is the return address, %r11 the flags,
 * the stack still the user's.
 */
	.balign 64
	.globl	syscall_entry
syscall_entry:
	swapgs
	movq	%rsp, %gs:GD_USER_RSP
	movq	%gs:GD_KSTACK_TOP, %rsp
	pushq	$ASSYM_UDATA
	pushq	%gs:GD_USER_RSP
	pushq	%r11
	pushq	$ASSYM_UCODE
	pushq	%rcx
	pushq	%rax
	pushq	$ASSYM_T_SYSCALL
	PUSH_REGS
	sti
	movq	%rsp, %rdi
	xorl	%ebp, %ebp
	call	syscall_dispatch
	cli
	cmpl	$0, %gs:GD_REQFLAGS
	jne	user_return
	/*
	 * sysret takes %rip from %rcx and the flags from %r11: right only if
	 * the frame agrees, and safe only for a user address.
	 */
	movq	TF_RIP(%rsp), %rcx
	cmpq	%rcx, TF_RCX(%rsp)
	jne	user_return
	movq	TF_RFLAGS(%rsp), %r11
	cmpq	%r11, TF_R11(%rsp)
	jne	user_return
	movq	%rcx, %rax
	shrq	$47, %rax
	jnz	user_return
	movl	%r11d, %eax
	andl	$(ASSYM_PSL_BAD | 0x100), %eax	/* and no single step */
	cmpl	$ASSYM_PSL_I, %eax
	jne	user_return
	POP_CALLEE
	addq	$8, %rsp			/* r11 */
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	addq	$8, %rsp			/* rcx */
	popq	%rdx
	popq	%rsi
	popq	%rdi
	movq	TF_RSP-TF_RIP+16(%rsp), %rsp
	swapgs
	sysretq

/* Back to user mode with the frame at %rsp; interrupts are off. */
	.globl	user_return
user_return:
	movq	%rsp, %rdi
	call	user_return_work
	POP_REGS
	addq	$16, %rsp
	swapgs
	iretq

/* md_user_return(): %rdi is the frame at the top of the stack. */
	.globl	user_return_to
user_return_to:
	cli
	movq	%rdi, %rsp
	xorl	%ebp, %ebp
	jmp	user_return

/* 256 entries of 16 bytes each; the table for the IDT is their address. */
	.balign 16
	.globl	vector_entries
vector_entries:
	.set	vec, 0
	.rept	256
	.balign	16
	.if	(vec != 8) && (vec != 10) && (vec != 11) && (vec != 12) && \
		(vec != 13) && (vec != 14) && (vec != 17) && (vec != 21) && \
		(vec != 29) && (vec != 30)
	pushq	$0
	.endif
	pushq	$vec
	.if	(vec == 2) || (vec == 8) || (vec == 18)
	jmp	paranoid_entry
	.elseif	vec < 32
	jmp	trap_entry
	.else
	jmp	intr_entry
	.endif
	.set	vec, vec + 1
	.endr

	.macro ENTRY_SWAP
	cld
	PUSH_REGS
	testb	$3, TF_CS(%rsp)
	jz	1f
	swapgs
1:	cmpb	$0, cpu_has_smap(%rip)
	je	2f
	clac
2:	movq	%rsp, %rdi
	.endm

	.balign 16
trap_entry:
	ENTRY_SWAP
	call	trap
	jmp	exception_return

	.balign 16
intr_entry:
	ENTRY_SWAP
	call	intr_dispatch
exception_return:
	testb	$3, TF_CS(%rsp)
	jnz	user_return
	POP_REGS
	addq	$16, %rsp
	iretq

/* On an IST stack, in any state (E1).  %rbx: swap back? */
	.balign 16
paranoid_entry:
	cld
	PUSH_REGS
	cmpb	$0, cpu_has_smap(%rip)
	je	1f
	clac
1:	xorl	%ebx, %ebx
	movl	$0xc0000101, %ecx
	rdmsr
	testl	%edx, %edx			/* kernel half: ours already */
	js	2f
	swapgs
	incl	%ebx
2:	movq	%rsp, %rdi
	call	trap_paranoid
	testl	%ebx, %ebx
	jz	3f
	swapgs
3:	POP_REGS
	addq	$16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
