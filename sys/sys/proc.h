/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes.  A proc owns resources, an lwp is one of its threads.
 * kern/kern_proc.c, kern_fork.c, kern_exit.c, kern_sig.c.
 *
 *   PS_EMBRYO -> PS_ACTIVE    [proc_fork]
 *   PS_ACTIVE -> PS_STOPPED   [sig_deliver, every lwp at its user boundary]
 *   PS_STOPPED -> PS_ACTIVE   [psignal: SIGCONT, SIGKILL]
 *   PS_ACTIVE -> PS_ZOMBIE    [proc_exit, by the last lwp]
 *
 * P1  proc_spin guards the tree, the groups, the sessions, p_state, the lwp
 *     lists and pending signals.  Nothing blocks under it.
 * P2  p_refs keeps a proc's memory; a zombie keeps no resources.
 * P3  Resources (p_vm, p_fd, p_fs) of a process are changed by its own
 *     threads only; another process looks at them through proc_vm_hold().
 */
#ifndef _SYS_PROC_H_
#define _SYS_PROC_H_

#include <sys/callout.h>
#include <sys/lock.h>
#include <sys/namecache.h>
#include <sys/queue.h>
#include <sys/signal.h>
#include <sys/thread.h>
#include <sys/types.h>

struct filedesc;
struct ucred;
struct vm_map;
struct vnode;
struct tty;
struct trapframe;

/* Where a process stands in the tree; shared by CLONE_FS. */
struct procfs_ctx {
	int32_t		 pf_refs;	/* [a] */
	struct spinlock	 pf_spin;
	struct nchandle	 pf_root, pf_cwd;	/* [pf_spin] copy under it */
	mode_t		 pf_umask;
};

struct session {
	int32_t		 s_refs;	/* [a] */
	pid_t		 s_sid;		/* I */
	struct proc	*s_leader;	/* [proc_spin] NULL when it is gone */
	struct tty	*s_tty;		/* [proc_spin] controlling, referenced */
};

struct pgrp {
	int32_t		 pg_refs;	/* [a] */
	pid_t		 pg_id;		/* I */
	struct session	*pg_session;	/* I referenced */
	LIST_HEAD(, proc) pg_members;	/* [proc_spin] */
	LIST_ENTRY(pgrp) pg_hash;	/* [proc_spin] while it has members */
};

enum {					/* lwp_flags, [a] */
	LWPF_AST	= 0x01,		/* look before user mode */
	LWPF_OLDMASK	= 0x02,		/* lwp_oldmask to be restored */
	LWPF_STOPPED	= 0x04,		/* waits in sig_stop() */
	LWPF_EXITING	= 0x08,
	LWPF_RESTART	= 0x10,		/* the call returned ERESTART */
	LWPF_RESUME	= 0x20,		/* a restarted sleep: lwp_deadline */
	LWPF_RESCHED	= 0x40,		/* its time slice is over */
	LWPF_FORCED	= 0x80,		/* a trap's signal: handler or death */
};

struct lwp {
	struct thread	*lwp_thread;	/* I */
	struct proc	*lwp_proc;	/* I */
	pid_t		 lwp_tid;	/* I */
	LIST_ENTRY(lwp)	 lwp_list;	/* [proc_spin] */
	LIST_ENTRY(lwp)	 lwp_hash;	/* [proc_spin] by tid */
	uint32_t	 lwp_flags;	/* [a] */
	int		 lwp_rserror;	/* [self] with LWPF_RESTART: which kind */
	bool		 lwp_insys;	/* [self] in the kernel, for the tick */
	nsec_t		 lwp_deadline;	/* [self] with LWPF_RESUME: of a sleep */
	uint64_t	 lwp_sigmask, lwp_oldmask;	/* [self] */
	uint64_t	 lwp_sigwait;	/* [proc_spin] sigtimedwait wants */
	uint64_t	 lwp_sigpend;	/* [a] */
	struct ksiginfo_list lwp_siginfo;	/* [proc_spin] */
	vm_offset_t	 lwp_sigstk_sp;	/* [self] */
	uint64_t	 lwp_sigstk_size;
	uint32_t	 lwp_sigstk_flags;
	vm_offset_t	 lwp_clear_tid;	/* user address, or 0 */
	vm_offset_t	 lwp_robust;
	struct trapframe *lwp_frame;	/* user registers */
	void		*lwp_futex;	/* kern_futex.c, while waiting */
	uint32_t	 lwp_slice;	/* ticks in a row, kern_usched.c */
	char		 lwp_comm[16];
	uint64_t	 lwp_uticks, lwp_sticks;	/* kern_usched.c */
};

enum { PS_EMBRYO, PS_ACTIVE, PS_STOPPED, PS_ZOMBIE };

enum {					/* p_flags, [a] */
	PF_EXITING	= 0x001,	/* all lwps are to end */
	PF_EXECED	= 0x002,
	PF_VFORKED	= 0x004,	/* the parent waits for our exec, exit */
	PF_STOPNOTE	= 0x008,	/* stop not yet reported by wait */
	PF_CONTNOTE	= 0x010,
	PF_STOPPING	= 0x020,	/* lwps are asked to stop */
	PF_SINGLE	= 0x040,	/* exec: all lwps but one are to end */
	PF_NOSIGCHLD	= 0x080,	/* cloned with another exit signal */
	PF_OOM		= 0x100,
	PF_SUGID	= 0x200,	/* not dumpable, AT_SECURE */
};

enum { RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE,
       RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS,
       RLIMIT_LOCKS, RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_NICE,
       RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIM_NLIMITS };
#define RLIM_INFINITY	(~0ULL)

struct itimer {				/* setitimer(2), timer_create(2) */
	struct callout	 it_callout;
	struct proc	*it_proc;
	nsec_t		 it_deadline;	/* [proc_spin] mono; 0: off */
	nsec_t		 it_interval;	/* [proc_spin] */
	int		 it_signo;
	int		 it_id;		/* -1: ITIMER_REAL */
	int		 it_clock;
	uint64_t	 it_value;	/* sigval */
	pid_t		 it_tid;	/* SIGEV_THREAD_ID, or 0 */
	bool		 it_none;	/* SIGEV_NONE */
	struct itimer	*it_next;	/* [p_lock] */
};

struct rusage_sum {
	nsec_t		 ru_utime, ru_stime;
	uint64_t	 ru_minflt, ru_majflt, ru_nvcsw, ru_nivcsw;
	uint64_t	 ru_maxrss;
};

struct proc {
	pid_t		 p_pid;		/* I */
	int32_t		 p_refs;	/* [a] memory */
	struct proc	*p_parent;	/* [proc_spin] */
	LIST_HEAD(, proc) p_children;	/* [proc_spin] */
	LIST_ENTRY(proc) p_sibling;	/* [proc_spin] */
	LIST_ENTRY(proc) p_hash;	/* [proc_spin] */
	TAILQ_ENTRY(proc) p_all;	/* [proc_spin] */
	LIST_ENTRY(proc) p_pglist;	/* [proc_spin] */
	struct lock	 p_lock;
	LIST_HEAD(, lwp) p_lwps;	/* [proc_spin] */
	int		 p_nlwps;	/* [proc_spin] */
	struct lwp	*p_single;	/* [proc_spin] with PF_SINGLE */
	int		 p_nstopped;	/* [proc_spin] lwps in sig_stop() */
	int		 p_state;	/* [proc_spin] PS_* */
	uint32_t	 p_flags;	/* [a] PF_* */
	int		 p_xstat;	/* wait status */
	int		 p_exitsig;	/* I what the parent gets */
	int		 p_stopsig;	/* [proc_spin] with PF_STOPPING */
	int		 p_nice;
	struct ucred	*p_cred;	/* [p_lock] */
	struct vm_map	*p_vm;
	struct filedesc	*p_fd;
	struct procfs_ctx *p_fs;
	struct sigacts	*p_sigacts;
	uint64_t	 p_sigpend;	/* [a] */
	struct ksiginfo_list p_siginfo;	/* [proc_spin] */
	struct pgrp	*p_pgrp;	/* [proc_spin] referenced */
	struct vnode	*p_exe;		/* text, referenced [p_lock] */
	struct nchandle	 p_exench;	/* its name [p_lock] */
	char		 p_comm[16];
	vm_offset_t	 p_argstart, p_argend, p_envstart, p_envend;
	vm_offset_t	 p_auxv; size_t p_auxvlen;
	nsec_t		 p_start;
	uint64_t	 p_rlimit[RLIM_NLIMITS][2];
	struct rusage_sum p_ru;		/* [proc_spin] own lwps that ended */
	struct rusage_sum p_cru;	/* [proc_spin] children waited for */
	uint64_t	 p_minflt;	/* [a] */
	struct itimer	 p_itreal;
	struct itimer	*p_timers;	/* [p_lock] timer_create */
	int		 p_nexttimer;
	int		 p_pdeathsig;
	bool		 p_subreaper;
	uint64_t	 p_personality;
};

/* The current process, or NULL in a kernel thread. */
static inline struct lwp *
curlwp(void)
{
	return curthread->td_lwp;
}

static inline struct proc *
curproc(void)
{
	struct lwp *lp = curthread->td_lwp;

	return lp ? lp->lwp_proc : NULL;
}

extern struct spinlock proc_spin;
extern struct proc *initproc;
TAILQ_HEAD(proc_list, proc);
extern struct proc_list allproc;	/* [proc_spin] ascending age */
extern int proc_count;

/* Root and cwd handles of the current process (held copies; kernel threads
 * get the system root). */
void	proc_get_root(struct nchandle *root);
void	proc_get_cwd(struct nchandle *cwd);
struct ucred *curcred(void);		/* not a new reference */

/* Contexts (CLONE_FS). */
struct procfs_ctx *procfs_ctx_copy(struct procfs_ctx *);
struct procfs_ctx *procfs_ctx_share(struct procfs_ctx *);
void	procfs_ctx_rele(struct procfs_ctx *);

/* Look-up; proc_find and proc_next give references (proc_rele).  Zombies
 * are found. */
struct proc *proc_find(pid_t);
struct proc *proc_next(pid_t after);	/* smallest pid > after */
void	proc_ref(struct proc *);
void	proc_rele(struct proc *);
struct proc *proc_find_locked(pid_t);	/* proc_spin held, no reference */
struct lwp *lwp_find_locked(pid_t tid);
struct pgrp *pgrp_find_locked(pid_t);
void	pgrp_rele(struct pgrp *);
void	session_rele(struct session *);
/* Another process's address space, or NULL when it has none (any more). */
struct vm_map *proc_vm_hold(struct proc *);

struct proc *proc_alloc(void);		/* numbered, PS_EMBRYO, not in trees */
struct lwp *lwp_alloc(struct proc *);	/* with a tid, not yet on p_lwps */
void	lwp_free(struct lwp *);
pid_t	pid_alloc(void);
void	proc_link(struct proc *, struct proc *parent, struct pgrp *);
/* Move to another group; NULL: leave (exit).  proc_spin held; the reference
 * to drop afterwards, outside, is returned. */
struct pgrp *proc_setpgrp_locked(struct proc *, struct pgrp *);
void	pgrp_check_orphan(struct proc *);	/* proc_spin held */
bool	pgrp_is_orphaned_locked(struct pgrp *);
void	proc_unlink_locked(struct proc *);
void	lwp_link_locked(struct lwp *);
void	lwp_unlink_locked(struct lwp *);
void	lwp_rename_locked(struct lwp *, pid_t tid);
int	proc_setsid(struct proc *);
void	proc_free_resources(struct proc *);	/* memory, files, names */
void	proc_set_system_root(const struct nchandle *);

/* Fork; see kern_fork.c. */
struct fork_args {
	uint64_t	fa_flags;	/* CLONE_* and the exit signal */
	vm_offset_t	fa_stack;	/* 0: as the parent's */
	vm_offset_t	fa_tls;
	vm_offset_t	fa_ptid, fa_ctid;
	struct trapframe *fa_frame;
};
int	proc_fork(const struct fork_args *, pid_t *pid);
void	proc_exit(int status) __noreturn;	/* wait status, all lwps */
void	lwp_exit(void) __noreturn;
void	lwp_exit_check(void);	/* PF_EXITING or PF_SINGLE: end? */
void	proc_exec_vfork_done(struct proc *);
/* kargv (kernel strings; then a minimal environment) or uargv and uenvp. */
int	proc_exec(const char *path, const char *const *kargv,
	    vm_offset_t uargv, vm_offset_t uenvp, struct trapframe *);
/* All other lwps of the process end; EINTR: somebody else does that. */
int	proc_single(struct proc *);

void	usched_init(void);
int	usched_choose_cpu(void);
void	usched_ast(void);		/* at the user boundary: yield, move */
void	usched_exec(void);
void	usched_sleep(struct lwp *);	/* it is about to wait for something */
int	usched_basepri(const struct proc *);
void	lwp_need_ast(struct lwp *);	/* any CPU */
void	rusage_lwp(struct lwp *, struct rusage_sum *);	/* add to */
void	rusage_proc_locked(struct proc *, struct rusage_sum *);
void	rusage_add(struct rusage_sum *to, const struct rusage_sum *);
int	copyout_rusage(const struct rusage_sum *, vm_offset_t uaddr);
void	futex_init(void);
void	futex_exit(struct lwp *);
void	futex_wake_addr(vm_offset_t uaddr, int n);
void	itimer_exit(struct proc *);
void	itimer_exec(struct proc *);	/* timer_create's end */
void	tty_session_exit(struct session *);

bool	cred_capable(const struct ucred *, int cap);
enum { CAP_CHOWN = 0, CAP_DAC_OVERRIDE = 1, CAP_KILL = 5, CAP_SETGID = 6,
       CAP_SETUID = 7, CAP_SYS_CHROOT = 18, CAP_SYS_ADMIN = 21,
       CAP_SYS_BOOT = 22, CAP_SYS_NICE = 23, CAP_SYS_RESOURCE = 24,
       CAP_SYS_TIME = 25, CAP_SYS_TTY_CONFIG = 26 };
#define CAP_ALL		((1ULL << 41) - 1)

#endif
