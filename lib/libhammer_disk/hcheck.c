/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is a filesystem whole?  Walk the B-Tree, check every node, element, link and
 * data CRC, add up what each big-block holds, and compare with the freemap.
 *
 * Q1  Each node: CRC, type, count, parent; elements ascend, inside the bounds
 *     that the parent gives; all leaves at one depth; a child's mirror_tid is
 *     its element's.
 * Q2  Each record: zone fits, CRC fits, create_tid below delete_tid.
 * Q3  Each big-block: zone of the layer2 entry, and bytes_free = 8 MB - what
 *     is referenced; nothing referenced twice (only where bytes_free says so:
 *     deduplicated data makes it differ).
 * Q4  Free counts in layer1 and in the header.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "hdisk.h"

struct track {				/* one big-block */
	int64_t		used;
	uint8_t		zone;
};

struct check {
	struct hd_fs	*fs;
	FILE		*out;
	int		 errors;
	struct track	*track[HAMMER_MAX_VOLUMES];
	uint64_t	 ntrack[HAMMER_MAX_VOLUMES];
	int		 leafdepth;
};

static void
bad(struct check *c, const char *fmt, ...)
{
	va_list ap;

	c->errors++;
	if (c->out == NULL)
		return;
	va_start(ap, fmt);
	vfprintf(c->out, fmt, ap);
	va_end(ap);
	fputc('\n', c->out);
}

static void
use(struct check *c, hammer_off_t off, uint64_t len, int zone)
{
	int vol = hammer_off_vol(off);
	uint64_t bb = hammer_off_short(off) / HAMMER_BIGBLOCK_SIZE;
	struct track *t;

	if (c->track[vol] == NULL || bb >= c->ntrack[vol] ||
	    hammer_off_in_bigblock(off) + len > HAMMER_BIGBLOCK_SIZE) {
		bad(c, "B\taddress %016llx/%llu is on no volume",
		    (unsigned long long)off, (unsigned long long)len);
		return;
	}
	t = &c->track[vol][bb];
	if (t->zone != 0 && t->zone != zone)
		bad(c, "BZ\tblock=%016llx holds zone %d and %d",
		    (unsigned long long)off, t->zone, zone);
	t->zone = (uint8_t)zone;
	t->used += (int64_t)len;
}

static int
cmp(const struct hammer_base_elm *a, const struct hammer_base_elm *b)
{
	if (a->localization != b->localization)
		return a->localization < b->localization ? -1 : 1;
	if (a->obj_id != b->obj_id)
		return a->obj_id < b->obj_id ? -1 : 1;
	if (a->rec_type != b->rec_type)
		return a->rec_type < b->rec_type ? -1 : 1;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (a->create_tid != b->create_tid)
		return a->create_tid - 1 < b->create_tid - 1 ? -1 : 1;
	return 0;
}

static void
check_leaf(struct check *c, const struct hammer_leaf_elm *leaf)
{
	static char data[1 << 20];
	const char *what = NULL;
	int zone;

	if (leaf->base.btype != HAMMER_BTREE_TYPE_RECORD)
		what = "btype";
	else if (leaf->base.create_tid == 0 || (leaf->base.delete_tid != 0 &&
	    leaf->base.delete_tid < leaf->base.create_tid))
		what = "tids";
	else if (leaf->data_len < 0 ||
	    (size_t)leaf->data_len > sizeof(data) ||
	    (leaf->data_offset == 0) != (leaf->data_len == 0))
		what = "data length";
	if (what == NULL && leaf->data_len != 0) {
		zone = hd_zone_of(leaf);
		if (hammer_off_zone(leaf->data_offset) != zone)
			what = "zone";
		else if (!hd_data(c->fs, leaf, data))
			what = "data read";
		else if (!hammer_crc_test_data(c->fs->hf_version, leaf, data))
			what = "data CRC";
		use(c, leaf->data_offset, hammer_data_align(
		    (uint32_t)leaf->data_len), zone);
	}
	if (what != NULL)
		bad(c, "B\tobj=%016llx rt=%02x key=%016llx tid=%016llx: bad %s",
		    (unsigned long long)leaf->base.obj_id, leaf->base.rec_type,
		    (unsigned long long)leaf->base.key,
		    (unsigned long long)leaf->base.create_tid, what);
}

static hammer_tid_t
newest(const struct hammer_node_ondisk *node, int i)
{
	const union hammer_btree_elm *e = &node->elms[i];

	if (node->type == HAMMER_BTREE_TYPE_INTERNAL)
		return e->internal.mirror_tid;
	return e->base.create_tid > e->base.delete_tid ? e->base.create_tid :
	    e->base.delete_tid;
}

static void
check_node(struct check *c, hammer_off_t off, hammer_off_t parent,
    const struct hammer_base_elm *left, const struct hammer_base_elm *right,
    hammer_tid_t mirror, int depth)
{
	struct hammer_node_ondisk node;
	const union hammer_btree_elm *e;
	const void *p;
	int i, n;

	use(c, off, HAMMER_NODE_SIZE, HAMMER_ZONE_BTREE);
	p = hd_get(c->fs, off, HAMMER_NODE_SIZE);
	if (p == NULL || hammer_off_zone(off) != HAMMER_ZONE_BTREE ||
	    depth > 20) {
		bad(c, "B\tNODE %016llx: unreadable", (unsigned long long)off);
		return;
	}
	memcpy(&node, p, sizeof(node));
	if (!hammer_crc_test_node(c->fs->hf_version, &node)) {
		bad(c, "B\tNODE %016llx: bad CRC", (unsigned long long)off);
		return;
	}
	if (node.parent != parent)
		bad(c, "B\tNODE %016llx: parent %016llx, not %016llx",
		    (unsigned long long)off, (unsigned long long)node.parent,
		    (unsigned long long)parent);
	if (mirror != HAMMER_MAX_TID && node.mirror_tid != mirror)
		bad(c, "BM\tNODE %016llx: mirror_tid %016llx, parent has "
		    "%016llx", (unsigned long long)off,
		    (unsigned long long)node.mirror_tid,
		    (unsigned long long)mirror);
	n = node.type == HAMMER_BTREE_TYPE_LEAF ? HAMMER_BTREE_LEAF_ELMS :
	    HAMMER_BTREE_INT_ELMS;
	if ((node.type != HAMMER_BTREE_TYPE_LEAF &&
	    node.type != HAMMER_BTREE_TYPE_INTERNAL) || node.count < 0 ||
	    node.count > n) {
		bad(c, "B\tNODE %016llx: type %02x count %d",
		    (unsigned long long)off, node.type, node.count);
		return;
	}
	if (node.type == HAMMER_BTREE_TYPE_LEAF) {
		if (c->leafdepth < 0)
			c->leafdepth = depth;
		if (c->leafdepth != depth)
			bad(c, "B\tNODE %016llx: a leaf at depth %d, others "
			    "at %d", (unsigned long long)off, depth,
			    c->leafdepth);
	}
	n = node.count + (node.type == HAMMER_BTREE_TYPE_INTERNAL);
	for (i = 0; i < n; i++) {
		e = &node.elms[i];
		if ((i > 0 && cmp(&node.elms[i - 1].base, &e->base) >= 0) ||
		    (left != NULL && cmp(&e->base, left) < 0) ||
		    (right != NULL && (i < node.count ?
		    cmp(&e->base, right) >= 0 : cmp(&e->base, right) > 0)))
			bad(c, "B\tNODE %016llx: element %d is out of order or "
			    "bounds", (unsigned long long)off, i);
		if (i < node.count && parent != 0 &&
		    newest(&node, i) > node.mirror_tid)
			bad(c, "BM\tNODE %016llx: element %d is newer than its "
			    "mirror_tid", (unsigned long long)off, i);
	}
	for (i = 0; i < node.count; i++) {
		e = &node.elms[i];
		if (node.type == HAMMER_BTREE_TYPE_LEAF)
			check_leaf(c, &e->leaf);
		else
			check_node(c, e->internal.subtree_offset, off,
			    &e[0].base, &e[1].base, e->internal.mirror_tid,
			    depth + 1);
	}
}

/* Every sector of the FIFO is records from end to end. */
static void
check_undo(struct check *c)
{
	const struct hammer_blockmap *bm =
	    &c->fs->hf_root->vol0_blockmap[HAMMER_ZONE_UNDO];
	uint64_t size = hammer_off_short(bm->alloc_offset), pos = 0;
	const struct hammer_fifo_head *head;
	uint32_t room;

	if (size == 0 || size > (uint64_t)HAMMER_MAX_UNDO_BIGBLOCKS *
	    HAMMER_BIGBLOCK_SIZE) {
		bad(c, "B\tUNDO FIFO of %llu bytes", (unsigned long long)size);
		return;
	}
	while (pos < size) {
		room = HAMMER_UNDO_ALIGN - (uint32_t)(pos &
		    (HAMMER_UNDO_ALIGN - 1));
		head = hd_get(c->fs, hd_undo(c->fs, pos), room);
		if (head == NULL ||
		    head->hdr_signature != HAMMER_HEAD_SIGNATURE ||
		    head->hdr_size < 8 || head->hdr_size > room ||
		    (head->hdr_size & 7) != 0 ||
		    (head->hdr_type != HAMMER_HEAD_TYPE_PAD &&
		    !hammer_crc_test_fifo(c->fs->hf_version, head))) {
			bad(c, "B\tUNDO FIFO at %016llx: bad record",
			    (unsigned long long)pos);
			use(c, hd_undo(c->fs, pos), room, HAMMER_ZONE_UNDO);
			pos += room;
			continue;
		}
		use(c, hd_undo(c->fs, pos), head->hdr_size, HAMMER_ZONE_UNDO);
		pos += head->hdr_size;
	}
}

static void
check_layers(struct check *c, int vol, int64_t *free)
{
	struct hd_fs *fs = c->fs;
	struct hammer_layer1 l1;
	struct hammer_layer2 l2;
	hammer_off_t off;
	struct track *t;
	uint64_t bb;
	int64_t span = 0;

	for (bb = 0; bb < c->ntrack[vol]; bb++) {
		off = hammer_off_make(HAMMER_ZONE_RAW_BUFFER, vol,
		    bb * HAMMER_BIGBLOCK_SIZE);
		t = &c->track[vol][bb];
		if (!hd_layers(fs, off, &l1, &l2)) {
			bad(c, "B\tblock=%016llx: no layer entry",
			    (unsigned long long)off);
			continue;
		}
		if (!hammer_crc_test_layer1(fs->hf_version, &l1) ||
		    !hammer_crc_test_layer2(fs->hf_version, &l2))
			bad(c, "B\tblock=%016llx: layer CRC",
			    (unsigned long long)off);
		if (l2.zone == 0) {
			++*free;
			span++;
		}
		if (l2.zone != t->zone && !(t->used == 0 &&
		    l2.zone >= HAMMER_ZONE_BTREE))
			bad(c, "BZ\tblock=%016llx calc zone=%-2d, got zone="
			    "%-2d", (unsigned long long)off, t->zone, l2.zone);
		if ((int64_t)l2.bytes_free != HAMMER_BIGBLOCK_SIZE - t->used)
			bad(c, "BM\tblock=%016llx zone=%-2d calc %lld free, "
			    "got %d", (unsigned long long)off, l2.zone,
			    (long long)(HAMMER_BIGBLOCK_SIZE - t->used),
			    l2.bytes_free);
		if (l2.append_off > HAMMER_BIGBLOCK_SIZE)
			bad(c, "B\tblock=%016llx: append_off %u",
			    (unsigned long long)off, l2.append_off);
		if ((bb + 1) % HAMMER_LAYER2_RADIX == 0 ||
		    bb + 1 == c->ntrack[vol]) {
			if ((int64_t)l1.blocks_free != span)
				bad(c, "B\tlayer1 of %016llx: blocks_free %lld, "
				    "calc %lld", (unsigned long long)off,
				    (long long)l1.blocks_free,
				    (long long)span);
			span = 0;
		}
	}
}

int
hd_check(struct hd_fs *fs, FILE *out)
{
	struct check c = { .fs = fs, .out = out, .leafdepth = -1 };
	const struct hammer_blockmap *fm =
	    &fs->hf_root->vol0_blockmap[HAMMER_ZONE_FREEMAP];
	struct hammer_layer1 l1;
	struct hammer_layer2 l2;
	hammer_off_t off;
	int64_t free_blocks = 0;
	uint64_t bb;
	int vol;

	for (vol = 0; vol < HAMMER_MAX_VOLUMES; vol++) {
		if (fs->hf_vol[vol].hv_fd < 0)
			continue;
		c.ntrack[vol] = (uint64_t)(fs->hf_vol[vol].hv_ondisk.
		    vol_buf_end - fs->hf_vol[vol].hv_ondisk.vol_buf_beg) /
		    HAMMER_BIGBLOCK_SIZE;
		c.track[vol] = calloc(c.ntrack[vol] + 1, sizeof(struct track));
		if (c.track[vol] == NULL)
			hd_fatal("no memory");
	}
	use(&c, fm->phys_offset, HAMMER_BIGBLOCK_SIZE, HAMMER_ZONE_FREEMAP);
	for (vol = 0; vol < HAMMER_MAX_VOLUMES; vol++) {
		for (bb = 0; bb < c.ntrack[vol]; bb += HAMMER_LAYER2_RADIX) {
			off = hammer_off_make(HAMMER_ZONE_RAW_BUFFER, vol,
			    bb * HAMMER_BIGBLOCK_SIZE);
			if (hd_layers(fs, off, &l1, &l2))
				use(&c, l1.phys_offset, HAMMER_BIGBLOCK_SIZE,
				    HAMMER_ZONE_FREEMAP);
		}
	}
	check_node(&c, fs->hf_root->vol0_btree_root, 0, NULL, NULL,
	    HAMMER_MAX_TID, 0);
	check_undo(&c);
	for (vol = 0; vol < HAMMER_MAX_VOLUMES; vol++) {
		check_layers(&c, vol, &free_blocks);
		free(c.track[vol]);
	}
	if (free_blocks != fs->hf_root->vol0_stat_freebigblocks)
		bad(&c, "B\theader: %lld free big-blocks, calc %lld",
		    (long long)fs->hf_root->vol0_stat_freebigblocks,
		    (long long)free_blocks);
	return c.errors;
}
