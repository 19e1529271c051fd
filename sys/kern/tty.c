/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line discipline: typed characters become lines, signals and echo;
 * written ones are processed on their way out.
 *
 * Y1  t_spin guards queues and modes.  It may be taken in any thread context,
 *     so nothing blocks under it, user memory is touched outside of it.
 * Y2  Signals go out after t_spin is dropped: order is proc_spin alone, or
 *     t_spin alone.
 * Y3  In canonical mode a reader sees the queue up to t_canon only; t_mark has
 *     a bit for each place that ends a line.  An end of file is a zero byte
 *     with the mark.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <sys/tty.h>
#include <sys/uio.h>

static MALLOC_DEFINE(M_TTY, "tty");

size_t
tq_count(const struct tty_queue *q)
{
	return q->tq_head - q->tq_tail;
}

size_t
tq_room(const struct tty_queue *q)
{
	return TTY_BUF - tq_count(q);
}

bool
tq_put(struct tty_queue *q, uint8_t c)
{
	if (tq_room(q) == 0)
		return false;
	q->tq_buf[q->tq_head++ % TTY_BUF] = c;
	return true;
}

static bool
mark_get(const struct tty *tp, uint32_t at)
{
	at %= TTY_BUF;
	return tp->t_mark[at / 8] & (1u << (at % 8));
}

static void
mark_set(struct tty *tp, uint32_t at, bool on)
{
	at %= TTY_BUF;
	if (on)
		tp->t_mark[at / 8] |= 1u << (at % 8);
	else
		tp->t_mark[at / 8] &= ~(1u << (at % 8));
}

/* As a login on a serial line finds it. */
void
tty_reset_modes(struct tty *tp)
{
	static const uint8_t cc[NCCS] = {
		[VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21,
		[VEOF] = 4, [VTIME] = 0, [VMIN] = 1, [VSTART] = 17,
		[VSTOP] = 19, [VSUSP] = 26, [VREPRINT] = 18,
		[VDISCARD] = 15, [VWERASE] = 23, [VLNEXT] = 22,
	};
	struct termios *t = &tp->t_termios;

	t->c_iflag = ICRNL | IXON;
	t->c_oflag = OPOST | ONLCR;
	t->c_cflag = 0x1002 | 0x30 | 0x80 | 0x400;	/* 115200 8N, CREAD */
	t->c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE |
	    IEXTEN;
	t->c_line = 0;
	memcpy(t->c_cc, cc, sizeof(cc));
}

void
tty_setup(struct tty *tp, const char *name)
{
	tp->t_refs = 1;
	spin_init(&tp->t_spin, name);
	if (tp->t_in.tq_buf == NULL)
		tp->t_in.tq_buf = kmalloc(TTY_BUF, &M_TTY, M_WAITOK);
	poll_queue_init(&tp->t_rpoll);
	poll_queue_init(&tp->t_wpoll);
	tty_reset_modes(tp);
}

/* Terminals live for ever (consoles) or are used again (tty_pty.c). */
void
tty_ref(struct tty *tp)
{
	atomic_fetch_add(&tp->t_refs, 1);
}

void
tty_rele(struct tty *tp)
{
	atomic_fetch_sub(&tp->t_refs, 1);
}

/* ---- output ---- */

static size_t
out_raw(struct tty *tp, char c)
{
	return tp->t_output(tp, &c, 1);
}

/*
 * One character through output processing.  false: no room, nothing done.
 */
static bool
out_char(struct tty *tp, char c)
{
	uint32_t of = tp->t_termios.c_oflag, n;
	char buf[8];

	if ((of & OPOST) == 0)
		return out_raw(tp, c) == 1;
	switch (c) {
	case '\n':
		if (of & ONLCR) {
			if (tp->t_output(tp, "\r\n", 2) != 2)
				return false;
			tp->t_column = 0;
			return true;
		}
		break;
	case '\r':
		if ((of & ONOCR) && tp->t_column == 0)
			return true;
		if (of & OCRNL)
			c = '\n';
		else if (out_raw(tp, c) == 1) {
			tp->t_column = 0;
			return true;
		} else
			return false;
		break;
	case '\t':
		n = 8 - (tp->t_column & 7);
		if ((of & TABDLY) == XTABS) {
			memset(buf, ' ', n);
			if (tp->t_output(tp, buf, n) != n)
				return false;
			tp->t_column += n;
			return true;
		}
		tp->t_column += n - 1;
		break;
	case '\b':
		if (tp->t_column > 0)
			tp->t_column -= 2;	/* and +1 below */
		break;
	}
	if (out_raw(tp, c) != 1)
		return false;
	if ((uint8_t)c >= ' ' || c == '\t' || c == '\b')
		tp->t_column++;
	return true;
}

static bool
is_ctl(uint8_t c)
{
	return (c < ' ' && c != '\t' && c != '\n') || c == 127;
}

static void
echo(struct tty *tp, uint8_t c)
{
	uint32_t lf = tp->t_termios.c_lflag;

	if ((lf & ECHO) == 0) {
		if (c == '\n' && (lf & ECHONL))
			out_char(tp, c);
		return;
	}
	if ((lf & ECHOCTL) && is_ctl(c)) {
		out_char(tp, '^');
		out_char(tp, (char)(c ^ 0100));
	} else {
		out_char(tp, (char)c);
	}
}

/* Wipe n columns before the cursor. */
static void
rubout(struct tty *tp, int n)
{
	for (; n > 0; n--) {
		out_char(tp, '\b');
		out_char(tp, ' ');
		out_char(tp, '\b');
	}
}

/* ---- input ---- */

void
tty_flush(struct tty *tp, bool in, bool out)
{
	if (in) {
		tp->t_in.tq_tail = tp->t_in.tq_head;
		tp->t_canon = tp->t_in.tq_head;
	}
	if (out)
		tp->t_stopped = false;
}

/* The last typed character of the unfinished line, or -1. */
static int
unput(struct tty *tp)
{
	if (tp->t_in.tq_head == tp->t_canon)
		return -1;
	return tp->t_in.tq_buf[--tp->t_in.tq_head % TTY_BUF];
}

/* Columns that c took when it was echoed, roughly for tabs. */
static int
echo_width(const struct tty *tp, int c)
{
	if (c == '\t')
		return 1;
	if (is_ctl((uint8_t)c))
		return tp->t_termios.c_lflag & ECHOCTL ? 2 : 0;
	/* The later bytes of a UTF-8 character take no column. */
	if ((tp->t_termios.c_iflag & IUTF8) && (c & 0xc0) == 0x80)
		return 0;
	return 1;
}

static int
erase_one(struct tty *tp)
{
	int c;

	do {
		c = unput(tp);
		if (c < 0)
			return -1;
		if (tp->t_termios.c_lflag & ECHO)
			rubout(tp, echo_width(tp, c));
	} while ((tp->t_termios.c_iflag & IUTF8) && (c & 0xc0) == 0x80);
	return c;
}

static void
erase_word(struct tty *tp)
{
	int c;

	while ((c = erase_one(tp)) == ' ' || c == '\t')
		;
	while (tp->t_in.tq_head != tp->t_canon) {
		c = tp->t_in.tq_buf[(tp->t_in.tq_head - 1) % TTY_BUF];
		if (c == ' ' || c == '\t')
			break;
		erase_one(tp);
	}
}

static void
reprint(struct tty *tp)
{
	uint32_t i;

	echo(tp, tp->t_termios.c_cc[VREPRINT]);
	out_char(tp, '\n');
	for (i = tp->t_canon; i != tp->t_in.tq_head; i++)
		echo(tp, tp->t_in.tq_buf[i % TTY_BUF]);
}

static void
wake_readers(struct tty *tp)
{
	wakeup(&tp->t_in);
	poll_wakeup(&tp->t_rpoll);
}

void
tty_wake_writers(struct tty *tp)
{
	wakeup(&tp->t_output);
	poll_wakeup(&tp->t_wpoll);
}

static bool
is_cc(const struct tty *tp, int which, uint8_t c)
{
	return c != 0 && tp->t_termios.c_cc[which] == c;
}

/* ^C and its like: the signal, or 0. */
static int
input_signal(struct tty *tp, uint8_t c)
{
	int sig;

	if ((tp->t_termios.c_lflag & ISIG) == 0)
		return 0;
	if (is_cc(tp, VINTR, c))
		sig = SIGINT;
	else if (is_cc(tp, VQUIT, c))
		sig = SIGQUIT;
	else if (is_cc(tp, VSUSP, c))
		sig = SIGTSTP;
	else
		return 0;
	if ((tp->t_termios.c_lflag & NOFLSH) == 0)
		tty_flush(tp, true, true);
	echo(tp, c);
	return sig;
}

/* A character that edits the line, and is not part of it. */
static bool
input_edit(struct tty *tp, uint8_t c)
{
	uint32_t lf = tp->t_termios.c_lflag;

	if (is_cc(tp, VERASE, c)) {
		erase_one(tp);
	} else if (is_cc(tp, VKILL, c)) {
		while (erase_one(tp) >= 0)
			;
	} else if ((lf & IEXTEN) && is_cc(tp, VWERASE, c)) {
		erase_word(tp);
	} else if ((lf & IEXTEN) && is_cc(tp, VREPRINT, c)) {
		reprint(tp);
	} else {
		return false;
	}
	return true;
}

/* Into the queue; the last place is for the end of the line. */
static void
input_store(struct tty *tp, uint8_t c, bool ends)
{
	if (tq_room(&tp->t_in) <= (ends ? 0 : 1)) {
		if (tp->t_termios.c_iflag & IMAXBEL)
			out_raw(tp, '\a');
		return;
	}
	mark_set(tp, tp->t_in.tq_head, ends);
	tq_put(&tp->t_in, c);
	if (ends || (tp->t_termios.c_lflag & ICANON) == 0) {
		tp->t_canon = tp->t_in.tq_head;
		wake_readers(tp);
	}
}

/* t_spin held.  Returns a signal to send, or 0. */
static int
input_char(struct tty *tp, uint8_t c)
{
	uint32_t inf = tp->t_termios.c_iflag, lf = tp->t_termios.c_lflag;
	int sig;

	if (inf & ISTRIP)
		c &= 0x7f;
	if (tp->t_lnext) {
		tp->t_lnext = false;
		echo(tp, c);
		input_store(tp, c, false);
		return 0;
	}
	if (c == '\r') {
		if (inf & IGNCR)
			return 0;
		if (inf & ICRNL)
			c = '\n';
	} else if (c == '\n' && (inf & INLCR)) {
		c = '\r';
	}
	if (inf & IXON) {
		if (is_cc(tp, VSTOP, c)) {
			tp->t_stopped = true;
			return 0;
		}
		if (is_cc(tp, VSTART, c) || (tp->t_stopped && (inf & IXANY))) {
			tp->t_stopped = false;
			tty_wake_writers(tp);
			if (is_cc(tp, VSTART, c))
				return 0;
		}
	}
	if ((sig = input_signal(tp, c)) != 0)
		return sig;
	if ((lf & ICANON) == 0) {
		echo(tp, c);
		input_store(tp, c, false);
		return 0;
	}
	if ((lf & IEXTEN) && is_cc(tp, VLNEXT, c)) {
		tp->t_lnext = true;
		return 0;
	}
	if (input_edit(tp, c))
		return 0;
	if (is_cc(tp, VEOF, c)) {
		input_store(tp, 0, true);
		return 0;
	}
	echo(tp, c);
	input_store(tp, c, c == '\n' || is_cc(tp, VEOL, c) ||
	    is_cc(tp, VEOL2, c));
	return 0;
}

void
tty_signal_fg(struct tty *tp, int sig)
{
	struct pgrp *pg;

	spin_lock(&proc_spin);
	if (tp->t_pgid != 0 && (pg = pgrp_find_locked(tp->t_pgid)) != NULL)
		pgsignal_locked(pg, sig, NULL);
	spin_unlock(&proc_spin);
}

void
tty_input(struct tty *tp, int c)
{
	int sig;

	spin_lock(&tp->t_spin);
	sig = input_char(tp, (uint8_t)c);
	spin_unlock(&tp->t_spin);
	if (sig != 0) {
		tty_wake_writers(tp);
		tty_signal_fg(tp, sig);
	}
}

/* ---- files ---- */

/*
 * Reading or writing from the background.
 * Errors: ERESTART (a stop signal is on its way), EIO.
 */
int
tty_job_check(struct tty *tp, int sig)
{
	struct proc *p = curproc();
	struct pgrp *pg;
	int error = 0;

	if (p == NULL)
		return 0;
	spin_lock(&proc_spin);
	pg = p->p_pgrp;
	if (tp->t_session == NULL || pg->pg_session != tp->t_session ||
	    tp->t_pgid == 0 || tp->t_pgid == pg->pg_id) {
		spin_unlock(&proc_spin);
		return 0;
	}
	if (sig_blocked_or_ignored(sig))
		error = sig == SIGTTIN ? EIO : 0;
	else if (pgrp_is_orphaned_locked(pg))
		error = EIO;
	else {
		pgsignal_locked(pg, sig, NULL);
		error = ERESTART;
	}
	spin_unlock(&proc_spin);
	return error;
}

/* How many bytes a reader may take now; t_spin held. */
static size_t
readable(const struct tty *tp)
{
	return tp->t_canon - tp->t_in.tq_tail;
}

/*
 * Take up to n bytes, in canonical mode to the end of a line.  *eof: an end
 * of file was taken.
 */
static size_t
take(struct tty *tp, uint8_t *buf, size_t n, bool *done)
{
	bool canon = tp->t_termios.c_lflag & ICANON, mark;
	size_t got = 0;
	uint32_t at;
	uint8_t c;

	*done = false;
	while (got < n && readable(tp) > 0) {
		at = tp->t_in.tq_tail++;
		c = tp->t_in.tq_buf[at % TTY_BUF];
		mark = canon && mark_get(tp, at);
		if (mark && c == 0) {
			*done = true;
			break;
		}
		buf[got++] = c;
		if (mark) {
			*done = true;
			break;
		}
	}
	return got;
}

/* An end of file right at a full buffer belongs to this line. */
static void
swallow_eof(struct tty *tp)
{
	uint32_t at = tp->t_in.tq_tail;

	if ((tp->t_termios.c_lflag & ICANON) && readable(tp) > 0 &&
	    mark_get(tp, at) && tp->t_in.tq_buf[at % TTY_BUF] == 0)
		tp->t_in.tq_tail++;
}

/* Wait for input by VMIN and VTIME.  t_spin held and kept.  0: go on. */
static int
wait_input(struct tty *tp, size_t want, int fflags)
{
	const struct termios *t = &tp->t_termios;
	bool canon;
	size_t min;
	nsec_t timo;
	int error;

	for (;;) {
		canon = t->c_lflag & ICANON;
		min = canon ? 1 : MIN((size_t)t->c_cc[VMIN], want);
		timo = canon ? 0 : (nsec_t)t->c_cc[VTIME] * 100000000ULL;
		if (readable(tp) >= MAX(min, 1u) || tp->t_hungup)
			return 0;
		if (!canon && min == 0 && timo == 0)
			return 0;
		if (fflags & O_NONBLOCK)
			return EAGAIN;
		/* With VMIN, VTIME counts from the first character on. */
		if (!canon && min > 0 && readable(tp) == 0)
			timo = 0;
		error = ssleep(&tp->t_in, &tp->t_spin, PCATCH, "ttyin", timo);
		spin_lock(&tp->t_spin);
		if (error == EWOULDBLOCK)
			return 0;
		if (error)
			return error;
	}
}

int
tty_read(struct tty *tp, struct uio *uio, int fflags)
{
	uint8_t buf[256];
	size_t n, want = uio->uio_resid;
	bool done = false, any = false;
	int error;

	if (want == 0)
		return 0;
	if ((error = tty_job_check(tp, SIGTTIN)) != 0)
		return error;
	spin_lock(&tp->t_spin);
	if ((error = wait_input(tp, want, fflags)) != 0) {
		spin_unlock(&tp->t_spin);
		return error;
	}
	while (!done && uio->uio_resid > 0) {
		n = take(tp, buf, MIN(sizeof(buf), uio->uio_resid), &done);
		if (n == 0)
			break;
		any = true;
		if (n == uio->uio_resid && !done)
			swallow_eof(tp);
		spin_unlock(&tp->t_spin);
		if ((error = uiomove(buf, n, uio)) != 0)
			return error;
		spin_lock(&tp->t_spin);
	}
	if (!any && !done && tp->t_hungup)
		error = EIO;
	spin_unlock(&tp->t_spin);
	return error;
}

int
tty_write(struct tty *tp, struct uio *uio, int fflags)
{
	char buf[256];
	size_t n, i;
	uint64_t start = uio->uio_resid;
	int error = 0;

	if (tp->t_termios.c_lflag & TOSTOP)
		if ((error = tty_job_check(tp, SIGTTOU)) != 0)
			return error;
	while (uio->uio_resid > 0 && error == 0) {
		n = MIN(sizeof(buf), uio->uio_resid);
		if ((error = uiomove(buf, n, uio)) != 0)
			break;
		spin_lock(&tp->t_spin);
		for (i = 0; i < n; ) {
			if (tp->t_hungup) {
				error = EIO;
				break;
			}
			if (!tp->t_stopped && out_char(tp, buf[i])) {
				i++;
				continue;
			}
			if (fflags & O_NONBLOCK)
				error = EAGAIN;
			else {
				error = ssleep(&tp->t_output, &tp->t_spin,
				    PCATCH, "ttyout", 0);
				spin_lock(&tp->t_spin);
			}
			if (error)
				break;
		}
		spin_unlock(&tp->t_spin);
		uio->uio_resid += n - i;	/* not taken after all */
	}
	return uio->uio_resid < start && error != EIO ? 0 : error;
}

int
tty_poll(struct tty *tp, int events, struct poll_waiter *pw)
{
	int ready = 0;

	if (pw != NULL) {
		poll_queue_add(events & (POLLIN | POLLRDNORM) ?
		    &tp->t_rpoll : &tp->t_wpoll, pw);
	}
	spin_lock(&tp->t_spin);
	if (readable(tp) > 0)
		ready |= POLLIN | POLLRDNORM;
	if (!tp->t_stopped)
		ready |= POLLOUT | POLLWRNORM;
	if (tp->t_hungup)
		ready |= POLLIN | POLLHUP;
	spin_unlock(&tp->t_spin);
	return ready & (events | POLLHUP | POLLERR);
}

int
tty_fionread(struct tty *tp)
{
	int n;

	spin_lock(&tp->t_spin);
	n = (int)readable(tp);
	spin_unlock(&tp->t_spin);
	return n;
}

/* The terminal of a session leader that has none becomes its own. */
int
tty_open(struct tty *tp, int fflags)
{
	struct proc *p = curproc();
	struct session *s;

	spin_lock(&tp->t_spin);
	tp->t_opens++;
	spin_unlock(&tp->t_spin);
	if (p == NULL || (fflags & O_NOCTTY) || tp->t_noctty)
		return 0;
	spin_lock(&proc_spin);
	s = p->p_pgrp->pg_session;
	if (s->s_leader == p && s->s_tty == NULL && tp->t_session == NULL) {
		tty_ref(tp);
		s->s_tty = tp;
		tp->t_session = s;
		tp->t_pgid = p->p_pgrp->pg_id;
	}
	spin_unlock(&proc_spin);
	return 0;
}

void
tty_close(struct tty *tp)
{
	spin_lock(&tp->t_spin);
	tp->t_opens--;
	spin_unlock(&tp->t_spin);
}

/* The line is gone: whoever it controls hears of it. */
void
tty_hangup(struct tty *tp)
{
	struct session *s;

	spin_lock(&tp->t_spin);
	tp->t_hungup = true;
	wake_readers(tp);
	spin_unlock(&tp->t_spin);
	tty_wake_writers(tp);
	spin_lock(&proc_spin);
	s = tp->t_session;
	if (s != NULL && s->s_leader != NULL) {
		psignal_locked(s->s_leader, SIGHUP, NULL);
		psignal_locked(s->s_leader, SIGCONT, NULL);
	}
	spin_unlock(&proc_spin);
	tty_signal_fg(tp, SIGHUP);
}

/* The session leader ends: the terminal is free for another session. */
void
tty_session_exit(struct session *s)
{
	struct tty *tp;
	struct pgrp *pg;

	spin_lock(&proc_spin);
	tp = s->s_tty;
	s->s_tty = NULL;
	if (tp != NULL) {
		pg = tp->t_pgid ? pgrp_find_locked(tp->t_pgid) : NULL;
		if (pg != NULL && pg->pg_session == s) {
			pgsignal_locked(pg, SIGHUP, NULL);
			pgsignal_locked(pg, SIGCONT, NULL);
		}
		tp->t_session = NULL;
		tp->t_pgid = 0;
	}
	spin_unlock(&proc_spin);
	if (tp != NULL)
		tty_rele(tp);
}
