/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DATA records: reading them into pages, ending and cutting them.
 *
 *   record with key K and length L holds file bytes [K - L, K)
 *   no record: a hole, zeroes
 *
 * D1  Records that are visible at one TID do not overlap.  Ours begin at a
 *     block (16 KB below 1 MB, 64 KB above) or at a page inside one; nothing
 *     here needs that of others' records.
 * D2  What records hold at or beyond the size of the newest INODE record
 *     (hi_recsize) does not count: the rounding of the last one, and what a
 *     crash in a long truncation left.  Whoever makes a file longer ends
 *     such records first.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <vm/vm_object.h>

#include "hammer_data.h"

/* All records that overlap [from, to). */
void
hammer_data_cursor(struct hammer_cursor *cur, const struct hammer_inode *ip,
    uint64_t from, uint64_t to)
{
	hammer_cursor_init(cur, ip->hi_fs->hf_hmp);
	hammer_cursor_key(cur, ip->hi_loc | HAMMER_LOCALIZE_MISC,
	    ip->hi_obj_id, HAMMER_RECTYPE_DATA, (int64_t)from + 1);
	cur->hc_end.key = to < (uint64_t)HAMMER_MAX_KEY - HAMMER_XBUFSIZE ?
	    (int64_t)to + HAMMER_XBUFSIZE - 1 : HAMMER_MAX_KEY;
	hammer_cursor_view(cur, ip);
}

bool
hammer_data_range(const struct hammer_leaf_elm *leaf, uint64_t *start,
    uint64_t *end)
{
	*end = (uint64_t)leaf->base.key;
	*start = *end - (uint64_t)leaf->data_len;
	return leaf->base.key > 0 && leaf->data_len > 0 &&
	    (int64_t)leaf->data_len <= leaf->base.key;
}

/* ---- reading --------------------------------------------------------- */

/* Bytes [from, to) of the file into the pages, which begin at base; src NULL
 * is zeroes. */
static void
pages_fill(struct vm_page **pages, uint64_t base, uint64_t from, uint64_t to,
    const char *src)
{
	size_t n, in;
	char *dst;

	while (from < to) {
		in = (size_t)((from - base) & PAGE_MASK);
		n = MIN((size_t)PAGE_SIZE - in, (size_t)(to - from));
		dst = (char *)vm_page_kva(pages[btop(from - base)]) + in;
		if (src != NULL) {
			memcpy(dst, src, n);
			src += n;
		} else {
			memset(dst, 0, n);
		}
		from += n;
	}
}

int
hammer_data_getpages(struct vnode *vp, struct vm_page **pages, int count)
{
	struct hammer_inode *ip = hammer_ip(vp);
	struct hammer_mount *hmp = ip->hi_fs->hf_hmp;
	const uint64_t base = ptob(pages[0]->m_pindex);
	const uint64_t end = base + ptob(count);
	uint64_t at = base, start, stop, limit;
	struct hammer_cursor cur;
	const void *data;
	uint32_t len;
	int error = ENOENT;

	limit = MIN(end, atomic_load_relaxed(&ip->hi_recsize));
	if (at < limit) {
		hammer_read_begin(hmp);
		hammer_data_cursor(&cur, ip, base, limit);
		for (error = hammer_btree_first(&cur); error == 0;
		    error = hammer_btree_next(&cur)) {
			if (!hammer_data_range(&cur.hc_leaf, &start, &stop)) {
				error = EIO;
				break;
			}
			if (start >= limit)
				break;
			error = hammer_cursor_data(&cur, &data, &len);
			if (error)
				break;
			if (start > at) {
				pages_fill(pages, base, at, start, NULL);
				at = start;
			}
			stop = MIN(stop, limit);
			if (stop > at) {
				pages_fill(pages, base, at, stop,
				    (const char *)data + (at - start));
				at = stop;
			}
			if (at == limit)
				break;
		}
		hammer_cursor_done(&cur);
		hammer_read_end(hmp);
	}
	if (error != 0 && error != ENOENT)
		return error;
	pages_fill(pages, base, at, end, NULL);
	return 0;
}

/* ---- ending ---------------------------------------------------------- */

int
hammer_data_insert(struct hammer_trans *tr, const struct hammer_inode *ip,
    uint64_t off, const void *data, uint32_t len)
{
	struct hammer_leaf_elm leaf;

	hammer_data_leaf(&leaf, ip, off + len);
	return hammer_record_insert(tr, &leaf, data, len);
}

void
hammer_data_leaf(struct hammer_leaf_elm *leaf, const struct hammer_inode *ip,
    uint64_t key)
{
	memset(leaf, 0, sizeof(*leaf));
	leaf->base.obj_id = ip->hi_obj_id;
	leaf->base.key = (int64_t)key;
	leaf->base.rec_type = HAMMER_RECTYPE_DATA;
	leaf->base.localization = ip->hi_loc | HAMMER_LOCALIZE_MISC;
}

int
hammer_data_delete(struct hammer_trans *tr, struct hammer_inode *ip,
    uint64_t from, int max, bool *more)
{
	struct hammer_cursor cur;
	uint64_t start, end;
	int error, n = 0;

	*more = false;
	hammer_data_cursor(&cur, ip, from, (uint64_t)HAMMER_MAX_KEY);
	if (from == 0) {		/* all that belongs to the object */
		cur.hc_beg.rec_type = 0;
		cur.hc_beg.key = HAMMER_MIN_KEY;
		cur.hc_end.rec_type = HAMMER_RECTYPE_MAX;
	}
	for (error = hammer_btree_first(&cur); error == 0;
	    error = hammer_btree_next(&cur)) {
		if (from != 0 &&
		    hammer_data_range(&cur.hc_leaf, &start, &end) &&
		    start < from)
			continue;
		if (n++ == max) {
			*more = true;
			break;
		}
		error = hammer_record_delete(tr, &cur,
		    hammer_delete_flags(ip, cur.hc_leaf.base.create_tid));
		if (error)
			break;
	}
	hammer_cursor_done(&cur);
	return error == ENOENT ? 0 : error;
}

/*
 * End what lies in [from, to), keeping the parts of straddling records that
 * are outside.  If keep is not NULL, it gets the bytes that were in the range
 * (it is of that size), *lo and *hi the hull of them (holes inside zeroed; at
 * first *lo is `to` and *hi is `from`).
 */
int
hammer_data_clear(struct hammer_trans *tr, struct hammer_inode *ip,
    uint64_t from, uint64_t to, char *keep, uint64_t *lo, uint64_t *hi)
{
	uint64_t start, end, a, b;
	struct hammer_cursor cur;
	const void *data;
	char *copy = NULL;
	uint32_t len = 0;
	int error;

	hammer_data_cursor(&cur, ip, from, to);
	for (error = hammer_btree_first(&cur); error == 0;
	    error = hammer_btree_next(&cur)) {
		if (!hammer_data_range(&cur.hc_leaf, &start, &end)) {
			error = EIO;
			break;
		}
		if (cur.hc_leaf.base.create_tid == tr->tid)
			continue;	/* a part that we kept */
		if (start >= to)
			break;
		a = MAX(start, from);
		b = MIN(end, to);
		if (start < from || end > to || keep != NULL) {
			error = hammer_cursor_data(&cur, &data, &len);
			if (error)
				break;
		}
		if (keep != NULL) {
			if (*lo < *hi && *hi < a)
				memset(keep + (*hi - from), 0, a - *hi);
			memcpy(keep + (a - from),
			    (const char *)data + (a - start), b - a);
			*lo = MIN(*lo, a);
			*hi = MAX(*hi, b);
		}
		if (start < from || end > to) {
			copy = kmalloc(len, &M_TEMP, M_WAITOK);
			memcpy(copy, data, len);
		}
		error = hammer_record_delete(tr, &cur,
		    hammer_delete_flags(ip, cur.hc_leaf.base.create_tid));
		if (error == 0 && start < from)
			error = hammer_data_insert(tr, ip, start, copy,
			    (uint32_t)(from - start));
		if (error == 0 && end > to)
			error = hammer_data_insert(tr, ip, to,
			    copy + (to - start), (uint32_t)(end - to));
		kfree(copy, &M_TEMP);
		copy = NULL;
		if (error)
			break;
	}
	hammer_cursor_done(&cur);
	return error == ENOENT ? 0 : error;
}

/*
 * Cut the file to newsize.  The record in which newsize lies is written anew,
 * zeroes from there on (rounded up to 16).
 */
int
hammer_data_truncate(struct hammer_trans *tr, struct hammer_inode *ip,
    uint64_t newsize, int max, bool *more)
{
	uint64_t start, end, cut = roundup2(newsize, (uint64_t)16);
	struct hammer_cursor cur;
	const void *data;
	char *copy = NULL;
	uint32_t len;
	int error;

	hammer_data_cursor(&cur, ip, newsize, newsize);
	error = hammer_btree_first(&cur);
	if (error == 0 && !hammer_data_range(&cur.hc_leaf, &start, &end))
		error = EIO;
	if (error == 0 && start < newsize && end > newsize) {
		error = hammer_cursor_data(&cur, &data, &len);
		if (error == 0) {
			copy = kmalloc(cut - start, &M_TEMP, M_WAITOK);
			memcpy(copy, data, newsize - start);
			memset(copy + (newsize - start), 0, cut - newsize);
			error = hammer_record_delete(tr, &cur,
			    hammer_delete_flags(ip,
			    cur.hc_leaf.base.create_tid));
		}
		if (error == 0)
			error = hammer_data_insert(tr, ip, start, copy,
			    (uint32_t)(cut - start));
		kfree(copy, &M_TEMP);
	}
	hammer_cursor_done(&cur);
	if (error != 0 && error != ENOENT)
		return error;
	return hammer_data_delete(tr, ip, newsize, max, more);
}
