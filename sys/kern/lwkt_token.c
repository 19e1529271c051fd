/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serializing tokens.
 *
 * t_count:   bit 0   held exclusively
 *            bit 1   somebody wants it exclusively: new sharers let him go first
 *            rest    shared holders, in steps of 4
 *
 * K1  A token is held only by running threads: a thread that stops running
 *     gives up all of its tokens and takes them back before its caller sees
 *     the switch return.  So a contender waits for running code only, and may
 *     spin; nobody sleeps on a token and nobody is woken by one.
 * K2  While a thread waits for one token it holds none of the others.  Hence
 *     no deadlock by order.
 * K3  A token that the thread has already is counted by a nested reference,
 *     which does not touch t_count.
 * K4  A sharer yields to a waiting exclusive only for a bounded number of
 *     turns: the one who asked may be queued behind us on this CPU.
 */
#include <sys/atomic.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include "lwkt.h"

enum {
	TOK_EXCL	= 1,
	TOK_EXCLREQ	= 2,
	TOK_SHARED	= 4,
	TOK_SPINS	= 64,		/* turns before other threads may run */
	TOK_POLITE	= 256,		/* turns that a sharer gives way */
};

void
lwkt_token_init(struct lwkt_token *tok, const char *name)
{
	tok->t_count = 0;
	tok->t_owner = NULL;
	tok->t_collisions = 0;
	tok->t_name = name;
}

/* One attempt.  polite: let a waiting exclusive go first; ask: want it. */
static bool
token_try(struct lwkt_token *tok, struct thread *td, bool shared, bool polite,
    bool ask)
{
	int64_t count = atomic_load_relaxed(&tok->t_count);

	if (shared) {
		while ((count & TOK_EXCL) == 0 &&
		    !(polite && (count & TOK_EXCLREQ))) {
			if (atomic_cmpset(&tok->t_count, &count,
			    count + TOK_SHARED))
				return true;
		}
		return false;
	}
	while ((count & ~(int64_t)TOK_EXCLREQ) == 0) {
		if (atomic_cmpset(&tok->t_count, &count, TOK_EXCL)) {
			atomic_store_relaxed(&tok->t_owner, td);
			return true;
		}
	}
	if (ask && (count & TOK_EXCLREQ) == 0)
		atomic_fetch_or(&tok->t_count, TOK_EXCLREQ);
	return false;
}

static void
token_release(struct lwkt_token *tok, struct thread *td, bool shared)
{
	if (shared) {
		atomic_fetch_sub(&tok->t_count, TOK_SHARED);
		return;
	}
	KKASSERT(atomic_load_relaxed(&tok->t_owner) == td);
	atomic_store_relaxed(&tok->t_owner, NULL);
	atomic_fetch_and(&tok->t_count, ~(int64_t)TOK_EXCL);
}

/* Let go of the first n references. */
static void
tokens_drop(struct thread *td, int n)
{
	struct lwkt_tokref *ref;

	while (n-- > 0) {
		ref = &td->td_toks[n];
		if (!ref->tr_nested)
			token_release(ref->tr_tok, td, ref->tr_shared);
	}
}

void
lwkt_tokens_release(struct thread *td)
{
	tokens_drop(td, td->td_ntoks);
}

/* All or none; on failure *badp is the one that could not be had. */
static bool
tokens_try_all(struct thread *td, bool polite, int first, int *badp)
{
	struct lwkt_tokref *ref;
	int i;

	if (first >= 0) {
		ref = &td->td_toks[first];
		*badp = first;
		if (!token_try(ref->tr_tok, td, ref->tr_shared, polite, true))
			return false;
	}
	for (i = 0; i < td->td_ntoks; i++) {
		ref = &td->td_toks[i];
		if (ref->tr_nested || i == first)
			continue;
		if (token_try(ref->tr_tok, td, ref->tr_shared, polite, true))
			continue;
		*badp = i;
		while (i-- > 0) {
			ref = &td->td_toks[i];
			if (!ref->tr_nested && i != first)
				token_release(ref->tr_tok, td, ref->tr_shared);
		}
		if (first >= 0) {
			ref = &td->td_toks[first];
			token_release(ref->tr_tok, td, ref->tr_shared);
		}
		return false;
	}
	return true;
}

/*
 * Take every token of td, holding none meanwhile.  The one that failed last
 * is tried first, so that two threads with opposite orders do not mirror each
 * other for ever.  In a critical section.
 */
void
lwkt_tokens_reacquire(struct thread *td)
{
	uint32_t turn;
	int first = -1;

	for (turn = 0;; turn++) {
		if (tokens_try_all(td, turn < TOK_POLITE, first, &first))
			return;
		atomic_fetch_add(&td->td_toks[first].tr_tok->t_collisions, 1);
		if (turn % TOK_SPINS == TOK_SPINS - 1) {
			lwkt_requeue_self();
			lwkt_switch_raw();
		} else
			lwkt_spin_service();
	}
}

/* Position of a reference to tok that counts, or -1. */
static int
token_find(const struct thread *td, const struct lwkt_token *tok)
{
	int i;

	for (i = 0; i < td->td_ntoks; i++)
		if (td->td_toks[i].tr_tok == tok && !td->td_toks[i].tr_nested)
			return i;
	return -1;
}

/*
 * In a critical section: an interrupt between taking the token and counting it
 * could switch to another thread, which would break K1.
 */
static bool
token_get(struct lwkt_token *tok, bool shared, bool wait)
{
	struct thread *td = curthread;
	struct lwkt_tokref *ref;
	bool got = true;
	int i;

	cpu_poll();
	KKASSERT(td->td_ntoks < LWKT_MAXTOKENS);
	KKASSERT((td->td_flags & TDF_IDLE) == 0);
	crit_enter();
	ref = &td->td_toks[td->td_ntoks];
	ref->tr_tok = tok;
	ref->tr_shared = shared;
	ref->tr_nested = false;
	i = td->td_ntoks == 0 ? -1 : token_find(td, tok);
	if (i >= 0) {
		/* Shared and then exclusive would wait for itself. */
		KKASSERT(shared || !td->td_toks[i].tr_shared);
		ref->tr_nested = true;
		td->td_ntoks++;
	} else if (token_try(tok, td, shared, wait, wait)) {
		td->td_ntoks++;
	} else if (wait) {
		lwkt_assert_may_block();
		tokens_drop(td, td->td_ntoks);
		td->td_ntoks++;
		lwkt_tokens_reacquire(td);
	} else
		got = false;
	crit_exit();
	return got;
}

void
lwkt_token_get(struct lwkt_token *tok)
{
	token_get(tok, false, true);
}

void
lwkt_token_get_shared(struct lwkt_token *tok)
{
	token_get(tok, true, true);
}

bool
lwkt_token_try(struct lwkt_token *tok)
{
	return token_get(tok, false, false);
}

void
lwkt_token_put(struct lwkt_token *tok)
{
	struct thread *td = curthread;
	struct lwkt_tokref *ref;

	KKASSERT(td->td_ntoks > 0);
	ref = &td->td_toks[td->td_ntoks - 1];
	KKASSERT(ref->tr_tok == tok);
	crit_enter();
	td->td_ntoks--;
	if (!ref->tr_nested)
		token_release(tok, td, ref->tr_shared);
	crit_exit();
}

bool
lwkt_token_held(const struct lwkt_token *tok)
{
	return atomic_load_relaxed(&tok->t_owner) == curthread;
}
