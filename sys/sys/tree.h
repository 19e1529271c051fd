/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intrusive red-black tree; code in libkern/rbtree.c.
 *
 * The caller embeds a struct rb_node and gives a comparison of a node with a
 * key or with another node.  Nothing here allocates, blocks or locks.
 */
#ifndef _SYS_TREE_H_
#define _SYS_TREE_H_

#include <sys/types.h>

struct rb_node {
	struct rb_node	*rb_left;
	struct rb_node	*rb_right;
	uintptr_t	 rb_parent_color;	/* bit 0: black */
};

/* Order of two nodes: negative, zero, positive. */
typedef int rb_cmp_node_t(const struct rb_node *, const struct rb_node *);
/* Order of a key against a node: negative when key < node. */
typedef int rb_cmp_key_t(const void *key, const struct rb_node *);

struct rb_tree {
	struct rb_node	*rb_root;
	rb_cmp_node_t	*rb_cmp;
};

void		rb_init(struct rb_tree *, rb_cmp_node_t *);
/* Insert; returns NULL, or the equal node that is already there. */
struct rb_node *rb_insert(struct rb_tree *, struct rb_node *);
void		rb_remove(struct rb_tree *, struct rb_node *);
struct rb_node *rb_find(const struct rb_tree *, const void *key, rb_cmp_key_t *);
/* Smallest node >= key; largest node <= key; NULL if none. */
struct rb_node *rb_find_ge(const struct rb_tree *, const void *, rb_cmp_key_t *);
struct rb_node *rb_find_le(const struct rb_tree *, const void *, rb_cmp_key_t *);
struct rb_node *rb_first(const struct rb_tree *);
struct rb_node *rb_last(const struct rb_tree *);
struct rb_node *rb_next(const struct rb_node *);
struct rb_node *rb_prev(const struct rb_node *);

static inline bool
rb_empty(const struct rb_tree *t)
{
	return t->rb_root == NULL;
}

#endif
