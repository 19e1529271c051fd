/* SPDX-License-Identifier: BSD-2-Clause */
/* Usage, limits, priorities, and what the system says about itself. */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/proc.h>
#include <sys/syscall.h>
#include <sys/systm.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/ucred.h>
#include <vm/vm_map.h>
#include <sys/vm_page.h>
#include <platform/machdep.h>

/* ---- usage ---- */

void
rusage_add(struct rusage_sum *to, const struct rusage_sum *from)
{
	to->ru_utime += from->ru_utime;
	to->ru_stime += from->ru_stime;
	to->ru_minflt += from->ru_minflt;
	to->ru_majflt += from->ru_majflt;
	to->ru_nvcsw += from->ru_nvcsw;
	to->ru_nivcsw += from->ru_nivcsw;
	to->ru_maxrss = MAX(to->ru_maxrss, from->ru_maxrss);
}

/* The exact run time of lp, divided as its ticks were. */
void
rusage_lwp(struct lwp *lp, struct rusage_sum *ru)
{
	nsec_t t = lp->lwp_thread->td_cputime, u;
	uint64_t ticks = lp->lwp_uticks + lp->lwp_sticks;

	if (lp->lwp_thread == curthread)
		t += clock_mono_ns() - mycpu->gd_switchtime;
	u = ticks ? t / ticks * lp->lwp_uticks : t / 2;
	ru->ru_utime += u;
	ru->ru_stime += t - u;
}

void
rusage_proc_locked(struct proc *p, struct rusage_sum *ru)
{
	struct lwp *lp;

	*ru = p->p_ru;
	ru->ru_minflt += atomic_load_relaxed(&p->p_minflt);
	LIST_FOREACH(lp, &p->p_lwps, lwp_list)
		rusage_lwp(lp, ru);
	if (p->p_vm != NULL)
		ru->ru_maxrss = MAX(ru->ru_maxrss,
		    p->p_vm->vm_anon.va_count * (PAGE_SIZE / 1024));
}

int
copyout_rusage(const struct rusage_sum *ru, vm_offset_t uaddr)
{
	struct {
		struct timeval utime, stime;
		int64_t maxrss, ixrss, idrss, isrss, minflt, majflt, nswap,
		    inblock, oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw;
	} r;

	memset(&r, 0, sizeof(r));
	r.utime = ns_to_timeval(ru->ru_utime);
	r.stime = ns_to_timeval(ru->ru_stime);
	r.maxrss = (int64_t)ru->ru_maxrss;
	r.minflt = (int64_t)ru->ru_minflt;
	r.majflt = (int64_t)ru->ru_majflt;
	r.nvcsw = (int64_t)ru->ru_nvcsw;
	r.nivcsw = (int64_t)ru->ru_nivcsw;
	return copyout(&r, uaddr, sizeof(r));
}

syscall_fn sys_getrusage, sys_times, sys_getrlimit, sys_setrlimit,
    sys_prlimit64, sys_getpriority, sys_setpriority, sys_sysinfo, sys_uname,
    sys_sethostname, sys_setdomainname, sys_prctl, sys_sched_yield,
    sys_sched_getaffinity, sys_sched_setaffinity, sys_sched_getscheduler,
    sys_sched_setscheduler, sys_sched_getparam, sys_sched_setparam,
    sys_sched_get_priority_max, sys_sched_get_priority_min,
    sys_sched_rr_get_interval, sys_getcpu, sys_getrandom, sys_personality,
    sys_reboot, sys_membarrier, sys_syslog;

int
sys_getrusage(struct syscall_args *sa)
{
	struct proc *p = curproc();
	struct rusage_sum ru;

	memset(&ru, 0, sizeof(ru));
	spin_lock(&proc_spin);
	switch ((int)sa->a[0]) {
	case 0:
		rusage_proc_locked(p, &ru);
		break;
	case 1:				/* RUSAGE_THREAD */
		rusage_lwp(curlwp(), &ru);
		break;
	case -1:
		ru = p->p_cru;
		break;
	default:
		spin_unlock(&proc_spin);
		return EINVAL;
	}
	spin_unlock(&proc_spin);
	return copyout_rusage(&ru, sa->a[1]);
}

int
sys_times(struct syscall_args *sa)
{
	struct proc *p = curproc();
	struct rusage_sum ru;
	int64_t t[4];

	spin_lock(&proc_spin);
	rusage_proc_locked(p, &ru);
	t[0] = (int64_t)(ru.ru_utime / 10000000);
	t[1] = (int64_t)(ru.ru_stime / 10000000);
	t[2] = (int64_t)(p->p_cru.ru_utime / 10000000);
	t[3] = (int64_t)(p->p_cru.ru_stime / 10000000);
	spin_unlock(&proc_spin);
	sa->result = (int64_t)(clock_mono_ns() / 10000000);
	return sa->a[0] ? copyout(t, sa->a[0], sizeof(t)) : 0;
}

/* ---- limits ---- */

static int
limit_set(struct proc *p, uint32_t which, const uint64_t new[2])
{
	if (new[0] > new[1])
		return EINVAL;
	if (new[1] > p->p_rlimit[which][1] &&
	    !cred_capable(curcred(), CAP_SYS_RESOURCE))
		return EPERM;
	if (which == RLIMIT_NOFILE && new[1] > (1 << 20))
		return EPERM;
	p->p_rlimit[which][0] = new[0];
	p->p_rlimit[which][1] = new[1];
	if (p->p_vm != NULL && which == RLIMIT_AS)
		p->p_vm->vm_limit = new[0];
	if (p->p_vm != NULL && which == RLIMIT_STACK)
		p->p_vm->vm_stacklimit = MAX(new[0], 32ULL * PAGE_SIZE);
	return 0;
}

int
sys_getrlimit(struct syscall_args *sa)
{
	if (sa->a[0] >= RLIM_NLIMITS)
		return EINVAL;
	return copyout(curproc()->p_rlimit[sa->a[0]], sa->a[1], 16);
}

int
sys_setrlimit(struct syscall_args *sa)
{
	struct proc *p = curproc();
	uint64_t new[2];
	int error;

	if (sa->a[0] >= RLIM_NLIMITS)
		return EINVAL;
	if ((error = copyin(sa->a[1], new, sizeof(new))) != 0)
		return error;
	lock_excl(&p->p_lock);
	error = limit_set(p, (uint32_t)sa->a[0], new);
	lock_release(&p->p_lock);
	return error;
}

static bool
may_control(const struct proc *p)
{
	const struct ucred *a = curcred(), *b = p->p_cred;

	return p == curproc() || cred_capable(a, CAP_SYS_RESOURCE) ||
	    (a->cr_ruid == b->cr_uid && a->cr_ruid == b->cr_ruid &&
	    a->cr_ruid == b->cr_svuid);
}

int
sys_prlimit64(struct syscall_args *sa)
{
	struct proc *p;
	uint64_t new[2], old[2];
	uint32_t which = (uint32_t)sa->a[1];
	int error = 0;

	if (which >= RLIM_NLIMITS)
		return EINVAL;
	if (sa->a[2] != 0 &&
	    (error = copyin(sa->a[2], new, sizeof(new))) != 0)
		return error;
	p = proc_find(sa->a[0] ? (pid_t)sa->a[0] : curproc()->p_pid);
	if (p == NULL)
		return ESRCH;
	lock_excl(&p->p_lock);
	memcpy(old, p->p_rlimit[which], sizeof(old));
	if (!may_control(p))
		error = EPERM;
	else if (sa->a[2] != 0)
		error = limit_set(p, which, new);
	lock_release(&p->p_lock);
	proc_rele(p);
	if (error || sa->a[3] == 0)
		return error;
	return copyout(old, sa->a[3], sizeof(old));
}

void
limits_init(struct proc *p)
{
	static const struct { int which; uint64_t cur, max; } set[] = {
		{ RLIMIT_STACK, 8 << 20, RLIM_INFINITY },
		{ RLIMIT_CORE, 0, RLIM_INFINITY },
		{ RLIMIT_NOFILE, 1024, 1 << 20 },
		{ RLIMIT_MEMLOCK, 8 << 20, 8 << 20 },
		{ RLIMIT_NICE, 0, 0 }, { RLIMIT_RTPRIO, 0, 0 },
		{ RLIMIT_MSGQUEUE, 819200, 819200 },
	};
	size_t i;

	for (i = 0; i < RLIM_NLIMITS; i++)
		p->p_rlimit[i][0] = p->p_rlimit[i][1] = RLIM_INFINITY;
	for (i = 0; i < nitems(set); i++) {
		p->p_rlimit[set[i].which][0] = set[i].cur;
		p->p_rlimit[set[i].which][1] = set[i].max;
	}
}

/* ---- priorities ---- */

static bool
prio_matches(const struct proc *p, int which, uint32_t who)
{
	const struct proc *self = curproc();

	switch (which) {
	case 0:
		return p->p_pid == (pid_t)(who ? who : (uint32_t)self->p_pid);
	case 1:
		return p->p_pgrp != NULL && p->p_pgrp->pg_id ==
		    (pid_t)(who ? who : (uint32_t)self->p_pgrp->pg_id);
	default:
		return p->p_cred != NULL && p->p_cred->cr_ruid ==
		    (who ? who : self->p_cred->cr_ruid);
	}
}

/* The result is 20 - nice, so that it is never negative. */
int
sys_getpriority(struct syscall_args *sa)
{
	struct proc *p;
	int best = -100;

	if (sa->a[0] > 2)
		return EINVAL;
	spin_lock(&proc_spin);
	TAILQ_FOREACH(p, &allproc, p_all)
		if (prio_matches(p, (int)sa->a[0], (uint32_t)sa->a[1]))
			best = MAX(best, 20 - p->p_nice);
	spin_unlock(&proc_spin);
	sa->result = best;
	return best == -100 ? ESRCH : 0;
}

int
sys_setpriority(struct syscall_args *sa)
{
	struct proc *p;
	int nice = MAX(MIN((int)sa->a[2], 19), -20), error = ESRCH;

	if (sa->a[0] > 2)
		return EINVAL;
	spin_lock(&proc_spin);
	TAILQ_FOREACH(p, &allproc, p_all) {
		if (!prio_matches(p, (int)sa->a[0], (uint32_t)sa->a[1]))
			continue;
		if (!may_control(p) && !cred_capable(curcred(), CAP_SYS_NICE))
			error = EPERM;
		else if (nice < p->p_nice &&
		    !cred_capable(curcred(), CAP_SYS_NICE))
			error = EACCES;
		else {
			p->p_nice = nice;
			error = error == ESRCH ? 0 : error;
		}
	}
	spin_unlock(&proc_spin);
	return error;
}

int
sys_sched_yield(struct syscall_args *sa __unused)
{
	lwkt_yield();
	return 0;
}

/* Threads go where there is room; affinity is accepted if it names a CPU
 * that exists, and not kept. */
int
sys_sched_getaffinity(struct syscall_args *sa)
{
	uint64_t mask = ncpus == 64 ? ~0ULL : (1ULL << ncpus) - 1;

	if (sa->a[1] < 8 || (sa->a[1] & 7))
		return EINVAL;
	sa->result = 8;
	return copyout(&mask, sa->a[2], 8);
}

int
sys_sched_setaffinity(struct syscall_args *sa)
{
	uint64_t mask = 0;
	int error = copyin(sa->a[2], &mask, MIN(sa->a[1], 8));

	if (error)
		return error;
	return mask & (ncpus == 64 ? ~0ULL : (1ULL << ncpus) - 1) ? 0 : EINVAL;
}

int
sys_sched_getscheduler(struct syscall_args *sa)
{
	sa->result = 0;			/* SCHED_OTHER */
	return 0;
}

int
sys_sched_setscheduler(struct syscall_args *sa)
{
	/* OTHER, BATCH, IDLE; there is no real time. */
	return sa->a[1] == 0 || sa->a[1] == 3 || sa->a[1] == 5 ? 0 : EPERM;
}

int
sys_sched_getparam(struct syscall_args *sa)
{
	int32_t prio = 0;

	return copyout(&prio, sa->a[1], 4);
}

int
sys_sched_setparam(struct syscall_args *sa)
{
	int32_t prio;
	int error = copyin(sa->a[1], &prio, 4);

	return error ? error : prio != 0 ? EINVAL : 0;
}

int
sys_sched_get_priority_max(struct syscall_args *sa)
{
	if (sa->a[0] > 6)
		return EINVAL;
	sa->result = sa->a[0] == 1 || sa->a[0] == 2 ? 99 : 0;
	return 0;
}

int
sys_sched_get_priority_min(struct syscall_args *sa)
{
	if (sa->a[0] > 6)
		return EINVAL;
	sa->result = sa->a[0] == 1 || sa->a[0] == 2 ? 1 : 0;
	return 0;
}

int
sys_sched_rr_get_interval(struct syscall_args *sa)
{
	return copyout_timespec(10 * 1000 * 1000, sa->a[1]);
}

int
sys_getcpu(struct syscall_args *sa)
{
	uint32_t cpu = (uint32_t)mycpu->gd_cpuid, node = 0;
	int error = 0;

	if (sa->a[0] != 0)
		error = copyout(&cpu, sa->a[0], 4);
	if (error == 0 && sa->a[1] != 0)
		error = copyout(&node, sa->a[1], 4);
	return error;
}

/* ---- the system ---- */

static char hostname[65] = "anax", domainname[65] = "(none)";

const char *
sys_hostname(void)
{
	return hostname;
}

int
sys_uname(struct syscall_args *sa)
{
	static const char *const fixed[6] = {
		"Linux", NULL, ANAX_OSRELEASE, ANAX_VERSION, "x86_64", NULL,
	};
	char u[6][65];
	int i;

	memset(u, 0, sizeof(u));
	for (i = 0; i < 6; i++)
		kstrlcpy(u[i], i == 1 ? hostname : i == 5 ? domainname :
		    fixed[i], 65);
	return copyout(u, sa->a[0], sizeof(u));
}

static int
name_set(char *name, vm_offset_t u, uint64_t len)
{
	char buf[65];
	int error;

	if (!cred_capable(curcred(), CAP_SYS_ADMIN))
		return EPERM;
	if (len > 64)
		return EINVAL;
	if ((error = copyin(u, buf, len)) != 0)
		return error;
	buf[len] = '\0';
	memcpy(name, buf, len + 1);
	return 0;
}

int
sys_sethostname(struct syscall_args *sa)
{
	return name_set(hostname, sa->a[0], sa->a[1]);
}

int
sys_setdomainname(struct syscall_args *sa)
{
	return name_set(domainname, sa->a[0], sa->a[1]);
}

int
sys_sysinfo(struct syscall_args *sa)
{
	struct {
		int64_t	 uptime;
		uint64_t loads[3], totalram, freeram, sharedram, bufferram,
		    totalswap, freeswap;
		uint16_t procs, pad;
		uint64_t totalhigh, freehigh;
		uint32_t mem_unit;
	} si;

	memset(&si, 0, sizeof(si));
	si.uptime = (int64_t)(clock_mono_ns() / NSEC_PER_SEC);
	si.totalram = atomic_load_relaxed(&vm_pages_total) * PAGE_SIZE;
	si.freeram = atomic_load_relaxed(&vm_pages_free) * PAGE_SIZE;
	si.procs = (uint16_t)MIN(proc_count, 65535);
	si.mem_unit = 1;
	return copyout(&si, sa->a[0], sizeof(si));
}

int
sys_getrandom(struct syscall_args *sa)
{
	uint8_t buf[256];
	uint64_t done = 0, len = MIN(sa->a[1], 0x7ffff000ULL), n;
	int error;

	if (sa->a[2] & ~7ULL)
		return EINVAL;
	while (done < len) {
		n = MIN(len - done, sizeof(buf));
		random_bytes(buf, n);
		if ((error = copyout(buf, sa->a[0] + done, n)) != 0)
			return done ? 0 : error;
		done += n;
		sa->result = (int64_t)done;
		if (done < len && sig_pending_error())
			break;
	}
	return 0;
}

int
sys_personality(struct syscall_args *sa)
{
	struct proc *p = curproc();

	sa->result = (int64_t)p->p_personality;
	if ((uint32_t)sa->a[0] != 0xffffffffu)
		p->p_personality = (uint32_t)sa->a[0];
	return 0;
}

enum {
	PR_SET_PDEATHSIG = 1, PR_GET_PDEATHSIG = 2, PR_GET_DUMPABLE = 3,
	PR_SET_DUMPABLE = 4, PR_GET_KEEPCAPS = 7, PR_SET_KEEPCAPS = 8,
	PR_SET_NAME = 15, PR_GET_NAME = 16, PR_CAPBSET_READ = 23,
	PR_CAPBSET_DROP = 24, PR_SET_CHILD_SUBREAPER = 36,
	PR_GET_CHILD_SUBREAPER = 37, PR_SET_NO_NEW_PRIVS = 38,
	PR_GET_NO_NEW_PRIVS = 39,
};

int
sys_prctl(struct syscall_args *sa)
{
	struct lwp *lp = curlwp();
	struct proc *p = lp->lwp_proc;
	char name[16];
	int32_t v;
	int error;

	switch ((int)sa->a[0]) {
	case PR_SET_PDEATHSIG:
		if (sa->a[1] > NSIG)
			return EINVAL;
		p->p_pdeathsig = (int)sa->a[1];
		return 0;
	case PR_GET_PDEATHSIG:
		v = p->p_pdeathsig;
		return copyout(&v, sa->a[1], 4);
	case PR_GET_DUMPABLE:
		sa->result = !(p->p_flags & PF_SUGID);
		return 0;
	case PR_SET_DUMPABLE:
		return sa->a[1] > 1 ? EINVAL : 0;
	case PR_SET_NAME:
		memset(name, 0, sizeof(name));
		error = copyinstr(sa->a[1], name, 15, NULL);
		if (error && error != ENAMETOOLONG)
			return error;
		memcpy(lp->lwp_comm, name, 16);
		if (lp->lwp_tid == p->p_pid)
			memcpy(p->p_comm, name, 16);
		return 0;
	case PR_GET_NAME:
		return copyout(lp->lwp_comm, sa->a[1], 16);
	case PR_CAPBSET_READ:
		if (sa->a[1] > 40)
			return EINVAL;
		sa->result = 1;
		return 0;
	case PR_SET_CHILD_SUBREAPER:
		p->p_subreaper = sa->a[1] != 0;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		v = p->p_subreaper;
		return copyout(&v, sa->a[1], 4);
	case PR_GET_KEEPCAPS:
	case PR_GET_NO_NEW_PRIVS:
		sa->result = 0;
		return 0;
	}
	return EINVAL;
}

/* Commands as Linux numbers them; all are global barriers here. */
static void
barrier_ipi(void *a __unused, void *b __unused)
{
	atomic_fence();
}

int
sys_membarrier(struct syscall_args *sa)
{
	uint32_t cmd = (uint32_t)sa->a[0];

	if (sa->a[1] != 0)
		return EINVAL;
	switch (cmd) {
	case 0:				/* query */
		sa->result = 0x1f;
		return 0;
	case 1: case 2: case 8:
		lwkt_ipi_sync(ncpus == 64 ? ~0ULL : (1ULL << ncpus) - 1,
		    barrier_ipi, NULL, NULL);
		return 0;
	case 4: case 16:		/* registrations */
		return 0;
	}
	return EINVAL;
}

/* The kernel's messages, as dmesg reads them. */
int
sys_syslog(struct syscall_args *sa)
{
	enum { ROOM = 65536 };
	size_t size = MIN((uint32_t)sa->a[2], (uint32_t)ROOM), n;
	uint64_t pos = 0;
	char *buf;
	int error;

	switch ((int)sa->a[0]) {
	case 3: case 4:			/* read all */
		if (size == 0)
			return EINVAL;
		buf = kmalloc(ROOM, &M_TEMP, M_WAITOK);
		n = msgbuf_read(&pos, buf, ROOM);
		size = MIN(size, n);
		error = copyout(buf + n - size, sa->a[1], size);
		sa->result = (int64_t)size;
		kfree(buf, &M_TEMP);
		return error;
	case 5: case 6: case 7: case 8:	/* clear, console on, off, level */
		return cred_capable(curcred(), CAP_SYS_ADMIN) ? 0 : EPERM;
	case 9:				/* unread */
		sa->result = 0;
		return 0;
	case 10:			/* size */
		sa->result = 65536;
		return 0;
	}
	return EINVAL;
}

/* ---- the end ---- */

static int
mount_collect(struct mount *mp, void *arg)
{
	struct mount **last = arg;

	mount_ref(mp);
	if (*last != NULL)
		mount_rele(*last);
	*last = mp;
	return 0;
}

/*
 * Everything that was written becomes durable, and filesystems are left
 * clean: unmounted from the last mounted to the first.  Those that are in
 * use (the root, at least by us) are detached by force.
 */
void
proc_system_down(const char *why)
{
	struct mount *mp;
	int i, error;

	kprintf("system: %s\n", why);
	vfs_sync_all(true);
	for (i = 0; i < 1000; i++) {
		mp = NULL;
		mount_foreach(mount_collect, &mp);
		if (mp == NULL)
			break;
		error = vfs_unmount(mp, true);
		if (error) {
			kprintf("unmount of %s: error %d\n", mp->mnt_from,
			    error);
			vfs_sync(mp, true);
			mount_rele(mp);
			break;
		}
	}
	vfs_sync_all(true);
}

#define RB_AUTOBOOT	0x01234567u
#define RB_HALT		0xcdef0123u
#define RB_POWEROFF	0x4321fedcu
#define RB_CAD_ON	0x89abcdefu
#define RB_CAD_OFF	0u

int
sys_reboot(struct syscall_args *sa)
{
	uint32_t magic2 = (uint32_t)sa->a[1];

	if (!cred_capable(curcred(), CAP_SYS_BOOT))
		return EPERM;
	if ((uint32_t)sa->a[0] != 0xfee1dead || (magic2 != 672274793 &&
	    magic2 != 85072278 && magic2 != 369367448 && magic2 != 537993216))
		return EINVAL;
	switch ((uint32_t)sa->a[2]) {
	case RB_CAD_ON:
	case RB_CAD_OFF:
		return 0;
	case RB_AUTOBOOT:
		proc_system_down("restarting");
		md_reboot();
	case RB_HALT:
		proc_system_down("halted");
		md_halt();
	case RB_POWEROFF:
		proc_system_down("powering off");
		md_poweroff();
	}
	return EINVAL;
}
