/* SPDX-License-Identifier: BSD-2-Clause */
/* Which cached pages to give back first.  vm/vm_lru.c. */
#ifndef _VM_VM_LRU_H_
#define _VM_VM_LRU_H_

#include <sys/types.h>

struct vm_page;

void	vm_lru_insert(struct vm_page *);	/* busy, in its object */
void	vm_lru_remove(struct vm_page *);	/* busy */
extern uint64_t vm_lru_count;			/* [a] statistics */

#endif
