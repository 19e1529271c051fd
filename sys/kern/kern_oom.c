/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Out of memory: the process with the most private pages ends, with a message,
 * so that the others can go on.  One victim at a time: while one that was
 * chosen is still ending, its memory is on its way.
 */
#include <sys/atomic.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <vm/vm_map.h>

void	oom_kill(void);

void
oom_kill(void)
{
	struct proc *p, *big = NULL;
	uint64_t n, most = 0;
	bool dying = false;

	spin_lock(&proc_spin);
	TAILQ_FOREACH(p, &allproc, p_all) {
		if (p == initproc || p->p_state == PS_ZOMBIE ||
		    p->p_vm == NULL)
			continue;
		if (p->p_flags & PF_OOM)
			dying = true;
		n = atomic_load_relaxed(&p->p_vm->vm_anon.va_count);
		if (n >= most) {
			most = n;
			big = p;
		}
	}
	if (big != NULL && !dying) {
		atomic_fetch_or(&big->p_flags, PF_OOM);
		kprintf("out of memory: killing %s (pid %d, %lu KB)\n",
		    big->p_comm, big->p_pid, (unsigned long)most * 4);
		psignal_locked(big, SIGKILL, NULL);
	}
	spin_unlock(&proc_spin);
}
