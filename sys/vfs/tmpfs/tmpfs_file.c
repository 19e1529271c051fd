/* SPDX-License-Identifier: BSD-2-Clause */
/* Attributes and file data. */
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <sys/vnode.h>
#include <vm/vm_object.h>

#include "tmpfs.h"

enum { FALLOC_KEEP_SIZE = 1, FALLOC_PUNCH_HOLE = 2, FALLOC_ZERO_RANGE = 16 };

int
tmpfs_getattr(struct vop_msg *msg)
{
	struct tmpfs_node *tn = tmpfs_node_of(msg->vm_vp);

	lock_shared(&tn->tn_lock);
	tmpfs_attr(tn, msg->u.attr.vap);
	lock_release(&tn->tn_lock);
	return 0;
}

static int
resize(struct vop_msg *msg, struct tmpfs_node *tn, uint64_t size)
{
	if (!S_ISREG(tn->tn_attr.va_mode))
		return EINVAL;
	if (size > (uint64_t)INT64_MAX)
		return EFBIG;
	if (size >= tn->tn_attr.va_size)
		vn_pages_truncate(msg->vm_vp, size);
	return 0;
}

int
tmpfs_setattr(struct vop_msg *msg)
{
	struct tmpfs_node *tn = tmpfs_node_of(msg->vm_vp);
	const struct vattr *va = msg->u.attr.vap;
	uint32_t mask = va->va_mask;
	struct vop_effects eff;
	struct vop_effect *ve;
	struct vattr old;
	struct timespec now;
	bool shrink = false;
	int error;

	if (mask & VA_SIZE) {
		/* v_lock keeps the size as it is. */
		error = resize(msg, tn, va->va_size);
		if (error != 0)
			return error;
		shrink = va->va_size < tn->tn_attr.va_size;
	}
	lock_excl(&tn->tn_lock);
	now = tmpfs_now(msg);
	tmpfs_attr(tn, &old);
	if (mask & VA_MODE)
		tn->tn_attr.va_mode = (tn->tn_attr.va_mode & S_IFMT) |
		    (va->va_mode & 07777);
	if (mask & VA_UID)
		tn->tn_attr.va_uid = va->va_uid;
	if (mask & VA_GID)
		tn->tn_attr.va_gid = va->va_gid;
	if (mask & VA_FLAGS)
		tn->tn_attr.va_flags = va->va_flags;
	if (mask & VA_SIZE) {
		tn->tn_attr.va_size = va->va_size;
		tn->tn_attr.va_mtime = now;
	}
	if (mask & VA_ATIME)
		tn->tn_attr.va_atime = va->va_atime;
	if (mask & VA_MTIME)
		tn->tn_attr.va_mtime = va->va_mtime;
	tn->tn_attr.va_ctime = now;
	eff.n = 0;
	if (mask & VA_SIZE) {
		ve = tmpfs_eff(&eff, EFF_SIZE, msg->vm_vp);
		ve->ve_old = old.va_size;
		ve->ve_new = va->va_size;
	}
	tmpfs_eff_attr(&eff, tn, &old, (mask &
	    ~(uint32_t)(VA_ATIME_NOW | VA_MTIME_NOW)) | VA_CTIME |
	    ((mask & VA_SIZE) ? VA_MTIME : 0));
	vop_commit(msg, &eff);
	lock_release(&tn->tn_lock);
	if (shrink) {
		vn_pages_truncate(msg->vm_vp, va->va_size);
		vn_attr_invalidate(msg->vm_vp);		/* va_bytes */
	}
	return 0;
}

/* Room for the not yet written pages of [off, off + *len); *len may shrink to
 * what fits. */
static int
room_for(struct tmpfs_mount *tm, struct vnode *vp, off_t off, size_t *len)
{
	int64_t room = atomic_load(&tm->tm_maxpages) -
	    atomic_load(&tm->tm_pages);
	struct vm_object *vo = vp->v_object;
	vm_pindex_t idx, first = btop(off);
	vm_pindex_t end = btop((uint64_t)off + *len + PAGE_MASK);
	struct vm_page *pg;

	if (room >= (int64_t)(end - first))
		return 0;
	for (idx = first; idx < end; idx++) {
		pg = vm_object_lookup_busy(vo, idx);
		if (pg != NULL && (vm_page_flags(pg) & VMP_DIRTY)) {
			vm_page_unbusy(pg);
			continue;
		}
		if (pg != NULL)
			vm_page_unbusy(pg);
		if (room-- <= 0) {
			if (ptob(idx) <= (uint64_t)off)
				return ENOSPC;
			*len = ptob(idx) - (uint64_t)off;
			return 0;
		}
	}
	return 0;
}

/* Data in [off, off + len) changed and the file may have grown: tell. */
static void
commit_data(struct vop_msg *msg, struct tmpfs_node *tn, off_t off,
    uint64_t len, uint64_t newsize)
{
	struct vop_effects eff;
	struct vop_effect *ve;
	struct vattr old;
	struct timespec now;
	uint32_t mask = VA_MTIME | VA_CTIME;

	lock_excl(&tn->tn_lock);
	now = tmpfs_now(msg);
	tmpfs_attr(tn, &old);
	tn->tn_attr.va_mtime = tn->tn_attr.va_ctime = now;
	if ((tn->tn_attr.va_mode & (S_ISUID | S_ISGID)) &&
	    msg->vm_cred->cr_fsuid != 0) {
		tn->tn_attr.va_mode &= ~(mode_t)S_ISUID;
		if (tn->tn_attr.va_mode & 010)
			tn->tn_attr.va_mode &= ~(mode_t)S_ISGID;
		mask |= VA_MODE;
	}
	eff.n = 0;
	if (len > 0) {
		ve = tmpfs_eff(&eff, EFF_DATA, msg->vm_vp);
		ve->ve_off = off;
		ve->ve_len = len;
	}
	if (newsize > tn->tn_attr.va_size) {
		tn->tn_attr.va_size = newsize;
		ve = tmpfs_eff(&eff, EFF_SIZE, msg->vm_vp);
		ve->ve_old = old.va_size;
		ve->ve_new = newsize;
		mask |= VA_SIZE;
	}
	tmpfs_eff_attr(&eff, tn, &old, mask);
	vop_commit(msg, &eff);
	lock_release(&tn->tn_lock);
}

int
tmpfs_write(struct vop_msg *msg)
{
	struct tmpfs_mount *tm = tmpfs_of(msg->vm_mount);
	struct tmpfs_node *tn = tmpfs_node_of(msg->vm_vp);
	size_t len = msg->u.io.len;
	off_t off = msg->u.io.off;
	int error;

	if (msg->vm_vp->v_type != VREG)
		return EINVAL;
	if (len > (size_t)INT64_MAX - (size_t)off)
		return EFBIG;
	error = room_for(tm, msg->vm_vp, off, &len);
	if (error == 0)
		error = vn_pages_write(msg->vm_vp, msg->u.io.buf, len, off);
	if (error != 0)
		return error;
	msg->u.io.done = len;
	commit_data(msg, tn, off, len, (uint64_t)off + len);
	return 0;
}

/* What is not there is a hole. */
int
tmpfs_getpages(struct vop_msg *msg)
{
	int i;

	for (i = 0; i < msg->u.pages.count; i++)
		memset(vm_page_kva(msg->u.pages.pages[i]), 0, PAGE_SIZE);
	return 0;
}

int
tmpfs_mkwrite(struct vop_msg *msg)
{
	struct tmpfs_mount *tm = tmpfs_of(msg->vm_mount);

	if (vm_page_flags(msg->u.pages.pages[0]) & VMP_DIRTY)
		return 0;
	return atomic_load(&tm->tm_pages) < atomic_load(&tm->tm_maxpages) ?
	    0 : ENOSPC;
}

/* Give every page of the range memory of its own. */
static void
fill_range(struct vnode *vp, uint64_t off, uint64_t end)
{
	struct vm_object *vo = vp->v_object;
	struct vm_page *pg;
	vm_pindex_t idx;

	for (idx = btop(off); idx < btop(end + PAGE_MASK); idx++) {
		pg = vm_object_grab(vo, idx, 0);
		if ((vm_page_flags(pg) & VMP_VALID) == 0) {
			memset(vm_page_kva(pg), 0, PAGE_SIZE);
			vm_page_setflags(pg, VMP_VALID, 0);
		}
		vm_object_mark_dirty(vo, pg);
		vm_page_unbusy(pg);
	}
}

/* Zero the range: whole pages leave, the edges are written over. */
static void
zero_range(struct vnode *vp, uint64_t off, uint64_t end)
{
	struct vm_page *pg;
	uint64_t next;

	while (off < end) {
		next = MIN(rounddown2(off, (uint64_t)PAGE_SIZE) + PAGE_SIZE,
		    end);
		pg = vm_object_lookup_busy(vp->v_object, btop(off));
		if (pg != NULL && next - off == PAGE_SIZE) {
			vm_object_remove(vp->v_object, pg);
		} else if (pg != NULL) {
			if (vm_page_flags(pg) & VMP_VALID)
				memset((char *)vm_page_kva(pg) +
				    (off & PAGE_MASK), 0, next - off);
			vm_page_unbusy(pg);
		}
		off = next;
	}
}

int
tmpfs_allocate(struct vop_msg *msg)
{
	struct tmpfs_mount *tm = tmpfs_of(msg->vm_mount);
	struct tmpfs_node *tn = tmpfs_node_of(msg->vm_vp);
	uint64_t off = (uint64_t)msg->u.alloc.off, len = msg->u.alloc.len;
	uint64_t end = off + len, size = tn->tn_attr.va_size;
	int mode = msg->u.alloc.mode, error;
	size_t fits = len;

	if (msg->vm_vp->v_type != VREG)
		return ENODEV;
	if (end < off || end > (uint64_t)INT64_MAX)
		return EFBIG;
	switch (mode) {
	case FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE:
		zero_range(msg->vm_vp, off, MIN(end, size));
		commit_data(msg, tn, (off_t)off, off < size ?
		    MIN(end, size) - off : 0, 0);
		return 0;
	case 0:
	case FALLOC_KEEP_SIZE:
	case FALLOC_ZERO_RANGE:
	case FALLOC_ZERO_RANGE | FALLOC_KEEP_SIZE:
		break;
	default:
		return EOPNOTSUPP;
	}
	error = room_for(tm, msg->vm_vp, (off_t)off, &fits);
	if (error != 0 || fits < len)
		return ENOSPC;
	if (mode & FALLOC_ZERO_RANGE)
		zero_range(msg->vm_vp, off, end);
	fill_range(msg->vm_vp, off, end);
	commit_data(msg, tn, (off_t)off,
	    (mode & FALLOC_ZERO_RANGE) && off < size ?
	    MIN(end, size) - off : 0, (mode & FALLOC_KEEP_SIZE) ? 0 : end);
	return 0;
}

int
tmpfs_inactive(struct vop_msg *msg __unused)
{
	return 0;		/* reclaim follows at once */
}

int
tmpfs_reclaim(struct vop_msg *msg)
{
	struct tmpfs_node *tn = tmpfs_node_of(msg->vm_vp);

	tmpfs_node_free(tmpfs_of(msg->vm_mount), tn);
	return 0;
}
