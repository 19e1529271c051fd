/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moments as people write them.  A TID is the wall clock in nanoseconds, so
 * a time needs no table: the state at T is what was done up to T.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "undo.h"

#define NS 1000000000ULL

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * NS + (uint64_t)ts.tv_nsec;
}

/* 90s, 5m, 2h30m, 1d, 3w: seconds, or -1. */
static long long
parse_age(const char *s)
{
	static const struct { char unit; long long secs; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 604800 },
	};
	long long total = 0, v;
	char *end;
	size_t i;

	if (*s == 0)
		return -1;
	while (*s) {
		if (*s < '0' || *s > '9')
			return -1;
		v = strtoll(s, &end, 10);
		for (i = 0; i < 5 && units[i].unit != *end; i++)
			;
		if (i == 5 || v > 1000000000)
			return -1;
		total += v * units[i].secs;
		s = end + 1;
	}
	return total;
}

/* [yesterday|YYYY-MM-DD][T| ]HH:MM[:SS] in local time. */
static int
parse_clock(const char *s, uint64_t *tid)
{
	time_t now = (time_t)(now_ns() / NS);
	struct tm tm;
	int y, mo, d, h = 0, mi = 0, se = 0, n = 0;

	localtime_r(&now, &tm);
	if (sscanf(s, "%4d-%2d-%2d%n", &y, &mo, &d, &n) == 3 && n >= 8) {
		tm.tm_year = y - 1900;
		tm.tm_mon = mo - 1;
		tm.tm_mday = d;
		s += n;
	} else if (strncmp(s, "yesterday", 9) == 0) {
		tm.tm_mday--;
		s += 9;
	} else if (strncmp(s, "today", 5) == 0) {
		s += 5;
	}
	if (*s == 'T' || *s == ' ')
		s++;
	n = 0;
	if (*s) {
		if (sscanf(s, "%2d:%2d%n", &h, &mi, &n) != 2)
			return -1;
		s += n;
		if (*s == ':') {
			n = 0;
			if (sscanf(s, ":%2d%n", &se, &n) != 1)
				return -1;
			s += n;
		}
		if (*s)
			return -1;
	}
	if (h < 0 || h > 23 || mi < 0 || mi > 59 || se < 0 || se > 60)
		return -1;
	tm.tm_hour = h;
	tm.tm_min = mi;
	tm.tm_sec = se;
	tm.tm_isdst = -1;
	now = mktime(&tm);
	if (now < 0)
		return -1;
	*tid = (uint64_t)now * NS + (NS - 1);	/* that second included */
	return 0;
}

/* ~N: the N-th content back from the present one. */
static int
parse_back(const char *s, const struct history *h, uint64_t *tid)
{
	unsigned long back;
	char *end;
	size_t i;

	if (h == NULL)
		return -1;
	back = strtoul(s, &end, 10);
	if (*end || end == s || h->n == 0)
		return -1;
	if (h->m[h->n - 1].obj_id == 0)	/* removed: ~1 is the last one */
		back--;
	for (i = h->n; i-- > 0;) {
		if (h->m[i].obj_id == 0 || h->m[i].brief || h->m[i].meta)
			continue;
		if (back-- == 0) {
			*tid = h->m[i].tid;
			return 0;
		}
	}
	return -1;
}

int
when_parse(const char *s, const struct history *h, uint64_t *tid)
{
	long long age;
	char *end;

	if (s[0] == '0' && (s[1] | 0x20) == 'x') {
		*tid = strtoull(s, &end, 16);
		return *end == 0 && *tid != 0 ? 0 : -1;
	}
	if (s[0] == '~')
		return parse_back(s + 1, h, tid);
	if (strcmp(s, "now") == 0) {
		*tid = now_ns();
		return 0;
	}
	age = parse_age(s);
	if (age >= 0) {
		*tid = now_ns() - (uint64_t)age * NS;
		return 0;
	}
	return parse_clock(s, tid);
}

const char *
when_text(uint64_t tid)
{
	static char buf[40];
	time_t t = (time_t)(tid / NS);
	struct tm tm;
	size_t n;

	if (tid < (1ULL << 60))		/* media of others: not a time */
		return "-                      ";
	localtime_r(&t, &tm);
	n = strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(buf + n, sizeof(buf) - n, ".%03u",
	    (unsigned)(tid % NS / 1000000));
	return buf;
}

const char *
when_age(uint64_t tid)
{
	static char buf[32];
	uint64_t now = now_ns(), s;

	if (tid < (1ULL << 60))
		return "-";
	s = now > tid ? (now - tid) / NS : 0;
	if (s < 120)
		snprintf(buf, sizeof(buf), "%us ago", (unsigned)s);
	else if (s < 7200)
		snprintf(buf, sizeof(buf), "%um ago", (unsigned)(s / 60));
	else if (s < 172800)
		snprintf(buf, sizeof(buf), "%uh ago", (unsigned)(s / 3600));
	else
		snprintf(buf, sizeof(buf), "%ud ago", (unsigned)(s / 86400));
	return buf;
}
