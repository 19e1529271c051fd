/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Journals come and go.
 *
 *   attach   layer on the mount, journal on the layer's list (closed), thread;
 *            then in one step recording begins and the attach record is in
 *            the log; then the base image, while the mount is used
 *   detach   (the last: the layer leaves, which waits for every operation
 *            inside), then the detach record in one step with closing; the
 *            thread writes what is left and ends
 *
 * C1  jmounts_lock guards the list of jmounts and orders attach, detach and
 *     unmount against each other.  Status takes it too: it is short but
 *     during a base image, which runs outside of it.
 */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/namecache.h>
#include <sys/stat.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vnode.h>

#include "journal.h"

enum { DEFAULT_FIFO = 4 << 20, MIN_FIFO = 64 << 10 };
enum { DEFAULT_WAIT_MS = 30000 };

static LIST_HEAD(, jmount) jmounts;
static struct lock jmounts_lock;
static uint64_t boot_id;

static void	journal_leave(struct mount *);

void
journal_init(void)
{
	lock_init(&jmounts_lock, "jmounts");
	random_bytes(&boot_id, sizeof(boot_id));
	mount_leave_hook = journal_leave;
}

/* ---- the mount's part ---- */

/*
 * Wait until every operation that is inside the mount now has ended: putting
 * a layer on and taking it off does that.  Blocks.
 */
void
journal_barrier(struct jmount *jm)
{
	static const struct vop_layer empty = { .vl_name = "barrier" };
	struct vop_layer *vl;

	vl = kmalloc(sizeof(*vl), &M_JOURNAL, M_WAITOK);
	*vl = empty;
	vl->vl_down = journal_pass;
	if (mount_layer_attach(jm->jm_mp, vl) == 0)
		mount_layer_detach(jm->jm_mp, vl);
	kfree(vl, &M_JOURNAL);
}

int
journal_pass(struct vop_layer *vl __unused, struct vop_msg *msg)
{
	return vop_next(msg);
}

static int
jmount_get(struct mount *mp, struct jmount **jmp)
{
	struct jmount *jm = mp->mnt_journals;
	struct thread *td;
	int error, i;

	*jmp = jm;
	if (jm != NULL)
		return 0;
	jm = kmalloc(sizeof(*jm), &M_JOURNAL, M_WAITOK | M_ZERO);
	jm->jm_mp = mp;
	jm->jm_layer.vl_name = "journal";
	jm->jm_layer.vl_down = jlayer_down;
	jm->jm_layer.vl_commit = jlayer_commit;
	jm->jm_layer.vl_private = jm;
	spin_init(&jm->jm_spin, "jlog");
	spin_init(&jm->jm_mapspin, "jmapped");
	TAILQ_INIT(&jm->jm_journals);
	TAILQ_INIT(&jm->jm_log);
	STAILQ_INIT(&jm->jm_found);
	for (i = 0; i < JMAPPED_HASH; i++)
		LIST_INIT(&jm->jm_mapped[i]);
	jm->jm_limit = DEFAULT_FIFO;
	jm->jm_asof = (mp->mnt_op->vfc_flags & VFC_ASOF) != 0 &&
	    strstr(mp->mnt_opts, "nohistory") == NULL;
	error = lwkt_create(jmapped_epoch, jm, &td, TDPRI_KERN, -1, "jepoch");
	if (error == 0) {
		lwkt_schedule(td);
		error = mount_layer_attach(mp, &jm->jm_layer);
	}
	if (error != 0) {
		kfree(jm, &M_JOURNAL);
		return error;
	}
	mp->mnt_journals = jm;
	LIST_INSERT_HEAD(&jmounts, jm, jm_link);
	*jmp = jm;
	return 0;
}

/* Stop the epoch thread. */
static void
epoch_stop(struct jmount *jm)
{
	spin_lock(&jm->jm_spin);
	jm->jm_epochstop = true;
	while (!jm->jm_epochgone) {
		wakeup(&jm->jm_epochstop);
		ssleep(&jm->jm_epochgone, &jm->jm_spin, 0, "jepend",
		    100000000);
		spin_lock(&jm->jm_spin);
	}
	spin_unlock(&jm->jm_spin);
}

/* What all journals together want; jmounts_lock held. */
static void
jmount_policy(struct jmount *jm)
{
	uint64_t wait = 0;
	bool undo = false, samefs = false;
	struct journal *j;

	spin_lock(&jm->jm_spin);
	TAILQ_FOREACH(j, &jm->jm_journals, j_link) {
		undo |= (j->j_flags & MIF_UNDO) != 0;
		samefs |= j->j_vp->v_mount == jm->jm_mp;
		wait = MAX(wait, j->j_waitns);
	}
	atomic_store_relaxed(&jm->jm_undo, undo);
	atomic_store_relaxed(&jm->jm_samefs, samefs);
	jm->jm_waitns = wait;
	spin_unlock(&jm->jm_spin);
}

/* ---- attach ---- */

static uint64_t
mount_fsid(struct mount *mp)
{
	struct statfs_info sf;

	if (vfs_statfs(mp, &sf) == 0 && sf.f_fsid != 0 &&
	    sf.f_fsid != mp->mnt_dev)
		return sf.f_fsid;
	return boot_id ^ mp->mnt_id << 48;	/* gone with this boot */
}

/* Does what is written to `to' end, over journals, on the mount `from'? */
static bool
leads_to(const struct mount *to, const struct mount *from, int depth)
{
	struct jmount *jm = to->mnt_journals;
	struct journal *j;

	if (to == from)
		return true;
	if (jm == NULL || depth > 8)
		return depth > 8;
	TAILQ_FOREACH(j, &jm->jm_journals, j_link)
		if (j->j_vp->v_mount != to &&
		    leads_to(j->j_vp->v_mount, from, depth + 1))
			return true;
	return false;
}

static int
check_target(struct mount *mp, struct vnode *vp,
    const struct mountctl_install *mi)
{
	if (memchr(mi->mi_tag, '\0', sizeof(mi->mi_tag)) == NULL ||
	    mi->mi_tag[0] == '\0')
		return EINVAL;
	if (mi->mi_flags & MIF_TWOWAY)
		return EOPNOTSUPP;
	if (mi->mi_flags & ~(uint32_t)(MIF_UNDO | MIF_SAMEFS | MIF_SYNC))
		return EINVAL;
	if (vp->v_type != VREG)
		return EOPNOTSUPP;
	if (mp->mnt_op->vfc_flags & VFC_NONAMES)
		return EOPNOTSUPP;	/* made up as it is read: procfs */
	if (atomic_load_relaxed(&vp->v_flags) & VN_ASOF)
		return EROFS;
	if (vp->v_mount == mp && !(mi->mi_flags & MIF_SAMEFS))
		return EDEADLK;
	if (vp->v_mount != mp && leads_to(vp->v_mount, mp, 0))
		return EDEADLK;
	if (mp->mnt_flags & MNT_RDONLY)
		return EROFS;
	return 0;
}

static struct journal *
find_tag(struct jmount *jm, const char *tag)
{
	struct journal *j;

	TAILQ_FOREACH(j, &jm->jm_journals, j_link)
		if (strcmp(j->j_tag, tag) == 0)
			break;
	return j;
}

static struct journal *
journal_alloc(struct jmount *jm, struct vnode *vp, struct ucred *cred,
    const struct mountctl_install *mi)
{
	struct journal *j;

	j = kmalloc(sizeof(*j), &M_JOURNAL, M_WAITOK | M_ZERO);
	j->j_mount = jm;
	kstrlcpy(j->j_tag, mi->mi_tag, sizeof(j->j_tag));
	j->j_flags = mi->mi_flags;
	j->j_state = MJS_BASELINE;
	j->j_closed = true;
	j->j_vp = vp;
	vn_ref(vp);
	if (vp->v_mount != jm->jm_mp)
		mount_ref(vp->v_mount);	/* it cannot be unmounted now */
	j->j_busy = true;
	j->j_cred = cred_hold(cred);
	j->j_waitns = (mi->mi_wait_ms ? mi->mi_wait_ms : DEFAULT_WAIT_MS) *
	    1000000ULL;
	j->j_offset = mi->mi_offset;
	j->j_stream = mi->mi_stream;
	j->j_index = mi->mi_frame;
	j->j_hash = mi->mi_hash;
	j->j_opindex = mi->mi_opindex;
	if (j->j_stream == 0) {
		random_bytes(&j->j_stream, sizeof(j->j_stream));
		j->j_hash = j->j_stream;
		j->j_index = 0;
	}
	return j;
}

static void
journal_free(struct journal *j)
{
	struct mount *mp = j->j_vp->v_mount;

	vn_rele(j->j_vp);
	if (mp != j->j_mount->jm_mp)
		mount_rele(mp);
	cred_drop(j->j_cred);
	kfree(j, &M_JOURNAL);
}

static struct jstage *
attach_record(struct journal *j, const char *on, uint64_t fsid)
{
	struct jmount *jm = j->j_mount;
	struct mount *mp = jm->jm_mp;
	struct jrec_attach *jt;
	struct jstage *jr;

	jr = jlog_stage(jm, sizeof(*jt), 0, true);
	if (jr == NULL)
		return NULL;
	jt = jrec_begin(&jr->jr_rec, JREC_ATTACH, sizeof(*jt));
	jt->jt_wall = clock_wall_ns();
	jt->jt_root = vn_ino(mp->mnt_root);
	jt->jt_fsid = fsid;
	jt->jt_boot = boot_id;
	jt->jt_flags = j->j_flags & MIF_UNDO ? JAF_UNDO : 0;
	jt->jt_numstep = mp->mnt_numstep;
	kstrlcpy(jt->jt_fstype, mp->mnt_op->vfc_name, sizeof(jt->jt_fstype));
	kstrlcpy(jt->jt_tag, j->j_tag, sizeof(jt->jt_tag));
	kstrlcpy(jt->jt_from, mp->mnt_from, sizeof(jt->jt_from));
	kstrlcpy(jt->jt_on, on, sizeof(jt->jt_on));
	jrec_end(&jr->jr_rec);
	return jr;
}

/* End the thread: write what is left, or not (abort). */
static void
thread_end(struct journal *j, bool abort)
{
	struct jmount *jm = j->j_mount;

	spin_lock(&jm->jm_spin);
	j->j_stop = true;
	if (abort)
		j->j_abort = true;
	while (!j->j_gone) {
		j->j_idle = false;
		wakeup(j);
		ssleep(&j->j_gone, &jm->jm_spin, 0, "jend", 100000000);
		spin_lock(&jm->jm_spin);
	}
	spin_unlock(&jm->jm_spin);
}

static void	detach_one(struct journal *, uint32_t flags, enum jdetach_why,
		    bool last);

static bool
only_one(struct jmount *jm)
{
	return TAILQ_NEXT(TAILQ_FIRST(&jm->jm_journals), j_link) == NULL;
}

/*
 * Record mp into the file target from now on, and its tree as it is.
 *
 * Locks:  none.  Blocks: until the base image is in the log.
 * Errors: EDEADLK the target is on the mount; EEXIST tag; EOPNOTSUPP not a
 *         regular file, or two-way; EINVAL; the target's and the mount's.
 */
int
journal_attach(struct mount *mp, struct vnode *vp, struct ucred *cred,
    const struct mountctl_install *mi, const char *on)
{
	struct jstage *jr = NULL;
	struct jmount *jm;
	struct journal *j;
	struct thread *td;
	struct vattr va;
	uint64_t fsid;
	bool same;
	int error;

	error = vn_getattr(mp->mnt_root, &va, cred);
	if (error != 0)
		return error;
	fsid = mount_fsid(mp);
	lock_excl(&jmounts_lock);
	error = check_target(mp, vp, mi);
	if (error == 0)
		error = jmount_get(mp, &jm);
	if (error != 0) {
		lock_release(&jmounts_lock);
		return error;
	}
	if (find_tag(jm, mi->mi_tag) != NULL) {
		lock_release(&jmounts_lock);
		return EEXIST;
	}
	j = journal_alloc(jm, vp, cred, mi);
	error = lwkt_create(jtarget_main, j, &td, TDPRI_KERN, -1, "jtarget");
	if (error == 0)
		lwkt_schedule(td);
	else
		j->j_gone = true;
	spin_lock(&jm->jm_spin);
	TAILQ_INSERT_TAIL(&jm->jm_journals, j, j_link);
	if (mi->mi_memfifo != 0)
		jm->jm_limit = MAX(mi->mi_memfifo, (uint64_t)MIN_FIFO);
	spin_unlock(&jm->jm_spin);
	jmount_policy(jm);
	if (error == 0)
		jr = attach_record(j, on, fsid);
	if (jr == NULL) {
		detach_one(j, MRF_ABORT, JDW_GAP, only_one(jm));
		lock_release(&jmounts_lock);
		return error ? error : ENOMEM;
	}
	same = jlog_open(j, jr, mi->mi_fsid == fsid ? mi->mi_mntseq : 0);
	if (same)
		j->j_lastseq = mi->mi_lastseq;
	lock_release(&jmounts_lock);

	journal_barrier(jm);
	jmapped_attach(jm);
	if (!same)
		error = jbase_run(j);
	if (error == 0)
		error = jtarget_drain(j, j->j_waitns);
	if (error != 0) {
		kprintf("journal %s on %s: base image failed (error %d)\n",
		    mi->mi_tag, mp->mnt_from, error);
		lock_excl(&jmounts_lock);
		detach_one(j, MRF_ABORT, JDW_GAP, only_one(jm));
		lock_release(&jmounts_lock);
		return error;
	}
	lock_excl(&jmounts_lock);
	spin_lock(&jm->jm_spin);
	j->j_busy = false;
	if (j->j_state == MJS_BASELINE)
		j->j_state = MJS_LIVE;
	spin_unlock(&jm->jm_spin);
	lock_release(&jmounts_lock);
	return 0;
}

/* ---- detach ---- */

/* jmounts_lock held.  last: the layer goes with it. */
static void
detach_one(struct journal *j, uint32_t flags, enum jdetach_why why, bool last)
{
	struct jmount *jm = j->j_mount;
	struct mount *mp = jm->jm_mp;
	struct jrec_detach *jd;
	struct jfound *jf;
	struct jstage *jr;
	bool abort = (flags & MRF_ABORT) != 0;

	if (!abort && atomic_load(&jm->jm_nmapped) > 0)
		jmapped_flush(jm, NULL);
	if (last) {
		epoch_stop(jm);
		mount_layer_detach(mp, &jm->jm_layer);
	}
	if (!abort && j->j_state != MJS_FAILED) {
		jr = jlog_stage(jm, sizeof(*jd), 0, true);
		jd = jr ? jrec_begin(&jr->jr_rec, JREC_DETACH, sizeof(*jd)) :
		    NULL;
		if (jd != NULL) {
			jd->jd_wall = clock_wall_ns();
			jd->jd_mntseq = last ? journal_number(mp) :
			    0;
			jd->jd_why = why;
			jrec_end(&jr->jr_rec);
			jr->jr_only = j;
			jr->jr_last = true;
			if (!jlog_publish(jm, jr))
				jlog_free(jm, jr);
		}
		abort = jtarget_drain(j, j->j_waitns) != 0;
	}
	if (abort || j->j_state == MJS_FAILED)
		jlog_forget(j);
	thread_end(j, abort);
	if (!abort)
		(void)vop_fsync(j->j_vp, false, true, j->j_cred);
	spin_lock(&jm->jm_spin);
	TAILQ_REMOVE(&jm->jm_journals, j, j_link);
	spin_unlock(&jm->jm_spin);
	journal_free(j);
	if (!last) {
		jmount_policy(jm);
		return;
	}
	/* Nobody is inside any more: what mapped pages were noted after the
	 * flush above is not of this journal. */
	jmapped_drop_all(jm);
	while ((jf = STAILQ_FIRST(&jm->jm_found)) != NULL) {
		STAILQ_REMOVE_HEAD(&jm->jm_found, jf_link);
		jfound_free(jf);
	}
	KKASSERT(TAILQ_EMPTY(&jm->jm_log));
	KKASSERT(jm->jm_used == 0);
	mp->mnt_journals = NULL;
	LIST_REMOVE(jm, jm_link);
	kfree(jm, &M_JOURNAL);
}

int
journal_detach(struct mount *mp, const char *tag, uint32_t flags,
    enum jdetach_why why)
{
	struct jmount *jm;
	struct journal *j;
	bool last, any = false;

	lock_excl(&jmounts_lock);
	for (;;) {
		jm = mp->mnt_journals;
		if (jm == NULL)
			break;
		j = tag != NULL && tag[0] != '\0' ? find_tag(jm, tag) :
		    TAILQ_FIRST(&jm->jm_journals);
		if (j == NULL)
			break;
		if (j->j_busy) {
			/* Whoever attaches it cleans up. */
			if (flags & MRF_ABORT)
				jlog_fail(j, ECANCELED);
			lock_release(&jmounts_lock);
			return flags & MRF_ABORT ? 0 : EBUSY;
		}
		any = true;
		last = only_one(jm);
		detach_one(j, flags, why, last);
		if (last || (tag != NULL && tag[0] != '\0'))
			break;
	}
	lock_release(&jmounts_lock);
	return any ? 0 : ENOENT;
}

/* An unmount takes its journals off, with a mark. */
static void
journal_leave(struct mount *mp)
{
	if (mp->mnt_journals != NULL)
		(void)journal_detach(mp, NULL, 0, JDW_UNMOUNT);
}

int
journal_restart(struct mount *mp, struct vnode *vp, struct ucred *cred,
    const struct mountctl_install *mi, const char *on)
{
	int error;

	error = journal_detach(mp, mi->mi_tag, MRF_ABORT, JDW_GAP);
	if (error != 0)
		return error;
	return journal_attach(mp, vp, cred, mi, on);
}

/* ---- questions ---- */

int
journal_flush(struct mount *mp, const char *tag)
{
	struct jmount *jm;
	struct journal *j;
	int error = 0;

	lock_excl(&jmounts_lock);
	jm = mp->mnt_journals;
	j = jm == NULL ? NULL : find_tag(jm, tag);
	if (j == NULL)
		error = ENOENT;
	else {
		jmapped_flush(jm, NULL);
		error = jtarget_drain(j, j->j_waitns);
		if (error == 0)
			error = vop_fsync(j->j_vp, true, true, j->j_cred);
	}
	lock_release(&jmounts_lock);
	return error;
}

static void
fill_status(struct jmount *jm, struct journal *j, struct mountctl_status *ms)
{
	struct jstage *jr;
	uint64_t now = clock_wall_ns();

	memset(ms, 0, sizeof(*ms));
	spin_lock(&jm->jm_spin);
	kstrlcpy(ms->ms_tag, j->j_tag, sizeof(ms->ms_tag));
	ms->ms_state = j->j_state;
	ms->ms_flags = j->j_flags;
	ms->ms_error = j->j_error;
	ms->ms_memfifo = jm->jm_limit;
	ms->ms_memused = jm->jm_used;
	ms->ms_lag_bytes = j->j_lagbytes;
	/* What is taken but not written is before j_next in the log. */
	jr = j->j_lagbytes > 0 ? TAILQ_FIRST(&jm->jm_log) : NULL;
	while (jr != NULL && jr->jr_wall == 0)
		jr = TAILQ_NEXT(jr, jr_link);
	if (jr != NULL && now > jr->jr_wall)
		ms->ms_lag_ns = now - jr->jr_wall;
	ms->ms_bytes = j->j_bytes;
	ms->ms_ops = j->j_ops;
	ms->ms_seq_head = jm->jm_headseq;
	ms->ms_seq_acked = j->j_acked;
	ms->ms_stalls = jm->jm_stalls;
	ms->ms_lost = j->j_lost;
	ms->ms_base_seq = j->j_baseseq;
	ms->ms_mapwrites = atomic_load_relaxed(&jm->jm_mapwrites);
	spin_unlock(&jm->jm_spin);
}

int
journal_status(struct mount *mp, struct mountctl_status *ms, size_t max,
    size_t *n)
{
	struct jmount *jm;
	struct journal *j;

	*n = 0;
	lock_excl(&jmounts_lock);
	jm = mp->mnt_journals;
	if (jm != NULL)
		TAILQ_FOREACH(j, &jm->jm_journals, j_link) {
			if (*n < max)
				fill_status(jm, j, &ms[*n]);
			(*n)++;
		}
	lock_release(&jmounts_lock);
	return jm == NULL ? ENOENT : 0;
}
