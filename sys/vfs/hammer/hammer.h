/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HAMMER core as the vnode operations, the ioctls and the upkeep jobs see
 * it: mounts, transactions, cursors, records, groups.  Private parts of the
 * core are in hammer_core.h.
 *
 * One B-Tree holds every version of every item.  A modifying operation is a
 * transaction that changes the tree in memory at once, so it is visible,
 * as-of included, when it ends; durability comes group by group.
 *
 * H1  Every call that looks at the tree needs the mount's transaction lock:
 *     hammer_read_begin() (shared) or hammer_trans_begin() (exclusive).
 *     Neither nests, and no vnode or page may be waited for inside.
 * H2  trans->tid is set by the caller, inside, before the first change; TIDs
 *     ascend in the order of the transactions.
 * H3  A transaction ends by hammer_trans_end() (all of it is in the tree) or
 *     hammer_trans_abort() (nothing of it is).
 * H4  committed: every transaction with a TID up to it is durable, and after
 *     a crash the volume is at exactly some committed point: a prefix.
 * H5  Space and FIFO room are reserved by hammer_trans_begin(), which is the
 *     one place where a modification waits or gets ENOSPC; an operation
 *     within its credit gets only EIO, ENOMEM never.
 * H6  Bytes from disk never panic: EIO, one message, the mount stays usable.
 */
#ifndef _VFS_HAMMER_HAMMER_H_
#define _VFS_HAMMER_HAMMER_H_

#include <sys/lock.h>
#include <sys/types.h>

#include "hammer_crc.h"
#include "hammer_disk.h"
#include "hammer_off.h"

struct disk;
struct hammer_buffer;
struct hammer_mount;
struct mount;

/* ---- mounts ---------------------------------------------------------- */

enum {
	HAMMER_MOUNT_RDONLY	= 0x1,	/* recovery in memory, no write */
};

/*
 * Bring a filesystem up from its volumes (any order): recovery, then a running
 * flusher.  The disks stay the caller's (disk_put them after unmount).
 * Blocks.  EINVAL: not HAMMER, or volumes missing or doubled; EIO; EROFS: a
 * disk is read-only and RDONLY was not asked for.
 */
int	hammer_core_mount(struct disk **disks, int ndisks, uint32_t flags,
	    struct hammer_mount **);
/* Commit everything, leave a clean volume, free.  No operation may be inside.
 * The error of the last flush; the mount is gone in any case.  Blocks. */
int	hammer_core_unmount(struct hammer_mount *);
/* Read-only to read-write and back; the current lock must not be held. */
int	hammer_core_remount(struct hammer_mount *, uint32_t flags);

/* What others may know of a mount. */
bool	hammer_is_rdonly(const struct hammer_mount *);
const struct hammer_uuid *hammer_fsid(const struct hammer_mount *);
const char *hammer_label(const struct hammer_mount *);
uint32_t hammer_version(const struct hammer_mount *);
int	hammer_volume_count(const struct hammer_mount *);
void	*hammer_private(const struct hammer_mount *);	/* the vnode layer's */
void	hammer_set_private(struct hammer_mount *, void *);

struct hammer_space {
	uint64_t	hs_total;	/* bytes when empty */
	uint64_t	hs_free;	/* free big-blocks */
	uint64_t	hs_avail;	/* what writers may still use */
	uint64_t	hs_reserved;	/* kept for deletes and flushes */
	uint64_t	hs_holes;	/* freed inside used big-blocks */
	int64_t		hs_inodes;
};
void	hammer_space(struct hammer_mount *, struct hammer_space *);

/* ---- transaction numbers --------------------------------------------- */

enum { HAMMER_TID_STEP = 16 };		/* low 4 bits: the master id */

/*
 * The highest number ever used on the media: at mount the vnode layer starts
 * mnt_number from it.
 */
hammer_tid_t hammer_last_tid(struct hammer_mount *);
/*
 * Draw a number that belongs to no vnode operation (upkeep jobs).  With
 * hammer_set_tid_source() it comes from the mount's own counter, so that the
 * two never cross.  Transaction lock held exclusively.
 */
hammer_tid_t hammer_tid_alloc(struct hammer_mount *);
void	hammer_set_tid_source(struct hammer_mount *,
	    hammer_tid_t (*fn)(void *), void *arg);

/* ---- transactions ---------------------------------------------------- */

/*
 * How much a transaction may do.  One record: an insert with up to 64 KB of
 * data, a delete, or a modify.  SMALL is every name and attribute operation
 * (16 records); DATA is one version point of a piece of a file (64 records,
 * up to 4 MB of data); LARGE is upkeep (512 records; cut long work in such
 * pieces, with one TID if it is one operation).  FREE is added by what gives
 * space back (remove, truncate, prune): it may use the reserve.
 */
enum hammer_credit {
	HAMMER_CREDIT_SMALL	= 0,
	HAMMER_CREDIT_DATA	= 1,
	HAMMER_CREDIT_LARGE	= 2,
	HAMMER_CREDIT_FREE	= 0x10,
};

struct hammer_trans {
	struct hammer_mount *hmp;	/* I */
	hammer_tid_t	tid;		/* the caller's, see H2 */
	uint32_t	time;		/* seconds, for create_ts; from begin */
	/* the core's */
	uint64_t	group;		/* flush group this belongs to */
	uint32_t	credit;
	uint32_t	objids;		/* object ids drawn */
	uint32_t	nlog, maxlog;	/* what abort has to take back */
	struct hammer_translog *log;
	int		error;		/* abort failed half-way */
};

/* Reserve, take the lock exclusively, join the open group.  Blocks (for room
 * in the group, for the lock).  ENOSPC, EROFS, EIO (mount is dead). */
int	hammer_trans_begin(struct hammer_mount *, struct hammer_trans *,
	    int credit);
/* Wait until begin would not wait long; takes nothing.  To be called before
 * vnode locks where that is possible. */
void	hammer_throttle(struct hammer_mount *);
void	hammer_trans_end(struct hammer_trans *);
/* Take back every insert and delete, then end. */
void	hammer_trans_abort(struct hammer_trans *);
/* May other work go first?  Long jobs end their piece when this is true. */
bool	hammer_trans_contended(struct hammer_trans *);

void	hammer_read_begin(struct hammer_mount *);
void	hammer_read_end(struct hammer_mount *);

/* An object id, never used before, for something this transaction creates.
 * The first is the TID itself. */
int64_t	hammer_objid_alloc(struct hammer_trans *);
/* statfs's inode count: +1 or -1. */
void	hammer_inode_count(struct hammer_trans *, int delta);

/* ---- cursors --------------------------------------------------------- */

enum {					/* hc_flags */
	/* Without a flag: what is alive now. */
	HAMMER_CURSOR_ASOF	= 0x1,	/* what was visible at hc_asof */
	HAMMER_CURSOR_ALL	= 0x2,	/* every version, dead ones too, in key
					 * order, oldest version first */
};

/*
 * Keys are (localization, obj_id, rec_type, key), both bounds inclusive;
 * create_tid in them is used with ALL only (0: no bound).
 *
 * The position survives changes of the tree and the release of the lock: when
 * the tree has changed it is found again from the last element returned.  So a
 * loop may delete and insert as it goes, and drop the lock between steps.
 */
struct hammer_cursor {
	struct hammer_mount *hc_hmp;
	struct hammer_base_elm hc_beg, hc_end;	/* lookup: hc_beg */
	hammer_tid_t	hc_asof;
	uint32_t	hc_flags;
	struct hammer_leaf_elm hc_leaf;	/* out: a copy of the element */
	/* the core's */
	hammer_off_t	hc_node;	/* position: leaf and index */
	int		hc_index;
	int		hc_state;
	uint64_t	hc_gen;		/* tree generation it is good for */
	struct hammer_buffer *hc_nodebuf; /* referenced, or NULL */
	struct hammer_buffer *hc_databuf;
	void		*hc_bigdata;
	uint32_t	hc_bigsize;
};

void	hammer_cursor_init(struct hammer_cursor *, struct hammer_mount *);
void	hammer_cursor_done(struct hammer_cursor *);	/* drops references */
/* hc_beg := hc_end := this key (hc_end for ranges to be widened after). */
void	hammer_cursor_key(struct hammer_cursor *, uint32_t localization,
	    int64_t obj_id, uint16_t rec_type, int64_t key);

/* Each fills hc_leaf.  ENOENT: nothing (more); EIO.  Block for reads. */
int	hammer_btree_lookup(struct hammer_cursor *);
int	hammer_btree_first(struct hammer_cursor *);	/* ascending */
int	hammer_btree_next(struct hammer_cursor *);
int	hammer_btree_last(struct hammer_cursor *);	/* descending */
int	hammer_btree_prev(struct hammer_cursor *);

/*
 * The data of the current element, its CRC verified (EIO).  Valid until the
 * cursor moves or is done, or the lock is released.  *lenp is data_len.
 */
int	hammer_cursor_data(struct hammer_cursor *, const void **datap,
	    uint32_t *lenp);
/*
 * Data of any leaf element into memory of data_len bytes, CRC verified; large
 * records go straight from the disk.  Lock held, or: copy the element and call
 * hammer_data_pin() under the lock, and the bytes will stay until unpin.
 */
int	hammer_data_read(struct hammer_mount *, const struct hammer_leaf_elm *,
	    void *dst);
void	hammer_data_pin(struct hammer_mount *, uint32_t *token);
void	hammer_data_unpin(struct hammer_mount *, uint32_t token);

/* ---- records (transaction lock held exclusively) ---------------------- */

/*
 * Insert a record.  leaf: base (without btype; create_tid 0 means trans->tid)
 * filled in; data_* are set here and the element as stored is left in *leaf.
 * The data (up to 64 KB; NULL, 0 for none) is copied and checksummed.
 * EEXIST: an element with this key and create_tid is there.
 */
int	hammer_record_insert(struct hammer_trans *, struct hammer_leaf_elm *,
	    const void *data, uint32_t len);

/* The same for data in pieces (pages): one record of the sum of them, written
 * to its place at once, in the background. */
struct hammer_seg {
	const void	*hs_data;
	uint32_t	hs_len;
};
int	hammer_record_insert_bulk(struct hammer_trans *,
	    struct hammer_leaf_elm *, const struct hammer_seg *, int nsegs);

enum {
	HAMMER_DELETE_DESTROY	= 0x1,	/* leave no history */
};
/* The element the cursor is on (hc_leaf) dies at trans->tid: delete_tid is set
 * in place.  What this very transaction created is destroyed instead. */
int	hammer_record_delete(struct hammer_trans *, struct hammer_cursor *,
	    uint32_t flags);
/* Remove an element and free its data, whatever its delete_tid (prune). */
int	hammer_record_destroy(struct hammer_trans *, struct hammer_cursor *);
/* Overwrite bytes of the data in place, without history: mtime and atime of
 * an inode; anything else gets its CRC redone. */
int	hammer_record_modify_data(struct hammer_trans *,
	    struct hammer_cursor *, uint32_t off, const void *, uint32_t len);

/* ---- durability ------------------------------------------------------ */

/* Close the open group.  wait: until all that was done before this call is
 * durable.  *committed (may be NULL) gets the horizon.  EIO.  Blocks. */
int	hammer_sync(struct hammer_mount *, bool wait, hammer_tid_t *committed);
/* Wait until everything up to tid is durable, closing its group if need be.
 * Callers that come while a group is being written share the next one. */
int	hammer_group_wait(struct hammer_mount *, hammer_tid_t tid);
/* The horizon, see H4. */
hammer_tid_t hammer_committed(struct hammer_mount *);

#endif
