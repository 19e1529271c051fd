/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and strings for the PC kernel; a hosted kernel has its libc's.
 *
 * Copies use string instructions by 8 bytes: the fewest instructions under
 * an emulator, and good on hardware from a few dozen bytes on.  Short ones
 * are two overlapping moves, long ones go by wide registers where there are.
 */
#include <sys/systm.h>
#include <sys/thread.h>
#include <cpu/bulk.h>

typedef uint64_t u64_a __attribute__((__may_alias__, __aligned__(1)));
typedef uint32_t u32_a __attribute__((__may_alias__, __aligned__(1)));
typedef uint16_t u16_a __attribute__((__may_alias__, __aligned__(1)));

#define NOLOOP __attribute__((__optimize__("no-tree-loop-distribute-patterns")))

/* Both ends are read before anything is written: overlap does no harm. */
static inline void
copy_small(char *d, const char *s, size_t n)
{
	if (n >= 8) {
		uint64_t a = *(const u64_a *)s;
		uint64_t b = *(const u64_a *)(s + n - 8);

		*(u64_a *)d = a;
		*(u64_a *)(d + n - 8) = b;
	} else if (n >= 4) {
		uint32_t a = *(const u32_a *)s;
		uint32_t b = *(const u32_a *)(s + n - 4);

		*(u32_a *)d = a;
		*(u32_a *)(d + n - 4) = b;
	} else if (n >= 2) {
		uint16_t a = *(const u16_a *)s;
		uint16_t b = *(const u16_a *)(s + n - 2);

		*(u16_a *)d = a;
		*(u16_a *)(d + n - 2) = b;
	} else if (n == 1)
		*d = *s;
}

void *
memcpy(void *dst, const void *src, size_t n)
{
	char *d = dst;
	const char *s = src;
	uint64_t tail;
	size_t q;

	if (n <= 16) {
		copy_small(d, s, n);
		return dst;
	}
	if (n >= BULK_BLOCK && cpu_has_bulk) {
		q = n / BULK_BLOCK;
		crit_enter();
		cpu_bulk_copy(d, s, q);
		crit_exit();
		d += q * BULK_BLOCK;
		s += q * BULK_BLOCK;
		n %= BULK_BLOCK;
		if (n <= 16) {
			copy_small(d, s, n);
			return dst;
		}
	}
	tail = *(const u64_a *)(s + n - 8);
	q = (n - 1) / 8;
	{
		void *dp = d;

		__asm__ volatile("rep movsq" : "+D" (dp), "+S" (s), "+c" (q)
		    : : "memory");
	}
	*(u64_a *)(d + n - 8) = tail;
	return dst;
}

NOLOOP void *
memmove(void *dst, const void *src, size_t n)
{
	char *d = dst;
	const char *s = src;

	if (n <= 16) {
		copy_small(d, s, n);
		return dst;
	}
	if ((uintptr_t)d - (uintptr_t)s >= n)
		return memcpy(dst, src, n);
	/* dst lies inside src: from the end. */
	while (n >= 8) {
		n -= 8;
		*(u64_a *)(d + n) = *(const u64_a *)(s + n);
	}
	while (n > 0) {
		n--;
		d[n] = s[n];
	}
	return dst;
}

void *
memset(void *dst, int c, size_t n)
{
	uint64_t v = (uint8_t)c * 0x0101010101010101ULL;
	char *d = dst;
	size_t q;

	if (n >= BULK_BLOCK && c == 0 && cpu_has_bulk) {
		q = n / BULK_BLOCK;
		crit_enter();
		cpu_bulk_zero(d, q);
		crit_exit();
		d += q * BULK_BLOCK;
		n %= BULK_BLOCK;
	}
	if (n >= 8) {
		void *dp = d;

		q = n / 8;
		__asm__ volatile("rep stosq" : "+D" (dp), "+c" (q) : "a" (v)
		    : "memory");
		*(u64_a *)(d + n - 8) = v;
	} else if (n >= 4) {
		*(u32_a *)d = (uint32_t)v;
		*(u32_a *)(d + n - 4) = (uint32_t)v;
	} else if (n >= 2) {
		*(u16_a *)d = (uint16_t)v;
		*(u16_a *)(d + n - 2) = (uint16_t)v;
	} else if (n == 1)
		*d = (char)c;
	return dst;
}

int
memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *p = a, *q = b;

	for (; n >= 8; p += 8, q += 8, n -= 8) {
		uint64_t x = *(const u64_a *)p, y = *(const u64_a *)q;

		if (x != y) {
			x = __builtin_bswap64(x);
			y = __builtin_bswap64(y);
			return x < y ? -1 : 1;
		}
	}
	for (; n > 0; p++, q++, n--)
		if (*p != *q)
			return *p - *q;
	return 0;
}

void *
memchr(const void *s, int c, size_t n)
{
	const uint8_t *p = s;

	for (; n > 0; p++, n--)
		if (*p == (uint8_t)c)
			return (void *)(uintptr_t)p;
	return NULL;
}

NOLOOP size_t
strlen(const char *s)
{
	const char *p = s;

	while (*p != '\0')
		p++;
	return (size_t)(p - s);
}

size_t
strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n] != '\0')
		n++;
	return n;
}

int
strcmp(const char *a, const char *b)
{
	while (*a == *b && *a != '\0') {
		a++;
		b++;
	}
	return (uint8_t)*a - (uint8_t)*b;
}

int
strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0; a++, b++, n--)
		if (*a != *b || *a == '\0')
			return (uint8_t)*a - (uint8_t)*b;
	return 0;
}

char *
strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (*s == '\0')
			return NULL;
	return (char *)(uintptr_t)s;
}

char *
strrchr(const char *s, int c)
{
	const char *found = NULL;

	for (;; s++) {
		if (*s == (char)c)
			found = s;
		if (*s == '\0')
			return (char *)(uintptr_t)found;
	}
}

char *
strstr(const char *s, const char *what)
{
	size_t n = strlen(what);

	for (;; s++) {
		if (strncmp(s, what, n) == 0)
			return (char *)(uintptr_t)s;
		if (*s == '\0')
			return NULL;
	}
}
