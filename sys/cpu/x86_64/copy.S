/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Touching user memory.  A page fault between cpu_copy_begin and cpu_copy_end
 * that cannot be resolved continues at cpu_copy_fault (trap.c), which returns
 * EFAULT.  The callers have checked that the range lies below USER_VA_MAX.
 *
 * REP MOVSQ and a tail: short copies dominate, and it is one instruction for
 * each 8 bytes where each counts.
 */
#define EFAULT	14

	.text
	.globl	cpu_copy_begin, cpu_copy_end, cpu_copy_fault
cpu_copy_begin:

/* int cpu_copy_user(void *dst, const void *src, size_t len); either way */
	.globl	cpu_copy_user
cpu_copy_user:
	movq	%rdx, %rcx
	cmpb	$0, cpu_has_smap(%rip)
	je	1f
	stac
1:	shrq	$3, %rcx
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
	je	2f
	stac
2:	cmpq	%rdx, %rax
	je	3f
	movb	(%rsi,%rax), %cl
	movb	%cl, (%rdi,%rax)
	incq	%rax
	testb	%cl, %cl
	jnz	2b
	jmp	copy_out
3:	xorl	%eax, %eax
copy_out:
	cmpb	$0, cpu_has_smap(%rip)
	je	4f
	clac
4:	ret
cpu_copy_end:

cpu_copy_fault:
	movq	$-EFAULT, %rax
	jmp	copy_out

	.section .note.GNU-stack, "", @progbits
