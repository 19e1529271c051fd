/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A journal's thread: takes stages from the log in order, packs their records
 * into frames, writes the frames to the target.
 *
 *   take -> frame full, or nothing more to take -> seal, write -> done
 *
 * G1  What belongs to one stream only (the count of operations, the number
 *     before, the chain) is filled in here.
 * G2  A write that fails is tried again, from where it stopped, for as long as
 *     the policy says; then the journal fails, with a gap that is counted
 *     and shown.  Nothing is dropped because a write failed.
 */
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vnode.h>

#include "journal.h"

enum {
	FRAME_SIZE = 128 << 10,
	MAX_HELD = 512,			/* stages in one frame */
	BATCH_NS = 4000000,		/* gather so long; > SETTLE_NS */
	RETRY_NS = 250000000,
};

struct packer {
	struct journal	*pk_j;
	size_t		 pk_len;	/* of the frame so far */
	uint32_t	 pk_nrecs;
	int		 pk_n;		/* stages that end in this frame */
	struct jstage	*pk_held[MAX_HELD];
	uint64_t	 pk_opindex, pk_lastseq;	/* as of this frame */
};

static bool
aborted(struct journal *j)
{
	bool r;

	spin_lock(&j->j_mount->jm_spin);
	r = j->j_abort;
	spin_unlock(&j->j_mount->jm_spin);
	return r;
}

static void
set_state(struct journal *j, enum mountctl_state from, enum mountctl_state to,
    int error)
{
	spin_lock(&j->j_mount->jm_spin);
	if (j->j_state == from)
		j->j_state = to;
	if (j->j_state != MJS_FAILED)
		j->j_error = error;
	spin_unlock(&j->j_mount->jm_spin);
}

/* All of the buffer at the stream's position.  G2. */
static int
write_out(struct journal *j, const uint8_t *buf, size_t len)
{
	nsec_t until = 0;
	size_t done;
	int error;

	while (len > 0) {
		error = vn_write(j->j_vp, buf, len, (off_t)j->j_offset, 0,
		    j->j_cred, &done, NULL);
		if (error == 0 && done == 0)
			error = EIO;
		if (error == 0) {
			buf += done;
			len -= done;
			j->j_offset += done;
			if (until != 0)
				set_state(j, MJS_STALLED, MJS_LIVE, 0);
			until = 0;
			continue;
		}
		if (until == 0) {
			until = clock_mono_ns() + j->j_waitns;
			set_state(j, MJS_LIVE, MJS_STALLED, error);
			kprintf("journal %s on %s: cannot write to the target "
			    "(error %d), trying for %llu s\n", j->j_tag,
			    j->j_mount->jm_mp->mnt_from, error,
			    (unsigned long long)(j->j_waitns / 1000000000));
		}
		if (clock_mono_ns() >= until || aborted(j))
			return error;
		tsleep(j, 0, "jretry", RETRY_NS);
	}
	if (j->j_flags & MIF_SYNC)
		return vop_fsync(j->j_vp, true, true, j->j_cred);
	return 0;
}

/* Seal and write the frame; its stages are done. */
static int
frame_out(struct packer *pk)
{
	struct journal *j = pk->pk_j;
	size_t len = pk->pk_len;
	int error = 0;

	if (pk->pk_nrecs > 0) {
		j->j_hash = jframe_seal(j->j_frame, len, pk->pk_nrecs,
		    j->j_stream, j->j_index++, j->j_hash);
		error = write_out(j, j->j_frame, len);
	}
	if (error == 0) {
		spin_lock(&j->j_mount->jm_spin);
		j->j_bytes += pk->pk_nrecs > 0 ? len : 0;
		spin_unlock(&j->j_mount->jm_spin);
	} else
		jlog_fail(j, error);
	jlog_done(j, pk->pk_held, pk->pk_n, error == 0);
	pk->pk_len = sizeof(struct jfr_head);
	pk->pk_nrecs = 0;
	pk->pk_n = 0;
	return error;
}

/* Room for a record in the frame, writing the frame first if it is full. */
static int
reserve(struct packer *pk, size_t len, void **to)
{
	int error;

	if (pk->pk_len + len > FRAME_SIZE) {
		error = frame_out(pk);
		if (error != 0)
			return error;
	}
	*to = pk->pk_j->j_frame + pk->pk_len;
	pk->pk_len += len;
	pk->pk_nrecs++;
	return 0;
}

static int
pack_pieces(struct packer *pk, struct jpiece_list *list, uint64_t op)
{
	struct jrec_chunk *jk;
	struct jpiece *jp;
	size_t len;
	void *to;
	int error;

	STAILQ_FOREACH(jp, list, jp_link) {
		if (jp->jp_len == 0)
			continue;
		len = sizeof(*jk) + roundup2((size_t)jp->jp_len, 8);
		error = reserve(pk, len, &to);
		if (error != 0)
			return error;
		jk = to;
		memset(jk, 0, sizeof(*jk));
		jk->h.jr_type = JREC_CHUNK;
		jk->h.jr_size = (uint32_t)len;
		jk->h.jr_op = op;
		jk->jk_payload = jp->jp_payload;
		jk->jk_len = jp->jp_len;
		jk->jk_off = jp->jp_off;
		memcpy(jk + 1, jp->jp_bytes, jp->jp_len);
		memset((char *)(jk + 1) + jp->jp_len, 0,
		    roundup2((size_t)jp->jp_len, 8) - jp->jp_len);
	}
	return 0;
}

static int
pack(struct packer *pk, struct jstage *jr)
{
	struct journal *j = pk->pk_j;
	struct jrec_commit *jc;
	void *to;
	int error;

	error = pack_pieces(pk, &jr->jr_old, jr->jr_seq);
	if (error == 0)
		error = pack_pieces(pk, &jr->jr_pieces, jr->jr_seq);
	if (error == 0)
		error = reserve(pk, jr->jr_rec.rb_len, &to);
	if (error != 0) {
		jlog_done(j, &jr, 1, false);
		return error;
	}
	memcpy(to, jr->jr_rec.rb_data, jr->jr_rec.rb_len);
	if (jr->jr_isop) {				/* G1 */
		jc = to;
		jc->jc_prev = j->j_lastseq;
		jc->jc_index = ++j->j_opindex;
		if (!STAILQ_EMPTY(&jr->jr_old) ||
		    !STAILQ_EMPTY(&jr->jr_pieces))
			jc->h.jr_op = jr->jr_seq;
		j->j_lastseq = jr->jr_seq;
	} else if (((struct jrec_head *)to)->jr_type == JREC_DETACH) {
		((struct jrec_detach *)to)->jd_seq = j->j_lastseq;
	}
	pk->pk_held[pk->pk_n++] = jr;
	return pk->pk_n == MAX_HELD ? frame_out(pk) : 0;
}

/* Nothing to do.  False: the end. */
static bool
wait_for_work(struct journal *j)
{
	struct jmount *jm = j->j_mount;
	bool hurry;

	spin_lock(&jm->jm_spin);
	if (j->j_next == NULL) {
		if (j->j_stop || j->j_abort) {
			spin_unlock(&jm->jm_spin);
			return false;
		}
		j->j_idle = true;
		ssleep(j, &jm->jm_spin, 0, "jidle", 0);
		spin_lock(&jm->jm_spin);
		j->j_idle = false;
	}
	hurry = j->j_stop || j->j_abort || j->j_drainers > 0 ||
	    jm->jm_waiters > 0;
	spin_unlock(&jm->jm_spin);
	if (!hurry)
		tsleep(j, 0, "jbatch", BATCH_NS);
	return true;
}

void
jtarget_main(void *arg)
{
	struct journal *j = arg;
	struct jmount *jm = j->j_mount;
	struct packer *pk;
	struct jstage *jr;

	pk = kmalloc(sizeof(*pk), &M_JOURNAL, M_WAITOK | M_ZERO);
	pk->pk_j = j;
	pk->pk_len = sizeof(struct jfr_head);
	j->j_frame = kmalloc(FRAME_SIZE, &M_JOURNAL, M_WAITOK);
	for (;;) {
		jr = aborted(j) ? NULL : jlog_take(j);
		if (jr != NULL) {
			(void)pack(pk, jr);
			continue;
		}
		if (aborted(j)) {
			jlog_done(j, pk->pk_held, pk->pk_n, false);
			jlog_forget(j);
			break;
		}
		if (pk->pk_n > 0 || pk->pk_nrecs > 0) {
			(void)frame_out(pk);
			continue;
		}
		if (!wait_for_work(j))
			break;
	}
	kfree(j->j_frame, &M_JOURNAL);
	kfree(pk, &M_JOURNAL);
	spin_lock(&jm->jm_spin);
	j->j_gone = true;
	spin_unlock(&jm->jm_spin);
	wakeup(&j->j_gone);
	wakeup(&j->j_lagbytes);
	lwkt_exit();
}

int
jtarget_drain(struct journal *j, nsec_t timeout)
{
	struct jmount *jm = j->j_mount;
	nsec_t until = clock_mono_ns() + timeout, now;
	int error = 0;

	spin_lock(&jm->jm_spin);
	j->j_drainers++;
	while (j->j_lagbytes > 0 && j->j_state != MJS_FAILED && !j->j_gone) {
		now = clock_mono_ns();
		if (now >= until) {
			error = ETIMEDOUT;
			break;
		}
		j->j_idle = false;
		wakeup(j);
		ssleep(&j->j_lagbytes, &jm->jm_spin, 0, "jdrain",
		    MIN(until - now, 100000000ULL));
		spin_lock(&jm->jm_spin);
	}
	if (error == 0 && j->j_state == MJS_FAILED)
		error = j->j_error;
	j->j_drainers--;
	spin_unlock(&jm->jm_spin);
	return error;
}
