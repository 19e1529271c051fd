/* SPDX-License-Identifier: BSD-2-Clause */
/* The hosted kernel's Linux side: the one file with host headers. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "host.h"
#include "vk_san.h"

void *
host_map(size_t size, size_t align)
{
	/* Where no sanitizer has its shadow. */
	static uintptr_t hint = VK_TSAN ? 0x2000000000 : 0x200000000000;
	void *p;

	p = mmap((void *)hint, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (p == MAP_FAILED) {
		char *q = mmap(NULL, size + align, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (q == MAP_FAILED) {
			perror("hosted kernel: no memory");
			abort();
		}
		return (void *)(((uintptr_t)q + align - 1) & ~(align - 1));
	}
	__atomic_fetch_add(&hint, (size + (64 << 20)) & ~((64UL << 20) - 1),
	    __ATOMIC_SEQ_CST);
	return p;
}

void
host_unmap(void *p, size_t size)
{
	munmap(p, size);
}

void
host_guard(void *p, size_t size)
{
	mprotect(p, size, PROT_NONE);
}

void *
host_malloc(size_t size, size_t align)
{
	void *p;

	return posix_memalign(&p, align, size) == 0 ? p : NULL;
}

size_t
host_malloc_size(void *p)
{
	return malloc_usable_size(p);
}

void
host_free(void *p)
{
	free(p);
}

struct start {
	void	(*fn)(void *);
	void	*arg;
};

static void *
thread_start(void *arg)
{
	struct start s = *(struct start *)arg;

	free(arg);
	s.fn(s.arg);
	return NULL;
}

void
host_thread_create(void (*fn)(void *), void *arg)
{
	struct start *s = malloc(sizeof(*s));
	pthread_attr_t attr;
	pthread_t t;

	s->fn = fn;
	s->arg = arg;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 1 << 20);
	if (pthread_create(&t, &attr, thread_start, s) != 0)
		abort();
	pthread_detach(t);
}

void
host_thread_stack(void **lo, size_t *size)
{
	pthread_attr_t attr;

	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstack(&attr, lo, size);
	pthread_attr_destroy(&attr);
}

void
host_futex_wait(uint32_t *word, uint32_t val, uint64_t timeout_ns)
{
	struct timespec ts = { (time_t)(timeout_ns / 1000000000),
	    (long)(timeout_ns % 1000000000) };

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, val,
	    timeout_ns != 0 ? &ts : NULL, NULL, 0);
}

void
host_futex_wake(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void
host_yield(void)
{
	sched_yield();
}

static uint64_t
clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t
host_mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t
host_wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

uint64_t
host_entropy(void)
{
	uint64_t v = 0;

	if (getrandom(&v, sizeof(v), 0) != sizeof(v))
		v = host_mono_ns();
	return v;
}

int
host_file_open(const char *path, bool write, uint64_t create_size, int *fdp,
    uint64_t *size)
{
	struct stat st;
	off_t end;
	int fd;

	fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC |
	    (create_size != 0 ? O_CREAT : 0), 0666);
	if (fd < 0)
		return errno;
	if (fstat(fd, &st) != 0)
		goto fail;
	if (create_size != 0 && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size < create_size &&
	    ftruncate(fd, (off_t)create_size) != 0)
		goto fail;
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		goto fail;
	*fdp = fd;
	if (size != NULL)
		*size = (uint64_t)end;
	return 0;
fail:
	end = errno;
	close(fd);
	return (int)end;
}

void
host_file_close(int fd)
{
	close(fd);
}

int
host_file_read(int fd, void *buf, size_t len, uint64_t off)
{
	ssize_t n;

	for (; len > 0; buf = (char *)buf + n, len -= (size_t)n,
	    off += (uint64_t)n) {
		n = pread(fd, buf, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return errno;
		else if (n == 0)
			return EIO;
	}
	return 0;
}

int
host_file_write(int fd, const void *buf, size_t len, uint64_t off)
{
	ssize_t n;

	for (; len > 0; buf = (const char *)buf + n, len -= (size_t)n,
	    off += (uint64_t)n) {
		n = pwrite(fd, buf, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return errno;
	}
	return 0;
}

int
host_file_sync(int fd)
{
	return fdatasync(fd) == 0 ? 0 : errno;
}

int
host_file_discard(int fd, uint64_t off, uint64_t len)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	    (off_t)off, (off_t)len) == 0 ? 0 : errno;
}

void
host_write(const char *buf, size_t len)
{
	ssize_t n;

	for (; len > 0; buf += n, len -= (size_t)n) {
		n = write(1, buf, len);
		if (n < 0) {
			if (errno != EINTR && errno != EAGAIN)
				return;
			n = 0;
		}
	}
}

void
host_exit(int code)
{
	fflush(NULL);
	_exit(code);
}

void
host_abort(void)
{
	fflush(NULL);
	abort();
}

int
host_fork(void)
{
	fflush(NULL);
	return fork();
}

int
host_wait(int pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 255;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}

void
host_fix_addresses(char **argv)
{
	int p = personality(0xffffffff);

	if (p < 0 || (p & ADDR_NO_RANDOMIZE) ||
	    getenv("VK_REEXEC") != NULL)
		return;
	setenv("VK_REEXEC", "1", 1);
	if (personality((unsigned long)p | ADDR_NO_RANDOMIZE) >= 0)
		execv("/proc/self/exe", argv);
}

/* ---- symbols: the program's own ELF file, read once ---- */

static const Elf64_Sym *syms;
static size_t nsyms;
static const char *strtab;
static uintptr_t load_bias;
extern const Elf64_Ehdr __ehdr_start;

static void
symbols_load(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	const Elf64_Shdr *sh;
	const Elf64_Ehdr *eh;
	struct stat st;
	char *map;

	if (fd < 0 || fstat(fd, &st) != 0)
		return;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return;
	eh = (const Elf64_Ehdr *)map;
	sh = (const Elf64_Shdr *)(map + eh->e_shoff);
	for (int i = 0; i < eh->e_shnum; i++) {
		if (sh[i].sh_type != SHT_SYMTAB)
			continue;
		syms = (const Elf64_Sym *)(map + sh[i].sh_offset);
		nsyms = sh[i].sh_size / sizeof(Elf64_Sym);
		strtab = map + sh[sh[i].sh_link].sh_offset;
	}
	if (eh->e_type == ET_DYN)
		load_bias = (uintptr_t)&__ehdr_start;
}

bool
host_symbol(uintptr_t pc, const char **name, uintptr_t *off)
{
	uintptr_t best = 0, a;

	if (syms == NULL)
		symbols_load();
	for (size_t i = 0; i < nsyms; i++) {
		if (ELF64_ST_TYPE(syms[i].st_info) != STT_FUNC)
			continue;
		a = syms[i].st_value + load_bias;
		if (a > pc || a < best || pc >= a + syms[i].st_size)
			continue;
		best = a;
		*name = strtab + syms[i].st_name;
		*off = pc - a;
	}
	return best != 0;
}
