/* SPDX-License-Identifier: BSD-2-Clause */
/* Page index of one object.  vm/vm_radix.c; the caller holds vo_spin. */
#ifndef _VM_VM_RADIX_H_
#define _VM_VM_RADIX_H_

#include <sys/types.h>

struct vm_page;
struct vm_radix_node;

/* Nodes bought before taking the spinlock. */
struct vm_radix_spare {
	struct vm_radix_node *rs_list;
};

struct vm_page *vm_radix_lookup(void *root, vm_pindex_t);
/* ENOMEM: buy a node with vm_radix_buy() outside the lock and try again. */
int	vm_radix_insert(void **root, vm_pindex_t, struct vm_page *,
	    struct vm_radix_spare *);
void	vm_radix_remove(void **root, vm_pindex_t);
void	vm_radix_set_dirty(void *root, vm_pindex_t, bool dirty);
/* The first page with index >= start (dirty: whose dirty mark is set). */
struct vm_page *vm_radix_next(void *root, vm_pindex_t start, bool dirty);
void	vm_radix_buy(struct vm_radix_spare *);		/* blocks */
void	vm_radix_spare_free(struct vm_radix_spare *);

#endif
