/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records: a leaf element and its data, together.
 *
 * E1  Data up to 16 KB (less, in the data zones) lives in cached buffers and
 *     reaches the disk like metadata, through the log or in place.  File data
 *     of 16 KB and more goes straight to its place, before the group's header
 *     is written; nobody finds it before.
 * E2  What can fail (space, reading) comes before what is seen by others (the
 *     element); hm_log gets an entry before the tree is changed.
 */
#include <sys/disk.h>

#include "hammer_core.h"

static int
record_zone(const struct hammer_leaf_elm *leaf, uint32_t len)
{
	switch (leaf->base.rec_type) {
	case HAMMER_RECTYPE_DATA:
	case HAMMER_RECTYPE_DB:
		return hammer_data_zone(len);
	default:
		return HAMMER_ZONE_META;
	}
}

static struct hammer_translog *
log_add(struct hammer_trans *trans, enum hammer_logkind kind,
    const struct hammer_leaf_elm *elm)
{
	struct hammer_mount *hmp = trans->hmp;
	struct hammer_translog *tl;
	uint32_t max;

	if (hmp->hm_nlog == hmp->hm_maxlog) {
		max = MAX(hmp->hm_maxlog * 2, 32U);
		tl = kmalloc(max * sizeof(*tl), &M_HAMMER, 0);
		if (hmp->hm_log != NULL)
			memcpy(tl, hmp->hm_log, hmp->hm_nlog * sizeof(*tl));
		kfree(hmp->hm_log, &M_HAMMER);
		hmp->hm_log = tl;
		hmp->hm_maxlog = max;
	}
	tl = &hmp->hm_log[hmp->hm_nlog++];
	tl->tl_kind = kind;
	tl->tl_elm = *elm;
	return tl;
}

/* Put data of less than a buffer at a place just allocated. */
static int
data_store(struct hammer_mount *hmp, hammer_off_t off, bool fresh,
    const struct hammer_seg *segs, int nsegs, uint32_t len)
{
	struct hammer_buffer *buf;
	char *p;
	int error, i;

	error = fresh ? hammer_buffer_fresh(hmp, off, &buf) :
	    hammer_buffer_get(hmp, off, &buf);
	if (error != 0)
		return error;
	buf->b_zone = (uint8_t)hammer_off_zone(off);
	p = hammer_buffer_modify(hmp, buf, off, len);
	for (i = 0; i < nsegs; i++) {
		memcpy(p, segs[i].hs_data, segs[i].hs_len);
		p += segs[i].hs_len;
	}
	hammer_buffer_put(hmp, buf);
	return 0;
}

/* Insert the element for data that is at its place. */
static int
record_enter(struct hammer_trans *trans, struct hammer_leaf_elm *leaf)
{
	int error;

	log_add(trans, HLOG_INSERT, leaf);
	error = hammer_btree_insert(trans->hmp, leaf);
	if (error != 0)
		trans->hmp->hm_nlog--;
	return error;
}

int
hammer_record_insert_bulk(struct hammer_trans *trans,
    struct hammer_leaf_elm *leaf, const struct hammer_seg *segs, int nsegs)
{
	struct hammer_mount *hmp = trans->hmp;
	char *mem = NULL, *p;
	uint32_t len = 0, sectors;
	hammer_off_t off;
	bool fresh;
	int error, i, zone;

	for (i = 0; i < nsegs; i++)
		len += segs[i].hs_len;
	if (len > HAMMER_MAXDATA)
		return EINVAL;
	if (leaf->base.create_tid == 0)
		leaf->base.create_tid = trans->tid;
	if (leaf->create_ts == 0)
		leaf->create_ts = trans->time;
	leaf->base.btype = HAMMER_BTREE_TYPE_RECORD;
	leaf->data_offset = 0;
	leaf->data_len = (int32_t)len;
	leaf->data_crc = 0;
	if (len == 0)
		return record_enter(trans, leaf);

	zone = record_zone(leaf, len);
	if (zone == HAMMER_ZONE_META && len > HAMMER_BUFSIZE)
		return EINVAL;
	error = hammer_alloc(hmp, zone, len, &off, &fresh);
	if (error != 0)
		return error;
	leaf->data_offset = off;
	if (zone != HAMMER_ZONE_LARGE_DATA) {
		error = data_store(hmp, off, fresh, segs, nsegs, len);
		if (error == 0) {
			struct hammer_buffer *buf;

			error = hammer_buffer_get(hmp, off, &buf);
			if (error == 0) {
				leaf->data_crc = hammer_crc_data(
				    hmp->hm_version, leaf,
				    hammer_buffer_ptr(buf, off));
				hammer_buffer_put(hmp, buf);
			}
		}
	} else {
		sectors = roundup2(len, MAX(512U,
		    hmp->hm_vol[hammer_off_vol(off)].v_disk->d_sector));
		mem = p = kmalloc(sectors, &M_HAMMERBUF, 0);
		for (i = 0; i < nsegs; i++) {
			memcpy(p, segs[i].hs_data, segs[i].hs_len);
			p += segs[i].hs_len;
		}
		memset(p, 0, sectors - len);
		leaf->data_crc = hammer_crc_data(hmp->hm_version, leaf, mem);
		error = hammer_write_mem(hmp, hmp->hm_data,
		    hammer_off_zone2(off), mem, sectors, true);
	}
	if (error == 0)
		error = record_enter(trans, leaf);
	if (error != 0)
		hammer_free(hmp, off, len);
	return error;
}

int
hammer_record_insert(struct hammer_trans *trans, struct hammer_leaf_elm *leaf,
    const void *data, uint32_t len)
{
	struct hammer_seg seg = { data, len };

	return hammer_record_insert_bulk(trans, leaf, &seg, len == 0 ? 0 : 1);
}

/* Replace the element on which the path stands (same key). */
static void
elm_replace(struct hammer_mount *hmp, struct hammer_path *path,
    const struct hammer_leaf_elm *elm)
{
	struct hammer_step *st = hammer_path_leaf(path);
	struct hammer_node_ondisk *node;

	node = hammer_node_modify(hmp, st,
	    (uint32_t)(offsetof(struct hammer_node_ondisk, elms) +
	    (size_t)st->st_idx * sizeof(node->elms[0])), sizeof(*elm));
	node->elms[st->st_idx].leaf = *elm;
}

static int
record_remove(struct hammer_trans *trans, struct hammer_cursor *c)
{
	struct hammer_mount *hmp = trans->hmp;
	struct hammer_path path;
	struct hammer_step *st;
	int error;

	error = hammer_btree_find(hmp, &c->hc_leaf.base, &path);
	if (error != 0)
		return error;
	st = hammer_path_leaf(&path);
	log_add(trans, HLOG_DESTROY,
	    &hammer_step_node(st)->elms[st->st_idx].leaf);
	/* What vanishes is a change that mirrors must see. */
	hammer_btree_mirror(hmp, &path, trans->tid);
	error = hammer_btree_remove(hmp, &path);
	hammer_path_drop(hmp, &path);
	return error;
}

int
hammer_record_destroy(struct hammer_trans *trans, struct hammer_cursor *c)
{
	return record_remove(trans, c);
}

int
hammer_record_delete(struct hammer_trans *trans, struct hammer_cursor *c,
    uint32_t flags)
{
	struct hammer_mount *hmp = trans->hmp;
	struct hammer_leaf_elm elm;
	struct hammer_path path;
	struct hammer_step *st;
	int error;

	if ((flags & HAMMER_DELETE_DESTROY) ||
	    c->hc_leaf.base.create_tid == trans->tid)
		return record_remove(trans, c);
	error = hammer_btree_find(hmp, &c->hc_leaf.base, &path);
	if (error != 0)
		return error;
	st = hammer_path_leaf(&path);
	elm = hammer_step_node(st)->elms[st->st_idx].leaf;
	if (elm.base.delete_tid != 0) {
		hammer_path_drop(hmp, &path);
		return ENOENT;
	}
	log_add(trans, HLOG_DELETE, &elm);
	elm.base.delete_tid = trans->tid;
	elm.delete_ts = trans->time;
	elm_replace(hmp, &path, &elm);
	hammer_btree_mirror(hmp, &path, trans->tid);
	hammer_path_drop(hmp, &path);
	c->hc_leaf = elm;
	return 0;
}

/* An element's data range, before anything is read through it (H6). */
static int
data_check(const struct hammer_leaf_elm *leaf)
{
	int zone = hammer_off_zone(leaf->data_offset);
	uint64_t in = leaf->data_offset & HAMMER_BIGBLOCK_MASK64;

	if (leaf->data_len < 0 || leaf->data_len > HAMMER_MAXDATA ||
	    zone < HAMMER_ZONE_META || zone > HAMMER_ZONE_SMALL_DATA ||
	    in + (uint64_t)leaf->data_len > HAMMER_BIGBLOCK_SIZE) {
		kprintf("hammer: obj %016llx: bad data reference %016llx/%d\n",
		    (unsigned long long)leaf->base.obj_id,
		    (unsigned long long)leaf->data_offset, leaf->data_len);
		return EIO;
	}
	return 0;
}

int
hammer_record_modify_data(struct hammer_trans *trans, struct hammer_cursor *c,
    uint32_t off, const void *bytes, uint32_t len)
{
	struct hammer_mount *hmp = trans->hmp;
	struct hammer_leaf_elm elm;
	struct hammer_path path;
	struct hammer_translog *tl;
	struct hammer_buffer *buf;
	struct hammer_step *st;
	hammer_off_t at;
	int error;

	error = hammer_btree_find(hmp, &c->hc_leaf.base, &path);
	if (error != 0)
		return error;
	st = hammer_path_leaf(&path);
	elm = hammer_step_node(st)->elms[st->st_idx].leaf;
	error = data_check(&elm);
	at = elm.data_offset;
	if (error == 0 && (hammer_off_zone(at) != HAMMER_ZONE_META ||
	    off > (uint32_t)elm.data_len || len > elm.data_len - off ||
	    len > sizeof(tl->tl_old) ||
	    (at & HAMMER_BUFMASK64) + (uint32_t)elm.data_len > HAMMER_BUFSIZE))
		error = EINVAL;
	if (error == 0)
		error = hammer_buffer_get(hmp, at, &buf);
	if (error != 0) {
		hammer_path_drop(hmp, &path);
		return error;
	}
	buf->b_zone = (uint8_t)hammer_off_zone(at);
	tl = log_add(trans, HLOG_MODIFY, &elm);
	tl->tl_off = off;
	tl->tl_len = len;
	memcpy(tl->tl_old, (char *)hammer_buffer_ptr(buf, at) + off, len);
	memcpy(hammer_buffer_modify(hmp, buf, at + off, len), bytes, len);
	if (elm.base.rec_type != HAMMER_RECTYPE_INODE ||
	    off < HAMMER_INODE_CRCSIZE) {
		elm.data_crc = hammer_crc_data(hmp->hm_version, &elm,
		    hammer_buffer_ptr(buf, at));
		elm_replace(hmp, &path, &elm);
	}
	c->hc_leaf = elm;
	hammer_buffer_put(hmp, buf);
	hammer_path_drop(hmp, &path);
	return 0;
}

/* ---- reading ---------------------------------------------------------- */

static int
data_bad(const struct hammer_leaf_elm *leaf)
{
	kprintf("hammer: obj %016llx type %02x key %016llx: data at %016llx/%d "
	    "has a bad CRC\n", (unsigned long long)leaf->base.obj_id,
	    leaf->base.rec_type, (unsigned long long)leaf->base.key,
	    (unsigned long long)leaf->data_offset, leaf->data_len);
	return EIO;
}

/* Whole sectors from the disk, when the record does not fill them exactly. */
static int
read_unaligned(struct hammer_mount *hmp, hammer_off_t off, uint32_t len,
    uint32_t sector, void *dst)
{
	uint32_t head = (uint32_t)(off & (sector - 1));
	uint32_t whole = roundup2(head + len, sector);
	char *mem;
	int error;

	mem = kmalloc(whole, &M_HAMMERBUF, 0);
	error = hammer_volume_rw(hmp, BIO_READ, off - head, mem, whole);
	if (error == 0)
		memcpy(dst, mem + head, len);
	kfree(mem, &M_HAMMERBUF);
	return error;
}

static int
read_large(struct hammer_mount *hmp, const struct hammer_leaf_elm *leaf,
    void *dst)
{
	hammer_off_t off = hammer_off_zone2(leaf->data_offset);
	uint32_t len = (uint32_t)leaf->data_len, sector;
	struct disk *disk;
	off_t o;
	int error;

	if (hammer_write_peek(hmp, off, dst, len))
		return 0;
	error = hammer_volume_locate(hmp, off, len, &disk, &o);
	if (error != 0)
		return error;
	sector = MAX(disk->d_sector, 512U);
	if (((uint64_t)off & (sector - 1)) != 0 || (len & (sector - 1)) != 0)
		return read_unaligned(hmp, off, len, sector, dst);
	return hammer_volume_rw(hmp, BIO_READ, off, dst, len);
}

int
hammer_data_read(struct hammer_mount *hmp, const struct hammer_leaf_elm *leaf,
    void *dst)
{
	hammer_off_t off = leaf->data_offset;
	uint32_t left = (uint32_t)leaf->data_len, n;
	struct hammer_buffer *buf;
	char *p = dst;
	int error;

	if (leaf->data_len == 0 || leaf->data_offset == 0)
		return leaf->data_len == 0 ? 0 : EIO;
	error = data_check(leaf);
	if (error != 0)
		return error;
	if (hammer_off_zone(off) == HAMMER_ZONE_LARGE_DATA) {
		error = read_large(hmp, leaf, dst);
		if (error != 0)
			return error;
	}
	/* Ours stay within a buffer; foreign ones need not. */
	while (hammer_off_zone(off) != HAMMER_ZONE_LARGE_DATA && left > 0) {
		n = MIN(left, HAMMER_BUFSIZE - (uint32_t)(off & HAMMER_BUFMASK));
		error = hammer_buffer_get(hmp, off, &buf);
		if (error != 0)
			return error;
		memcpy(p, hammer_buffer_ptr(buf, off), n);
		hammer_buffer_put(hmp, buf);
		p += n;
		off += n;
		left -= n;
	}
	return hammer_crc_test_data(hmp->hm_version, leaf, dst) ? 0 :
	    data_bad(leaf);
}

int
hammer_cursor_data(struct hammer_cursor *c, const void **datap, uint32_t *lenp)
{
	const struct hammer_leaf_elm *leaf = &c->hc_leaf;
	uint32_t len = (uint32_t)leaf->data_len;
	int error;

	*datap = NULL;
	*lenp = len;
	if (len == 0)
		return 0;
	error = data_check(leaf);
	if (error != 0)
		return error;
	if (hammer_off_zone(leaf->data_offset) != HAMMER_ZONE_LARGE_DATA &&
	    (leaf->data_offset & HAMMER_BUFMASK64) + len <= HAMMER_BUFSIZE) {
		if (c->hc_databuf != NULL)
			hammer_buffer_put(c->hc_hmp, c->hc_databuf);
		c->hc_databuf = NULL;
		error = hammer_buffer_get(c->hc_hmp, leaf->data_offset,
		    &c->hc_databuf);
		if (error != 0)
			return error;
		*datap = hammer_buffer_ptr(c->hc_databuf, leaf->data_offset);
		return hammer_crc_test_data(c->hc_hmp->hm_version, leaf,
		    *datap) ? 0 : data_bad(leaf);
	}
	if (c->hc_bigsize < len) {
		kfree(c->hc_bigdata, &M_HAMMERBUF);
		c->hc_bigdata = kmalloc(HAMMER_MAXDATA, &M_HAMMERBUF, 0);
		c->hc_bigsize = HAMMER_MAXDATA;
	}
	*datap = c->hc_bigdata;
	return hammer_data_read(c->hc_hmp, leaf, c->hc_bigdata);
}

void
hammer_data_pin(struct hammer_mount *hmp, uint32_t *token)
{
	*token = 0;
	spin_lock(&hmp->hm_grpspin);
	hmp->hm_pins[0]++;
	spin_unlock(&hmp->hm_grpspin);
}

void
hammer_data_unpin(struct hammer_mount *hmp, uint32_t token)
{
	spin_lock(&hmp->hm_grpspin);
	hmp->hm_pins[token]--;
	spin_unlock(&hmp->hm_grpspin);
}
