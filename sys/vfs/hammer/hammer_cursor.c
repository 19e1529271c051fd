/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cursors: iteration over what is visible, in both directions.
 *
 * U1  A position (leaf, index) is good while hm_gen is what it was; else it is
 *     found again from hc_leaf, the last element returned.
 * U2  Visible at T: create_tid <= T, and delete_tid is 0 or above T.  "Now" is
 *     the highest T.  At most one version of a key is visible at a T, and it
 *     is the last one whose create_tid is not above T; it may lie in an
 *     earlier leaf than the search lands in, which walking back one element
 *     finds wherever the separators are.
 */
#include "hammer_core.h"

enum { HC_FRESH, HC_ON, HC_END };	/* hc_state */

void
hammer_cursor_init(struct hammer_cursor *c, struct hammer_mount *hmp)
{
	const struct hammer_base_elm none = { .obj_id = 0 };

	/* Field by field: there are several of these in every operation.
	 * hc_leaf is output only. */
	c->hc_hmp = hmp;
	c->hc_beg = c->hc_end = none;
	c->hc_asof = HAMMER_MAX_TID;
	c->hc_flags = 0;
	c->hc_node = 0;
	c->hc_index = 0;
	c->hc_state = HC_FRESH;
	c->hc_gen = 0;
	c->hc_nodebuf = c->hc_databuf = NULL;
	c->hc_bigdata = NULL;
	c->hc_bigsize = 0;
}

static void
cursor_drop(struct hammer_cursor *c)
{
	if (c->hc_nodebuf != NULL)
		hammer_buffer_put(c->hc_hmp, c->hc_nodebuf);
	if (c->hc_databuf != NULL)
		hammer_buffer_put(c->hc_hmp, c->hc_databuf);
	c->hc_nodebuf = c->hc_databuf = NULL;
}

void
hammer_cursor_done(struct hammer_cursor *c)
{
	cursor_drop(c);
	kfree(c->hc_bigdata, &M_HAMMERBUF);
	c->hc_bigdata = NULL;
	c->hc_bigsize = 0;
	c->hc_state = HC_FRESH;
}

void
hammer_cursor_key(struct hammer_cursor *c, uint32_t localization,
    int64_t obj_id, uint16_t rec_type, int64_t key)
{
	memset(&c->hc_beg, 0, sizeof(c->hc_beg));
	c->hc_beg.localization = localization;
	c->hc_beg.obj_id = obj_id;
	c->hc_beg.rec_type = rec_type;
	c->hc_beg.key = key;
	c->hc_end = c->hc_beg;
}

static hammer_tid_t
cursor_asof(const struct hammer_cursor *c)
{
	return (c->hc_flags & HAMMER_CURSOR_ASOF) ? c->hc_asof :
	    HAMMER_MAX_TID;
}

/* Smallest and largest key in range, create_tid included. */
static struct hammer_base_elm
bound_low(const struct hammer_cursor *c)
{
	struct hammer_base_elm k = c->hc_beg;

	if (!(c->hc_flags & HAMMER_CURSOR_ALL) || k.create_tid == 0)
		k.create_tid = 1;	/* 0 is above all, see K1 */
	return k;
}

static struct hammer_base_elm
bound_high(const struct hammer_cursor *c)
{
	struct hammer_base_elm k = c->hc_end;

	if (!(c->hc_flags & HAMMER_CURSOR_ALL) || k.create_tid == 0)
		k.create_tid = HAMMER_MAX_TID;
	return k;
}

static bool
visible(const struct hammer_cursor *c, const struct hammer_base_elm *e)
{
	hammer_tid_t t = cursor_asof(c);

	if (c->hc_flags & HAMMER_CURSOR_ALL)
		return true;
	if (t == HAMMER_MAX_TID)
		return e->delete_tid == 0;
	return e->create_tid <= t && (e->delete_tid == 0 || t < e->delete_tid);
}

/* The path's element is the cursor's now: keep its leaf, drop the rest. */
static void
cursor_take(struct hammer_cursor *c, struct hammer_path *p)
{
	struct hammer_step *st = hammer_path_leaf(p);

	cursor_drop(c);
	c->hc_leaf = hammer_step_node(st)->elms[st->st_idx].leaf;
	c->hc_node = st->st_off;
	c->hc_index = st->st_idx;
	c->hc_nodebuf = st->st_buf;
	c->hc_gen = c->hc_hmp->hm_gen;
	c->hc_state = HC_ON;
	p->p_depth--;
	hammer_path_drop(c->hc_hmp, p);
}

static int
cursor_end(struct hammer_cursor *c, int error)
{
	cursor_drop(c);
	if (error == ENOENT)
		c->hc_state = HC_END;
	return error;
}

/* From a path on, ascending, to the first visible element within bounds. */
static int
scan_up(struct hammer_cursor *c, struct hammer_path *p)
{
	const struct hammer_base_elm high = bound_high(c);
	struct hammer_base_elm *e;
	struct hammer_step *st;
	int error;

	for (;; hammer_path_leaf(p)->st_idx++) {
		error = hammer_path_next(c->hc_hmp, p);
		if (error != 0)
			return cursor_end(c, error);
		st = hammer_path_leaf(p);
		e = &hammer_step_node(st)->elms[st->st_idx].base;
		if (hammer_key_cmp(e, &high) > 0)
			break;
		if (visible(c, e)) {
			cursor_take(c, p);
			return 0;
		}
	}
	hammer_path_drop(c->hc_hmp, p);
	return cursor_end(c, ENOENT);
}

/* From before a path on, descending. */
static int
scan_down(struct hammer_cursor *c, struct hammer_path *p)
{
	const struct hammer_base_elm low = bound_low(c);
	struct hammer_base_elm *e;
	struct hammer_step *st;
	int error;

	for (;;) {
		error = hammer_path_prev(c->hc_hmp, p);
		if (error != 0)
			return cursor_end(c, error);
		st = hammer_path_leaf(p);
		e = &hammer_step_node(st)->elms[st->st_idx].base;
		if (hammer_key_cmp(e, &low) < 0)
			break;
		if (visible(c, e)) {
			cursor_take(c, p);
			return 0;
		}
	}
	hammer_path_drop(c->hc_hmp, p);
	return cursor_end(c, ENOENT);
}

static int
seek_up(struct hammer_cursor *c, const struct hammer_base_elm *key)
{
	struct hammer_path path;
	int error;

	error = hammer_btree_descend(c->hc_hmp, key, &path);
	return error != 0 ? cursor_end(c, error) : scan_up(c, &path);
}

static int
seek_down(struct hammer_cursor *c, const struct hammer_base_elm *key)
{
	struct hammer_path path;
	int error;

	error = hammer_btree_descend(c->hc_hmp, key, &path);
	return error != 0 ? cursor_end(c, error) : scan_down(c, &path);
}

/*
 * The one visible version of hc_beg.  With ALL: the element whose create_tid
 * is that of hc_beg.
 */
int
hammer_btree_lookup(struct hammer_cursor *c)
{
	struct hammer_base_elm key = c->hc_beg;
	struct hammer_path path;
	struct hammer_base_elm *e;
	struct hammer_step *st;
	int error;

	if (c->hc_flags & HAMMER_CURSOR_ALL) {
		error = hammer_btree_find(c->hc_hmp, &key, &path);
		if (error == 0)
			cursor_take(c, &path);
		return error != 0 ? cursor_end(c, error) : 0;
	}
	/* The last version that is not younger than T; T itself included. */
	key.create_tid = cursor_asof(c);
	error = hammer_btree_descend(c->hc_hmp, &key, &path);
	if (error != 0)
		return cursor_end(c, error);
	st = hammer_path_leaf(&path);
	if (st->st_idx == hammer_step_node(st)->count || hammer_key_cmp(
	    &hammer_step_node(st)->elms[st->st_idx].base, &key) != 0) {
		error = hammer_path_prev(c->hc_hmp, &path);
		if (error != 0)
			return cursor_end(c, error);
		st = hammer_path_leaf(&path);
	}
	e = &hammer_step_node(st)->elms[st->st_idx].base;
	key.create_tid = e->create_tid;
	if (hammer_key_cmp(e, &key) == 0 && visible(c, e)) {
		cursor_take(c, &path);
		return 0;
	}
	hammer_path_drop(c->hc_hmp, &path);
	return cursor_end(c, ENOENT);
}

int
hammer_btree_first(struct hammer_cursor *c)
{
	struct hammer_base_elm key = bound_low(c);

	return seek_up(c, &key);
}

int
hammer_btree_last(struct hammer_cursor *c)
{
	struct hammer_base_elm key = bound_high(c);
	struct hammer_path path;
	struct hammer_step *st;
	int error;

	error = hammer_btree_descend(c->hc_hmp, &key, &path);
	if (error != 0)
		return cursor_end(c, error);
	/* An element equal to the bound is inside. */
	st = hammer_path_leaf(&path);
	if (st->st_idx < hammer_step_node(st)->count && hammer_key_cmp(
	    &hammer_step_node(st)->elms[st->st_idx].base, &key) == 0)
		st->st_idx++;
	return scan_down(c, &path);
}

/* Elements of the cursor's own leaf, without a descent (U1). */
static bool
step_inside(struct hammer_cursor *c, int dir)
{
	const struct hammer_node_ondisk *node;
	const struct hammer_base_elm bound = dir > 0 ? bound_high(c) :
	    bound_low(c);
	int i, d;

	if (c->hc_nodebuf == NULL || c->hc_gen != c->hc_hmp->hm_gen)
		return false;
	node = hammer_buffer_ptr(c->hc_nodebuf, c->hc_node);
	for (i = c->hc_index + dir; i >= 0 && i < node->count; i += dir) {
		d = hammer_key_cmp(&node->elms[i].base, &bound);
		if ((dir > 0 && d > 0) || (dir < 0 && d < 0))
			return false;	/* the search will say so */
		if (!visible(c, &node->elms[i].base))
			continue;
		if (c->hc_databuf != NULL)
			hammer_buffer_put(c->hc_hmp, c->hc_databuf);
		c->hc_databuf = NULL;
		c->hc_index = i;
		c->hc_leaf = node->elms[i].leaf;
		return true;
	}
	return false;
}

/* A damaged tree must not send a loop in circles. */
static int
progress(struct hammer_cursor *c, const struct hammer_base_elm *from, int dir,
    int error)
{
	if (error != 0 || hammer_key_cmp(&c->hc_leaf.base, from) * dir > 0)
		return error;
	kprintf("hammer: B-Tree is out of order at obj %016llx\n",
	    (unsigned long long)from->obj_id);
	cursor_drop(c);
	c->hc_state = HC_END;
	return EIO;
}

int
hammer_btree_next(struct hammer_cursor *c)
{
	const struct hammer_base_elm from = c->hc_leaf.base;
	struct hammer_base_elm key = from;

	if (c->hc_state != HC_ON)
		return c->hc_state == HC_END ? ENOENT : hammer_btree_first(c);
	if (step_inside(c, 1))
		return progress(c, &from, 1, 0);
	key.create_tid++;	/* above this one, below whatever follows */
	return progress(c, &from, 1, seek_up(c, &key));
}

int
hammer_btree_prev(struct hammer_cursor *c)
{
	const struct hammer_base_elm from = c->hc_leaf.base;

	if (c->hc_state != HC_ON)
		return c->hc_state == HC_END ? ENOENT : hammer_btree_last(c);
	if (step_inside(c, -1))
		return progress(c, &from, -1, 0);
	return progress(c, &from, -1, seek_down(c, &from));
}
