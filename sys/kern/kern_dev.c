/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry of device nodes.
 *
 * D1  The list and si_refs' way from 0 up are guarded by dev_lock.
 * D2  dev_unregister() takes the node off the list, so that no new reference
 *     comes, and waits for those that are: then the storage is the driver's
 *     again.
 */
#include <sys/atomic.h>
#include <sys/dev.h>
#include <sys/errno.h>
#include <sys/lock.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include "kern_init.h"

static struct lock dev_lock;
static TAILQ_HEAD(, cdev) dev_list = TAILQ_HEAD_INITIALIZER(dev_list);
static void (*dev_listener)(struct cdev *, bool);

void
dev_init(void)
{
	lock_init(&dev_lock, "devices");
}

static struct cdev *
dev_find(const char *name)
{
	struct cdev *cd;

	TAILQ_FOREACH(cd, &dev_list, si_list)
		if (strcmp(cd->si_name, name) == 0)
			return cd;
	return NULL;
}

int
dev_register(struct cdev *cd)
{
	int error = 0;

	lock_excl(&dev_lock);
	if (dev_find(cd->si_name) != NULL)
		error = EEXIST;
	else {
		cd->si_refs = 0;
		TAILQ_INSERT_TAIL(&dev_list, cd, si_list);
		if (dev_listener != NULL)
			dev_listener(cd, true);
	}
	lock_release(&dev_lock);
	return error;
}

void
dev_unregister(struct cdev *cd)
{
	lock_excl(&dev_lock);
	TAILQ_REMOVE(&dev_list, cd, si_list);
	if (dev_listener != NULL)
		dev_listener(cd, false);
	lock_release(&dev_lock);
	for (;;) {
		tsleep_interlock(&cd->si_refs);
		if (atomic_load(&cd->si_refs) == 0)
			break;
		tsleep(&cd->si_refs, PINTERLOCKED, "devgone", 0);
	}
	tsleep_remove();
}

struct cdev *
dev_lookup(const char *name)
{
	struct cdev *cd;

	lock_shared(&dev_lock);
	cd = dev_find(name);
	if (cd != NULL)
		atomic_fetch_add(&cd->si_refs, 1);
	lock_release(&dev_lock);
	return cd;
}

struct cdev *
dev_lookup_num(dev_t dev, bool block)
{
	mode_t kind = block ? 0060000 : 0020000;	/* S_IFBLK, S_IFCHR */
	struct cdev *cd;

	lock_shared(&dev_lock);
	TAILQ_FOREACH(cd, &dev_list, si_list)
		if (cd->si_dev == dev && (cd->si_mode & 0170000) == kind)
			break;
	if (cd != NULL)
		atomic_fetch_add(&cd->si_refs, 1);
	lock_release(&dev_lock);
	return cd;
}

void
dev_put(struct cdev *cd)
{
	if (atomic_fetch_sub(&cd->si_refs, 1) == 1)
		wakeup(&cd->si_refs);
}

void
dev_foreach(void (*fn)(struct cdev *, void *), void *arg)
{
	struct cdev *cd;

	lock_shared(&dev_lock);
	TAILQ_FOREACH(cd, &dev_list, si_list)
		fn(cd, arg);
	lock_release(&dev_lock);
}

void
dev_set_listener(void (*changed)(struct cdev *, bool))
{
	lock_excl(&dev_lock);
	dev_listener = changed;
	lock_release(&dev_lock);
}
