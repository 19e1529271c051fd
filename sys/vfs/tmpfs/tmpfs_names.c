/* SPDX-License-Identifier: BSD-2-Clause */
/* Names: resolve, create of every kind, link, remove, rename, readdir. */
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/vnode.h>

#include "tmpfs.h"

int
tmpfs_nresolve(struct vop_msg *msg)
{
	struct tmpfs_node *dir = tmpfs_node_of(msg->vm_dvp);
	struct tmpfs_dirent *td;
	const char *name;
	size_t len;

	name = nc_name(&msg->vm_nch, &len);
	lock_shared(&dir->tn_lock);
	td = tmpfs_find(dir, name, len);
	/* An entry's node has its vnode referenced (T1). */
	nc_setvp(&msg->vm_nch, td ? td->td_node->tn_vnode : NULL);
	lock_release(&dir->tn_lock);
	return td ? 0 : ENOENT;
}

int
tmpfs_nlookupdotdot(struct vop_msg *msg)
{
	struct tmpfs_node *dir = tmpfs_node_of(msg->vm_dvp);
	int error = 0;

	lock_shared(&dir->tn_lock);
	if (dir->tn_parent == NULL) {
		error = ENOENT;
	} else {
		msg->u.dotdot.vp = dir->tn_parent->tn_vnode;
		vn_ref(msg->u.dotdot.vp);
	}
	lock_release(&dir->tn_lock);
	return error;
}

/* dir was changed now.  tn_lock held. */
static void
touch(struct tmpfs_node *dir, struct timespec now)
{
	dir->tn_attr.va_mtime = now;
	dir->tn_attr.va_ctime = now;
}

/* NCREATE, NMKDIR, NMKNOD, NSYMLINK. */
int
tmpfs_create(struct vop_msg *msg)
{
	struct tmpfs_mount *tm = tmpfs_of(msg->vm_mount);
	struct tmpfs_node *dir = tmpfs_node_of(msg->vm_dvp), *tn;
	struct vop_effects eff;
	struct vop_effect *ve;
	struct tmpfs_dirent *td;
	struct vattr old;
	struct timespec now;
	const char *name;
	size_t len;
	int error;

	name = nc_name(&msg->vm_nch, &len);
	error = tmpfs_node_alloc(tm, msg->u.create.vap,
	    msg->vm_op == VOP_NSYMLINK ? msg->u.create.target : NULL, &tn);
	if (error != 0)
		return error;
	td = tmpfs_dirent_alloc(name, len, tn);
	lock_excl(&dir->tn_lock);
	if (dir->tn_attr.va_nlink == 0)
		error = ENOENT;			/* removed meanwhile */
	else if (tmpfs_find(dir, name, len) != NULL)
		error = EEXIST;
	if (error != 0) {
		lock_release(&dir->tn_lock);
		tmpfs_dirent_free(td);
		vn_setflags(tn->tn_vnode, VN_UNLINKED, 0);
		vn_rele(tn->tn_vnode);
		return error;
	}
	now = tmpfs_now(msg);
	tmpfs_attr(dir, &old);
	tn->tn_attr.va_atime = tn->tn_attr.va_mtime = now;
	tn->tn_attr.va_ctime = tn->tn_attr.va_btime = now;
	tmpfs_enter(dir, td);
	touch(dir, now);
	if (S_ISDIR(tn->tn_attr.va_mode)) {
		tn->tn_parent = dir;
		dir->tn_attr.va_nlink++;
	}
	eff.n = 0;
	ve = tmpfs_eff(&eff, EFF_OBJECT, tn->tn_vnode);
	ve->ve_new = 1;
	tmpfs_attr(tn, &ve->ve_attr);
	memset(&ve->ve_oldattr, 0, sizeof(ve->ve_oldattr));
	tmpfs_eff_attr(&eff, tn, &ve->ve_oldattr, ~0u);
	tmpfs_eff_name(&eff, msg->vm_dvp, &msg->vm_nch, 0, tn);
	tmpfs_eff_attr(&eff, dir, &old, VA_MTIME | VA_CTIME);
	vn_ref(tn->tn_vnode);
	msg->u.create.vp = tn->tn_vnode;
	vop_commit(msg, &eff);
	lock_release(&dir->tn_lock);
	return 0;
}

int
tmpfs_nlink(struct vop_msg *msg)
{
	struct tmpfs_node *dir = tmpfs_node_of(msg->vm_dvp);
	struct tmpfs_node *tn = tmpfs_node_of(msg->u.link.vp);
	struct tmpfs_node *both[2] = { dir, tn };
	struct vop_effects eff;
	struct tmpfs_dirent *td;
	struct vattr dold, old;
	struct timespec now;
	const char *name;
	size_t len;
	int error = 0;

	name = nc_name(&msg->vm_nch, &len);
	td = tmpfs_dirent_alloc(name, len, tn);
	tmpfs_lock_nodes(both, 2);
	if (dir->tn_attr.va_nlink == 0 || tn->tn_attr.va_nlink == 0)
		error = ENOENT;
	else if (tmpfs_find(dir, name, len) != NULL)
		error = EEXIST;
	else if (tn->tn_attr.va_nlink >= UINT32_MAX)
		error = EMLINK;
	if (error != 0) {
		tmpfs_unlock_nodes(both, 2);
		tmpfs_dirent_free(td);
		return error;
	}
	now = tmpfs_now(msg);
	tmpfs_attr(dir, &dold);
	tmpfs_attr(tn, &old);
	tmpfs_enter(dir, td);
	touch(dir, now);
	tn->tn_attr.va_nlink++;
	tn->tn_attr.va_ctime = now;
	eff.n = 0;
	tmpfs_eff_name(&eff, msg->vm_dvp, &msg->vm_nch, 0, tn);
	tmpfs_eff_attr(&eff, tn, &old, VA_CTIME);
	tmpfs_eff_attr(&eff, dir, &dold, VA_MTIME | VA_CTIME);
	vop_commit(msg, &eff);
	tmpfs_unlock_nodes(both, 2);
	return 0;
}

/* NREMOVE and NRMDIR. */
int
tmpfs_remove(struct vop_msg *msg)
{
	struct tmpfs_node *dir = tmpfs_node_of(msg->vm_dvp);
	struct tmpfs_node *tn = tmpfs_node_of(msg->u.remove.vp);
	struct tmpfs_node *both[2] = { dir, tn };
	struct vop_effects eff;
	struct tmpfs_dirent *td;
	struct vattr dold, old;
	struct timespec now;
	const char *name;
	bool gone, isdir = S_ISDIR(tn->tn_attr.va_mode);
	size_t len;
	int error = 0;

	name = nc_name(&msg->vm_nch, &len);
	tmpfs_lock_nodes(both, 2);
	td = tmpfs_find(dir, name, len);
	if (td == NULL || td->td_node != tn)
		error = ENOENT;
	else if (isdir && tn->tn_nentries != 0)
		error = ENOTEMPTY;
	if (error != 0) {
		tmpfs_unlock_nodes(both, 2);
		return error;
	}
	now = tmpfs_now(msg);
	tmpfs_attr(dir, &dold);
	tmpfs_attr(tn, &old);
	tmpfs_leave(dir, td);
	touch(dir, now);
	tn->tn_attr.va_ctime = now;
	if (isdir) {
		tn->tn_attr.va_nlink = 0;
		tn->tn_parent = NULL;
		dir->tn_attr.va_nlink--;
	} else {
		tn->tn_attr.va_nlink--;
	}
	gone = tn->tn_attr.va_nlink == 0;
	eff.n = 0;
	tmpfs_eff_name(&eff, msg->vm_dvp, &msg->vm_nch, tn->tn_ino, NULL);
	tmpfs_eff_attr(&eff, tn, &old, VA_CTIME);
	tmpfs_eff_attr(&eff, dir, &dold, VA_MTIME | VA_CTIME);
	if (gone)
		tmpfs_eff(&eff, EFF_OBJECT, tn->tn_vnode)->ve_old = 1;
	vop_commit(msg, &eff);
	tmpfs_unlock_nodes(both, 2);
	tmpfs_dirent_free(td);
	if (gone)
		vn_rele(tn->tn_vnode);		/* the name's (T1) */
	return 0;
}

int
tmpfs_readlink(struct vop_msg *msg)
{
	struct tmpfs_node *tn = tmpfs_node_of(msg->vm_vp);
	size_t len;

	if (tn->tn_link == NULL)
		return EINVAL;
	len = MIN(strlen(tn->tn_link), msg->u.readlink.size);
	memcpy(msg->u.readlink.buf, tn->tn_link, len);
	msg->u.readlink.len = len;
	return 0;
}

static int
cmp_cookie_key(const void *key, const struct rb_node *node)
{
	off_t a = *(const off_t *)key;
	off_t b = container_of(node, struct tmpfs_dirent,
	    td_cookie_node)->td_cookie;

	return a < b ? -1 : a > b;
}

/* Cookie 0: ".", 1: "..", c: the first entry with td_cookie > c. */
int
tmpfs_readdir(struct vop_msg *msg)
{
	struct tmpfs_node *dir = tmpfs_node_of(msg->vm_vp);
	vop_dirent_fn *fn = msg->u.readdir.fn;
	void *arg = msg->u.readdir.arg;
	struct tmpfs_dirent *td;
	struct rb_node *n;
	off_t c = msg->u.readdir.cookie, key;
	ino_t up;

	if (msg->vm_vp->v_type != VDIR)
		return ENOTDIR;
	lock_shared(&dir->tn_lock);
	up = dir->tn_parent ? dir->tn_parent->tn_ino : dir->tn_ino;
	if (c == 0) {
		if (!fn(arg, ".", 1, dir->tn_ino, DT_DIR, 1))
			goto out;
		c = 1;
	}
	if (c == 1) {
		if (!fn(arg, "..", 2, up, DT_DIR, 2))
			goto out;
		c = 2;
	}
	key = c + 1;
	for (n = rb_find_ge(&dir->tn_cookies, &key, cmp_cookie_key);
	    n != NULL; n = rb_next(n)) {
		td = container_of(n, struct tmpfs_dirent, td_cookie_node);
		if (!fn(arg, td->td_name, td->td_nlen, td->td_node->tn_ino,
		    (int)IFTODT(td->td_node->tn_attr.va_mode),
		    td->td_cookie))
			goto out;
	}
	msg->u.readdir.eof = true;
out:
	lock_release(&dir->tn_lock);
	return 0;
}
