/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layer: what is done around each operation of a journalled mount.
 *
 *   down     memory for the record is counted and allocated; names, link
 *            text, path hints and before-images are copied into it
 *   commit   the effects become facts; the record is published.  Nothing
 *            blocks, nothing can fail
 *   up       a stage that was not committed is thrown away
 *
 * Y1  Names are copied on the way down: by the time of the commit a rename
 *     has moved the entries.
 * Y2  The bytes of a write are copied at the commit, out of kernel memory
 *     that the operation owns, for the range that was really written.
 * Y3  The object that a last unlink ends is locked (v_lock) while its old
 *     bytes are copied and until it is gone, if the filesystem keeps no past.
 * Y4  The filesystem's own operations (VMF_INTERNAL) have no way down: their
 *     record is made at the commit, from memory that does not wait.  Their
 *     EFF_DATA is not news: what write(2) wrote was recorded then, what a
 *     mapping stored is recorded by jmapped.c.
 */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/proc.h>
#include <sys/stat.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vnode.h>

#include "journal.h"

enum {
	ROOM_ATTR = sizeof(struct jfact_attr),
	ROOM_NAME = sizeof(struct jfact_name) + NAME_MAX + 1,
	ROOM_DATA = sizeof(struct jfact_data),
	HINT_MAX = 1024,
	OLD_MAX	= 8 << 20,		/* before-image of one operation */
};

/* vm_stage of an operation that is none of ours. */
static char ignored;

static const uint8_t op_codes[VOP_COUNT] = {
	[VOP_NCREATE] = JOP_CREATE, [VOP_NMKDIR] = JOP_MKDIR,
	[VOP_NMKNOD] = JOP_MKNOD, [VOP_NLINK] = JOP_LINK,
	[VOP_NSYMLINK] = JOP_SYMLINK, [VOP_NREMOVE] = JOP_UNLINK,
	[VOP_NRMDIR] = JOP_RMDIR, [VOP_NRENAME] = JOP_RENAME,
	[VOP_SETATTR] = JOP_SETATTR, [VOP_WRITE] = JOP_WRITE,
	[VOP_ALLOCATE] = JOP_ALLOCATE, [VOP_SETXATTR] = JOP_SETXATTR,
	[VOP_INACTIVE] = JOP_INACTIVE, [VOP_FSYNC] = JOP_FSYNC,
};

static void
copy_time(struct jattr *ja, int which, const struct timespec *ts)
{
	ja->ja_sec[which] = ts->tv_sec;
	ja->ja_nsec[which] = (uint32_t)ts->tv_nsec;
}

void
jattr_from_vattr(struct jattr *ja, const struct vattr *va)
{
	memset(ja, 0, sizeof(*ja));
	ja->ja_ino = va->va_ino;
	ja->ja_size = S_ISREG(va->va_mode) || S_ISLNK(va->va_mode) ?
	    va->va_size : 0;
	ja->ja_rdev = va->va_rdev;
	ja->ja_nlink = va->va_nlink;
	ja->ja_mode = va->va_mode;
	ja->ja_uid = va->va_uid;
	ja->ja_gid = va->va_gid;
	ja->ja_flags = va->va_flags;
	copy_time(ja, JT_ATIME, &va->va_atime);
	copy_time(ja, JT_MTIME, &va->va_mtime);
	copy_time(ja, JT_CTIME, &va->va_ctime);
	copy_time(ja, JT_BTIME, &va->va_btime);
}

/* Make sure that vn_ino() is right. */
static void
know(struct vnode *vp)
{
	struct vattr va;

	if (vp != NULL && vn_ino(vp) == 0)
		(void)vn_getattr(vp, &va, kernel_cred);
}

/* ---- down ---- */

static void
stage_begin(struct jmount *jm, struct jstage *jr, enum jop code)
{
	struct proc *p = curproc();
	struct jrec_commit *jc;

	jr->jr_isop = true;
	jc = jrec_begin(&jr->jr_rec, JREC_COMMIT, sizeof(*jc));
	jc->jc_opcode = code;
	if (p != NULL)
		memcpy(jc->jc_comm, p->p_comm, MIN(sizeof(jc->jc_comm),
		    sizeof(p->p_comm)));
	(void)jm;
}

static void
keep_name(struct jstage *jr, int which, const struct nchandle *nch)
{
	const char *name;
	size_t len;

	name = nc_name(nch, &len);
	jr->jr_namelen[which] = (uint8_t)MIN(len, (size_t)NAME_MAX);
	memcpy(jr->jr_name[which], name, jr->jr_namelen[which]);
}

static size_t
hint(struct jmount *jm, const struct nchandle *nch, char *buf)
{
	if (nc_fullpath(nch, &jm->jm_mp->mnt_rootnch, buf, HINT_MAX) != 0)
		return 0;
	return strlen(buf);
}

/* Copy [off, off+len) of the file as it is into the stage: an OLDDATA fact,
 * inline or in pieces.  Room and credit were made. */
static void
keep_old(struct jstage *jr, struct vnode *vp, uint64_t off, uint64_t len)
{
	struct jpiece *jp;
	uint64_t at, n;
	size_t done;
	uint8_t *to;

	if (len <= JINLINE_MAX) {
		to = jfact_add_data(&jr->jr_rec, JFACT_OLDDATA, vn_ino(vp),
		    off, len, JSRC_INLINE, 0, 0, NULL);
		KKASSERT(to != NULL);
		memset(to, 0, roundup2(len, 8));
		(void)vn_read(vp, to, len, (off_t)off, kernel_cred, &done);
		return;
	}
	for (at = 0; at < len; at += n) {
		n = MIN(len - at, (uint64_t)JPIECE_BYTES);
		jp = jlog_piece(jr, &jr->jr_old, jr->jr_payloads, at,
		    (uint32_t)n, false);
		memset(jp->jp_bytes, 0, n);
		(void)vn_read(vp, jp->jp_bytes, n, (off_t)(off + at),
		    kernel_cred, &done);
	}
	jfact_add_data(&jr->jr_rec, JFACT_OLDDATA, vn_ino(vp), off, len,
	    JSRC_CHUNKS, jr->jr_payloads++, 0, NULL);
}

/* Memory in the record and beside it for a payload. */
static void
room_for(uint64_t len, size_t *room, uint64_t *extra)
{
	*room += ROOM_DATA + 8;
	if (len <= JINLINE_MAX)
		*room += roundup2(len, 8);
	else
		*extra += len + (len / JPIECE_BYTES + 1) *
		    sizeof(struct jpiece);
}

/* WRITE, SETATTR, ALLOCATE: v_lock is held exclusively by the operation. */
static struct jstage *
stage_object(struct jmount *jm, struct vop_msg *msg)
{
	struct vnode *vp = msg->vm_vp;
	/* A rename may store the same size again without v_lock. */
	uint64_t size = atomic_load_relaxed(&vp->v_size);
	uint64_t off = 0, len = 0, newlen = 0, extra = 0;
	size_t room = sizeof(struct jrec_commit) + ROOM_ATTR +
	    sizeof(struct jfact_size) * 2 + ROOM_DATA * 2;
	struct jstage *jr;
	uint64_t at, n;
	bool undo = atomic_load_relaxed(&jm->jm_undo), toomuch;

	switch (msg->vm_op) {
	case VOP_WRITE:
		off = (uint64_t)msg->u.io.off;
		len = newlen = msg->u.io.len;
		break;
	case VOP_ALLOCATE:
		off = (uint64_t)msg->u.alloc.off;
		len = msg->u.alloc.len;
		break;
	default:
		if ((msg->u.attr.vap->va_mask & VA_SIZE) == 0 ||
		    vp->v_type != VREG)
			break;
		off = msg->u.attr.vap->va_size;
		len = size > off ? size - off : 0;
		break;
	}
	if (off >= size || !undo)
		len = 0;
	else
		len = MIN(len, size - off);
	toomuch = len > OLD_MAX;
	if (!toomuch)
		room_for(len, &room, &extra);
	room_for(newlen, &room, &extra);
	jr = jlog_stage(jm, room, extra, (msg->vm_flags & VMF_NOFS) != 0);
	if (jr == NULL)
		return NULL;
	stage_begin(jm, jr, op_codes[msg->vm_op]);
	if (len > 0 && toomuch)
		jfact_add_data(&jr->jr_rec, JFACT_OLDDATA, vn_ino(vp), off,
		    len, JSRC_NONE, 0, 0, NULL);
	else if (len > 0)
		keep_old(jr, vp, off, len);
	if (newlen > JINLINE_MAX)
		for (at = 0; at < newlen; at += n) {
			n = MIN(newlen - at, (uint64_t)JPIECE_BYTES);
			jlog_piece(jr, &jr->jr_pieces, 0, at, (uint32_t)n,
			    false);
		}
	return jr;
}

/* The text of a symlink that is about to lose its last name. */
static void
keep_text(struct jstage *jr, struct vnode *vp)
{
	size_t len = 0;

	jr->jr_text = kmalloc(JTEXT_MAX, &M_JOURNAL, M_WAITOK);
	if (vop_readlink(vp, jr->jr_text, JTEXT_MAX - 1, &len,
	    kernel_cred) == 0)
		jr->jr_textlen = (uint32_t)len;
}

static struct jstage *
stage_names(struct jmount *jm, struct vop_msg *msg, struct vnode **locked)
{
	struct vnode *dies = NULL;	/* may end with this operation */
	char *hints = NULL;
	size_t hlen[2] = { 0, 0 }, room;
	uint64_t extra = 0, oldlen = 0;
	struct jstage *jr;
	struct vattr va;
	bool rename = msg->vm_op == VOP_NRENAME, undo;

	*locked = NULL;
	know(msg->vm_dvp);
	room = sizeof(struct jrec_commit) + ROOM_NAME + 3 * ROOM_ATTR +
	    sizeof(struct jfact_obj) + ROOM_DATA + 64;
	switch (msg->vm_op) {
	case VOP_NSYMLINK:
		room += strlen(msg->u.create.target) + 8;
		break;
	case VOP_NREMOVE:
	case VOP_NRMDIR:
		dies = msg->u.remove.vp;
		break;
	case VOP_NRENAME:
		know(msg->u.rename.tdvp);
		know(msg->u.rename.fvp);
		if (!(msg->u.rename.flags & RENAME_EXCHANGE))
			dies = msg->u.rename.tvp;
		room += ROOM_NAME + 2 * ROOM_ATTR;
		break;
	default:
		break;
	}
	if (dies != NULL) {
		if (vn_getattr(dies, &va, kernel_cred) != 0 ||
		    (va.va_nlink > 1 && dies->v_type != VDIR))
			dies = NULL;
		else if (dies->v_type == VLNK)
			room += JTEXT_MAX + 8;
	}
	undo = atomic_load_relaxed(&jm->jm_undo);
	if (dies != NULL && dies->v_type == VREG && undo && !jm->jm_asof) {
		lock_excl(&dies->v_lock);			/* Y3 */
		*locked = dies;
		oldlen = dies->v_size;
		if (oldlen <= OLD_MAX)
			room_for(oldlen, &room, &extra);
	}
	hints = kmalloc(2 * HINT_MAX, &M_JOURNAL, M_WAITOK);
	hlen[0] = hint(jm, &msg->vm_nch, hints);
	if (rename)
		hlen[1] = hint(jm, &msg->u.rename.tnch, hints + HINT_MAX);
	room += hlen[0] + hlen[1] + 2 * sizeof(struct jfact_path) + 16;
	jr = jlog_stage(jm, room, extra, false);
	stage_begin(jm, jr, op_codes[msg->vm_op]);
	keep_name(jr, 0, &msg->vm_nch);
	if (rename)
		keep_name(jr, 1, &msg->u.rename.tnch);
	if (hlen[0] > 0)
		jfact_add_path(&jr->jr_rec, hints, hlen[0]);
	if (hlen[1] > 0)
		jfact_add_path(&jr->jr_rec, hints + HINT_MAX, hlen[1]);
	kfree(hints, &M_JOURNAL);
	if (dies != NULL && dies->v_type == VLNK)
		keep_text(jr, dies);
	if (dies != NULL && dies->v_type == VREG && undo && jm->jm_asof &&
	    va.va_size > 0)
		/* xd_ref is filled in at the commit, with the number. */
		jfact_add_data(&jr->jr_rec, JFACT_OLDDATA, va.va_ino, 0,
		    va.va_size, JSRC_REF, 0, 0, NULL);
	if (oldlen > OLD_MAX)
		jfact_add_data(&jr->jr_rec, JFACT_OLDDATA, vn_ino(dies), 0,
		    oldlen, JSRC_NONE, 0, 0, NULL);
	else if (oldlen > 0)
		keep_old(jr, dies, 0, oldlen);
	return jr;
}

/* Tell the crawl, once it is done, that something is named there now. */
static struct jfound *
found_alloc(struct vop_msg *msg)
{
	struct jfound *jf;

	jf = kmalloc(sizeof(*jf), &M_JOURNAL, M_WAITOK | M_ZERO);
	nc_copy(&msg->vm_nch, &jf->jf_nch[0]);
	if (msg->vm_op == VOP_NRENAME)
		nc_copy(&msg->u.rename.tnch, &jf->jf_nch[1]);
	return jf;
}

void
jfound_free(struct jfound *jf)
{
	int i;

	for (i = 0; i < 2; i++)
		if (nc_isset(&jf->jf_nch[i]))
			nc_drop(&jf->jf_nch[i]);
	kfree(jf, &M_JOURNAL);
}

/* Is this thread one of our targets' (JL3), or is it the target's file? */
static bool
is_own(struct jmount *jm, const struct vop_msg *msg)
{
	struct journal *j;
	bool own = false;

	spin_lock(&jm->jm_spin);
	TAILQ_FOREACH(j, &jm->jm_journals, j_link)
		if (msg->vm_vp != NULL && j->j_vp == msg->vm_vp)
			own = true;
	spin_unlock(&jm->jm_spin);
	return own;
}

static int
down_modify(struct jmount *jm, struct vop_msg *msg)
{
	struct vnode *locked = NULL;
	struct jstage *jr;
	int error;

	if (atomic_load_relaxed(&jm->jm_samefs) && is_own(jm, msg)) {
		msg->vm_stage = &ignored;
		error = vop_next(msg);
		msg->vm_stage = NULL;
		return error;
	}
	if (msg->vm_vp != NULL) {
		know(msg->vm_vp);
		if (atomic_load_relaxed(&jm->jm_nmapped) > 0)
			jmapped_flush(jm, msg->vm_vp);
		jr = stage_object(jm, msg);
	} else
		jr = stage_names(jm, msg, &locked);
	if (jr != NULL && atomic_load_relaxed(&jm->jm_crawling) > 0 &&
	    (msg->vm_op == VOP_NRENAME || msg->vm_op == VOP_NLINK))
		jr->jr_found = found_alloc(msg);
	msg->vm_stage = jr;
	error = vop_next(msg);
	jr = msg->vm_stage;
	msg->vm_stage = NULL;
	if (locked != NULL)
		lock_release(&locked->v_lock);
	if (jr != NULL) {
		if (jr->jr_found != NULL)
			jfound_free(jr->jr_found);
		jlog_free(jm, jr);
	}
	return error;
}

int
jlayer_down(struct vop_layer *vl, struct vop_msg *msg)
{
	struct jmount *jm = vl->vl_private;

	switch (msg->vm_op) {
	case VOP_NCREATE:
	case VOP_NMKDIR:
	case VOP_NMKNOD:
	case VOP_NLINK:
	case VOP_NSYMLINK:
	case VOP_NREMOVE:
	case VOP_NRMDIR:
	case VOP_NRENAME:
	case VOP_SETATTR:
	case VOP_WRITE:
	case VOP_ALLOCATE:
		return down_modify(jm, msg);
	case VOP_SETXATTR:
		/* No filesystem has them yet; unrecorded it may not be. */
		return EOPNOTSUPP;
	case VOP_MKWRITE:
		know(msg->vm_vp);
		jmapped_note(jm, msg);
		break;
	case VOP_FSYNC:
	case VOP_RECLAIM:
		if (msg->vm_vp != NULL &&
		    atomic_load_relaxed(&jm->jm_nmapped) > 0)
			jmapped_flush(jm, msg->vm_vp);
		break;
	default:
		break;
	}
	return vop_next(msg);
}

/* ---- commit ---- */

static const struct vop_effect *
find_effect(const struct vop_effects *eff, enum vop_effect_kind kind,
    const struct vnode *vp)
{
	int i;

	for (i = 0; i < eff->n; i++)
		if (eff->e[i].ve_kind == kind && eff->e[i].ve_vp == vp)
			return &eff->e[i];
	return NULL;
}

static bool
is_new(const struct vop_effects *eff, const struct vnode *vp)
{
	const struct vop_effect *ve = find_effect(eff, EFF_OBJECT, vp);

	return ve != NULL && ve->ve_new != 0;
}

static void
add_name(struct jstage *jr, const struct vop_msg *msg,
    const struct vop_effect *ve)
{
	int which = msg->vm_op == VOP_NRENAME &&
	    ve->ve_nch->nch_ncp == msg->u.rename.tnch.nch_ncp;

	jfact_add_name(&jr->jr_rec, vn_ino(ve->ve_dvp), jr->jr_name[which],
	    jr->jr_namelen[which], ve->ve_old, ve->ve_new);
}

static void
add_object(struct jstage *jr, const struct vop_msg *msg,
    const struct vop_effects *eff, const struct vop_effect *ve)
{
	const struct vop_effect *at = find_effect(eff, EFF_ATTR, ve->ve_vp);
	const char *text = jr->jr_text;
	size_t len = jr->jr_textlen;
	struct jattr ja;

	if (ve->ve_new != 0)
		jattr_from_vattr(&ja, at ? &at->ve_attr : &ve->ve_vp->v_attr);
	else
		jattr_from_vattr(&ja, at ? &at->ve_oldattr :
		    &ve->ve_vp->v_attr);
	if (msg->vm_op == VOP_NSYMLINK) {
		text = msg->u.create.target;
		len = strlen(text);
	}
	jfact_add_obj(&jr->jr_rec, ja.ja_ino, ve->ve_new != 0, &ja, text, len);
}

static void
add_attr(struct jstage *jr, const struct vop_effects *eff,
    const struct vop_effect *ve)
{
	uint32_t mask = ve->ve_mask & JA_ALL & ~(uint32_t)JA_SIZE;
	struct jattr old, new;

	if (is_new(eff, ve->ve_vp))
		return;
	if ((ve->ve_mask & VA_SIZE) && ve->ve_vp->v_type == VREG &&
	    find_effect(eff, EFF_SIZE, ve->ve_vp) == NULL &&
	    ve->ve_attr.va_size != ve->ve_oldattr.va_size)
		jfact_add_size(&jr->jr_rec, ve->ve_attr.va_ino,
		    ve->ve_oldattr.va_size, ve->ve_attr.va_size);
	if (mask == 0)
		return;
	jattr_from_vattr(&new, &ve->ve_attr);
	jattr_from_vattr(&old, &ve->ve_oldattr);
	jfact_add_attr(&jr->jr_rec, new.ja_ino, mask, &old, &new);
}

/* Y2 */
static void
add_data(struct jstage *jr, const struct vop_msg *msg,
    const struct vop_effect *ve)
{
	uint64_t ino = vn_ino(ve->ve_vp), len = ve->ve_len, at, n;
	struct jpiece *jp;
	const uint8_t *from;

	if (msg->vm_op != VOP_WRITE) {		/* zeroed by ALLOCATE */
		jfact_add_data(&jr->jr_rec, JFACT_DATA, ino,
		    (uint64_t)ve->ve_off, len, JSRC_ZERO, 0, 0, NULL);
		return;
	}
	from = (const uint8_t *)msg->u.io.buf + (ve->ve_off - msg->u.io.off);
	if (STAILQ_EMPTY(&jr->jr_pieces)) {
		jfact_add_data(&jr->jr_rec, JFACT_DATA, ino,
		    (uint64_t)ve->ve_off, len, JSRC_INLINE, 0, 0, from);
		return;
	}
	jp = STAILQ_FIRST(&jr->jr_pieces);
	for (at = 0; at < len; at += n, jp = STAILQ_NEXT(jp, jp_link)) {
		n = MIN(len - at, (uint64_t)jp->jp_len);
		memcpy(jp->jp_bytes, from + at, n);
		jp->jp_len = (uint32_t)n;
		jp->jp_payload = jr->jr_payloads;
	}
	for (; jp != NULL; jp = STAILQ_NEXT(jp, jp_link))
		jp->jp_len = 0;			/* a short write */
	jfact_add_data(&jr->jr_rec, JFACT_DATA, ino, (uint64_t)ve->ve_off,
	    len, JSRC_CHUNKS, jr->jr_payloads++, 0, NULL);
}

static void
add_effects(struct jstage *jr, const struct vop_msg *msg,
    const struct vop_effects *eff, bool internal)
{
	const struct vop_effect *ve;
	int i;

	for (i = 0; i < eff->n; i++) {
		ve = &eff->e[i];
		switch (ve->ve_kind) {
		case EFF_NAME:
			if (!internal)
				add_name(jr, msg, ve);
			break;
		case EFF_OBJECT:
			add_object(jr, msg, eff, ve);
			break;
		case EFF_ATTR:
			add_attr(jr, eff, ve);
			break;
		case EFF_SIZE:
			if (!is_new(eff, ve->ve_vp))
				jfact_add_size(&jr->jr_rec, vn_ino(ve->ve_vp),
				    ve->ve_old, ve->ve_new);
			break;
		case EFF_DATA:
			if (!internal && ve->ve_len > 0)
				add_data(jr, msg, ve);
			break;
		}
	}
}

/* The number is known now: before-images by reference are as of just before
 * it; they stand only if the object really ended. */
static void
fix_refs(struct jstage *jr, uint64_t seq, const struct vop_effects *eff)
{
	struct jrec_commit *jc = (void *)jr->jr_rec.rb_data;
	struct jfact *x = (void *)(jc + 1);
	uint8_t *end = jr->jr_rec.rb_data + jr->jr_rec.rb_len;
	bool ends = false;
	int i;

	for (i = 0; i < eff->n; i++)
		ends |= eff->e[i].ve_kind == EFF_OBJECT &&
		    eff->e[i].ve_new == 0;
	for (; (uint8_t *)x < end; x = (void *)((uint8_t *)x + x->jx_size)) {
		struct jfact_data *xd = (void *)x;

		if (x->jx_type == JFACT_OLDDATA && xd->xd_src == JSRC_REF) {
			xd->xd_ref = seq - 1;
			if (!ends)
				xd->xd_len = 0;
		}
	}
}

static void
finish(struct jstage *jr, const struct vop_msg *msg)
{
	struct jrec_commit *jc = (void *)jr->jr_rec.rb_data;

	jr->jr_seq = jc->jc_seq = msg->vm_number;
	jr->jr_wall = jc->jc_wall = msg->vm_wall;
	jc->jc_pid = msg->vm_pid;
	jc->jc_uid = msg->vm_cred->cr_uid;
	jc->jc_gid = msg->vm_cred->cr_gid;
	jrec_end(&jr->jr_rec);
}

/* Y4 */
static void
commit_internal(struct jmount *jm, struct vop_msg *msg,
    const struct vop_effects *eff)
{
	struct jstage *jr;
	int i, n = 0;

	for (i = 0; i < eff->n; i++)
		n += eff->e[i].ve_kind != EFF_DATA &&
		    eff->e[i].ve_kind != EFF_NAME;
	if (n == 0 || (atomic_load_relaxed(&jm->jm_samefs) && is_own(jm, msg)))
		return;
	jr = jlog_stage(jm, sizeof(struct jrec_commit) +
	    (size_t)n * (ROOM_ATTR + sizeof(struct jfact_size)), 0, true);
	if (jr == NULL) {
		jlog_fail_all(jm, ENOMEM);
		return;
	}
	stage_begin(jm, jr, op_codes[msg->vm_op]);
	add_effects(jr, msg, eff, true);
	finish(jr, msg);
	if (jr->jr_rec.rb_nfacts == 0 || !jlog_publish(jm, jr))
		jlog_free(jm, jr);
}

void
jlayer_commit(struct vop_layer *vl, struct vop_msg *msg,
    const struct vop_effects *eff)
{
	struct jmount *jm = vl->vl_private;
	struct jstage *jr = msg->vm_stage;

	if (msg->vm_stage == &ignored)
		return;
	if (jr == NULL) {
		if (msg->vm_flags & VMF_INTERNAL)
			commit_internal(jm, msg, eff);
		else if ((msg->vm_vp == NULL || !is_own(jm, msg)) &&
		    eff->n > 0)
			jlog_fail_all(jm, ENOMEM);	/* no memory: a gap */
		return;
	}
	if (!(msg->vm_flags & VMF_INTERNAL)) {
		add_effects(jr, msg, eff, false);
		if (jm->jm_asof)
			fix_refs(jr, msg->vm_number, eff);
	}
	finish(jr, msg);
	if (jr->jr_rec.rb_full) {
		kprintf("journal: op %d does not fit its record\n", msg->vm_op);
		jlog_fail_all(jm, EOVERFLOW);
		return;
	}
	if (jr->jr_found != NULL) {
		spin_lock(&jm->jm_spin);
		STAILQ_INSERT_TAIL(&jm->jm_found, jr->jr_found, jf_link);
		spin_unlock(&jm->jm_spin);
		jr->jr_found = NULL;
	}
	if (jr->jr_rec.rb_nfacts > 0 && jlog_publish(jm, jr))
		msg->vm_stage = NULL;
}
