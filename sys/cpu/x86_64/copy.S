/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Touching user memory.  A page fault between cpu_copy_begin and cpu_copy_end
 * that cannot be resolved continues at cpu_copy_fault, one between
 * cpu_copy_bulk and cpu_copy_bulk_end at cpu_copy_bulk_fault (trap.c); both
 * return -EFAULT.  The callers have checked that the range lies below
 * USER_VA_MAX.
 *
 * Blocks of 512 bytes go through %ymm0, which is kept on the stack: if the
 * fault blocks, the switch saves what is in it as this thread's, and brings it
 * back.  The rest is REP MOVSQ and a tail.
 */
#define EFAULT	14

	.text
	.globl	cpu_copy_begin, cpu_copy_end, cpu_copy_fault
	.globl	cpu_copy_bulk, cpu_copy_bulk_end, cpu_copy_bulk_fault
cpu_copy_bulk:
	pushq	%rbp
	movq	%rsp, %rbp
	subq	$32, %rsp
	vmovdqu	%ymm0, (%rsp)
	movq	%rdx, %rcx
	shrq	$9, %rcx
	andl	$511, %edx
1:
	.set	off, 0
	.rept	16
	vmovdqu	off(%rsi), %ymm0
	vmovdqu	%ymm0, off(%rdi)
	.set	off, off + 32
	.endr
	addq	$512, %rdi
	addq	$512, %rsi
	decq	%rcx
	jnz	1b
	vmovdqu	(%rsp), %ymm0
	leave
cpu_copy_bulk_end:
	jmp	copy_rest

cpu_copy_bulk_fault:
	vmovdqu	(%rsp), %ymm0
	leave
	jmp	cpu_copy_fault

cpu_copy_begin:
/* int cpu_copy_user(void *dst, const void *src, size_t len); either way */
	.globl	cpu_copy_user
cpu_copy_user:
	cmpb	$0, cpu_has_smap(%rip)
	je	2f
	stac
2:	cmpq	$512, %rdx
	jb	copy_rest
	cmpb	$0, cpu_has_bulk(%rip)
	jne	cpu_copy_bulk
copy_rest:
	movq	%rdx, %rcx
	shrq	$3, %rcx
	rep movsq
	movl	%edx, %ecx
	andl	$7, %ecx
	rep movsb
	xorl	%eax, %eax
	jmp	copy_out

/*
 * int64_t cpu_copy_user_str(char *dst, const char *src, size_t max);
 * Length with the NUL; 0: no NUL in max bytes; -EFAULT (as int).
 */
	.globl	cpu_copy_user_str
cpu_copy_user_str:
	xorl	%eax, %eax
	cmpb	$0, cpu_has_smap(%rip)
	je	3f
	stac
3:	cmpq	%rdx, %rax
	je	4f
	movb	(%rsi,%rax), %cl
	movb	%cl, (%rdi,%rax)
	incq	%rax
	testb	%cl, %cl
	jnz	3b
	jmp	copy_out
4:	xorl	%eax, %eax
copy_out:
	cmpb	$0, cpu_has_smap(%rip)
	je	5f
	clac
5:	ret
cpu_copy_end:

cpu_copy_fault:
	movq	$-EFAULT, %rax
	jmp	copy_out

	.section .note.GNU-stack, "", @progbits
