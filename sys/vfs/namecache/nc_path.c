/* SPDX-License-Identifier: BSD-2-Clause */
/* From an entry back to text: getcwd(2), /proc, messages. */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>

#include "nc.h"

const char *
nc_name(const struct nchandle *nch, size_t *lenp)
{
	*lenp = nch->nch_ncp->nc_nlen;
	return nch->nch_ncp->nc_name;
}

bool
nc_destroyed(const struct nchandle *nch)
{
	return (atomic_load(&nch->nch_ncp->nc_flags) & NCF_DESTROYED) != 0;
}

bool
nc_parent(const struct nchandle *nch, struct nchandle *parent)
{
	struct namecache *ncp = nch->nch_ncp;

	spin_lock(&ncp->nc_spin);
	parent->nch_ncp = ncp->nc_parent;
	parent->nch_mount = NULL;
	if (ncp->nc_parent != NULL)
		nc_ref(ncp->nc_parent);
	spin_unlock(&ncp->nc_spin);
	if (parent->nch_ncp == NULL)
		return false;
	parent->nch_mount = nch->nch_mount;
	mount_ref(parent->nch_mount);
	return true;
}

/* Put "/name" before *pos and step to the parent.  cur is consumed. */
static int
climb(struct nchandle *cur, char *buf, size_t *pos)
{
	struct nchandle up = { NULL, NULL };
	struct namecache *ncp = cur->nch_ncp;
	int error = 0;

	if (nc_flags_get(ncp) & NCF_ROOT) {
		if (!nc_isset(&cur->nch_mount->mnt_covered))
			return ENOENT;		/* not below root */
		nc_copy(&cur->nch_mount->mnt_covered, &up);
		nc_drop(cur);
		*cur = up;
		return 0;
	}
	spin_lock(&ncp->nc_spin);
	if (nc_flags_get(ncp) & NCF_DESTROYED) {
		error = ENOENT;
	} else if (*pos < (size_t)ncp->nc_nlen + 1) {
		error = ENAMETOOLONG;
	} else {
		*pos -= ncp->nc_nlen;
		memcpy(buf + *pos, ncp->nc_name, ncp->nc_nlen);
		buf[--*pos] = '/';
		up.nch_ncp = ncp->nc_parent;
		nc_ref(up.nch_ncp);
	}
	spin_unlock(&ncp->nc_spin);
	if (error != 0)
		return error;
	up.nch_mount = cur->nch_mount;
	mount_ref(up.nch_mount);
	nc_drop(cur);
	*cur = up;
	return 0;
}

int
nc_fullpath(const struct nchandle *nch, const struct nchandle *root,
    char *buf, size_t size)
{
	struct nchandle cur;
	uint32_t seq;
	size_t pos;
	int error;

	if (size < 2)
		return ENAMETOOLONG;
	do {
		seq = atomic_load(&nc_rename_seq) & ~1u;
		pos = size - 1;
		buf[pos] = '\0';
		error = 0;
		nc_copy(nch, &cur);
		while (error == 0 && (cur.nch_ncp != root->nch_ncp ||
		    cur.nch_mount != root->nch_mount))
			error = climb(&cur, buf, &pos);
		nc_drop(&cur);
	} while (seq != atomic_load(&nc_rename_seq));
	if (error != 0)
		return error;
	if (pos == size - 1)
		buf[--pos] = '/';
	memmove(buf, buf + pos, size - pos);
	return 0;
}
