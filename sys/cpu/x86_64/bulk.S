/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clearing and copying in blocks of 512 bytes with 32-byte registers: a
 * quarter, or half, of the steps of REP STOSQ and REP MOVSQ.
 *
 * %ymm0 is the current user thread's: it is kept on the stack meanwhile.  The
 * caller is in a critical section, so that no other thread saves it as its
 * own; copies of user memory, in copy.S, are made by the thread itself.
 */
	.text

	.macro YMM_KEEP
	pushq	%rbp
	movq	%rsp, %rbp
	subq	$32, %rsp
	vmovdqu	%ymm0, (%rsp)
	.endm

	.macro YMM_BACK
	vmovdqu	(%rsp), %ymm0
	leave
	ret
	.endm

/* void cpu_bulk_zero(void *to, size_t nblocks) */
	.globl	cpu_bulk_zero
cpu_bulk_zero:
	YMM_KEEP
	vpxor	%xmm0, %xmm0, %xmm0		/* clears the upper half too */
	cmpq	$8, %rsi			/* a page: no loop at all */
	jne	1f
	.set	off, 0
	.rept	128
	vmovdqu	%ymm0, off(%rdi)
	.set	off, off + 32
	.endr
	jmp	zeroed
1:
	.set	off, 0
	.rept	16
	vmovdqu	%ymm0, off(%rdi)
	.set	off, off + 32
	.endr
	addq	$512, %rdi
	decq	%rsi
	jnz	1b
zeroed:
	YMM_BACK

/* void cpu_bulk_copy(void *to, const void *from, size_t nblocks) */
	.globl	cpu_bulk_copy
cpu_bulk_copy:
	YMM_KEEP
2:
	.set	off, 0
	.rept	16
	vmovdqu	off(%rsi), %ymm0
	vmovdqu	%ymm0, off(%rdi)
	.set	off, off + 32
	.endr
	addq	$512, %rdi
	addq	$512, %rsi
	decq	%rdx
	jnz	2b
	YMM_BACK

	.section .note.GNU-stack, "", @progbits
