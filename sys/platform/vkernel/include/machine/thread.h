/* SPDX-License-Identifier: BSD-2-Clause */
/* Machine part of a thread: hosted. */
#ifndef _MACHINE_THREAD_H_
#define _MACHINE_THREAD_H_

#include <stddef.h>

/* The platform brings its own, larger, stacks (sanitizers, host calls). */
enum { MD_KSTACK_SIZE = 0 };

struct md_thread {
	void	*md_sp;		/* saved stack pointer */
	void	*md_stack;	/* lowest usable address */
	size_t	md_stacksize;
	void	*md_fake_stack;	/* ASan */
	void	*md_tsan_fiber;	/* TSan */
	void	(*md_fn)(void *);
	void	*md_arg;
};

#endif
