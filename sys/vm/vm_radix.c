/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page index of an object: a radix tree of 64-way nodes.
 *
 * Most files have one page, so a root may be that page itself (index 0, bit 0
 * of the pointer set).  Otherwise the root is a node; a node of level n has
 * children that cover 64^n pages each.
 *
 * X1  A node has at least one child; the tree is as low as its largest index
 *     ever needed, and shrinks to nothing when the last page leaves.
 * X2  Bit i of rn_dirty is set iff some page below slot i is dirty.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <vm/vm_page.h>
#include <vm/vm_radix.h>

enum { RADIX_BITS = 6, RADIX_WIDTH = 1 << RADIX_BITS, RADIX_LEVELS = 9 };

struct vm_radix_node {
	uint32_t	 rn_level;	/* 0: children are pages */
	uint32_t	 rn_count;	/* slots in use */
	uint64_t	 rn_used;	/* bitmap of them */
	uint64_t	 rn_dirty;	/* X2 */
	void		*rn_slot[RADIX_WIDTH];
};

static MALLOC_DEFINE(M_VMRADIX, "vm radix");

static inline bool
root_is_page(const void *root)
{
	return ((uintptr_t)root & 1) != 0;
}

static inline struct vm_page *
root_page(void *root)
{
	return (struct vm_page *)((uintptr_t)root & ~(uintptr_t)1);
}

static inline unsigned
slot_of(const struct vm_radix_node *rn, vm_pindex_t idx)
{
	return (idx >> (rn->rn_level * RADIX_BITS)) & (RADIX_WIDTH - 1);
}

/* Does the tree under rn (at the root) reach idx? */
static inline bool
covers(const struct vm_radix_node *rn, vm_pindex_t idx)
{
	unsigned shift = (rn->rn_level + 1) * RADIX_BITS;

	return shift >= 64 || (idx >> shift) == 0;
}

struct vm_page *
vm_radix_lookup(void *root, vm_pindex_t idx)
{
	struct vm_radix_node *rn;

	if (root == NULL)
		return NULL;
	if (root_is_page(root))
		return idx == 0 ? root_page(root) : NULL;
	rn = root;
	if (!covers(rn, idx))
		return NULL;
	while (rn->rn_level > 0) {
		rn = rn->rn_slot[slot_of(rn, idx)];
		if (rn == NULL)
			return NULL;
	}
	return rn->rn_slot[idx & (RADIX_WIDTH - 1)];
}

static struct vm_radix_node *
node_get(struct vm_radix_spare *spare, uint32_t level)
{
	struct vm_radix_node *rn = spare->rs_list;

	if (rn != NULL) {
		spare->rs_list = rn->rn_slot[0];
		rn->rn_slot[0] = NULL;
	} else {
		rn = kmalloc(sizeof(*rn), &M_VMRADIX, M_NOWAIT | M_ZERO);
		if (rn == NULL)
			return NULL;
	}
	rn->rn_level = level;
	return rn;
}

static inline void
node_set(struct vm_radix_node *rn, unsigned slot, void *child, bool dirty)
{
	rn->rn_slot[slot] = child;
	rn->rn_used |= 1ULL << slot;
	rn->rn_count++;
	if (dirty)
		rn->rn_dirty |= 1ULL << slot;
}

static inline bool
page_dirty(const struct vm_page *pg)
{
	return (vm_page_flags(pg) & VMP_DIRTY) != 0;
}

int
vm_radix_insert(void **rootp, vm_pindex_t idx, struct vm_page *pg,
    struct vm_radix_spare *spare)
{
	struct vm_radix_node *rn, *up, *child;
	unsigned slot;

	if (*rootp == NULL && idx == 0) {
		*rootp = (void *)((uintptr_t)pg | 1);
		return 0;
	}
	/* Give a lone page, or nothing, a node above it. */
	if (*rootp == NULL || root_is_page(*rootp)) {
		rn = node_get(spare, 0);
		if (rn == NULL)
			return ENOMEM;
		if (*rootp != NULL)
			node_set(rn, 0, root_page(*rootp),
			    page_dirty(root_page(*rootp)));
		*rootp = rn;
	}
	for (rn = *rootp; !covers(rn, idx); rn = up) {
		if (rn->rn_count == 0) {	/* still empty: raise it */
			rn->rn_level++;
			up = rn;
			continue;
		}
		up = node_get(spare, rn->rn_level + 1);
		if (up == NULL)
			return ENOMEM;
		node_set(up, 0, rn, rn->rn_dirty != 0);
		*rootp = up;
	}
	while (rn->rn_level > 0) {
		slot = slot_of(rn, idx);
		child = rn->rn_slot[slot];
		if (child == NULL) {
			child = node_get(spare, rn->rn_level - 1);
			if (child == NULL)
				return ENOMEM;	/* an empty node may stay */
			node_set(rn, slot, child, false);
		}
		rn = child;
	}
	slot = idx & (RADIX_WIDTH - 1);
	KKASSERT(rn->rn_slot[slot] == NULL);
	node_set(rn, slot, pg, false);
	if (page_dirty(pg))
		vm_radix_set_dirty(*rootp, idx, true);
	return 0;
}

/* The path from the root to idx; returns its length (0: a lone page). */
static int
radix_path(void *root, vm_pindex_t idx, struct vm_radix_node **path)
{
	struct vm_radix_node *rn;
	int n = 0;

	if (root_is_page(root))
		return 0;
	for (rn = root; ; rn = rn->rn_slot[slot_of(rn, idx)]) {
		KKASSERT(rn != NULL && n <= RADIX_LEVELS + 1);
		path[n++] = rn;
		if (rn->rn_level == 0)
			return n;
	}
}

void
vm_radix_remove(void **rootp, vm_pindex_t idx)
{
	struct vm_radix_node *path[RADIX_LEVELS + 2], *rn;
	uint64_t bit;
	int n;

	n = radix_path(*rootp, idx, path);
	if (n == 0) {
		KKASSERT(idx == 0);
		*rootp = NULL;
		return;
	}
	vm_radix_set_dirty(*rootp, idx, false);
	while (n-- > 0) {
		rn = path[n];
		bit = 1ULL << slot_of(rn, idx);
		rn->rn_slot[slot_of(rn, idx)] = NULL;
		rn->rn_used &= ~bit;
		if (--rn->rn_count > 0)
			return;
		kfree(rn, &M_VMRADIX);
	}
	*rootp = NULL;
}

void
vm_radix_set_dirty(void *root, vm_pindex_t idx, bool dirty)
{
	struct vm_radix_node *path[RADIX_LEVELS + 2], *rn;
	uint64_t bit;
	int n;

	n = radix_path(root, idx, path);
	while (n-- > 0) {
		rn = path[n];
		bit = 1ULL << slot_of(rn, idx);
		if (dirty) {
			if (rn->rn_dirty & bit)
				return;
			rn->rn_dirty |= bit;
		} else {
			rn->rn_dirty &= ~bit;
			if (rn->rn_dirty != 0)
				return;
		}
	}
}

static struct vm_page *
node_next(struct vm_radix_node *rn, vm_pindex_t start, bool dirty)
{
	unsigned shift = rn->rn_level * RADIX_BITS, slot, first;
	struct vm_page *pg;
	uint64_t map;

	first = (start >> shift) & (RADIX_WIDTH - 1);
	map = (dirty ? rn->rn_dirty : rn->rn_used) & (~0ULL << first);
	while (map != 0) {
		slot = (unsigned)__builtin_ctzll(map);
		map &= map - 1;
		if (rn->rn_level == 0)
			return rn->rn_slot[slot];
		pg = node_next(rn->rn_slot[slot], slot == first ?
		    start & ((1ULL << shift) - 1) : 0, dirty);
		if (pg != NULL)
			return pg;
	}
	return NULL;
}

struct vm_page *
vm_radix_next(void *root, vm_pindex_t start, bool dirty)
{
	if (root == NULL)
		return NULL;
	if (root_is_page(root)) {
		if (start > 0 || (dirty && !page_dirty(root_page(root))))
			return NULL;
		return root_page(root);
	}
	if (!covers(root, start))
		return NULL;
	return node_next(root, start, dirty);
}

void
vm_radix_buy(struct vm_radix_spare *spare)
{
	struct vm_radix_node *rn;

	rn = kmalloc(sizeof(*rn), &M_VMRADIX, M_WAITOK | M_ZERO);
	rn->rn_slot[0] = spare->rs_list;
	spare->rs_list = rn;
}

void
vm_radix_spare_free(struct vm_radix_spare *spare)
{
	struct vm_radix_node *rn;

	while ((rn = spare->rs_list) != NULL) {
		spare->rs_list = rn->rn_slot[0];
		kfree(rn, &M_VMRADIX);
	}
}
