/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking back: names with a moment, and what an old directory's times were.
 *
 *   name@@0x0123456789abcdef           as of that TID
 *   name@@-1                           now
 *   either with :00003                 in PFS 3
 *
 * A1  The suffix is at the end of the name and exactly of that form; anything
 *     else is an ordinary name.
 * A2  A view has an st_dev of its own, the same one at each mount.
 */
#include <sys/errno.h>
#include <sys/systm.h>

#include "hammer_vfs.h"

enum { TID_LEN = 18, PFS_LEN = 6 };	/* "0x" and 16 digits; ":00000" */

static int
hexdigit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
parse_tid(const char *s, size_t len, hammer_tid_t *tid)
{
	hammer_tid_t v = 0;
	size_t i;

	if (len == 2 && s[0] == '-' && s[1] == '1') {
		*tid = HAMMER_MAX_TID;
		return true;
	}
	if (len != TID_LEN || s[0] != '0' || (s[1] | 0x20) != 'x')
		return false;
	for (i = 2; i < TID_LEN; i++) {
		if (hexdigit(s[i]) < 0)
			return false;
		v = v << 4 | (hammer_tid_t)hexdigit(s[i]);
	}
	*tid = v;
	return true;
}

static bool
parse_pfs(const char *s, uint32_t *loc)
{
	uint32_t id = 0;
	int i;

	if (s[0] != ':')
		return false;
	for (i = 1; i < PFS_LEN; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		id = id * 10 + (uint32_t)(s[i] - '0');
	}
	if (id >= HAMMER_MAX_PFS)
		return false;
	*loc = id << 16;
	return true;
}

bool
hammer_asof_parse(const char *name, size_t len, size_t *baselen,
    hammer_tid_t *tid, uint32_t *loc)
{
	size_t at, end = len;
	uint32_t pfs = *loc;

	if (len < 4)
		return false;
	if (len >= PFS_LEN + 4 && name[len - PFS_LEN] == ':') {
		if (!parse_pfs(name + len - PFS_LEN, &pfs))
			return false;
		end -= PFS_LEN;
	}
	if (end >= TID_LEN + 2 && name[end - TID_LEN - 2] == '@')
		at = end - TID_LEN - 2;
	else
		at = end - 4;
	if (name[at] != '@' || name[at + 1] != '@' ||
	    !parse_tid(name + at + 2, end - at - 2, tid))
		return false;
	*baselen = at;
	*loc = pfs;
	return true;
}

dev_t
hammer_asof_dev(const struct hammer_inode *ip)
{
	uint64_t h;

	h = hammer_is_asof(ip) ? ip->hi_asof : 0;
	h = (h ^ ((uint64_t)ip->hi_loc << 32)) * 0x9e3779b97f4a7c15ULL;
	h ^= ip->hi_fs->hf_mp->mnt_dev * 0xc2b2ae3d27d4eb4fULL;
	h ^= h >> 29;
	/* Majors from 1024 on belong to no device and to no mount. */
	return makedev(0x400 + (uint32_t)(h >> 20 & 0x3ff),
	    (uint32_t)(h & 0xfffff));
}

/*
 * N2 of hammer_inode.c: while a directory's record lives, its mtime moves in
 * place, each time to the TID of a change of an entry.  If it has moved past
 * hi_asof, the newest such change up to hi_asof is what it was then; if there
 * was none, the record was still as it was born.
 *
 * Files need this only where another system wrote the record: its mtime was
 * changed in place and the TIDs are not times.  Then the ctime must do.
 */
int
hammer_asof_mtime(struct hammer_inode *ip)
{
	const uint64_t asof_us = ip->hi_asof / 1000;
	struct hammer_cursor cur;
	hammer_tid_t best = 0;
	int error;

	if (ip->hi_rectid < 1ULL << 60) {	/* not a time: foreign */
		ip->hi_data.mtime = ip->hi_data.ctime;
		return 0;
	}
	/* In the same microsecond it may be from before or from after. */
	if (ip->hi_data.obj_type != HAMMER_OBJTYPE_DIRECTORY ||
	    ip->hi_data.mtime < ip->hi_data.ctime ||
	    ip->hi_data.mtime < asof_us)
		return 0;
	hammer_cursor_init(&cur, ip->hi_fs->hf_hmp);
	hammer_cursor_key(&cur, hammer_dir_loc(ip), ip->hi_obj_id,
	    HAMMER_RECTYPE_DIRENTRY, 0);
	cur.hc_end.key = HAMMER_MAX_KEY;
	cur.hc_flags = HAMMER_CURSOR_ALL;
	for (error = hammer_btree_first(&cur); error == 0;
	    error = hammer_btree_next(&cur)) {
		const struct hammer_base_elm *b = &cur.hc_leaf.base;

		if (b->create_tid <= ip->hi_asof && b->create_tid > best)
			best = b->create_tid;
		if (b->delete_tid <= ip->hi_asof && b->delete_tid > best)
			best = b->delete_tid;
	}
	hammer_cursor_done(&cur);
	if (error != ENOENT)
		return error;
	ip->hi_data.mtime = best > ip->hi_rectid ? best / 1000 :
	    ip->hi_data.ctime;
	return 0;
}
