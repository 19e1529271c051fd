/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directory entries: DIRENTRY records of the directory's object.
 *
 *   key    0 | hash of the name:31 | more hash, or 0:.. | iterator:..
 *   data   obj_id, localization, name
 *
 * E1  The entries of one hash value are those in [hash, hash + max]; a name is
 *     found by comparing all of them that are alive (or visible as of T).
 * E2  A new entry takes the first key from hash on that no living entry has.
 *     Dead entries may have the same key: the TID tells them apart.
 */
#include <sys/errno.h>
#include <sys/systm.h>

#include "hammer_vfs.h"

/* Newer directories keep their entries beside the inodes. */
uint32_t
hammer_dir_loc(const struct hammer_inode *dip)
{
	if (dip->hi_data.cap_flags & HAMMER_INODE_CAP_DIR_LOCAL_INO)
		return dip->hi_loc | HAMMER_LOCALIZE_INODE;
	return dip->hi_loc | HAMMER_LOCALIZE_MISC;
}

static void
dir_cursor(struct hammer_cursor *cur, struct hammer_inode *dip, int64_t beg,
    int64_t end)
{
	hammer_cursor_init(cur, dip->hi_fs->hf_hmp);
	hammer_cursor_key(cur, hammer_dir_loc(dip), dip->hi_obj_id,
	    HAMMER_RECTYPE_DIRENTRY, beg);
	cur->hc_end.key = end;
	hammer_cursor_view(cur, dip);
}

static bool
hash_cursor(struct hammer_cursor *cur, struct hammer_inode *dip,
    const char *name, size_t len)
{
	uint32_t max;
	int64_t key;

	if ((dip->hi_data.cap_flags & HAMMER_INODE_CAP_DIRHASH_MASK) >
	    HAMMER_INODE_CAP_DIRHASH_ALG1)
		return false;		/* made by something newer */
	key = hammer_dirhash(dip->hi_data.cap_flags, name, len, &max);
	dir_cursor(cur, dip, key, key + (int64_t)max);
	return true;
}

/*
 * The entry of a name: the cursor is left on it, to be done by the caller in
 * any case.  Inside a transaction or a read.
 */
int
hammer_dir_lookup(struct hammer_cursor *cur, struct hammer_inode *dip,
    const char *name, size_t len, struct hammer_dirent *hd)
{
	const struct hammer_direntry_data *de;
	const void *data;
	uint32_t dlen;
	int error;

	if (!hash_cursor(cur, dip, name, len)) {
		hammer_cursor_init(cur, dip->hi_fs->hf_hmp);
		return EOPNOTSUPP;
	}
	for (error = hammer_btree_first(cur); error == 0;
	    error = hammer_btree_next(cur)) {
		if (cur->hc_leaf.data_len !=
		    (int32_t)HAMMER_DIRENTRY_SIZE(len))
			continue;
		error = hammer_cursor_data(cur, &data, &dlen);
		if (error)
			break;
		de = data;
		if (memcmp((const char *)data + 16, name, len) != 0)
			continue;
		hd->hd_obj_id = de->obj_id;
		hd->hd_loc = de->localization & ~HAMMER_LOCALIZE_MASK;
		hd->hd_objtype = cur->hc_leaf.base.obj_type;
		hd->hd_key = cur->hc_leaf.base.key;
		return 0;
	}
	return error;
}

/* E2.  The caller knows that the name is free. */
static int
free_key(struct hammer_inode *dip, const char *name, size_t len, int64_t *keyp)
{
	struct hammer_cursor cur;
	int64_t key, end;
	int error;

	if (!hash_cursor(&cur, dip, name, len))
		return EOPNOTSUPP;
	key = cur.hc_beg.key;
	end = cur.hc_end.key;
	for (error = hammer_btree_first(&cur); error == 0;
	    error = hammer_btree_next(&cur)) {
		if (cur.hc_leaf.base.key != key)
			break;
		if (key++ == end) {
			error = ENOSPC;
			break;
		}
	}
	hammer_cursor_done(&cur);
	*keyp = key;
	return error == ENOENT ? 0 : error;
}

int
hammer_dir_add(struct hammer_trans *tr, struct hammer_inode *dip,
    const char *name, size_t len, struct hammer_inode *ip)
{
	struct hammer_leaf_elm leaf;
	struct {
		int64_t	 obj_id;
		uint32_t loc, reserved;
		char	 name[NAME_MAX];
	} de;
	int error;

	memset(&leaf, 0, sizeof(leaf));
	error = free_key(dip, name, len, &leaf.base.key);
	if (error)
		return error;
	leaf.base.obj_id = dip->hi_obj_id;
	leaf.base.rec_type = HAMMER_RECTYPE_DIRENTRY;
	leaf.base.obj_type = ip->hi_data.obj_type;
	leaf.base.localization = hammer_dir_loc(dip);
	de.obj_id = ip->hi_obj_id;
	de.loc = ip->hi_loc;
	de.reserved = 0;
	memcpy(de.name, name, len);
	return hammer_record_insert(tr, &leaf, &de,
	    (uint32_t)HAMMER_DIRENTRY_SIZE(len));
}

/* ENOENT: the name is not there, or names something else than obj_id. */
int
hammer_dir_remove(struct hammer_trans *tr, struct hammer_inode *dip,
    const char *name, size_t len, int64_t obj_id)
{
	struct hammer_cursor cur;
	struct hammer_dirent hd;
	int error;

	error = hammer_dir_lookup(&cur, dip, name, len, &hd);
	if (error == 0 && hd.hd_obj_id != obj_id)
		error = ENOENT;
	if (error == 0)
		error = hammer_record_delete(tr, &cur,
		    hammer_delete_flags(dip, cur.hc_leaf.base.create_tid));
	hammer_cursor_done(&cur);
	return error;
}

int
hammer_dir_empty(struct hammer_inode *dip, bool *empty)
{
	struct hammer_cursor cur;
	int error;

	dir_cursor(&cur, dip, 0, HAMMER_MAX_KEY);
	error = hammer_btree_first(&cur);
	hammer_cursor_done(&cur);
	*empty = error == ENOENT;
	return error == ENOENT ? 0 : error;
}
