/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions: from 32-bit protected mode without paging, as GRUB
 * (multiboot2) and PVH loaders leave it, to pc64_init() in the higher half.
 *
 * The boot page tables show the first 4 GiB at 0 and at the direct map, and
 * the first GiB at KERNBASE; pmap_bootstrap() replaces them.
 *
 *   %ebp  who booted us: the multiboot2 magic, or PVH_MAGIC
 *   %ebx  physical address of its information
 */
#define KERNBASE	0xffffffff80000000
#define PHYS(x)		((x) - KERNBASE)
#define MB2_MAGIC	0xe85250d6
#define PVH_MAGIC	0x00485650		/* "PVH" */

	.section .multiboot, "a"
	.balign 8
mb_header:
	.long	MB2_MAGIC, 0, mb_header_end - mb_header
	.long	-(MB2_MAGIC + 0 + (mb_header_end - mb_header))
	.short	1, 0				/* information request */
	.long	8 + 4 * 4
	.long	1, 6, 14, 15			/* cmdline, mmap, RSDP old, new */
	.balign 8
	.short	6, 0				/* modules on page bounds */
	.long	8
	.short	0, 0
	.long	8
mb_header_end:

	.section .note.Xen, "a", @note
	.balign 4
	.long	4, 4, 18			/* PHYS32_ENTRY */
	.asciz	"Xen"
	.long	pvh_start

	.section .boot, "ax"
	.code32
	.globl	mb_start, pvh_start
mb_start:
	movl	%eax, %ebp
	jmp	1f
pvh_start:
	movl	$PVH_MAGIC, %ebp
1:	cli
	cld
	movl	$PHYS(boot_stack_end), %esp

	movl	$0x80000000, %eax		/* is there a long mode? */
	pushl	%ebx
	cpuid
	cmpl	$0x80000001, %eax
	jb	no_long_mode
	movl	$0x80000001, %eax
	cpuid
	popl	%ebx
	testl	$(1 << 29), %edx
	jz	no_long_mode

	/* Four page directories of 2 MiB pages: 0-4 GiB. */
	movl	$PHYS(boot_pd), %edi
	movl	$0x83, %eax			/* PS | RW | P */
	movl	$2048, %ecx
2:	movl	%eax, (%edi)
	movl	$0, 4(%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	decl	%ecx
	jnz	2b

	movl	$PHYS(boot_pdpt), %edi
	movl	$(PHYS(boot_pd) + 3), %eax
	movl	$4, %ecx
3:	movl	%eax, (%edi)
	addl	$0x1000, %eax
	addl	$8, %edi
	decl	%ecx
	jnz	3b
	movl	$(PHYS(boot_pd) + 3), PHYS(boot_pdpt_high) + 510 * 8
	movl	$(PHYS(boot_pdpt) + 3), PHYS(boot_pml4)
	movl	$(PHYS(boot_pdpt) + 3), PHYS(boot_pml4) + 256 * 8
	movl	$(PHYS(boot_pdpt_high) + 3), PHYS(boot_pml4) + 511 * 8

	movl	%cr4, %eax
	orl	$(1 << 5), %eax			/* PAE */
	movl	%eax, %cr4
	movl	$PHYS(boot_pml4), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	orl	$(1 << 8), %eax
	wrmsr
	movl	%cr0, %eax
	orl	$0x80010001, %eax		/* PG | WP | PE */
	movl	%eax, %cr0
	lgdt	boot_gdt_desc
	ljmp	$8, $start64

no_long_mode:
	movl	$no_long_text, %esi
	movw	$0x3f8, %dx
4:	lodsb
	outb	%al, %dx
	testb	%al, %al
	jnz	4b
5:	hlt
	jmp	5b
no_long_text:
	.asciz	"anax: this CPU has no 64-bit mode\r\n"

	.balign 8
boot_gdt:
	.quad	0
	.quad	0x00af9a000000ffff		/* 64-bit code */
	.quad	0x00cf92000000ffff		/* data */
boot_gdt_desc:
	.short	boot_gdt_desc - boot_gdt - 1
	.long	boot_gdt

	.code64
start64:
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movabsq	$high64, %rax
	jmp	*%rax

	.text
high64:
	movq	$boot_stack_end, %rsp
	movl	%ebp, %edi
	movl	%ebx, %esi
	xorl	%ebp, %ebp			/* end of backtraces */
	pushq	$0
	pushq	$0
	call	pc64_init
6:	hlt
	jmp	6b

	.section .bss.page, "aw", @nobits
	.balign 4096
	.globl	boot_pml4
boot_pml4:	.skip 4096
boot_pdpt:	.skip 4096
boot_pdpt_high:	.skip 4096
boot_pd:	.skip 4096 * 4
	.globl	boot_stack, boot_stack_end
boot_stack:	.skip 32768
boot_stack_end:

	.section .note.GNU-stack, "", @progbits
