/* SPDX-License-Identifier: BSD-2-Clause */
/* Terminal control: modes, window size, the foreground group. */
#include <sys/errno.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <sys/tty.h>
#include <sys/ucred.h>

enum {
	TCGETS = 0x5401, TCSETS = 0x5402, TCSETSW = 0x5403, TCSETSF = 0x5404,
	TCSBRK = 0x5409, TCXONC = 0x540a, TCFLSH = 0x540b, TIOCEXCL = 0x540c,
	TIOCNXCL = 0x540d, TIOCSCTTY = 0x540e, TIOCGPGRP = 0x540f,
	TIOCSPGRP = 0x5410, TIOCOUTQ = 0x5411, TIOCSTI = 0x5412,
	TIOCGWINSZ = 0x5413, TIOCSWINSZ = 0x5414, TIOCMGET = 0x5415,
	TIOCGSOFTCAR = 0x5419, FIONREAD = 0x541b, TIOCNOTTY = 0x5422,
	TIOCGETD = 0x5424, TCSBRKP = 0x5425, TIOCGSID = 0x5429,
};

static int
set_modes(struct tty *tp, uint64_t uarg, bool flush)
{
	struct termios t;
	int error;

	if ((error = copyin(uarg, &t, sizeof(t))) != 0)
		return error;
	if ((error = tty_job_check(tp, SIGTTOU)) != 0)
		return error;
	spin_lock(&tp->t_spin);
	if (flush)
		tty_flush(tp, true, false);
	/* What was typed so far can be read in raw mode as it is. */
	if ((tp->t_termios.c_lflag & ICANON) && !(t.c_lflag & ICANON))
		tp->t_canon = tp->t_in.tq_head;
	tp->t_termios = t;
	if ((t.c_iflag & IXON) == 0)
		tp->t_stopped = false;
	spin_unlock(&tp->t_spin);
	wakeup(&tp->t_in);
	poll_wakeup(&tp->t_rpoll);
	tty_wake_writers(tp);
	return 0;
}

static int
set_controlling(struct tty *tp, bool steal)
{
	struct proc *p = curproc();
	struct session *s;
	int error = EPERM;

	spin_lock(&proc_spin);
	s = p->p_pgrp->pg_session;
	if (s->s_tty == tp && tp->t_session == s) {
		error = 0;
	} else if (s->s_leader == p && s->s_tty == NULL) {
		if (tp->t_session != NULL && steal &&
		    cred_capable(p->p_cred, CAP_SYS_ADMIN)) {
			tp->t_session->s_tty = NULL;
			tp->t_session = NULL;
			tty_rele(tp);
		}
		if (tp->t_session == NULL) {
			tty_ref(tp);
			s->s_tty = tp;
			tp->t_session = s;
			tp->t_pgid = p->p_pgrp->pg_id;
			error = 0;
		}
	}
	spin_unlock(&proc_spin);
	return error;
}

/* Is tp the caller's controlling terminal?  proc_spin held. */
static bool
controls_us(const struct tty *tp)
{
	struct session *s = curproc()->p_pgrp->pg_session;

	return s->s_tty == tp && tp->t_session == s;
}

static int
set_foreground(struct tty *tp, uint64_t uarg)
{
	struct pgrp *pg;
	pid_t pgid;
	int error;

	if ((error = copyin(uarg, &pgid, sizeof(pgid))) != 0)
		return error;
	if (pgid < 0)
		return EINVAL;
	if ((error = tty_job_check(tp, SIGTTOU)) != 0)
		return error;
	spin_lock(&proc_spin);
	pg = pgrp_find_locked(pgid);
	if (!controls_us(tp))
		error = ENOTTY;
	else if (pg == NULL)
		error = ESRCH;
	else if (pg->pg_session != tp->t_session)
		error = EPERM;
	else
		tp->t_pgid = pgid;
	spin_unlock(&proc_spin);
	return error;
}

static int
get_foreground(struct tty *tp, uint64_t uarg, bool session)
{
	pid_t id = 0;
	int error = 0;

	spin_lock(&proc_spin);
	if (!controls_us(tp))
		error = ENOTTY;
	else
		id = session ? tp->t_session->s_sid : tp->t_pgid;
	spin_unlock(&proc_spin);
	return error ? error : copyout(&id, uarg, sizeof(id));
}

static int
leave_terminal(struct tty *tp)
{
	struct proc *p = curproc();
	struct session *s;
	bool leader;

	spin_lock(&proc_spin);
	if (!controls_us(tp)) {
		spin_unlock(&proc_spin);
		return ENOTTY;
	}
	s = p->p_pgrp->pg_session;
	leader = s->s_leader == p;
	spin_unlock(&proc_spin);
	if (leader)
		tty_session_exit(s);
	return 0;
}

static int
set_winsize(struct tty *tp, uint64_t uarg)
{
	struct winsize ws;
	bool changed;
	int error = copyin(uarg, &ws, sizeof(ws));

	if (error)
		return error;
	spin_lock(&tp->t_spin);
	changed = memcmp(&ws, &tp->t_winsize, sizeof(ws)) != 0;
	tp->t_winsize = ws;
	spin_unlock(&tp->t_spin);
	if (changed)
		tty_signal_fg(tp, SIGWINCH);
	return 0;
}

static int
flow(struct tty *tp, int how)
{
	if (how != 0 && how != 1)
		return how == 2 || how == 3 ? 0 : EINVAL;
	spin_lock(&tp->t_spin);
	tp->t_stopped = how == 0;
	spin_unlock(&tp->t_spin);
	tty_wake_writers(tp);
	return 0;
}

int
tty_ioctl(struct tty *tp, uint64_t cmd, uint64_t uarg, int64_t *result)
{
	struct termios t;
	struct winsize ws;
	int32_t v = 0;
	char c;
	int error;

	*result = 0;
	switch ((uint32_t)cmd) {
	case TCGETS:
		spin_lock(&tp->t_spin);
		t = tp->t_termios;
		spin_unlock(&tp->t_spin);
		return copyout(&t, uarg, sizeof(t));
	case TCSETS:
	case TCSETSW:			/* output is never held back */
		return set_modes(tp, uarg, false);
	case TCSETSF:
		return set_modes(tp, uarg, true);
	case TCSBRK:
	case TCSBRKP:
	case TIOCEXCL:
	case TIOCNXCL:
		return tty_job_check(tp, SIGTTOU);
	case TCXONC:
		return flow(tp, (int)uarg);
	case TCFLSH:
		if (uarg > 2)
			return EINVAL;
		spin_lock(&tp->t_spin);
		tty_flush(tp, uarg != 1, uarg != 0);
		spin_unlock(&tp->t_spin);
		return 0;
	case TIOCSCTTY:
		return set_controlling(tp, uarg == 1);
	case TIOCNOTTY:
		return leave_terminal(tp);
	case TIOCGPGRP:
		return get_foreground(tp, uarg, false);
	case TIOCGSID:
		return get_foreground(tp, uarg, true);
	case TIOCSPGRP:
		return set_foreground(tp, uarg);
	case TIOCGWINSZ:
		spin_lock(&tp->t_spin);
		ws = tp->t_winsize;
		spin_unlock(&tp->t_spin);
		return copyout(&ws, uarg, sizeof(ws));
	case TIOCSWINSZ:
		return set_winsize(tp, uarg);
	case TIOCSTI:
		if (!cred_capable(curcred(), CAP_SYS_ADMIN))
			return EPERM;
		if ((error = copyin(uarg, &c, 1)) != 0)
			return error;
		tty_input(tp, (uint8_t)c);
		return 0;
	case FIONREAD:
		v = tty_fionread(tp);
		return copyout(&v, uarg, sizeof(v));
	case TIOCOUTQ:
	case TIOCGETD:
		return copyout(&v, uarg, sizeof(v));
	case TIOCGSOFTCAR:
		v = 1;
		return copyout(&v, uarg, sizeof(v));
	}
	return ENOTTY;
}
