/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * History: every version of an inode, of a file block, of a name.
 *
 * Versions of one key are neighbours in the tree, oldest first, dead ones
 * beside the living: a question is one walk with HAMMER_CURSOR_ALL.
 *
 * Q1  Who asks sees no more than by name@@tid: the directory or file that the
 *     question is put to is open to him.  Objects other than that one are told
 *     by the versions of their inode only, never their data.
 */
#include <sys/errno.h>
#include <sys/systm.h>

#include "hammer_data.h"
#include "hammer_history.h"

static void
all_cursor(struct hammer_cursor *cur, const struct hammer_inode *ip,
    uint32_t loc, int64_t obj_id, uint16_t type, int64_t beg, int64_t end)
{
	hammer_cursor_init(cur, ip->hi_fs->hf_hmp);
	hammer_cursor_key(cur, ip->hi_loc | loc, obj_id, type, beg);
	cur->hc_end.key = end;
	cur->hc_flags = HAMMER_CURSOR_ALL;
}

/* ---- HISTORY: TIDs only, as the original has it ----------------------- */

/* Add tid if it is in the window and new; keep the list sorted.  When it is
 * full the newest falls out. */
static void
hist_add(struct hammer_ioc_history *io, bool *full, hammer_tid_t tid,
    uint32_t ts, bool deleted)
{
	struct hammer_ioc_hist_entry *h = io->hist;
	int i;

	if (tid < io->beg_tid || tid >= io->end_tid || tid == 0)
		return;
	for (i = io->count; i > 0 && h[i - 1].tid > tid; i--)
		;
	if (i > 0 && h[i - 1].tid == tid) {
		/* An end that is also a beginning is only a change. */
		h[i - 1].deleted &= deleted;
		return;
	}
	if (io->count == HAMMER_MAX_HISTORY) {
		*full = true;
		if (i == io->count)
			return;
		io->count--;
	}
	memmove(&h[i + 1], &h[i], (size_t)(io->count - i) * sizeof(*h));
	h[i].tid = tid;
	h[i].time32 = ts;
	h[i].deleted = deleted;
	io->count++;
}

int
hammer_ioc_history(struct vop_msg *msg, struct hammer_ioc_history *io)
{
	struct hammer_inode *ip = hammer_ip(msg->vm_vp);
	bool atkey = io->head.flags & HAMMER_IOC_ATKEY, full = false;
	uint64_t start, stop;
	struct hammer_cursor cur;
	int error;

	if (atkey && io->key < 0)
		return EINVAL;
	io->obj_id = ip->hi_obj_id;
	io->count = 0;
	io->head.flags &= HAMMER_IOC_ATKEY;
	if (io->end_tid == 0)
		io->end_tid = HAMMER_MAX_TID;
	if (atkey) {
		io->nxt_key = HAMMER_MAX_KEY;
		all_cursor(&cur, ip, HAMMER_LOCALIZE_MISC, ip->hi_obj_id,
		    HAMMER_RECTYPE_DATA, io->key + 1, HAMMER_MAX_KEY);
		if (io->key < HAMMER_MAX_KEY - HAMMER_XBUFSIZE)
			cur.hc_end.key = io->key + HAMMER_XBUFSIZE;
	} else {
		all_cursor(&cur, ip, HAMMER_LOCALIZE_INODE, ip->hi_obj_id,
		    HAMMER_RECTYPE_INODE, 0, 0);
	}
	hammer_read_begin(ip->hi_fs->hf_hmp);
	for (error = hammer_btree_first(&cur); error == 0;
	    error = hammer_btree_next(&cur)) {
		const struct hammer_leaf_elm *l = &cur.hc_leaf;

		if (atkey && hammer_data_range(l, &start, &stop)) {
			if (start > (uint64_t)io->key) {
				io->nxt_key = MIN(io->nxt_key,
				    (int64_t)start);
				continue;
			}
			io->nxt_key = MIN(io->nxt_key, (int64_t)stop);
		}
		hist_add(io, &full, l->base.create_tid, l->create_ts, false);
		hist_add(io, &full, l->base.delete_tid, l->delete_ts, true);
	}
	hammer_cursor_done(&cur);
	hammer_read_end(ip->hi_fs->hf_hmp);
	if (error != ENOENT)
		return error;
	if (full)
		io->nxt_tid = io->hist[io->count - 1].tid + 1;
	else
		io->head.flags |= HAMMER_IOC_EOF;
	return 0;
}

/* ---- DIRHIST ---------------------------------------------------------- */

static bool
dirhist_add(struct hammer_ioc_dirhist *io, const struct hammer_leaf_elm *l,
    int64_t obj_id, const char *name, uint32_t len)
{
	struct hammer_ioc_dirent *de;
	size_t need = roundup2(sizeof(*de) + len, (size_t)8);

	if (io->bytes + need > sizeof(io->buf))
		return false;
	de = (struct hammer_ioc_dirent *)((char *)io->buf + io->bytes);
	memset(de, 0, sizeof(*de));
	de->reclen = (uint16_t)need;
	de->namelen = (uint8_t)len;
	de->type = (uint8_t)IFTODT(hammer_typemode(l->base.obj_type));
	de->create_tid = l->base.create_tid;
	de->delete_tid = l->base.delete_tid;
	de->obj_id = (uint64_t)obj_id;
	memcpy(de->name, name, len);
	io->bytes += (uint32_t)need;
	return true;
}

int
hammer_ioc_dirhist(struct vop_msg *msg, struct hammer_ioc_dirhist *io)
{
	struct hammer_inode *dip = hammer_ip(msg->vm_vp);
	const struct hammer_direntry_data *de;
	struct hammer_cursor cur;
	int64_t beg = 0, end = HAMMER_MAX_KEY;
	const char *name;
	const void *data;
	uint32_t len, max;
	int error;

	if (msg->vm_vp->v_type != VDIR)
		return ENOTDIR;
	if (io->namelen != 0) {
		beg = hammer_dirhash(dip->hi_data.cap_flags, io->name,
		    io->namelen, &max);
		end = beg + (int64_t)max;
	}
	io->bytes = 0;
	io->head.flags = 0;
	hammer_cursor_init(&cur, dip->hi_fs->hf_hmp);
	hammer_cursor_key(&cur, hammer_dir_loc(dip), dip->hi_obj_id,
	    HAMMER_RECTYPE_DIRENTRY, MAX(beg, io->key));
	cur.hc_end.key = end;
	cur.hc_flags = HAMMER_CURSOR_ALL;
	if (io->key >= beg)
		cur.hc_beg.create_tid = io->tid;
	hammer_read_begin(dip->hi_fs->hf_hmp);
	for (error = hammer_btree_first(&cur); error == 0;
	    error = hammer_btree_next(&cur)) {
		error = hammer_cursor_data(&cur, &data, &len);
		if (error)
			break;
		if (len <= 16 || len > 16 + NAME_MAX)
			continue;
		de = data;
		name = (const char *)data + 16;
		len -= 16;
		if (io->namelen != 0 && (io->namelen != len ||
		    memcmp(io->name, name, len) != 0))
			continue;
		if (!dirhist_add(io, &cur.hc_leaf, de->obj_id, name, len)) {
			io->key = cur.hc_leaf.base.key;
			io->tid = cur.hc_leaf.base.create_tid;
			break;
		}
	}
	hammer_cursor_done(&cur);
	hammer_read_end(dip->hi_fs->hf_hmp);
	if (error == ENOENT) {
		io->head.flags |= HAMMER_IOC_EOF;
		error = 0;
	}
	return error;
}

/* ---- OBJHIST ---------------------------------------------------------- */

static int
objver_fill(struct hammer_cursor *cur, struct hammer_ioc_objver *v)
{
	const struct hammer_inode_data *d;
	const void *data;
	uint32_t len;
	int error;

	error = hammer_cursor_data(cur, &data, &len);
	if (error)
		return error;
	if (len != sizeof(*d))
		return EIO;
	d = data;
	memset(v, 0, sizeof(*v));
	v->create_tid = cur->hc_leaf.base.create_tid;
	v->delete_tid = cur->hc_leaf.base.delete_tid;
	v->size = d->size;
	v->mtime_ns = (int64_t)d->mtime * 1000;
	v->mode = hammer_typemode(d->obj_type) | (d->mode & 07777);
	v->uid = hammer_uuid_to_id(&d->uid);
	v->gid = hammer_uuid_to_id(&d->gid);
	v->nlinks = (uint32_t)d->nlinks;
	return 0;
}

/*
 * When the bytes last changed, for each of the versions that were found: one
 * walk over all DATA records.  Only as many as fit a walk of bounded length
 * are looked at; past that every version counts as new data.
 */
static int
objhist_data(struct hammer_cursor *cur, struct hammer_ioc_objhist *io)
{
	enum { WALK = 20000 };
	hammer_tid_t tids[2];
	int error, i, j, n = 0;

	for (error = hammer_btree_first(cur); error == 0 && n < WALK;
	    error = hammer_btree_next(cur), n++) {
		tids[0] = cur->hc_leaf.base.create_tid;
		tids[1] = cur->hc_leaf.base.delete_tid;
		for (j = 0; j < 2; j++) {
			if (tids[j] == 0)
				continue;
			for (i = io->count - 1; i >= 0; i--) {
				if (io->vers[i].create_tid < tids[j])
					break;
				if (io->vers[i].data_tid < tids[j])
					io->vers[i].data_tid = tids[j];
			}
		}
	}
	if (error == 0)
		for (i = 0; i < io->count; i++)
			io->vers[i].data_tid = io->vers[i].create_tid;
	return error == ENOENT ? 0 : error;
}

int
hammer_ioc_objhist(struct vop_msg *msg, struct hammer_ioc_objhist *io)
{
	struct hammer_inode *ip = hammer_ip(msg->vm_vp);
	struct hammer_cursor cur;
	int64_t obj_id;
	int error;

	obj_id = io->obj_id ? (int64_t)io->obj_id : ip->hi_obj_id;
	io->obj_id = (uint64_t)obj_id;
	io->count = 0;
	io->head.flags = 0;
	all_cursor(&cur, ip, HAMMER_LOCALIZE_INODE, obj_id,
	    HAMMER_RECTYPE_INODE, 0, 0);
	cur.hc_beg.create_tid = io->beg_tid;
	hammer_read_begin(ip->hi_fs->hf_hmp);
	for (error = hammer_btree_first(&cur); error == 0;
	    error = hammer_btree_next(&cur)) {
		if (io->count == HAMMER_OBJVERS_PER_IOCTL) {
			io->beg_tid = cur.hc_leaf.base.create_tid;
			break;
		}
		error = objver_fill(&cur, &io->vers[io->count]);
		if (error)
			break;
		io->count++;
	}
	hammer_cursor_done(&cur);
	if (error == ENOENT) {
		io->head.flags |= HAMMER_IOC_EOF;
		error = 0;
	}
	if (error == 0 && io->count > 0) {
		all_cursor(&cur, ip, HAMMER_LOCALIZE_MISC, obj_id,
		    HAMMER_RECTYPE_DATA, HAMMER_MIN_KEY, HAMMER_MAX_KEY);
		error = objhist_data(&cur, io);
		hammer_cursor_done(&cur);
	}
	hammer_read_end(ip->hi_fs->hf_hmp);
	return error;
}
