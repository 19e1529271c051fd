/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One CPU: its features, control registers, descriptor tables and system call
 * registers.  cpu_identify() runs once, before the kernel's own page tables;
 * cpu_setup() on every CPU.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <vm/vm_page.h>
#include <platform/machdep.h>
#include <cpu/cpufunc.h>
#include <cpu/frame.h>

#include "pc64.h"

uint8_t	cpu_has_smap;			/* read by assembly */
bool	cpu_has_nx, cpu_has_x2apic, cpu_has_1g, cpu_has_xsave;
static bool cpu_has_smep, cpu_has_umip;

struct tss {
	uint32_t	t_zero0;
	uint64_t	t_rsp[3];
	uint64_t	t_zero1;
	uint64_t	t_ist[7];
	uint64_t	t_zero2;
	uint16_t	t_zero3, t_iomap;
} __attribute__((__packed__));
_Static_assert(sizeof(struct tss) == 104, "hardware size");

enum { IST_DOUBLE = 1, IST_NMI, IST_MCHECK, IST_N = 3, IST_SIZE = 8192 };

/* All that a CPU's descriptors need; the boot CPU has one in bss. */
struct cpu_tables {
	uint64_t	ct_gdt[8];
	struct tss	ct_tss;
	char		ct_ist[IST_N][IST_SIZE]
			    __attribute__((__aligned__(16)));
};

struct gate {
	uint16_t	g_off0, g_sel;
	uint8_t		g_ist, g_type;
	uint16_t	g_off1;
	uint32_t	g_off2, g_zero;
};

struct tables_reg {
	uint16_t	limit;
	uint64_t	base;
} __attribute__((__packed__));

static struct cpu_tables boot_tables __attribute__((__aligned__(64)));
static struct gate idt[256] __attribute__((__aligned__(16)));

void
cpu_identify(void)
{
	uint32_t r[4], max;

	cpuid(0, 0, r);
	max = r[0];
	cpuid(1, 0, r);
	cpu_has_x2apic = (r[2] >> 21) & 1;
	cpu_has_xsave = (r[2] >> 26) & 1;
	if (max >= 7) {
		cpuid(7, 0, r);
		cpu_has_smep = (r[1] >> 7) & 1;
		cpu_has_smap = (r[1] >> 20) & 1;
		cpu_has_umip = (r[2] >> 2) & 1;
	}
	cpuid(0x80000001u, 0, r);
	cpu_has_nx = (r[3] >> 20) & 1;
	cpu_has_1g = (r[3] >> 26) & 1;
}

static void
idt_init(void)
{
	uint64_t va;
	int i;

	for (i = 0; i < 256; i++) {
		va = (uint64_t)vector_entries + i * 16;
		idt[i] = (struct gate){
			.g_off0 = (uint16_t)va,
			.g_sel = SEL_KCODE,
			.g_ist = i == T_DOUBLE ? IST_DOUBLE :
			    i == T_NMI ? IST_NMI :
			    i == T_MCHECK ? IST_MCHECK : 0,
			/* Interrupt gates; int3 and into from user mode. */
			.g_type = i == T_BREAKPOINT || i == T_OVERFLOW ?
			    0xee : 0x8e,
			.g_off1 = (uint16_t)(va >> 16),
			.g_off2 = (uint32_t)(va >> 32),
		};
	}
}

static void
segments_setup(struct cpu_tables *ct)
{
	struct tables_reg reg;
	uint64_t base = (uint64_t)&ct->ct_tss;
	uint64_t limit = sizeof(struct tss) - 1;
	int i;

	ct->ct_gdt[SEL_KCODE / 8] = 0x00af9a000000ffffULL;
	ct->ct_gdt[SEL_KDATA / 8] = 0x00cf92000000ffffULL;
	ct->ct_gdt[SEL_UDATA / 8] = 0x00cff2000000ffffULL;
	ct->ct_gdt[SEL_UCODE / 8] = 0x00affa000000ffffULL;
	ct->ct_gdt[SEL_TSS / 8] = limit | (base & 0xffffff) << 16 |
	    0x89ULL << 40 | (base >> 24 & 0xff) << 56;
	ct->ct_gdt[SEL_TSS / 8 + 1] = base >> 32;
	ct->ct_tss.t_iomap = sizeof(struct tss);
	for (i = 0; i < IST_N; i++)
		ct->ct_tss.t_ist[i] = (uint64_t)ct->ct_ist[i] + IST_SIZE;

	reg = (struct tables_reg){ sizeof(ct->ct_gdt) - 1,
	    (uint64_t)ct->ct_gdt };
	__asm__ volatile(
	    "lgdt %0\n\t"
	    "pushq %1\n\t"
	    "leaq 1f(%%rip), %%rax\n\t"
	    "pushq %%rax\n\t"
	    "lretq\n"
	    "1:\tmovl %2, %%eax\n\t"
	    "movl %%eax, %%ss\n\t"
	    "movl %3, %%eax\n\t"
	    "movl %%eax, %%ds\n\t"
	    "movl %%eax, %%es\n\t"
	    "xorl %%eax, %%eax\n\t"
	    "movl %%eax, %%fs\n\t"
	    "movl %%eax, %%gs"
	    : : "m" (reg), "i" (SEL_KCODE), "i" (SEL_KDATA), "i" (SEL_UDATA)
	    : "rax", "memory");
	__asm__ volatile("ltr %w0" : : "r" (SEL_TSS));
	reg = (struct tables_reg){ sizeof(idt) - 1, (uint64_t)idt };
	__asm__ volatile("lidt %0" : : "m" (reg));
}

void
cpu_setup(struct globaldata *gd)
{
	struct cpu_tables *ct = gd->gd_md.md_tss;
	uint64_t cr4;

	if (ct == NULL) {		/* the boot CPU */
		ct = &boot_tables;
		idt_init();
	}
	segments_setup(ct);
	gd->gd_md.md_tss = ct;
	wrmsr(MSR_GSBASE, (uint64_t)gd);
	wrmsr(MSR_KGSBASE, 0);
	wrmsr(MSR_FSBASE, 0);
	gd->gd_self = gd;

	lcr0((rcr0() | CR0_WP | CR0_MP | CR0_NE) & ~(uint64_t)(CR0_EM | CR0_TS));
	cr4 = rcr4() | CR4_OSFXSR | CR4_OSXMMEXCPT;
	if (cpu_has_smep)
		cr4 |= CR4_SMEP;
	if (cpu_has_smap)
		cr4 |= CR4_SMAP;
	if (cpu_has_umip)
		cr4 |= CR4_UMIP;
	lcr4(cr4);

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE |
	    (cpu_has_nx ? EFER_NXE : 0));
	/* sysret: %cs = base + 16, %ss = base + 8. */
	wrmsr(MSR_STAR, (uint64_t)(SEL_UDATA - 8) << 48 |
	    (uint64_t)SEL_KCODE << 32);
	wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
	wrmsr(MSR_SFMASK, PSL_I | PSL_T | PSL_D | PSL_AC | PSL_NT);
}

void
cpu_set_kstack(struct globaldata *gd, uint64_t top)
{
	struct cpu_tables *ct = gd->gd_md.md_tss;

	gd->gd_md.md_kstack_top = top;
	ct->ct_tss.t_rsp[0] = top;
}

void *
cpu_tables_alloc(void)
{
	int order = 0;
	struct vm_page *m;

	while ((size_t)PAGE_SIZE << order < sizeof(struct cpu_tables))
		order++;
	m = vm_page_alloc_contig(order, VPA_ZERO);
	if (m == NULL)
		return NULL;
	return memset(vm_page_kva(m), 0, sizeof(struct cpu_tables));
}
