/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stores through shared mappings as operations.
 *
 * The first store to a page asks VOP_MKWRITE; the page is noted then, with
 * its bytes as they were.  A flush takes the right to store away again,
 * copies the page and records one operation (mapwrite) for it:
 *
 *   at fsync and msync of the file, before a write, truncation or other
 *   change of it, before it leaves memory, once a second, and at detach
 *
 * P1  A noted page is looked at while it is busy: a store that comes after the
 *     copy faults, waits for the page, and notes it again.
 * P2  Flushes of one file are ordered by its v_lock, and so are they against
 *     its writes and truncations.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vnode.h>
#include <vm/vm_object.h>

#include "journal.h"

enum { EPOCH_NS = 1000000000 };

static struct jmapped_list *
bucket(struct jmount *jm, const struct vnode *vp, uint64_t index)
{
	return &jm->jm_mapped[(vn_ino(vp) * 31 + index) %
	    JMAPPED_HASH];
}

static struct jmapped *
find(struct jmount *jm, const struct vnode *vp, uint64_t index)
{
	struct jmapped *m;

	LIST_FOREACH(m, bucket(jm, vp, index), jm_hash)
		if (m->jm_vp == vp && m->jm_index == index)
			return m;
	return NULL;
}

/* The page is busy and valid: nobody else notes it. */
void
jmapped_note(struct jmount *jm, struct vop_msg *msg)
{
	struct vm_page *pg = msg->u.pages.pages[0];
	struct vnode *vp = msg->vm_vp;
	struct jmapped *m;

	spin_lock(&jm->jm_mapspin);
	m = find(jm, vp, pg->m_pindex);
	spin_unlock(&jm->jm_mapspin);
	if (m != NULL)
		return;
	m = kmalloc(sizeof(*m), &M_JOURNAL, M_WAITOK | M_ZERO);
	m->jm_vp = vp;
	m->jm_index = pg->m_pindex;
	if (atomic_load_relaxed(&jm->jm_undo)) {
		m->jm_old = kmalloc(PAGE_SIZE, &M_JOURNAL, M_WAITOK);
		memcpy(m->jm_old, vm_page_kva(pg), PAGE_SIZE);
	}
	vn_hold(vp);
	spin_lock(&jm->jm_mapspin);
	LIST_INSERT_HEAD(bucket(jm, vp, m->jm_index), m, jm_hash);
	spin_unlock(&jm->jm_mapspin);
	atomic_fetch_add(&jm->jm_nmapped, 1);
}

static void
forget(struct jmount *jm, struct jmapped *m)
{
	atomic_fetch_sub(&jm->jm_nmapped, 1);
	vn_drop(m->jm_vp);
	kfree(m->jm_old, &M_JOURNAL);
	kfree(m, &M_JOURNAL);
}

/* One page of vp, or of any file. */
static struct jmapped *
pick(struct jmount *jm, const struct vnode *vp)
{
	struct jmapped *m = NULL;
	int i;

	for (i = 0; i < JMAPPED_HASH && m == NULL; i++)
		LIST_FOREACH(m, &jm->jm_mapped[i], jm_hash)
			if (vp == NULL || m->jm_vp == vp)
				break;
	return m;
}

/* Copy the page of m to buf and take m off the list, P1.  Returns how many
 * bytes of it are in the file. */
static uint64_t
capture(struct jmount *jm, struct jmapped *m, uint8_t *buf)
{
	struct vnode *vp = m->jm_vp;
	struct vm_object *vo = vp->v_object;
	uint64_t size = atomic_load_relaxed(&vp->v_size);
	uint64_t off = ptob(m->jm_index), n;
	struct vm_page *pg;
	size_t done;

	n = off < size ? MIN(size - off, (uint64_t)PAGE_SIZE) : 0;
	pg = vm_object_lookup_busy(vo, m->jm_index);
	if (pg != NULL && vm_object_wrprotect_hook != NULL)
		vm_object_wrprotect_hook(vo, m->jm_index, m->jm_index + 1);
	spin_lock(&jm->jm_mapspin);
	LIST_REMOVE(m, jm_hash);
	spin_unlock(&jm->jm_mapspin);
	if (pg != NULL) {
		memcpy(buf, vm_page_kva(pg), n);
		vm_page_unbusy(pg);
		return n;
	}
	/* It was written and left the cache. */
	if (n > 0 && (vn_read(vp, buf, n, (off_t)off, kernel_cred, &done) != 0
	    || done < n))
		kprintf("journal: a mapped page cannot be read again\n");
	return n;
}

/* Record one page.  v_lock is held exclusively. */
static void
record(struct jmount *jm, struct jmapped *m, uint8_t *buf)
{
	struct vnode *vp = m->jm_vp;
	uint64_t off = ptob(m->jm_index), n;
	struct vop_effects eff = { .n = 1 };
	struct jrec_commit *jc;
	struct jstage *jr;
	struct vop_msg msg;

	n = capture(jm, m, buf);
	if (n == 0 || (m->jm_old != NULL && memcmp(m->jm_old, buf, n) == 0))
		return;
	jr = jlog_stage(jm, sizeof(*jc) + 2 * (sizeof(struct jfact_data) +
	    PAGE_SIZE), 0, true);
	if (jr == NULL) {
		jlog_fail_all(jm, ENOMEM);
		return;
	}
	jr->jr_isop = true;
	jc = jrec_begin(&jr->jr_rec, JREC_COMMIT, sizeof(*jc));
	jc->jc_opcode = JOP_MAPWRITE;
	if (m->jm_old != NULL)
		jfact_add_data(&jr->jr_rec, JFACT_OLDDATA, vn_ino(vp),
		    off, n, JSRC_INLINE, 0, 0, m->jm_old);
	jfact_add_data(&jr->jr_rec, JFACT_DATA, vn_ino(vp), off, n,
	    JSRC_INLINE, 0, 0, buf);
	vop_internal_init(&msg, jm->jm_mp, VOP_WRITE, vp);
	msg.vm_stage = jr;
	memset(&eff.e[0], 0, sizeof(eff.e[0]));
	eff.e[0].ve_kind = EFF_DATA;
	eff.e[0].ve_vp = vp;
	eff.e[0].ve_off = (off_t)off;
	eff.e[0].ve_len = n;
	vop_commit(&msg, &eff);
	if (msg.vm_stage != NULL)
		jlog_free(jm, jr);
	atomic_fetch_add(&jm->jm_mapwrites, 1);
}

static void
flush_vnode(struct jmount *jm, struct vnode *vp)
{
	struct jmapped *m;
	uint8_t *buf;

	buf = kmalloc(PAGE_SIZE, &M_JOURNAL, M_WAITOK);
	lock_excl(&vp->v_lock);					/* P2 */
	for (;;) {
		spin_lock(&jm->jm_mapspin);
		m = pick(jm, vp);
		spin_unlock(&jm->jm_mapspin);
		if (m == NULL)
			break;
		record(jm, m, buf);
		forget(jm, m);
	}
	lock_release(&vp->v_lock);
	kfree(buf, &M_JOURNAL);
}

void
jmapped_flush(struct jmount *jm, struct vnode *only)
{
	struct vnode *vp;
	struct jmapped *m;
	int n = only != NULL ? 1 : atomic_load(&jm->jm_nmapped);

	/* Bounded by what there was: programs go on storing. */
	while (n-- > 0) {
		spin_lock(&jm->jm_mapspin);
		m = pick(jm, only);
		vp = m != NULL ? m->jm_vp : NULL;
		if (vp != NULL)
			vn_hold(vp);
		spin_unlock(&jm->jm_mapspin);
		if (vp == NULL)
			break;
		flush_vnode(jm, vp);
		vn_drop(vp);
	}
}

/* Programs may store to pages that were made writable before the journal
 * came: take that right away, so that they ask. */
void
jmapped_attach(struct jmount *jm)
{
	struct mount *mp = jm->jm_mp;
	struct vnode *vp, *prev = NULL;

	if (vm_object_wrprotect_hook == NULL)
		return;
	spin_lock(&mp->mnt_spin);
	vp = TAILQ_FIRST(&mp->mnt_vnodes);
	while (vp != NULL) {
		if (vp->v_object == NULL || (atomic_load_relaxed(&vp->v_flags) & VN_DEAD) ||
		    atomic_load_relaxed(&vp->v_object->vo_refs) <= 1) {
			vp = TAILQ_NEXT(vp, v_mntlist);
			continue;
		}
		/* Mapped: it stays on the list as long as it is. */
		vn_hold(vp);
		vm_object_ref(vp->v_object);
		spin_unlock(&mp->mnt_spin);
		vm_object_wrprotect_hook(vp->v_object, 0, btop(UINT64_MAX));
		if (prev != NULL) {
			vm_object_rele(prev->v_object);
			vn_drop(prev);
		}
		prev = vp;
		spin_lock(&mp->mnt_spin);
		vp = TAILQ_NEXT(vp, v_mntlist);
	}
	spin_unlock(&mp->mnt_spin);
	if (prev != NULL) {
		vm_object_rele(prev->v_object);
		vn_drop(prev);
	}
}

void
jmapped_drop_all(struct jmount *jm)
{
	struct jmapped *m;

	for (;;) {
		spin_lock(&jm->jm_mapspin);
		m = pick(jm, NULL);
		if (m != NULL)
			LIST_REMOVE(m, jm_hash);
		spin_unlock(&jm->jm_mapspin);
		if (m == NULL)
			break;
		forget(jm, m);
	}
}

void
jmapped_epoch(void *arg)
{
	struct jmount *jm = arg;

	spin_lock(&jm->jm_spin);
	while (!jm->jm_epochstop) {
		ssleep(&jm->jm_epochstop, &jm->jm_spin, 0, "jepoch", EPOCH_NS);
		if (atomic_load_relaxed(&jm->jm_nmapped) > 0)
			jmapped_flush(jm, NULL);
		spin_lock(&jm->jm_spin);
	}
	jm->jm_epochgone = true;
	spin_unlock(&jm->jm_spin);
	wakeup(&jm->jm_epochgone);
	lwkt_exit();
}
