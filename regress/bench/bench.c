/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's side of `make bench`: run one phase after the other, bracketed by
 * the marker instructions that regress/bench/count.c sees.  It is an
 * ordinary Linux program, so that Linux can be measured with it as well.
 *
 * usage: bench DIR [PHASE ...]	(DIR on the filesystem under test)
 *
 * Before and after each phase it prints a line and, with -w, waits for a line
 * on standard input, so that the host can read device statistics.  Every
 * phase that dirties data ends with syncfs inside the phase.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int waiting;
static const char *dir;

/* The displacement must be a constant, so there is one NOP per phase. */
#define MARK(imm) __asm__ volatile(".byte 0x0f,0x1f,0x80\n\t.long %c0" \
	:: "i" (imm) : "memory")

static void
die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
pause_for(const char *word, const char *name, long n)
{
	char c;

	printf("%s %s %ld\n", word, name, n);
	fflush(stdout);
	while (waiting && read(0, &c, 1) == 1 && c != '\n')
		;
}

static char path[4096], path2[4096];

static const char *
file(char *buf, long i, const char *suffix)
{
	snprintf(buf, 4096, "%s/b%ld/f%ld%s", dir, i % 50, i, suffix);
	return buf;
}

static void
sync_dir(void)
{
	int fd = open(dir, O_RDONLY);

	if (fd < 0 || syncfs(fd) != 0)
		die("syncfs");
	close(fd);
}

static void
make_dirs(void)
{
	for (int i = 0; i < 50; i++) {
		snprintf(path, sizeof(path), "%s/b%d", dir, i);
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			die(path);
	}
	sync_dir();
}

static char data[65536];

static void
create_files(long n)
{
	for (long i = 0; i < n; i++) {
		size_t len = (size_t)(i * 7919 % 16385);
		int fd = open(file(path, i, ""), O_CREAT | O_WRONLY | O_TRUNC,
		    0644);

		if (fd < 0 || write(fd, data, len) != (ssize_t)len)
			die(path);
		close(fd);
	}
}

/* ---- phases: setup runs unmeasured, then body(n) ---- */

static void
p_null(long n)
{
	while (n-- > 0)
		syscall(SYS_getppid);
}

static void
p_stat(long n)
{
	struct stat st;

	/* Path depth 1, from the working directory. */
	if (chdir(dir) != 0)
		die(dir);
	while (n-- > 0)
		if (stat("b0", &st) != 0)
			die("stat");
}

static void
p_open(long n)
{
	if (chdir(dir) != 0)
		die(dir);
	while (n-- > 0) {
		int fd = open("one", O_RDONLY);

		if (fd < 0)
			die("open");
		close(fd);
	}
}

static void
s_one(long n)
{
	int fd;

	(void)n;
	snprintf(path, sizeof(path), "%s/one", dir);
	fd = open(path, O_CREAT | O_RDWR, 0644);
	if (fd < 0 || write(fd, data, 4096) != 4096 || fsync(fd) != 0)
		die(path);
	close(fd);
}

static int one_fd;

static void
s_onefd(long n)
{
	char c;

	s_one(n);
	one_fd = open(path, O_RDONLY);
	if (one_fd < 0 || pread(one_fd, &c, 1, 0) != 1)
		die(path);
}

static void
p_pread(long n)
{
	char c;

	while (n-- > 0)
		if (pread(one_fd, &c, 1, 7) != 1)
			die("pread");
}

static void
p_pipe(long n)
{
	int a[2], b[2];
	char c = 0;
	pid_t pid;

	if (pipe(a) != 0 || pipe(b) != 0 || (pid = fork()) < 0)
		die("pipe");
	if (pid == 0) {
		while (n-- > 0)
			if (read(a[0], &c, 1) != 1 || write(b[1], &c, 1) != 1)
				_exit(1);
		_exit(0);
	}
	for (long i = 0; i < n; i++)
		if (write(a[1], &c, 1) != 1 || read(b[0], &c, 1) != 1)
			die("pipe switch");
	waitpid(pid, NULL, 0);
	close(a[0]), close(a[1]), close(b[0]), close(b[1]);
}

static void
p_fork(long n)
{
	while (n-- > 0) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

static void
p_exec(long n)
{
	while (n-- > 0) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0) {
			execl("/proc/self/exe", "bench", "--exit", (char *)0);
			_exit(127);
		}
		waitpid(pid, NULL, 0);
	}
}

static void
p_fault(long n)
{
	char *p = mmap(NULL, (size_t)n * 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	for (long i = 0; i < n; i++)
		p[i * 4096] = 1;
	munmap(p, (size_t)n * 4096);
}

static void
p_create(long n)
{
	create_files(n);
	sync_dir();
}

static void
p_rename(long n)
{
	for (long i = 0; i < n; i++)
		if (rename(file(path, i, ""), file(path2, i, "r")) != 0)
			die("rename");
	sync_dir();
}

static void
p_unlink(long n)
{
	for (long i = 0; i < n; i++)
		if (unlink(file(path, i, "r")) != 0)
			die("unlink");
	sync_dir();
}

static void
s_append(long n)
{
	(void)n;
	snprintf(path, sizeof(path), "%s/log", dir);
	one_fd = open(path, O_CREAT | O_WRONLY | O_APPEND, 0644);
	if (one_fd < 0)
		die(path);
	/* The first fsync of a file is not the steady state. */
	for (int i = 0; i < 3; i++)
		if (write(one_fd, data, 100) != 100 || fsync(one_fd) != 0)
			die("append");
}

static void
p_append(long n)
{
	while (n-- > 0)
		if (write(one_fd, data, 100) != 100 || fsync(one_fd) != 0)
			die("append");
}

struct phase {
	const char *name;
	long	n;
	void	(*setup)(long);
	void	(*body)(long);
};

static const struct phase phases[] = {
	{ "null_syscall", 10000, NULL, p_null },
	{ "stat_cached", 5000, NULL, p_stat },
	{ "open_close", 5000, s_one, p_open },
	{ "pread_1", 10000, s_onefd, p_pread },
	{ "pipe_switch", 1000, NULL, p_pipe },
	{ "fork_exit", 200, NULL, p_fork },
	{ "fork_exec", 100, NULL, p_exec },
	{ "anon_fault", 2000, NULL, p_fault },
	{ "create_small", 1000, NULL, p_create },
	{ "rename", 1000, NULL, p_rename },
	{ "unlink", 1000, NULL, p_unlink },
	{ "fsync_append", 200, s_append, p_append },
};

#define BEGIN 0xa1000000u
#define END	0xa2000000u

/* One marker pair per phase index: the immediate is part of the code. */
#define CASE(k) case k: MARK(BEGIN | k); p->body(p->n); MARK(END | k); break

static void
measure(unsigned i, const struct phase *p)
{
	switch (i) {
	CASE(0); CASE(1); CASE(2); CASE(3); CASE(4); CASE(5); CASE(6);
	CASE(7); CASE(8); CASE(9); CASE(10); CASE(11);
	}
}

int
main(int argc, char **argv)
{
	unsigned i;

	if (argc > 1 && strcmp(argv[1], "--exit") == 0)
		return 0;
	if (argc > 1 && strcmp(argv[1], "-w") == 0)
		waiting = 1, argv++, argc--;
	if (argc < 2) {
		fprintf(stderr, "usage: bench [-w] DIR [PHASE ...]\n");
		return 2;
	}
	dir = argv[1];
	for (i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 31 + i / 251);
	make_dirs();
	for (i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		const struct phase *p = &phases[i];
		int wanted = argc == 2;

		for (int k = 2; k < argc; k++)
			wanted |= strcmp(argv[k], p->name) == 0;
		if (!wanted)
			continue;
		if (p->setup != NULL)
			p->setup(p->n);
		pause_for("ready", p->name, p->n);
		measure(i, p);
		pause_for("done", p->name, p->n);
	}
	printf("bench finished\n");
	return 0;
}
