/* SPDX-License-Identifier: BSD-2-Clause */
/* x86-64 instructions that C has no words for, and the registers they use. */
#ifndef _CPU_CPUFUNC_H_
#define _CPU_CPUFUNC_H_

#include <stdint.h>

enum {
	CR0_MP = 1 << 1, CR0_EM = 1 << 2, CR0_TS = 1 << 3, CR0_NE = 1 << 5,
	CR0_WP = 1 << 16,
	CR4_PAE = 1 << 5, CR4_PGE = 1 << 7, CR4_OSFXSR = 1 << 9,
	CR4_OSXMMEXCPT = 1 << 10, CR4_UMIP = 1 << 11, CR4_OSXSAVE = 1 << 18,
	CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21,
};

enum {
	MSR_APIC_BASE	= 0x1b,
	MSR_PAT		= 0x277,
	MSR_X2APIC	= 0x800,
};
#define MSR_EFER	0xc0000080u
#define MSR_STAR	0xc0000081u
#define MSR_LSTAR	0xc0000082u
#define MSR_CSTAR	0xc0000083u
#define MSR_SFMASK	0xc0000084u
#define MSR_FSBASE	0xc0000100u
#define MSR_GSBASE	0xc0000101u
#define MSR_KGSBASE	0xc0000102u
enum { EFER_SCE = 1, EFER_LME = 1 << 8, EFER_NXE = 1 << 11 };

static inline void
outb(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a" (v), "Nd" (port));
}

static inline void
outw(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a" (v), "Nd" (port));
}

static inline void
outl(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a" (v), "Nd" (port));
}

static inline uint8_t
inb(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a" (v) : "Nd" (port));
	return v;
}

static inline uint16_t
inw(uint16_t port)
{
	uint16_t v;

	__asm__ volatile("inw %1, %0" : "=a" (v) : "Nd" (port));
	return v;
}

static inline uint32_t
inl(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a" (v) : "Nd" (port));
	return v;
}

static inline uint64_t
rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a" (lo), "=d" (hi) : "c" (msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void
wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" : : "c" (msr), "a" ((uint32_t)v),
	    "d" ((uint32_t)(v >> 32)) : "memory");
}

static inline uint64_t
rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a" (lo), "=d" (hi));
	return (uint64_t)hi << 32 | lo;
}

static inline void
cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	__asm__ volatile("cpuid" : "=a" (r[0]), "=b" (r[1]), "=c" (r[2]),
	    "=d" (r[3]) : "a" (leaf), "c" (sub));
}

#define CPU_CR(n)							\
static inline uint64_t							\
rcr##n(void)								\
{									\
	uint64_t v;							\
									\
	__asm__ volatile("movq %%cr" #n ", %0" : "=r" (v));		\
	return v;							\
}									\
static inline void							\
lcr##n(uint64_t v)							\
{									\
	__asm__ volatile("movq %0, %%cr" #n : : "r" (v) : "memory");	\
}
CPU_CR(0)
CPU_CR(2)
CPU_CR(3)
CPU_CR(4)

static inline void
invlpg(uint64_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r" (va) : "memory");
}

static inline void
intr_disable(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void
intr_enable(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline uint64_t
intr_save(void)			/* disable, return what was */
{
	uint64_t fl;

	__asm__ volatile("pushfq; popq %0; cli" : "=r" (fl) : : "memory");
	return fl;
}

static inline void
intr_restore(uint64_t fl)
{
	if (fl & 0x200)
		intr_enable();
}

static inline void
cpu_halt_once(void)		/* enable and wait, without a gap */
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

#endif
