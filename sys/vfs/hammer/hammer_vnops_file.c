/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations on the data of files.  A write goes to the pages and is an
 * operation with a number at once; it becomes records at the next version
 * point (hammer_version.c).
 */
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <vm/vm_page.h>

#include "hammer_data.h"

/* More than this dirty in one file is versioned by its writer. */
static const uint64_t DIRTY_FILE_MAX = 8 << 20;

int
hammer_vop_open(struct vop_msg *msg)
{
	if ((msg->u.open.fflags & O_ACCMODE) != O_RDONLY &&
	    hammer_is_asof(hammer_ip(msg->vm_vp)))
		return EROFS;
	return 0;
}

/* A descriptor that wrote is closed: a version point. */
int
hammer_vop_close(struct vop_msg *msg)
{
	struct vnode *vp = msg->vm_vp;
	int error;

	if ((msg->u.open.fflags & O_ACCMODE) == O_RDONLY ||
	    vp->v_type != VREG)
		return 0;
	lock_excl(&vp->v_lock);
	error = hammer_version_point(vp, false);
	lock_release(&vp->v_lock);
	return error;
}

static void
charge(struct hammer_inode *ip, uint64_t bytes)
{
	ip->hi_dirtybytes += bytes;
	__atomic_fetch_add(&ip->hi_fs->hf_dirtybytes, (int64_t)bytes,
	    __ATOMIC_RELAXED);
}

/* Who writes without being root takes the set-id rights away. */
static uint32_t
drop_setid(const struct ucred *cred, struct hammer_inode_data *nd)
{
	uint16_t mode = nd->mode;

	if (cred->cr_fsuid == 0)
		return 0;
	nd->mode &= (uint16_t)~S_ISUID;
	if (nd->mode & 010)
		nd->mode &= (uint16_t)~S_ISGID;
	return mode != nd->mode ? VA_MODE : 0;
}

int
hammer_vop_write(struct vop_msg *msg)
{
	struct vnode *vp = msg->vm_vp;
	struct hammer_inode *ip = hammer_ip(vp);
	struct hammer_inode_data nd = ip->hi_data;
	struct vop_effects eff = { .n = 0 };
	const uint64_t off = (uint64_t)msg->u.io.off, len = msg->u.io.len;
	struct vop_effect *e;
	uint32_t mask;
	int error;

	KKASSERT(lock_held_excl(&vp->v_lock));
	if (vp->v_type != VREG)
		return vp->v_type == VDIR ? EISDIR : EINVAL;
	if (msg->u.io.off < 0)
		return EINVAL;
	if (len > (uint64_t)INT64_MAX / 2 || off > (uint64_t)INT64_MAX / 2)
		return EFBIG;
	error = hammer_space_check(ip->hi_fs, len + PAGE_SIZE);
	if (error)
		return error;
	if (len > 0)
		error = vn_pages_write(vp, msg->u.io.buf, len, msg->u.io.off);
	if (error)
		return error;
	vop_number(msg);
	if (len > 0) {
		nd.mtime = nd.ctime = msg->vm_wall / 1000;
		if (off + len > nd.size)
			nd.size = off + len;
		mask = drop_setid(msg->vm_cred, &nd) | VA_MTIME | VA_CTIME;
		e = hammer_effect(&eff, EFF_DATA, vp);
		e->ve_off = (off_t)off;
		e->ve_len = len;
		if (nd.size != ip->hi_data.size) {
			e = hammer_effect(&eff, EFF_SIZE, vp);
			e->ve_old = ip->hi_data.size;
			e->ve_new = nd.size;
			mask |= VA_SIZE;
		}
		hammer_effect_attr(&eff, vp, &nd, mask);
		if (!(ip->hi_flags & HIF_DIRTY))
			ip->hi_lowdirty = UINT64_MAX;
		ip->hi_lowdirty = MIN(ip->hi_lowdirty,
		    MIN(off, ip->hi_data.size));
		hammer_iset(ip, &nd);
		ip->hi_flags |= HIF_DIRTY;
		charge(ip, len);
	}
	vop_commit(msg, &eff);
	msg->u.io.done = len;
	vn_mark_dirty(vp);
	if (msg->u.io.ioflags & (IO_SYNC | IO_DSYNC))
		return hammer_version_point(vp, true);
	if (ip->hi_dirtybytes > DIRTY_FILE_MAX)
		return hammer_version_point(vp, false);
	return 0;
}

int
hammer_vop_getpages(struct vop_msg *msg)
{
	return hammer_data_getpages(msg->vm_vp, msg->u.pages.pages,
	    msg->u.pages.count);
}

/* A mapped store is about to dirty a page: is there room for it? */
int
hammer_vop_mkwrite(struct vop_msg *msg)
{
	struct hammer_inode *ip = hammer_ip(msg->vm_vp);
	int error;

	if (hammer_is_asof(ip))
		return EROFS;
	error = hammer_space_check(ip->hi_fs, 2 * PAGE_SIZE);
	return error;
}

int
hammer_vop_fsync(struct vop_msg *msg)
{
	return hammer_fsync(msg->vm_vp, msg->u.fsync.wait);
}

/*
 * fallocate: on version 7 there is no way to keep room for a file, so only
 * the size is a promise.  Punching and the like are not there.
 */
int
hammer_vop_allocate(struct vop_msg *msg __unused)
{
	return EOPNOTSUPP;
}
