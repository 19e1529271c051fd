/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts.  The hard part of every interrupt only marks: a bit in
 * gd_reqflags, and for devices one in md_intr_pending.  The work is done by
 * splz(), at once if the interrupted code holds no critical section, else
 * when its outermost one ends.
 *
 * I1  TLB shootdown alone is done in hard context: its sender waits for it
 *     and may hold a spinlock.
 * I2  A handler table entry is written once, before its vector can fire.
 * I3  Device interrupts are edges; the pending bit remembers one while the
 *     handler runs or is held off, so none is lost.
 */
#include <sys/errno.h>
#include <sys/systm.h>
#include <machine/intr.h>
#include <platform/machdep.h>
#include <cpu/cpufunc.h>
#include <cpu/frame.h>

#include "pc64.h"

struct intr_handler {
	void	(*ih_fn)(void *);
	void	*ih_arg;
};

static struct intr_handler handlers[MAXCPU][VEC_DEVICE_N];
static uint64_t vectors_used[MAXCPU];		/* [intr_spin] */
static struct spinlock intr_spin = SPINLOCK_INITIALIZER("intr");

static int
vector_alloc(int cpu, void (*fn)(void *), void *arg, int *vecp)
{
	int i, error = ENOSPC;

	spin_lock(&intr_spin);
	for (i = 0; i < VEC_DEVICE_N; i++) {
		if (vectors_used[cpu] & 1ULL << i)
			continue;
		vectors_used[cpu] |= 1ULL << i;
		handlers[cpu][i] = (struct intr_handler){ fn, arg };
		*vecp = VEC_DEVICE + i;
		error = 0;
		break;
	}
	spin_unlock(&intr_spin);
	return error;
}

int
intr_alloc_msi(int cpu, void (*fn)(void *), void *arg, uint64_t *addr,
    uint32_t *data)
{
	uint32_t apicid = mp_apicids[cpu];
	int error, vec;

	if (apicid > 0xfe)
		return EOPNOTSUPP;
	error = vector_alloc(cpu, fn, arg, &vec);
	if (error)
		return error;
	*addr = 0xfee00000u | apicid << 12;
	*data = (uint32_t)vec;		/* fixed, edge */
	return 0;
}

int
intr_establish_isa(int irq, void (*fn)(void *), void *arg)
{
	int error, vec;

	error = vector_alloc(0, fn, arg, &vec);
	if (error)
		return error;
	return ioapic_route_isa(irq, vec, mp_apicids[0]);
}

/* From splz(), in a critical section. */
void
md_run_interrupts(void)
{
	struct globaldata *gd = mycpu;
	struct intr_handler *ih;
	uint64_t pending;
	int i;

	pending = atomic_swap(&gd->gd_md.md_intr_pending, 0);
	while (pending != 0) {
		i = __builtin_ctzll(pending);
		pending &= pending - 1;
		ih = &handlers[gd->gd_cpuid][i];
		if (ih->ih_fn != NULL)
			ih->ih_fn(ih->ih_arg);
	}
}

/* From exception.S, interrupts off. */
void
intr_dispatch(struct trapframe *tf)
{
	struct globaldata *gd = mycpu;
	uint64_t vec = tf->tf_trapno;

	switch (vec) {
	case VEC_TIMER:
		atomic_fetch_or(&gd->gd_reqflags, RQF_TIMER);
		break;
	case VEC_POKE:
		break;			/* the sender set the flag */
	case VEC_SHOOT:
		lapic_eoi();
		pmap_shoot_intr();
		return;
	case VEC_SPURIOUS:
		return;
	default:
		if (vec < VEC_DEVICE || vec >= VEC_DEVICE + VEC_DEVICE_N) {
			kprintf("stray interrupt, vector %lu\n", vec);
			break;
		}
		atomic_fetch_or(&gd->gd_md.md_intr_pending,
		    1ULL << (vec - VEC_DEVICE));
		atomic_fetch_or(&gd->gd_reqflags, RQF_INTR);
		break;
	}
	lapic_eoi();
	/* A user's return path looks by itself. */
	if ((tf->tf_cs & 3) == 0 && gd->gd_curthread != NULL &&
	    gd->gd_curthread->td_critcount == 0 && gd->gd_reqflags != 0) {
		intr_enable();
		splz();
		intr_disable();
	}
}
