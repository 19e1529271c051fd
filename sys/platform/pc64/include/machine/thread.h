/* SPDX-License-Identifier: BSD-2-Clause */
/* Machine part of a thread: x86-64 PC. */
#ifndef _MACHINE_THREAD_H_
#define _MACHINE_THREAD_H_

#include <stdint.h>

struct trapframe;

/* The kernel gives each thread a stack of this size; 0: the platform does. */
enum { MD_KSTACK_SIZE = 32768 };

struct md_thread {
	uint64_t md_sp;			/* saved stack pointer */
	struct trapframe *md_frame;	/* user registers, see cpu/frame.h F1 */
	void	*md_fpu;		/* XSAVE area, or NULL */
	uint64_t md_fsbase, md_gsbase;	/* user */
};

#endif
