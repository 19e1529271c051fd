/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Removing an element.  Nodes are not merged; empty ones go.
 *
 *   P:  .. a b c ..      remove child b:      P:  .. a c ..
 *          | | |                                     | |
 *          A B C                                     A C   A now ends at c
 *
 * R1  The bounds stay without a gap: the left neighbour takes over the range
 *     of the removed child (the right one, at the left edge), and its own
 *     boundary and those below it on that edge are moved.
 * R2  The neighbour inherits the removed child's mirror_tid, down to the leaf,
 *     so that a mirror scan looks at the range in which something vanished.
 * R3  An internal node is never empty: the parent of the last child goes with
 *     it.  The root shrinks to an empty leaf at the worst.
 * R4  Everything that may fail (reading the neighbour's edge) is done before
 *     anything is changed; then the removal leaves an empty leaf instead.
 */
#include "hammer_core.h"

enum {
	NODE_HEAD	= offsetof(struct hammer_node_ondisk, elms),
	ELM		= sizeof(union hammer_btree_elm),
};

/* Take element idx out; slots counts a right boundary too. */
static void
node_close(struct hammer_mount *hmp, struct hammer_step *st, int idx, int slots)
{
	struct hammer_node_ondisk *node;

	hammer_node_modify(hmp, st, 0, NODE_HEAD);
	node = hammer_node_modify(hmp, st, NODE_HEAD + (uint32_t)idx * ELM,
	    (uint32_t)(slots - idx) * ELM);
	memmove(&node->elms[idx], &node->elms[idx + 1],
	    (size_t)(slots - idx - 1) * ELM);
	memset(&node->elms[slots - 1], 0, ELM);
	node->count--;
	st->st_buf->b_lastins[(st->st_off & HAMMER_BUFMASK) /
	    HAMMER_NODE_SIZE] = 0;
}

/* The edge of the subtree under elm idx of st: rightmost or leftmost nodes. */
static int
edge_get(struct hammer_mount *hmp, struct hammer_step *st, int idx, bool right,
    struct hammer_path *edge)
{
	struct hammer_node_ondisk *node = hammer_step_node(st);
	struct hammer_step *e;
	int error;

	edge->p_depth = 0;
	for (;;) {
		if (edge->p_depth == HAMMER_MAXDEPTH) {
			hammer_path_drop(hmp, edge);
			return EIO;
		}
		e = &edge->p_step[edge->p_depth];
		error = hammer_node_get(hmp,
		    node->elms[idx].internal.subtree_offset, e);
		if (error != 0) {
			hammer_path_drop(hmp, edge);
			return error;
		}
		edge->p_depth++;
		node = hammer_step_node(e);
		if (node->type == HAMMER_BTREE_TYPE_LEAF)
			return 0;
		idx = e->st_idx = right ? node->count - 1 : 0;
	}
}

/* Give the edge its new outer bound and the mirror_tid (R1, R2). */
static void
edge_move(struct hammer_mount *hmp, struct hammer_path *edge, bool right,
    const struct hammer_base_elm *bound, hammer_tid_t mirror)
{
	struct hammer_node_ondisk *node;
	struct hammer_step *e;
	uint8_t btype;
	int i, slot;

	for (i = 0; i < edge->p_depth; i++) {
		e = &edge->p_step[i];
		node = hammer_node_modify(hmp, e, 0, NODE_HEAD);
		node->mirror_tid = MAX(node->mirror_tid, mirror);
		if (node->type == HAMMER_BTREE_TYPE_LEAF)
			return;
		slot = right ? node->count : 0;
		node = hammer_node_modify(hmp, e,
		    NODE_HEAD + (uint32_t)slot * ELM, ELM);
		btype = node->elms[slot].base.btype;
		node->elms[slot].base = *bound;
		node->elms[slot].base.btype = btype;
		node = hammer_node_modify(hmp, e,
		    NODE_HEAD + (uint32_t)e->st_idx * ELM, ELM);
		node->elms[e->st_idx].internal.mirror_tid =
		    MAX(node->elms[e->st_idx].internal.mirror_tid, mirror);
	}
}

/*
 * The node at step level of the path is empty (a leaf) or about to be: unhook
 * it and every ancestor of which it is the only child.  Best effort (R4).
 */
static void
prune_empty(struct hammer_mount *hmp, struct hammer_path *p)
{
	struct hammer_node_ondisk *node;
	struct hammer_base_elm bound;
	struct hammer_path edge;
	struct hammer_step *st;
	hammer_tid_t mirror;
	bool right;
	int level = p->p_depth - 1, i, idx, nb;

	/* The highest node that goes is the child of p_step[level - 1]. */
	while (level > 0 && hammer_step_node(&p->p_step[level - 1])->count == 1)
		level--;
	if (level == 0) {
		/* Everything: the root becomes an empty leaf. */
		node = hammer_node_modify(hmp, &p->p_step[0], 0,
		    HAMMER_NODE_SIZE);
		memset(node->elms, 0, sizeof(node->elms));
		node->type = HAMMER_BTREE_TYPE_LEAF;
		node->count = 0;
	} else {
		st = &p->p_step[level - 1];
		idx = st->st_idx;
		right = idx > 0;	/* the left neighbour's right edge */
		nb = right ? idx - 1 : idx + 1;
		if (edge_get(hmp, st, nb, right, &edge) != 0)
			return;
		node = hammer_step_node(st);
		mirror = node->elms[idx].internal.mirror_tid;
		bound = node->elms[right ? idx + 1 : idx].base;
		if (!right) {
			/* The right neighbour starts where this one did. */
			node = hammer_node_modify(hmp, st, NODE_HEAD + ELM,
			    ELM);
			bound.btype = node->elms[1].base.btype;
			node->elms[1].base = bound;
		}
		node = hammer_node_modify(hmp, st,
		    NODE_HEAD + (uint32_t)nb * ELM, ELM);
		node->elms[nb].internal.mirror_tid =
		    MAX(node->elms[nb].internal.mirror_tid, mirror);
		mirror = node->elms[nb].internal.mirror_tid;
		edge_move(hmp, &edge, right, &bound, mirror);
		hammer_path_drop(hmp, &edge);
		node_close(hmp, st, idx, hammer_step_node(st)->count + 1);
	}
	/* The unhooked nodes: mark them, give them back. */
	for (i = MAX(level, 1); i < p->p_depth; i++) {
		node = hammer_node_modify(hmp, &p->p_step[i], 0, NODE_HEAD);
		node->type = HAMMER_BTREE_TYPE_DELETED;
		hammer_free(hmp, p->p_step[i].st_off, HAMMER_NODE_SIZE);
	}
}

int
hammer_btree_remove(struct hammer_mount *hmp, struct hammer_path *p)
{
	struct hammer_step *st = hammer_path_leaf(p);
	struct hammer_node_ondisk *node = hammer_step_node(st);

	KKASSERT(st->st_idx < node->count);
	node_close(hmp, st, st->st_idx, node->count);
	if (hammer_step_node(st)->count == 0 && p->p_depth > 1)
		prune_empty(hmp, p);
	hmp->hm_gen++;
	return 0;
}
