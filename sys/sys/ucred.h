/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials: immutable once shared, counted.  kern/kern_prot.c. */
#ifndef _SYS_UCRED_H_
#define _SYS_UCRED_H_

#include <sys/types.h>

struct ucred {
	uint32_t	cr_refs;	/* [a] */
	uid_t		cr_uid, cr_ruid, cr_svuid, cr_fsuid;
	gid_t		cr_gid, cr_rgid, cr_svgid, cr_fsgid;
	uint64_t	cr_caps;	/* Linux capability bits */
	uint32_t	cr_ngroups;
	gid_t		cr_groups[];
};

extern struct ucred *kernel_cred;	/* root, never freed */

struct ucred *cred_hold(struct ucred *);
void	cred_drop(struct ucred *);
/* A private copy with room for ngroups, to be filled before sharing. */
struct ucred *cred_copy(const struct ucred *, uint32_t ngroups);
bool	cred_in_group(const struct ucred *, gid_t);
bool	cred_is_root(const struct ucred *);

#endif
