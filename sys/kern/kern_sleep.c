/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping on an address, and waking.
 *
 * Sleepers hang in a hash of buckets by address, each with a spinlock.
 *
 *   awake -> queued      [tsleep_interlock]  td_wchan is the address
 *   queued -> awake      [wakeup, timeout, tsleep_signal, tsleep_remove]
 *                        td_wchan is NULL, td_wresult says why
 *   queued -> asleep     [tsleep, when it finds itself still queued]
 *
 * W1  td_wchan, td_wresult and the chain change under the bucket's lock only,
 *     and whoever takes a thread off the chain also schedules it before he
 *     lets go of the lock.  The sleeper takes the lock before it returns: so
 *     its memory outlives every waker's use of it.
 * W2  sb_count is raised before the sleeper tests its condition, and read by
 *     wakeup() after the caller made the condition true: one of the two sees
 *     the other.
 * W3  A thread can be run by a late kick (see lwkt_sched.c, S5): tsleep()
 *     goes back to sleep as long as it is queued.
 */
#include <sys/atomic.h>
#include <sys/callout.h>
#include <sys/errno.h>
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include "kern_init.h"
#include "lwkt.h"

enum { SLEEP_HASH = 1024 };

struct sleep_bucket {
	struct spinlock	sb_spin;
	int32_t		sb_count;	/* [a] threads on the chain */
	struct thread_queue sb_chain;	/* [sb_spin] first come, first woken */
} __attribute__((__aligned__(CACHE_LINE)));

static struct sleep_bucket sleep_hash[SLEEP_HASH];
int (*tsleep_signal_hook)(void);

static struct sleep_bucket *
sleep_bucket(const void *ident)
{
	uint64_t h = (uintptr_t)ident;

	h = (h ^ (h >> 12)) * 0x9e3779b97f4a7c15ULL;
	return &sleep_hash[h >> 54];
}

void
sleep_init(void)
{
	int i;

	for (i = 0; i < SLEEP_HASH; i++) {
		spin_init(&sleep_hash[i].sb_spin, "sleep");
		TAILQ_INIT(&sleep_hash[i].sb_chain);
	}
}

static void
bucket_remove(struct sleep_bucket *sb, struct thread *td, int result)
{
	TAILQ_REMOVE(&sb->sb_chain, td, td_sleepq);
	atomic_fetch_sub(&sb->sb_count, 1);
	td->td_wresult = result;
	atomic_store(&td->td_wchan, NULL);
}

void
tsleep_interlock(const void *ident)
{
	struct thread *td = curthread;
	struct sleep_bucket *sb = sleep_bucket(ident);

	KKASSERT(ident != NULL);
	tsleep_remove();
	spin_lock(&sb->sb_spin);
	TAILQ_INSERT_TAIL(&sb->sb_chain, td, td_sleepq);
	td->td_wresult = 0;
	td->td_wcatch = false;
	atomic_store(&td->td_wchan, ident);
	atomic_fetch_add(&sb->sb_count, 1);
	spin_unlock(&sb->sb_spin);
}

/*
 * Take td off its chain, if it is on one, and make it runnable.
 * The caller keeps td alive.
 */
static void
sleep_end(struct thread *td, int result, bool catch_only)
{
	struct sleep_bucket *sb;
	const void *ident;

	while ((ident = atomic_load(&td->td_wchan)) != NULL) {
		sb = sleep_bucket(ident);
		spin_lock(&sb->sb_spin);
		if (atomic_load(&td->td_wchan) == ident) {
			if (!catch_only || td->td_wcatch) {
				bucket_remove(sb, td, result);
				lwkt_schedule(td);
			}
			spin_unlock(&sb->sb_spin);
			return;
		}
		spin_unlock(&sb->sb_spin);
	}
}

void
tsleep_remove(void)
{
	struct thread *td = curthread;
	struct sleep_bucket *sb;
	const void *ident = atomic_load(&td->td_wchan);

	if (ident == NULL)
		return;
	sb = sleep_bucket(ident);
	spin_lock(&sb->sb_spin);
	if (atomic_load(&td->td_wchan) != NULL)
		bucket_remove(sb, td, 0);
	spin_unlock(&sb->sb_spin);
}

/* A direct callout: on the sleeper's CPU, in a critical section. */
static void
sleep_timeout(void *arg)
{
	sleep_end(arg, EWOULDBLOCK, false);
}

void
tsleep_signal(struct thread *td)
{
	sleep_end(td, EINTR, true);
}

/* Is the current thread still queued?  Also waits for its waker to be gone. */
static bool
sleep_queued(struct thread *td, const void *ident)
{
	struct sleep_bucket *sb = sleep_bucket(ident);
	bool queued;

	spin_lock(&sb->sb_spin);
	queued = atomic_load(&td->td_wchan) != NULL;
	spin_unlock(&sb->sb_spin);
	return queued;
}

static void
sleep_arm_catch(struct thread *td, const void *ident)
{
	struct sleep_bucket *sb = sleep_bucket(ident);

	spin_lock(&sb->sb_spin);
	td->td_wcatch = true;
	spin_unlock(&sb->sb_spin);
}

int
tsleep(const void *ident, int flags, const char *wmesg, nsec_t timo_ns)
{
	struct thread *td = curthread;
	struct callout timeout;
	int error;

	lwkt_assert_may_block();
	crit_enter();
	if ((flags & PINTERLOCKED) == 0)
		tsleep_interlock(ident);
	td->td_wmesg = wmesg;
	if (flags & PCATCH) {
		sleep_arm_catch(td, ident);
		error = td->td_lwp != NULL && tsleep_signal_hook != NULL ?
		    tsleep_signal_hook() : 0;
		if (error) {
			tsleep_remove();
			sleep_queued(td, ident);
			td->td_wmesg = NULL;
			crit_exit();
			return error;
		}
	}
	if (timo_ns != 0) {
		callout_init(&timeout, sleep_timeout, td);
		callout_reset_direct(&timeout, timo_ns);
	}
	while (sleep_queued(td, ident))
		lwkt_switch();
	if (timo_ns != 0)
		callout_stop(&timeout);
	td->td_wmesg = NULL;
	error = td->td_wresult;
	crit_exit();
	if (error == EINTR && td->td_lwp != NULL && tsleep_signal_hook != NULL)
		error = tsleep_signal_hook();
	return error;
}

int
ssleep(const void *ident, struct spinlock *sp, int flags, const char *wmesg,
    nsec_t timo_ns)
{
	tsleep_interlock(ident);
	spin_unlock(sp);
	return tsleep(ident, flags | PINTERLOCKED, wmesg, timo_ns);
}

static void
sleep_wake(const void *ident, bool one)
{
	struct sleep_bucket *sb = sleep_bucket(ident);
	struct thread *td, *next;

	atomic_fence();
	if (atomic_load(&sb->sb_count) == 0)
		return;
	spin_lock(&sb->sb_spin);
	TAILQ_FOREACH_SAFE(td, &sb->sb_chain, td_sleepq, next) {
		if (atomic_load_relaxed(&td->td_wchan) != ident)
			continue;
		bucket_remove(sb, td, 0);
		lwkt_schedule(td);
		if (one)
			break;
	}
	spin_unlock(&sb->sb_spin);
}

void
wakeup(const void *ident)
{
	sleep_wake(ident, false);
}

void
wakeup_one(const void *ident)
{
	sleep_wake(ident, true);
}
