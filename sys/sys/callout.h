/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers: fn(arg) in this CPU's soft-clock thread (it may take locks and
 * tokens, it should not sleep for long).  kern/kern_callout.c.
 */
#ifndef _SYS_CALLOUT_H_
#define _SYS_CALLOUT_H_

#include <sys/tree.h>
#include <sys/types.h>

struct callout {
	struct rb_node	 co_node;	/* [its CPU] by deadline */
	nsec_t		 co_deadline;
	void		(*co_fn)(void *);
	void		*co_arg;
	int		 co_cpu;
	uint32_t	 co_flags;	/* [its CPU] */
	uint64_t	 co_seq;
};

void	callout_init(struct callout *, void (*fn)(void *), void *arg);
/* (Re)arm on this CPU, delay from now.  Any context but hard interrupt. */
void	callout_reset(struct callout *, nsec_t delay_ns);
/* The same, but fn runs like an IPI function: in a critical section of this
 * CPU, on time, and must not block.  Not to be drained. */
void	callout_reset_direct(struct callout *, nsec_t delay_ns);
/* Disarm; true if it was pending.  The function may still be running. */
bool	callout_stop(struct callout *);
/* Disarm and wait: after this the function does not run.  Blocks. */
void	callout_drain(struct callout *);

#endif
