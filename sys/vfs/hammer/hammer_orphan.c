/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that had lost their last name and were still open when the power
 * went: their INODE records say nlinks 0.  A thread looks for them once after
 * each mount, in small steps, and finishes them (T2 in hammer_vnops_attr.c).
 *
 * O1  Nothing depends on when it is done: no name leads to such an object.
 * O2  What is unlinked and open now looks the same; then the reference taken
 *     here is not the last, and nothing happens.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/thread.h>

#include "hammer_vfs.h"

enum { STEP = 128 };			/* elements under one lock */

/*
 * The next orphan after *pos in PFS 0; *pos moves on.  ENOENT: none.  EAGAIN:
 * a step is over.
 */
static int
orphan_next(struct hammer_fs *fs, struct hammer_base_elm *pos, int64_t *obj_id)
{
	const struct hammer_inode_data *d;
	struct hammer_cursor cur;
	const void *data;
	uint32_t len;
	int error, n = 0;

	hammer_read_begin(fs->hf_hmp);
	hammer_cursor_init(&cur, fs->hf_hmp);
	hammer_cursor_key(&cur, HAMMER_LOCALIZE_INODE, pos->obj_id,
	    pos->rec_type, pos->key);
	cur.hc_end.obj_id = HAMMER_MAX_OBJID;
	cur.hc_end.rec_type = HAMMER_RECTYPE_MAX;
	cur.hc_end.key = HAMMER_MAX_KEY;
	for (error = hammer_btree_first(&cur); error == 0;
	    error = hammer_btree_next(&cur)) {
		*pos = cur.hc_leaf.base;
		if (n++ == STEP) {
			error = EAGAIN;
			break;
		}
		if (cur.hc_leaf.base.rec_type != HAMMER_RECTYPE_INODE)
			continue;
		if (hammer_cursor_data(&cur, &data, &len) != 0 ||
		    len != sizeof(*d))
			continue;
		d = data;
		if (d->nlinks != 0)
			continue;
		*obj_id = cur.hc_leaf.base.obj_id;
		pos->rec_type = HAMMER_RECTYPE_INODE + 1;	/* past it */
		pos->key = HAMMER_MIN_KEY;
		break;
	}
	hammer_cursor_done(&cur);
	hammer_read_end(fs->hf_hmp);
	return error;
}

static void
orphan_main(void *arg)
{
	struct hammer_fs *fs = arg;
	struct hammer_base_elm pos;
	struct vnode *vp;
	int64_t obj_id = 0;
	int error = 0;

	memset(&pos, 0, sizeof(pos));
	pos.obj_id = HAMMER_MIN_OBJID;
	pos.key = HAMMER_MIN_KEY;
	while (!atomic_load(&fs->hf_stop) && (error == 0 || error == EAGAIN)) {
		error = orphan_next(fs, &pos, &obj_id);
		if (error == 0 && hammer_iget(fs, 0, obj_id, HAMMER_MAX_TID,
		    &vp) == 0)
			vn_rele(vp);
		lwkt_yield();
	}
	atomic_store(&fs->hf_orphan, NULL);
	wakeup(&fs->hf_orphan);
	lwkt_exit();
}

void
hammer_orphans_start(struct hammer_fs *fs)
{
	struct thread *td;

	if (hammer_is_rdonly(fs->hf_hmp))
		return;
	fs->hf_stop = false;
	if (lwkt_create(orphan_main, fs, &td, TDPRI_USER, -1,
	    "hammer orphans") != 0)
		return;
	fs->hf_orphan = td;
	lwkt_schedule(td);
}

/* Blocks until the thread is gone. */
void
hammer_orphans_stop(struct hammer_fs *fs)
{
	atomic_store(&fs->hf_stop, true);
	for (;;) {
		tsleep_interlock(&fs->hf_orphan);
		if (atomic_load(&fs->hf_orphan) == NULL) {
			tsleep_remove();
			break;
		}
		tsleep(&fs->hf_orphan, PINTERLOCKED, "hamorp", 0);
	}
}
