/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of a mount: published operations, in order, with one cursor for
 * each journal.
 *
 * An operation's memory is counted before it takes any lock (jlog_credit) and
 * allocated then; publishing only links it in.  Numbers are drawn a moment
 * before the commit, so two operations on two CPUs may arrive in the wrong
 * order; a stage is put in its place among those that nobody has looked at.
 *
 *   used < limit      go on
 *   used >= limit     wait for the targets, at most jm_waitns
 *   still full        the journals that are behind fail, with a gap
 */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/systm.h>

#include "journal.h"

enum { SETTLE_NS = 2000000 };	/* for numbers to arrive in order */

MALLOC_DEFINE(M_JOURNAL, "journal");

/* Wake the target threads; jm_spin held. */
static void
kick(struct jmount *jm)
{
	struct journal *j;

	TAILQ_FOREACH(j, &jm->jm_journals, j_link) {
		if (j->j_idle) {
			j->j_idle = false;
			wakeup(j);
		}
	}
}

static void	stages_free(struct jmount *, struct jstage_list *);

/* Drop one claim; jm_spin held.  Without claims it goes to the dead. */
static void
drop_claim(struct jmount *jm, struct jstage *jr, struct jstage_list *dead)
{
	KKASSERT(jr->jr_refs > 0);
	if (--jr->jr_refs > 0)
		return;
	TAILQ_REMOVE(&jm->jm_log, jr, jr_link);
	TAILQ_INSERT_TAIL(dead, jr, jr_link);
}

static bool
is_for(const struct journal *j, const struct jstage *jr)
{
	return jr->jr_only == NULL || jr->jr_only == j;
}

/* Close a journal and drop its claims on what it has not taken; jm_spin
 * held, so that nothing is published in between. */
static void
close_and_forget(struct journal *j, struct jstage_list *dead)
{
	struct jmount *jm = j->j_mount;
	struct jstage *jr, *next;

	j->j_closed = true;
	for (jr = j->j_next; jr != NULL; jr = next) {
		next = TAILQ_NEXT(jr, jr_link);
		if (!is_for(j, jr))
			continue;
		j->j_lagbytes -= jr->jr_bytes;
		if (jr->jr_isop && j->j_lost++ == 0)
			j->j_lostfirst = jr->jr_seq;
		drop_claim(jm, jr, dead);
	}
	j->j_next = NULL;
}

static void
fail_locked(struct journal *j, int error, struct jstage_list *dead)
{
	if (j->j_state == MJS_FAILED)
		return;
	j->j_state = MJS_FAILED;
	if (j->j_error == 0)
		j->j_error = error;
	j->j_abort = true;
	if (!j->j_closed)
		close_and_forget(j, dead);
	j->j_idle = false;
	wakeup(j);
}

/* The journals that keep the oldest stage in the log fail; jm_spin held. */
static void
fail_slowest(struct jmount *jm, struct jstage_list *dead)
{
	struct jstage *first = TAILQ_FIRST(&jm->jm_log);
	struct journal *j;

	TAILQ_FOREACH(j, &jm->jm_journals, j_link) {
		if (first != NULL && (j->j_next == first || j->j_held > 0))
			fail_locked(j, ETIMEDOUT, dead);
	}
}

void
jlog_credit(struct jmount *jm, uint64_t bytes, bool nowait)
{
	struct jstage_list dead = TAILQ_HEAD_INITIALIZER(dead);
	nsec_t until = 0, now;

	spin_lock(&jm->jm_spin);
	while (!nowait && jm->jm_used > 0 &&
	    jm->jm_used + bytes > jm->jm_limit) {
		now = clock_mono_ns();
		if (until == 0) {
			until = now + jm->jm_waitns;
			jm->jm_stalls++;
		}
		if (now >= until) {
			fail_slowest(jm, &dead);
			break;
		}
		kick(jm);
		jm->jm_waiters++;
		/* The timeout covers a wakeup between unlock and sleep of
		 * another waiter that took all the room. */
		ssleep(&jm->jm_used, &jm->jm_spin, 0, "jcredit",
		    MIN(until - now, 100000000ULL));
		spin_lock(&jm->jm_spin);
		jm->jm_waiters--;
	}
	jm->jm_used += bytes;
	spin_unlock(&jm->jm_spin);
	stages_free(jm, &dead);
}

void
jlog_uncredit(struct jmount *jm, uint64_t bytes)
{
	bool wake;

	spin_lock(&jm->jm_spin);
	KKASSERT(jm->jm_used >= bytes);
	jm->jm_used -= bytes;
	wake = jm->jm_waiters > 0;
	spin_unlock(&jm->jm_spin);
	if (wake)
		wakeup(&jm->jm_used);
}

struct jstage *
jlog_stage(struct jmount *jm, size_t room, uint64_t extra, bool nowait)
{
	uint64_t bytes = sizeof(struct jstage) + room + extra;
	struct jstage *jr;

	jlog_credit(jm, bytes, nowait);
	jr = kmalloc(sizeof(*jr) + room, &M_JOURNAL,
	    nowait ? M_NOWAIT : M_WAITOK);
	if (jr == NULL) {
		jlog_uncredit(jm, bytes);
		return NULL;
	}
	memset(jr, 0, sizeof(*jr));
	jr->jr_bytes = bytes;
	STAILQ_INIT(&jr->jr_old);
	STAILQ_INIT(&jr->jr_pieces);
	jrec_buf_init(&jr->jr_rec, jr->jr_room, room);
	return jr;
}

struct jpiece *
jlog_piece(struct jstage *jr __unused, struct jpiece_list *list, uint32_t id,
    uint64_t off, uint32_t len, bool nowait)
{
	struct jpiece *jp;

	jp = kmalloc(sizeof(*jp) + len, &M_JOURNAL,
	    nowait ? M_NOWAIT : M_WAITOK);
	if (jp == NULL)
		return NULL;
	jp->jp_payload = id;
	jp->jp_off = off;
	jp->jp_len = len;
	STAILQ_INSERT_TAIL(list, jp, jp_link);
	return jp;
}

static void
pieces_free(struct jpiece_list *list)
{
	struct jpiece *jp;

	while ((jp = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, jp_link);
		kfree(jp, &M_JOURNAL);
	}
}

/* Its memory and its credit. */
static uint64_t
stage_free(struct jstage *jr)
{
	uint64_t bytes = jr->jr_bytes;

	pieces_free(&jr->jr_old);
	pieces_free(&jr->jr_pieces);
	kfree(jr->jr_text, &M_JOURNAL);
	kfree(jr, &M_JOURNAL);
	return bytes;
}

void
jlog_free(struct jmount *jm, struct jstage *jr)
{
	jlog_uncredit(jm, stage_free(jr));
}

static void
stages_free(struct jmount *jm, struct jstage_list *dead)
{
	struct jstage *jr;
	uint64_t bytes = 0;

	while ((jr = TAILQ_FIRST(dead)) != NULL) {
		TAILQ_REMOVE(dead, jr, jr_link);
		bytes += stage_free(jr);
	}
	if (bytes > 0)
		jlog_uncredit(jm, bytes);
}

bool
jlog_publish(struct jmount *jm, struct jstage *jr)
{
	struct jstage *before, *next;
	struct journal *j;
	bool idle = false;

	spin_lock(&jm->jm_spin);
	if (jr->jr_isop && !jm->jm_recording) {
		spin_unlock(&jm->jm_spin);
		return false;
	}
	TAILQ_FOREACH(j, &jm->jm_journals, j_link) {
		if (jr->jr_only != NULL && jr->jr_only != j)
			continue;
		if (!j->j_closed) {
			jr->jr_refs++;
		} else if (jr->jr_isop && j->j_state == MJS_FAILED) {
			if (j->j_lost++ == 0)
				j->j_lostfirst = jr->jr_seq;
		}
	}
	if (jr->jr_refs == 0) {
		spin_unlock(&jm->jm_spin);
		return false;
	}
	before = TAILQ_LAST(&jm->jm_log, jstage_list);
	while (jr->jr_isop && before != NULL && before->jr_isop &&
	    !before->jr_taken && before->jr_seq > jr->jr_seq)
		before = TAILQ_PREV(before, jstage_list, jr_link);
	if (before != NULL)
		TAILQ_INSERT_AFTER(&jm->jm_log, before, jr, jr_link);
	else
		TAILQ_INSERT_HEAD(&jm->jm_log, jr, jr_link);
	next = TAILQ_NEXT(jr, jr_link);
	if (jr->jr_isop) {
		jm->jm_ops++;
		if (jr->jr_seq > jm->jm_headseq)
			jm->jm_headseq = jr->jr_seq;
	}
	TAILQ_FOREACH(j, &jm->jm_journals, j_link) {
		if (j->j_closed || (jr->jr_only != NULL && jr->jr_only != j))
			continue;
		j->j_lagbytes += jr->jr_bytes;
		j->j_ops += jr->jr_isop;
		if (j->j_next == NULL || j->j_next == next)
			j->j_next = jr;
		if (jr->jr_last)
			j->j_closed = true;
		idle |= j->j_idle;
	}
	if (idle)
		kick(jm);
	spin_unlock(&jm->jm_spin);
	return true;
}

struct jstage *
jlog_take(struct journal *j)
{
	struct jmount *jm = j->j_mount;
	struct jstage *jr;

	uint64_t now = clock_wall_ns();

	spin_lock(&jm->jm_spin);
	for (jr = j->j_next; jr != NULL && !is_for(j, jr); )
		jr = TAILQ_NEXT(jr, jr_link);
	if (jr != NULL && jr->jr_isop && now - jr->jr_wall < SETTLE_NS &&
	    j->j_drainers == 0 && jm->jm_waiters == 0 && !j->j_stop) {
		/* One with a smaller number may be about to be published. */
		spin_unlock(&jm->jm_spin);
		return NULL;
	}
	if (jr != NULL) {
		jr->jr_taken = true;
		j->j_held++;
	}
	j->j_next = jr != NULL && !jr->jr_last ? TAILQ_NEXT(jr, jr_link) :
	    NULL;
	spin_unlock(&jm->jm_spin);
	return jr;
}

void
jlog_done(struct journal *j, struct jstage **list, int n, bool ok)
{
	struct jstage_list dead = TAILQ_HEAD_INITIALIZER(dead);
	struct jmount *jm = j->j_mount;
	bool wake;
	int i;

	spin_lock(&jm->jm_spin);
	for (i = 0; i < n; i++) {
		j->j_lagbytes -= list[i]->jr_bytes;
		if (list[i]->jr_isop && !ok && j->j_lost++ == 0)
			j->j_lostfirst = list[i]->jr_seq;
		if (list[i]->jr_isop && ok && list[i]->jr_seq > j->j_acked)
			j->j_acked = list[i]->jr_seq;
		drop_claim(jm, list[i], &dead);
	}
	j->j_held -= n;
	wake = j->j_lagbytes == 0 && j->j_drainers > 0;
	spin_unlock(&jm->jm_spin);
	if (wake)
		wakeup(&j->j_lagbytes);
	stages_free(jm, &dead);
}

bool
jlog_open(struct journal *j, struct jstage *jr, uint64_t mntseq)
{
	struct jmount *jm = j->j_mount;
	struct jrec_attach *jt = (void *)jr->jr_rec.rb_data;
	uint64_t now;
	bool same;

	spin_lock(&jm->jm_spin);
	now = journal_number(jm->jm_mp);
	same = mntseq != 0 && now == mntseq;
	jt->jt_seq = now;
	if (same)
		jt->jt_flags |= JAF_CONTINUE;
	else
		jt->jt_flags |= JAF_BASELINE;
	jm->jm_recording = true;
	j->j_closed = false;
	jr->jr_only = j;
	jr->jr_refs = 1;
	TAILQ_INSERT_TAIL(&jm->jm_log, jr, jr_link);
	j->j_next = jr;
	j->j_lagbytes += jr->jr_bytes;
	spin_unlock(&jm->jm_spin);
	return same;
}

void
jlog_forget(struct journal *j)
{
	struct jstage_list dead = TAILQ_HEAD_INITIALIZER(dead);

	spin_lock(&j->j_mount->jm_spin);
	close_and_forget(j, &dead);
	spin_unlock(&j->j_mount->jm_spin);
	stages_free(j->j_mount, &dead);
}

void
jlog_fail(struct journal *j, int error)
{
	struct jstage_list dead = TAILQ_HEAD_INITIALIZER(dead);
	struct jmount *jm = j->j_mount;

	spin_lock(&jm->jm_spin);
	fail_locked(j, error, &dead);
	spin_unlock(&jm->jm_spin);
	stages_free(jm, &dead);
}

void
jlog_fail_all(struct jmount *jm, int error)
{
	struct jstage_list dead = TAILQ_HEAD_INITIALIZER(dead);
	struct journal *j;

	spin_lock(&jm->jm_spin);
	TAILQ_FOREACH(j, &jm->jm_journals, j_link)
		if (jm->jm_recording && !j->j_closed)
			fail_locked(j, error, &dead);
	spin_unlock(&jm->jm_spin);
	stages_free(jm, &dead);
}
