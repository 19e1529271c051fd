/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Epochs: see sys/epoch.h for the rules.
 *
 * Items wait on one lock-free stack.  A thread takes the whole stack, waits
 * for one quiescent point of every CPU, and calls the items: the price of a
 * wait is paid per batch, not per item.
 */
#include <sys/clock.h>
#include <sys/epoch.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include "kern_init.h"

enum { EPOCH_BATCH_NS = 2 * 1000 * 1000 };	/* let some gather */

static struct epoch_item *epoch_items;	/* [a] newest first */
static uint64_t epoch_given, epoch_called;	/* [a] */
static uint32_t epoch_hurry;		/* [a] somebody waits */

static void
epoch_nothing(void *arg __unused, void *arg2 __unused)
{
}

void
epoch_wait(void)
{
	lwkt_assert_may_block();
	KKASSERT(!crit_held());
	lwkt_ipi_sync(~0ULL, epoch_nothing, NULL, NULL);
}

void
epoch_call(struct epoch_item *ei, void (*fn)(struct epoch_item *))
{
	struct epoch_item *head = atomic_load_relaxed(&epoch_items);

	ei->ei_fn = fn;
	atomic_fetch_add(&epoch_given, 1);
	do {
		ei->ei_next = head;
	} while (!atomic_cmpset(&epoch_items, &head, ei));
	if (head == NULL)
		wakeup(&epoch_items);
}

void
epoch_drain(void)
{
	uint64_t goal = atomic_load(&epoch_given);

	lwkt_assert_may_block();
	atomic_store(&epoch_hurry, 1);
	wakeup(&epoch_hurry);
	for (;;) {
		tsleep_interlock(&epoch_called);
		if (atomic_load(&epoch_called) >= goal)
			break;
		tsleep(&epoch_called, PINTERLOCKED, "epdrain", 0);
	}
	tsleep_remove();
}

static void
epoch_thread(void *unused __unused)
{
	struct epoch_item *ei, *next, *list;
	uint64_t n;

	for (;;) {
		tsleep_interlock(&epoch_items);
		if (atomic_load(&epoch_items) == NULL) {
			tsleep(&epoch_items, PINTERLOCKED, "epoch", 0);
			continue;
		}
		tsleep_interlock(&epoch_hurry);
		if (!atomic_swap(&epoch_hurry, 0))
			tsleep(&epoch_hurry, PINTERLOCKED, "epgather",
			    EPOCH_BATCH_NS);
		tsleep_remove();
		ei = atomic_swap(&epoch_items, NULL);
		for (list = NULL; ei != NULL; ei = next) {
			next = ei->ei_next;
			ei->ei_next = list;
			list = ei;
		}
		epoch_wait();
		for (n = 0; (ei = list) != NULL; n++) {
			list = ei->ei_next;
			ei->ei_fn(ei);
		}
		atomic_fetch_add(&epoch_called, n);
		wakeup(&epoch_called);
	}
}

void
epoch_start(void)
{
	struct thread *td;

	lwkt_create(epoch_thread, NULL, &td, TDPRI_SOFT, 0, "epoch");
	lwkt_schedule(td);
}
