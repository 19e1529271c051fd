/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions: room, the lock, the number, and taking back.
 *
 * X1  Room in the open group (log bytes, buffers) and big-blocks are checked
 *     before the lock is taken and again under it; whoever finds none closes
 *     the group and waits for the next one, holding nothing.
 * X2  hm_log has what the transaction did, newest last.  Data that it freed is
 *     given back at the end only, so abort has it still.
 * X3  TIDs ascend with hm_lock; hm_tid is the highest seen.
 */
#include <sys/clock.h>

#include "hammer_core.h"

enum {
	LOG_PER_SMALL	= 512 * 1024,
	LOG_PER_DATA	= 1536 * 1024,
	LOG_PER_LARGE	= 3072 * 1024,
	INFLIGHT_MAX	= 16 * 1024 * 1024,
};

static uint64_t
credit_bytes(int credit)
{
	switch (credit & 0xf) {
	case HAMMER_CREDIT_SMALL:
		return LOG_PER_SMALL;
	case HAMMER_CREDIT_DATA:
		return LOG_PER_DATA;
	default:
		return LOG_PER_LARGE;
	}
}

/* A full group waits for its turn to close. */
static bool
group_has_room(struct hammer_mount *hmp, int credit)
{
	return hmp->hm_ndirty == 0 ||
	    (hmp->hm_logest + credit_bytes(credit) <= hmp->hm_loglimit &&
	    hmp->hm_ndirty < hmp->hm_dirtylimit);
}

static int
space_check(struct hammer_mount *hmp, int credit)
{
	uint64_t free = hammer_free_bigblocks(hmp);

	if (free < hmp->hm_reserve && hmp->hm_nfreed > 0) {
		hammer_freed_release(hmp, hmp->hm_done);
		free = hammer_free_bigblocks(hmp);
	}
	return free >= ((credit & HAMMER_CREDIT_FREE) ? 1 : hmp->hm_reserve) ?
	    0 : ENOSPC;
}

static void
wait_group(struct hammer_mount *hmp, uint64_t group)
{
	hammer_flusher_kick(hmp, group);
	spin_lock(&hmp->hm_grpspin);
	while (hmp->hm_done < group && hmp->hm_error == 0) {
		ssleep(&hmp->hm_done, &hmp->hm_grpspin, 0, "hmrroom", 0);
		spin_lock(&hmp->hm_grpspin);
	}
	spin_unlock(&hmp->hm_grpspin);
}

void
hammer_throttle(struct hammer_mount *hmp)
{
	while (__atomic_load_n(&hmp->hm_inflight, __ATOMIC_RELAXED) >
	    INFLIGHT_MAX) {
		tsleep_interlock(&hmp->hm_inflight);
		if (__atomic_load_n(&hmp->hm_inflight, __ATOMIC_ACQUIRE) <=
		    INFLIGHT_MAX) {
			tsleep_remove();
			break;
		}
		tsleep(&hmp->hm_inflight, PINTERLOCKED, "hmrwrt", 0);
	}
}

int
hammer_trans_begin(struct hammer_mount *hmp, struct hammer_trans *trans,
    int credit)
{
	bool flushed = false;
	uint64_t group;
	int error;

	memset(trans, 0, sizeof(*trans));
	trans->hmp = hmp;
	trans->credit = (uint32_t)credit;
	trans->time = (uint32_t)(clock_wall_ns() / NSEC_PER_SEC);
	for (;;) {
		hammer_throttle(hmp);
		lock_excl(&hmp->hm_lock);
		error = hmp->hm_error;
		if (error == 0 && (hmp->hm_flags & HAMMER_MOUNT_RDONLY))
			error = EROFS;
		if (error == 0 && group_has_room(hmp, credit)) {
			error = space_check(hmp, credit);
			/* Big-blocks freed lately may become usable. */
			if (error == 0 || flushed || hmp->hm_nfreed == 0)
				break;
			flushed = true;
			error = 0;
		}
		if (error != 0)
			break;
		group = hmp->hm_group + (flushed ? 1 : 0);
		lock_release(&hmp->hm_lock);
		wait_group(hmp, group);
	}
	if (error != 0) {
		lock_release(&hmp->hm_lock);
		return error;
	}
	trans->group = hmp->hm_group;
	hmp->hm_nlog = 0;
	hmp->hm_inside = true;
	return 0;
}

/* Data of records that this transaction destroyed goes back now (X2). */
static void
trans_free_data(struct hammer_mount *hmp)
{
	struct hammer_translog *tl;
	uint32_t i;

	for (i = 0; i < hmp->hm_nlog; i++) {
		tl = &hmp->hm_log[i];
		if (tl->tl_kind == HLOG_DESTROY && tl->tl_elm.data_offset != 0)
			hammer_free(hmp, tl->tl_elm.data_offset,
			    (uint32_t)tl->tl_elm.data_len);
	}
}

static void
trans_leave(struct hammer_trans *trans)
{
	struct hammer_mount *hmp = trans->hmp;
	bool full;

	hmp->hm_tid = MAX(hmp->hm_tid, trans->tid);
	hmp->hm_nlog = 0;
	hmp->hm_inside = false;
	hammer_space_publish(hmp);
	full = hmp->hm_logest > hmp->hm_loglimit / 2 ||
	    hmp->hm_ndirty > hmp->hm_dirtylimit / 2;
	lock_release(&hmp->hm_lock);
	if (full)
		hammer_flusher_kick(hmp, trans->group);
	trans->hmp = NULL;
}

void
hammer_trans_end(struct hammer_trans *trans)
{
	trans_free_data(trans->hmp);
	trans_leave(trans);
}

static int
trans_undo(struct hammer_mount *hmp, struct hammer_translog *tl)
{
	struct hammer_path path;
	struct hammer_node_ondisk *node;
	struct hammer_buffer *buf;
	struct hammer_step *st;
	int error;

	if (tl->tl_kind == HLOG_DESTROY)
		return hammer_btree_insert(hmp, &tl->tl_elm);
	if (tl->tl_kind == HLOG_MODIFY) {
		error = hammer_buffer_get(hmp, tl->tl_elm.data_offset, &buf);
		if (error != 0)
			return error;
		memcpy(hammer_buffer_modify(hmp, buf, tl->tl_elm.data_offset +
		    tl->tl_off, tl->tl_len), tl->tl_old, tl->tl_len);
		hammer_buffer_put(hmp, buf);
	}
	error = hammer_btree_find(hmp, &tl->tl_elm.base, &path);
	if (error != 0)
		return error;
	if (tl->tl_kind == HLOG_INSERT) {
		error = hammer_btree_remove(hmp, &path);
		if (error == 0 && tl->tl_elm.data_offset != 0)
			error = hammer_free(hmp, tl->tl_elm.data_offset,
			    (uint32_t)tl->tl_elm.data_len);
	} else {
		st = hammer_path_leaf(&path);
		node = hammer_node_modify(hmp, st,
		    (uint32_t)((char *)&hammer_step_node(st)->elms[st->st_idx] -
		    (char *)hammer_step_node(st)), sizeof(tl->tl_elm));
		node->elms[st->st_idx].leaf = tl->tl_elm;
	}
	hammer_path_drop(hmp, &path);
	return error;
}

void
hammer_trans_abort(struct hammer_trans *trans)
{
	struct hammer_mount *hmp = trans->hmp;
	int error;

	while (hmp->hm_nlog > 0) {
		error = trans_undo(hmp, &hmp->hm_log[hmp->hm_nlog - 1]);
		if (error != 0) {
			/* Half an operation must not become durable. */
			kprintf("hammer: cannot take an operation back: error "
			    "%d; no more writes\n", error);
			__atomic_store_n(&hmp->hm_error, EIO, __ATOMIC_RELEASE);
			break;
		}
		hmp->hm_nlog--;
	}
	trans_leave(trans);
}

bool
hammer_trans_contended(struct hammer_trans *trans)
{
	struct hammer_mount *hmp = trans->hmp;

	return hmp->hm_lock.lk_waiters > 0 ||
	    hmp->hm_logest + credit_bytes((int)trans->credit) >
	    hmp->hm_loglimit;
}

void
hammer_read_begin(struct hammer_mount *hmp)
{
	lock_shared(&hmp->hm_lock);
}

void
hammer_read_end(struct hammer_mount *hmp)
{
	lock_release(&hmp->hm_lock);
}

hammer_tid_t
hammer_last_tid(struct hammer_mount *hmp)
{
	return hmp->hm_tid;
}

void
hammer_set_tid_source(struct hammer_mount *hmp, hammer_tid_t (*fn)(void *),
    void *arg)
{
	hmp->hm_tidfn = fn;
	hmp->hm_tidarg = arg;
}

hammer_tid_t
hammer_tid_alloc(struct hammer_mount *hmp)
{
	hammer_tid_t tid;

	if (hmp->hm_tidfn != NULL)
		tid = hmp->hm_tidfn(hmp->hm_tidarg);
	else
		tid = MAX(clock_wall_ns() & ~(hammer_tid_t)(HAMMER_TID_STEP - 1),
		    hmp->hm_tid + HAMMER_TID_STEP);
	hmp->hm_tid = MAX(hmp->hm_tid, tid);
	return tid;
}

int64_t
hammer_objid_alloc(struct hammer_trans *trans)
{
	if (trans->objids++ == 0)
		return (int64_t)trans->tid;
	return (int64_t)hammer_tid_alloc(trans->hmp);
}

void
hammer_inode_count(struct hammer_trans *trans, int delta)
{
	trans->hmp->hm_root->vol0_stat_inodes += delta;
	trans->hmp->hm_hdrdirty = true;
}
