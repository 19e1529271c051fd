/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Weak answers for a kernel that is linked without processes: no thread of it
 * can be in user mode, so only the symbols matter.
 */
#include <sys/errno.h>
#include <sys/systm.h>
#include <vm/vm_map.h>
#include <cpu/frame.h>

#define WEAK	__attribute__((__weak__))

WEAK void
syscall_dispatch(struct trapframe *tf)
{
	tf->tf_rax = (uint64_t)-ENOSYS;
}

WEAK void
user_trap(struct trapframe *tf, int trapno, uint64_t err, uint64_t addr)
{
	panic("user trap %d at %lx (err %lx addr %lx) without processes",
	    trapno, tf->tf_rip, err, addr);
}

WEAK void
user_ast(struct trapframe *tf __unused)
{
	panic("user mode without processes");
}

WEAK int
vm_fault(struct vm_map *map __unused, vm_offset_t addr __unused,
    int prot __unused)
{
	return EFAULT;
}
