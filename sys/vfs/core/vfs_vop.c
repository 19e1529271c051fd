/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations as messages: sending, running, numbering, committing.
 *
 *   vop_start, fill in, vop_do -> lwkt_domsg -> vop_put
 *      normal:  gate, layers, filesystem, all in the caller's thread
 *      forced:  queued to a pool of threads and replied to (vop_force_async)
 *
 * D1  A pool thread works under the sender's operation id, so the locks that
 *     the sender took are its own.
 * D2  Operations sent by a pool thread run in that thread: a queued operation
 *     never waits for a free pool thread that waits for it.  The pool grows
 *     when a message finds no idle thread.
 */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>

#include "vfs_core.h"

bool vop_force_async;
struct vfs_name_hooks vfs_name_hooks;

static struct spinlock pool_spin = SPINLOCK_INITIALIZER("voppool");
static struct lwkt_port pool_port;
static bool pool_ready;			/* [pool_spin] */
static int pool_idle;			/* [pool_spin] threads not promised */
static int pool_count;			/* [pool_spin] */

enum { POOL_MAX = 256 };

/* Operations that must commit when they succeed. */
static const uint32_t modifying =
    1u << VOP_NCREATE | 1u << VOP_NMKDIR | 1u << VOP_NMKNOD |
    1u << VOP_NLINK | 1u << VOP_NSYMLINK | 1u << VOP_NREMOVE |
    1u << VOP_NRMDIR | 1u << VOP_NRENAME | 1u << VOP_SETATTR |
    1u << VOP_WRITE;
/* And those that a read-only tree refuses. */
static const uint32_t writing =
    1u << VOP_NCREATE | 1u << VOP_NMKDIR | 1u << VOP_NMKNOD |
    1u << VOP_NLINK | 1u << VOP_NSYMLINK | 1u << VOP_NREMOVE |
    1u << VOP_NRMDIR | 1u << VOP_NRENAME | 1u << VOP_SETATTR |
    1u << VOP_WRITE | 1u << VOP_ALLOCATE | 1u << VOP_SETXATTR |
    1u << VOP_MKWRITE;

void
vop_start(struct vop_msg *msg, struct mount *mp, enum vop_op op,
    struct ucred *cred)
{
	struct thread *td = curthread;

	lwkt_msg_init(&msg->vm_msg, &td->td_port, 0);
	msg->vm_op = op;
	msg->vm_flags = 0;
	msg->vm_xid = td->td_xid;
	msg->vm_mount = mp;
	msg->vm_cred = cred;
	msg->vm_stack = NULL;
	msg->vm_depth = 0;
	msg->vm_number = 0;
	msg->vm_wall = 0;
	msg->vm_pid = td->td_lwp ? td->td_lwp->lwp_proc->p_pid : 0;
	msg->vm_stage = NULL;
	msg->vm_vp = NULL;
	msg->vm_dvp = NULL;
	msg->vm_nch.nch_mount = NULL;
	msg->vm_nch.nch_ncp = NULL;
}

int
vop_do(struct vop_msg *msg)
{
	struct mount *mp = msg->vm_mount;

	if ((writing >> msg->vm_op) & 1) {
		if ((mp->mnt_flags & MNT_RDONLY) ||
		    (msg->vm_vp && (atomic_load_relaxed(&msg->vm_vp->v_flags) & VN_ASOF)) ||
		    (msg->vm_dvp && (atomic_load_relaxed(&msg->vm_dvp->v_flags) & VN_ASOF)))
			return EROFS;
	}
	return lwkt_domsg(&mp->mnt_port, &msg->vm_msg);
}

/* What a filesystem without the operation answers. */
static int
vop_default(struct vop_msg *msg)
{
	switch (msg->vm_op) {
	case VOP_OPEN:
	case VOP_CLOSE:
	case VOP_FSYNC:
	case VOP_INACTIVE:
	case VOP_RECLAIM:
		return 0;
	case VOP_POLL:
		msg->u.poll.revents = msg->u.poll.events;
		return 0;
	case VOP_IOCTL:
		return ENOTTY;
	case VOP_NLINK:
	case VOP_NSYMLINK:
	case VOP_NMKNOD:
	case VOP_NCREATE:
	case VOP_NMKDIR:
	case VOP_NREMOVE:
	case VOP_NRMDIR:
	case VOP_NRENAME:
	case VOP_SETATTR:
		return EPERM;
	default:
		return EOPNOTSUPP;
	}
}

int
vop_next(struct vop_msg *msg)
{
	struct vop_stack *vs = msg->vm_stack;
	struct vop_layer *vl;
	vop_fn_t *fn;
	int error;

	if (vs != NULL && msg->vm_depth < vs->vs_count) {
		vl = vs->vs_layer[msg->vm_depth++];
		error = vl->vl_down(vl, msg);
		msg->vm_depth--;
		return error;
	}
	fn = msg->vm_mount->mnt_vops[msg->vm_op];
	return fn != NULL ? fn(msg) : vop_default(msg);
}

static int
vop_run(struct vop_msg *msg)
{
	int error;

	vop_gate_enter(msg);
	error = vop_next(msg);
	KKASSERT(error != 0 || ((modifying >> msg->vm_op) & 1) == 0 ||
	    (msg->vm_flags & VMF_COMMITTED));
	vop_gate_exit(msg);
	return error;
}

static void
pool_main(void *arg __unused)
{
	struct thread *td = curthread;
	struct lwkt_msg *msg;
	int error;

	td->td_private = &pool_port;
	for (;;) {
		msg = lwkt_waitport(&pool_port);
		td->td_xid = ((struct vop_msg *)msg)->vm_xid;	/* D1 */
		error = vop_run((struct vop_msg *)msg);
		td->td_xid = td->td_ownxid;
		spin_lock(&pool_spin);
		pool_idle++;
		spin_unlock(&pool_spin);
		lwkt_replymsg(msg, error);
	}
}

/* Promise an idle pool thread to one message; make one if there is none. */
static void
pool_reserve(void)
{
	struct thread *td;
	bool grow = false;
	int id = 0;

	spin_lock(&pool_spin);
	if (!pool_ready) {
		lwkt_port_init(&pool_port, NULL);
		pool_ready = true;
	}
	if (pool_idle > 0) {
		pool_idle--;
	} else if (pool_count < POOL_MAX) {
		id = pool_count++;
		grow = true;
	} else {
		pool_idle--;		/* wait for one to come free */
	}
	spin_unlock(&pool_spin);
	if (grow && lwkt_create(pool_main, NULL, &td, TDPRI_KERN, -1,
	    "vop%d", id) == 0)
		lwkt_schedule(td);
}

/* mnt_port's put function. */
int
vop_put(struct lwkt_port *port __unused, struct lwkt_msg *lmsg)
{
	if (__builtin_expect(vop_force_async, 0) &&
	    curthread->td_private != &pool_port) {
		pool_reserve();
		return pool_port.mp_put(&pool_port, lmsg);
	}
	return vop_run((struct vop_msg *)lmsg);
}

uint64_t
vop_number(struct vop_msg *msg)
{
	struct mount *mp = msg->vm_mount;
	uint64_t n;

	if (msg->vm_flags & VMF_NUMBERED)
		return msg->vm_number;
	msg->vm_wall = clock_wall_ns();
	n = msg->vm_wall & ~(uint64_t)15;
	spin_lock(&mp->mnt_numspin);
	if (n < mp->mnt_number + mp->mnt_numstep)
		n = mp->mnt_number + mp->mnt_numstep;
	atomic_store_relaxed(&mp->mnt_number, n);
	spin_unlock(&mp->mnt_numspin);
	msg->vm_number = n;
	msg->vm_flags |= VMF_NUMBERED;
	return n;
}

static void
commit_effect(const struct vop_effect *ve)
{
	switch (ve->ve_kind) {
	case EFF_ATTR:
		vn_attr_set(ve->ve_vp, &ve->ve_attr);
		if (ve->ve_attr.va_nlink == 0)
			vn_setflags(ve->ve_vp, VN_UNLINKED, 0);
		else if (atomic_load_relaxed(&ve->ve_vp->v_flags) & VN_UNLINKED)
			vn_setflags(ve->ve_vp, 0, VN_UNLINKED);
		break;
	case EFF_SIZE:
		vn_setsize(ve->ve_vp, ve->ve_new);
		break;
	case EFF_OBJECT:
		if (ve->ve_new == 0)
			vn_setflags(ve->ve_vp, VN_UNLINKED, 0);
		break;
	case EFF_NAME:
	case EFF_DATA:
		break;
	}
}

/*
 * The linearisation point of an operation.
 *
 * Locks:  whatever orders the operation, by the caller.
 * Blocks: no.
 */
void
vop_commit(struct vop_msg *msg, const struct vop_effects *eff)
{
	bool internal = (msg->vm_flags & VMF_INTERNAL) != 0;
	struct vop_stack *vs;
	int i;

	KKASSERT((msg->vm_flags & VMF_COMMITTED) == 0);
	if (internal)
		vop_gate_enter(msg);
	vop_number(msg);
	msg->vm_flags |= VMF_COMMITTED;
	for (i = 0; i < eff->n; i++) {
		if (eff->e[i].ve_kind != EFF_NAME)
			commit_effect(&eff->e[i]);
	}
	if (vfs_name_hooks.nh_commit != NULL)
		vfs_name_hooks.nh_commit(msg, eff);
	vs = msg->vm_stack;
	for (i = 0; vs != NULL && i < vs->vs_count; i++) {
		if (vs->vs_layer[i]->vl_commit != NULL)
			vs->vs_layer[i]->vl_commit(vs->vs_layer[i], msg, eff);
	}
	if (internal)
		vop_gate_exit(msg);
}

void
vop_internal_init(struct vop_msg *msg, struct mount *mp, enum vop_op op,
    struct vnode *vp)
{
	vop_start(msg, mp, op, kernel_cred);
	msg->vm_flags = VMF_INTERNAL;
	msg->vm_vp = vp;
}
