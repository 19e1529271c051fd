/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layers of a mount, and the gate that lets them come and go.
 *
 * A message keeps, from start to end, the stack of layers that it found when
 * it entered.  Whoever replaces the stack waits until every message that may
 * have seen the old one has left.
 *
 * G1  A message enters by adding one to a counter of its CPU under the current
 *     phase, then loads the stack; it leaves by subtracting from that same
 *     counter.
 * G2  The replacer stores the new stack, then twice: flips the phase and waits
 *     for the old phase's counters to be zero.  Twice, because a message may
 *     have read the phase long before it counts itself.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>

#include "vfs_core.h"

struct vop_gate_cpu {
	int64_t		 gc_inside[2];	/* [a] by phase */
	char		 gc_pad[CACHE_LINE - 2 * sizeof(int64_t)];
};

struct vop_gate {
	struct vop_gate_cpu vg_cpu[MAXCPU];
	uint32_t	 vg_phase;	/* [a] */
	uint32_t	 vg_waiting;	/* [a] a replacer sleeps on us */
	struct lock	 vg_lock;	/* replacers, one at a time */
};

static MALLOC_DEFINE(M_VOPSTACK, "vop stack");

struct vop_gate *
vop_gate_alloc(void)
{
	struct vop_gate *vg;

	vg = kmalloc(sizeof(*vg), &M_VOPSTACK, M_WAITOK | M_ZERO);
	lock_init(&vg->vg_lock, "vopgate");
	return vg;
}

void
vop_gate_free(struct vop_gate *vg)
{
	kfree(vg, &M_VOPSTACK);
}

void
vop_gate_enter(struct vop_msg *msg)
{
	struct vop_gate *vg = msg->vm_mount->mnt_gate;
	uint32_t phase = atomic_load_relaxed(&vg->vg_phase) & 1;

	msg->vm_gate = &vg->vg_cpu[mycpu->gd_cpuid].gc_inside[phase];
	atomic_fetch_add(msg->vm_gate, 1);
	msg->vm_stack = atomic_load_acq(&msg->vm_mount->mnt_stack);
	msg->vm_depth = 0;
}

void
vop_gate_exit(struct vop_msg *msg)
{
	struct vop_gate *vg = msg->vm_mount->mnt_gate;

	atomic_fetch_sub(msg->vm_gate, 1);
	if (__builtin_expect(atomic_load_relaxed(&vg->vg_waiting) != 0, 0))
		wakeup(vg);
}

static bool
phase_empty(const struct vop_gate *vg, uint32_t phase)
{
	int cpu;

	for (cpu = 0; cpu < MAXCPU; cpu++) {
		if (atomic_load(&vg->vg_cpu[cpu].gc_inside[phase]) != 0)
			return false;
	}
	return true;
}

/* Wait until no message that entered before the call is inside.  Blocks. */
static void
gate_drain(struct vop_gate *vg)
{
	uint32_t old;
	int round;

	for (round = 0; round < 2; round++) {
		old = atomic_fetch_add(&vg->vg_phase, 1) & 1;
		atomic_store(&vg->vg_waiting, 1);
		for (;;) {
			tsleep_interlock(vg);
			if (phase_empty(vg, old)) {
				tsleep_remove();
				break;
			}
			/* The timeout covers a leaver that looked at
			 * vg_waiting just before it was set. */
			tsleep(vg, PINTERLOCKED, "vopgate", 10000000);
		}
		atomic_store(&vg->vg_waiting, 0);
	}
}

void
vop_gate_drain(struct mount *mp)
{
	lock_excl(&mp->mnt_gate->vg_lock);
	gate_drain(mp->mnt_gate);
	lock_release(&mp->mnt_gate->vg_lock);
}

static void
stack_replace(struct mount *mp, struct vop_stack *fresh)
{
	struct vop_stack *old = mp->mnt_stack;

	atomic_store(&mp->mnt_stack, fresh);
	gate_drain(mp->mnt_gate);
	kfree(old, &M_VOPSTACK);
}

/*
 * Put a layer on top.  When this returns, every operation that has not ended
 * passes through it.  Not from inside an operation of the mount.  Blocks.
 */
int
mount_layer_attach(struct mount *mp, struct vop_layer *vl)
{
	struct vop_stack *old, *fresh;
	int n, i;

	lock_excl(&mp->mnt_gate->vg_lock);
	old = mp->mnt_stack;
	n = old ? old->vs_count : 0;
	fresh = kmalloc(sizeof(*fresh) + (n + 1) * sizeof(vl), &M_VOPSTACK,
	    M_WAITOK);
	fresh->vs_count = n + 1;
	fresh->vs_layer[0] = vl;
	for (i = 0; i < n; i++)
		fresh->vs_layer[i + 1] = old->vs_layer[i];
	stack_replace(mp, fresh);
	lock_release(&mp->mnt_gate->vg_lock);
	return 0;
}

/* Take a layer out; when this returns nothing is inside it.  Blocks. */
void
mount_layer_detach(struct mount *mp, struct vop_layer *vl)
{
	struct vop_stack *old, *fresh = NULL;
	int i, n;

	lock_excl(&mp->mnt_gate->vg_lock);
	old = mp->mnt_stack;
	KKASSERT(old != NULL);
	if (old->vs_count > 1) {
		fresh = kmalloc(sizeof(*fresh) +
		    (old->vs_count - 1) * sizeof(vl), &M_VOPSTACK, M_WAITOK);
		for (i = n = 0; i < old->vs_count; i++) {
			if (old->vs_layer[i] != vl)
				fresh->vs_layer[n++] = old->vs_layer[i];
		}
		KKASSERT(n == old->vs_count - 1);
		fresh->vs_count = n;
	}
	stack_replace(mp, fresh);
	lock_release(&mp->mnt_gate->vg_lock);
}
