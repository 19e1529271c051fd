/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions and requests of programs; the structures are in hammer_ioctl.h.
 *
 * C1  Looking needs the right to open the file, as reading does; what changes
 *     something needs root.
 * C2  Lists stop at what fits; their cursor is the key after the last one.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/ucred.h>

#include "hammer_history.h"

static int
ioc_synctid(struct vop_msg *msg, struct hammer_ioc_synctid *io)
{
	struct hammer_fs *fs = hammer_fs_of(msg->vm_mount);
	int error = 0;

	switch (io->op) {
	case HAMMER_SYNCTID_NONE:
		io->tid = hammer_last_number(fs->hf_mp);
		break;
	case HAMMER_SYNCTID_ASYNC:
	case HAMMER_SYNCTID_SYNC1:
		error = vfs_sync(msg->vm_mount, false);
		io->tid = hammer_last_number(fs->hf_mp);
		break;
	case HAMMER_SYNCTID_SYNC2:
		error = vfs_sync(msg->vm_mount, true);
		if (error == 0)
			error = hammer_sync(fs->hf_hmp, true, &io->tid);
		break;
	default:
		error = EINVAL;
	}
	return error;
}

static int
ioc_info(struct vop_msg *msg, struct hammer_ioc_info *io)
{
	struct hammer_fs *fs = hammer_fs_of(msg->vm_mount);
	struct hammer_space hs;

	hammer_space(fs->hf_hmp, &hs);
	kstrlcpy(io->label, hammer_label(fs->hf_hmp), sizeof(io->label));
	memcpy(io->fsid, hammer_fsid(fs->hf_hmp)->u, 16);
	memcpy(io->fstype,
	    ((const struct hammer_uuid)HAMMER_FSTYPE_UUID).u, 16);
	io->version = (int32_t)hammer_version(fs->hf_hmp);
	io->nvolumes = hammer_volume_count(fs->hf_hmp);
	io->bigblocks = (int64_t)(hs.hs_total / HAMMER_BIGBLOCK_SIZE);
	io->freebigblocks = (int64_t)(hs.hs_free / HAMMER_BIGBLOCK_SIZE);
	io->rsvbigblocks = (int64_t)(hs.hs_reserved / HAMMER_BIGBLOCK_SIZE);
	io->inodes = hs.hs_inodes;
	io->next_tid = hammer_last_number(fs->hf_mp) + HAMMER_TID_STEP;
	io->synced_tid = hammer_committed(fs->hf_hmp);
	return 0;
}

static int
ioc_version(struct vop_msg *msg, struct hammer_ioc_version *io)
{
	struct hammer_fs *fs = hammer_fs_of(msg->vm_mount);

	io->cur_version = hammer_version(fs->hf_hmp);
	io->min_version = HAMMER_VERSION_MIN;
	io->max_version = io->wip_version = HAMMER_VERSION_MAX;
	ksnprintf(io->description, sizeof(io->description), "%s",
	    io->cur_version >= 7 ? "CRC-32C checksums" :
	    io->cur_version == 6 ? "directory hash ALG1" : "older media");
	return 0;
}

static int
ioc_get_pfs(struct vop_msg *msg, struct hammer_ioc_pseudofs *io)
{
	struct hammer_inode *ip = hammer_ip(msg->vm_vp);
	struct hammer_pseudofs_data pfsd;
	int error;

	if (io->pfs_id == -1)
		io->pfs_id = (int32_t)(ip->hi_loc >> 16);
	if (io->pfs_id < 0 || io->pfs_id >= HAMMER_MAX_PFS)
		return EINVAL;
	error = hammer_pfs_open(ip->hi_fs, (uint32_t)io->pfs_id, &pfsd);
	if (error)
		return error;
	io->bytes = sizeof(pfsd);
	memcpy(io->data, &pfsd, sizeof(pfsd));
	return 0;
}

/* ---- records of a PFS's root: snapshots and the configuration --------- */

/* Replace (data), make (data) or end (NULL) the record; EEXIST, ENOENT. */
static int
root_record(struct vop_msg *msg, uint16_t type, int64_t key, const void *data,
    uint32_t len, bool replace)
{
	struct hammer_inode *ip = hammer_ip(msg->vm_vp);
	struct hammer_leaf_elm leaf;
	struct hammer_cursor cur;
	struct hammer_trans tr;
	struct vop_msg own;
	bool found;
	int error;

	vop_internal_init(&own, msg->vm_mount, VOP_IOCTL, msg->vm_vp);
	error = hammer_trans_begin(ip->hi_fs->hf_hmp, &tr,
	    HAMMER_CREDIT_SMALL | (data ? 0 : HAMMER_CREDIT_FREE));
	if (error)
		return error;
	tr.tid = vop_number(&own);
	hammer_cursor_init(&cur, ip->hi_fs->hf_hmp);
	hammer_cursor_key(&cur, ip->hi_loc | HAMMER_LOCALIZE_INODE,
	    HAMMER_OBJID_ROOT, type, key);
	error = hammer_btree_lookup(&cur);
	found = error == 0;
	if (error == ENOENT)
		error = data != NULL ? 0 : ENOENT;
	else if (found && data != NULL && !replace)
		error = EEXIST;
	if (error == 0 && found)
		error = hammer_record_delete(&tr, &cur, 0);
	hammer_cursor_done(&cur);
	if (error == 0 && data != NULL) {
		memset(&leaf, 0, sizeof(leaf));
		leaf.base.obj_id = HAMMER_OBJID_ROOT;
		leaf.base.key = key;
		leaf.base.rec_type = type;
		leaf.base.localization = ip->hi_loc | HAMMER_LOCALIZE_INODE;
		error = hammer_record_insert(&tr, &leaf, data, len);
	}
	if (error) {
		hammer_trans_abort(&tr);
		return error;
	}
	vop_commit(&own, &(struct vop_effects){ .n = 0 });
	hammer_trans_end(&tr);
	return 0;
}

static int
ioc_add_snapshot(struct vop_msg *msg, struct hammer_ioc_snapshot *io)
{
	struct hammer_snapshot_data sd;
	int error = 0;

	if (io->count > HAMMER_SNAPS_PER_IOCTL || io->index > io->count)
		return EINVAL;
	for (; io->index < io->count && error == 0; io->index++) {
		const struct hammer_ioc_snap *s = &io->snaps[io->index];

		if (s->tid == 0 || s->tid > hammer_last_number(msg->vm_mount)) {
			error = EINVAL;
			break;
		}
		memset(&sd, 0, sizeof(sd));
		sd.tid = s->tid;
		sd.ts = s->ts;
		kstrlcpy(sd.label, s->label, sizeof(sd.label));
		error = root_record(msg, HAMMER_RECTYPE_SNAPSHOT,
		    (int64_t)s->tid, &sd, sizeof(sd), false);
		if (error)
			break;
	}
	io->head.error = error;
	return error;
}

static int
ioc_del_snapshot(struct vop_msg *msg, struct hammer_ioc_snapshot *io)
{
	int error = 0;

	if (io->count > HAMMER_SNAPS_PER_IOCTL || io->index > io->count)
		return EINVAL;
	for (; io->index < io->count; io->index++) {
		error = root_record(msg, HAMMER_RECTYPE_SNAPSHOT,
		    (int64_t)io->snaps[io->index].tid, NULL, 0, false);
		if (error)
			break;
	}
	io->head.error = error;
	return error;
}

static int
ioc_get_snapshot(struct vop_msg *msg, struct hammer_ioc_snapshot *io)
{
	struct hammer_inode *ip = hammer_ip(msg->vm_vp);
	struct hammer_mount *hmp = ip->hi_fs->hf_hmp;
	const struct hammer_snapshot_data *sd;
	struct hammer_cursor cur;
	const void *data;
	uint32_t len;
	int error;

	io->count = 0;
	hammer_read_begin(hmp);
	hammer_cursor_init(&cur, hmp);
	hammer_cursor_key(&cur, ip->hi_loc | HAMMER_LOCALIZE_INODE,
	    HAMMER_OBJID_ROOT, HAMMER_RECTYPE_SNAPSHOT,
	    (int64_t)io->next_tid);
	cur.hc_end.key = HAMMER_MAX_KEY;
	for (error = hammer_btree_first(&cur); error == 0;
	    error = hammer_btree_next(&cur)) {
		if (io->count == HAMMER_SNAPS_PER_IOCTL)
			break;
		error = hammer_cursor_data(&cur, &data, &len);
		if (error)
			break;
		if (len != sizeof(*sd))
			continue;
		sd = data;
		io->snaps[io->count].tid = sd->tid;
		io->snaps[io->count].ts = sd->ts;
		kstrlcpy(io->snaps[io->count].label, sd->label,
		    sizeof(io->snaps[0].label));
		io->next_tid = (uint64_t)cur.hc_leaf.base.key + 1;
		io->count++;
	}
	hammer_cursor_done(&cur);
	hammer_read_end(hmp);
	if (error == ENOENT) {
		io->head.flags |= HAMMER_IOC_EOF;
		error = 0;
	}
	return error;
}

static int
ioc_get_config(struct vop_msg *msg, struct hammer_ioc_config *io)
{
	struct hammer_inode *ip = hammer_ip(msg->vm_vp);
	struct hammer_mount *hmp = ip->hi_fs->hf_hmp;
	struct hammer_cursor cur;
	const void *data;
	uint32_t len;
	int error;

	hammer_read_begin(hmp);
	hammer_cursor_init(&cur, hmp);
	hammer_cursor_key(&cur, ip->hi_loc | HAMMER_LOCALIZE_INODE,
	    HAMMER_OBJID_ROOT, HAMMER_RECTYPE_CONFIG, 0);
	error = hammer_btree_lookup(&cur);
	if (error == 0)
		error = hammer_cursor_data(&cur, &data, &len);
	if (error == 0) {
		memset(io->text, 0, sizeof(io->text));
		memcpy(io->text, data,
		    MIN((size_t)len, sizeof(io->text) - 1));
	}
	hammer_cursor_done(&cur);
	hammer_read_end(hmp);
	return error;
}

static int
ioc_set_config(struct vop_msg *msg, struct hammer_ioc_config *io)
{
	io->text[sizeof(io->text) - 1] = 0;
	return root_record(msg, HAMMER_RECTYPE_CONFIG, 0, io->text,
	    sizeof(io->text), true);
}

/* ---- dispatch -------------------------------------------------------- */

enum { NEEDS_ROOT = 1, NEEDS_WRITE = 2 };

static const struct ioc_entry {
	uint32_t	cmd;
	uint32_t	size;
	uint32_t	flags;
	int		(*fn)(struct vop_msg *, void *);
} ioc_table[] = {
#define IOC(cmd, type, fn, flags) \
	{ (uint32_t)(cmd), sizeof(type), flags, \
	  (int (*)(struct vop_msg *, void *))(void (*)(void))(fn) }
	IOC(HAMMERIOC_GETHISTORY, struct hammer_ioc_history,
	    hammer_ioc_history, 0),
	IOC(HAMMERIOC_DIRHIST, struct hammer_ioc_dirhist,
	    hammer_ioc_dirhist, 0),
	IOC(HAMMERIOC_OBJHIST, struct hammer_ioc_objhist,
	    hammer_ioc_objhist, 0),
	IOC(HAMMERIOC_SYNCTID, struct hammer_ioc_synctid, ioc_synctid, 0),
	IOC(HAMMERIOC_GET_INFO, struct hammer_ioc_info, ioc_info, 0),
	IOC(HAMMERIOC_GET_VERSION, struct hammer_ioc_version,
	    ioc_version, 0),
	IOC(HAMMERIOC_GET_PSEUDOFS, struct hammer_ioc_pseudofs,
	    ioc_get_pfs, 0),
	IOC(HAMMERIOC_ADD_SNAPSHOT, struct hammer_ioc_snapshot,
	    ioc_add_snapshot, NEEDS_ROOT | NEEDS_WRITE),
	IOC(HAMMERIOC_DEL_SNAPSHOT, struct hammer_ioc_snapshot,
	    ioc_del_snapshot, NEEDS_ROOT | NEEDS_WRITE),
	IOC(HAMMERIOC_GET_SNAPSHOT, struct hammer_ioc_snapshot,
	    ioc_get_snapshot, 0),
	IOC(HAMMERIOC_GET_CONFIG, struct hammer_ioc_config,
	    ioc_get_config, 0),
	IOC(HAMMERIOC_SET_CONFIG, struct hammer_ioc_config,
	    ioc_set_config, NEEDS_ROOT | NEEDS_WRITE),
#undef IOC
};

int
hammer_vop_ioctl(struct vop_msg *msg)
{
	/* A C int on its way here may have been sign extended. */
	const uint32_t cmd = (uint32_t)msg->u.ioctl.cmd;
	const struct ioc_entry *e;
	size_t i;

	for (i = 0; i < nitems(ioc_table); i++) {
		e = &ioc_table[i];
		if (e->cmd != cmd)
			continue;
		if (msg->u.ioctl.data == NULL || msg->u.ioctl.len < e->size)
			return EINVAL;
		if ((e->flags & NEEDS_ROOT) && !cred_is_root(msg->vm_cred))
			return EPERM;
		if ((e->flags & NEEDS_WRITE) &&
		    (msg->vm_mount->mnt_flags & MNT_RDONLY))
			return EROFS;
		return e->fn(msg, msg->u.ioctl.data);
	}
	return ENOTTY;
}
