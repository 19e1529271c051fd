/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libkern: the check value of CRC-32 from its standard, and the red-black
 * tree against a sorted array under random inserts and removals, its
 * invariants (B1) verified after each step.
 */
#include <sys/tree.h>
#include <libkern/crc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned failures;

static void
check(const char *name, bool ok)
{
	printf("%s - libkern: %s\n", ok ? "ok" : "not ok", name);
	failures += !ok;
}

struct item {
	struct rb_node node;
	int	 key;
	bool	 in;
};

#define ITEM(n) container_of(n, struct item, node)

static int
cmp_node(const struct rb_node *a, const struct rb_node *b)
{
	return ITEM(a)->key - ITEM(b)->key;
}

static int
cmp_key(const void *key, const struct rb_node *n)
{
	return *(const int *)key - ITEM(n)->key;
}

/* Black height, or -1 when B1 does not hold. */
static int
height(const struct rb_node *n)
{
	int l, r;
	bool black;

	if (n == NULL)
		return 1;
	black = n->rb_parent_color & 1;
	if (!black && ((n->rb_left && !(n->rb_left->rb_parent_color & 1)) ||
	    (n->rb_right && !(n->rb_right->rb_parent_color & 1))))
		return -1;
	l = height(n->rb_left);
	r = height(n->rb_right);
	return l < 0 || l != r ? -1 : l + black;
}

enum { N = 400 };

static bool
agree(struct rb_tree *t, struct item *items)
{
	struct rb_node *n = rb_first(t), *back = rb_last(t);

	if (height(t->rb_root) < 0)
		return false;
	for (int i = 0; i < N; i++) {
		if ((rb_find(t, &i, cmp_key) != NULL) != items[i].in)
			return false;
		if (!items[i].in)
			continue;
		if (n == NULL || ITEM(n)->key != i)
			return false;
		n = rb_next(n);
	}
	for (int i = N; i-- > 0;) {
		struct rb_node *ge = rb_find_ge(t, &i, cmp_key);
		struct rb_node *le = rb_find_le(t, &i, cmp_key);

		if ((ge && ITEM(ge)->key < i) || (le && ITEM(le)->key > i))
			return false;
		if (items[i].in) {
			if (back == NULL || ITEM(back)->key != i ||
			    ge != back || le != back)
				return false;
			back = rb_prev(back);
		}
	}
	return n == NULL && back == NULL;
}

int
main(int argc, char **argv)
{
	unsigned seed = argc > 1 ? (unsigned)atoi(argv[1]) : 20261122;
	static struct item items[N];
	struct rb_tree t;
	bool good = true;
	uint32_t c;

	printf("seed %u\n", seed);
	srand(seed);
	c = crc32_ieee(0, "123456789", 9);
	check("crc32 of 123456789", c == 0xcbf43926u);
	check("crc32 in pieces", crc32_ieee(crc32_ieee(0, "1234", 4), "56789",
	    5) == c);

	rb_init(&t, cmp_node);
	for (int step = 0; step < 4000 && good; step++) {
		struct item *it = &items[rand() % N];

		it->key = (int)(it - items);
		if (it->in)
			rb_remove(&t, &it->node);
		else
			good = rb_insert(&t, &it->node) == NULL;
		it->in = !it->in;
		if (it->in) {
			struct item twin = { .key = it->key };

			good = good && rb_insert(&t, &twin.node) == &it->node;
		}
		if (step % 7 == 0)
			good = good && agree(&t, items);
	}
	check("red-black tree against a sorted array", good);
	return failures != 0;
}
