/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted output, to memory, and to the console and the message buffer.
 *
 * Conversions: d i u o x X c s p %, flags - 0 + space #, width, precision
 * (both also *), lengths hh h l ll j z t.  Nothing else is understood; an
 * unknown conversion is copied as it stands.
 *
 * O1  The message buffer is a ring of the last MSGBUF_SIZE bytes; msgbuf_head
 *     counts all bytes ever written, so a reader knows what it missed.
 * O2  printf_spin keeps the lines of CPUs apart.  A panic goes ahead without
 *     it: the holder may be stopped.
 */
#include <sys/atomic.h>
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <platform/machdep.h>
#include "lwkt.h"

enum { MSGBUF_SIZE = 128 * 1024 };

struct sink {
	char		*s_buf;
	size_t		s_size;
	size_t		s_len;		/* wanted, may exceed s_size */
};

struct spec {
	bool		left, zero, plus, space, alt;
	int		width;
	int		prec;		/* -1: none */
	int		len;		/* size of the argument, bytes */
	int		base;
	bool		upper, negative;
};

static char msgbuf[MSGBUF_SIZE];
static uint64_t msgbuf_head;
static struct spinlock printf_spin = SPINLOCK_INITIALIZER("printf");

static void
put(struct sink *s, char c)
{
	if (s->s_len < s->s_size)
		s->s_buf[s->s_len] = c;
	s->s_len++;
}

static void
put_repeat(struct sink *s, char c, int n)
{
	while (n-- > 0)
		put(s, c);
}

static void
put_padded(struct sink *s, const struct spec *sp, const char *p, int len)
{
	if (!sp->left)
		put_repeat(s, ' ', sp->width - len);
	for (int i = 0; i < len; i++)
		put(s, p[i]);
	if (sp->left)
		put_repeat(s, ' ', sp->width - len);
}

static void
put_number(struct sink *s, const struct spec *sp, uint64_t v)
{
	const char *digits = sp->upper ? "0123456789ABCDEF" :
	    "0123456789abcdef";
	char tmp[24], prefix[3];
	int n = 0, np = 0, zeros, pad;

	if (sp->negative)
		prefix[np++] = '-';
	else if (sp->plus)
		prefix[np++] = '+';
	else if (sp->space)
		prefix[np++] = ' ';
	if (sp->alt && sp->base == 16 && v != 0) {
		prefix[np++] = '0';
		prefix[np++] = sp->upper ? 'X' : 'x';
	}
	if (v == 0 && sp->prec != 0)
		tmp[n++] = '0';
	for (; v != 0; v /= (unsigned)sp->base)
		tmp[n++] = digits[v % (unsigned)sp->base];
	if (sp->alt && sp->base == 8 && (n == 0 || tmp[n - 1] != '0'))
		tmp[n++] = '0';
	zeros = sp->prec > n ? sp->prec - n : 0;
	if (sp->zero && !sp->left && sp->prec < 0 && sp->width > n + np)
		zeros = sp->width - n - np;
	pad = sp->width - n - np - zeros;
	if (!sp->left)
		put_repeat(s, ' ', pad);
	for (int i = 0; i < np; i++)
		put(s, prefix[i]);
	put_repeat(s, '0', zeros);
	while (n > 0)
		put(s, tmp[--n]);
	if (sp->left)
		put_repeat(s, ' ', pad);
}

static const char *
parse_flags(const char *f, struct spec *sp)
{
	for (;; f++) {
		switch (*f) {
		case '-': sp->left = true; break;
		case '0': sp->zero = true; break;
		case '+': sp->plus = true; break;
		case ' ': sp->space = true; break;
		case '#': sp->alt = true; break;
		default: return f;
		}
	}
}

static const char *
parse_int(const char *f, int *np)
{
	int n = 0;

	for (; *f >= '0' && *f <= '9'; f++)
		if (n < 100000)
			n = n * 10 + (*f - '0');
	*np = n;
	return f;
}

static const char *
parse_length(const char *f, struct spec *sp)
{
	sp->len = 4;
	switch (*f) {
	case 'h':
		sp->len = f[1] == 'h' ? 1 : 2;
		return f + (f[1] == 'h' ? 2 : 1);
	case 'l':
		sp->len = 8;
		return f + (f[1] == 'l' ? 2 : 1);
	case 'j': case 'z': case 't':
		sp->len = 8;
		return f + 1;
	}
	return f;
}

static uint64_t
narrow_unsigned(uint64_t v, int len)
{
	return len == 8 ? v : v & ((1ULL << (len * 8)) - 1);
}

static int64_t
narrow_signed(int64_t v, int len)
{
	int shift = 64 - len * 8;

	return (int64_t)((uint64_t)v << shift) >> shift;
}

static void
format(struct sink *s, const char *f, va_list ap)
{
	const char *start, *str;
	struct spec sp;
	int64_t sv;
	uint64_t uv;
	char c;

	for (; *f != '\0'; f++) {
		if (*f != '%') {
			put(s, *f);
			continue;
		}
		start = f;
		memset(&sp, 0, sizeof(sp));
		sp.prec = -1;
		f = parse_flags(f + 1, &sp);
		if (*f == '*') {
			sp.width = va_arg(ap, int);
			if (sp.width < 0) {
				sp.left = true;
				sp.width = -sp.width;
			}
			f++;
		} else
			f = parse_int(f, &sp.width);
		if (*f == '.') {
			if (*++f == '*') {
				sp.prec = va_arg(ap, int);
				f++;
			} else
				f = parse_int(f, &sp.prec);
		}
		f = parse_length(f, &sp);
		switch (*f) {
		case 'd': case 'i':
			sv = sp.len == 8 ? va_arg(ap, int64_t) :
			    va_arg(ap, int);
			sv = narrow_signed(sv, sp.len);
			sp.base = 10;
			sp.negative = sv < 0;
			put_number(s, &sp, sv < 0 ? 0 - (uint64_t)sv :
			    (uint64_t)sv);
			break;
		case 'u': case 'o': case 'x': case 'X':
			uv = sp.len == 8 ? va_arg(ap, uint64_t) :
			    va_arg(ap, unsigned);
			uv = narrow_unsigned(uv, sp.len);
			sp.base = *f == 'u' ? 10 : *f == 'o' ? 8 : 16;
			sp.upper = *f == 'X';
			sp.plus = sp.space = false;
			put_number(s, &sp, uv);
			break;
		case 'p':
			sp.base = 16;
			sp.alt = true;
			put_number(s, &sp, (uintptr_t)va_arg(ap, void *));
			break;
		case 'c':
			c = (char)va_arg(ap, int);
			put_padded(s, &sp, &c, 1);
			break;
		case 's':
			str = va_arg(ap, const char *);
			if (str == NULL)
				str = "(null)";
			put_padded(s, &sp, str, (int)(sp.prec >= 0 ?
			    strnlen(str, (size_t)sp.prec) : strlen(str)));
			break;
		case '%':
			put(s, '%');
			break;
		default:
			for (; start <= f && *start != '\0'; start++)
				put(s, *start);
			if (*f == '\0')
				return;
		}
	}
}

int
kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct sink s = { buf, size, 0 };

	format(&s, fmt, ap);
	if (size > 0)
		buf[MIN(s.s_len, size - 1)] = '\0';
	return (int)s.s_len;
}

int
ksnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

static void
msgbuf_append(const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		msgbuf[(msgbuf_head + i) % MSGBUF_SIZE] = p[i];
	atomic_store_rel(&msgbuf_head, msgbuf_head + len);
}

size_t
msgbuf_read(uint64_t *pos, char *buf, size_t size)
{
	uint64_t head;
	size_t n;

	spin_lock(&printf_spin);
	head = msgbuf_head;
	if (*pos > head)
		*pos = head;
	if (head - *pos > MSGBUF_SIZE)
		*pos = head - MSGBUF_SIZE;
	for (n = 0; n < size && *pos < head; n++, (*pos)++)
		buf[n] = msgbuf[*pos % MSGBUF_SIZE];
	spin_unlock(&printf_spin);
	return n;
}

int
kvprintf(const char *fmt, va_list ap)
{
	char line[512];
	int n = kvsnprintf(line, sizeof(line), fmt, ap);
	size_t len = MIN((size_t)n, sizeof(line) - 1);
	bool locked = !lwkt_panicking;

	if (locked)
		spin_lock(&printf_spin);
	msgbuf_append(line, len);
	md_console_write(line, len);
	if (locked)
		spin_unlock(&printf_spin);
	return n;
}

int
kprintf(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvprintf(fmt, ap);
	va_end(ap);
	return n;
}
