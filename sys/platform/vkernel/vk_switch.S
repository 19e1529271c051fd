/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Change stacks.  What the C calling convention keeps is pushed; the rest is
 * dead across a call.
 *
 * void vk_ctx_switch(void **save_sp, void *sp)
 */
	.text
	.globl	vk_ctx_switch
	.type	vk_ctx_switch, @function
vk_ctx_switch:
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
	ret
	.size	vk_ctx_switch, . - vk_ctx_switch

/* The first return address of a new stack. */
	.globl	vk_ctx_entry
	.type	vk_ctx_entry, @function
vk_ctx_entry:
	xorl	%ebp, %ebp
	call	vk_fiber_main
	ud2
	.size	vk_ctx_entry, . - vk_ctx_entry

	.section .note.GNU-stack, "", @progbits
