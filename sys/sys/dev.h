/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device registry.  A driver registers a node; devfs shows it under its name.
 * kern/kern_dev.c.  Handlers run in the caller's thread and may block.
 */
#ifndef _SYS_DEV_H_
#define _SYS_DEV_H_

#include <sys/queue.h>
#include <sys/types.h>

struct cdev;
struct file;
struct uio;
struct disk;
struct vm_object;
struct poll_waiter;

struct dev_ops {
	const char *do_name;
	/* The device that open(2) of this one really opens (/dev/tty,
	 * /dev/ptmx): a referenced cdev in *real, then its own do_open is
	 * called.  May be NULL: itself. */
	int	(*do_clone)(struct cdev *, int fflags, struct cdev **real);
	int	(*do_open)(struct cdev *, int fflags);		/* may be NULL */
	int	(*do_close)(struct cdev *, int fflags);		/* may be NULL */
	int	(*do_read)(struct cdev *, struct uio *, int fflags);
	int	(*do_write)(struct cdev *, struct uio *, int fflags);
	/* uarg is a user address or an integer, as in ioctl(2). */
	int	(*do_ioctl)(struct cdev *, uint64_t cmd, uint64_t uarg,
		    int64_t *result);
	/* Returns ready events (POLLIN ...); queues pw if it is not NULL. */
	int	(*do_poll)(struct cdev *, int events, struct poll_waiter *pw);
};

struct cdev {
	char		 si_name[64];	/* path under /dev, may hold '/' */
	mode_t		 si_mode;	/* S_IFCHR or S_IFBLK, permissions */
	uid_t		 si_uid;
	gid_t		 si_gid;
	dev_t		 si_dev;
	const struct dev_ops *si_ops;
	void		*si_driver;
	struct disk	*si_disk;	/* block devices only */
	uint32_t	 si_refs;	/* [a] */
	TAILQ_ENTRY(cdev) si_list;
};

/* All block.  Errors: EEXIST.  The cdev is the caller's storage. */
int	dev_register(struct cdev *);
void	dev_unregister(struct cdev *);
struct cdev *dev_lookup(const char *name);	/* reference, or NULL */
struct cdev *dev_lookup_num(dev_t, bool block);
void	dev_put(struct cdev *);
/* Visit all, in registration order, under the registry's lock. */
void	dev_foreach(void (*fn)(struct cdev *, void *), void *arg);
/* devfs asks to be told; one listener.  (registration, not an include) */
void	dev_set_listener(void (*changed)(struct cdev *, bool added));

#endif
