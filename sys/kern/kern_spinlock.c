/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spinlocks.  The holder is in a critical section, so an IPI function of the
 * same CPU cannot come to spin on what it interrupted.
 */
#include <sys/atomic.h>
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <platform/machdep.h>

/* Turns after which a holder must have died: minutes, not seconds. */
enum { SPIN_STUCK = 1 << 30 };

void
spin_init(struct spinlock *sp, const char *name)
{
	sp->sp_lock = 0;
	sp->sp_name = name;
}

static void __attribute__((noinline))
spin_contested(struct spinlock *sp)
{
	uint32_t turns = 0;

	do {
		while (atomic_load_relaxed(&sp->sp_lock) != 0) {
			if (++turns == SPIN_STUCK)
				panic("spinlock %s is stuck", sp->sp_name);
			md_spin_wait();
		}
	} while (__atomic_exchange_n(&sp->sp_lock, 1, __ATOMIC_ACQUIRE) != 0);
}

void
spin_lock(struct spinlock *sp)
{
	struct thread *td;

	cpu_poll();
	td = curthread;
	td->td_critcount++;
	td->td_spincount++;
	if (__atomic_exchange_n(&sp->sp_lock, 1, __ATOMIC_ACQUIRE) != 0)
		spin_contested(sp);
}

bool
spin_trylock(struct spinlock *sp)
{
	struct thread *td;

	cpu_poll();
	td = curthread;
	td->td_critcount++;
	td->td_spincount++;
	if (__atomic_exchange_n(&sp->sp_lock, 1, __ATOMIC_ACQUIRE) == 0)
		return true;
	td->td_spincount--;
	crit_exit();
	return false;
}

void
spin_unlock(struct spinlock *sp)
{
	KKASSERT(atomic_load_relaxed(&sp->sp_lock) == 1);
	atomic_store_rel(&sp->sp_lock, 0);
	curthread->td_spincount--;
	crit_exit();
}
