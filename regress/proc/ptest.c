/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes, signals, memory and terminals as a program sees them.
 *
 * Runs inside Anax (regress/proc/boot) and on Linux, which is its oracle: the
 * same binary must pass on both.  Every case is a function that returns 0, or
 * the line where it found something wrong; each runs in a child, so that one
 * that dies or hangs is one failure.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <grp.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1 };

#define CHECK(e) do { if (!(e)) return __LINE__; } while (0)

static volatile sig_atomic_t hits, hit_sig, hit_code;
static volatile pid_t hit_pid;

static void
count(int sig)
{
	hits++;
	hit_sig = sig;
}

static void
record(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	hits++;
	hit_sig = sig;
	hit_code = si->si_code;
	hit_pid = si->si_pid;
}

static void
on(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}

static int
status_of(pid_t pid)
{
	int st = -1;

	return waitpid(pid, &st, 0) == pid ? st : -1;
}

/* ---- processes ---- */

static int
t_fork_wait(void)
{
	pid_t pid = fork();
	int st;

	if (pid == 0)
		_exit(42);
	CHECK(pid > 0);
	st = status_of(pid);
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 42);
	CHECK(waitpid(-1, &st, 0) == -1 && errno == ECHILD);
	return 0;
}

static int
t_fork_many(void)
{
	int i, st, sum = 0;

	for (i = 0; i < 50; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0)
			_exit(i);
	}
	for (i = 0; i < 50; i++) {
		CHECK(wait(&st) > 0 && WIFEXITED(st));
		sum += WEXITSTATUS(st);
	}
	CHECK(sum == 49 * 50 / 2);
	return 0;
}

static int
t_cow(void)
{
	size_t n = 300 * 4096, i;
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	CHECK(p != MAP_FAILED);
	for (i = 0; i < n; i += 4096)
		p[i] = (char)(i >> 12);
	pid = fork();
	if (pid == 0) {
		for (i = 0; i < n; i += 8192)
			p[i] ^= 0x55;
		for (i = 0; i < n; i += 4096)
			if (p[i] != (char)((i >> 12) ^
			    ((i & 4096) ? 0 : 0x55)))
				_exit(1);
		_exit(0);
	}
	for (i = 4096; i < n; i += 8192)
		p[i] ^= 0x33;
	CHECK(status_of(pid) == 0);
	for (i = 0; i < n; i += 4096)
		CHECK(p[i] == (char)((i >> 12) ^ ((i & 4096) ? 0x33 : 0)));
	return 0;
}

static int
t_shared_anon(void)
{
	volatile int *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	CHECK(p != MAP_FAILED);
	pid = fork();
	if (pid == 0) {
		p[1500] = 77;
		_exit(0);
	}
	CHECK(status_of(pid) == 0);
	CHECK(p[1500] == 77);
	return 0;
}

static int
t_vfork(void)
{
	volatile int x = 1;
	pid_t pid = vfork();

	if (pid == 0) {
		x = 2;
		_exit(3);
	}
	CHECK(x == 2);			/* shared, and the parent waited */
	CHECK(WEXITSTATUS(status_of(pid)) == 3);
	return 0;
}

static const char *self_path = "/proc/self/exe";

static int
t_exec(void)
{
	pid_t pid = fork();
	char *argv[] = { "ptest", "exec-child", "a b", "", NULL };
	char *envp[] = { "X=1", "Y=", NULL };

	if (pid == 0) {
		execve(self_path, argv, envp);
		_exit(99);
	}
	CHECK(status_of(pid) == 0);
	CHECK(execve("/nonexistent", argv, envp) == -1 && errno == ENOENT);
	CHECK(execve("/tmp", argv, envp) == -1 && errno == EACCES);
	return 0;
}

static int
exec_child(int argc, char **argv, char **envp)
{
	if (argc != 4 || strcmp(argv[2], "a b") || argv[3][0] || argv[4])
		return 1;
	if (!envp[0] || strcmp(envp[0], "X=1") || strcmp(envp[1], "Y=") ||
	    envp[2])
		return 2;
	return 0;
}

static int
t_script(void)
{
	const char *path = "/tmp/ptest.sh";
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755);
	const char *text = "#!/bin/sh -e\n[ \"$1\" = one ] && exit 5\n";
	pid_t pid;

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	pid = fork();
	if (pid == 0) {
		execl(path, "x", "one", NULL);
		_exit(99);
	}
	CHECK(WEXITSTATUS(status_of(pid)) == 5);
	unlink(path);
	return 0;
}

static int
t_cloexec(void)
{
	int fds[2];
	char c;
	pid_t pid;

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sleep", "sleep", "0", NULL);
		_exit(99);
	}
	close(fds[1]);
	CHECK(read(fds[0], &c, 1) == 0);	/* the exec closed it */
	CHECK(status_of(pid) == 0);
	return 0;
}

static int
t_orphan_reparent(void)
{
	int fds[2], st;
	pid_t pid, pp = 0;

	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		pid_t me = getpid();

		if (fork() == 0) {
			while (getppid() == me)
				sched_yield();
			pp = getppid();
			(void)!write(fds[1], &pp, sizeof(pp));
			_exit(7);
		}
		_exit(0);
	}
	CHECK(status_of(pid) == 0);
	CHECK(read(fds[0], &pp, sizeof(pp)) == sizeof(pp));
	CHECK(pp == getpid());
	CHECK(waitpid(-1, &st, 0) > 0 && WEXITSTATUS(st) == 7);
	return 0;
}

static int
t_waitid(void)
{
	siginfo_t si;
	pid_t pid = fork();

	if (pid == 0)
		_exit(9);
	memset(&si, 0, sizeof(si));
	CHECK(waitid(P_PID, pid, &si, WEXITED | WNOWAIT) == 0);
	CHECK(si.si_pid == pid && si.si_code == CLD_EXITED &&
	    si.si_status == 9 && si.si_signo == SIGCHLD);
	CHECK(waitid(P_ALL, 0, &si, WEXITED) == 0 && si.si_status == 9);
	pid = fork();
	if (pid == 0) {
		raise(SIGKILL);
		_exit(0);
	}
	CHECK(waitid(P_PID, pid, &si, WEXITED) == 0);
	CHECK(si.si_code == CLD_KILLED && si.si_status == SIGKILL);
	return 0;
}

static int
t_stop_cont(void)
{
	int st;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(waitpid(pid, &st, WUNTRACED) == pid);
	CHECK(WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP);
	CHECK(waitpid(pid, &st, WUNTRACED | WNOHANG) == 0);
	CHECK(kill(pid, SIGCONT) == 0);
	CHECK(waitpid(pid, &st, WCONTINUED) == pid && WIFCONTINUED(st));
	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st));
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &st, 0) == pid && WTERMSIG(st) == SIGKILL);
	return 0;
}

static int
t_stop_sleeper(void)
{
	struct timespec ts = { 0, 300000000 }, a, b;
	pid_t pid;
	int st;

	clock_gettime(CLOCK_MONOTONIC, &a);
	pid = fork();
	if (pid == 0)			/* a stop does not break the sleep */
		_exit(nanosleep(&ts, NULL) == 0 ? 0 : 1);
	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st));
	CHECK(kill(pid, SIGCONT) == 0);
	CHECK(status_of(pid) == 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	CHECK((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec >=
	    290000000L);
	return 0;
}

static int
t_groups(void)
{
	pid_t pid, sid;
	int fds[2];

	CHECK(getpgid(0) == getpgrp());
	pid = fork();
	if (pid == 0) {
		for (;;)
			pause();
	}
	CHECK(setpgid(pid, pid) == 0 && getpgid(pid) == pid);
	CHECK(setpgid(pid, 12345678) == -1);
	CHECK(kill(-pid, SIGTERM) == 0);
	CHECK(WTERMSIG(status_of(pid)) == SIGTERM);
	CHECK(kill(-pid, 0) == -1 && errno == ESRCH);
	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		sid = setsid();
		if (sid != getpid() || getsid(0) != sid || getpgrp() != sid)
			_exit(1);
		if (setsid() != -1 || errno != EPERM)
			_exit(2);
		_exit(0);
	}
	CHECK(status_of(pid) == 0);
	return 0;
}

static int
t_orphaned_group(void)
{
	int fds[2], i;
	char c = 0;
	pid_t pid, mid;

	CHECK(pipe(fds) == 0);
	on(SIGHUP, SIG_DFL, 0);
	mid = fork();
	if (mid == 0) {
		pid = fork();
		if (pid == 0) {
			setpgid(0, 0);
			on(SIGHUP, count, 0);
			on(SIGCONT, count, 0);
			close(fds[0]);
			raise(SIGSTOP);
			for (i = 0; hits < 2 && i < 1000000; i++)
				sched_yield();
			c = (char)('0' + hits);
			(void)!write(fds[1], &c, 1);
			_exit(0);
		}
		waitpid(pid, NULL, WUNTRACED);
		_exit(0);		/* its group becomes orphaned */
	}
	close(fds[1]);
	CHECK(WIFEXITED(status_of(mid)));
	CHECK(read(fds[0], &c, 1) == 1 && c == '2');
	return 0;
}

/* ---- signals ---- */

static int
t_sig_self(void)
{
	struct sigaction sa = { .sa_sigaction = record,
	    .sa_flags = SA_SIGINFO };

	hits = 0;
	sigaction(SIGUSR1, &sa, NULL);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(hits == 1 && hit_sig == SIGUSR1 && hit_code == SI_USER &&
	    hit_pid == getpid());
	raise(SIGUSR1);
	CHECK(hits == 2 && hit_code == SI_TKILL);
	return 0;
}

static int
t_sig_mask(void)
{
	sigset_t s, old, pend;

	hits = 0;
	on(SIGUSR1, count, 0);
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigprocmask(SIG_BLOCK, &s, &old);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK(hits == 0);
	sigpending(&pend);
	CHECK(sigismember(&pend, SIGUSR1) == 1);
	sigprocmask(SIG_SETMASK, &old, NULL);
	CHECK(hits == 1);		/* a standard signal does not queue */
	return 0;
}

static int
t_sig_queue(void)
{
	sigset_t s;
	siginfo_t si;
	union sigval v;
	int i;

	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &s, NULL);
	for (i = 0; i < 5; i++) {
		v.sival_int = i * 11;
		CHECK(sigqueue(getpid(), SIGRTMIN + 3, v) == 0);
	}
	for (i = 0; i < 5; i++) {
		CHECK(sigwaitinfo(&s, &si) == SIGRTMIN + 3);
		CHECK(si.si_value.sival_int == i * 11 &&
		    si.si_code == SI_QUEUE);
	}
	return 0;
}

static int
t_sigtimedwait(void)
{
	sigset_t s;
	struct timespec ts = { 0, 20000000 };
	pid_t pid;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	sigprocmask(SIG_BLOCK, &s, NULL);
	CHECK(sigtimedwait(&s, NULL, &ts) == -1 && errno == EAGAIN);
	pid = fork();
	if (pid == 0) {
		kill(getppid(), SIGUSR2);
		_exit(0);
	}
	ts.tv_sec = 10;
	CHECK(sigtimedwait(&s, NULL, &ts) == SIGUSR2);
	status_of(pid);
	return 0;
}

static int
t_sigsuspend(void)
{
	sigset_t s, none;
	pid_t pid;

	hits = 0;
	on(SIGUSR1, count, 0);
	sigemptyset(&none);
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigprocmask(SIG_BLOCK, &s, NULL);
	pid = fork();
	if (pid == 0) {
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	CHECK(sigsuspend(&none) == -1 && errno == EINTR && hits == 1);
	raise(SIGUSR1);
	CHECK(hits == 1);		/* blocked again */
	status_of(pid);
	return 0;
}

static int
restart_case(int flags, ssize_t *n, int *err)
{
	int fds[2];
	char c;
	pid_t pid, me = getpid();

	hits = 0;
	on(SIGUSR1, count, flags);
	if (pipe(fds) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		struct timespec ts = { 0, 50000000 };

		nanosleep(&ts, NULL);
		kill(me, SIGUSR1);
		nanosleep(&ts, NULL);
		(void)!write(fds[1], "x", 1);
		_exit(0);
	}
	*n = read(fds[0], &c, 1);
	*err = errno;
	status_of(pid);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

static int
t_restart(void)
{
	ssize_t n;
	int err;

	CHECK(restart_case(SA_RESTART, &n, &err) == 0);
	CHECK(n == 1 && hits == 1);
	CHECK(restart_case(0, &n, &err) == 0);
	CHECK(n == -1 && err == EINTR && hits == 1);
	return 0;
}

static volatile char *alt_lo, *alt_hi;
static volatile int on_alt;

static void
alt_handler(int sig)
{
	char here;

	(void)sig;
	on_alt = &here >= alt_lo && &here < alt_hi;
	hits++;
}

static int
t_altstack(void)
{
	size_t size = 64 << 10;
	char *mem = malloc(size);
	stack_t ss = { .ss_sp = mem, .ss_size = size }, old;

	hits = 0;
	alt_lo = mem;
	alt_hi = mem + size;
	CHECK(sigaltstack(&ss, NULL) == 0);
	CHECK(sigaltstack(NULL, &old) == 0 && old.ss_sp == mem);
	on(SIGUSR1, alt_handler, SA_ONSTACK);
	raise(SIGUSR1);
	CHECK(hits == 1 && on_alt);
	on(SIGUSR1, alt_handler, 0);
	raise(SIGUSR1);
	CHECK(hits == 2 && !on_alt);
	return 0;
}

static void
spoil_fpu(int sig)
{
	volatile double d = 1.0;
	int i;

	(void)sig;
	for (i = 0; i < 50; i++)
		d = d * 1.7 + 3;
	__asm__ volatile("pcmpeqd %%xmm0,%%xmm0; pcmpeqd %%xmm7,%%xmm7;"
	    "pcmpeqd %%xmm15,%%xmm15" ::: "xmm0", "xmm7", "xmm15");
	hits++;
}

static int
t_sig_fpu(void)
{
	uint64_t a = 0x1122334455667788ULL, b = 0, pid = (uint64_t)getpid();

	hits = 0;
	on(SIGUSR1, spoil_fpu, 0);
	/* kill(pid, SIGUSR1) with a value kept in xmm7 only. */
	__asm__ volatile("movq %1, %%xmm7\n\t"
	    "movl $62, %%eax\n\tmovq %2, %%rdi\n\tmovl $10, %%esi\n\t"
	    "syscall\n\tmovq %%xmm7, %0"
	    : "=r" (b) : "r" (a), "r" (pid)
	    : "rax", "rdi", "rsi", "rcx", "r11", "xmm7", "memory");
	CHECK(hits == 1 && a == b);
	return 0;
}

static sigjmp_buf jb;

static void
jump(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	hit_sig = sig;
	hit_code = si->si_code;
	hit_pid = (pid_t)((uintptr_t)si->si_addr >> 12);
	siglongjmp(jb, 1);
}

static int
faults(volatile char *p, bool write)
{
	struct sigaction sa = { .sa_sigaction = jump, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	hit_sig = hit_code = 0;
	if (sigsetjmp(jb, 1) == 0) {
		if (write)
			*p = 1;
		else
			(void)*p;
	}
	return hit_sig;
}

static volatile char *volatile nowhere = (char *)8;

static int
t_segv(void)
{
	char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	CHECK(faults((char *)16, false) == SIGSEGV);
	CHECK(hit_code == SEGV_MAPERR);
	CHECK(mprotect(p + 4096, 4096, PROT_READ) == 0);
	CHECK(faults(p + 4096, false) == 0);
	CHECK(faults(p + 4096, true) == SIGSEGV && hit_code == SEGV_ACCERR);
	CHECK(faults(p, true) == 0 && faults(p + 8192, true) == 0);
	CHECK(mprotect(p, 4096, PROT_NONE) == 0);
	CHECK(faults(p, false) == SIGSEGV);
	CHECK(munmap(p + 8192, 4096) == 0);
	CHECK(faults(p + 8192, false) == SIGSEGV && hit_code == SEGV_MAPERR);
	pid = fork();
	if (pid == 0) {
		on(SIGSEGV, SIG_DFL, 0);
		*nowhere = 1;
		_exit(0);
	}
	CHECK(WTERMSIG(status_of(pid)) == SIGSEGV);
	return 0;
}

static int
t_chld_ign(void)
{
	int i, st;

	on(SIGCHLD, SIG_IGN, 0);
	for (i = 0; i < 5; i++)
		if (fork() == 0)
			_exit(0);
	CHECK(waitpid(-1, &st, 0) == -1 && errno == ECHILD);
	return 0;
}

static int
t_chld_info(void)
{
	struct sigaction sa = { .sa_sigaction = record,
	    .sa_flags = SA_SIGINFO | SA_RESTART };
	pid_t pid;

	hits = 0;
	sigaction(SIGCHLD, &sa, NULL);
	pid = fork();
	if (pid == 0)
		_exit(0);
	status_of(pid);
	CHECK(hits == 1 && hit_code == CLD_EXITED && hit_pid == pid);
	return 0;
}

static int
t_sigpipe(void)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	close(fds[0]);
	hits = 0;
	on(SIGPIPE, count, 0);
	CHECK(write(fds[1], "x", 1) == -1 && errno == EPIPE && hits == 1);
	return 0;
}

/* ---- time ---- */

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static int
t_nanosleep(void)
{
	struct timespec ts = { 0, 30000000 }, rem;
	struct itimerval it = { { 0, 0 }, { 0, 20000 } };
	int64_t t = now_ns();

	CHECK(nanosleep(&ts, NULL) == 0 && now_ns() - t >= 30000000);
	on(SIGALRM, count, SA_RESTART);
	CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
	ts.tv_sec = 5;
	CHECK(nanosleep(&ts, &rem) == -1 && errno == EINTR);
	CHECK(rem.tv_sec == 5 || rem.tv_sec == 4);
	ts.tv_nsec = 1000000000;
	CHECK(nanosleep(&ts, NULL) == -1 && errno == EINVAL);
	return 0;
}

static int
t_itimer(void)
{
	struct itimerval it = { { 0, 5000 }, { 0, 5000 } }, off = { 0 }, old;

	hits = 0;
	on(SIGALRM, count, SA_RESTART);
	CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
	while (hits < 5)
		pause();
	CHECK(setitimer(ITIMER_REAL, &off, &old) == 0);
	CHECK(old.it_interval.tv_usec == 5000);
	alarm(100);
	CHECK(alarm(0) >= 99);
	return 0;
}

static int
t_posix_timer(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
	    .sigev_signo = SIGUSR2 };
	struct itimerspec its = { { 0, 0 }, { 0, 10000000 } };
	struct sigaction sa = { .sa_sigaction = record,
	    .sa_flags = SA_SIGINFO };
	timer_t t;

	hits = 0;
	sigaction(SIGUSR2, &sa, NULL);
	CHECK(timer_create(CLOCK_MONOTONIC, &ev, &t) == 0);
	CHECK(timer_settime(t, 0, &its, NULL) == 0);
	while (hits == 0)
		sched_yield();
	CHECK(hit_code == SI_TIMER);
	CHECK(timer_delete(t) == 0);
	return 0;
}

static int
t_cputime(void)
{
	struct rusage ru;
	struct tms tms;
	struct timespec a, b;
	volatile unsigned i;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (i = 0; i < 30000000; i++)
		;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	CHECK(b.tv_sec > a.tv_sec || b.tv_nsec > a.tv_nsec);
	CHECK(getrusage(RUSAGE_SELF, &ru) == 0);
	CHECK(ru.ru_utime.tv_sec + ru.ru_utime.tv_usec > 0);
	CHECK(times(&tms) != (clock_t)-1);
	return 0;
}

/* ---- memory ---- */

static int
t_brk(void)
{
	char *a = sbrk(0), *b;

	b = (char *)syscall(SYS_brk, a + 100000);
	CHECK(b == a + 100000);
	memset(a, 1, 100000);
	CHECK((char *)syscall(SYS_brk, a) == a);
	CHECK((char *)syscall(SYS_brk, a + 8192) == a + 8192);
	CHECK(a[5000] == 0);		/* fresh again */
	syscall(SYS_brk, a);
	return 0;
}

static int
tmpfile_fd(size_t size)
{
	char name[] = "/tmp/ptestXXXXXX";
	int fd = mkstemp(name);

	if (fd < 0)
		return -1;
	unlink(name);
	if (ftruncate(fd, (off_t)size) != 0)
		return -1;
	return fd;
}

static int
t_mmap_shared(void)
{
	int fd = tmpfile_fd(3 * 4096);
	char *p, *q, buf[16];

	CHECK(fd >= 0);
	p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 4096);
	CHECK(q != MAP_FAILED);
	strcpy(p + 4096, "through memory");
	CHECK(pread(fd, buf, 15, 4096) == 15 && !strcmp(buf, "through memory"));
	CHECK(!strcmp(q, "through memory"));
	CHECK(pwrite(fd, "through write!", 15, 4096) == 15);
	CHECK(!strcmp(p + 4096, "through write!"));
	CHECK(!strcmp(q, "through write!"));
	q[0] = 'X';			/* private from here on */
	CHECK(p[4096] == 't');
	p[4096] = 'Z';
	CHECK(q[0] == 'X');
	CHECK(msync(p, 3 * 4096, MS_SYNC) == 0);
	p[4096] = 'W';			/* a store after the flush counts too */
	CHECK(pread(fd, buf, 1, 4096) == 1 && buf[0] == 'W');
	close(fd);
	CHECK(p[4096] == 'W');
	return 0;
}

static int
t_mmap_truncate(void)
{
	int fd = tmpfile_fd(4 * 4096);
	char *p;

	CHECK(fd >= 0);
	p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	memset(p, 'a', 4 * 4096);
	CHECK(ftruncate(fd, 4096 + 100) == 0);
	CHECK(faults(p + 4096 + 50, false) == 0 && p[4096 + 50] == 'a');
	CHECK(faults(p + 2 * 4096, false) == SIGBUS);
	CHECK(ftruncate(fd, 4 * 4096) == 0);
	CHECK(faults(p + 2 * 4096, false) == 0);
	CHECK(p[2 * 4096] == 0 && p[4096 + 200] == 0 && p[4096 + 99] == 'a');
	return 0;
}

static int
t_mmap_errors(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	CHECK(fd >= 0);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
	    MAP_FAILED && errno == EACCES);
	CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED &&
	    errno == EINVAL);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 999, 0) == MAP_FAILED &&
	    errno == EBADF);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 5) == MAP_FAILED &&
	    errno == EINVAL);
	CHECK(munmap((void *)1, 4096) == -1 && errno == EINVAL);
	CHECK(mprotect((void *)0x10000, 4096, PROT_READ) == -1 &&
	    errno == ENOMEM);
	return 0;
}

static int
t_mremap(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;

	strcpy(p, "first");
	strcpy(p + 4096, "second");
	/* Something right behind, so that it must move. */
	mmap(p + 8192, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS |
	    MAP_FIXED, -1, 0);
	q = mremap(p, 8192, 1 << 20, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p);
	CHECK(!strcmp(q, "first") && !strcmp(q + 4096, "second"));
	q[(1 << 20) - 1] = 1;
	CHECK(faults(p, false) == SIGSEGV);
	q = mremap(q, 1 << 20, 4096, 0);
	CHECK(q != MAP_FAILED && !strcmp(q, "first"));
	CHECK(faults(q + 4096, false) == SIGSEGV);
	return 0;
}

static int
t_madvise(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p[0] = p[4096] = 1;
	CHECK(madvise(p, 4096, MADV_DONTNEED) == 0);
	CHECK(p[0] == 0 && p[4096] == 1);
	return 0;
}

static int
deep(int n)
{
	volatile char page[4096];

	page[0] = (char)n;
	return n == 0 ? 0 : deep(n - 1) + (page[0] != (char)n);
}

static int
t_stack_grows(void)
{
	CHECK(deep(1500) == 0);		/* 6 MB of 8 */
	return 0;
}

static int
t_stack_limit(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit rl = { 1 << 20, 1 << 20 };

		setrlimit(RLIMIT_STACK, &rl);
		on(SIGSEGV, SIG_DFL, 0);
		deep(1500);
		_exit(0);
	}
	CHECK(WTERMSIG(status_of(pid)) == SIGSEGV);
	return 0;
}

static int
t_efault(void)
{
	struct utsname u;

	CHECK(syscall(SYS_uname, (void *)8) == -1 && errno == EFAULT);
	CHECK(uname(&u) == 0 && !strcmp(u.sysname, "Linux"));
	CHECK(syscall(SYS_uname, (void *)0xffffffff80200000UL) == -1 &&
	    errno == EFAULT);
	CHECK(write(1, (void *)0x7ffffffff000UL, 4) == -1 && errno == EFAULT);
	CHECK(open((void *)-1L, O_RDONLY) == -1 && errno == EFAULT);
	CHECK(syscall(399) == -1 && errno == ENOSYS);
	CHECK(syscall(1000000) == -1 && errno == ENOSYS);
	return 0;
}

/* ---- threads ---- */

static pthread_mutex_t mtx = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int shared_count, turn;

static void *
adder(void *arg)
{
	int i;

	for (i = 0; i < 5000; i++) {
		pthread_mutex_lock(&mtx);
		shared_count++;
		pthread_mutex_unlock(&mtx);
	}
	return arg;
}

static int
t_threads(void)
{
	pthread_t t[8];
	void *r;
	long i;

	shared_count = 0;
	for (i = 0; i < 8; i++)
		CHECK(pthread_create(&t[i], NULL, adder, (void *)i) == 0);
	for (i = 0; i < 8; i++)
		CHECK(pthread_join(t[i], &r) == 0 && r == (void *)i);
	CHECK(shared_count == 8 * 5000);
	return 0;
}

static void *
player(void *arg)
{
	int me = (int)(long)arg, i;

	for (i = 0; i < 500; i++) {
		pthread_mutex_lock(&mtx);
		while (turn != me)
			pthread_cond_wait(&cond, &mtx);
		turn = !me;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&mtx);
	}
	return NULL;
}

static int
t_cond(void)
{
	pthread_t a, b;

	CHECK(pthread_create(&a, NULL, player, (void *)0) == 0);
	CHECK(pthread_create(&b, NULL, player, (void *)1) == 0);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	return 0;
}

static void *
spinner(void *arg)
{
	for (;;)
		if (arg)
			sched_yield();
	return arg;
}

static void *
sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int
t_exit_group(void)
{
	pid_t pid = fork();
	pthread_t t;

	if (pid == 0) {
		pthread_create(&t, NULL, spinner, NULL);
		pthread_create(&t, NULL, spinner, (void *)1);
		pthread_create(&t, NULL, sleeper, NULL);
		usleep(20000);
		exit(6);
	}
	CHECK(WEXITSTATUS(status_of(pid)) == 6);
	return 0;
}

static void *
exec_thread(void *arg)
{
	char *argv[] = { "ptest", "exec-child", "a b", "", NULL };
	char *envp[] = { "X=1", "Y=", NULL };

	(void)arg;
	execve(self_path, argv, envp);
	_exit(98);
}

static int
t_exec_thread(void)
{
	pid_t pid = fork();
	pthread_t t;

	if (pid == 0) {
		pthread_create(&t, NULL, spinner, NULL);
		pthread_create(&t, NULL, exec_thread, NULL);
		for (;;)
			pause();
	}
	CHECK(status_of(pid) == 0);	/* same pid, whichever thread */
	return 0;
}

static int
t_stop_threads(void)
{
	pid_t pid = fork();
	pthread_t t;
	int st;

	if (pid == 0) {
		pthread_create(&t, NULL, spinner, NULL);
		pthread_create(&t, NULL, sleeper, NULL);
		for (;;)
			pause();
	}
	CHECK(kill(pid, SIGSTOP) == 0);
	CHECK(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st));
	CHECK(kill(pid, SIGCONT) == 0);
	CHECK(waitpid(pid, &st, WCONTINUED) == pid && WIFCONTINUED(st));
	CHECK(kill(pid, SIGTERM) == 0);
	CHECK(waitpid(pid, &st, 0) == pid && WTERMSIG(st) == SIGTERM);
	return 0;
}

static int
t_robust(void)
{
	pthread_mutexattr_t at;
	pthread_mutex_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	pthread_mutexattr_init(&at);
	pthread_mutexattr_setrobust(&at, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&at, PTHREAD_PROCESS_SHARED);
	CHECK(pthread_mutex_init(m, &at) == 0);
	pid = fork();
	if (pid == 0) {
		pthread_mutex_lock(m);
		_exit(0);
	}
	CHECK(status_of(pid) == 0);
	CHECK(pthread_mutex_lock(m) == EOWNERDEAD);
	CHECK(pthread_mutex_consistent(m) == 0);
	pthread_mutex_unlock(m);
	return 0;
}

static int
t_futex_timeout(void)
{
	uint32_t w = 5;
	struct timespec ts = { 0, 20000000 };
	int64_t t = now_ns();

	CHECK(syscall(SYS_futex, &w, FUTEX_WAIT, 4, NULL) == -1 &&
	    errno == EAGAIN);
	CHECK(syscall(SYS_futex, &w, FUTEX_WAIT, 5, &ts) == -1 &&
	    errno == ETIMEDOUT);
	CHECK(now_ns() - t >= 20000000);
	CHECK(syscall(SYS_futex, (char *)&w + 1, FUTEX_WAKE, 1) == -1 &&
	    errno == EINVAL);
	return 0;
}

/* ---- credentials, limits, the rest ---- */

static int
t_setuid(void)
{
	pid_t pid = fork();
	uid_t r, e, s;

	if (getuid() != 0) {
		status_of(pid);
		return 0;
	}
	if (pid == 0) {
		gid_t g[3] = { 10, 20, 30 }, h[3];

		if (setgroups(3, g) != 0 || getgroups(3, h) != 3 ||
		    h[1] != 20)
			_exit(1);
		if (setresuid(1000, 1001, 1002) != 0)
			_exit(2);
		if (getresuid(&r, &e, &s) != 0 || r != 1000 || e != 1001 ||
		    s != 1002)
			_exit(3);
		if (setuid(0) != -1 || errno != EPERM)
			_exit(4);
		if (seteuid(1002) != 0 || geteuid() != 1002)
			_exit(5);
		if (kill(1, 0) != -1 || errno != EPERM)
			_exit(6);
		_exit(0);
	}
	CHECK(status_of(pid) == 0);
	return 0;
}

static int
t_rlimit(void)
{
	struct rlimit rl;

	CHECK(getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur >= 64);
	rl.rlim_cur = 20;
	CHECK(setrlimit(RLIMIT_NOFILE, &rl) == 0);
	CHECK(dup2(0, 25) == -1 && errno == EBADF);
	rl.rlim_cur = rl.rlim_max + 1;
	CHECK(setrlimit(RLIMIT_NOFILE, &rl) == -1);
	return 0;
}

static int
t_random(void)
{
	unsigned char a[64], b[64];

	CHECK(getrandom(a, sizeof(a), 0) == sizeof(a));
	CHECK(getrandom(b, sizeof(b), GRND_NONBLOCK) == sizeof(b));
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	return 0;
}

/* ---- terminals ---- */

static int
pty_open(int *slave)
{
	int m = posix_openpt(O_RDWR | O_NOCTTY);

	if (m < 0 || grantpt(m) != 0 || unlockpt(m) != 0)
		return -1;
	*slave = open(ptsname(m), O_RDWR | O_NOCTTY);
	return *slave < 0 ? -1 : m;
}

static int
t_pty(void)
{
	int s, m = pty_open(&s);
	char buf[64];
	struct termios t;

	CHECK(m >= 0);
	CHECK(isatty(s));
	CHECK(write(m, "helx\177lo\n", 8) == 8);
	CHECK(read(s, buf, sizeof(buf)) == 6 && !memcmp(buf, "hello\n", 6));
	CHECK(read(m, buf, sizeof(buf)) > 0);	/* the echo */
	CHECK(tcgetattr(s, &t) == 0);
	cfmakeraw(&t);
	CHECK(tcsetattr(s, TCSAFLUSH, &t) == 0);
	CHECK(write(m, "a", 1) == 1 && read(s, buf, 9) == 1 && buf[0] == 'a');
	CHECK(write(s, "x\n", 2) == 2 && read(m, buf, 9) == 2);
	close(s);
	CHECK(read(m, buf, 1) == -1 && errno == EIO);
	close(m);
	return 0;
}

static int
t_pty_eof(void)
{
	int s, m = pty_open(&s);
	char buf[64];

	CHECK(m >= 0);
	CHECK(write(m, "ab\004", 3) == 3);
	CHECK(read(s, buf, sizeof(buf)) == 2);
	CHECK(write(m, "\004", 1) == 1);
	CHECK(read(s, buf, sizeof(buf)) == 0);
	return 0;
}

static int
t_ctty(void)
{
	int s, m = pty_open(&s), st, fds[2];
	char name[64], c;
	pid_t pid;

	CHECK(m >= 0 && pipe(fds) == 0);
	strcpy(name, ptsname(m));
	pid = fork();
	if (pid == 0) {
		int fd;

		setsid();
		close(s);
		close(m);
		fd = open(name, O_RDWR);
		if (fd < 0 || tcgetpgrp(fd) != getpid())
			_exit(1);
		if ((fd = open("/dev/tty", O_RDWR)) < 0)
			_exit(2);
		on(SIGINT, SIG_DFL, 0);
		(void)!write(fds[1], "r", 1);
		for (;;)
			pause();
	}
	CHECK(read(fds[0], &c, 1) == 1);
	CHECK(write(m, "\003", 1) == 1);	/* ^C */
	CHECK(waitpid(pid, &st, 0) == pid && WIFSIGNALED(st) &&
	    WTERMSIG(st) == SIGINT);
	return 0;
}

static int
t_background_read(void)
{
	int s, m = pty_open(&s), st;
	char name[64], c;
	pid_t pid;

	CHECK(m >= 0);
	strcpy(name, ptsname(m));
	pid = fork();
	if (pid == 0) {
		pid_t job;
		int fd;

		setsid();
		fd = open(name, O_RDWR);
		job = fork();
		if (job == 0) {
			setpgid(0, 0);
			(void)!read(fd, &c, 1);
			_exit(c == 'k' ? 0 : 1);
		}
		setpgid(job, job);
		if (waitpid(job, &st, WUNTRACED) != job || !WIFSTOPPED(st) ||
		    WSTOPSIG(st) != SIGTTIN)
			_exit(1);
		on(SIGTTOU, SIG_IGN, 0);
		if (tcsetpgrp(fd, job) != 0 || kill(-job, SIGCONT) != 0)
			_exit(2);
		if (waitpid(job, &st, 0) != job || st != 0)
			_exit(3);
		_exit(0);
	}
	CHECK(write(m, "k\n", 2) == 2);
	CHECK(status_of(pid) == 0);
	return 0;
}

static int
t_hangup(void)
{
	int s, m = pty_open(&s), fds[2];
	char name[64], c;
	pid_t pid;

	CHECK(m >= 0 && pipe(fds) == 0);
	strcpy(name, ptsname(m));
	pid = fork();
	if (pid == 0) {
		close(m);
		close(s);
		setsid();
		on(SIGHUP, SIG_DFL, 0);
		if (open(name, O_RDWR) < 0)
			_exit(1);
		(void)!write(fds[1], "r", 1);
		for (;;)
			pause();
	}
	CHECK(read(fds[0], &c, 1) == 1);
	close(s);
	close(m);
	CHECK(WTERMSIG(status_of(pid)) == SIGHUP);
	return 0;
}

static const struct { const char *name; int (*fn)(void); } tests[] = {
#define T(n) { #n, t_##n }
	T(fork_wait), T(fork_many), T(cow), T(shared_anon), T(vfork), T(exec),
	T(script), T(cloexec), T(orphan_reparent), T(waitid), T(stop_cont),
	T(stop_sleeper), T(groups), T(orphaned_group), T(sig_self),
	T(sig_mask), T(sig_queue), T(sigtimedwait), T(sigsuspend), T(restart),
	T(altstack), T(sig_fpu), T(segv), T(chld_ign), T(chld_info),
	T(sigpipe), T(nanosleep), T(itimer), T(posix_timer), T(cputime),
	T(brk), T(mmap_shared), T(mmap_truncate), T(mmap_errors), T(mremap),
	T(madvise), T(stack_grows), T(stack_limit), T(efault), T(threads),
	T(cond), T(exit_group), T(exec_thread), T(stop_threads), T(robust),
	T(futex_timeout), T(setuid), T(rlimit), T(random), T(pty), T(pty_eof),
	T(ctty), T(background_read), T(hangup),
};

static int
run_one(const char *name, int (*fn)(void))
{
	struct timespec ts = { 0, 10000000 };
	int st, line, i;
	pid_t pid, r = 0;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		line = fn();
		if (line != 0) {
			printf("not ok - proc/%s: line %d errno %d\n", name,
			    line, errno);
			fflush(stdout);
			_exit(1);
		}
		_exit(0);
	}
	for (i = 0; i < 3000 && r == 0; i++) {
		r = waitpid(pid, &st, WNOHANG);
		if (r == 0)
			nanosleep(&ts, NULL);
	}
	if (r == 0) {
		printf("not ok - proc/%s: hangs\n", name);
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		waitpid(pid, &st, 0);
		return 1;
	}
	if (WIFSIGNALED(st))
		printf("not ok - proc/%s: signal %d\n", name, WTERMSIG(st));
	if (st == 0)
		printf("ok - proc/%s\n", name);
	return st != 0;
}

int
main(int argc, char **argv, char **envp)
{
	size_t i;
	int bad = 0;

	if (argc > 1 && !strcmp(argv[1], "exec-child"))
		return exec_child(argc, argv, envp);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (argc < 2 || !strcmp(argv[1], tests[i].name))
			bad += run_one(tests[i].name, tests[i].fn);
	fflush(stdout);
	return bad != 0;
}
