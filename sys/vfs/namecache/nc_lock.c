/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handles and name locks.
 *
 * Holding the lock of a name means: no other operation creates, removes,
 * resolves or renames that one name.  It says nothing about its siblings, and
 * a directory is not locked while names in it change.
 */
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>

#include "nc.h"

void
nc_hold(const struct nchandle *nch)
{
	mount_ref(nch->nch_mount);
	nc_ref(nch->nch_ncp);
}

void
nc_drop(struct nchandle *nch)
{
	struct mount *mp = nch->nch_mount;
	struct namecache *ncp = nch->nch_ncp;

	if (ncp == NULL)
		return;
	nch->nch_mount = NULL;
	nch->nch_ncp = NULL;
	nc_unref(ncp);
	mount_rele(mp);
}

void
nc_copy(const struct nchandle *src, struct nchandle *dst)
{
	*dst = *src;
	if (nc_isset(dst))
		nc_hold(dst);
}

void
nc_lock(const struct nchandle *nch)
{
	lock_excl(&nch->nch_ncp->nc_lock);
}

bool
nc_trylock(const struct nchandle *nch)
{
	return lock_try_excl(&nch->nch_ncp->nc_lock);
}

void
nc_unlock(const struct nchandle *nch)
{
	lock_release(&nch->nch_ncp->nc_lock);
}
