/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spinlocks: a few instructions only.  The holder is in a critical section
 * and must not block (asserted at a switch).  kern/kern_spinlock.c.
 */
#ifndef _SYS_SPINLOCK_H_
#define _SYS_SPINLOCK_H_

#include <sys/types.h>

struct spinlock {
	uint32_t	 sp_lock;	/* [a] 0 free, 1 held */
	const char	*sp_name;
};

#define SPINLOCK_INITIALIZER(name)	{ 0, name }

void	spin_init(struct spinlock *, const char *name);
void	spin_lock(struct spinlock *);
bool	spin_trylock(struct spinlock *);
void	spin_unlock(struct spinlock *);

#endif
