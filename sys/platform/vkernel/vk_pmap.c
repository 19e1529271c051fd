/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces of the hosted kernel: no hardware looks at them, but vm_map
 * and vm_fault fill them and copyin and copyout walk them, so the code above
 * is the code that runs on the PC.
 *
 * A pmap is a tree of 512-entry tables, four levels, like the hardware's.
 * An entry of a leaf holds the page's physical address and its rights.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <vm/vm_page.h>

enum { LEVELS = 4, BITS = 9, FANOUT = 1 << BITS };

struct table {
	uint64_t	t_entry[FANOUT];	/* pointer, or leaf */
};

struct pmap {
	struct spinlock	 pm_spin;
	struct table	*pm_root;	/* [pm_spin] */
};

static MALLOC_DEFINE(M_PMAP, "pmap");

struct pmap *
pmap_create(void)
{
	struct pmap *pm = kmalloc(sizeof(*pm), &M_PMAP, M_WAITOK | M_ZERO);

	spin_init(&pm->pm_spin, "pmap");
	pm->pm_root = kmalloc(sizeof(struct table), &M_PMAP,
	    M_WAITOK | M_ZERO);
	return pm;
}

static void
table_free(struct table *t, int level)
{
	if (level > 1)
		for (int i = 0; i < FANOUT; i++)
			if (t->t_entry[i] != 0)
				table_free((struct table *)t->t_entry[i],
				    level - 1);
	kfree(t, &M_PMAP);
}

void
pmap_destroy(struct pmap *pm)
{
	table_free(pm->pm_root, LEVELS);
	kfree(pm, &M_PMAP);
}

/* The leaf entry of va; make tables on the way if told to.  NULL: none. */
static uint64_t *
pmap_entry(struct pmap *pm, vm_offset_t va, bool make)
{
	struct table *t = pm->pm_root;
	uint64_t *e;
	int level;

	if (va >> (PAGE_SHIFT + LEVELS * BITS - 1) != 0)
		return NULL;		/* not in the user half */
	for (level = LEVELS; level > 1; level--) {
		e = &t->t_entry[va >> (PAGE_SHIFT + (level - 1) * BITS) &
		    (FANOUT - 1)];
		if (*e == 0) {
			if (!make)
				return NULL;
			*e = (uintptr_t)kmalloc(sizeof(struct table), &M_PMAP,
			    M_NOWAIT | M_ZERO);
			if (*e == 0)
				return NULL;
		}
		t = (struct table *)*e;
	}
	return &t->t_entry[va >> PAGE_SHIFT & (FANOUT - 1)];
}

int
pmap_enter(struct pmap *pm, vm_offset_t va, vm_paddr_t pa, int prot)
{
	uint64_t *e;
	int error = ENOMEM;

	spin_lock(&pm->pm_spin);
	e = pmap_entry(pm, va, true);
	if (e != NULL) {
		*e = (pa & ~(uint64_t)PAGE_MASK) | (uint64_t)prot | 8;
		error = 0;
	}
	spin_unlock(&pm->pm_spin);
	return error;
}

void
pmap_enter_run(struct pmap *pm, vm_offset_t va, const vm_paddr_t *pa, int n,
    int prot)
{
	vm_paddr_t old;
	int i, have;

	for (i = 0; i < n; i++, va += PAGE_SIZE)
		if (pa[i] != 0 && !pmap_extract(pm, va, &old, &have))
			pmap_enter(pm, va, pa[i], prot);
}

void
pmap_remove(struct pmap *pm, vm_offset_t start, vm_offset_t end)
{
	uint64_t *e;

	spin_lock(&pm->pm_spin);
	for (; start < end; start += PAGE_SIZE)
		if ((e = pmap_entry(pm, start, false)) != NULL)
			*e = 0;
		else			/* to the next leaf table */
			start |= ((vm_offset_t)FANOUT - 1) << PAGE_SHIFT;
	spin_unlock(&pm->pm_spin);
}

void
pmap_protect(struct pmap *pm, vm_offset_t start, vm_offset_t end, int prot)
{
	uint64_t *e;

	spin_lock(&pm->pm_spin);
	for (; start < end; start += PAGE_SIZE)
		if ((e = pmap_entry(pm, start, false)) != NULL)
			*e &= ~(uint64_t)(7 & ~prot);
		else
			start |= ((vm_offset_t)FANOUT - 1) << PAGE_SHIFT;
	spin_unlock(&pm->pm_spin);
}

bool
pmap_extract(struct pmap *pm, vm_offset_t va, vm_paddr_t *pa, int *prot)
{
	uint64_t *e, v;

	spin_lock(&pm->pm_spin);
	e = pmap_entry(pm, va, false);
	v = e != NULL ? *e : 0;
	spin_unlock(&pm->pm_spin);
	if (v == 0)
		return false;
	if (pa != NULL)
		*pa = (v & ~(uint64_t)PAGE_MASK) | (va & PAGE_MASK);
	if (prot != NULL)
		*prot = (int)(v & 7);
	return true;
}

void
pmap_activate(struct pmap *pm __unused)
{
}
