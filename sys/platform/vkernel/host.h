/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hosted kernel asks of Linux.  host.c alone includes host headers;
 * nothing here has a host type.  Errors are positive errno values, which are
 * the kernel's too.
 */
#ifndef _VKERNEL_HOST_H_
#define _VKERNEL_HOST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory.  host_map() gives zeroed pages, aligned, touched on demand, at the
 * same address in every run if it can; it ends the process if it fails. */
void	*host_map(size_t size, size_t align);
void	host_unmap(void *, size_t);
void	host_guard(void *, size_t);		/* no access */
void	*host_malloc(size_t size, size_t align);
size_t	host_malloc_size(void *);
void	host_free(void *);

/* Threads (threaded mode). */
void	host_thread_create(void (*fn)(void *), void *arg);
void	host_thread_stack(void **lo, size_t *size);	/* of this thread */
/* Wait while *word == val; timeout_ns 0: for ever.  Wake all. */
void	host_futex_wait(uint32_t *word, uint32_t val, uint64_t timeout_ns);
void	host_futex_wake(uint32_t *word);
void	host_yield(void);

uint64_t host_mono_ns(void);
uint64_t host_wall_ns(void);
uint64_t host_entropy(void);

/* Files.  host_file_open: size may be NULL; create makes or extends it. */
int	host_file_open(const char *path, bool write, uint64_t create_size,
	    int *fd, uint64_t *size);
void	host_file_close(int fd);
int	host_file_read(int fd, void *buf, size_t len, uint64_t off);
int	host_file_write(int fd, const void *buf, size_t len, uint64_t off);
int	host_file_sync(int fd);
int	host_file_discard(int fd, uint64_t off, uint64_t len);

void	host_write(const char *buf, size_t len);	/* standard output */
void	host_exit(int code) __attribute__((__noreturn__));
void	host_abort(void) __attribute__((__noreturn__));
int	host_fork(void);		/* as fork(2) */
int	host_wait(int pid);		/* exit status, 128 + signal */
/* Run this program again with addresses that do not change between runs. */
void	host_fix_addresses(char **argv);
/* Nearest symbol of this program below pc; false if unknown. */
bool	host_symbol(uintptr_t pc, const char **name, uintptr_t *off);

#endif
