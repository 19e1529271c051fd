/* SPDX-License-Identifier: BSD-2-Clause */
/* Machine part of a CPU: x86-64 PC.  %gs:0 is gd_self in the kernel. */
#ifndef _MACHINE_CPU_H_
#define _MACHINE_CPU_H_

#include <stdint.h>

struct globaldata;
struct pmap;

struct md_globaldata {
	uint64_t md_kstack_top;		/* for system call entry */
	uint64_t md_user_rsp;		/* scratch of system call entry */
	uint32_t md_apicid;
	void	*md_tss;
	struct pmap *md_pmap;		/* loaded address space */
	uint64_t md_intr_pending;	/* [a] device vectors held off */
	void	*md_fpu;		/* whose state the registers hold */
	uint64_t md_shoot_from;		/* [a] CPUs that ask us to flush */
};

/*
 * Loads relative to %gs.  They are ordinary loads to the compiler: it may keep
 * a value until the next call or fence, and a thread changes its CPU only in
 * a call.
 */
#define md_gs		((const struct globaldata __seg_gs *)0)
#define mycpu		(md_gs->gd_self)
#define md_curthread	(md_gs->gd_curthread)

static inline void
cpu_pause(void)
{
	__builtin_ia32_pause();
}

/* A point where another CPU might do something: see the hosted one. */
static inline void
cpu_poll(void)
{
}

#endif
