/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Name operations.  Each is one transaction with one TID: entries, inodes and
 * directory times change together, then vop_commit(), then the end.
 *
 * M1  Names are locked by the caller, directories are not: what must be true
 *     of a directory (it is alive, it is empty) is asked inside the
 *     transaction.
 * M2  A file whose inode is going to be rolled has its v_lock held and is
 *     clean before: its record never tells a size that has no data.
 * M3  The last name of an object that nobody else uses takes the object with
 *     it, in the same transaction when it is small.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/systm.h>

#include "hammer_vfs.h"

enum { SMALL_DELETES = 8 };

/* A directory in a name operation. */
static int
dir_alive(const struct hammer_inode *dip)
{
	return dip->hi_data.nlinks == 0 || (dip->hi_flags & HIF_GONE) ?
	    ENOENT : 0;
}

/* New names that would mean a moment cannot be made. */
static int
name_check(const struct nchandle *nch, const char **name, size_t *len)
{
	hammer_tid_t tid;
	uint32_t loc = 0;
	size_t base;

	*name = nc_name(nch, len);
	if (*len == 0 || *len > NAME_MAX)
		return ENAMETOOLONG;
	return hammer_asof_parse(*name, *len, &base, &tid, &loc) ? EINVAL : 0;
}

static void
effect_name(struct vop_effects *eff, struct vnode *dvp,
    const struct nchandle *nch, uint64_t old, struct vnode *vp)
{
	struct vop_effect *e = hammer_effect(eff, EFF_NAME, vp);

	e->ve_dvp = dvp;
	e->ve_nch = nch;
	e->ve_old = old;
	e->ve_new = vp ? (uint64_t)hammer_ip(vp)->hi_obj_id : 0;
}

static void
effect_object(struct vop_effects *eff, struct vnode *vp, bool made)
{
	struct vop_effect *e = hammer_effect(eff, EFF_OBJECT, vp);

	e->ve_old = !made;
	e->ve_new = made;
}

/* M2 */
static int
file_quiesce(struct vnode *vp)
{
	int error;

	lock_excl(&vp->v_lock);
	if (vp->v_type != VREG)
		return 0;
	error = hammer_version_point(vp, false);
	if (error)
		lock_release(&vp->v_lock);
	return error;
}

/* ---- looking up ------------------------------------------------------ */

/* The entry of a name in a directory, as dip sees it or as of `asof`. */
static int
dir_find(struct hammer_inode *dip, hammer_tid_t asof, const char *name,
    size_t len, struct hammer_dirent *hd)
{
	struct hammer_inode view;
	struct hammer_cursor cur;
	int error;

	if (asof != dip->hi_asof) {
		spin_lock(&dip->hi_spin);
		view = *dip;
		spin_unlock(&dip->hi_spin);
		view.hi_asof = asof;
		dip = &view;
	}
	hammer_read_begin(dip->hi_fs->hf_hmp);
	error = hammer_dir_lookup(&cur, dip, name, len, hd);
	hammer_cursor_done(&cur);
	hammer_read_end(dip->hi_fs->hf_hmp);
	return error;
}

/* name@@tid in dip. */
static int
resolve_asof(struct hammer_inode *dip, const char *name, size_t baselen,
    hammer_tid_t tid, uint32_t loc, struct vnode **vpp)
{
	struct hammer_fs *fs = dip->hi_fs;
	struct hammer_dirent hd;
	int error;

	/* What is not over yet is not a state that can be kept. */
	if (tid != HAMMER_MAX_TID && tid > hammer_last_number(fs->hf_mp))
		return EINVAL;
	if (loc != dip->hi_loc) {
		if (baselen != 0)
			return ENOENT;
		return hammer_iget(fs, loc, HAMMER_OBJID_ROOT, tid, vpp);
	}
	if (baselen == 0)
		return hammer_iget(fs, loc, dip->hi_obj_id, tid, vpp);
	error = dir_find(dip, tid, name, baselen, &hd);
	if (error == 0)
		error = hammer_iget(fs, hd.hd_loc, hd.hd_obj_id, tid, vpp);
	return error;
}

int
hammer_vop_nresolve(struct vop_msg *msg)
{
	struct hammer_inode *dip = hammer_ip(msg->vm_dvp);
	struct hammer_dirent hd;
	struct vnode *vp = NULL;
	uint32_t loc = dip->hi_loc;
	hammer_tid_t tid;
	const char *name;
	size_t len, base;
	int error;

	name = nc_name(&msg->vm_nch, &len);
	if (hammer_asof_parse(name, len, &base, &tid, &loc)) {
		error = resolve_asof(dip, name, base, tid, loc, &vp);
	} else if (len > NAME_MAX) {
		error = ENOENT;
	} else {
		error = dir_find(dip, dip->hi_asof, name, len, &hd);
		if (error == 0) {
			error = hammer_iget(dip->hi_fs, hd.hd_loc,
			    hd.hd_obj_id, dip->hi_asof, &vp);
			if (error == ENOENT && !hammer_is_asof(dip)) {
				kprintf("hammer: entry without inode %llx\n",
				    (unsigned long long)hd.hd_obj_id);
				error = EIO;
			}
		}
	}
	if (error != 0 && error != ENOENT)
		return error;
	nc_setvp(&msg->vm_nch, vp);
	if (vp != NULL)
		vn_rele(vp);
	return error;
}

int
hammer_vop_nlookupdotdot(struct vop_msg *msg)
{
	struct hammer_inode *dip = hammer_ip(msg->vm_dvp);
	int64_t up = dip->hi_data.parent_obj_id;

	if (up == 0)
		return ENOENT;
	return hammer_iget(dip->hi_fs, dip->hi_loc, up, dip->hi_asof,
	    &msg->u.dotdot.vp);
}

/* ---- making ---------------------------------------------------------- */

static void
new_data(const struct hammer_fs *fs, struct hammer_inode *dip,
    const struct vattr *va, const char *target,
    struct hammer_inode_data *d)
{
	memset(d, 0, sizeof(*d));
	d->version = HAMMER_INODE_DATA_VERSION;
	d->mode = (uint16_t)(va->va_mode & 07777);
	d->obj_type = hammer_objtype(va->va_mode);
	d->parent_obj_id = dip->hi_obj_id;
	hammer_uuid_from_id(&d->uid, va->va_uid);
	hammer_uuid_from_id(&d->gid, va->va_gid);
	d->nlinks = 1;
	/* "No history" is passed on to what is made inside. */
	spin_lock(&dip->hi_spin);
	d->uflags = dip->hi_data.uflags & (UF_NOHISTORY | SF_NOHISTORY);
	spin_unlock(&dip->hi_spin);
	if (d->obj_type == HAMMER_OBJTYPE_CDEV ||
	    d->obj_type == HAMMER_OBJTYPE_BDEV) {
		d->rmajor = dev_major(va->va_rdev);
		d->rminor = dev_minor(va->va_rdev);
	}
	if (d->obj_type == HAMMER_OBJTYPE_DIRECTORY) {
		d->cap_flags = HAMMER_INODE_CAP_DIR_LOCAL_INO;
		if (hammer_version(fs->hf_hmp) >= 6)
			d->cap_flags |= HAMMER_INODE_CAP_DIRHASH_ALG1;
	}
	if (target != NULL) {
		d->size = strlen(target);
		if (d->size <= HAMMER_INODE_BASESYMLEN)
			memcpy(d->symlink, target, d->size);
	}
}

static int
insert_target(struct hammer_trans *tr, const struct hammer_inode *ip,
    const char *target)
{
	struct hammer_leaf_elm leaf;

	memset(&leaf, 0, sizeof(leaf));
	leaf.base.obj_id = ip->hi_obj_id;
	leaf.base.key = HAMMER_FIXKEY_SYMLINK;
	leaf.base.rec_type = HAMMER_RECTYPE_FIX;
	leaf.base.obj_type = HAMMER_OBJTYPE_SOFTLINK;
	leaf.base.localization = ip->hi_loc | HAMMER_LOCALIZE_MISC;
	return hammer_record_insert(tr, &leaf, target,
	    (uint32_t)ip->hi_data.size);
}

/* create, mkdir, mknod, symlink */
static int
do_create(struct vop_msg *msg, const char *target)
{
	struct vnode *dvp = msg->vm_dvp, *vp;
	struct hammer_inode *dip = hammer_ip(dvp), *ip;
	struct vop_effects eff;
	struct hammer_inode_data nd, dd;
	struct hammer_trans tr;
	const char *name;
	size_t len;
	int error;

	error = name_check(&msg->vm_nch, &name, &len);
	if (error)
		return error;
	if (target != NULL && strlen(target) >= PATH_MAX)
		return ENAMETOOLONG;
	new_data(dip->hi_fs, dip, msg->u.create.vap, target, &nd);
	error = hammer_inew(dip->hi_fs, dip->hi_loc, &nd, &vp);
	if (error)
		return error;
	ip = hammer_ip(vp);
	error = hammer_trans_begin(dip->hi_fs->hf_hmp, &tr,
	    HAMMER_CREDIT_SMALL);
	if (error)
		goto discard;
	tr.tid = vop_number(msg);
	ip->hi_obj_id = hammer_objid_alloc(&tr);
	nd.ctime = nd.mtime = nd.atime = tr.tid / 1000;
	ip->hi_data = nd;
	ip->hi_recsize = nd.size;
	error = dir_alive(dip);
	if (error == 0)
		error = hammer_inode_insert(&tr, ip, &nd);
	if (error == 0 && nd.size > HAMMER_INODE_BASESYMLEN)
		error = insert_target(&tr, ip, target);
	if (error == 0)
		error = hammer_dir_add(&tr, dip, name, len, ip);
	if (error == 0)
		error = hammer_inode_touch(&tr, dip, &dd);
	if (error) {
		hammer_trans_abort(&tr);
		goto discard;
	}
	hammer_inode_count(&tr, 1);
	hammer_ihash(ip, vp);
	dip->hi_lasttid = tr.tid;
	eff.n = 0;
	effect_name(&eff, dvp, &msg->vm_nch, 0, vp);
	effect_object(&eff, vp, true);
	hammer_effect_attr(&eff, vp, &nd, ~0u);
	hammer_effect_attr(&eff, dvp, &dd, VA_MTIME | VA_CTIME);
	hammer_iset(dip, &dd);
	vop_commit(msg, &eff);
	hammer_trans_end(&tr);
	msg->u.create.vp = vp;
	return 0;
discard:
	hammer_idiscard(vp);
	return error;
}

int
hammer_vop_ncreate(struct vop_msg *msg)
{
	return do_create(msg, NULL);
}

int
hammer_vop_nsymlink(struct vop_msg *msg)
{
	return do_create(msg, msg->u.create.target);
}

int
hammer_vop_nlink(struct vop_msg *msg)
{
	struct vnode *dvp = msg->vm_dvp, *vp = msg->u.link.vp;
	struct hammer_inode *dip = hammer_ip(dvp), *ip = hammer_ip(vp);
	struct vop_effects eff;
	struct hammer_inode_data nd, dd;
	struct hammer_trans tr;
	const char *name;
	size_t len;
	int error;

	if (vp->v_type == VDIR)
		return EPERM;
	if (hammer_is_asof(ip) || ip->hi_loc != dip->hi_loc)
		return EXDEV;
	error = name_check(&msg->vm_nch, &name, &len);
	if (error)
		return error;
	error = file_quiesce(vp);
	if (error)
		return error;
	error = hammer_trans_begin(dip->hi_fs->hf_hmp, &tr,
	    HAMMER_CREDIT_SMALL);
	if (error)
		goto unlock;
	tr.tid = vop_number(msg);
	nd = ip->hi_data;
	error = dir_alive(dip);
	if (nd.nlinks == 0)
		error = ENOENT;
	nd.nlinks++;
	nd.ctime = tr.tid / 1000;
	if (error == 0)
		error = hammer_dir_add(&tr, dip, name, len, ip);
	if (error == 0)
		error = hammer_inode_roll(&tr, ip, &nd);
	if (error == 0)
		error = hammer_inode_touch(&tr, dip, &dd);
	if (error) {
		hammer_trans_abort(&tr);
		goto unlock;
	}
	dip->hi_lasttid = tr.tid;
	eff.n = 0;
	effect_name(&eff, dvp, &msg->vm_nch, 0, vp);
	hammer_effect_attr(&eff, vp, &nd, VA_CTIME);
	hammer_effect_attr(&eff, dvp, &dd, VA_MTIME | VA_CTIME);
	hammer_iset(ip, &nd);
	hammer_iset(dip, &dd);
	vop_commit(msg, &eff);
	hammer_trans_end(&tr);
unlock:
	lock_release(&vp->v_lock);
	return error;
}

/* ---- removing -------------------------------------------------------- */

/*
 * One name of the object goes: *nd is what its inode becomes.  M3; *gone says
 * that nothing of it is left.  Inside the transaction.
 */
static int
drop_name(struct hammer_trans *tr, struct vnode *vp,
    struct hammer_inode_data *nd, bool *gone)
{
	struct hammer_inode *ip = hammer_ip(vp);
	bool more = true;
	int error = 0;

	*gone = false;
	*nd = ip->hi_data;
	if (nd->nlinks == 0)
		return EIO;
	nd->nlinks--;
	nd->ctime = tr->tid / 1000;
	if (nd->nlinks == 0 && atomic_load(&vp->v_refs) == 1 &&
	    ip->hi_recsize <= (SMALL_DELETES - 1) * HAMMER_BUFSIZE) {
		if (vp->v_type == VREG || vp->v_type == VLNK)
			error = hammer_data_delete(tr, ip, 0, SMALL_DELETES,
			    &more);
		else
			more = false;
		if (error)
			return error;
		if (!more) {
			*gone = true;
			return hammer_inode_delete(tr, ip);
		}
	}
	return hammer_inode_roll(tr, ip, nd);
}

static void
dropped_effects(struct vop_effects *eff, struct vnode *vp,
    const struct hammer_inode_data *nd, hammer_tid_t tid, bool gone)
{
	struct hammer_inode *ip = hammer_ip(vp);

	hammer_effect_attr(eff, vp, nd, VA_CTIME);
	if (nd->nlinks == 0)
		effect_object(eff, vp, false);
	hammer_iset(ip, nd);
	ip->hi_lasttid = tid;
	if (gone)
		ip->hi_flags |= HIF_GONE;
}

/* unlink and rmdir */
static int
do_remove(struct vop_msg *msg)
{
	struct vnode *dvp = msg->vm_dvp, *vp = msg->u.remove.vp;
	struct hammer_inode *dip = hammer_ip(dvp), *ip = hammer_ip(vp);
	struct vop_effects eff;
	struct hammer_inode_data nd, dd;
	struct hammer_trans tr;
	bool empty = true, gone;
	const char *name;
	size_t len;
	int error;

	if (hammer_is_asof(ip))
		return EROFS;
	name = nc_name(&msg->vm_nch, &len);
	error = file_quiesce(vp);
	if (error)
		return error;
	error = hammer_trans_begin(dip->hi_fs->hf_hmp, &tr,
	    HAMMER_CREDIT_SMALL | HAMMER_CREDIT_FREE);
	if (error)
		goto unlock;
	tr.tid = vop_number(msg);
	if (vp->v_type == VDIR)
		error = hammer_dir_empty(ip, &empty);
	if (error == 0 && !empty)
		error = ENOTEMPTY;
	if (error == 0)
		error = hammer_dir_remove(&tr, dip, name, len, ip->hi_obj_id);
	if (error == 0)
		error = drop_name(&tr, vp, &nd, &gone);
	if (error == 0)
		error = hammer_inode_touch(&tr, dip, &dd);
	if (error) {
		hammer_trans_abort(&tr);
		goto unlock;
	}
	dip->hi_lasttid = tr.tid;
	eff.n = 0;
	effect_name(&eff, dvp, &msg->vm_nch, (uint64_t)ip->hi_obj_id, NULL);
	dropped_effects(&eff, vp, &nd, tr.tid, gone);
	hammer_effect_attr(&eff, dvp, &dd, VA_MTIME | VA_CTIME);
	hammer_iset(dip, &dd);
	vop_commit(msg, &eff);
	hammer_trans_end(&tr);
unlock:
	lock_release(&vp->v_lock);
	return error;
}

int
hammer_vop_nremove(struct vop_msg *msg)
{
	if (msg->u.remove.vp->v_type == VDIR)
		return EISDIR;
	return do_remove(msg);
}

int
hammer_vop_nrmdir(struct vop_msg *msg)
{
	if (msg->u.remove.vp->v_type != VDIR)
		return ENOTDIR;
	return do_remove(msg);
}

/* ---- renaming -------------------------------------------------------- */

struct rename {
	struct vop_msg	*msg;
	struct vnode	*fdvp, *tdvp, *fvp, *tvp;
	struct hammer_inode *fdip, *tdip, *fip, *tip;
	const char	*fname, *tname;
	size_t		 flen, tlen;
	bool		 exchange;
	bool		 tgone;
	bool		 froll, troll;
	struct hammer_inode_data fd, td, fnd, tnd;
};

/* An object that comes under another directory knows it. */
static int
reparent(struct hammer_trans *tr, struct hammer_inode *ip,
    struct hammer_inode *dip, struct hammer_inode_data *nd, bool *rolled)
{
	*nd = ip->hi_data;
	*rolled = nd->parent_obj_id != dip->hi_obj_id;
	if (!*rolled)
		return 0;
	nd->parent_obj_id = dip->hi_obj_id;
	nd->ctime = tr->tid / 1000;
	return hammer_inode_roll(tr, ip, nd);
}

/* Everything in the tree; abort takes it back. */
static int
rename_apply(struct rename *r, struct hammer_trans *tr)
{
	bool empty = true;
	int error;

	if ((error = dir_alive(r->fdip)) != 0 ||
	    (error = dir_alive(r->tdip)) != 0)
		return error;
	if (r->tip != NULL && !r->exchange && r->tvp->v_type == VDIR) {
		error = hammer_dir_empty(r->tip, &empty);
		if (error == 0 && !empty)
			error = ENOTEMPTY;
		if (error)
			return error;
	}
	error = hammer_dir_remove(tr, r->fdip, r->fname, r->flen,
	    r->fip->hi_obj_id);
	if (error == 0 && r->tip != NULL)
		error = hammer_dir_remove(tr, r->tdip, r->tname, r->tlen,
		    r->tip->hi_obj_id);
	if (error == 0)
		error = hammer_dir_add(tr, r->tdip, r->tname, r->tlen, r->fip);
	if (error == 0)
		error = reparent(tr, r->fip, r->tdip, &r->fnd, &r->froll);
	if (error == 0 && r->exchange) {
		error = hammer_dir_add(tr, r->fdip, r->fname, r->flen, r->tip);
		if (error == 0)
			error = reparent(tr, r->tip, r->fdip, &r->tnd,
			    &r->troll);
	} else if (error == 0 && r->tip != NULL) {
		error = drop_name(tr, r->tvp, &r->tnd, &r->tgone);
	}
	if (error == 0)
		error = hammer_inode_touch(tr, r->fdip, &r->fd);
	if (error == 0 && r->tdip != r->fdip)
		error = hammer_inode_touch(tr, r->tdip, &r->td);
	return error;
}

/* Cannot fail any more. */
static void
rename_commit(struct rename *r, struct hammer_trans *tr)
{
	struct vop_effects eff;
	struct vop_msg *msg = r->msg;

	eff.n = 0;
	effect_name(&eff, r->fdvp, &msg->vm_nch, (uint64_t)r->fip->hi_obj_id,
	    r->exchange ? r->tvp : NULL);
	effect_name(&eff, r->tdvp, &msg->u.rename.tnch,
	    r->tip ? (uint64_t)r->tip->hi_obj_id : 0, r->fvp);
	if (r->froll)
		hammer_effect_attr(&eff, r->fvp, &r->fnd, VA_CTIME);
	if (r->exchange && r->troll)
		hammer_effect_attr(&eff, r->tvp, &r->tnd, VA_CTIME);
	else if (r->tip != NULL && !r->exchange)
		dropped_effects(&eff, r->tvp, &r->tnd, tr->tid, r->tgone);
	hammer_effect_attr(&eff, r->fdvp, &r->fd, VA_MTIME | VA_CTIME);
	if (r->tdip != r->fdip)
		hammer_effect_attr(&eff, r->tdvp, &r->td,
		    VA_MTIME | VA_CTIME);
	if (r->froll)
		hammer_iset(r->fip, &r->fnd);
	if (r->exchange && r->troll)
		hammer_iset(r->tip, &r->tnd);
	hammer_iset(r->fdip, &r->fd);
	if (r->tdip != r->fdip)
		hammer_iset(r->tdip, &r->td);
	r->fip->hi_lasttid = r->fdip->hi_lasttid = tr->tid;
	r->tdip->hi_lasttid = tr->tid;
	if (r->tip != NULL)
		r->tip->hi_lasttid = tr->tid;
	vop_commit(msg, &eff);
}

/* M2 for the one or two objects, in order of number (V1). */
static int
rename_quiesce(struct rename *r)
{
	struct vnode *a = r->fvp, *b = r->tvp;
	int error;

	if (b != NULL && r->tip->hi_obj_id < r->fip->hi_obj_id) {
		a = r->tvp;
		b = r->fvp;
	}
	error = file_quiesce(a);
	if (error == 0 && b != NULL) {
		error = file_quiesce(b);
		if (error)
			lock_release(&a->v_lock);
	}
	return error;
}

int
hammer_vop_nrename(struct vop_msg *msg)
{
	struct rename r;
	struct hammer_trans tr;
	int error;

	memset(&r, 0, offsetof(struct rename, fd));
	r.msg = msg;
	r.fdvp = msg->vm_dvp;
	r.tdvp = msg->u.rename.tdvp;
	r.fvp = msg->u.rename.fvp;
	r.tvp = msg->u.rename.tvp;
	r.fdip = hammer_ip(r.fdvp);
	r.tdip = hammer_ip(r.tdvp);
	r.fip = hammer_ip(r.fvp);
	r.tip = r.tvp ? hammer_ip(r.tvp) : NULL;
	r.exchange = msg->u.rename.flags & RENAME_EXCHANGE;
	if (hammer_is_asof(r.fip) || hammer_is_asof(r.tdip))
		return EROFS;
	if (r.fip->hi_loc != r.tdip->hi_loc)
		return EXDEV;
	if (msg->u.rename.flags & RENAME_WHITEOUT)
		return EINVAL;
	if (r.tvp != NULL && (msg->u.rename.flags & RENAME_NOREPLACE))
		return EEXIST;
	if (r.tvp == NULL && r.exchange)
		return ENOENT;
	r.fname = nc_name(&msg->vm_nch, &r.flen);
	error = name_check(&msg->u.rename.tnch, &r.tname, &r.tlen);
	if (error)
		return error;
	error = rename_quiesce(&r);
	if (error)
		return error;
	error = hammer_trans_begin(r.fdip->hi_fs->hf_hmp, &tr,
	    HAMMER_CREDIT_SMALL | HAMMER_CREDIT_FREE);
	if (error)
		goto unlock;
	tr.tid = vop_number(msg);
	error = rename_apply(&r, &tr);
	if (error) {
		hammer_trans_abort(&tr);
		goto unlock;
	}
	rename_commit(&r, &tr);
	hammer_trans_end(&tr);
unlock:
	lock_release(&r.fvp->v_lock);
	if (r.tvp != NULL)
		lock_release(&r.tvp->v_lock);
	return error;
}
