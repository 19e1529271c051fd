/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random system calls with random arguments: the kernel answers with errnos
 * and signals, never with a panic or a hang.
 *
 * Each child makes some hundred calls from a seed that the parent prints for
 * every round; odd rounds run as user 65534, even ones as root without the
 * calls that would end the test.  usage: pfuzz [rounds [seed]]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t state;

static uint64_t
rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static char *area;			/* 16 pages: rw, ro, none, file ... */

static uint64_t
argument(void)
{
	static const uint64_t odd[] = {
		0, 1, 2, 3, 4, 7, 8, 16, 24, 64, 255, 256, 4095, 4096, 4097,
		8192, 65536, 0x7fffffff, 0x80000000, 0xffffffff, ~0ULL,
		~0ULL - 1, ~0ULL - 4095, 1ULL << 47, (1ULL << 47) - 1,
		(1ULL << 47) - 4096, 0xffff800000000000ULL,
		0xffffffff80200000ULL, 0x8000000000000000ULL,
		0x5401, 0x5413, 0x540e, 0x4000, 0x10000,
	};

	switch (rnd() % 8) {
	case 0: case 1:
		return odd[rnd() % (sizeof(odd) / sizeof(odd[0]))];
	case 2: case 3:
		return rnd() % 12;	/* descriptors, small numbers */
	case 4:
		return (uint64_t)area + rnd() % 65536;
	case 5:
		return (uint64_t)area + (rnd() % 16) * 4096 - rnd() % 64;
	case 6:
		return 1ULL << (rnd() % 64);
	default:
		return rnd() >> (rnd() % 64);
	}
}

/* Calls that end the child too soon, or the machine. */
static int
excluded(long nr, int root)
{
	switch (nr) {
	case SYS_exit: case SYS_exit_group: case SYS_rt_sigreturn:
	case SYS_fork: case SYS_vfork: case SYS_clone: case SYS_clone3:
	case SYS_pause: case SYS_kill: case SYS_tkill: case SYS_tgkill:
	case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo:
	case SYS_rt_sigsuspend: case SYS_alarm: case SYS_setitimer:
		return 1;
	case SYS_sethostname: case SYS_setdomainname:
	case SYS_reboot: case SYS_umount2: case SYS_chroot: case SYS_mount:
	case SYS_unlink: case SYS_unlinkat: case SYS_rename:
	case SYS_renameat: case SYS_renameat2: case SYS_truncate:
	case SYS_rmdir: case SYS_chmod: case SYS_fchmodat: case SYS_chown:
	case SYS_pivot_root: case SYS_clock_settime: case SYS_settimeofday:
	case SYS_write: case SYS_writev: case SYS_pwrite64:
	case SYS_prlimit64: case SYS_ioctl: case SYS_setpriority:
		return root;
	}
	return 0;
}

static void
child(uint64_t seed, int root)
{
	struct rlimit rl = { 64 << 20, 64 << 20 };
	int i, fd;
	long nr;

	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	setrlimit(RLIMIT_AS, &rl);
	rl.rlim_cur = rl.rlim_max = 1 << 20;
	setrlimit(RLIMIT_FSIZE, &rl);
	setpgid(0, 0);
	area = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(area + 4 * 4096, 4096, PROT_READ);
	mprotect(area + 8 * 4096, 4096, PROT_NONE);
	munmap(area + 12 * 4096, 4096);
	for (i = 0; i < 4 * 4096; i += 8)
		*(uint64_t *)(area + i) = argument();
	strcpy(area, "/tmp/fuzz");
	strcpy(area + 64, "/proc/self/maps");
	strcpy(area + 128, ".");
	(void)!chdir("/tmp");
	fd = open("/dev/null", O_RDWR);
	for (i = 0; i < 3; i++)
		dup2(fd, i);
	(void)!pipe((int *)(area + 512));
	open("/tmp/fuzz", O_RDWR | O_CREAT, 0666);
	open("/proc/self/status", O_RDONLY);
	open("/dev/ptmx", O_RDWR | O_NOCTTY);
	if (!root) {
		setgroups(0, NULL);
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(1);
	}
	alarm(2);
	for (i = 0; i < 400; i++) {
		nr = (long)(rnd() % 460);
		if (rnd() % 50 == 0)
			nr = (long)(4096 + rnd() % 8);
		if (excluded(nr, root) || nr >= 4096)
			continue;
		syscall(nr, argument(), argument(), argument(), argument(),
		    argument(), argument());
	}
	_exit(0);
}

int
main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 200, i, st, j;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) :
	    (uint64_t)time(NULL);
	struct timespec ts = { 0, 10000000 };
	pid_t pid, r;

	printf("seed %llu\n", (unsigned long long)seed);
	for (i = 0; i < rounds; i++) {
		fflush(stdout);
		pid = fork();
		if (pid == 0)
			child(seed + (uint64_t)i, i % 2 == 0);
		for (j = 0; j < 1000; j++) {
			r = waitpid(pid, &st, WNOHANG);
			if (r == pid)
				break;
			nanosleep(&ts, NULL);
			if (j > 400)
				kill(pid, SIGKILL);
		}
		if (j == 1000) {
			printf("not ok - proc/fuzz: seed %llu cannot be "
			    "killed\n", (unsigned long long)seed + i);
			return 1;
		}
	}
	printf("ok - proc/fuzz: %d rounds\n", rounds);
	return 0;
}
