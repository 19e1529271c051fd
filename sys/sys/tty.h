/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Terminals: the line discipline over a console or a pseudo-terminal pair.
 * kern/tty.c (input, output, files), tty_ioctl.c (modes, job control),
 * tty_pty.c, tty_console.c.
 */
#ifndef _SYS_TTY_H_
#define _SYS_TTY_H_

#include <sys/dev.h>
#include <sys/file.h>
#include <sys/spinlock.h>
#include <sys/types.h>

struct pgrp;
struct session;
struct uio;

enum { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSWTC, VSTART, VSTOP,
       VSUSP, VEOL, VREPRINT, VDISCARD, VWERASE, VLNEXT, VEOL2, NCCS = 19 };

enum {					/* c_iflag */
	IGNBRK = 1, BRKINT = 2, ISTRIP = 040, INLCR = 0100, IGNCR = 0200,
	ICRNL = 0400, IUCLC = 01000, IXON = 02000, IXANY = 04000,
	IXOFF = 010000, IMAXBEL = 020000, IUTF8 = 040000,
};
enum {					/* c_oflag */
	OPOST = 1, ONLCR = 4, OCRNL = 010, ONOCR = 020, ONLRET = 040,
	TABDLY = 014000, XTABS = 014000,
};
enum {					/* c_lflag */
	ISIG = 1, ICANON = 2, ECHO = 010, ECHOE = 020, ECHOK = 040,
	ECHONL = 0100, NOFLSH = 0200, TOSTOP = 0400, ECHOCTL = 01000,
	ECHOKE = 04000, IEXTEN = 0100000,
};

struct termios {			/* as TCGETS has it */
	uint32_t	c_iflag, c_oflag, c_cflag, c_lflag;
	uint8_t		c_line, c_cc[NCCS];
};
_Static_assert(sizeof(struct termios) == 36, "termios");

struct winsize { uint16_t ws_row, ws_col, ws_xpixel, ws_ypixel; };

enum { TTY_BUF = 4096 };

/* A ring of bytes. */
struct tty_queue {
	uint8_t		*tq_buf;
	uint32_t	 tq_head, tq_tail;	/* take at tail; free running */
};

struct tty {
	int32_t		 t_refs;	/* [a] */
	struct spinlock	 t_spin;
	struct termios	 t_termios;	/* [t_spin] */
	struct winsize	 t_winsize;	/* [t_spin] */
	struct tty_queue t_in;		/* [t_spin] typed, edited */
	uint32_t	 t_canon;	/* [t_spin] lines end before this place */
	uint8_t		 t_mark[TTY_BUF / 8];	/* [t_spin] line ends there */
	uint32_t	 t_column;	/* [t_spin] of the cursor */
	uint32_t	 t_inputcol;	/* [t_spin] where typing began */
	bool		 t_stopped;	/* [t_spin] by ^S */
	bool		 t_lnext;	/* [t_spin] ^V was typed */
	bool		 t_hungup;	/* [t_spin] the other side is gone */
	bool		 t_noctty;	/* I never a controlling terminal */
	int		 t_opens;	/* [t_spin] */
	struct session	*t_session;	/* [proc_spin] whom it controls */
	pid_t		 t_pgid;	/* [proc_spin] foreground group */
	struct poll_queue t_rpoll, t_wpoll;
	/* Take output; returns how many bytes fit.  t_spin held. */
	size_t		(*t_output)(struct tty *, const char *, size_t);
	void		*t_private;
	struct cdev	*t_cdev;	/* I the node to open for /dev/tty */
};

void	tty_init(void);
void	tty_setup(struct tty *, const char *name);
void	tty_reset_modes(struct tty *);
void	tty_ref(struct tty *);
void	tty_rele(struct tty *);

int	tty_open(struct tty *, int fflags);
void	tty_close(struct tty *);
int	tty_read(struct tty *, struct uio *, int fflags);
int	tty_write(struct tty *, struct uio *, int fflags);
int	tty_ioctl(struct tty *, uint64_t cmd, uint64_t uarg, int64_t *result);
int	tty_poll(struct tty *, int events, struct poll_waiter *);
/* A typed character.  Any context but hard interrupt. */
void	tty_input(struct tty *, int c);
void	tty_hangup(struct tty *);
void	tty_flush(struct tty *, bool in, bool out);	/* t_spin held */
void	tty_wake_writers(struct tty *);
/* Wait until the foreground is ours, or fail: sig SIGTTIN or SIGTTOU. */
int	tty_job_check(struct tty *, int sig);
void	tty_signal_fg(struct tty *, int sig);
int	tty_fionread(struct tty *);

bool	tq_put(struct tty_queue *, uint8_t);
size_t	tq_room(const struct tty_queue *);
size_t	tq_count(const struct tty_queue *);

void	pty_init(void);
void	console_tty_init(void);

#endif
