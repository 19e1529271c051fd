/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages and ports: see sys/msgport.h for the states.
 *
 * M1  ms_flags' QUEUED and DONE change under the spinlock of the port that
 *     the message is, or will be, queued on.
 * M2  A synchronous message is never queued at its reply port: DONE is set
 *     under the reply port's lock and the sender looks under the same lock,
 *     so the replier is through with the message when the sender goes on.
 * M3  Nobody touches a message after he replied to it.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/msgport.h>
#include <sys/systm.h>
#include <sys/thread.h>

/* The default put: queue it and wake who waits. */
static int
port_put(struct lwkt_port *port, struct lwkt_msg *msg)
{
	bool wake;

	spin_lock(&port->mp_spin);
	atomic_fetch_or(&msg->ms_flags, MSGF_QUEUED);
	TAILQ_INSERT_TAIL(&port->mp_queue, msg, ms_node);
	wake = port->mp_waiting;
	port->mp_waiting = false;
	spin_unlock(&port->mp_spin);
	if (wake)
		wakeup(port);
	return EASYNC;
}

/* The default reply to an asynchronous message: queue it as DONE. */
static void
port_reply(struct lwkt_port *port, struct lwkt_msg *msg)
{
	bool wake;

	spin_lock(&port->mp_spin);
	atomic_fetch_or(&msg->ms_flags, MSGF_QUEUED | MSGF_DONE);
	TAILQ_INSERT_TAIL(&port->mp_queue, msg, ms_node);
	wake = port->mp_waiting;
	port->mp_waiting = false;
	spin_unlock(&port->mp_spin);
	if (wake)
		wakeup(port);
}

static void
port_reply_sync(struct lwkt_port *port, struct lwkt_msg *msg)
{
	bool wake;

	spin_lock(&port->mp_spin);
	atomic_fetch_or(&msg->ms_flags, MSGF_DONE);
	wake = port->mp_waiting;
	port->mp_waiting = false;
	spin_unlock(&port->mp_spin);
	if (wake)
		wakeup(port);
}

void
lwkt_port_init(struct lwkt_port *port, struct thread *owner)
{
	memset(port, 0, sizeof(*port));
	spin_init(&port->mp_spin, "port");
	TAILQ_INIT(&port->mp_queue);
	port->mp_owner = owner;
	port->mp_put = port_put;
	port->mp_reply = port_reply;
}

void
lwkt_msg_init(struct lwkt_msg *msg, struct lwkt_port *reply, int flags)
{
	msg->ms_target = NULL;
	msg->ms_reply = reply;
	msg->ms_abort = NULL;
	msg->ms_flags = (uint32_t)flags | MSGF_DONE;
	msg->ms_error = 0;
	msg->ms_result = 0;
}

/* IDLE -> SENT */
static int
msg_put(struct lwkt_port *port, struct lwkt_msg *msg, uint32_t sync)
{
	uint32_t flags = atomic_load_relaxed(&msg->ms_flags);

	KKASSERT((flags & MSGF_DONE) && (flags & MSGF_QUEUED) == 0);
	atomic_store(&msg->ms_flags, (flags & MSGF_ABORTABLE) | sync);
	msg->ms_target = port;
	msg->ms_error = 0;
	return port->mp_put(port, msg);
}

int
lwkt_domsg(struct lwkt_port *port, struct lwkt_msg *msg)
{
	int error = msg_put(port, msg, MSGF_SYNC);

	if (error == EASYNC)
		return lwkt_waitmsg(msg);
	msg->ms_error = error;
	atomic_store(&msg->ms_flags, atomic_load_relaxed(&msg->ms_flags) |
	    MSGF_DONE);
	return error;
}

void
lwkt_sendmsg(struct lwkt_port *port, struct lwkt_msg *msg)
{
	int error = msg_put(port, msg, 0);

	if (error != EASYNC)
		lwkt_replymsg(msg, error);
}

void
lwkt_forwardmsg(struct lwkt_port *port, struct lwkt_msg *msg)
{
	int error;

	KKASSERT((atomic_load(&msg->ms_flags) &
	    (MSGF_QUEUED | MSGF_DONE)) == 0);
	msg->ms_target = port;
	error = port->mp_put(port, msg);
	if (error != EASYNC)
		lwkt_replymsg(msg, error);
}

void
lwkt_replymsg(struct lwkt_msg *msg, int error)
{
	struct lwkt_port *port = msg->ms_reply;
	uint32_t flags = atomic_load(&msg->ms_flags);

	KKASSERT((flags & (MSGF_QUEUED | MSGF_DONE)) == 0);
	msg->ms_error = error;
	if (flags & MSGF_SYNC)
		port_reply_sync(port, msg);
	else
		port->mp_reply(port, msg);
}

int
lwkt_waitmsg(struct lwkt_msg *msg)
{
	struct lwkt_port *port = msg->ms_reply;
	uint32_t flags;

	lwkt_assert_may_block();
	KKASSERT(port->mp_owner == NULL || port->mp_owner == curthread);
	spin_lock(&port->mp_spin);
	while (((flags = atomic_load_relaxed(&msg->ms_flags)) &
	    MSGF_DONE) == 0) {
		port->mp_waiting = true;
		ssleep(port, &port->mp_spin, 0, "waitmsg", 0);
		spin_lock(&port->mp_spin);
	}
	if (flags & MSGF_QUEUED) {
		TAILQ_REMOVE(&port->mp_queue, msg, ms_node);
		atomic_fetch_and(&msg->ms_flags, ~MSGF_QUEUED);
	}
	spin_unlock(&port->mp_spin);
	return msg->ms_error;
}

/*
 * The caller keeps the message from being used again meanwhile.  ms_abort
 * decides how its target gives up; a message that is still queued at a plain
 * port, or has no ms_abort, ends as it would have.
 */
void
lwkt_abortmsg(struct lwkt_msg *msg)
{
	uint32_t flags = atomic_load(&msg->ms_flags);

	if ((flags & MSGF_ABORTABLE) == 0 || (flags & MSGF_DONE))
		return;
	flags = atomic_fetch_or(&msg->ms_flags, MSGF_ABORTED);
	if ((flags & (MSGF_ABORTED | MSGF_DONE)) == 0 && msg->ms_abort != NULL)
		msg->ms_abort(msg);
}

/* The first message, unlinked; the port is locked. */
static struct lwkt_msg *
port_take(struct lwkt_port *port)
{
	struct lwkt_msg *msg = TAILQ_FIRST(&port->mp_queue);

	if (msg != NULL) {
		TAILQ_REMOVE(&port->mp_queue, msg, ms_node);
		atomic_fetch_and(&msg->ms_flags, ~MSGF_QUEUED);
	}
	return msg;
}

struct lwkt_msg *
lwkt_getport(struct lwkt_port *port)
{
	struct lwkt_msg *msg;

	KKASSERT(port->mp_owner == NULL || port->mp_owner == curthread);
	spin_lock(&port->mp_spin);
	msg = port_take(port);
	spin_unlock(&port->mp_spin);
	return msg;
}

struct lwkt_msg *
lwkt_waitport(struct lwkt_port *port)
{
	struct lwkt_msg *msg;

	lwkt_assert_may_block();
	KKASSERT(port->mp_owner == NULL || port->mp_owner == curthread);
	spin_lock(&port->mp_spin);
	while ((msg = port_take(port)) == NULL) {
		port->mp_waiting = true;
		ssleep(port, &port->mp_spin, 0, "waitport", 0);
		spin_lock(&port->mp_spin);
	}
	spin_unlock(&port->mp_spin);
	return msg;
}
