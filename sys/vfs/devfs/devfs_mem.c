/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices that are nothing but code: null zero full random urandom kmsg. */
#include <sys/dev.h>
#include <sys/errno.h>
#include <sys/file.h>
#include <sys/malloc.h>
#include <sys/stat.h>
#include <sys/systm.h>
#include <sys/uio.h>

#include "devfs.h"

static int
null_read(struct cdev *cd __unused, struct uio *uio __unused,
    int fflags __unused)
{
	return 0;
}

static int
null_write(struct cdev *cd __unused, struct uio *uio, int fflags __unused)
{
	uio->uio_offset += (off_t)uio->uio_resid;
	uio->uio_resid = 0;
	return 0;
}

static int
zero_read(struct cdev *cd __unused, struct uio *uio, int fflags __unused)
{
	static const char zeroes[4096];
	int error = 0;

	while (uio->uio_resid > 0 && error == 0)
		error = uiomove((void *)zeroes, MIN(sizeof(zeroes),
		    uio->uio_resid), uio);
	return error;
}

static int
full_write(struct cdev *cd __unused, struct uio *uio __unused,
    int fflags __unused)
{
	return ENOSPC;
}

static int
random_read(struct cdev *cd __unused, struct uio *uio, int fflags __unused)
{
	char buf[256];
	size_t n;
	int error = 0;

	while (uio->uio_resid > 0 && error == 0) {
		n = MIN(sizeof(buf), uio->uio_resid);
		random_bytes(buf, n);
		error = uiomove(buf, n, uio);
	}
	memset(buf, 0, sizeof(buf));
	return error;
}

/* Writing stirs nothing: the generator needs no help from users. */
static int
random_write(struct cdev *cd, struct uio *uio, int fflags)
{
	return null_write(cd, uio, fflags);
}

/* The message buffer from the reader's offset on; writes are messages. */
static int
kmsg_read(struct cdev *cd __unused, struct uio *uio, int fflags __unused)
{
	char buf[512];
	uint64_t pos = (uint64_t)uio->uio_offset;
	size_t n;
	int error = 0;

	while (uio->uio_resid > 0 && error == 0) {
		n = msgbuf_read(&pos, buf, MIN(sizeof(buf), uio->uio_resid));
		if (n == 0)
			break;
		error = uiomove(buf, n, uio);
		uio->uio_offset = (off_t)pos;
	}
	return error;
}

static int
kmsg_write(struct cdev *cd __unused, struct uio *uio, int fflags __unused)
{
	char buf[257];
	size_t n;
	int error;

	while (uio->uio_resid > 0) {
		n = MIN(sizeof(buf) - 1, uio->uio_resid);
		error = uiomove(buf, n, uio);
		if (error != 0)
			return error;
		buf[n] = '\0';
		kprintf("%s%s", buf, buf[n - 1] == '\n' ? "" : "\n");
	}
	return 0;
}

static int
mem_poll(struct cdev *cd __unused, int events,
    struct poll_waiter *pw __unused)
{
	return events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
}

static const struct dev_ops null_ops = {
	.do_name = "null", .do_read = null_read, .do_write = null_write,
	.do_poll = mem_poll,
};
static const struct dev_ops zero_ops = {
	.do_name = "zero", .do_read = zero_read, .do_write = null_write,
	.do_poll = mem_poll,
};
static const struct dev_ops full_ops = {
	.do_name = "full", .do_read = zero_read, .do_write = full_write,
	.do_poll = mem_poll,
};
static const struct dev_ops random_ops = {
	.do_name = "random", .do_read = random_read,
	.do_write = random_write, .do_poll = mem_poll,
};
static const struct dev_ops kmsg_ops = {
	.do_name = "kmsg", .do_read = kmsg_read, .do_write = kmsg_write,
	.do_poll = mem_poll,
};

static struct mem_dev {
	const char	*name;
	mode_t		 mode;
	uint32_t	 minor;		/* of major 1, as on Linux */
	const struct dev_ops *ops;
	struct cdev	 cdev;
} mem_devs[] = {
	{ "null",	S_IFCHR | 0666, 3, &null_ops, { .si_name = "" } },
	{ "zero",	S_IFCHR | 0666, 5, &zero_ops, { .si_name = "" } },
	{ "full",	S_IFCHR | 0666, 7, &full_ops, { .si_name = "" } },
	{ "random",	S_IFCHR | 0666, 8, &random_ops, { .si_name = "" } },
	{ "urandom",	S_IFCHR | 0666, 9, &random_ops, { .si_name = "" } },
	{ "kmsg",	S_IFCHR | 0644, 11, &kmsg_ops, { .si_name = "" } },
};

void
devfs_mem_init(void)
{
	struct mem_dev *md;
	int error;

	for (md = mem_devs; md < mem_devs + nitems(mem_devs); md++) {
		kstrlcpy(md->cdev.si_name, md->name,
		    sizeof(md->cdev.si_name));
		md->cdev.si_mode = md->mode;
		md->cdev.si_dev = makedev(1, md->minor);
		md->cdev.si_ops = md->ops;
		error = dev_register(&md->cdev);
		if (error != 0)
			kprintf("devfs: %s: error %d\n", md->name, error);
	}
}
