/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system call dispatcher: from registers to a handler and back.
 *
 * A number without a handler is ENOSYS and counted by name; the counts are
 * what /proc/anax/enosys shows.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/proc.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/systm.h>
#include <cpu/frame.h>
#include <linux_syscalls.h>

#define OWN_FIRST	4096u

static uint64_t linux_missing[LINUX_NCALLS];	/* [a] */
static uint64_t own_missing[OWN_NCALLS];	/* [a] */
static uint64_t other_missing;			/* [a] no such number */

bool
linux_enosys(unsigned i, const char **name, uint64_t *count)
{
	if (i < LINUX_NCALLS) {
		*name = linux_names[i];
		*count = atomic_load_relaxed(&linux_missing[i]);
	} else if (i - LINUX_NCALLS < OWN_NCALLS) {
		*name = own_names[i - LINUX_NCALLS];
		*count = atomic_load_relaxed(&own_missing[i - LINUX_NCALLS]);
	} else if (i == LINUX_NCALLS + OWN_NCALLS) {
		*name = "unknown";
		*count = atomic_load_relaxed(&other_missing);
	} else {
		return false;
	}
	return true;
}

static int
call_missing(uint64_t nr)
{
	uint64_t *counter = &other_missing;

	if (nr < LINUX_NCALLS && linux_names[nr] != NULL)
		counter = &linux_missing[nr];
	else if (nr - OWN_FIRST < OWN_NCALLS)
		counter = &own_missing[nr - OWN_FIRST];
	atomic_fetch_add(counter, 1);
	return ENOSYS;
}

static syscall_fn *
call_handler(uint64_t nr)
{
	if (__builtin_expect(nr < LINUX_NCALLS, 1))
		return linux_calls[nr];
	if (nr - OWN_FIRST < OWN_NCALLS)
		return own_calls[nr - OWN_FIRST];
	return NULL;
}

void
syscall_dispatch(struct trapframe *tf)
{
	struct lwp *lp = curthread->td_lwp;
	struct syscall_args sa;
	syscall_fn *fn;
	int error;

	lp->lwp_insys = true;
	sa.a[0] = tf->tf_rdi;
	sa.a[1] = tf->tf_rsi;
	sa.a[2] = tf->tf_rdx;
	sa.a[3] = tf->tf_r10;
	sa.a[4] = tf->tf_r8;
	sa.a[5] = tf->tf_r9;
	sa.result = 0;
	sa.frame = tf;
	fn = call_handler(tf->tf_rax);
	error = fn != NULL ? fn(&sa) : call_missing(tf->tf_rax);
	if (__builtin_expect(error == 0, 1)) {
		tf->tf_rax = (uint64_t)sa.result;
	} else if (error == ERESTART || error == ERESTARTNOHAND) {
		tf->tf_rax = -(int64_t)EINTR;
		lp->lwp_rserror = error;
		atomic_fetch_or(&lp->lwp_flags, LWPF_RESTART | LWPF_AST);
	} else {
		tf->tf_rax = -(int64_t)error;
	}
	lp->lwp_insys = false;
	/* It may have been set while another thread ran on this CPU. */
	if (__builtin_expect(lp->lwp_flags & LWPF_AST, 0))
		atomic_fetch_or(&mycpu->gd_reqflags, RQF_AST);
}
