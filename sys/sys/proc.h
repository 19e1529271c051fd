/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes.  A proc owns resources, an lwp is one of its threads.
 * kern/kern_proc.c, kern_fork.c, kern_exit.c, kern_sig.c.
 */
#ifndef _SYS_PROC_H_
#define _SYS_PROC_H_

#include <sys/lock.h>
#include <sys/namecache.h>
#include <sys/queue.h>
#include <sys/thread.h>
#include <sys/types.h>

struct filedesc;
struct ucred;
struct vm_map;
struct vnode;
struct tty;
struct sigacts;
struct session;
struct pgrp;

/* Where a process stands in the tree; shared by CLONE_FS. */
struct procfs_ctx {
	int32_t		 pf_refs;	/* [a] */
	struct spinlock	 pf_spin;
	struct nchandle	 pf_root, pf_cwd;	/* [pf_spin] copy under it */
	mode_t		 pf_umask;
};

struct lwp {
	struct thread	*lwp_thread;	/* I */
	struct proc	*lwp_proc;	/* I */
	pid_t		 lwp_tid;	/* I */
	LIST_ENTRY(lwp)	 lwp_list;	/* [p_lock] */
	uint32_t	 lwp_flags;	/* [a] */
	uint64_t	 lwp_sigmask, lwp_oldmask;	/* [self] */
	uint64_t	 lwp_sigpend;	/* [a] */
	vm_offset_t	 lwp_sigstk_sp;
	uint64_t	 lwp_sigstk_size;
	uint32_t	 lwp_sigstk_flags;
	vm_offset_t	 lwp_clear_tid;	/* user address, or 0 */
	vm_offset_t	 lwp_robust;
};

struct proc {
	pid_t		 p_pid;		/* I */
	struct proc	*p_parent;	/* [proc lock] */
	LIST_HEAD(, proc) p_children;	/* [proc lock] */
	LIST_ENTRY(proc) p_sibling;	/* [proc lock] */
	LIST_ENTRY(proc) p_hash;	/* [proc lock] */
	LIST_ENTRY(proc) p_all;		/* [proc lock] */
	LIST_ENTRY(proc) p_pglist;	/* [proc lock] */
	struct lock	 p_lock;
	LIST_HEAD(, lwp) p_lwps;	/* [p_lock] */
	int		 p_nlwps;
	int		 p_state;	/* [proc lock] */
	uint32_t	 p_flags;	/* [a] */
	int		 p_xstat;	/* wait status */
	struct ucred	*p_cred;	/* [p_lock] */
	struct vm_map	*p_vm;
	struct filedesc	*p_fd;
	struct procfs_ctx *p_fs;
	struct sigacts	*p_sigacts;
	uint64_t	 p_sigpend;	/* [a] */
	struct pgrp	*p_pgrp;	/* [proc lock] */
	struct vnode	*p_exe;		/* text, referenced */
	char		 p_comm[16];
	vm_offset_t	 p_argstart, p_argend, p_envstart, p_envend;
	nsec_t		 p_start;
	uint64_t	 p_rlimit[16][2];
	nsec_t		 p_utime, p_stime, p_cutime, p_cstime;
	void		*p_private;	/* kern's own, see kern_proc.c */
};

/* The current process, or NULL in a kernel thread. */
static inline struct proc *
curproc(void)
{
	struct lwp *lp = curthread->td_lwp;

	return lp ? lp->lwp_proc : NULL;
}

/* Root and cwd handles of the current process (held copies; kernel threads
 * get the system root). */
void	proc_get_root(struct nchandle *root);
void	proc_get_cwd(struct nchandle *cwd);
struct ucred *curcred(void);		/* not a new reference */

#endif
