/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where other CPUs begin: real mode, at a page below 1 MiB that mp.c has
 * copied this to.  All addresses are relative to the page; %ebx holds it.
 * The parameters at the end are filled in for one CPU at a time.
 */
#define REL(x)	((x) - mp_trampoline)

	.section .rodata
	.globl	mp_trampoline, mp_trampoline_end, mp_param
	.balign	16
	.code16
mp_trampoline:
	cli
	cld
	xorl	%ebx, %ebx
	movw	%cs, %bx
	movw	%bx, %ds
	shll	$4, %ebx
	leal	REL(mp_gdt)(%ebx), %eax
	movl	%eax, REL(mp_gdt_desc) + 2
	leal	REL(mp_prot)(%ebx), %eax
	movl	%eax, REL(mp_far32)
	leal	REL(mp_long)(%ebx), %eax
	movl	%eax, REL(mp_far64)
	lgdtl	REL(mp_gdt_desc)
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	*REL(mp_far32)

	.code32
mp_prot:
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %ss
	movl	%cr4, %eax
	orl	$(1 << 5), %eax
	movl	%eax, %cr4
	movl	REL(mp_param)(%ebx), %eax	/* page tables */
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	orl	REL(mp_param) + 4(%ebx), %eax	/* EFER bits */
	wrmsr
	movl	%cr0, %eax
	andl	$0x9fffffff, %eax		/* CD, NW off */
	orl	$0x80010001, %eax
	movl	%eax, %cr0
	ljmpl	*REL(mp_far64)(%ebx)

	.code64
mp_long:
	movl	%ebx, %ebx
	movq	REL(mp_param) + 8(%rbx), %rsp
	movq	REL(mp_param) + 16(%rbx), %rax
	movq	REL(mp_param) + 24(%rbx), %rdi
	xorl	%ebp, %ebp
	call	*%rax
1:	hlt
	jmp	1b

	.balign	8
mp_gdt:
	.quad	0
	.quad	0x00cf9a000000ffff		/* 08: 32-bit code */
	.quad	0x00af9a000000ffff		/* 10: 64-bit code */
	.quad	0x00cf92000000ffff		/* 18: data */
mp_gdt_desc:
	.short	mp_gdt_desc - mp_gdt - 1
	.long	0
	.balign	4
mp_far32:
	.long	0
	.short	0x08
	.balign	4
mp_far64:
	.long	0
	.short	0x10
	.balign	8
mp_param:
	.quad	0, 0, 0, 0
mp_trampoline_end:

	.section .note.GNU-stack, "", @progbits
