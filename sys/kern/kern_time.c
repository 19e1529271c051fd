/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks, sleeping, and interval timers. */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/syscall.h>
#include <sys/systm.h>
#include <sys/time.h>
#include <sys/ucred.h>

static MALLOC_DEFINE(M_TIMER, "timer");

enum {
	CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_PROCESS_CPUTIME = 2,
	CLOCK_THREAD_CPUTIME = 3, CLOCK_MONOTONIC_RAW = 4,
	CLOCK_REALTIME_COARSE = 5, CLOCK_MONOTONIC_COARSE = 6,
	CLOCK_BOOTTIME = 7, CLOCK_REALTIME_ALARM = 8,
	CLOCK_BOOTTIME_ALARM = 9, CLOCK_TAI = 11,
};
enum { TIMER_ABSTIME = 1 };
enum { SIGEV_SIGNAL = 0, SIGEV_NONE = 1, SIGEV_THREAD_ID = 4 };

/* Timers that have a deadline farther away than this never fire. */
#define NS_FOREVER	(1ULL << 62)

int
copyin_timespec(vm_offset_t uaddr, nsec_t *ns)
{
	struct timespec ts;
	int error = copyin(uaddr, &ts, sizeof(ts));

	if (error)
		return error;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= 1000000000)
		return EINVAL;
	*ns = ts.tv_sec > (int64_t)(NS_FOREVER / NSEC_PER_SEC) ? NS_FOREVER :
	    (nsec_t)ts.tv_sec * NSEC_PER_SEC + (nsec_t)ts.tv_nsec;
	return 0;
}

int
copyout_timespec(nsec_t ns, vm_offset_t uaddr)
{
	struct timespec ts = {
		.tv_sec = (int64_t)(ns / NSEC_PER_SEC),
		.tv_nsec = (int64_t)(ns % NSEC_PER_SEC),
	};

	return copyout(&ts, uaddr, sizeof(ts));
}

static nsec_t
lwp_cputime(struct lwp *lp)
{
	nsec_t t = lp->lwp_thread->td_cputime;

	if (lp->lwp_thread == curthread)
		t += clock_mono_ns() - mycpu->gd_switchtime;
	return t;
}

static nsec_t
proc_cputime(struct proc *p)
{
	struct lwp *lp;
	nsec_t t;

	spin_lock(&proc_spin);
	t = p->p_ru.ru_utime + p->p_ru.ru_stime;
	LIST_FOREACH(lp, &p->p_lwps, lwp_list)
		t += lwp_cputime(lp);
	spin_unlock(&proc_spin);
	return t;
}

static int
clock_read(int id, nsec_t *ns)
{
	switch (id) {
	case CLOCK_REALTIME: case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM: case CLOCK_TAI:
		*ns = clock_wall_ns();
		return 0;
	case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE: case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ns = clock_mono_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME:
		*ns = proc_cputime(curproc());
		return 0;
	case CLOCK_THREAD_CPUTIME:
		*ns = lwp_cputime(curlwp());
		return 0;
	}
	return EINVAL;
}

static bool
clock_is_wall(int id)
{
	return id == CLOCK_REALTIME || id == CLOCK_REALTIME_ALARM ||
	    id == CLOCK_TAI;
}

syscall_fn sys_time, sys_gettimeofday, sys_settimeofday, sys_clock_gettime,
    sys_clock_settime, sys_clock_getres, sys_nanosleep, sys_clock_nanosleep,
    sys_alarm, sys_getitimer, sys_setitimer, sys_timer_create,
    sys_timer_settime, sys_timer_gettime, sys_timer_getoverrun,
    sys_timer_delete;

int
sys_time(struct syscall_args *sa)
{
	int64_t t = (int64_t)(clock_wall_ns() / NSEC_PER_SEC);

	sa->result = t;
	return sa->a[0] ? copyout(&t, sa->a[0], sizeof(t)) : 0;
}

int
sys_gettimeofday(struct syscall_args *sa)
{
	struct timeval tv = ns_to_timeval(clock_wall_ns());
	int32_t tz[2] = { 0, 0 };
	int error = 0;

	if (sa->a[0] != 0)
		error = copyout(&tv, sa->a[0], sizeof(tv));
	if (error == 0 && sa->a[1] != 0)
		error = copyout(tz, sa->a[1], sizeof(tz));
	return error;
}

int
sys_settimeofday(struct syscall_args *sa)
{
	struct timeval tv;
	int error;

	if (!cred_capable(curcred(), CAP_SYS_TIME))
		return EPERM;
	if (sa->a[0] == 0)		/* the time zone is nobody's business */
		return 0;
	if ((error = copyin(sa->a[0], &tv, sizeof(tv))) != 0)
		return error;
	if (tv.tv_sec < 0 || tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return EINVAL;
	clock_wall_set((nsec_t)tv.tv_sec * NSEC_PER_SEC +
	    (nsec_t)tv.tv_usec * 1000);
	return 0;
}

int
sys_clock_gettime(struct syscall_args *sa)
{
	nsec_t ns;
	int error = clock_read((int)sa->a[0], &ns);

	return error ? error : copyout_timespec(ns, sa->a[1]);
}

int
sys_clock_settime(struct syscall_args *sa)
{
	nsec_t ns;
	int error;

	if ((int)sa->a[0] != CLOCK_REALTIME)
		return EINVAL;
	if (!cred_capable(curcred(), CAP_SYS_TIME))
		return EPERM;
	if ((error = copyin_timespec(sa->a[1], &ns)) != 0)
		return error;
	clock_wall_set(ns);
	return 0;
}

int
sys_clock_getres(struct syscall_args *sa)
{
	nsec_t ns;
	int id = (int)sa->a[0], error = clock_read(id, &ns);

	if (error || sa->a[1] == 0)
		return error;
	return copyout_timespec(1, sa->a[1]);
}

/*
 * Sleep to a monotonic deadline.  Interrupted without a handler it goes on to
 * the same deadline (the call is restarted with LWPF_RESUME).
 */
static int
sleep_until(nsec_t deadline, vm_offset_t urem)
{
	struct lwp *lp = curlwp();
	nsec_t now;
	int error;

	if (lp->lwp_flags & LWPF_RESUME) {
		atomic_fetch_and(&lp->lwp_flags, ~LWPF_RESUME);
		deadline = lp->lwp_deadline;
	}
	while ((now = clock_mono_ns()) < deadline) {
		error = tsleep(&lp->lwp_deadline, PCATCH, "nanoslp",
		    MIN(deadline - now, NS_FOREVER));
		if (error == 0 || error == EWOULDBLOCK)
			continue;
		now = clock_mono_ns();
		if (urem != 0 && (error = copyout_timespec(
		    deadline > now ? deadline - now : 0, urem)) != 0)
			return error;
		lp->lwp_deadline = deadline;
		atomic_fetch_or(&lp->lwp_flags, LWPF_RESUME);
		return ERESTARTNOHAND;
	}
	return 0;
}

int
sys_nanosleep(struct syscall_args *sa)
{
	nsec_t ns;
	int error = copyin_timespec(sa->a[0], &ns);

	if (error)
		return error;
	return sleep_until(clock_mono_ns() + ns, sa->a[1]);
}

int
sys_clock_nanosleep(struct syscall_args *sa)
{
	int id = (int)sa->a[0];
	nsec_t ns, now;
	int error;

	if (id == CLOCK_THREAD_CPUTIME || (error = clock_read(id, &now)) != 0)
		return EINVAL;
	if ((error = copyin_timespec(sa->a[2], &ns)) != 0)
		return error;
	if ((sa->a[1] & TIMER_ABSTIME) == 0)
		return sleep_until(clock_mono_ns() + ns, sa->a[3]);
	return sleep_until(clock_mono_ns() + (ns > now ? ns - now : 0), 0);
}

/* ---- interval timers ---- */

static void
itimer_fire(void *arg)
{
	struct itimer *it = arg;
	struct proc *p = it->it_proc;
	struct lwp *lp;
	struct ksiginfo ksi = {
		.ksi_code = it->it_id < 0 ? SI_KERNEL : SI_TIMER,
		.ksi_pid = it->it_id, .ksi_value = it->it_value,
	};
	nsec_t now = clock_mono_ns(), next = 0;

	spin_lock(&proc_spin);
	if (it->it_deadline == 0) {
		spin_unlock(&proc_spin);
		return;
	}
	if (now < it->it_deadline) {
		next = it->it_deadline;
	} else {
		if (it->it_interval != 0) {
			next = it->it_deadline + it->it_interval;
			if (next <= now)
				next += (now - next) / it->it_interval *
				    it->it_interval + it->it_interval;
		}
		it->it_deadline = next;
		if (!it->it_none) {
			lp = it->it_tid ? lwp_find_locked(it->it_tid) : NULL;
			if (lp != NULL && lp->lwp_proc == p)
				lwp_signal_locked(lp, it->it_signo, &ksi);
			else
				psignal_locked(p, it->it_signo, &ksi);
		}
	}
	if (next != 0)
		callout_reset(&it->it_callout, next > now ? next - now : 1);
	spin_unlock(&proc_spin);
}

/* p_lock held.  deadline 0: off. */
static void
itimer_arm(struct itimer *it, nsec_t deadline, nsec_t interval)
{
	nsec_t now = clock_mono_ns();

	callout_drain(&it->it_callout);
	spin_lock(&proc_spin);
	it->it_deadline = deadline;
	it->it_interval = interval;
	if (deadline != 0)
		callout_reset(&it->it_callout,
		    deadline > now ? deadline - now : 1);
	spin_unlock(&proc_spin);
}

static void
itimer_read(struct itimer *it, nsec_t *left, nsec_t *interval)
{
	nsec_t now = clock_mono_ns();

	spin_lock(&proc_spin);
	*left = it->it_deadline == 0 ? 0 :
	    it->it_deadline > now ? it->it_deadline - now : 1;
	*interval = it->it_interval;
	spin_unlock(&proc_spin);
}

/* The process's ITIMER_REAL, made ready on first use. */
static struct itimer *
itimer_real(struct proc *p)
{
	struct itimer *it = &p->p_itreal;

	if (it->it_proc == NULL) {
		callout_init(&it->it_callout, itimer_fire, it);
		it->it_signo = SIGALRM;
		it->it_id = -1;
		it->it_proc = p;
	}
	return it;
}

void
itimer_exec(struct proc *p)
{
	struct itimer *it;

	lock_excl(&p->p_lock);
	while ((it = p->p_timers) != NULL) {
		p->p_timers = it->it_next;
		itimer_arm(it, 0, 0);
		callout_drain(&it->it_callout);
		kfree(it, &M_TIMER);
	}
	lock_release(&p->p_lock);
}

void
itimer_exit(struct proc *p)
{
	itimer_exec(p);
	if (p->p_itreal.it_proc != NULL) {
		itimer_arm(&p->p_itreal, 0, 0);
		callout_drain(&p->p_itreal.it_callout);
	}
}

int
sys_alarm(struct syscall_args *sa)
{
	struct proc *p = curproc();
	struct itimer *it;
	nsec_t left, interval, ns = (uint32_t)sa->a[0] * NSEC_PER_SEC;

	lock_excl(&p->p_lock);
	it = itimer_real(p);
	itimer_read(it, &left, &interval);
	itimer_arm(it, ns ? clock_mono_ns() + ns : 0, 0);
	lock_release(&p->p_lock);
	sa->result = (int64_t)((left + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
	return 0;
}

struct itimerval { struct timeval it_interval, it_value; };

static int
itimer_report(nsec_t left, nsec_t interval, vm_offset_t u)
{
	struct itimerval v = {
		ns_to_timeval(interval), ns_to_timeval(left),
	};

	if (left != 0 && left < 1000)
		v.it_value.tv_usec = 1;
	return copyout(&v, u, sizeof(v));
}

/* ITIMER_VIRTUAL and ITIMER_PROF are not kept: EINVAL says so. */
int
sys_getitimer(struct syscall_args *sa)
{
	struct proc *p = curproc();
	nsec_t left, interval;

	if ((int)sa->a[0] != 0)
		return EINVAL;
	lock_excl(&p->p_lock);
	itimer_read(itimer_real(p), &left, &interval);
	lock_release(&p->p_lock);
	return itimer_report(left, interval, sa->a[1]);
}

static bool
timeval_ok(const struct timeval *tv)
{
	return tv->tv_sec >= 0 && tv->tv_usec >= 0 && tv->tv_usec < 1000000 &&
	    tv->tv_sec < (int64_t)(NS_FOREVER / NSEC_PER_SEC);
}

static nsec_t
timeval_ns(const struct timeval *tv)
{
	return (nsec_t)tv->tv_sec * NSEC_PER_SEC + (nsec_t)tv->tv_usec * 1000;
}

int
sys_setitimer(struct syscall_args *sa)
{
	struct proc *p = curproc();
	struct itimerval v;
	struct itimer *it;
	nsec_t left, interval, ns;
	int error;

	if ((int)sa->a[0] != 0)
		return EINVAL;
	memset(&v, 0, sizeof(v));
	if (sa->a[1] != 0 && (error = copyin(sa->a[1], &v, sizeof(v))) != 0)
		return error;
	if (!timeval_ok(&v.it_interval) || !timeval_ok(&v.it_value))
		return EINVAL;
	ns = timeval_ns(&v.it_value);
	lock_excl(&p->p_lock);
	it = itimer_real(p);
	itimer_read(it, &left, &interval);
	itimer_arm(it, ns ? clock_mono_ns() + ns : 0,
	    timeval_ns(&v.it_interval));
	lock_release(&p->p_lock);
	return sa->a[2] ? itimer_report(left, interval, sa->a[2]) : 0;
}

/* p_lock held. */
static struct itimer *
timer_find(struct proc *p, int id)
{
	struct itimer *it;

	for (it = p->p_timers; it != NULL && it->it_id != id;
	    it = it->it_next)
		;
	return it;
}

int
sys_timer_create(struct syscall_args *sa)
{
	struct proc *p = curproc();
	struct {
		uint64_t value;
		int32_t	 signo, notify, tid, pad[11];
	} ev;
	struct itimer *it;
	nsec_t now;
	int error, id = (int)sa->a[0];

	if ((error = clock_read(id, &now)) != 0 || id == CLOCK_THREAD_CPUTIME ||
	    id == CLOCK_PROCESS_CPUTIME)
		return EINVAL;
	memset(&ev, 0, sizeof(ev));
	ev.signo = SIGALRM;
	if (sa->a[1] != 0 && (error = copyin(sa->a[1], &ev, sizeof(ev))) != 0)
		return error;
	if (ev.notify != SIGEV_NONE && (ev.signo < 1 || ev.signo > NSIG ||
	    (ev.notify & ~SIGEV_THREAD_ID)))
		return EINVAL;
	it = kmalloc(sizeof(*it), &M_TIMER, M_WAITOK | M_ZERO);
	callout_init(&it->it_callout, itimer_fire, it);
	it->it_proc = p;
	it->it_signo = ev.signo;
	it->it_clock = id;
	it->it_none = ev.notify == SIGEV_NONE;
	it->it_tid = ev.notify & SIGEV_THREAD_ID ? ev.tid : 0;
	lock_excl(&p->p_lock);
	it->it_id = p->p_nexttimer++;
	it->it_value = sa->a[1] ? ev.value : (uint64_t)it->it_id;
	it->it_next = p->p_timers;
	p->p_timers = it;
	id = it->it_id;
	lock_release(&p->p_lock);
	return copyout(&id, sa->a[2], sizeof(id));
}

struct itimerspec { struct timespec it_interval, it_value; };

static int
itimerspec_report(nsec_t left, nsec_t interval, vm_offset_t u)
{
	int error = copyout_timespec(interval, u);

	return error ? error : copyout_timespec(left, u + 16);
}

int
sys_timer_settime(struct syscall_args *sa)
{
	struct proc *p = curproc();
	struct itimer *it;
	nsec_t interval, ns, left, oldint, base;
	int error;

	if ((error = copyin_timespec(sa->a[2], &interval)) != 0 ||
	    (error = copyin_timespec(sa->a[2] + 16, &ns)) != 0)
		return error;
	lock_excl(&p->p_lock);
	it = timer_find(p, (int)sa->a[0]);
	if (it == NULL) {
		lock_release(&p->p_lock);
		return EINVAL;
	}
	itimer_read(it, &left, &oldint);
	if (ns != 0) {
		if (sa->a[1] & TIMER_ABSTIME) {
			base = clock_is_wall(it->it_clock) ?
			    clock_wall_ns() : clock_mono_ns();
			ns = ns > base ? ns - base : 1;
		}
		ns += clock_mono_ns();
	}
	itimer_arm(it, ns, interval);
	lock_release(&p->p_lock);
	return sa->a[3] ? itimerspec_report(left, oldint, sa->a[3]) : 0;
}

int
sys_timer_gettime(struct syscall_args *sa)
{
	struct proc *p = curproc();
	struct itimer *it;
	nsec_t left = 0, interval = 0;

	lock_excl(&p->p_lock);
	it = timer_find(p, (int)sa->a[0]);
	if (it != NULL)
		itimer_read(it, &left, &interval);
	lock_release(&p->p_lock);
	return it ? itimerspec_report(left, interval, sa->a[1]) : EINVAL;
}

int
sys_timer_getoverrun(struct syscall_args *sa)
{
	struct proc *p = curproc();
	struct itimer *it;

	lock_excl(&p->p_lock);
	it = timer_find(p, (int)sa->a[0]);
	lock_release(&p->p_lock);
	return it ? 0 : EINVAL;
}

int
sys_timer_delete(struct syscall_args *sa)
{
	struct proc *p = curproc();
	struct itimer *it, **prev;

	lock_excl(&p->p_lock);
	for (prev = &p->p_timers; (it = *prev) != NULL; prev = &it->it_next)
		if (it->it_id == (int)sa->a[0])
			break;
	if (it != NULL) {
		*prev = it->it_next;
		itimer_arm(it, 0, 0);
		callout_drain(&it->it_callout);
	}
	lock_release(&p->p_lock);
	kfree(it, &M_TIMER);
	return it ? 0 : EINVAL;
}
