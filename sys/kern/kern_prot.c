/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials: shared by count, changed by copy. */
#include <sys/atomic.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/ucred.h>

static MALLOC_DEFINE(M_CRED, "cred");

static struct ucred root_cred = { .cr_refs = 1, .cr_caps = ~0ULL };
struct ucred *kernel_cred = &root_cred;

struct ucred *
cred_hold(struct ucred *cr)
{
	if (cr != &root_cred)
		atomic_fetch_add(&cr->cr_refs, 1);
	return cr;
}

void
cred_drop(struct ucred *cr)
{
	if (cr != &root_cred && atomic_fetch_sub(&cr->cr_refs, 1) == 1)
		kfree(cr, &M_CRED);
}

struct ucred *
cred_copy(const struct ucred *cr, uint32_t ngroups)
{
	size_t size = sizeof(*cr) + ngroups * sizeof(cr->cr_groups[0]);
	struct ucred *new = kmalloc(size, &M_CRED, M_WAITOK | M_ZERO);

	memcpy(new, cr, sizeof(*cr));
	new->cr_refs = 1;
	new->cr_ngroups = ngroups;
	memcpy(new->cr_groups, cr->cr_groups,
	    MIN(ngroups, cr->cr_ngroups) * sizeof(cr->cr_groups[0]));
	return new;
}

bool
cred_in_group(const struct ucred *cr, gid_t gid)
{
	uint32_t i;

	if (cr->cr_fsgid == gid)
		return true;
	for (i = 0; i < cr->cr_ngroups; i++)
		if (cr->cr_groups[i] == gid)
			return true;
	return false;
}

bool
cred_is_root(const struct ucred *cr)
{
	return cr->cr_uid == 0;
}
