/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System call handlers.  The platform decodes registers and calls
 * syscall_dispatch(); abi/linux/syscalls.tbl lists number, name and handler.
 */
#ifndef _SYS_SYSCALL_H_
#define _SYS_SYSCALL_H_

#include <sys/types.h>

struct trapframe;

struct syscall_args {
	uint64_t	 a[6];		/* as the user passed them */
	int64_t		 result;	/* set on success */
	struct trapframe *frame;	/* clone, sigreturn, exec need it */
};

/* 0 (result counts), an errno, or ERESTART. */
typedef int syscall_fn(struct syscall_args *);

#endif
