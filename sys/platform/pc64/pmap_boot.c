/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's half of every address space.
 *
 *   ffff8000_00000000  direct map of all usable memory, NX; a kernel text
 *                      page is read only here too (W^X)
 *   ffffc000_00000000  device registers (uncached) and firmware tables
 *   ffffffff_80000000  the kernel: text R-X, rodata R--, data and bss RW-
 *
 * KM1 The upper 256 entries of the root are filled here and never change, so
 *     that pmap_create() copies them once.
 * KM2 A kernel mapping is never removed or narrowed: no shootdown for it.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <vm/vm_page.h>
#include <machine/intr.h>
#include <platform/machdep.h>
#include <cpu/cpufunc.h>

#include "pc64.h"
#include "pte.h"

uint64_t kernel_pml4[PTES]
    __attribute__((__aligned__(4096), __section__(".bss.page")));
uint64_t kernel_pml4_pa;

static struct spinlock kmap_spin = SPINLOCK_INITIALIZER("kmap");
static vm_offset_t mapdev_next = MAPDEV_BASE;	/* [kmap_spin] */

void *
pa_to_kva(vm_paddr_t pa)
{
	return (void *)(DMAP_BASE + pa);
}

uint64_t
kva_to_pa(const void *kva)
{
	uint64_t va = (uint64_t)kva;

	if (va >= KERNBASE)
		return va - KERNBASE;
	KKASSERT(va >= DMAP_BASE && va < DMAP_END);
	return va - DMAP_BASE;
}

static uint64_t
table_alloc(void)
{
	uint64_t pa;

	if (vm_page_array != NULL) {
		struct vm_page *m = vm_page_alloc(VPA_ZERO | VPA_NOWAIT);

		return m == NULL ? 0 : vm_page_pa(m);
	}
	pa = bootinfo_alloc_page(1ULL << 32);
	if (pa != 0)
		memset(pa_to_kva(pa), 0, PAGE_SIZE);
	return pa;
}

/* The entry for va at the given level, with all tables above it. */
static uint64_t *
kmap_entry(uint64_t *root, vm_offset_t va, int level)
{
	uint64_t *pte, pa;
	int l;

	pte = &root[PT_INDEX(va, 4)];
	for (l = 4; l > level; l--) {
		if (*pte == 0) {
			pa = table_alloc();
			if (pa == 0)
				panic("no memory for kernel page tables");
			*pte = pa | PG_P | PG_W;
		}
		KKASSERT((*pte & PG_PS) == 0);
		pte = pte_table(*pte) + PT_INDEX(va, l - 1);
	}
	return pte;
}

/* Map a range with the largest pages that fit. */
static void
kmap_range(uint64_t *root, vm_offset_t va, uint64_t pa, uint64_t len,
    uint64_t bits)
{
	uint64_t span;
	int level;

	if (!cpu_has_nx)
		bits &= ~PG_NX;
	while (len > 0) {
		level = cpu_has_1g ? 3 : 2;
		while (level > 1 && (((va | pa) & (PT_SPAN(level) - 1)) != 0 ||
		    len < PT_SPAN(level)))
			level--;
		span = PT_SPAN(level);
		*kmap_entry(root, va, level) = pa | bits | PG_P |
		    (level > 1 ? PG_PS : 0);
		va += span;
		pa += span;
		len -= span;
	}
}

static void
dmap_range(uint64_t start, uint64_t end, uint64_t bits)
{
	kmap_range(kernel_pml4, DMAP_BASE + start, start, end - start,
	    bits | PG_G | PG_NX);
}

void
pmap_bootstrap(void)
{
	static struct memrange map[nitems(bootinfo.bi_map)];
	struct bootinfo *bi = &bootinfo;
	uint64_t text, rodata_end, end;
	int i, n;

	/* The boot tables do not know NX or global pages. */
	if (cpu_has_nx)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	kernel_pml4_pa = (uint64_t)kernel_pml4 - KERNBASE;
	text = (uint64_t)ktext_start - KERNBASE;
	rodata_end = (uint64_t)krodata_end - KERNBASE;
	end = (uint64_t)kernel_end - KERNBASE;

	/* Table pages are taken out of the map, and must be mapped too. */
	n = bi->bi_nmap;
	memcpy(map, bi->bi_map, n * sizeof(map[0]));

	for (i = PTES / 2; i < PTES; i++)
		if (i == PT_INDEX(DMAP_BASE, 4) ||
		    i == PT_INDEX(MAPDEV_BASE, 4) || i == PTES - 1)
			kmap_entry(kernel_pml4, (vm_offset_t)i << 39 |
			    0xffffULL << 48, 3);
	for (i = 0; i < n; i++)
		if (map[i].mr_type == MEM_USABLE)
			dmap_range(map[i].mr_start, map[i].mr_end, PG_W);
	for (i = 0; i < bi->bi_nmodules; i++)
		dmap_range(rounddown2(bi->bi_modules[i].mr_start, PAGE_SIZE),
		    roundup2(bi->bi_modules[i].mr_end, PAGE_SIZE), 0);
	dmap_range(0x200000, rodata_end, 0);
	dmap_range(rodata_end, end, PG_W);

	kmap_range(kernel_pml4, KERNBASE + text, text,
	    (uint64_t)ktext_end - (uint64_t)ktext_start, PG_G);
	kmap_range(kernel_pml4, (uint64_t)ktext_end,
	    (uint64_t)ktext_end - KERNBASE,
	    (uint64_t)krodata_end - (uint64_t)ktext_end, PG_G | PG_NX);
	kmap_range(kernel_pml4, (uint64_t)krodata_end, rodata_end,
	    end - rodata_end, PG_G | PG_NX | PG_W);
	pmap_cpu_init();
}

void
pmap_cpu_init(void)
{
	lcr3(kernel_pml4_pa);
	lcr4(rcr4() | CR4_PGE);
}

static void *
map_fixed(uint64_t pa, uint64_t size, uint64_t bits)
{
	uint64_t off = pa & PAGE_MASK;
	vm_offset_t va, v;
	uint64_t p = pa - off;

	size = roundup2(size + off, PAGE_SIZE);
	if (!cpu_has_nx)
		bits &= ~PG_NX;
	spin_lock(&kmap_spin);
	va = mapdev_next;
	mapdev_next += size;
	for (v = va; v < va + size; v += PAGE_SIZE, p += PAGE_SIZE)
		*kmap_entry(kernel_pml4, v, 1) = p | bits | PG_P | PG_G;
	spin_unlock(&kmap_spin);
	return (void *)(va + off);
}

void *
pmap_mapdev(uint64_t pa, uint64_t size)
{
	return map_fixed(pa, size, PG_W | PG_NX | PG_PCD | PG_PWT);
}

void *
pmap_map_tables(uint64_t pa, uint64_t size)
{
	return map_fixed(pa, size, PG_NX);
}

/*
 * A root for CPUs that start: the kernel, and the trampoline page at its
 * physical address, executable.  Never freed: one page and three tables.
 */
uint64_t
pmap_trampoline_root(uint64_t pa)
{
	uint64_t root_pa = table_alloc(), *root;

	if (root_pa == 0)
		panic("no memory to start CPUs");
	root = pa_to_kva(root_pa);
	memcpy(root, kernel_pml4, PAGE_SIZE);
	root[0] = 0;
	*kmap_entry(root, pa, 1) = pa | PG_P | PG_W;
	return root_pa;
}
