/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pseudo-filesystems: the PFS records, and the symlinks that lead into them.
 *
 *   @@PFS00003   ->   @@-1:00003                       a master, live
 *                     @@0x<last complete sync>:00003   a slave
 */
#include <sys/errno.h>
#include <sys/systm.h>

#include "hammer_vfs.h"

/* ENOENT: no such PFS.  Blocks. */
int
hammer_pfs_open(struct hammer_fs *fs, uint32_t pfs_id,
    struct hammer_pseudofs_data *pfsd)
{
	struct hammer_cursor cur;
	const void *data;
	uint32_t len;
	int error;

	hammer_read_begin(fs->hf_hmp);
	hammer_cursor_init(&cur, fs->hf_hmp);
	hammer_cursor_key(&cur, HAMMER_LOCALIZE_MISC, HAMMER_OBJID_ROOT,
	    HAMMER_RECTYPE_PFS, (int64_t)pfs_id << 16);
	error = hammer_btree_lookup(&cur);
	if (error == 0)
		error = hammer_cursor_data(&cur, &data, &len);
	if (error == 0) {
		memset(pfsd, 0, sizeof(*pfsd));
		memcpy(pfsd, data, MIN((size_t)len, sizeof(*pfsd)));
	}
	hammer_cursor_done(&cur);
	hammer_read_end(fs->hf_hmp);
	return error;
}

bool
hammer_pfs_target(struct hammer_fs *fs, const char *link, size_t len,
    char *buf, size_t size, size_t *outlen)
{
	struct hammer_pseudofs_data pfsd;
	uint32_t id = 0;
	int i;

	if (len != 10 || memcmp(link, "@@PFS", 5) != 0)
		return false;
	for (i = 5; i < 10; i++) {
		if (link[i] < '0' || link[i] > '9')
			return false;
		id = id * 10 + (uint32_t)(link[i] - '0');
	}
	if (id >= HAMMER_MAX_PFS || (hammer_pfs_open(fs, id, &pfsd) != 0 &&
	    id != 0))
		return false;
	if (id != 0 && (pfsd.mirror_flags & HAMMER_PFSD_SLAVE))
		*outlen = (size_t)ksnprintf(buf, size, "@@0x%016llx:%05u",
		    (unsigned long long)pfsd.sync_end_tid, id);
	else
		*outlen = (size_t)ksnprintf(buf, size, "@@-1:%05u", id);
	return true;
}
