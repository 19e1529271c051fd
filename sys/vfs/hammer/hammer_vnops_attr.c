/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attributes, truncation, and the end of an object's life.
 *
 * T1  A truncation is a version point before it, then one transaction that
 *     cuts, ends what is behind and rolls the inode.  If more records are
 *     behind than one transaction takes, the rest is ended after it, under
 *     the same TID; D2 of hammer_data.c covers a crash between.
 * T2  An object without names is finished at its last use: all its records in
 *     pieces, the INODE record with the last of them.  Until then its nlinks
 *     is 0 on media, which is how a mount after a crash finds it.
 */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/systm.h>

#include "hammer_vfs.h"

enum { SMALL_DELETES = 8, LARGE_DELETES = 400 };

int
hammer_vop_getattr(struct vop_msg *msg)
{
	struct hammer_inode *ip = hammer_ip(msg->vm_vp);
	struct hammer_inode_data d;

	spin_lock(&ip->hi_spin);
	d = ip->hi_data;
	spin_unlock(&ip->hi_spin);
	hammer_iattr(ip, &d, msg->u.attr.vap);
	return 0;
}

struct vop_effect *
hammer_effect(struct vop_effects *eff, enum vop_effect_kind kind,
    struct vnode *vp)
{
	struct vop_effect *e;

	KKASSERT(eff->n < VOP_MAXEFFECTS);
	e = &eff->e[eff->n++];
	e->ve_kind = kind;
	e->ve_vp = vp;
	e->ve_dvp = NULL;
	e->ve_nch = NULL;
	e->ve_old = e->ve_new = 0;
	e->ve_off = 0;
	e->ve_len = 0;
	e->ve_mask = 0;
	return e;
}

void
hammer_effect_attr(struct vop_effects *eff, struct vnode *vp,
    const struct hammer_inode_data *nd, uint32_t mask)
{
	struct vop_effect *e = hammer_effect(eff, EFF_ATTR, vp);
	struct hammer_inode *ip = hammer_ip(vp);

	e->ve_mask = mask;
	hammer_iattr(ip, nd, &e->ve_attr);
	hammer_iattr(ip, &ip->hi_data, &e->ve_oldattr);
}

static uint64_t
to_us(const struct timespec *ts)
{
	return ts->tv_sec < 0 ? 0 : (uint64_t)ts->tv_sec * 1000000 +
	    (uint64_t)ts->tv_nsec / 1000;
}

/* The new data of an inode; returns the VA_* that matter. */
static uint32_t
apply_attr(const struct vattr *va, uint64_t now, struct hammer_inode_data *nd)
{
	uint32_t mask = va->va_mask;

	if (mask & VA_MODE)
		nd->mode = (uint16_t)(va->va_mode & 07777);
	if (mask & VA_UID)
		hammer_uuid_from_id(&nd->uid, va->va_uid);
	if (mask & VA_GID)
		hammer_uuid_from_id(&nd->gid, va->va_gid);
	if (mask & VA_FLAGS)
		nd->uflags = va->va_flags;
	if (mask & VA_ATIME)
		nd->atime = to_us(&va->va_atime);
	if (mask & VA_MTIME)
		nd->mtime = to_us(&va->va_mtime);
	if (mask & VA_ATIME_NOW)
		nd->atime = now;
	if (mask & VA_MTIME_NOW)
		nd->mtime = now;
	nd->ctime = now;
	mask &= VA_MODE | VA_UID | VA_GID | VA_FLAGS | VA_ATIME | VA_MTIME |
	    VA_ATIME_NOW | VA_MTIME_NOW;
	if (mask & VA_ATIME_NOW)
		mask |= VA_ATIME;
	if (mask & VA_MTIME_NOW)
		mask |= VA_MTIME;
	return (mask & ~(uint32_t)(VA_ATIME_NOW | VA_MTIME_NOW)) | VA_CTIME;
}

/* What did not fit into the operation's own transaction (T1). */
static void
truncate_rest(struct hammer_inode *ip, uint64_t size, hammer_tid_t tid)
{
	struct hammer_trans tr;
	bool more = true;

	while (more) {
		if (hammer_trans_begin(ip->hi_fs->hf_hmp, &tr,
		    HAMMER_CREDIT_LARGE | HAMMER_CREDIT_FREE) != 0)
			return;
		tr.tid = tid;
		if (hammer_data_delete(&tr, ip,
		    roundup2(size, (uint64_t)16), LARGE_DELETES, &more) != 0) {
			hammer_trans_abort(&tr);
			return;
		}
		hammer_trans_end(&tr);
	}
}

static int
size_credit(uint64_t bytes, int *max)
{
	if (bytes <= (SMALL_DELETES - 1) * (uint64_t)HAMMER_BUFSIZE) {
		*max = SMALL_DELETES;
		return HAMMER_CREDIT_SMALL | HAMMER_CREDIT_FREE;
	}
	*max = LARGE_DELETES;
	return HAMMER_CREDIT_LARGE | HAMMER_CREDIT_FREE;
}

static int
setattr_check(const struct vnode *vp, const struct vattr *va)
{
	if (!(va->va_mask & VA_SIZE))
		return 0;
	if (vp->v_type == VDIR)
		return EISDIR;
	if (vp->v_type != VREG)
		return EINVAL;
	return va->va_size > (uint64_t)INT64_MAX / 2 ? EFBIG : 0;
}

int
hammer_vop_setattr(struct vop_msg *msg)
{
	struct vnode *vp = msg->vm_vp;
	struct hammer_inode *ip = hammer_ip(vp);
	const struct vattr *va = msg->u.attr.vap;
	bool sized = va->va_mask & VA_SIZE, more = false;
	struct vop_effects eff = { .n = 0 };
	struct hammer_inode_data nd;
	struct hammer_trans tr;
	struct vop_effect *e;
	uint64_t oldsize;
	uint32_t mask;
	int credit = HAMMER_CREDIT_SMALL, max = 0, error;

	error = setattr_check(vp, va);
	if (error == 0)
		error = hammer_version_point(vp, false);
	if (error)
		return error;
	oldsize = ip->hi_data.size;
	if (sized && va->va_size < oldsize)
		credit = size_credit(oldsize - va->va_size, &max);
	else if (sized && va->va_size > oldsize)
		vn_pages_truncate(vp, va->va_size);
	error = hammer_trans_begin(ip->hi_fs->hf_hmp, &tr, credit);
	if (error)
		return error;
	tr.tid = vop_number(msg);
	nd = ip->hi_data;
	mask = apply_attr(va, msg->vm_wall / 1000, &nd);
	if (sized) {
		nd.size = va->va_size;
		if (!(va->va_mask & (VA_MTIME | VA_MTIME_NOW)))
			nd.mtime = nd.ctime;
		mask |= VA_SIZE | VA_MTIME;
		if (nd.size < oldsize)
			error = hammer_data_truncate(&tr, ip, nd.size, max,
			    &more);
		else if (nd.size > oldsize)	/* D2 */
			error = hammer_data_delete(&tr, ip,
			    roundup2(oldsize, (uint64_t)16), 4, &more);
		if (more && nd.size > oldsize)
			error = EIO;
	}
	if (error == 0)
		error = hammer_inode_roll(&tr, ip, &nd);
	if (error) {
		hammer_trans_abort(&tr);
		return error;
	}
	if (nd.size != oldsize) {
		e = hammer_effect(&eff, EFF_SIZE, vp);
		e->ve_old = oldsize;
		e->ve_new = nd.size;
	}
	hammer_effect_attr(&eff, vp, &nd, mask);
	hammer_iset(ip, &nd);
	atomic_store_relaxed(&ip->hi_recsize, nd.size);
	if (mask & VA_FLAGS)
		hammer_inohistory(ip, tr.tid);
	vop_commit(msg, &eff);
	hammer_trans_end(&tr);
	if (nd.size < oldsize) {
		vn_pages_truncate(vp, nd.size);
		if (more)
			truncate_rest(ip, nd.size, tr.tid);
	}
	return 0;
}

/*
 * T2.  The caller has the last reference, or nobody else can reach vp.
 */
int
hammer_finish_unlink(struct vnode *vp)
{
	struct hammer_inode *ip = hammer_ip(vp);
	struct vop_effects eff = { .n = 0 };
	struct hammer_trans tr;
	struct vop_msg msg;
	int credit, max, error;
	bool more = true;

	credit = size_credit(ip->hi_recsize, &max);
	while (more) {
		vop_internal_init(&msg, vp->v_mount, VOP_INACTIVE, vp);
		error = hammer_trans_begin(ip->hi_fs->hf_hmp, &tr, credit);
		if (error)
			return error;
		tr.tid = vop_number(&msg);
		error = hammer_data_delete(&tr, ip, 0, max, &more);
		if (error == 0 && !more)
			error = hammer_inode_delete(&tr, ip);
		if (error) {
			hammer_trans_abort(&tr);
			return error;
		}
		if (!more)
			ip->hi_flags |= HIF_GONE;
		vop_commit(&msg, &eff);
		hammer_trans_end(&tr);
		credit = HAMMER_CREDIT_LARGE | HAMMER_CREDIT_FREE;
		max = LARGE_DELETES;
	}
	return 0;
}

int
hammer_vop_inactive(struct vop_msg *msg)
{
	struct vnode *vp = msg->vm_vp;
	struct hammer_inode *ip = hammer_ip(vp);
	int error = 0;

	if (ip->hi_data.nlinks != 0 || hammer_is_asof(ip) ||
	    (ip->hi_flags & HIF_NEW) ||
	    (vp->v_mount->mnt_flags & MNT_RDONLY))
		return 0;
	lock_excl(&vp->v_lock);
	if (!(ip->hi_flags & HIF_GONE))
		error = hammer_finish_unlink(vp);
	ip->hi_flags &= ~(uint32_t)HIF_DIRTY;
	lock_release(&vp->v_lock);
	return error;
}

int
hammer_vop_reclaim(struct vop_msg *msg)
{
	return hammer_ireclaim(msg->vm_vp);
}
