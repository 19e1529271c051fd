/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User address spaces: four-level page tables.
 *
 * PM1 Entries of a pmap change under pm_spin only.  Tables are added, and
 *     freed when the pmap is destroyed.
 * PM2 pm_active has the bit of every CPU that has the pmap's root loaded; the
 *     bit is set before the load and cleared after another root is loaded.
 *     A kernel thread keeps the root of whoever ran before it.
 * PM3 Who takes a right away changes the entries, then reads pm_active, then
 *     waits for those CPUs to flush: the translation is gone from all of them
 *     when the call returns.  Adding a right flushes nothing elsewhere: a
 *     stale refusal only costs a fault that finds all well.
 * PM4 A CPU that runs a kernel thread when it is asked leaves the pmap
 *     instead, and is not asked again.
 * PM5 Nobody waits for a flush with interrupts off, and a flush is answered in
 *     hard interrupt context: so CPUs that wait for each other make progress.
 * PM6 A page table lives as long as its pmap, so the remembered one is right.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/param.h>
#include <sys/systm.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <vm/vm_page.h>
#include <platform/machdep.h>
#include <cpu/cpufunc.h>
#include <cpu/frame.h>

#include "pc64.h"
#include "pte.h"

struct pmap {
	uint64_t	*pm_root;
	uint64_t	pm_root_pa;
	struct spinlock	pm_spin;
	uint64_t	pm_active;		/* [a] PM2 */
	uint64_t	pm_last_va;		/* [pm_spin] PM6: in 2 MiB */
	uint64_t	*pm_last_table;		/* [pm_spin] its table */
};

enum { FLUSH_EACH = 32 };	/* more pages: flush everything */

/* A flush that one CPU asks of others; one per asking CPU. */
struct shoot {
	struct pmap	*sh_pmap;
	vm_offset_t	sh_start, sh_end;
	bool		sh_leave;		/* the pmap is going away */
	uint64_t	sh_waiting;		/* [a] CPUs that have not yet */
} __attribute__((__aligned__(64)));

static MALLOC_DEFINE(M_PMAP, "pmap");
static struct shoot shoots[MAXCPU];
extern uint64_t kernel_pml4[];

struct pmap *
pmap_create(void)
{
	struct pmap *pm;
	struct vm_page *m;

	pm = kmalloc(sizeof(*pm), &M_PMAP, M_WAITOK | M_ZERO);
	m = vm_page_alloc(VPA_ZERO);
	if (m == NULL) {
		kfree(pm, &M_PMAP);
		return NULL;
	}
	pm->pm_root = vm_page_kva(m);
	pm->pm_root_pa = vm_page_pa(m);
	pm->pm_last_va = ~0ULL;
	spin_init(&pm->pm_spin, "pmap");
	memcpy(pm->pm_root + PTES / 2, kernel_pml4 + PTES / 2, PAGE_SIZE / 2);
	return pm;
}

/* On this CPU, interrupts off. */
static void
leave_pmap(struct globaldata *gd)
{
	struct pmap *pm = gd->gd_md.md_pmap;

	lcr3(kernel_pml4_pa);
	gd->gd_md.md_pmap = NULL;
	if (pm != NULL)
		atomic_fetch_and(&pm->pm_active, ~(1ULL << gd->gd_cpuid));
}

void
pmap_activate(struct pmap *pm)
{
	struct globaldata *gd;
	struct pmap *old;
	uint64_t bit, fl;

	fl = intr_save();
	gd = mycpu;
	old = gd->gd_md.md_pmap;
	if (old != pm) {
		bit = 1ULL << gd->gd_cpuid;
		atomic_fetch_or(&pm->pm_active, bit);
		gd->gd_md.md_pmap = pm;
		lcr3(pm->pm_root_pa);
		if (old != NULL)
			atomic_fetch_and(&old->pm_active, ~bit);
	}
	intr_restore(fl);
}

static void
flush_local(vm_offset_t start, vm_offset_t end)
{
	if (end - start > FLUSH_EACH * PAGE_SIZE) {
		lcr3(rcr3());
		return;
	}
	for (; start < end; start += PAGE_SIZE)
		invlpg(start);
}

/* Hard interrupt, interrupts off. */
void
pmap_shoot_intr(void)
{
	struct globaldata *gd = mycpu;
	struct shoot *sh;
	uint64_t from, me = 1ULL << gd->gd_cpuid;

	from = atomic_swap(&gd->gd_md.md_shoot_from, 0);
	while (from != 0) {
		sh = &shoots[__builtin_ctzll(from)];
		from &= from - 1;
		if (gd->gd_md.md_pmap == sh->sh_pmap) {
			if (sh->sh_leave || gd->gd_curthread->td_lwp == NULL)
				leave_pmap(gd);
			else
				flush_local(sh->sh_start, sh->sh_end);
		}
		atomic_fetch_and(&sh->sh_waiting, ~me);
	}
}

/* Make all CPUs forget [start, end) of pm.  No locks; does not block. */
static void
shoot(struct pmap *pm, vm_offset_t start, vm_offset_t end, bool leave)
{
	struct globaldata *gd;
	struct shoot *sh;
	uint64_t mask, left, fl;
	int cpu;

	crit_enter();
	fl = intr_save();
	gd = mycpu;
	if (gd->gd_md.md_pmap == pm) {
		if (leave)
			leave_pmap(gd);
		else
			flush_local(start, end);
	}
	intr_restore(fl);
	atomic_fence();
	mask = atomic_load(&pm->pm_active) & ~(1ULL << gd->gd_cpuid);
	if (mask != 0 && !md_panicking) {
		sh = &shoots[gd->gd_cpuid];
		sh->sh_pmap = pm;
		sh->sh_start = start;
		sh->sh_end = end;
		sh->sh_leave = leave;
		atomic_store(&sh->sh_waiting, mask);
		for (left = mask; left != 0; left &= left - 1) {
			cpu = __builtin_ctzll(left);
			if (atomic_fetch_or(&cpu_globaldata[cpu]->
			    gd_md.md_shoot_from, 1ULL << gd->gd_cpuid) == 0)
				lapic_ipi(mp_apicids[cpu], VEC_SHOOT);
		}
		while (atomic_load(&sh->sh_waiting) != 0 && !md_panicking)
			cpu_pause();
	}
	crit_exit();
}

static void
tables_free(uint64_t *table, int level)
{
	int i, n = level == 4 ? PTES / 2 : PTES;

	for (i = 0; level > 1 && i < n; i++)
		if (table[i] & PG_P)
			tables_free(pte_table(table[i]), level - 1);
	vm_page_free(vm_page_from_pa(kva_to_pa(table)));
}

void
pmap_destroy(struct pmap *pm)
{
	shoot(pm, 0, USER_VA_MAX, true);
	KKASSERT(pm->pm_active == 0 || md_panicking);
	tables_free(pm->pm_root, 4);
	kfree(pm, &M_PMAP);
}

/*
 * The entry of va, or NULL and the level of the missing table and where it
 * belongs.  Faults come in order of addresses, so the last page table is
 * remembered (PM6).
 */
static inline uint64_t *
pte_find(struct pmap *pm, vm_offset_t va, int *missing, uint64_t **slot)
{
	uint64_t *pte;

	*missing = 0;
	*slot = NULL;
	if (va >> PT_SHIFT(2) == pm->pm_last_va)
		return pm->pm_last_table + PT_INDEX(va, 1);
	pte = pm->pm_root + PT_INDEX(va, 4);
	*missing = 3;
	if ((*pte & PG_P) == 0)
		goto missing;
	pte = pte_table(*pte) + PT_INDEX(va, 3);
	*missing = 2;
	if ((*pte & PG_P) == 0)
		goto missing;
	pte = pte_table(*pte) + PT_INDEX(va, 2);
	*missing = 1;
	if ((*pte & PG_P) == 0)
		goto missing;
	pm->pm_last_va = va >> PT_SHIFT(2);
	pm->pm_last_table = pte_table(*pte);
	return pm->pm_last_table + PT_INDEX(va, 1);
missing:
	*slot = pte;
	return NULL;
}

static uint64_t
prot_bits(int prot)
{
	uint64_t bits = PG_P | PG_U | PG_A;

	if (prot & VM_PROT_WRITE)
		bits |= PG_W | PG_D;
	if ((prot & VM_PROT_EXEC) == 0 && cpu_has_nx)
		bits |= PG_NX;
	return bits;
}

/* Does the change from one entry to another take something away? */
static bool
pte_narrows(uint64_t from, uint64_t to)
{
	if ((from & PG_P) == 0)
		return false;
	return ((from ^ to) & PG_FRAME) != 0 || (from & ~to & PG_W) != 0 ||
	    (to & ~from & PG_NX) != 0;
}

/*
 * Blocks only when page tables are needed and memory is short.
 */
int
pmap_enter(struct pmap *pm, vm_offset_t va, vm_paddr_t pa, int prot)
{
	uint64_t *pte, *slot, old, new;
	struct vm_page *m = NULL;
	int level;

	KKASSERT(va < USER_VA_MAX);
	if (prot == VM_PROT_NONE) {
		pmap_remove(pm, va, va + PAGE_SIZE);
		return 0;
	}
	new = pa | prot_bits(prot);
	spin_lock(&pm->pm_spin);
	while ((pte = pte_find(pm, va, &level, &slot)) == NULL) {
		if (m == NULL) {
			spin_unlock(&pm->pm_spin);
			m = vm_page_alloc(VPA_ZERO);
			if (m == NULL)
				return ENOMEM;
			spin_lock(&pm->pm_spin);
			continue;	/* somebody else may have added it */
		}
		*slot = vm_page_pa(m) | PG_P | PG_W | PG_U;
		m = NULL;
	}
	old = *pte;
	atomic_store_relaxed(pte, new);
	spin_unlock(&pm->pm_spin);
	if (m != NULL)
		vm_page_free(m);
	if (pte_narrows(old, new))
		shoot(pm, va, va + PAGE_SIZE, false);
	else if ((old & PG_P) && mycpu->gd_md.md_pmap == pm)
		invlpg(va);
	return 0;
}

/* From nothing to something: no CPU can hold an old translation. */
void
pmap_enter_run(struct pmap *pm, vm_offset_t va, const vm_paddr_t *pa, int n,
    int prot)
{
	uint64_t *pte = NULL, *slot, bits = prot_bits(prot);
	int i, level;

	KKASSERT(va + (uint64_t)n * PAGE_SIZE <= USER_VA_MAX);
	if (prot == VM_PROT_NONE)
		return;
	spin_lock(&pm->pm_spin);
	for (i = 0; i < n; i++, va += PAGE_SIZE) {
		if (pte == NULL || PT_INDEX(va, 1) == 0)
			pte = pte_find(pm, va, &level, &slot);
		else
			pte++;
		if (pte != NULL && pa[i] != 0 && *pte == 0)
			atomic_store_relaxed(pte, pa[i] | bits);
	}
	spin_unlock(&pm->pm_spin);
}

/* Visit the present entries of a range: entry = (entry & keep) | set. */
static void
range_change(struct pmap *pm, vm_offset_t start, vm_offset_t end,
    uint64_t keep, uint64_t set)
{
	vm_offset_t va, next, lo = end, hi = start;
	uint64_t *pte, *slot, old, new;
	int level;

	spin_lock(&pm->pm_spin);
	for (va = start; va < end; va = next) {
		pte = pte_find(pm, va, &level, &slot);
		if (pte == NULL) {
			next = rounddown2(va, PT_SPAN(level + 1)) +
			    PT_SPAN(level + 1);
			continue;
		}
		/* On to the end of this table. */
		next = rounddown2(va, PT_SPAN(2)) + PT_SPAN(2);
		next = MIN(next, end);
		for (; va < next; va += PAGE_SIZE, pte++) {
			old = *pte;
			if ((old & PG_P) == 0)
				continue;
			new = keep == 0 ? 0 : (old & keep) | set;
			if (new == old)
				continue;
			atomic_store_relaxed(pte, new);
			lo = MIN(lo, va);
			hi = MAX(hi, va + PAGE_SIZE);
		}
	}
	spin_unlock(&pm->pm_spin);
	if (lo < hi)
		shoot(pm, lo, hi, false);
}

void
pmap_remove(struct pmap *pm, vm_offset_t start, vm_offset_t end)
{
	range_change(pm, start, MIN(end, USER_VA_MAX), 0, 0);
}

void
pmap_protect(struct pmap *pm, vm_offset_t start, vm_offset_t end, int prot)
{
	uint64_t keep = ~0ULL, set = 0;

	if (prot == VM_PROT_NONE) {
		pmap_remove(pm, start, end);
		return;
	}
	if ((prot & VM_PROT_WRITE) == 0)
		keep &= ~(PG_W | PG_D);
	if ((prot & VM_PROT_EXEC) == 0 && cpu_has_nx)
		set |= PG_NX;
	if (keep != ~0ULL || set != 0)
		range_change(pm, start, MIN(end, USER_VA_MAX), keep, set);
}

bool
pmap_extract(struct pmap *pm, vm_offset_t va, vm_paddr_t *pa, int *prot)
{
	uint64_t *pte, *slot, v = 0;
	int level;

	if (va >= USER_VA_MAX)
		return false;
	spin_lock(&pm->pm_spin);
	pte = pte_find(pm, va, &level, &slot);
	if (pte != NULL)
		v = *pte;
	spin_unlock(&pm->pm_spin);
	if ((v & PG_P) == 0)
		return false;
	if (pa != NULL)
		*pa = (v & PG_FRAME) | (va & PAGE_MASK);
	if (prot != NULL)
		*prot = VM_PROT_READ | (v & PG_W ? VM_PROT_WRITE : 0) |
		    (v & PG_NX ? 0 : VM_PROT_EXEC);
	return true;
}
