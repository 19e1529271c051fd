/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * B-Tree nodes in their buffers, and paths of them from the root to a leaf.
 *
 * N1  A node is verified (CRC, type, count, children in zone 8) when it is
 *     first met in a buffer; a bad one is EIO for whoever needs it.
 * N2  CRCs of changed nodes are computed once, when the group closes.
 * N3  A path holds references on its buffers, not pointers into them: two
 *     nodes of a path may share a buffer, and modifying one may move both.
 */
#include "hammer_core.h"

static const char *
node_check(struct hammer_mount *hmp, const struct hammer_node_ondisk *node)
{
	int i;

	if (!hammer_crc_test_node(hmp->hm_version, node))
		return "CRC";
	if (node->type == HAMMER_BTREE_TYPE_LEAF) {
		if (node->count < 0 || node->count > HAMMER_BTREE_LEAF_ELMS)
			return "count";
		return NULL;
	}
	if (node->type != HAMMER_BTREE_TYPE_INTERNAL)
		return "type";
	if (node->count < 1 || node->count > HAMMER_BTREE_INT_ELMS)
		return "count";
	for (i = 0; i < node->count; i++) {
		hammer_off_t off = node->elms[i].internal.subtree_offset;

		if (hammer_off_zone(off) != HAMMER_ZONE_BTREE ||
		    (off & (HAMMER_NODE_SIZE - 1)) != 0)
			return "child";
	}
	return NULL;
}

int
hammer_node_get(struct hammer_mount *hmp, hammer_off_t off,
    struct hammer_step *st)
{
	uint8_t bit = (uint8_t)(1U << (off & HAMMER_BUFMASK) / HAMMER_NODE_SIZE);
	const char *bad;
	int error;

	if (hammer_off_zone(off) != HAMMER_ZONE_BTREE ||
	    (off & (HAMMER_NODE_SIZE - 1)) != 0) {
		kprintf("hammer: %016llx is not a B-Tree node address\n",
		    (unsigned long long)off);
		return EIO;
	}
	error = hammer_buffer_get(hmp, off, &st->st_buf);
	if (error != 0)
		return error;
	st->st_off = off;
	st->st_idx = 0;
	if ((__atomic_load_n(&st->st_buf->b_checked, __ATOMIC_ACQUIRE) & bit) ==
	    0) {
		bad = node_check(hmp, hammer_step_node(st));
		if (bad != NULL) {
			kprintf("hammer: B-Tree node %016llx: bad %s\n",
			    (unsigned long long)off, bad);
			hammer_buffer_put(hmp, st->st_buf);
			st->st_buf = NULL;
			return EIO;
		}
		__atomic_or_fetch(&st->st_buf->b_checked, bit,
		    __ATOMIC_RELEASE);
	}
	return 0;
}

/* About to change len bytes at offset off of the node. */
struct hammer_node_ondisk *
hammer_node_modify(struct hammer_mount *hmp, struct hammer_step *st,
    uint32_t off, uint32_t len)
{
	st->st_buf->b_zone = HAMMER_ZONE_BTREE;
	hammer_buffer_modify(hmp, st->st_buf, st->st_off + off, len);
	return hammer_step_node(st);
}

/* A new node, all zero but for its signature, modifiable at once. */
int
hammer_node_alloc(struct hammer_mount *hmp, struct hammer_step *st)
{
	struct hammer_node_ondisk *node;
	hammer_off_t off;
	bool fresh;
	int error;

	error = hammer_alloc(hmp, HAMMER_ZONE_BTREE, HAMMER_NODE_SIZE, &off,
	    &fresh);
	if (error != 0)
		return error;
	if (fresh)
		error = hammer_buffer_fresh(hmp, off, &st->st_buf);
	else
		error = hammer_buffer_get(hmp, off, &st->st_buf);
	if (error != 0) {
		hammer_free(hmp, off, HAMMER_NODE_SIZE);
		return error;
	}
	st->st_off = off;
	st->st_idx = 0;
	st->st_buf->b_zone = HAMMER_ZONE_BTREE;
	node = hammer_node_modify(hmp, st, 0, HAMMER_NODE_SIZE);
	memset(node, 0, sizeof(*node));
	node->signature = HAMMER_BTREE_SIGNATURE;
	st->st_buf->b_checked |=
	    (uint8_t)(1U << (off & HAMMER_BUFMASK) / HAMMER_NODE_SIZE);
	st->st_buf->b_lastins[(off & HAMMER_BUFMASK) / HAMMER_NODE_SIZE] = 0;
	return 0;
}

void
hammer_path_drop(struct hammer_mount *hmp, struct hammer_path *p)
{
	while (p->p_depth > 0)
		hammer_buffer_put(hmp, p->p_step[--p->p_depth].st_buf);
}
