/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the bytes of a file are: a sorted array of disjoint extents.  What
 * no extent covers is a hole.
 */
#include <stdlib.h>
#include <string.h>

#include "libjournal.h"

/* Index of the first extent that ends behind off. */
static size_t
first_after(const struct jm_extents *ex, uint64_t off)
{
	size_t lo = 0, hi = ex->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (ex->e[mid].off + ex->e[mid].len <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Open or close room: n extents at index i become m. */
static void
resize_at(struct jm_extents *ex, size_t i, size_t n, size_t m)
{
	size_t total = ex->n - n + m;

	if (total > ex->cap) {
		ex->cap = total < 8 ? 8 : total * 2;
		ex->e = jl_grow(ex->e, ex->cap * sizeof(*ex->e));
	}
	if (n != m && ex->n > i + n)
		memmove(&ex->e[i + m], &ex->e[i + n],
		    (ex->n - i - n) * sizeof(*ex->e));
	ex->n = total;
}

static uint64_t
src_at(const struct jm_extent *e, uint64_t off)
{
	return e->kind == JM_STREAM || e->kind == JM_LIVE ?
	    e->src + (off - e->off) : e->src;
}

/* Replace [off, off+len) by the given extent, or by nothing. */
static void
replace(struct jm_extents *ex, uint64_t off, uint64_t len,
    const struct jm_extent *with)
{
	uint64_t end = off + len;
	size_t i = first_after(ex, off), j = i, m = 0;
	struct jm_extent out[3];

	while (j < ex->n && ex->e[j].off < end)
		j++;
	if (i < j && ex->e[i].off < off) {
		out[m] = ex->e[i];
		out[m++].len = off - ex->e[i].off;
	}
	if (with != NULL)
		out[m++] = *with;
	if (i < j && ex->e[j - 1].off + ex->e[j - 1].len > end) {
		const struct jm_extent *last = &ex->e[j - 1];

		out[m] = *last;
		out[m].off = end;
		out[m].len = last->off + last->len - end;
		out[m++].src = src_at(last, end);
	}
	resize_at(ex, i, j - i, m);
	memcpy(&ex->e[i], out, m * sizeof(out[0]));
}

void
jm_ex_set(struct jm_extents *ex, uint64_t off, uint64_t len, enum jm_src kind,
    uint64_t src)
{
	struct jm_extent with = { off, len, src, kind };

	if (len == 0)
		return;
	/* Appending to what was appended before is the common case. */
	if (ex->n > 0) {
		struct jm_extent *last = &ex->e[ex->n - 1];

		if (last->off + last->len == off && last->kind == kind &&
		    src_at(last, off) == src) {
			last->len += len;
			return;
		}
	}
	replace(ex, off, len, &with);
}

void
jm_ex_clear(struct jm_extents *ex, uint64_t off, uint64_t len)
{
	if (len > 0 && ex->n > 0)
		replace(ex, off, len, NULL);
}

void
jm_ex_free(struct jm_extents *ex)
{
	free(ex->e);
	memset(ex, 0, sizeof(*ex));
}

int
jm_read(const struct jm_obj *obj, const struct jsource *src, void *buf,
    size_t len, uint64_t off)
{
	uint8_t *out = buf;
	uint64_t end = off + len;

	memset(buf, 0, len);
	for (size_t i = first_after(&obj->ex, off); i < obj->ex.n; i++) {
		const struct jm_extent *e = &obj->ex.e[i];
		uint64_t from = e->off > off ? e->off : off;
		uint64_t to = e->off + e->len < end ? e->off + e->len : end;

		if (e->off >= end)
			break;
		if (e->kind != JM_STREAM || src->js_read(src->js_arg,
		    out + (from - off), to - from, src_at(e, from)) != 0)
			return -1;
	}
	return 0;
}
