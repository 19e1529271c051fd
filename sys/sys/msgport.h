/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages and ports: the one way to ask for work.  kern/lwkt_msgport.c.
 *
 *   IDLE -> SENT        [lwkt_sendmsg, lwkt_domsg]
 *   SENT -> DONE        the put function returned an errno: never queued
 *   SENT -> QUEUED      put on the target's queue (put returned EASYNC)
 *   QUEUED -> RUNNING   [lwkt_getport, lwkt_waitport]
 *   any but IDLE,DONE -> aborting too   [lwkt_abortmsg]
 *   RUNNING -> DONE     [lwkt_replymsg], exactly once
 *
 * The sender owns the storage except between SENT and DONE.
 */
#ifndef _SYS_MSGPORT_H_
#define _SYS_MSGPORT_H_

#include <sys/queue.h>
#include <sys/spinlock.h>
#include <sys/types.h>

struct lwkt_msg;
struct thread;

TAILQ_HEAD(lwkt_msgqueue, lwkt_msg);

struct lwkt_port {
	struct spinlock	 mp_spin;
	struct lwkt_msgqueue mp_queue;	/* [mp_spin] */
	bool		 mp_waiting;	/* [mp_spin] somebody sleeps on it */
	struct thread	*mp_owner;	/* I NULL: anyone may get and wait */
	/*
	 * Take a message: return an errno (done now, in the sender's context)
	 * or EASYNC (will be replied to).  Default: queue it, EASYNC.
	 */
	int		(*mp_put)(struct lwkt_port *, struct lwkt_msg *);
	/* A reply to an asynchronous message arrives.  Default: queue it. */
	void		(*mp_reply)(struct lwkt_port *, struct lwkt_msg *);
	void		*mp_private;
};

enum {					/* ms_flags, [a] */
	MSGF_DONE	= 0x01,
	MSGF_QUEUED	= 0x02,
	MSGF_SYNC	= 0x04,		/* the sender waits in lwkt_domsg() */
	MSGF_ABORTABLE	= 0x08,
	MSGF_ABORTED	= 0x10,
};

struct lwkt_msg {
	TAILQ_ENTRY(lwkt_msg) ms_node;
	struct lwkt_port *ms_target;
	struct lwkt_port *ms_reply;	/* I where the reply goes */
	void		(*ms_abort)(struct lwkt_msg *);	/* may be NULL */
	uint32_t	 ms_flags;
	int		 ms_error;
	int64_t		 ms_result;
};

void	lwkt_port_init(struct lwkt_port *, struct thread *owner);
void	lwkt_msg_init(struct lwkt_msg *, struct lwkt_port *reply, int flags);
/* Send and wait for the end; returns ms_error.  Blocks only on EASYNC. */
int	lwkt_domsg(struct lwkt_port *, struct lwkt_msg *);
/* Send; the end always arrives at ms_reply.  Never blocks. */
void	lwkt_sendmsg(struct lwkt_port *, struct lwkt_msg *);
/* Wait for a sent message to be DONE and take it off the reply port. */
int	lwkt_waitmsg(struct lwkt_msg *);
void	lwkt_replymsg(struct lwkt_msg *, int error);
/* Pass a received message on to another port. */
void	lwkt_forwardmsg(struct lwkt_port *, struct lwkt_msg *);
/* Best effort; the message still completes exactly once. */
void	lwkt_abortmsg(struct lwkt_msg *);
struct lwkt_msg *lwkt_getport(struct lwkt_port *);	/* NULL: empty */
struct lwkt_msg *lwkt_waitport(struct lwkt_port *);	/* blocks */

#endif
