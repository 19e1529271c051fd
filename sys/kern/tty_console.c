/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system console as a terminal: /dev/console, /dev/ttyS0 and /dev/tty1 are
 * the same line; and /dev/tty, the caller's own.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/proc.h>
#include <sys/stat.h>
#include <sys/systm.h>
#include <sys/tty.h>
#include <platform/machdep.h>

static struct tty console_tty;

static size_t
console_output(struct tty *tp __unused, const char *buf, size_t len)
{
	md_console_write(buf, len);
	return len;
}

static void
console_typed(int c)
{
	tty_input(&console_tty, c);
}

static int
con_open(struct cdev *cd, int fflags)
{
	/* Init leads a session, but its console is everybody's. */
	if (curproc() == initproc)
		fflags |= O_NOCTTY;
	return tty_open(cd->si_driver, fflags);
}

static int
con_close(struct cdev *cd, int fflags __unused)
{
	tty_close(cd->si_driver);
	return 0;
}

static int
con_read(struct cdev *cd, struct uio *uio, int fflags)
{
	return tty_read(cd->si_driver, uio, fflags);
}

static int
con_write(struct cdev *cd, struct uio *uio, int fflags)
{
	return tty_write(cd->si_driver, uio, fflags);
}

static int
con_ioctl(struct cdev *cd, uint64_t cmd, uint64_t uarg, int64_t *result)
{
	return tty_ioctl(cd->si_driver, cmd, uarg, result);
}

static int
con_poll(struct cdev *cd, int events, struct poll_waiter *pw)
{
	return tty_poll(cd->si_driver, events, pw);
}

static const struct dev_ops console_ops = {
	.do_name = "console", .do_open = con_open, .do_close = con_close,
	.do_read = con_read, .do_write = con_write, .do_ioctl = con_ioctl,
	.do_poll = con_poll,
};

/* /dev/tty: what it stands for at the open. */
static int
own_clone(struct cdev *cd __unused, int fflags __unused, struct cdev **real)
{
	struct proc *p = curproc();
	struct tty *tp;

	spin_lock(&proc_spin);
	tp = p != NULL ? p->p_pgrp->pg_session->s_tty : NULL;
	spin_unlock(&proc_spin);
	if (tp == NULL)
		return ENXIO;
	atomic_fetch_add(&tp->t_cdev->si_refs, 1);
	*real = tp->t_cdev;
	return 0;
}

static const struct dev_ops own_ops = {
	.do_name = "tty", .do_clone = own_clone,
};

static struct cdev console_dev = {
	.si_name = "console", .si_mode = S_IFCHR | 0600, .si_ops = &console_ops,
};
static struct cdev serial_dev = {
	.si_name = "ttyS0", .si_mode = S_IFCHR | 0620, .si_gid = 5,
	.si_ops = &console_ops,
};
static struct cdev vt_dev = {
	.si_name = "tty1", .si_mode = S_IFCHR | 0620, .si_gid = 5,
	.si_ops = &console_ops,
};
static struct cdev own_dev = {
	.si_name = "tty", .si_mode = S_IFCHR | 0666, .si_ops = &own_ops,
};

static void
register_one(struct cdev *cd, uint32_t major, uint32_t minor)
{
	int error;

	cd->si_dev = makedev(major, minor);
	cd->si_driver = &console_tty;
	if ((error = dev_register(cd)) != 0)
		kprintf("tty: no /dev/%s: error %d\n", cd->si_name, error);
}

/* winsize=ROWSxCOLUMNS on the boot command line. */
static struct winsize
boot_winsize(void)
{
	struct winsize ws = { 25, 80, 0, 0 };
	const char *s = strstr(md_cmdline(), "winsize=");
	uint64_t row, col;
	char *end;

	if (s == NULL)
		return ws;
	row = kstrtou64(s + 8, &end, 10);
	col = *end == 'x' ? kstrtou64(end + 1, &end, 10) : 0;
	if (row > 0 && row < 1000 && col > 0 && col < 1000) {
		ws.ws_row = (uint16_t)row;
		ws.ws_col = (uint16_t)col;
	}
	return ws;
}

void
tty_init(void)
{
	tty_setup(&console_tty, "console");
	console_tty.t_output = console_output;
	console_tty.t_cdev = &serial_dev;
	console_tty.t_winsize = boot_winsize();
	register_one(&console_dev, 5, 1);
	register_one(&serial_dev, 4, 64);
	register_one(&vt_dev, 4, 1);
	register_one(&own_dev, 5, 0);
	console_input_hook = console_typed;
	pty_init();
}
