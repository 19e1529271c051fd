/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages: each completes exactly once with the result of its server,
 * whether it was answered at once, later, after being forwarded, or aborted.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include "../env/env.h"

struct work {
	struct lwkt_msg	w_msg;
	int		w_value;
	int32_t		w_served;	/* [a] */
};

static struct lwkt_port server_port, second_port;
static int32_t stopped;

enum { ROUNDS = 200, STOP = -1 };

/* Serves until it gets STOP; forwards every third message. */
static void
server(void *arg)
{
	struct lwkt_port *port = arg;
	struct lwkt_msg *msg;
	struct work *w;

	port->mp_owner = curthread;
	for (;;) {
		msg = lwkt_waitport(port);
		w = container_of(msg, struct work, w_msg);
		if (w->w_value == STOP) {
			lwkt_replymsg(msg, 0);
			break;
		}
		if (port == &server_port && w->w_value % 3 == 0) {
			lwkt_forwardmsg(&second_port, msg);
			continue;
		}
		atomic_fetch_add(&w->w_served, 1);
		msg->ms_result = w->w_value * 2;
		lwkt_replymsg(msg, w->w_value % 7);
	}
	atomic_fetch_add(&stopped, 1);
	wakeup(&stopped);
}

static void
servers_start(void)
{
	struct thread *td;

	stopped = 0;
	lwkt_port_init(&server_port, NULL);
	lwkt_port_init(&second_port, NULL);
	lwkt_create(server, &server_port, &td, TDPRI_KERN, 0, "server");
	lwkt_schedule(td);
	lwkt_create(server, &second_port, &td, TDPRI_KERN, ncpus - 1,
	    "second");
	lwkt_schedule(td);
}

static bool
both_stopped(void *arg __unused)
{
	return atomic_load(&stopped) == 2;
}

static void
servers_stop(void)
{
	struct work w = { .w_value = STOP };

	lwkt_msg_init(&w.w_msg, &curthread->td_port, 0);
	ENV_EQ(lwkt_domsg(&server_port, &w.w_msg), 0);
	ENV_EQ(lwkt_domsg(&second_port, &w.w_msg), 0);
	ENV_CHECK(env_wait(both_stopped, NULL));
}

static void
sync_client(void *arg __unused, int id)
{
	struct work w;

	memset(&w, 0, sizeof(w));
	lwkt_msg_init(&w.w_msg, &curthread->td_port, 0);
	for (int i = 0; i < ROUNDS; i++) {
		w.w_value = id * 1000 + i;
		ENV_EQ(lwkt_domsg(&server_port, &w.w_msg), w.w_value % 7);
		ENV_EQ(w.w_msg.ms_result, w.w_value * 2);
		ENV_EQ(atomic_load(&w.w_served), i + 1);
	}
}

static void
t_sync(void)
{
	servers_start();
	env_parallel(6, sync_client, NULL);
	servers_stop();
}

/* Many in flight; replies in any order; taken by waitport or by waitmsg. */
static void
async_client(void *arg __unused, int id)
{
	struct work *w = kmalloc(ROUNDS * sizeof(*w), &M_TEMP,
	    M_WAITOK | M_ZERO);
	struct lwkt_port *port = &curthread->td_port;
	struct lwkt_msg *msg;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		lwkt_msg_init(&w[i].w_msg, port, 0);
		w[i].w_value = id * 1000 + i;
		lwkt_sendmsg(&server_port, &w[i].w_msg);
	}
	for (i = 0; i < ROUNDS; i += 2) {
		ENV_EQ(lwkt_waitmsg(&w[i].w_msg), w[i].w_value % 7);
		ENV_EQ(w[i].w_msg.ms_result, w[i].w_value * 2);
	}
	for (i = 1; i < ROUNDS; i += 2) {
		msg = lwkt_waitport(port);
		ENV_CHECK(msg->ms_flags & MSGF_DONE);
	}
	ENV_CHECK(lwkt_getport(port) == NULL);
	for (i = 0; i < ROUNDS; i++)
		ENV_EQ(w[i].w_served, 1);
	kfree(w, &M_TEMP);
}

static void
t_async(void)
{
	servers_start();
	env_parallel(6, async_client, NULL);
	servers_stop();
}

/* A port that answers in the sender's context. */
static int
put_now(struct lwkt_port *port __unused, struct lwkt_msg *msg)
{
	msg->ms_result = 99;
	return ENOENT;
}

static void
t_direct(void)
{
	struct lwkt_port port;
	struct lwkt_msg msg;

	lwkt_port_init(&port, NULL);
	port.mp_put = put_now;
	lwkt_msg_init(&msg, &curthread->td_port, 0);
	ENV_EQ(lwkt_domsg(&port, &msg), ENOENT);
	ENV_EQ(msg.ms_result, 99);
	ENV_CHECK(lwkt_getport(&curthread->td_port) == NULL);
	lwkt_sendmsg(&port, &msg);
	ENV_CHECK(lwkt_waitport(&curthread->td_port) == &msg);
	ENV_EQ(msg.ms_error, ENOENT);
}

/*
 * Abort: the holder keeps messages on a list until somebody aborts them or
 * the holder's patience ends; either way each completes once.
 */
static struct lwkt_port hold_port;
static struct spinlock hold_spin = SPINLOCK_INITIALIZER("hold");
static struct lwkt_msgqueue held = TAILQ_HEAD_INITIALIZER(held);
static int32_t aborted, finished;

static void
hold_abort(struct lwkt_msg *msg)
{
	struct lwkt_msg *m;

	spin_lock(&hold_spin);
	TAILQ_FOREACH(m, &held, ms_node)
		if (m == msg)
			break;
	if (m != NULL)
		TAILQ_REMOVE(&held, m, ms_node);
	spin_unlock(&hold_spin);
	if (m != NULL) {
		atomic_fetch_add(&aborted, 1);
		lwkt_replymsg(m, EINTR);
	}
}

static int
hold_put(struct lwkt_port *port __unused, struct lwkt_msg *msg)
{
	msg->ms_abort = hold_abort;
	spin_lock(&hold_spin);
	TAILQ_INSERT_TAIL(&held, msg, ms_node);
	spin_unlock(&hold_spin);
	return EASYNC;
}

static int32_t clients_left;

static void
abort_client(void *arg __unused, int id)
{
	struct lwkt_msg msg, *m;
	int error;

	if (id == 0) {			/* the holder finishes some */
		while (atomic_load(&clients_left) > 0) {
			spin_lock(&hold_spin);
			m = TAILQ_FIRST(&held);
			if (m != NULL)
				TAILQ_REMOVE(&held, m, ms_node);
			spin_unlock(&hold_spin);
			if (m != NULL) {
				atomic_fetch_add(&finished, 1);
				lwkt_replymsg(m, 0);
			}
			tsleep(&clients_left, 0, "hold", 20000);
		}
		return;
	}
	for (int i = 0; i < ROUNDS; i++) {
		lwkt_msg_init(&msg, &curthread->td_port, MSGF_ABORTABLE);
		lwkt_sendmsg(&hold_port, &msg);
		if (env_random(2))
			lwkt_yield();
		lwkt_abortmsg(&msg);
		error = lwkt_waitmsg(&msg);
		ENV_CHECK(error == 0 || error == EINTR);
	}
	atomic_fetch_sub(&clients_left, 1);
}

static void
t_abort(void)
{
	lwkt_port_init(&hold_port, NULL);
	hold_port.mp_put = hold_put;
	aborted = finished = 0;
	clients_left = 4;
	env_parallel(5, abort_client, NULL);
	ENV_EQ(aborted + finished, 4 * ROUNDS);
	ENV_CHECK(aborted > 0);
}

const int env_default_seeds = 20;

const struct env_test env_tests[] = {
	{ "port_sync", t_sync, 0 },
	{ "port_async", t_async, 0 },
	{ "port_direct", t_direct, 0 },
	{ "port_abort", t_abort, 0 },
	ENV_END
};
