/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Red-black tree: see sys/tree.h.
 *
 * B1  The root is black; a red node has black children.
 * B2  Every way from a node down to a missing child has as many black nodes.
 *
 * A direction is an argument here, not a copy of the code: child(n, 0) is the
 * left one, child(n, 1) the right.
 */
#include <sys/tree.h>

static inline struct rb_node *
parent(const struct rb_node *n)
{
	return (struct rb_node *)(n->rb_parent_color & ~(uintptr_t)1);
}

static inline bool
is_black(const struct rb_node *n)
{
	return n == NULL || (n->rb_parent_color & 1);
}

static inline void
set_parent(struct rb_node *n, struct rb_node *p)
{
	n->rb_parent_color = (uintptr_t)p | (n->rb_parent_color & 1);
}

static inline void
set_black(struct rb_node *n, bool black)
{
	n->rb_parent_color = (n->rb_parent_color & ~(uintptr_t)1) | black;
}

static inline struct rb_node **
link_of(struct rb_node *n, int dir)
{
	return dir ? &n->rb_right : &n->rb_left;
}

static inline struct rb_node *
child(const struct rb_node *n, int dir)
{
	return dir ? n->rb_right : n->rb_left;
}

/* Put new in old's place below p (or at the root). */
static void
replace(struct rb_tree *t, struct rb_node *p, struct rb_node *old,
    struct rb_node *new)
{
	if (p == NULL)
		t->rb_root = new;
	else
		*link_of(p, p->rb_right == old) = new;
	if (new != NULL)
		set_parent(new, p);
}

/* Turn n down in direction dir; its other child comes up. */
static void
rotate(struct rb_tree *t, struct rb_node *n, int dir)
{
	struct rb_node *up = child(n, !dir), *mid = child(up, dir);

	replace(t, parent(n), n, up);
	*link_of(n, !dir) = mid;
	if (mid != NULL)
		set_parent(mid, n);
	*link_of(up, dir) = n;
	set_parent(n, up);
}

void
rb_init(struct rb_tree *t, rb_cmp_node_t *cmp)
{
	t->rb_root = NULL;
	t->rb_cmp = cmp;
}

static void
insert_fix(struct rb_tree *t, struct rb_node *n)
{
	struct rb_node *p, *g, *u;
	int dir;

	while ((p = parent(n)) != NULL && !is_black(p)) {
		g = parent(p);
		dir = g->rb_right == p;
		u = child(g, !dir);
		if (!is_black(u)) {
			set_black(p, true);
			set_black(u, true);
			set_black(g, false);
			n = g;
			continue;
		}
		if (child(p, !dir) == n) {
			rotate(t, p, dir);
			p = n;
		}
		set_black(p, true);
		set_black(g, false);
		rotate(t, g, !dir);
		break;
	}
	set_black(t->rb_root, true);
}

struct rb_node *
rb_insert(struct rb_tree *t, struct rb_node *n)
{
	struct rb_node *p = NULL, **link = &t->rb_root;
	int c;

	while (*link != NULL) {
		p = *link;
		c = t->rb_cmp(n, p);
		if (c == 0)
			return p;
		link = link_of(p, c > 0);
	}
	n->rb_left = n->rb_right = NULL;
	n->rb_parent_color = (uintptr_t)p;
	*link = n;
	insert_fix(t, n);
	return NULL;
}

/* The side dir of p lacks one black node. */
static void
remove_fix(struct rb_tree *t, struct rb_node *p, int dir)
{
	struct rb_node *n, *s;

	for (;;) {
		n = child(p, dir);
		if (!is_black(n)) {
			set_black(n, true);
			return;
		}
		s = child(p, !dir);
		if (!is_black(s)) {
			set_black(s, true);
			set_black(p, false);
			rotate(t, p, dir);
			s = child(p, !dir);
		}
		if (is_black(s->rb_left) && is_black(s->rb_right)) {
			set_black(s, false);
			n = p;
			p = parent(n);
			if (!is_black(n) || p == NULL) {
				set_black(n, true);
				return;
			}
			dir = p->rb_right == n;
			continue;
		}
		if (is_black(child(s, !dir))) {
			set_black(child(s, dir), true);
			set_black(s, false);
			rotate(t, s, !dir);
			s = child(p, !dir);
		}
		set_black(s, is_black(p));
		set_black(p, true);
		set_black(child(s, !dir), true);
		rotate(t, p, dir);
		return;
	}
}

void
rb_remove(struct rb_tree *t, struct rb_node *n)
{
	struct rb_node *p = parent(n), *s, *sp, *up;
	bool black;
	int dir;

	if (n->rb_left == NULL || n->rb_right == NULL) {
		up = n->rb_left != NULL ? n->rb_left : n->rb_right;
		black = is_black(n);
		dir = p != NULL && p->rb_right == n;
		replace(t, p, n, up);
		if (!black)
			return;
		if (p != NULL)
			remove_fix(t, p, dir);
		else if (up != NULL)
			set_black(up, true);
		return;
	}
	/* Two children: the next node takes n's place. */
	for (s = n->rb_right; s->rb_left != NULL; s = s->rb_left)
		;
	black = is_black(s);
	sp = parent(s);
	dir = sp == n;
	up = s->rb_right;
	if (sp != n) {
		sp->rb_left = up;
		if (up != NULL)
			set_parent(up, sp);
		s->rb_right = n->rb_right;
		set_parent(s->rb_right, s);
	} else
		sp = s;
	s->rb_left = n->rb_left;
	set_parent(s->rb_left, s);
	replace(t, p, n, s);
	set_black(s, is_black(n));
	if (black)
		remove_fix(t, sp, dir);
}

struct rb_node *
rb_find(const struct rb_tree *t, const void *key, rb_cmp_key_t *cmp)
{
	struct rb_node *n = t->rb_root;
	int c;

	while (n != NULL && (c = cmp(key, n)) != 0)
		n = child(n, c > 0);
	return n;
}

struct rb_node *
rb_find_ge(const struct rb_tree *t, const void *key, rb_cmp_key_t *cmp)
{
	struct rb_node *n = t->rb_root, *best = NULL;
	int c;

	while (n != NULL) {
		c = cmp(key, n);
		if (c == 0)
			return n;
		if (c < 0)
			best = n;
		n = child(n, c > 0);
	}
	return best;
}

struct rb_node *
rb_find_le(const struct rb_tree *t, const void *key, rb_cmp_key_t *cmp)
{
	struct rb_node *n = t->rb_root, *best = NULL;
	int c;

	while (n != NULL) {
		c = cmp(key, n);
		if (c == 0)
			return n;
		if (c > 0)
			best = n;
		n = child(n, c > 0);
	}
	return best;
}

static struct rb_node *
outermost(struct rb_node *n, int dir)
{
	struct rb_node *c;

	if (n != NULL)
		while ((c = child(n, dir)) != NULL)
			n = c;
	return n;
}

static struct rb_node *
step(const struct rb_node *n, int dir)
{
	struct rb_node *p;

	if (child(n, dir) != NULL)
		return outermost(child(n, dir), !dir);
	for (p = parent(n); p != NULL && child(p, dir) == n; p = parent(n))
		n = p;
	return p;
}

struct rb_node *
rb_first(const struct rb_tree *t)
{
	return outermost(t->rb_root, 0);
}

struct rb_node *
rb_last(const struct rb_tree *t)
{
	return outermost(t->rb_root, 1);
}

struct rb_node *
rb_next(const struct rb_node *n)
{
	return step(n, 1);
}

struct rb_node *
rb_prev(const struct rb_node *n)
{
	return step(n, 0);
}
