/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pseudo-terminals.  Opening /dev/ptmx gives the master side of a fresh pair;
 * /dev/pts/N is the slave, a terminal whose line is the master's reader and
 * writer.
 *
 *   FREE -> OPEN     [ptmx_clone]
 *   OPEN -> CLOSING  [master closed: the slave is hung up]
 *   CLOSING -> FREE  [no slave open any more; looked at by ptmx_clone]
 *
 * PT1 Pairs are never freed but used again: nodes and waiters may point at
 *     them at any time.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/stat.h>
#include <sys/systm.h>
#include <sys/tty.h>
#include <sys/ucred.h>
#include <sys/uio.h>

static MALLOC_DEFINE(M_PTY, "pty");

enum pty_state { PTY_FREE, PTY_OPEN, PTY_CLOSING };
enum { TIOCGPTN = 0x80045430, TIOCSPTLCK = 0x40045431,
       TIOCGPTLCK = 0x80045439, FIONREAD = 0x541b };

struct pty {
	struct tty	 pt_tty;
	struct tty_queue pt_out;	/* [t_spin] slave to master */
	struct poll_queue pt_rpoll, pt_wpoll;	/* of the master */
	struct cdev	 pt_master, pt_slave;
	int		 pt_number;	/* I */
	enum pty_state	 pt_state;	/* [pty_lock] */
	bool		 pt_locked;
	bool		 pt_used;	/* [t_spin] the slave was opened */
	struct pty	*pt_next;	/* I */
};

static struct lock pty_lock;
static struct pty *pty_list;		/* [pty_lock] */
static int pty_count;			/* [pty_lock] */

/* Output of the slave; t_spin held. */
static size_t
pty_output(struct tty *tp, const char *buf, size_t len)
{
	struct pty *pt = tp->t_private;
	size_t i;

	if (tq_room(&pt->pt_out) < len)
		return 0;
	for (i = 0; i < len; i++)
		tq_put(&pt->pt_out, (uint8_t)buf[i]);
	wakeup(&pt->pt_out);
	poll_wakeup(&pt->pt_rpoll);
	return len;
}

/* ---- slave ---- */

static int
slave_open(struct cdev *cd, int fflags)
{
	struct pty *pt = cd->si_driver;

	if (pt->pt_state != PTY_OPEN || pt->pt_locked)
		return EIO;
	pt->pt_used = true;
	return tty_open(&pt->pt_tty, fflags);
}

static int
slave_close(struct cdev *cd, int fflags __unused)
{
	struct pty *pt = cd->si_driver;

	tty_close(&pt->pt_tty);
	wakeup(&pt->pt_out);		/* the master may see the end */
	poll_wakeup(&pt->pt_rpoll);
	return 0;
}

static int
slave_read(struct cdev *cd, struct uio *uio, int fflags)
{
	struct pty *pt = cd->si_driver;
	int error = tty_read(&pt->pt_tty, uio, fflags);

	wakeup(&pt->pt_tty.t_in.tq_head);	/* room for the master */
	poll_wakeup(&pt->pt_wpoll);
	return error;
}

static int
slave_write(struct cdev *cd, struct uio *uio, int fflags)
{
	struct pty *pt = cd->si_driver;

	return tty_write(&pt->pt_tty, uio, fflags);
}

static int
slave_ioctl(struct cdev *cd, uint64_t cmd, uint64_t uarg, int64_t *result)
{
	struct pty *pt = cd->si_driver;

	return tty_ioctl(&pt->pt_tty, cmd, uarg, result);
}

static int
slave_poll(struct cdev *cd, int events, struct poll_waiter *pw)
{
	struct pty *pt = cd->si_driver;

	return tty_poll(&pt->pt_tty, events, pw);
}

static const struct dev_ops slave_ops = {
	.do_name = "pts", .do_open = slave_open, .do_close = slave_close,
	.do_read = slave_read, .do_write = slave_write,
	.do_ioctl = slave_ioctl, .do_poll = slave_poll,
};

/* ---- master ---- */

/* Has the slave been opened and closed for good?  t_spin held. */
static bool
slave_gone(const struct pty *pt)
{
	return pt->pt_tty.t_opens == 0 && pt->pt_used;
}

static int
master_read(struct cdev *cd, struct uio *uio, int fflags)
{
	struct pty *pt = cd->si_driver;
	struct tty *tp = &pt->pt_tty;
	uint8_t buf[256];
	size_t n;
	int error = 0;

	spin_lock(&tp->t_spin);
	while (tq_count(&pt->pt_out) == 0) {
		if (slave_gone(pt))
			error = EIO;
		else if (fflags & O_NONBLOCK)
			error = EAGAIN;
		else {
			error = ssleep(&pt->pt_out, &tp->t_spin, PCATCH,
			    "ptyin", 0);
			spin_lock(&tp->t_spin);
		}
		if (error) {
			spin_unlock(&tp->t_spin);
			return error;
		}
	}
	while (error == 0 && uio->uio_resid > 0 && tq_count(&pt->pt_out) > 0) {
		for (n = 0; n < sizeof(buf) && n < uio->uio_resid &&
		    tq_count(&pt->pt_out) > 0; n++)
			buf[n] = pt->pt_out.tq_buf[
			    pt->pt_out.tq_tail++ % TTY_BUF];
		spin_unlock(&tp->t_spin);
		error = uiomove(buf, n, uio);
		spin_lock(&tp->t_spin);
	}
	spin_unlock(&tp->t_spin);
	tty_wake_writers(tp);
	return error;
}

/* Typing.  Waits while the slave does not read. */
static int
master_write(struct cdev *cd, struct uio *uio, int fflags)
{
	struct pty *pt = cd->si_driver;
	struct tty *tp = &pt->pt_tty;
	uint8_t c;
	int error;
	bool any = false;

	while (uio->uio_resid > 0) {
		spin_lock(&tp->t_spin);
		while (tq_room(&tp->t_in) < 8 &&
		    tp->t_canon != tp->t_in.tq_tail) {
			if (fflags & O_NONBLOCK)
				error = EAGAIN;
			else {
				error = ssleep(&tp->t_in.tq_head, &tp->t_spin,
				    PCATCH, "ptyout", 0);
				spin_lock(&tp->t_spin);
			}
			if (error) {
				spin_unlock(&tp->t_spin);
				return any ? 0 : error;
			}
		}
		spin_unlock(&tp->t_spin);
		if ((error = uiomove(&c, 1, uio)) != 0)
			return error;
		tty_input(tp, c);
		any = true;
	}
	return 0;
}

static int
master_ioctl(struct cdev *cd, uint64_t cmd, uint64_t uarg, int64_t *result)
{
	struct pty *pt = cd->si_driver;
	int32_t v;
	int error;

	*result = 0;
	switch ((uint32_t)cmd) {
	case TIOCGPTN:
		v = pt->pt_number;
		return copyout(&v, uarg, sizeof(v));
	case TIOCSPTLCK:
		if ((error = copyin(uarg, &v, sizeof(v))) == 0)
			pt->pt_locked = v != 0;
		return error;
	case TIOCGPTLCK:
		v = pt->pt_locked;
		return copyout(&v, uarg, sizeof(v));
	case FIONREAD:
		v = (int32_t)tq_count(&pt->pt_out);
		return copyout(&v, uarg, sizeof(v));
	}
	return tty_ioctl(&pt->pt_tty, cmd, uarg, result);
}

static int
master_poll(struct cdev *cd, int events, struct poll_waiter *pw)
{
	struct pty *pt = cd->si_driver;
	struct tty *tp = &pt->pt_tty;
	int ready = 0;

	if (pw != NULL)
		poll_queue_add(events & (POLLIN | POLLRDNORM) ?
		    &pt->pt_rpoll : &pt->pt_wpoll, pw);
	spin_lock(&tp->t_spin);
	if (tq_count(&pt->pt_out) > 0)
		ready |= POLLIN | POLLRDNORM;
	if (tq_room(&tp->t_in) >= 8)
		ready |= POLLOUT | POLLWRNORM;
	if (slave_gone(pt))
		ready |= POLLHUP;
	spin_unlock(&tp->t_spin);
	return ready & (events | POLLHUP | POLLERR);
}

static int
master_close(struct cdev *cd, int fflags __unused)
{
	struct pty *pt = cd->si_driver;

	lock_excl(&pty_lock);
	pt->pt_state = PTY_CLOSING;
	lock_release(&pty_lock);
	tty_hangup(&pt->pt_tty);
	return 0;
}

static const struct dev_ops master_ops = {
	.do_name = "ptm", .do_close = master_close, .do_read = master_read,
	.do_write = master_write, .do_ioctl = master_ioctl,
	.do_poll = master_poll,
};

/* ---- pairs ---- */

static bool
pty_reusable(struct pty *pt)
{
	return pt->pt_state == PTY_CLOSING && pt->pt_tty.t_opens == 0 &&
	    pt->pt_tty.t_session == NULL &&
	    atomic_load(&pt->pt_master.si_refs) == 0 &&
	    atomic_load(&pt->pt_slave.si_refs) == 0;
}

/* pty_lock held. */
static struct pty *
pty_create(void)
{
	struct pty *pt;

	pt = kmalloc(sizeof(*pt), &M_PTY, M_WAITOK | M_ZERO);
	pt->pt_number = pty_count++;
	pt->pt_out.tq_buf = kmalloc(TTY_BUF, &M_PTY, M_WAITOK);
	tty_setup(&pt->pt_tty, "pty");
	pt->pt_tty.t_output = pty_output;
	pt->pt_tty.t_private = pt;
	pt->pt_tty.t_cdev = &pt->pt_slave;
	poll_queue_init(&pt->pt_rpoll);
	poll_queue_init(&pt->pt_wpoll);
	ksnprintf(pt->pt_slave.si_name, sizeof(pt->pt_slave.si_name),
	    "pts/%d", pt->pt_number);
	pt->pt_slave.si_dev = makedev(136, (uint32_t)pt->pt_number);
	pt->pt_slave.si_ops = &slave_ops;
	pt->pt_slave.si_driver = pt;
	pt->pt_slave.si_mode = S_IFCHR | 0620;
	pt->pt_slave.si_uid = curcred()->cr_uid;
	pt->pt_slave.si_gid = 5;
	kstrlcpy(pt->pt_master.si_name, "ptmx",
	    sizeof(pt->pt_master.si_name));
	pt->pt_master.si_dev = makedev(5, 2);
	pt->pt_master.si_ops = &master_ops;
	pt->pt_master.si_driver = pt;
	pt->pt_master.si_mode = S_IFCHR | 0666;
	if (dev_register(&pt->pt_slave) != 0)
		kprintf("pty: no /dev/%s\n", pt->pt_slave.si_name);
	pt->pt_next = pty_list;
	pty_list = pt;
	return pt;
}

static int
ptmx_clone(struct cdev *cd __unused, int fflags __unused, struct cdev **real)
{
	struct pty *pt;

	lock_excl(&pty_lock);
	for (pt = pty_list; pt != NULL; pt = pt->pt_next)
		if (pty_reusable(pt))
			break;
	if (pt == NULL)
		pt = pty_create();
	pt->pt_tty.t_hungup = pt->pt_tty.t_stopped = false;
	pt->pt_tty.t_lnext = false;
	pt->pt_tty.t_winsize = (struct winsize){ 0, 0, 0, 0 };
	pt->pt_tty.t_in.tq_head = pt->pt_tty.t_in.tq_tail = 0;
	pt->pt_tty.t_canon = 0;
	pt->pt_out.tq_head = pt->pt_out.tq_tail = 0;
	pt->pt_slave.si_uid = curcred()->cr_uid;
	tty_reset_modes(&pt->pt_tty);
	pt->pt_locked = true;
	pt->pt_used = false;
	pt->pt_state = PTY_OPEN;
	atomic_fetch_add(&pt->pt_master.si_refs, 1);
	*real = &pt->pt_master;
	lock_release(&pty_lock);
	return 0;
}

static const struct dev_ops ptmx_ops = {
	.do_name = "ptmx", .do_clone = ptmx_clone,
};
static struct cdev ptmx_dev = {
	.si_name = "ptmx", .si_mode = S_IFCHR | 0666, .si_ops = &ptmx_ops,
};

void
pty_init(void)
{
	lock_init(&pty_lock, "pty");
	ptmx_dev.si_dev = makedev(5, 2);
	if (dev_register(&ptmx_dev) != 0)
		kprintf("pty: no /dev/ptmx\n");
}
