/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Epochs: readers of a structure take no lock and write to nothing shared;
 * what was unlinked is freed when no reader can see it any more.
 * kern/kern_epoch.c.
 *
 * E1  A reader is in a critical section and does not block in it.
 * E2  An IPI function runs on a CPU only outside of its critical sections, and
 *     so do switches and the idle loop.  When every CPU has done one of them,
 *     all readers that began before have ended.
 */
#ifndef _SYS_EPOCH_H_
#define _SYS_EPOCH_H_

#include <sys/atomic.h>
#include <sys/thread.h>

struct epoch_item {
	struct epoch_item *ei_next;
	void		(*ei_fn)(struct epoch_item *);
};

static inline void
epoch_enter(void)
{
	crit_enter();
}

static inline void
epoch_exit(void)
{
	crit_exit();
}

/* Wait for all readers that are inside now.  Blocks. */
void	epoch_wait(void);
/* Call fn(item) after that, in a thread; it may take locks.  Never blocks.
 * The item lives in what is to be freed. */
void	epoch_call(struct epoch_item *, void (*fn)(struct epoch_item *));
/* Wait until everything given to epoch_call() before has been called. */
void	epoch_drain(void);

/* The scheduler counts. */
static inline void
epoch_quiescent(struct globaldata *gd)
{
	atomic_store_rel(&gd->gd_quiesce, gd->gd_quiesce + 1);
}

#endif
