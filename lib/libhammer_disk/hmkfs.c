/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a HAMMER filesystem.
 *
 *   volume 0, zone 2 big-blocks:
 *     0        1..n      n+1..n+u    n+u+1     n+u+2    ...
 *     layer1 | layer2  | UNDO FIFO | B-Tree  | meta   | free
 *   other volumes:
 *     layer2 | free
 *
 * M1  The root volume's header is written last, after a sync: a format that
 *     was cut short is no filesystem.
 * M2  The UNDO FIFO is numbered DUMMY records from end to end, so that recovery
 *     finds a record, and no continuation, wherever it looks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hdisk.h"

enum { VERSION = 7, MAX_SPANS = 1024 };

static uint64_t
align_buf(uint64_t n)
{
	return (n + HAMMER_BUFMASK64) & ~HAMMER_BUFMASK64;
}

static void
put(struct hd_volume *v, uint64_t off, const void *p, size_t len)
{
	const char *c = p;
	ssize_t n;

	while (len > 0) {
		n = pwrite(v->hv_fd, c, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			hd_fatal("%s: write at %llu: %s", v->hv_path,
			    (unsigned long long)off, strerror(errno));
		c += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
}

static uint64_t
phys(const struct hd_volume *v, uint64_t bigblock)
{
	return (uint64_t)v->hv_ondisk.vol_buf_beg +
	    bigblock * HAMMER_BIGBLOCK_SIZE;
}

static uint64_t
bigblocks(const struct hd_volume *v)
{
	return (uint64_t)(v->hv_ondisk.vol_buf_end - v->hv_ondisk.vol_buf_beg) /
	    HAMMER_BIGBLOCK_SIZE;
}

/* 4 TB pieces, each with a layer2 big-block. */
static uint64_t
spans(const struct hd_volume *v)
{
	return (bigblocks(v) + HAMMER_LAYER2_RADIX - 1) / HAMMER_LAYER2_RADIX;
}

static void
header_start(struct hd_mkfs *mk, int no)
{
	static const struct hammer_uuid fstype = HAMMER_FSTYPE_UUID;
	struct hammer_volume_ondisk *od = &mk->mk_vol[no].hv_ondisk;

	memset(od, 0, sizeof(*od));
	od->vol_signature = HAMMER_FSBUF_VOLUME;
	od->vol_bot_beg = HAMMER_VOL_JUNK_SIZE;
	od->vol_mem_beg = od->vol_bot_beg + (int64_t)mk->mk_boot;
	od->vol_buf_beg = od->vol_mem_beg + (int64_t)mk->mk_mem;
	od->vol_buf_end = (int64_t)(mk->mk_vol[no].hv_size &
	    ~HAMMER_BUFMASK64);
	od->vol_fsid = mk->mk_fsid;
	od->vol_fstype = fstype;
	strncpy(od->vol_label, mk->mk_label, sizeof(od->vol_label) - 1);
	od->vol_no = no;
	od->vol_count = mk->mk_nvols;
	od->vol_version = VERSION;
	od->vol_rootvol = HAMMER_ROOT_VOLNO;
}

static void
header_finish(struct hd_volume *v)
{
	char buf[HAMMER_BUFSIZE];

	hammer_crc_set_volume(&v->hv_ondisk);
	memset(buf, 0, sizeof(buf));
	memcpy(buf, &v->hv_ondisk, sizeof(v->hv_ondisk));
	put(v, 0, buf, sizeof(buf));
}

static void
blockmap(struct hammer_volume_ondisk *od, int zone, hammer_off_t physoff,
    hammer_off_t first, hammer_off_t next, hammer_off_t alloc)
{
	struct hammer_blockmap *bm = &od->vol0_blockmap[zone];

	bm->phys_offset = physoff;
	bm->first_offset = first;
	bm->next_offset = next;
	bm->alloc_offset = alloc;
	hammer_crc_set_blockmap(VERSION, bm);
}

struct use { uint8_t zone; uint32_t used; };

/* What big-block bb of volume no holds when we are done. */
static struct use
use_of(const struct hd_mkfs *mk, int no, uint64_t bb)
{
	const struct hd_volume *v = &mk->mk_vol[no];
	uint64_t maps = spans(v) + (no == HAMMER_ROOT_VOLNO ? 1 : 0);
	uint64_t undo = mk->mk_undo / HAMMER_BIGBLOCK_SIZE;

	if (bb >= bigblocks(v))
		return (struct use){ HAMMER_ZONE_UNAVAIL, HAMMER_BIGBLOCK_SIZE };
	if (bb < maps)
		return (struct use){ HAMMER_ZONE_FREEMAP, HAMMER_BIGBLOCK_SIZE };
	if (no != HAMMER_ROOT_VOLNO)
		return (struct use){ 0, 0 };
	if (bb < maps + undo)
		return (struct use){ HAMMER_ZONE_UNDO, HAMMER_BIGBLOCK_SIZE };
	if (bb == maps + undo)
		return (struct use){ HAMMER_ZONE_BTREE, HAMMER_NODE_SIZE };
	if (bb == maps + undo + 1)
		return (struct use){ HAMMER_ZONE_META,
		    sizeof(struct hammer_inode_data) +
		    hammer_data_align(sizeof(struct hammer_pseudofs_data)) };
	return (struct use){ 0, 0 };
}

/* The layer2 big-blocks of a volume; fills its layer1 entries. */
static void
write_layer2(struct hd_mkfs *mk, int no, struct hammer_layer1 *layer1,
    struct hammer_layer2 *layer2)
{
	struct hd_volume *v = &mk->mk_vol[no];
	uint64_t first = no == HAMMER_ROOT_VOLNO ? 1 : 0, s, i;
	struct hammer_layer1 *l1;
	struct use u;

	for (s = 0; s < spans(v); s++) {
		l1 = &layer1[(uint64_t)no * MAX_SPANS + s];
		l1->phys_offset = hammer_off_make(HAMMER_ZONE_RAW_BUFFER, no,
		    (first + s) * HAMMER_BIGBLOCK_SIZE);
		memset(layer2, 0, HAMMER_BIGBLOCK_SIZE);
		for (i = 0; i < HAMMER_LAYER2_RADIX; i++) {
			u = use_of(mk, no, s * HAMMER_LAYER2_RADIX + i);
			layer2[i].zone = u.zone;
			layer2[i].append_off = u.used;
			layer2[i].bytes_free = (int32_t)(HAMMER_BIGBLOCK_SIZE -
			    u.used);
			hammer_crc_set_layer2(VERSION, &layer2[i]);
			if (u.zone == 0)
				l1->blocks_free++;
		}
		hammer_crc_set_layer1(VERSION, l1);
		mk->mk_free += l1->blocks_free;
		put(v, phys(v, first + s), layer2, HAMMER_BIGBLOCK_SIZE);
	}
}

static void
write_undo(struct hd_mkfs *mk, uint64_t first, char *mem)
{
	struct hd_volume *v = &mk->mk_vol[HAMMER_ROOT_VOLNO];
	uint64_t n = mk->mk_undo / HAMMER_BIGBLOCK_SIZE, bb;
	struct hammer_fifo_head *head;
	struct hammer_fifo_tail *tail;
	uint32_t seq = 0, i;

	for (bb = 0; bb < HAMMER_MAX_UNDO_BIGBLOCKS; bb++) {
		v->hv_ondisk.vol0_undo_array[bb] = bb < n ?
		    hammer_off_make(HAMMER_ZONE_RAW_BUFFER, 0,
		    (first + bb) * HAMMER_BIGBLOCK_SIZE) :
		    HAMMER_BLOCKMAP_UNAVAIL;
	}
	memset(mem, 0, HAMMER_BIGBLOCK_SIZE);
	for (bb = 0; bb < n; bb++) {
		for (i = 0; i < HAMMER_BIGBLOCK_SIZE; i += HAMMER_UNDO_ALIGN) {
			head = (void *)(mem + i);
			tail = (void *)(mem + i + HAMMER_UNDO_ALIGN -
			    sizeof(*tail));
			head->hdr_signature = HAMMER_HEAD_SIGNATURE;
			head->hdr_type = HAMMER_HEAD_TYPE_DUMMY;
			head->hdr_size = HAMMER_UNDO_ALIGN;
			head->hdr_seq = seq++;
			tail->tail_signature = HAMMER_TAIL_SIGNATURE;
			tail->tail_type = HAMMER_HEAD_TYPE_DUMMY;
			tail->tail_size = HAMMER_UNDO_ALIGN;
			hammer_crc_set_fifo(VERSION, head);
		}
		put(v, phys(v, first + bb), mem, HAMMER_BIGBLOCK_SIZE);
	}
}

static void
leaf_init(struct hammer_leaf_elm *leaf, uint32_t localization,
    uint16_t rec_type, hammer_tid_t tid, uint32_t ts, hammer_off_t off,
    const void *data, uint32_t len)
{
	leaf->base.obj_id = HAMMER_OBJID_ROOT;
	leaf->base.create_tid = tid;
	leaf->base.rec_type = rec_type;
	leaf->base.obj_type = HAMMER_OBJTYPE_DIRECTORY;
	leaf->base.btype = HAMMER_BTREE_TYPE_RECORD;
	leaf->base.localization = localization;
	leaf->create_ts = ts;
	leaf->data_offset = off;
	leaf->data_len = (int32_t)len;
	leaf->data_crc = hammer_crc_data(VERSION, leaf, data);
}

/* The root directory: its inode, the record of PFS 0, a leaf over both. */
static void
write_root(struct hd_mkfs *mk, uint64_t btree_bb, uint64_t meta_bb)
{
	struct hd_volume *v = &mk->mk_vol[HAMMER_ROOT_VOLNO];
	const hammer_tid_t tid = 0x100000001ULL;
	const uint32_t ts = (uint32_t)(mk->mk_now / 1000000);
	static char buf[HAMMER_BUFSIZE];
	struct hammer_node_ondisk *node;
	struct hammer_inode_data *ino = (void *)buf;
	struct hammer_pseudofs_data *pfs = (void *)(buf + sizeof(*ino));
	static char nbuf[HAMMER_BUFSIZE];
	hammer_off_t meta = hammer_off_make(HAMMER_ZONE_META, 0,
	    meta_bb * HAMMER_BIGBLOCK_SIZE);

	memset(buf, 0, sizeof(buf));
	ino->version = HAMMER_INODE_DATA_VERSION;
	ino->mode = 0755;
	ino->ctime = ino->mtime = ino->atime = mk->mk_now;
	ino->obj_type = HAMMER_OBJTYPE_DIRECTORY;
	ino->cap_flags = HAMMER_INODE_CAP_DIRHASH_ALG1 |
	    HAMMER_INODE_CAP_DIR_LOCAL_INO;
	ino->nlinks = 1;
	pfs->sync_low_tid = 1;
	pfs->shared_uuid = mk->mk_fsid;
	pfs->unique_uuid = mk->mk_fsid;
	strncpy(pfs->label, mk->mk_label, sizeof(pfs->label) - 1);
	put(v, phys(v, meta_bb), buf, sizeof(buf));

	memset(nbuf, 0, sizeof(nbuf));
	node = (void *)nbuf;
	node->signature = HAMMER_BTREE_SIGNATURE;
	node->count = 2;
	node->type = HAMMER_BTREE_TYPE_LEAF;
	leaf_init(&node->elms[0].leaf, HAMMER_LOCALIZE_INODE,
	    HAMMER_RECTYPE_INODE, tid, ts, meta, ino, sizeof(*ino));
	leaf_init(&node->elms[1].leaf, HAMMER_LOCALIZE_MISC,
	    HAMMER_RECTYPE_PFS, tid, ts, meta + sizeof(*ino), pfs,
	    sizeof(*pfs));
	hammer_crc_set_node(VERSION, node);
	put(v, phys(v, btree_bb), nbuf, sizeof(nbuf));

	v->hv_ondisk.vol0_btree_root = hammer_off_make(HAMMER_ZONE_BTREE, 0,
	    btree_bb * HAMMER_BIGBLOCK_SIZE);
	v->hv_ondisk.vol0_next_tid = tid + 1;
	v->hv_ondisk.vol0_stat_inodes = 1;
}

static const char *
check(struct hd_mkfs *mk)
{
	const struct hd_volume *root = &mk->mk_vol[HAMMER_ROOT_VOLNO];
	uint64_t undo;
	int i;

	if (mk->mk_boot == 0)
		mk->mk_boot = HAMMER_BOOT_MINBYTES;
	if (mk->mk_mem == 0)
		mk->mk_mem = HAMMER_MEM_MINBYTES;
	mk->mk_boot = align_buf(mk->mk_boot);
	mk->mk_mem = align_buf(mk->mk_mem);
	if (mk->mk_boot < HAMMER_BOOT_MINBYTES ||
	    mk->mk_boot > HAMMER_BOOT_MAXBYTES)
		return "the boot area is 32k to 256m";
	if (mk->mk_mem < HAMMER_MEM_MINBYTES ||
	    mk->mk_mem > HAMMER_MEM_MAXBYTES)
		return "the memory log is 256k to 64g";
	undo = mk->mk_undo;
	if (undo == 0) {
		undo = root->hv_size / 16 & ~HAMMER_BIGBLOCK_MASK64;
		if (undo < 2 * HAMMER_BIGBLOCK_SIZE)
			undo = 2 * HAMMER_BIGBLOCK_SIZE;
		if (undo > 64ULL * HAMMER_BIGBLOCK_SIZE)
			undo = 64ULL * HAMMER_BIGBLOCK_SIZE;
	}
	undo = (undo + HAMMER_BIGBLOCK_MASK64) & ~HAMMER_BIGBLOCK_MASK64;
	if (undo < 2 * HAMMER_BIGBLOCK_SIZE ||
	    undo > (uint64_t)HAMMER_MAX_UNDO_BIGBLOCKS * HAMMER_BIGBLOCK_SIZE)
		return "the UNDO FIFO is 16m to 1g";
	mk->mk_undo = undo;
	for (i = 0; i < mk->mk_nvols; i++) {
		if (mk->mk_vol[i].hv_size >= 1ULL << 52)
			return "a volume is smaller than 4096t";
		header_start(mk, i);
		if (mk->mk_vol[i].hv_ondisk.vol_buf_end <=
		    mk->mk_vol[i].hv_ondisk.vol_buf_beg ||
		    bigblocks(&mk->mk_vol[i]) < spans(&mk->mk_vol[i]) + 1)
			return "a volume is too small";
	}
	if (bigblocks(root) < 1 + spans(root) + undo / HAMMER_BIGBLOCK_SIZE +
	    2 + 12)
		return "the root volume is too small: 160m at the least, 256m "
		    "to be of use";
	return NULL;
}

const char *
hd_mkfs(struct hd_mkfs *mk)
{
	struct hd_volume *root = &mk->mk_vol[HAMMER_ROOT_VOLNO];
	struct hammer_volume_ondisk *od = &root->hv_ondisk;
	static const char zeroes[HAMMER_BUFSIZE];
	struct hammer_layer1 *layer1;
	const char *bad;
	uint64_t undo_bb, btree_bb, i;
	char *mem;
	int zone;

	bad = check(mk);
	if (bad != NULL)
		return bad;
	for (zone = 0; zone < mk->mk_nvols; zone++)
		put(&mk->mk_vol[zone], 0, zeroes, sizeof(zeroes));
	layer1 = calloc(1, HAMMER_BIGBLOCK_SIZE);
	mem = calloc(1, HAMMER_BIGBLOCK_SIZE);
	if (layer1 == NULL || mem == NULL)
		return "no memory";
	for (i = 0; i < HAMMER_LAYER1_RADIX; i++) {
		layer1[i].phys_offset = HAMMER_BLOCKMAP_UNAVAIL;
		hammer_crc_set_layer1(VERSION, &layer1[i]);
	}
	mk->mk_free = 0;
	mk->mk_total = 0;
	for (zone = 0; zone < mk->mk_nvols; zone++) {
		write_layer2(mk, zone, layer1, (void *)mem);
		mk->mk_total += bigblocks(&mk->mk_vol[zone]);
	}
	put(root, phys(root, 0), layer1, HAMMER_BIGBLOCK_SIZE);
	undo_bb = 1 + spans(root);
	btree_bb = undo_bb + mk->mk_undo / HAMMER_BIGBLOCK_SIZE;
	write_undo(mk, undo_bb, mem);
	write_root(mk, btree_bb, btree_bb + 1);
	free(layer1);
	free(mem);

	od->vol0_stat_freebigblocks = (int64_t)mk->mk_free;
	od->vol0_stat_bigblocks = (int64_t)mk->mk_free + 2;
	blockmap(od, HAMMER_ZONE_UNDO, HAMMER_BLOCKMAP_UNAVAIL,
	    hammer_off_make(HAMMER_ZONE_UNDO, 0, 0),
	    hammer_off_make(HAMMER_ZONE_UNDO, 0, 0),
	    hammer_off_make(HAMMER_ZONE_UNDO, 0, mk->mk_undo));
	blockmap(od, HAMMER_ZONE_FREEMAP,
	    hammer_off_make(HAMMER_ZONE_RAW_BUFFER, 0, 0), 0,
	    hammer_off_make(HAMMER_ZONE_RAW_BUFFER, 0, 0),
	    hammer_off_make(HAMMER_ZONE_RAW_BUFFER, 255, UINT64_MAX));
	for (zone = HAMMER_ZONE_BTREE; zone < HAMMER_MAX_ZONES; zone++)
		blockmap(od, zone, 0, hammer_off_make(zone, 0, 0),
		    hammer_off_make(zone, 0, zone == HAMMER_ZONE_BTREE ?
		    btree_bb * HAMMER_BIGBLOCK_SIZE + HAMMER_NODE_SIZE :
		    zone == HAMMER_ZONE_META ?
		    (btree_bb + 1) * HAMMER_BIGBLOCK_SIZE +
		    use_of(mk, 0, btree_bb + 1).used : 0),
		    hammer_off_make(zone, 255, UINT64_MAX));
	for (zone = mk->mk_nvols - 1; zone >= 0; zone--) {
		if (zone == HAMMER_ROOT_VOLNO) {
			for (i = 0; i < (uint64_t)mk->mk_nvols; i++)
				if (fsync(mk->mk_vol[i].hv_fd) != 0 &&
				    errno != EINVAL)
					return "sync failed";
		}
		header_finish(&mk->mk_vol[zone]);
	}
	if (fsync(root->hv_fd) != 0 && errno != EINVAL)
		return "sync failed";
	return NULL;
}
