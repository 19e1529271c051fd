/* SPDX-License-Identifier: BSD-2-Clause */
/* Physical pages: sys/vm_page.h, where the slab below vm finds them too. */
#ifndef _VM_VM_PAGE_H_
#define _VM_VM_PAGE_H_

#include <sys/vm_page.h>

#endif
