/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inserting an element, splitting on the way down.
 *
 *   before             after  ("S" separates what went right)
 *   P:  .. x ..        P:  .. x S ..
 *          |                  | |
 *          N               N--' `--N'
 *
 * T1  A full child is split before it is entered, so a parent always has room
 *     for one more separator, and a failure leaves a correct tree.
 * T2  Where elements come in ascending order a node is split at the insertion
 *     point, which leaves the left one full.  b_lastins remembers the last
 *     insert into each node for that.
 * T3  Children that move to another node get its address as their parent.
 *     The nodes are fetched before anything is changed.
 * T4  mirror_tid of an internal element equals that of its child; inserts and
 *     deletes raise it from the leaf to the root.
 */
#include "hammer_core.h"

enum {
	NODE_HEAD	= offsetof(struct hammer_node_ondisk, elms),
	ELM		= sizeof(union hammer_btree_elm),
};

static uint8_t *
lastins(struct hammer_step *st)
{
	return &st->st_buf->b_lastins[(st->st_off & HAMMER_BUFMASK) /
	    HAMMER_NODE_SIZE];
}

/* Elements idx..slots-1 move up by one: whole elements are faster than bytes
 * from the end. */
static void
elms_up(union hammer_btree_elm *e, int idx, int slots)
{
	int i;

	for (i = slots; i > idx; i--)
		e[i] = e[i - 1];
}

/* Make room for an element at idx; slots counts a right boundary too. */
static struct hammer_node_ondisk *
node_open(struct hammer_mount *hmp, struct hammer_step *st, int idx, int slots)
{
	struct hammer_node_ondisk *node;

	hammer_node_modify(hmp, st, 0, NODE_HEAD);
	node = hammer_node_modify(hmp, st, NODE_HEAD + (uint32_t)idx * ELM,
	    (uint32_t)(slots - idx + 1) * ELM);
	elms_up(node->elms, idx, slots);
	node->count++;
	return node;
}

/* Tell the children beg..end-1 of an internal node where it is. */
static void
node_adopt(struct hammer_mount *hmp, struct hammer_step *kids, int n,
    hammer_off_t parent)
{
	int i;

	for (i = 0; i < n; i++)
		hammer_node_modify(hmp, &kids[i], 0, NODE_HEAD)->parent =
		    parent;
}

static void
kids_put(struct hammer_mount *hmp, struct hammer_step *kids, int n)
{
	while (n > 0)
		hammer_buffer_put(hmp, kids[--n].st_buf);
	kfree(kids, &M_HAMMER);
}

static int
kids_get(struct hammer_mount *hmp, const struct hammer_node_ondisk *node,
    int beg, struct hammer_step **kidsp)
{
	struct hammer_step *kids;
	int error, i, n = node->count - beg;

	kids = kmalloc(sizeof(*kids) * (size_t)n, &M_HAMMER, 0);
	for (i = 0; i < n; i++) {
		error = hammer_node_get(hmp,
		    node->elms[beg + i].internal.subtree_offset, &kids[i]);
		if (error != 0) {
			kids_put(hmp, kids, i);
			return error;
		}
	}
	*kidsp = kids;
	return 0;
}

/* A new root above the old one.  On success root is the new one's step. */
static int
root_grow(struct hammer_mount *hmp, struct hammer_step *root,
    struct hammer_step *old)
{
	struct hammer_node_ondisk *node;
	int error;

	error = hammer_node_alloc(hmp, root);
	if (error != 0)
		return error;
	node = hammer_step_node(root);
	node->type = HAMMER_BTREE_TYPE_INTERNAL;
	node->count = 1;
	node->mirror_tid = hammer_step_node(old)->mirror_tid;
	node->elms[0].base = hammer_key_min;
	node->elms[0].base.btype = hammer_step_node(old)->type;
	node->elms[0].internal.mirror_tid = hammer_step_node(old)->mirror_tid;
	node->elms[0].internal.subtree_offset = old->st_off;
	node->elms[1].base = hammer_key_max;
	hammer_node_modify(hmp, old, 0, NODE_HEAD)->parent = root->st_off;
	hmp->hm_root->vol0_btree_root = root->st_off;
	hmp->hm_hdrdirty = true;
	root->st_idx = 0;
	return 0;
}

/* How many elements stay left, given that the next goes to idx. */
static int
split_point(struct hammer_step *st, int idx)
{
	int count = hammer_step_node(st)->count;

	if (*lastins(st) != 0 && *lastins(st) == idx)
		return MIN(MAX(idx, 1), count - 1);
	return count / 2;
}

/*
 * Split the full child on which parent stands.  ahead is the index in it where
 * the insertion will go.
 */
static int
node_split(struct hammer_mount *hmp, struct hammer_step *parent,
    struct hammer_step *left, int ahead, const struct hammer_base_elm *key)
{
	struct hammer_step right, *kids = NULL;
	struct hammer_node_ondisk *l, *r, *p;
	struct hammer_base_elm sep;
	int count = hammer_step_node(left)->count, nkids = 0, error, split;
	bool leaf = hammer_step_node(left)->type == HAMMER_BTREE_TYPE_LEAF;

	split = split_point(left, ahead);
	if (leaf && *lastins(left) == ahead && ahead == count) {
		/* Ascending at the very end: leave the left node whole. */
		split = count;
		hammer_key_separator(&hammer_step_node(left)->elms[count - 1].base, key,
		    &sep);
	} else if (leaf) {
		hammer_key_separator(&hammer_step_node(left)->elms[split - 1].base,
		    &hammer_step_node(left)->elms[split].base, &sep);
	} else {
		sep = hammer_step_node(left)->elms[split].base;
		error = kids_get(hmp, hammer_step_node(left), split, &kids);
		if (error != 0)
			return error;
		nkids = count - split;
	}
	error = hammer_node_alloc(hmp, &right);
	if (error != 0) {
		if (kids != NULL)
			kids_put(hmp, kids, nkids);
		return error;
	}

	/* Nothing fails from here on. */
	l = hammer_node_modify(hmp, left, 0, NODE_HEAD);
	r = hammer_step_node(&right);
	r->type = l->type;
	r->parent = parent->st_off;
	r->mirror_tid = l->mirror_tid;
	r->count = count - split;
	memcpy(r->elms, &l->elms[split], (size_t)(count - split + !leaf) * ELM);
	l->count = split;
	if (!leaf) {
		l = hammer_node_modify(hmp, left,
		    NODE_HEAD + (uint32_t)split * ELM, ELM);
		l->elms[split].internal.subtree_offset = 0;
		l->elms[split].internal.mirror_tid = 0;
		node_adopt(hmp, kids, nkids, right.st_off);
		kids_put(hmp, kids, nkids);
	}
	*lastins(&right) = (uint8_t)(ahead >= split && *lastins(left) == ahead ?
	    ahead - split : 0);

	p = node_open(hmp, parent, parent->st_idx + 1,
	    hammer_step_node(parent)->count + 1);
	p->elms[parent->st_idx + 1].base = sep;
	p->elms[parent->st_idx + 1].base.delete_tid = 0;
	p->elms[parent->st_idx + 1].base.obj_type = 0;
	p->elms[parent->st_idx + 1].base.btype = r->type;
	p->elms[parent->st_idx + 1].internal.mirror_tid = r->mirror_tid;
	p->elms[parent->st_idx + 1].internal.subtree_offset = right.st_off;
	p->elms[parent->st_idx + 1].internal.unused02 = 0;
	p->elms[parent->st_idx + 1].internal.unused03 = 0;
	*lastins(parent) = (uint8_t)(parent->st_idx + 1);
	hammer_buffer_put(hmp, right.st_buf);
	hmp->hm_gen++;
	return 0;
}

/*
 * Widen an internal node's own bounds to what its parent gives it, where the
 * key would otherwise fall outside (S1): foreign trees have such gaps.
 */
static void
node_widen(struct hammer_mount *hmp, struct hammer_step *st,
    const struct hammer_base_elm *left, const struct hammer_base_elm *right,
    const struct hammer_base_elm *key)
{
	struct hammer_node_ondisk *node = hammer_step_node(st);
	int n = node->count;
	uint8_t btype;

	if (hammer_key_cmp(key, &node->elms[0].base) < 0) {
		node = hammer_node_modify(hmp, st, NODE_HEAD, ELM);
		btype = node->elms[0].base.btype;
		node->elms[0].base = *left;
		node->elms[0].base.btype = btype;
	}
	if (hammer_key_cmp(key, &node->elms[n].base) >= 0) {
		node = hammer_node_modify(hmp, st,
		    NODE_HEAD + (uint32_t)n * ELM, ELM);
		btype = node->elms[n].base.btype;
		node->elms[n].base = *right;
		node->elms[n].base.btype = btype;
	}
}

static bool
node_full(const struct hammer_node_ondisk *node)
{
	return node->count >= (node->type == HAMMER_BTREE_TYPE_LEAF ?
	    HAMMER_BTREE_LEAF_ELMS : HAMMER_BTREE_INT_ELMS);
}

static int
node_index(const struct hammer_node_ondisk *node,
    const struct hammer_base_elm *key)
{
	bool leaf = node->type == HAMMER_BTREE_TYPE_LEAF;
	int lo = leaf ? 0 : 1, hi = node->count, mid, c;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		c = hammer_key_cmp(&node->elms[mid].base, key);
		if (c < 0 || (c == 0 && !leaf))
			lo = mid + 1;
		else
			hi = mid;
	}
	return leaf ? lo : lo - 1;
}

/* Down to the leaf for key, with room in it.  An error drops the path. */
static int
descend_splitting(struct hammer_mount *hmp, const struct hammer_base_elm *key,
    struct hammer_path *p)
{
	struct hammer_step old, *st;
	struct hammer_base_elm left = hammer_key_min, right = hammer_key_max;
	int error;

	hammer_stat(&hmp->hm_st_descents);
	p->p_depth = 0;
	error = hammer_node_get(hmp, hmp->hm_root->vol0_btree_root, p->p_step);
	if (error != 0)
		return error;
	p->p_depth = 1;
	if (node_full(hammer_step_node(&p->p_step[0]))) {
		old = p->p_step[0];
		error = root_grow(hmp, &p->p_step[0], &old);
		hammer_buffer_put(hmp, old.st_buf);
		if (error != 0) {
			p->p_depth = 0;
			return error;
		}
	}
	for (;;) {
		st = hammer_path_leaf(p);
		if (hammer_step_node(st)->type == HAMMER_BTREE_TYPE_LEAF) {
			st->st_idx = node_index(hammer_step_node(st), key);
			return 0;
		}
		node_widen(hmp, st, &left, &right, key);
		st->st_idx = node_index(hammer_step_node(st), key);
		if (p->p_depth == HAMMER_MAXDEPTH)
			error = EIO;
		else
			error = hammer_node_get(hmp, hammer_step_node(st)->
			    elms[st->st_idx].internal.subtree_offset, st + 1);
		if (error == 0 && node_full(hammer_step_node(&st[1]))) {
			error = node_split(hmp, st, &st[1],
			    node_index(hammer_step_node(&st[1]), key), key);
			hammer_buffer_put(hmp, st[1].st_buf);
			if (error == 0) {
				st->st_idx = node_index(hammer_step_node(st), key);
				error = hammer_node_get(hmp, hammer_step_node(st)->
				    elms[st->st_idx].internal.subtree_offset,
				    st + 1);
			}
		}
		if (error != 0) {
			hammer_path_drop(hmp, p);
			return error;
		}
		left = hammer_step_node(st)->elms[st->st_idx].base;
		right = hammer_step_node(st)->elms[st->st_idx + 1].base;
		p->p_depth++;
	}
}

/* Raise mirror_tid from the leaf of the path to the root (T4). */
void
hammer_btree_mirror(struct hammer_mount *hmp, struct hammer_path *p,
    hammer_tid_t tid)
{
	struct hammer_node_ondisk *node;
	struct hammer_step *st;
	int i;

	for (i = p->p_depth - 1; i >= 0; i--) {
		st = &p->p_step[i];
		if (i < p->p_depth - 1) {
			node = hammer_node_modify(hmp, st,
			    NODE_HEAD + (uint32_t)st->st_idx * ELM, ELM);
			node->elms[st->st_idx].internal.mirror_tid = MAX(tid,
			    node->elms[st->st_idx].internal.mirror_tid);
		}
		if (hammer_step_node(st)->mirror_tid >= tid)
			break;
		hammer_node_modify(hmp, st, 0, NODE_HEAD)->mirror_tid = tid;
	}
}

/*
 * Insert a leaf element.  hm_lock exclusive; blocks for reads.
 * Errors: EEXIST, EIO, ENOSPC (the tree is correct then, maybe split).
 */
int
hammer_btree_insert(struct hammer_mount *hmp, const struct hammer_leaf_elm *elm)
{
	struct hammer_path path;
	struct hammer_node_ondisk *node;
	struct hammer_step *st;
	hammer_tid_t tid;
	int error, idx;

	error = descend_splitting(hmp, &elm->base, &path);
	if (error != 0)
		return error;
	st = hammer_path_leaf(&path);
	idx = st->st_idx;
	if (idx < hammer_step_node(st)->count &&
	    hammer_key_cmp(&hammer_step_node(st)->elms[idx].base, &elm->base) == 0) {
		hammer_path_drop(hmp, &path);
		return EEXIST;
	}
	node = node_open(hmp, st, idx, hammer_step_node(st)->count);
	node->elms[idx].leaf = *elm;
	node->elms[idx].base.btype = HAMMER_BTREE_TYPE_RECORD;
	*lastins(st) = (uint8_t)(idx + 1);
	tid = MAX(elm->base.create_tid, elm->base.delete_tid);
	hammer_btree_mirror(hmp, &path, tid);
	hammer_path_drop(hmp, &path);
	hmp->hm_gen++;
	return 0;
}
