/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping locks, shared or exclusive.  kern/kern_lock.c.
 *
 * An exclusive lock belongs to an operation (xid_t), not to a thread, so that
 * any thread can finish the operation.  The current operation is
 * curthread->td_xid: the VFS dispatcher sets it while a thread works for a
 * message; otherwise it is the thread's own id.
 *
 * K1  Exclusive locks may be taken again by their owner (counted).
 * K2  A waiting exclusive request stops new shared holders: no starvation.
 *     An operation that already holds the lock shared may not take it again.
 */
#ifndef _SYS_LOCK_H_
#define _SYS_LOCK_H_

#include <sys/queue.h>
#include <sys/spinlock.h>
#include <sys/types.h>

struct lock {
	struct spinlock	 lk_spin;
	int32_t		 lk_shared;	/* [lk_spin] shared holders */
	int32_t		 lk_count;	/* [lk_spin] exclusive depth */
	int32_t		 lk_exclwait;	/* [lk_spin] exclusive waiters */
	int32_t		 lk_waiters;	/* [lk_spin] all sleepers */
	xid_t		 lk_owner;	/* [lk_spin] when lk_count > 0 */
	const char	*lk_name;
};

void	lock_init(struct lock *, const char *name);
void	lock_excl(struct lock *);		/* blocks */
void	lock_shared(struct lock *);		/* blocks */
bool	lock_try_excl(struct lock *);
bool	lock_try_shared(struct lock *);
void	lock_release(struct lock *);		/* either kind */
/* Shared to exclusive without letting go; EBUSY (still shared) if another
 * holder or upgrader is there. */
int	lock_try_upgrade(struct lock *);
void	lock_downgrade(struct lock *);
/* Hand an exclusive lock of the current operation to operation xid. */
void	lock_give(struct lock *, xid_t xid);
bool	lock_held_excl(const struct lock *);	/* by this operation */
bool	lock_held(const struct lock *);		/* by anyone */

#endif
