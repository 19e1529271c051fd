/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every kernel file may call: assertions, messages, strings, and user
 * memory.  kern/kern_printf.c, kern/kern_panic.c, libkern/, and the platform.
 */
#ifndef _SYS_SYSTM_H_
#define _SYS_SYSTM_H_

#include <sys/types.h>

/* An invariant of ours.  Never for bytes that came from outside. */
#define KKASSERT(e) \
	do { if (__builtin_expect(!(e), 0)) \
		kassert_fail(#e, __FILE__, __LINE__); } while (0)

void	kassert_fail(const char *expr, const char *file, int line) __noreturn;
void	panic(const char *fmt, ...) __printflike(1, 2) __noreturn;
/* To the console and the message buffer.  Any context; never blocks. */
int	kprintf(const char *fmt, ...) __printflike(1, 2);
int	kvprintf(const char *fmt, va_list ap);
/* Copy what was printed from position *pos on (counted since boot), advance
 * it; text that the ring has lost is skipped. */
size_t	msgbuf_read(uint64_t *pos, char *buf, size_t size);
void	backtrace_print(void);
bool	kern_panicking(void);
extern void (*panic_hook)(void);	/* a debugger's, after the message */
/* At most size bytes, NUL included; returns the length that was wanted. */
int	ksnprintf(char *buf, size_t size, const char *fmt, ...)
	    __printflike(3, 4);
int	kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap);

/* libkern (the host's libc when hosted). */
void	*memcpy(void *, const void *, size_t);
void	*memmove(void *, const void *, size_t);
void	*memset(void *, int, size_t);
int	memcmp(const void *, const void *, size_t);
void	*memchr(const void *, int, size_t);
size_t	strlen(const char *);
size_t	strnlen(const char *, size_t);
int	strcmp(const char *, const char *);
int	strncmp(const char *, const char *, size_t);
char	*strchr(const char *, int);
char	*strrchr(const char *, int);
char	*strstr(const char *, const char *);
/* Copy with truncation, always terminated; returns strlen(src). */
size_t	kstrlcpy(char *dst, const char *src, size_t size);
size_t	kstrlcat(char *dst, const char *src, size_t size);
/* Number in the given base (0: by 0x prefix); *endp as strtoull. */
uint64_t kstrtou64(const char *s, char **endp, int base);

/*
 * User memory of the current process.  uaddr is any value at all; bad
 * addresses are EFAULT.  They block (page faults).  copyinstr: *lenp gets the
 * length with its NUL; ENAMETOOLONG when max bytes held no NUL.
 */
int	copyin(vm_offset_t uaddr, void *kaddr, size_t len);
int	copyout(const void *kaddr, vm_offset_t uaddr, size_t len);
int	copyinstr(vm_offset_t uaddr, char *kaddr, size_t max, size_t *lenp);

/* Random bytes, cryptographically good after boot.  Any thread. */
void	random_bytes(void *buf, size_t len);
void	random_mix(uint64_t entropy);	/* from a device */

#endif
