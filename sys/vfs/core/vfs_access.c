/* SPDX-License-Identifier: BSD-2-Clause */
/* Permission bits. */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>

#include "vfs_core.h"

int
vn_access(struct vnode *vp, int mode, struct ucred *cred)
{
	struct vattr va;
	int error, bits;

	if ((mode & VWRITE) && (vp->v_type == VREG || vp->v_type == VDIR ||
	    vp->v_type == VLNK) && ((vp->v_mount->mnt_flags & MNT_RDONLY) ||
	    (atomic_load_relaxed(&vp->v_flags) & VN_ASOF)))
		return EROFS;
	if (cred->cr_fsuid == 0 &&
	    ((mode & VEXEC) == 0 || vp->v_type == VDIR))
		return 0;
	error = vn_getattr(vp, &va, cred);
	if (error != 0)
		return error;
	if (cred->cr_fsuid == 0)
		return (va.va_mode & 0111) ? 0 : EACCES;
	if (va.va_uid == cred->cr_fsuid)
		bits = (int)(va.va_mode >> 6);
	else if (va.va_gid == cred->cr_fsgid || cred_in_group(cred, va.va_gid))
		bits = (int)(va.va_mode >> 3);
	else
		bits = (int)va.va_mode;
	return (bits & mode) == mode ? 0 : EACCES;
}
