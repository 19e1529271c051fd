/* SPDX-License-Identifier: BSD-2-Clause */
/* String functions that no libc has; see sys/systm.h. */
#include <sys/systm.h>

size_t
kstrlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src), n;

	if (size > 0) {
		n = MIN(len, size - 1);
		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

size_t
kstrlcat(char *dst, const char *src, size_t size)
{
	size_t used = strnlen(dst, size);

	if (used == size)
		return size + strlen(src);
	return used + kstrlcpy(dst + used, src, size - used);
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return 99;
}

/* Saturates at UINT64_MAX.  *endp is s if there was no digit. */
uint64_t
kstrtou64(const char *s, char **endp, int base)
{
	const char *p = s;
	uint64_t v = 0;
	bool any = false, over = false;
	int d;

	if ((base == 0 || base == 16) && p[0] == '0' &&
	    (p[1] == 'x' || p[1] == 'X') && digit_value(p[2]) < 16) {
		p += 2;
		base = 16;
	}
	if (base == 0)
		base = *p == '0' ? 8 : 10;
	for (; (d = digit_value(*p)) < base; p++) {
		any = true;
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			over = true;
	}
	if (endp != NULL)
		*endp = (char *)(uintptr_t)(any ? p : s);
	return over ? UINT64_MAX : v;
}
