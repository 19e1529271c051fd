/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User mode, of which a hosted kernel has none: address spaces are real
 * (vm_map, vm_fault, copyin), programs run on the PC only.  Calling what enters
 * user mode is a bug of the caller, and says so.
 */
#include <sys/errno.h>
#include <sys/proc.h>
#include <sys/signal.h>
#include <sys/systm.h>
#include <cpu/frame.h>
#include <platform/machdep.h>

static struct trapframe no_frame;

void
md_user_return(struct trapframe *tf __unused)
{
	panic("the hosted kernel has no user mode");
}

void
md_lwp_setup(struct thread *td __unused, const struct trapframe *tf __unused)
{
}

struct trapframe *
md_lwp_frame(const struct thread *td __unused)
{
	return &no_frame;
}

uint64_t
md_get_fsbase(const struct thread *td __unused)
{
	return 0;
}

uint64_t
md_get_gsbase(const struct thread *td __unused)
{
	return 0;
}

int
md_set_fsbase(struct thread *td __unused, uint64_t base __unused)
{
	return 0;
}

int
md_set_gsbase(struct thread *td __unused, uint64_t base __unused)
{
	return 0;
}

void
md_fpu_init(struct thread *td __unused)
{
}

void
md_fpu_clone(struct thread *to __unused)
{
}

void
md_fpu_free(struct thread *td __unused)
{
}

size_t
md_fpu_frame_size(void)
{
	return 512;
}

bool
md_sendsig(struct trapframe *tf __unused, const struct ksigaction *ka __unused,
    int sig __unused, const struct ksiginfo *info __unused,
    uint64_t oldmask __unused)
{
	return false;
}

vm_offset_t
sig_user_sp(const struct trapframe *tf)
{
	return tf->tf_rsp;
}

bool
md_initrd(const void **start __unused, size_t *len __unused)
{
	return false;
}
