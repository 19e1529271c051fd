/* SPDX-License-Identifier: BSD-2-Clause */
/* Time.  kern/kern_clock.c over <machine/clock.h>. */
#ifndef _SYS_CLOCK_H_
#define _SYS_CLOCK_H_

#include <sys/types.h>

#define NSEC_PER_SEC	1000000000ULL

nsec_t	clock_mono_ns(void);		/* since boot; never goes back */
nsec_t	clock_wall_ns(void);		/* since 1970 UTC; may be set */
void	clock_wall_set(nsec_t ns);

/* kern_usched.c: a tick (10 ms) hit this thread, which has an lwp.  Runs on
 * its CPU in a critical section. */
struct thread;
extern void (*clock_tick_hook)(struct thread *);

#endif
