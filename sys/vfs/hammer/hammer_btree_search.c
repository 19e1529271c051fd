/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding a place in the B-Tree, and walking from leaf to leaf.
 *
 * S1  Only separators steer a search.  A child may believe in tighter bounds
 *     than its parent's separators: a key in such a gap goes to the nearest
 *     child, where it is not found.
 * S2  A search lands before the first element that is not less than the key;
 *     that element may be in the next leaf, when the key lies above all
 *     elements of the leaf whose range it is in.  Callers that go on from
 *     there use hammer_path_next(), which skips empty leaves.
 */
#include "hammer_core.h"

/* First element of a leaf that is >= key. */
static int
leaf_search(const struct hammer_node_ondisk *node,
    const struct hammer_base_elm *key)
{
	int lo = 0, hi = node->count, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (hammer_key_cmp(&node->elms[mid].base, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Last child whose separator is <= key; 0 if there is none. */
static int
internal_search(const struct hammer_node_ondisk *node,
    const struct hammer_base_elm *key)
{
	int lo = 1, hi = node->count, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (hammer_key_cmp(&node->elms[mid].base, key) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo - 1;
}

/* Add the child that the last step points to. */
static int
path_down(struct hammer_mount *hmp, struct hammer_path *p)
{
	struct hammer_step *st = hammer_path_leaf(p);
	int error;

	if (p->p_depth == HAMMER_MAXDEPTH) {
		kprintf("hammer: B-Tree is deeper than %d\n", HAMMER_MAXDEPTH);
		return EIO;
	}
	error = hammer_node_get(hmp,
	    hammer_step_node(st)->elms[st->st_idx].internal.subtree_offset, st + 1);
	if (error == 0)
		p->p_depth++;
	return error;
}

/* The root, from the reference that is kept on it where it is the same. */
static int
root_get(struct hammer_mount *hmp, struct hammer_step *st)
{
	hammer_off_t off = hmp->hm_root->vol0_btree_root;
	struct hammer_buffer *b = hmp->hm_rootbuf;
	int error;

	if (b != NULL && hmp->hm_rootoff == off) {
		hammer_buffer_ref(b);
		st->st_buf = b;
		st->st_off = off;
		st->st_idx = 0;
		return 0;
	}
	error = hammer_node_get(hmp, off, st);
	if (error == 0 && hmp->hm_inside) {
		if (b != NULL)
			hammer_buffer_put(hmp, b);
		hammer_buffer_ref(st->st_buf);
		hmp->hm_rootbuf = st->st_buf;
		hmp->hm_rootoff = off;
	}
	return error;
}

int
hammer_btree_descend(struct hammer_mount *hmp,
    const struct hammer_base_elm *key, struct hammer_path *p)
{
	struct hammer_step *st;
	int error;

	hammer_stat(&hmp->hm_st_descents);
	p->p_depth = 0;
	error = root_get(hmp, p->p_step);
	if (error != 0)
		return error;
	p->p_depth = 1;
	for (;;) {
		st = hammer_path_leaf(p);
		if (hammer_step_node(st)->type == HAMMER_BTREE_TYPE_LEAF) {
			st->st_idx = leaf_search(hammer_step_node(st), key);
			return 0;
		}
		st->st_idx = internal_search(hammer_step_node(st), key);
		error = path_down(hmp, p);
		if (error != 0) {
			hammer_path_drop(hmp, p);
			return error;
		}
	}
}

/*
 * Go to the first element of the next non-empty leaf (dir 1), or the last of
 * the one before (dir -1).  ENOENT: there is none.  On an error the path is
 * dropped.
 */
static int
path_leaf_step(struct hammer_mount *hmp, struct hammer_path *p, int dir)
{
	struct hammer_step *st;
	int error;

again:
	do {
		hammer_buffer_put(hmp, p->p_step[--p->p_depth].st_buf);
		if (p->p_depth == 0)
			return ENOENT;
		st = hammer_path_leaf(p);
		st->st_idx += dir;
	} while (st->st_idx < 0 || st->st_idx >= hammer_step_node(st)->count);
	do {
		error = path_down(hmp, p);
		if (error != 0) {
			hammer_path_drop(hmp, p);
			return error;
		}
		st = hammer_path_leaf(p);
		st->st_idx = dir > 0 ? 0 : hammer_step_node(st)->count - 1;
	} while (hammer_step_node(st)->type == HAMMER_BTREE_TYPE_INTERNAL);
	if (hammer_step_node(st)->count == 0)
		goto again;
	return 0;
}

/* If the index is at the leaf's end, move to the next leaf's first element. */
int
hammer_path_next(struct hammer_mount *hmp, struct hammer_path *p)
{
	struct hammer_step *st = hammer_path_leaf(p);

	return st->st_idx < hammer_step_node(st)->count ? 0 : path_leaf_step(hmp, p, 1);
}

/* One element back. */
int
hammer_path_prev(struct hammer_mount *hmp, struct hammer_path *p)
{
	struct hammer_step *st = hammer_path_leaf(p);

	return --st->st_idx >= 0 ? 0 : path_leaf_step(hmp, p, -1);
}

int
hammer_btree_find(struct hammer_mount *hmp, const struct hammer_base_elm *key,
    struct hammer_path *p)
{
	struct hammer_step *st;
	int error;

	error = hammer_btree_descend(hmp, key, p);
	if (error != 0)
		return error;
	st = hammer_path_leaf(p);
	if (st->st_idx < hammer_step_node(st)->count &&
	    hammer_key_cmp(&hammer_step_node(st)->elms[st->st_idx].base, key) == 0)
		return 0;
	hammer_path_drop(hmp, p);
	return ENOENT;
}
