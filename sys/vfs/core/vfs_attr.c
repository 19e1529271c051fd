/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The attribute cache of a vnode.
 *
 * A1  Writers hold v_spin and make v_attr_seq odd while they change it.
 * A2  Readers copy without a lock and copy again if the sequence moved.
 * A3  An answer of VOP_GETATTR is cached only if nothing was committed since
 *     it was asked for, so an old answer never hides a newer commit.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>

#include "vfs_core.h"

static inline void
seq_begin(struct vnode *vp)
{
	spin_lock(&vp->v_spin);
	atomic_store_relaxed(&vp->v_attr_seq, vp->v_attr_seq + 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void
seq_end(struct vnode *vp)
{
	atomic_store_rel(&vp->v_attr_seq, vp->v_attr_seq + 1);
	spin_unlock(&vp->v_spin);
}

/* Word by word, so that a reader that will try again reads no half word. */
static inline void
attr_copy(struct vattr *dst, const struct vattr *src)
{
	enum { WORDS = sizeof(*dst) / sizeof(uint64_t) };
	const uint64_t *s = (const uint64_t *)(const void *)src;
	uint64_t *d = (uint64_t *)(void *)dst;
	int i;

	_Static_assert(sizeof(*dst) % sizeof(uint64_t) == 0, "whole words");
	for (i = 0; i < WORDS; i++)
		atomic_store_relaxed(&d[i], atomic_load_relaxed(&s[i]));
}

void
vn_attr_set(struct vnode *vp, const struct vattr *vap)
{
	if (atomic_load_relaxed(&vp->v_flags) & VN_NOCACHE) {
		atomic_store_relaxed(&vp->v_size, vap->va_size);
		return;
	}
	seq_begin(vp);
	attr_copy(&vp->v_attr, vap);
	atomic_store_relaxed(&vp->v_size, vap->va_size);
	atomic_store_relaxed(&vp->v_attr_valid, true);
	seq_end(vp);
}

void
vn_attr_invalidate(struct vnode *vp)
{
	seq_begin(vp);
	atomic_store_relaxed(&vp->v_attr_valid, false);
	seq_end(vp);
}

void
vn_setsize(struct vnode *vp, uint64_t newsize)
{
	seq_begin(vp);
	atomic_store_relaxed(&vp->v_attr.va_size, newsize);
	atomic_store_relaxed(&vp->v_size, newsize);
	seq_end(vp);
}

/* A consistent copy if it is cached.  Does not block. */
bool
vn_attr_peek(struct vnode *vp, struct vattr *vap)
{
	uint32_t seq;

	for (;;) {
		seq = atomic_load_acq(&vp->v_attr_seq);
		if (seq & 1) {
			cpu_pause();
			continue;
		}
		if (!atomic_load_relaxed(&vp->v_attr_valid))
			return false;
		attr_copy(vap, &vp->v_attr);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (atomic_load_relaxed(&vp->v_attr_seq) == seq)
			return true;
	}
}

/* Do the cached attributes let cred search this directory?  False: perhaps
 * not.  Does not block. */
bool
vn_attr_search(struct vnode *vp, const struct ucred *cred)
{
	uint32_t seq = atomic_load_acq(&vp->v_attr_seq);
	mode_t mode = atomic_load_relaxed(&vp->v_attr.va_mode);
	uid_t uid = atomic_load_relaxed(&vp->v_attr.va_uid);
	gid_t gid = atomic_load_relaxed(&vp->v_attr.va_gid);

	if ((seq & 1) || !atomic_load_relaxed(&vp->v_attr_valid))
		return false;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (atomic_load_relaxed(&vp->v_attr_seq) != seq)
		return false;
	if (uid == cred->cr_fsuid)
		return (mode & 0100) != 0;
	if (gid == cred->cr_fsgid || cred_in_group(cred, gid))
		return (mode & 0010) != 0;
	return (mode & 0001) != 0;
}

int
vn_getattr(struct vnode *vp, struct vattr *vap, struct ucred *cred)
{
	uint32_t seq;
	int error;

	if (vn_attr_peek(vp, vap))
		return 0;
	seq = atomic_load_acq(&vp->v_attr_seq);
	memset(vap, 0, sizeof(*vap));
	error = vop_getattr(vp, vap, cred);
	if (error != 0)
		return error;
	if (atomic_load_relaxed(&vp->v_flags) & VN_NOCACHE)
		return 0;
	spin_lock(&vp->v_spin);
	if (vp->v_attr_seq == seq) {		/* A3 */
		atomic_store_relaxed(&vp->v_attr_seq, seq + 1);
		__atomic_thread_fence(__ATOMIC_RELEASE);
		attr_copy(&vp->v_attr, vap);
		atomic_store_relaxed(&vp->v_size, vap->va_size);
		atomic_store_relaxed(&vp->v_attr_valid, true);
		atomic_store_rel(&vp->v_attr_seq, seq + 2);
	}
	spin_unlock(&vp->v_spin);
	return 0;
}
