/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User memory, hosted.  A thread with a process walks that process's pmap and
 * faults like hardware would.  A thread without one (tests, tools, FUSE) has
 * no user memory; for it a user address is a kernel pointer, so that system
 * call bodies can be called directly.  The first 64 KB fault for both.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <vm/vm_page.h>

enum { USER_MIN = 64 * 1024 };

int	vm_fault(struct vm_map *, vm_offset_t, int) __attribute__((__weak__));

/* The kernel address of one byte of user memory, with the rights wanted. */
static int
user_page(vm_offset_t va, int prot, void **kva)
{
	struct proc *p = curproc();
	struct vm_map *map = p->p_vm;
	vm_paddr_t pa;
	int have, error;

	for (;;) {
		if (pmap_extract(map->vm_pmap, va, &pa, &have) &&
		    (have & prot) == prot) {
			*kva = pa_to_kva(pa);
			return 0;
		}
		error = vm_fault(map, va, prot);
		if (error)
			return EFAULT;
	}
}

static int
user_move(vm_offset_t va, char *k, size_t len, bool out)
{
	void *u;
	size_t n;
	int error;

	lwkt_assert_may_block();
	if (va + len < va || (len > 0 && va < USER_MIN))
		return EFAULT;
	if (curproc() == NULL) {
		if (out)
			memcpy((void *)(uintptr_t)va, k, len);
		else
			memcpy(k, (void *)(uintptr_t)va, len);
		return 0;
	}
	for (; len > 0; va += n, k += n, len -= n) {
		n = MIN(len, PAGE_SIZE - (va & PAGE_MASK));
		error = user_page(va, out ? VM_PROT_WRITE : VM_PROT_READ, &u);
		if (error)
			return error;
		if (out)
			memcpy(u, k, n);
		else
			memcpy(k, u, n);
	}
	return 0;
}

int
copyin(vm_offset_t uaddr, void *kaddr, size_t len)
{
	return user_move(uaddr, kaddr, len, false);
}

int
copyout(const void *kaddr, vm_offset_t uaddr, size_t len)
{
	return user_move(uaddr, (char *)(uintptr_t)kaddr, len, true);
}

int
copyinstr(vm_offset_t uaddr, char *kaddr, size_t max, size_t *lenp)
{
	size_t i;
	int error;

	for (i = 0; i < max; i++) {
		error = user_move(uaddr + i, kaddr + i, 1, false);
		if (error)
			return error;
		if (kaddr[i] == '\0') {
			if (lenp != NULL)
				*lenp = i + 1;
			return 0;
		}
	}
	return ENAMETOOLONG;
}
