/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading directories and symlinks.
 *
 * A directory cookie is the key of the next entry to look at: 0 and 1 are "."
 * and "..", entries begin at 2^32.  So a position stays good while entries
 * come and go.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>

#include "hammer_vfs.h"

enum { BATCH_BYTES = 4096 };

struct batch_entry {
	int64_t		key;
	ino_t		ino;
	uint16_t	len;		/* of the name that follows */
	uint8_t		dtype;
};

struct batch {
	size_t		used;
	_Alignas(8) char buf[BATCH_BYTES];
};

/* Copy entries from key on until the batch is full; *eof if none is left. */
static int
batch_fill(struct hammer_inode *dip, int64_t key, struct batch *b, bool *eof)
{
	const struct hammer_direntry_data *de;
	struct batch_entry *be;
	struct hammer_cursor cur;
	const void *data;
	uint32_t len, namelen;
	int error;

	b->used = 0;
	hammer_read_begin(dip->hi_fs->hf_hmp);
	hammer_cursor_init(&cur, dip->hi_fs->hf_hmp);
	hammer_cursor_key(&cur, hammer_dir_loc(dip), dip->hi_obj_id,
	    HAMMER_RECTYPE_DIRENTRY, key);
	cur.hc_end.key = HAMMER_MAX_KEY;
	hammer_cursor_view(&cur, dip);
	for (error = hammer_btree_first(&cur); error == 0;
	    error = hammer_btree_next(&cur)) {
		if (b->used + sizeof(*be) + 264 > BATCH_BYTES)
			break;
		error = hammer_cursor_data(&cur, &data, &len);
		if (error)
			break;
		if (len <= 16 || len > 16 + NAME_MAX)
			continue;
		de = data;
		namelen = len - 16;
		be = (struct batch_entry *)(b->buf + b->used);
		be->key = cur.hc_leaf.base.key;
		be->ino = (ino_t)de->obj_id;
		be->len = (uint16_t)namelen;
		be->dtype = (uint8_t)IFTODT(
		    hammer_typemode(cur.hc_leaf.base.obj_type));
		memcpy(be + 1, (const char *)data + 16, namelen);
		b->used += roundup2(sizeof(*be) + namelen, (size_t)8);
	}
	hammer_cursor_done(&cur);
	hammer_read_end(dip->hi_fs->hf_hmp);
	*eof = error == ENOENT;
	return error == ENOENT ? 0 : error;
}

int
hammer_vop_readdir(struct vop_msg *msg)
{
	struct vnode *vp = msg->vm_vp;
	struct hammer_inode *dip = hammer_ip(vp);
	vop_dirent_fn *fn = msg->u.readdir.fn;
	int64_t key = msg->u.readdir.cookie;
	struct batch_entry *be;
	struct batch *b;
	bool eof = false;
	ino_t up;
	size_t at;
	int error = 0;

	if (vp->v_type != VDIR)
		return ENOTDIR;
	if (key == 0) {
		if (!fn(msg->u.readdir.arg, ".", 1, (ino_t)dip->hi_obj_id,
		    DT_DIR, 1))
			return 0;
		key = 1;
	}
	if (key == 1) {
		up = (ino_t)dip->hi_data.parent_obj_id;
		if (!fn(msg->u.readdir.arg, "..", 2,
		    up != 0 ? up : (ino_t)dip->hi_obj_id, DT_DIR, 2))
			return 0;
		key = 2;
	}
	if (key < 0)
		return EINVAL;
	b = kmalloc(sizeof(*b), &M_TEMP, M_WAITOK);
	while (!eof) {
		error = batch_fill(dip, key, b, &eof);
		for (at = 0; at < b->used && error == 0;
		    at += roundup2(sizeof(*be) + be->len, (size_t)8)) {
			be = (struct batch_entry *)(b->buf + at);
			if (!fn(msg->u.readdir.arg, (const char *)(be + 1),
			    be->len, be->ino, be->dtype, be->key + 1))
				goto out;
			key = be->key + 1;
		}
		if (error)
			break;
	}
	msg->u.readdir.eof = eof;
out:
	kfree(b, &M_TEMP);
	return error;
}

/* The target as it is stored. */
static int
read_target(struct hammer_inode *ip, char *buf, size_t size, size_t *lenp)
{
	struct hammer_mount *hmp = ip->hi_fs->hf_hmp;
	struct hammer_cursor cur;
	const void *data;
	bool small;
	uint32_t len;
	int error;

	spin_lock(&ip->hi_spin);
	small = ip->hi_data.size <= HAMMER_INODE_BASESYMLEN;
	if (small) {
		*lenp = MIN((size_t)ip->hi_data.size, size);
		memcpy(buf, ip->hi_data.symlink, *lenp);
	}
	spin_unlock(&ip->hi_spin);
	if (small)
		return 0;
	hammer_read_begin(hmp);
	hammer_cursor_init(&cur, hmp);
	hammer_cursor_key(&cur, ip->hi_loc | HAMMER_LOCALIZE_MISC,
	    ip->hi_obj_id, HAMMER_RECTYPE_FIX, HAMMER_FIXKEY_SYMLINK);
	hammer_cursor_view(&cur, ip);
	error = hammer_btree_lookup(&cur);
	if (error == 0)
		error = hammer_cursor_data(&cur, &data, &len);
	if (error == 0) {
		*lenp = MIN((size_t)len, size);
		memcpy(buf, data, *lenp);
	}
	hammer_cursor_done(&cur);
	hammer_read_end(hmp);
	return error == ENOENT ? EIO : error;
}

int
hammer_vop_readlink(struct vop_msg *msg)
{
	struct hammer_inode *ip = hammer_ip(msg->vm_vp);
	char magic[32];
	size_t len;
	int error;

	if (msg->vm_vp->v_type != VLNK)
		return EINVAL;
	error = read_target(ip, msg->u.readlink.buf, msg->u.readlink.size,
	    &msg->u.readlink.len);
	if (error)
		return error;
	if (hammer_pfs_target(ip->hi_fs, msg->u.readlink.buf,
	    msg->u.readlink.len, magic, sizeof(magic), &len)) {
		msg->u.readlink.len = MIN(len, msg->u.readlink.size);
		memcpy(msg->u.readlink.buf, magic, msg->u.readlink.len);
	}
	return 0;
}
