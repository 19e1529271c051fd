/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware address spaces: implemented by each platform (platform pmap.c).
 * The caller (vm_map.c, vm_fault.c) serialises changes of one user pmap with
 * the map lock, except pmap_remove and pmap_protect, which may come from the
 * object side; so each pmap has its own spinlock.  When a call that removes
 * or narrows access returns, no CPU uses the old translation.
 */
#ifndef _VM_PMAP_H_
#define _VM_PMAP_H_

#include <sys/types.h>

struct pmap;

struct pmap *pmap_create(void);
void	pmap_destroy(struct pmap *);
/* Map one page; prot VM_PROT_*; replaces what was there. ENOMEM. */
int	pmap_enter(struct pmap *, vm_offset_t va, vm_paddr_t pa, int prot);
/* Up to n pages at once, as far as that is cheap: only where nothing is mapped
 * and page tables are there already.  pa[i] 0: leave that one out. */
void	pmap_enter_run(struct pmap *, vm_offset_t va, const vm_paddr_t *pa,
	    int n, int prot);
void	pmap_remove(struct pmap *, vm_offset_t start, vm_offset_t end);
/* Take rights away (never adds): used for copy on write and cleaning. */
void	pmap_protect(struct pmap *, vm_offset_t start, vm_offset_t end, int prot);
/* Physical address and rights, or false. */
bool	pmap_extract(struct pmap *, vm_offset_t va, vm_paddr_t *pa, int *prot);
/* Use it on this CPU for the current thread (at a switch). */
void	pmap_activate(struct pmap *);

#endif
