/* SPDX-License-Identifier: BSD-2-Clause */
/* Page table entries of x86-64, four levels. */
#ifndef _PC64_PTE_H_
#define _PC64_PTE_H_

#include <sys/types.h>

#define PG_P	0x001ULL
#define PG_W	0x002ULL
#define PG_U	0x004ULL
#define PG_PWT	0x008ULL
#define PG_PCD	0x010ULL
#define PG_A	0x020ULL
#define PG_D	0x040ULL
#define PG_PS	0x080ULL
#define PG_G	0x100ULL
#define PG_NX	0x8000000000000000ULL
#define PG_FRAME 0x000ffffffffff000ULL

enum { PTES = 512 };

#define PT_SHIFT(level)	(12 + 9 * ((level) - 1))	/* 1: page table */
#define PT_INDEX(va, level) (((va) >> PT_SHIFT(level)) & (PTES - 1))
#define PT_SPAN(level)	(1ULL << PT_SHIFT(level))

/* The table that an entry points to, in the direct map. */
static inline uint64_t *
pte_table(uint64_t entry)
{
	return (uint64_t *)(DMAP_BASE + (entry & PG_FRAME));
}

#endif
