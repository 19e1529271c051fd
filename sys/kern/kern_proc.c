/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes: numbers, the tree, groups, sessions, contexts.
 *
 * One spinlock, proc_spin, guards all of the tree and all pending signals:
 * fork, exit, wait and kill are rare beside everything else, and one lock
 * makes the rules about orphans and stops a matter of reading one function.
 */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/file.h>
#include <sys/malloc.h>
#include <sys/param.h>
#include <sys/proc.h>
#include <sys/syscall.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/tty.h>
#include <vm/vm_map.h>

static MALLOC_DEFINE(M_PROC, "proc");

enum { PID_HASH = 1024, PID_FIRST = 2, PID_MAX = 4194304 };

struct spinlock proc_spin = SPINLOCK_INITIALIZER("proc");
struct proc *initproc;
struct proc_list allproc = TAILQ_HEAD_INITIALIZER(allproc);
int proc_count;

static LIST_HEAD(, proc) pid_hash[PID_HASH];	/* [proc_spin] */
static LIST_HEAD(, lwp) tid_hash[PID_HASH];	/* [proc_spin] */
static LIST_HEAD(, pgrp) pgrp_hash[PID_HASH];	/* [proc_spin] */
static pid_t pid_last = PID_FIRST - 1;		/* [proc_spin] */

struct proc *
proc_find_locked(pid_t pid)
{
	struct proc *p;

	LIST_FOREACH(p, &pid_hash[pid & (PID_HASH - 1)], p_hash)
		if (p->p_pid == pid)
			return p;
	return NULL;
}

struct lwp *
lwp_find_locked(pid_t tid)
{
	struct lwp *lp;

	LIST_FOREACH(lp, &tid_hash[tid & (PID_HASH - 1)], lwp_hash)
		if (lp->lwp_tid == tid)
			return lp;
	return NULL;
}

struct pgrp *
pgrp_find_locked(pid_t id)
{
	struct pgrp *pg;

	LIST_FOREACH(pg, &pgrp_hash[id & (PID_HASH - 1)], pg_hash)
		if (pg->pg_id == id)
			return pg;
	return NULL;
}

void
proc_ref(struct proc *p)
{
	atomic_fetch_add(&p->p_refs, 1);
}

void
proc_rele(struct proc *p)
{
	if (atomic_fetch_sub(&p->p_refs, 1) == 1) {
		KKASSERT(p->p_nlwps == 0);
		if (p->p_cred != NULL)
			cred_drop(p->p_cred);
		kfree(p, &M_PROC);
	}
}

struct proc *
proc_find(pid_t pid)
{
	struct proc *p;

	spin_lock(&proc_spin);
	p = proc_find_locked(pid);
	if (p != NULL)
		proc_ref(p);
	spin_unlock(&proc_spin);
	return p;
}

/* Walks are by number, so that a reader of /proc that sleeps between two
 * steps loses nobody who stays. */
struct proc *
proc_next(pid_t after)
{
	struct proc *p, *best = NULL;

	spin_lock(&proc_spin);
	TAILQ_FOREACH(p, &allproc, p_all)
		if (p->p_pid > after &&
		    (best == NULL || p->p_pid < best->p_pid))
			best = p;
	if (best != NULL)
		proc_ref(best);
	spin_unlock(&proc_spin);
	return best;
}

pid_t
pid_alloc(void)
{
	pid_t pid;

	spin_lock(&proc_spin);
	do {
		if (++pid_last >= PID_MAX)
			pid_last = 300;
		pid = pid_last;
	} while (proc_find_locked(pid) != NULL ||
	    lwp_find_locked(pid) != NULL || pgrp_find_locked(pid) != NULL);
	spin_unlock(&proc_spin);
	return pid;
}

struct proc *
proc_alloc(void)
{
	struct proc *p;

	p = kmalloc(sizeof(*p), &M_PROC, M_WAITOK | M_ZERO);
	p->p_pid = initproc == NULL ? 1 : pid_alloc();
	p->p_refs = 1;
	p->p_state = PS_EMBRYO;
	lock_init(&p->p_lock, "proc");
	STAILQ_INIT(&p->p_siginfo);
	LIST_INIT(&p->p_children);
	LIST_INIT(&p->p_lwps);
	p->p_start = clock_mono_ns();
	return p;
}

struct lwp *
lwp_alloc(struct proc *p)
{
	struct lwp *lp;

	lp = kmalloc(sizeof(*lp), &M_PROC, M_WAITOK | M_ZERO);
	lp->lwp_proc = p;
	lp->lwp_tid = p->p_nlwps == 0 ? p->p_pid : pid_alloc();
	lp->lwp_sigstk_flags = SS_DISABLE;
	STAILQ_INIT(&lp->lwp_siginfo);
	return lp;
}

void
lwp_free(struct lwp *lp)
{
	kfree(lp, &M_PROC);
}

/* Make a process and its first lwp visible. */
void
proc_link(struct proc *p, struct proc *parent, struct pgrp *pg)
{
	spin_lock(&proc_spin);
	p->p_parent = parent;
	if (parent != NULL)
		LIST_INSERT_HEAD(&parent->p_children, p, p_sibling);
	LIST_INSERT_HEAD(&pid_hash[p->p_pid & (PID_HASH - 1)], p, p_hash);
	TAILQ_INSERT_TAIL(&allproc, p, p_all);
	proc_count++;
	if (pg != NULL)
		proc_setpgrp_locked(p, pg);
	spin_unlock(&proc_spin);
}

/* proc_spin held; the tree's reference passes to the caller. */
void
proc_unlink_locked(struct proc *p)
{
	if (p->p_parent != NULL)
		LIST_REMOVE(p, p_sibling);
	LIST_REMOVE(p, p_hash);
	TAILQ_REMOVE(&allproc, p, p_all);
	proc_count--;
}

void
lwp_link_locked(struct lwp *lp)
{
	struct proc *p = lp->lwp_proc;

	LIST_INSERT_HEAD(&p->p_lwps, lp, lwp_list);
	LIST_INSERT_HEAD(&tid_hash[lp->lwp_tid & (PID_HASH - 1)], lp,
	    lwp_hash);
	p->p_nlwps++;
}

void
lwp_unlink_locked(struct lwp *lp)
{
	LIST_REMOVE(lp, lwp_list);
	LIST_REMOVE(lp, lwp_hash);
	lp->lwp_proc->p_nlwps--;
}

/* exec by a thread that is not the first takes over the process's number. */
void
lwp_rename_locked(struct lwp *lp, pid_t tid)
{
	LIST_REMOVE(lp, lwp_hash);
	lp->lwp_tid = tid;
	LIST_INSERT_HEAD(&tid_hash[tid & (PID_HASH - 1)], lp, lwp_hash);
}

struct vm_map *
proc_vm_hold(struct proc *p)
{
	struct vm_map *map = NULL;

	lock_shared(&p->p_lock);
	if (p->p_vm != NULL) {
		map = p->p_vm;
		vm_map_ref(map);
	}
	lock_release(&p->p_lock);
	return map;
}

/* ---- groups and sessions ---- */

void
session_rele(struct session *s)
{
	if (atomic_fetch_sub(&s->s_refs, 1) == 1) {
		if (s->s_tty != NULL)
			tty_rele(s->s_tty);
		kfree(s, &M_PROC);
	}
}

void
pgrp_rele(struct pgrp *pg)
{
	if (atomic_fetch_sub(&pg->pg_refs, 1) == 1) {
		session_rele(pg->pg_session);
		kfree(pg, &M_PROC);
	}
}

/* A group with one reference, the caller's, and not yet in the hash. */
static struct pgrp *
pgrp_create(pid_t id, struct session *s)
{
	struct pgrp *pg;

	pg = kmalloc(sizeof(*pg), &M_PROC, M_WAITOK | M_ZERO);
	pg->pg_refs = 1;
	pg->pg_id = id;
	LIST_INIT(&pg->pg_members);
	if (s == NULL) {
		s = kmalloc(sizeof(*s), &M_PROC, M_WAITOK | M_ZERO);
		s->s_sid = id;
	}
	atomic_fetch_add(&s->s_refs, 1);
	pg->pg_session = s;
	return pg;
}

/*
 * The old group, or NULL, whose reference the caller drops after letting go
 * of proc_spin.
 */
struct pgrp *
proc_setpgrp_locked(struct proc *p, struct pgrp *pg)
{
	struct pgrp *old = p->p_pgrp;

	if (old == pg)
		return NULL;
	if (old != NULL) {
		LIST_REMOVE(p, p_pglist);
		if (LIST_EMPTY(&old->pg_members))
			LIST_REMOVE(old, pg_hash);
	}
	p->p_pgrp = pg;
	if (pg != NULL) {
		if (LIST_EMPTY(&pg->pg_members))
			LIST_INSERT_HEAD(
			    &pgrp_hash[pg->pg_id & (PID_HASH - 1)], pg,
			    pg_hash);
		LIST_INSERT_HEAD(&pg->pg_members, p, p_pglist);
		atomic_fetch_add(&pg->pg_refs, 1);
	}
	return old;
}

/* Does a member have a parent in the session but outside of the group? */
static bool
pgrp_anchored(struct pgrp *pg, const struct proc *except)
{
	struct proc *p;

	LIST_FOREACH(p, &pg->pg_members, p_pglist) {
		if (p == except || p->p_state == PS_ZOMBIE ||
		    p->p_parent == NULL || p->p_parent->p_pgrp == NULL)
			continue;
		if (p->p_parent->p_pgrp != pg &&
		    p->p_parent->p_pgrp->pg_session == pg->pg_session)
			return true;
	}
	return false;
}

bool
pgrp_is_orphaned_locked(struct pgrp *pg)
{
	return !pgrp_anchored(pg, NULL);
}

static void
pgrp_orphan(struct pgrp *pg)
{
	struct proc *p;

	LIST_FOREACH(p, &pg->pg_members, p_pglist)
		if (p->p_state == PS_STOPPED)
			break;
	if (p == NULL)
		return;
	LIST_FOREACH(p, &pg->pg_members, p_pglist) {
		psignal_locked(p, SIGHUP, NULL);
		psignal_locked(p, SIGCONT, NULL);
	}
}

/*
 * p is about to leave: its own group and its children's groups may lose their
 * last tie to the session.  A group with stopped members that becomes
 * orphaned gets SIGHUP and SIGCONT.  proc_spin held; p is not a member of the
 * living any more (PS_ZOMBIE), its children still name it as parent.
 */
void
pgrp_check_orphan(struct proc *p)
{
	struct proc *c;

	if (p->p_pgrp != NULL && p->p_parent != NULL &&
	    p->p_parent->p_pgrp != p->p_pgrp &&
	    p->p_parent->p_pgrp != NULL &&
	    p->p_parent->p_pgrp->pg_session == p->p_pgrp->pg_session &&
	    !pgrp_anchored(p->p_pgrp, p))
		pgrp_orphan(p->p_pgrp);
	LIST_FOREACH(c, &p->p_children, p_sibling) {
		if (c->p_pgrp == NULL || c->p_pgrp == p->p_pgrp ||
		    c->p_pgrp->pg_session != p->p_pgrp->pg_session)
			continue;
		/* Was p the tie?  c itself is reparented to init, which is
		 * of another session. */
		if (!pgrp_anchored(c->p_pgrp, c))
			pgrp_orphan(c->p_pgrp);
	}
}

/* ---- contexts ---- */

static struct nchandle system_root;

void
proc_set_system_root(const struct nchandle *root)
{
	nc_copy(root, &system_root);
}

static struct procfs_ctx *
ctx_alloc(const struct nchandle *root, const struct nchandle *cwd, mode_t um)
{
	struct procfs_ctx *pf;

	pf = kmalloc(sizeof(*pf), &M_PROC, M_WAITOK | M_ZERO);
	pf->pf_refs = 1;
	spin_init(&pf->pf_spin, "procfs");
	pf->pf_umask = um;
	nc_copy(root, &pf->pf_root);
	nc_copy(cwd, &pf->pf_cwd);
	return pf;
}

struct procfs_ctx *
procfs_ctx_copy(struct procfs_ctx *old)
{
	struct procfs_ctx *pf;
	struct nchandle root, cwd;

	if (old == NULL)
		return ctx_alloc(&system_root, &system_root, 022);
	spin_lock(&old->pf_spin);
	nc_copy(&old->pf_root, &root);
	nc_copy(&old->pf_cwd, &cwd);
	spin_unlock(&old->pf_spin);
	pf = ctx_alloc(&root, &cwd, old->pf_umask);
	nc_drop(&root);
	nc_drop(&cwd);
	return pf;
}

struct procfs_ctx *
procfs_ctx_share(struct procfs_ctx *pf)
{
	atomic_fetch_add(&pf->pf_refs, 1);
	return pf;
}

void
procfs_ctx_rele(struct procfs_ctx *pf)
{
	if (atomic_fetch_sub(&pf->pf_refs, 1) != 1)
		return;
	nc_drop(&pf->pf_root);
	nc_drop(&pf->pf_cwd);
	kfree(pf, &M_PROC);
}

static void
ctx_get(struct nchandle *out, bool cwd)
{
	struct proc *p = curproc();
	struct procfs_ctx *pf = p ? p->p_fs : NULL;

	if (pf == NULL) {
		nc_copy(&system_root, out);
		return;
	}
	spin_lock(&pf->pf_spin);
	nc_copy(cwd ? &pf->pf_cwd : &pf->pf_root, out);
	spin_unlock(&pf->pf_spin);
}

void
proc_get_root(struct nchandle *root)
{
	ctx_get(root, false);
}

void
proc_get_cwd(struct nchandle *cwd)
{
	ctx_get(cwd, true);
}

/* ---- system calls ---- */

syscall_fn sys_getpid, sys_gettid, sys_getppid, sys_getpgrp, sys_getpgid,
    sys_setpgid, sys_getsid, sys_setsid;

int
sys_getpid(struct syscall_args *sa)
{
	sa->result = curproc()->p_pid;
	return 0;
}

int
sys_gettid(struct syscall_args *sa)
{
	sa->result = curlwp()->lwp_tid;
	return 0;
}

int
sys_getppid(struct syscall_args *sa)
{
	struct proc *p = curproc();

	spin_lock(&proc_spin);
	sa->result = p->p_parent ? p->p_parent->p_pid : 0;
	spin_unlock(&proc_spin);
	return 0;
}

int
sys_getpgrp(struct syscall_args *sa)
{
	sa->result = curproc()->p_pgrp->pg_id;
	return 0;
}

static int
get_ids(pid_t pid, bool session, int64_t *out)
{
	struct proc *p;
	int error = ESRCH;

	spin_lock(&proc_spin);
	p = pid == 0 ? curproc() : proc_find_locked(pid);
	if (p != NULL && p->p_pgrp != NULL) {
		*out = session ? p->p_pgrp->pg_session->s_sid :
		    p->p_pgrp->pg_id;
		error = 0;
	}
	spin_unlock(&proc_spin);
	return error;
}

int
sys_getpgid(struct syscall_args *sa)
{
	return get_ids((pid_t)sa->a[0], false, &sa->result);
}

int
sys_getsid(struct syscall_args *sa)
{
	return get_ids((pid_t)sa->a[0], true, &sa->result);
}

/* May curproc move t into group pgid?  proc_spin held; *pgp: the group. */
static int
setpgid_check(struct proc *self, struct proc *t, pid_t pgid,
    struct pgrp **pgp)
{
	struct session *s = self->p_pgrp->pg_session;

	*pgp = NULL;
	if (t == NULL || t->p_pgrp == NULL || t->p_state == PS_ZOMBIE)
		return ESRCH;
	if (t != self) {
		if (t->p_parent != self)
			return ESRCH;
		if (t->p_pgrp->pg_session != s)
			return EPERM;
		if (t->p_flags & PF_EXECED)
			return EACCES;
	}
	if (t->p_pgrp->pg_session->s_sid == t->p_pid)
		return EPERM;
	*pgp = pgrp_find_locked(pgid);
	if (*pgp != NULL)
		return (*pgp)->pg_session == s ? 0 : EPERM;
	return pgid == t->p_pid ? 0 : EPERM;
}

int
sys_setpgid(struct syscall_args *sa)
{
	struct proc *self = curproc(), *t;
	pid_t pid = (pid_t)sa->a[0], pgid = (pid_t)sa->a[1];
	struct pgrp *pg, *old = NULL, *fresh;
	int error;

	if (pgid < 0)
		return EINVAL;
	if (pid == 0)
		pid = self->p_pid;
	if (pgid == 0)
		pgid = pid;
	fresh = pgrp_create(pgid, self->p_pgrp->pg_session);
	spin_lock(&proc_spin);
	t = proc_find_locked(pid);
	error = setpgid_check(self, t, pgid, &pg);
	if (error == 0)
		old = proc_setpgrp_locked(t, pg ? pg : fresh);
	spin_unlock(&proc_spin);
	if (old != NULL)
		pgrp_rele(old);
	pgrp_rele(fresh);
	return error;
}

/* A new session with p as its leader and only member. */
int
proc_setsid(struct proc *p)
{
	struct pgrp *pg = pgrp_create(p->p_pid, NULL), *old = NULL;
	int error = 0;

	spin_lock(&proc_spin);
	if (pgrp_find_locked(p->p_pid) != NULL) {
		error = EPERM;
	} else {
		pg->pg_session->s_leader = p;
		old = proc_setpgrp_locked(p, pg);
	}
	spin_unlock(&proc_spin);
	if (old != NULL)
		pgrp_rele(old);
	pgrp_rele(pg);
	return error;
}

int
sys_setsid(struct syscall_args *sa)
{
	struct proc *p = curproc();

	sa->result = p->p_pid;
	return proc_setsid(p);
}
