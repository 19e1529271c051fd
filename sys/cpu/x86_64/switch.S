/* SPDX-License-Identifier: BSD-2-Clause */
/* Changing stacks. */

	.text
/*
 * struct thread *cpu_switch_stack(uint64_t *save, uint64_t next,
 *     struct thread *from)
 *
 * Keeps what a C caller expects to be kept; returns from, on the new stack.
 */
	.globl	cpu_switch_stack
cpu_switch_stack:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	movq	%rdx, %rax
	ret

/* The first return of a new thread: %r12 = function, %r13 = argument. */
	.globl	cpu_thread_start
cpu_thread_start:
	movq	%r13, %rdi
	xorl	%ebp, %ebp
	call	*%r12
	call	lwkt_exit
	ud2

	.section .note.GNU-stack, "", @progbits
