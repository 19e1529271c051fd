/* SPDX-License-Identifier: BSD-2-Clause */
/* Rename: move, replace, exchange. */
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/vnode.h>

#include "tmpfs.h"

struct moving {
	struct tmpfs_node *fd, *td;	/* directories */
	struct tmpfs_node *f, *t;	/* objects; t may be NULL */
	struct tmpfs_dirent *fde, *tde;
	struct vattr	 fdold, tdold, fold, told;
};

/* A directory changed its parent from a to b. */
static void
reparent(struct tmpfs_node *tn, struct tmpfs_node *a, struct tmpfs_node *b)
{
	if (!S_ISDIR(tn->tn_attr.va_mode) || a == b)
		return;
	tn->tn_parent = b;
	a->tn_attr.va_nlink--;
	b->tn_attr.va_nlink++;
}

/* The replaced object loses this name.  True: it was the last. */
static bool
drop_target(struct moving *m)
{
	if (S_ISDIR(m->t->tn_attr.va_mode)) {
		m->t->tn_attr.va_nlink = 0;
		m->t->tn_parent = NULL;
		m->td->tn_attr.va_nlink--;
	} else {
		m->t->tn_attr.va_nlink--;
	}
	return m->t->tn_attr.va_nlink == 0;
}

static int
check(struct moving *m, bool exchange)
{
	if (m->fde == NULL || m->fde->td_node != m->f ||
	    m->td->tn_attr.va_nlink == 0)
		return ENOENT;
	if ((m->tde ? m->tde->td_node : NULL) != m->t)
		return m->t ? ENOENT : EEXIST;
	if (m->t != NULL && !exchange && S_ISDIR(m->t->tn_attr.va_mode) &&
	    m->t->tn_nentries != 0)
		return ENOTEMPTY;
	return 0;
}

int
tmpfs_nrename(struct vop_msg *msg)
{
	bool exchange = (msg->u.rename.flags & RENAME_EXCHANGE) != 0;
	struct moving m = {
		.fd = tmpfs_node_of(msg->vm_dvp),
		.td = tmpfs_node_of(msg->u.rename.tdvp),
		.f = tmpfs_node_of(msg->u.rename.fvp),
		.t = msg->u.rename.tvp ? tmpfs_node_of(msg->u.rename.tvp) :
		    NULL,
	};
	struct tmpfs_node *all[4] = { m.fd, m.td, m.f, m.t };
	struct tmpfs_dirent *fresh = NULL;
	struct vop_effects eff;
	struct timespec now;
	const char *fname, *tname;
	size_t flen, tlen;
	bool gone = false;
	int error;

	fname = nc_name(&msg->vm_nch, &flen);
	tname = nc_name(&msg->u.rename.tnch, &tlen);
	if (!exchange)
		fresh = tmpfs_dirent_alloc(tname, tlen, m.f);
	tmpfs_lock_nodes(all, 4);
	m.fde = tmpfs_find(m.fd, fname, flen);
	m.tde = tmpfs_find(m.td, tname, tlen);
	error = check(&m, exchange);
	if (error != 0) {
		tmpfs_unlock_nodes(all, 4);
		if (fresh != NULL)
			tmpfs_dirent_free(fresh);
		return error;
	}
	now = tmpfs_now(msg);
	tmpfs_attr(m.fd, &m.fdold);
	tmpfs_attr(m.td, &m.tdold);
	tmpfs_attr(m.f, &m.fold);
	if (m.t != NULL)
		tmpfs_attr(m.t, &m.told);
	reparent(m.f, m.fd, m.td);
	m.f->tn_attr.va_ctime = now;
	if (m.t != NULL)
		m.t->tn_attr.va_ctime = now;
	if (exchange) {
		reparent(m.t, m.td, m.fd);
		m.fde->td_node = m.t;
		m.tde->td_node = m.f;
	} else {
		if (m.t != NULL) {
			gone = drop_target(&m);
			tmpfs_leave(m.td, m.tde);
		}
		tmpfs_leave(m.fd, m.fde);
		tmpfs_enter(m.td, fresh);
	}
	m.fd->tn_attr.va_mtime = m.fd->tn_attr.va_ctime = now;
	m.td->tn_attr.va_mtime = m.td->tn_attr.va_ctime = now;
	eff.n = 0;
	tmpfs_eff_name(&eff, msg->vm_dvp, &msg->vm_nch, m.f->tn_ino,
	    exchange ? m.t : NULL);
	tmpfs_eff_name(&eff, msg->u.rename.tdvp, &msg->u.rename.tnch,
	    m.t ? m.t->tn_ino : 0, m.f);
	tmpfs_eff_attr(&eff, m.f, &m.fold, VA_CTIME);
	tmpfs_eff_attr(&eff, m.fd, &m.fdold, VA_MTIME | VA_CTIME);
	if (m.td != m.fd)
		tmpfs_eff_attr(&eff, m.td, &m.tdold, VA_MTIME | VA_CTIME);
	if (m.t != NULL)
		tmpfs_eff_attr(&eff, m.t, &m.told, VA_CTIME);
	if (gone)
		tmpfs_eff(&eff, EFF_OBJECT, m.t->tn_vnode)->ve_old = 1;
	vop_commit(msg, &eff);
	tmpfs_unlock_nodes(all, 4);
	if (!exchange) {
		tmpfs_dirent_free(m.fde);
		if (m.tde != NULL)
			tmpfs_dirent_free(m.tde);
	}
	if (gone)
		vn_rele(m.t->tn_vnode);
	return 0;
}
