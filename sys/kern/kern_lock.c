/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping locks: see sys/lock.h.
 *
 *   free -> shared n          [lock_shared]     unless an exclusive waits (K2)
 *   free -> exclusive         [lock_excl]
 *   shared 1 -> exclusive     [lock_try_upgrade]
 *   exclusive -> shared 1     [lock_downgrade]
 *   exclusive of a -> of b    [lock_give]
 *
 * Waiters look again when they are woken; whoever makes the state weaker
 * wakes them all.
 */
#include <sys/errno.h>
#include <sys/lock.h>
#include <sys/systm.h>
#include <sys/thread.h>

void
lock_init(struct lock *lk, const char *name)
{
	spin_init(&lk->lk_spin, name);
	lk->lk_shared = 0;
	lk->lk_count = 0;
	lk->lk_exclwait = 0;
	lk->lk_waiters = 0;
	lk->lk_owner = 0;
	lk->lk_name = name;
}

static void
lock_sleep(struct lock *lk)
{
	lk->lk_waiters++;
	ssleep(lk, &lk->lk_spin, 0, lk->lk_name, 0);
	spin_lock(&lk->lk_spin);
	lk->lk_waiters--;
}

/* Unlock the interlock and let those look again who wait. */
static void
lock_wake(struct lock *lk)
{
	bool wake = lk->lk_waiters > 0;

	spin_unlock(&lk->lk_spin);
	if (wake)
		wakeup(lk);
}

static bool
lock_take_excl(struct lock *lk, xid_t xid)
{
	if (lk->lk_count > 0 && lk->lk_owner == xid) {
		lk->lk_count++;
		return true;
	}
	if (lk->lk_count > 0 || lk->lk_shared > 0)
		return false;
	lk->lk_count = 1;
	lk->lk_owner = xid;
	return true;
}

static bool
lock_take_shared(struct lock *lk)
{
	if (lk->lk_count > 0 || lk->lk_exclwait > 0)
		return false;
	lk->lk_shared++;
	return true;
}

void
lock_excl(struct lock *lk)
{
	xid_t xid = curthread->td_xid;

	lwkt_assert_may_block();
	spin_lock(&lk->lk_spin);
	while (!lock_take_excl(lk, xid)) {
		lk->lk_exclwait++;
		lock_sleep(lk);
		lk->lk_exclwait--;
	}
	spin_unlock(&lk->lk_spin);
}

void
lock_shared(struct lock *lk)
{
	lwkt_assert_may_block();
	spin_lock(&lk->lk_spin);
	KKASSERT(lk->lk_count == 0 || lk->lk_owner != curthread->td_xid);
	while (!lock_take_shared(lk))
		lock_sleep(lk);
	spin_unlock(&lk->lk_spin);
}

bool
lock_try_excl(struct lock *lk)
{
	bool got;

	spin_lock(&lk->lk_spin);
	got = lock_take_excl(lk, curthread->td_xid);
	spin_unlock(&lk->lk_spin);
	return got;
}

bool
lock_try_shared(struct lock *lk)
{
	bool got;

	spin_lock(&lk->lk_spin);
	got = lock_take_shared(lk);
	spin_unlock(&lk->lk_spin);
	return got;
}

void
lock_release(struct lock *lk)
{
	spin_lock(&lk->lk_spin);
	if (lk->lk_count > 0) {
		KKASSERT(lk->lk_owner == curthread->td_xid);
		if (--lk->lk_count > 0) {
			spin_unlock(&lk->lk_spin);
			return;
		}
		lk->lk_owner = 0;
	} else {
		KKASSERT(lk->lk_shared > 0);
		if (--lk->lk_shared > 0) {
			spin_unlock(&lk->lk_spin);
			return;
		}
	}
	lock_wake(lk);
}

int
lock_try_upgrade(struct lock *lk)
{
	int error = EBUSY;

	spin_lock(&lk->lk_spin);
	KKASSERT(lk->lk_shared > 0);
	if (lk->lk_shared == 1) {
		lk->lk_shared = 0;
		lk->lk_count = 1;
		lk->lk_owner = curthread->td_xid;
		error = 0;
	}
	spin_unlock(&lk->lk_spin);
	return error;
}

void
lock_downgrade(struct lock *lk)
{
	spin_lock(&lk->lk_spin);
	KKASSERT(lk->lk_count == 1 && lk->lk_owner == curthread->td_xid);
	lk->lk_count = 0;
	lk->lk_owner = 0;
	lk->lk_shared = 1;
	lock_wake(lk);
}

void
lock_give(struct lock *lk, xid_t xid)
{
	spin_lock(&lk->lk_spin);
	KKASSERT(lk->lk_count > 0 && lk->lk_owner == curthread->td_xid);
	lk->lk_owner = xid;
	spin_unlock(&lk->lk_spin);
}

bool
lock_held_excl(const struct lock *lk)
{
	struct lock *l = (struct lock *)(uintptr_t)lk;
	bool held;

	spin_lock(&l->lk_spin);
	held = lk->lk_count > 0 && lk->lk_owner == curthread->td_xid;
	spin_unlock(&l->lk_spin);
	return held;
}

bool
lock_held(const struct lock *lk)
{
	struct lock *l = (struct lock *)(uintptr_t)lk;
	bool held;

	spin_lock(&l->lk_spin);
	held = lk->lk_count > 0 || lk->lk_shared > 0;
	spin_unlock(&l->lk_spin);
	return held;
}
