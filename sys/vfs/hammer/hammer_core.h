/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private structures of the HAMMER core (layers 0-5 and 7).
 *
 * Lock order: hm_lock, then hm_bufspin or hm_grpspin (never both, and
 * nothing is taken inside them).  The flusher takes hm_lock only to close a
 * group.
 *
 * Legend:  I immutable   T hm_lock (exclusive to write, either to read)
 *          B hm_bufspin   G hm_grpspin   F the flusher thread only   a atomic
 */
#ifndef _VFS_HAMMER_HAMMER_CORE_H_
#define _VFS_HAMMER_HAMMER_CORE_H_

#include <sys/bio.h>
#include <sys/errno.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/queue.h>
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/types.h>

#include "hammer.h"

MALLOC_DECLARE(M_HAMMER);
MALLOC_DECLARE(M_HAMMERBUF);

enum {
	HAMMER_GRANULE		= 64,	/* unit of logging, see hammer_log.c */
	HAMMER_NODES_PER_BUF	= HAMMER_BUFSIZE / HAMMER_NODE_SIZE,
	HAMMER_BUFHASH		= 4096,
	HAMMER_MAXDEPTH		= 16,	/* levels of the B-Tree */
	HAMMER_MAXDATA		= 65536,
	HAMMER_HDRIMAGE		= 4096,
};

/* ---- volumes ---------------------------------------------------------- */

struct hammer_volume {
	struct disk	*v_disk;	/* I NULL: no such volume */
	uint64_t	 v_buf_beg;	/* I device offset of zone 2 */
	uint64_t	 v_buf_size;	/* I bytes of zone 2 */
	struct hammer_volume_ondisk *v_ondisk; /* [T] 16 KB; the header as it
					 * would be written now */
};

/* ---- buffers ---------------------------------------------------------- */

/* 16 KB of bytes; a writer holds a reference while it needs them unchanged,
 * and the next modification copies (hammer_buffer_modify). */
struct hammer_bytes {
	int32_t		 hb_refs;	/* [a] */
	char		*hb_p;
};

/*
 * A cached 16 KB buffer of zone 2.
 *
 *   clean -> dirty   [hammer_buffer_modify]  joins the open group
 *   dirty -> carried [hammer_group_close]    logged; not yet in place
 *   carried -> dirty [hammer_buffer_modify]  modified again
 *   carried -> clean [flusher]               written in place, before the
 *                                            next header
 * Dirty and carried buffers are never evicted.
 */
struct hammer_buffer {
	LIST_ENTRY(hammer_buffer) b_hash;	/* [B] */
	TAILQ_ENTRY(hammer_buffer) b_all;	/* [B] clock order */
	TAILQ_ENTRY(hammer_buffer) b_group;	/* [T] open or carried list */
	hammer_off_t	 b_off;		/* I zone 2 */
	int32_t		 b_refs;	/* [a] */
	uint16_t	 b_flags;	/* [B] BUF_* */
	uint8_t		 b_zone;	/* [T] zone it was got as, 0 unknown */
	uint8_t		 b_used;	/* [a] clock bit */
	uint8_t		 b_checked;	/* [a] bit per node: CRC verified */
	uint8_t		 b_state;	/* [T] BUFST_* */
	uint8_t		 b_lastins[HAMMER_NODES_PER_BUF]; /* [T] hint: index + 1
					 * of the last insert into the node */
	uint32_t	 b_logest;	/* [T] bound of the log bytes */
	struct hammer_bytes *b_bytes;	/* [T] */
	uint64_t	 b_dirty[HAMMER_NODES_PER_BUF];	/* [T] granules changed
					 * in the open group */
	uint64_t	 b_carry[HAMMER_NODES_PER_BUF];	/* [T] and before, not
					 * durable in place */
};

enum { BUF_VALID = 1, BUF_LOADING = 2, BUF_GONE = 4 };
enum { BUFST_CLEAN, BUFST_DIRTY, BUFST_CARRIED };

TAILQ_HEAD(hammer_buflist, hammer_buffer);
LIST_HEAD(hammer_bufhead, hammer_buffer);

/* ---- background writes -------------------------------------------------- */

/* A write of given memory; counted in its group's or the flusher's waiter. */
struct hammer_waiter {
	int32_t		 w_count;	/* [a] under way */
	int		 w_error;	/* [a] first error */
};

struct hammer_wio {
	struct bio	 wio_bio;
	LIST_ENTRY(hammer_wio) wio_list; /* [G] data writes under way */
	struct hammer_mount *wio_hmp;
	struct hammer_waiter *wio_waiter;
	struct hammer_bytes *wio_bytes;	/* released at the end, or NULL */
	void		*wio_mem;	/* kfree()d at the end, or NULL */
	hammer_off_t	 wio_off;	/* zone 2 of a data record, or 0 */
	uint32_t	 wio_len;
	int32_t		 wio_refs;	/* [a] readers copying from wio_mem, +1 */
};
LIST_HEAD(hammer_wiohead, hammer_wio);

/* ---- groups ------------------------------------------------------------- */

struct hammer_freed {			/* a big-block that became free */
	TAILQ_ENTRY(hammer_freed) fr_list; /* [T] oldest first */
	uint64_t	 fr_bigblock;
	uint64_t	 fr_group;
};
TAILQ_HEAD(hammer_freedlist, hammer_freed);

/* ---- the FIFO ------------------------------------------------------------ */

struct hammer_fifochunk {		/* staged records */
	STAILQ_ENTRY(hammer_fifochunk) fc_list;
	uint64_t	 fc_pos;	/* FIFO position of its first byte */
	uint32_t	 fc_len;	/* filled */
	uint32_t	 fc_size;
	char		*fc_mem;
};
STAILQ_HEAD(hammer_fifochunks, hammer_fifochunk);

struct hammer_fifo {
	uint64_t	 ff_size;	/* I bytes */
	uint64_t	 ff_first;	/* [T] start of the last closed group */
	uint64_t	 ff_next;	/* [T] append position */
	uint32_t	 ff_seq;	/* [T] sequence number of the next record */
	struct hammer_fifochunks ff_chunks; /* [T] of the group being closed */
};

/* ---- transaction log, to take back -------------------------------------- */

enum hammer_logkind { HLOG_INSERT, HLOG_DELETE, HLOG_DESTROY, HLOG_MODIFY };

struct hammer_translog {
	enum hammer_logkind tl_kind;
	uint32_t	 tl_off, tl_len;	/* MODIFY */
	struct hammer_leaf_elm tl_elm;
	char		 tl_old[128];		/* MODIFY */
};

/* ---- the mount ------------------------------------------------------------ */

struct hammer_mount {
	struct lock	 hm_lock;	/* the transaction lock */
	uint32_t	 hm_flags;	/* [T] HAMMER_MOUNT_* */
	uint32_t	 hm_version;	/* I */
	int		 hm_nvols;	/* I */
	int		 hm_error;	/* [a] a flush failed: dead */
	void		*hm_private;	/* the vnode layer's */
	struct hammer_volume *hm_vol;	/* I [256] */
	struct hammer_volume_ondisk *hm_root; /* [T] volume 0's header */

	hammer_tid_t	 hm_tid;	/* [T] last TID seen or drawn */
	hammer_tid_t	(*hm_tidfn)(void *);
	void		*hm_tidarg;

	/* buffers */
	struct spinlock	 hm_bufspin;
	struct hammer_bufhead *hm_hash;	/* [B] */
	struct hammer_buflist hm_bufs;	/* [B] */
	uint32_t	 hm_nbufs;	/* [B] */
	uint32_t	 hm_maxbufs;

	/* tree */
	uint64_t	 hm_gen;	/* [T] structure changes */

	/* space */
	struct hammer_freedlist hm_freed; /* [T] not yet to be used again */
	uint64_t	 hm_nfreed;	/* [T] */
	uint64_t	 hm_pubfree;	/* [a] free big-blocks, and inodes, as of */
	int64_t		 hm_pubinodes;	/* [a] the last transaction's end */
	uint64_t	 hm_reserve;	/* I big-blocks kept for FREE */
	uint32_t	 hm_pins[2];	/* [G] readers of data, by epoch */
	uint32_t	 hm_pinepoch;	/* [G] */

	/* the open group */
	uint64_t	 hm_group;	/* [T] its number */
	struct hammer_buflist hm_dirty;	/* [T] its buffers */
	uint32_t	 hm_ndirty;	/* [T] */
	uint64_t	 hm_logest;	/* [T] bound of its log bytes */
	bool		 hm_hdrdirty;	/* [T] header fields changed */
	struct hammer_waiter *hm_data;	/* [T] its data writes */
	struct hammer_buflist hm_carried; /* [T] logged, not in place */
	uint32_t	 hm_ncarried;	/* [T] */

	uint64_t	 hm_loglimit;	/* I per group */
	uint32_t	 hm_dirtylimit;	/* buffers per group */

	/* flushing */
	struct spinlock	 hm_grpspin;
	struct thread	*hm_flusher;
	uint64_t	 hm_wanted;	/* [G] close groups up to this */
	uint64_t	 hm_done;	/* [G] groups durable */
	hammer_tid_t	 hm_committed;	/* [G] */
	hammer_tid_t	 hm_closedtid;	/* [a] last TID of the closed groups */
	uint32_t	 hm_state;	/* [G] FL_* */
	uint64_t	 hm_inflight;	/* [a] bytes of data writes under way */
	struct hammer_wiohead hm_wios;	/* [G] data writes under way */
	struct hammer_waiter *hm_place;	/* [F] in-place writes under way */
	struct hammer_fifo hm_fifo;
	bool		 hm_clean;	/* [F] on-disk header says clean */
	void		*hm_hdrimage;	/* [F] header being written */
	struct hammer_place *hm_eager;	/* [F] see hammer_flusher.c */
	uint32_t	 hm_neager;

	/* the transaction inside */
	struct hammer_translog *hm_log;	/* [T] */
	uint32_t	 hm_nlog, hm_maxlog;
	/* The buffer of the tree's root, referenced, so that a descent need not
	 * look it up; written by transactions, see hammer_btree_descend(). */
	struct hammer_buffer *hm_rootbuf;	/* [T] or NULL */
	hammer_off_t	 hm_rootoff;	/* [T] the root it holds */
	bool		 hm_inside;	/* [T] one is inside: nobody else looks
					 * at buffers, see hammer_buffer.c */

	/* statistics [a] */
	uint64_t	 hm_st_groups, hm_st_logbytes, hm_st_inplace,
			 hm_st_copies, hm_st_reads, hm_st_descents;
};

static inline void
hammer_stat(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

enum { FL_RUNNING = 1, FL_STOP = 2, FL_STOPPED = 4, FL_CLEAN = 8 };

/* hammer_volume.c: I/O on zone-2 addresses */
int	hammer_volumes_open(struct hammer_mount *, struct disk **, int n);
void	hammer_volumes_close(struct hammer_mount *);
/* Where a zone-2 range lies; EIO if it is on no volume. */
int	hammer_volume_locate(struct hammer_mount *, hammer_off_t off,
	    uint64_t len, struct disk **, off_t *);
int	hammer_volume_rw(struct hammer_mount *, enum bio_cmd, hammer_off_t off,
	    void *data, uint32_t len);
/* image: HAMMER_HDRIMAGE bytes, CRC set. */
int	hammer_volume_write_header(struct hammer_mount *, void *image);
int	hammer_volume_flush_all(struct hammer_mount *);

/* hammer_io.c: background writes */
struct hammer_waiter *hammer_waiter_alloc(void);
/* Wait for all, free, return the first error.  Blocks. */
int	hammer_waiter_finish(struct hammer_waiter *);
int	hammer_write_bytes(struct hammer_mount *, struct hammer_waiter *,
	    hammer_off_t off, struct hammer_bytes *);
/* mem is the core's: freed when written.  off is zone 2, 512-aligned. */
int	hammer_write_mem(struct hammer_mount *, struct hammer_waiter *,
	    hammer_off_t off, void *mem, uint32_t len, bool data);
/* Bytes that are still on their way to the disk; false: read the disk. */
bool	hammer_write_peek(struct hammer_mount *, hammer_off_t off, void *dst,
	    uint32_t len);

/* hammer_buffer.c */
void	hammer_buffers_init(struct hammer_mount *);
void	hammer_buffers_destroy(struct hammer_mount *);
/* A reference on the buffer of a zone address (any zone that maps to zone 2).
 * Blocks for the read.  fresh: its bytes are not wanted, make them zero. */
int	hammer_buffer_get(struct hammer_mount *, hammer_off_t off,
	    struct hammer_buffer **);
int	hammer_buffer_fresh(struct hammer_mount *, hammer_off_t off,
	    struct hammer_buffer **);
void	hammer_buffer_put(struct hammer_mount *, struct hammer_buffer *);
void	hammer_buffer_ref(struct hammer_buffer *);
/* About to change len bytes at off: joins the open group, unshares.  Returns
 * where to write.  hm_lock held exclusively.  Never fails. */
void	*hammer_buffer_modify(struct hammer_mount *, struct hammer_buffer *,
	    hammer_off_t off, uint32_t len);
/* Forget cached buffers of a range that is about to be used anew. */
void	hammer_buffer_forget(struct hammer_mount *, hammer_off_t off,
	    uint64_t len);
struct hammer_bytes *hammer_bytes_alloc(void);
void	hammer_bytes_put(struct hammer_bytes *);

static inline void *
hammer_buffer_ptr(const struct hammer_buffer *b, hammer_off_t off)
{
	return b->b_bytes->hb_p + (off & HAMMER_BUFMASK);
}

/* hammer_fifo.c */
int	hammer_fifo_init(struct hammer_mount *);
/* Start a group's span behind a sequence break; see hammer_fifo.c. */
void	hammer_fifo_begin(struct hammer_mount *);
void	hammer_fifo_append(struct hammer_mount *, hammer_off_t off,
	    const void *bytes, uint32_t len);
void	hammer_fifo_end(struct hammer_mount *);
/* Submit what begin..end staged. */
int	hammer_fifo_write(struct hammer_mount *, struct hammer_waiter *);
int	hammer_fifo_locate(struct hammer_mount *, uint64_t pos, uint32_t len,
	    hammer_off_t *zone2);

/* hammer_recover.c */
int	hammer_recover(struct hammer_mount *);
/* Write what recovery changed in memory, and a clean header. */
int	hammer_recover_finish(struct hammer_mount *);

/* hammer_flusher.c */
int	hammer_flusher_start(struct hammer_mount *);
void	hammer_flusher_stop(struct hammer_mount *);
/* Close the group some time soon; never blocks. */
void	hammer_flusher_kick(struct hammer_mount *, uint64_t group);
/* Write the open group.  By the flusher, or when nothing else runs. */
int	hammer_flush_group(struct hammer_mount *);
/* All carried buffers in place, header clean (recovery, idle, unmount). */
int	hammer_make_clean(struct hammer_mount *);
/* The same thread, for a mount that goes from read-only to read-write. */
void	hammer_flusher_init(struct hammer_mount *);

/* hammer_freemap.c */
int	hammer_freemap_init(struct hammer_mount *);
/* Allocate in a zone; *fresh: the buffer at *offp holds nothing yet. */
int	hammer_alloc(struct hammer_mount *, int zone, uint32_t len,
	    hammer_off_t *offp, bool *fresh);
int	hammer_free(struct hammer_mount *, hammer_off_t off, uint32_t len);
/* Give the big-blocks back whose group is old enough. */
void	hammer_freed_release(struct hammer_mount *, uint64_t done);
uint64_t hammer_free_bigblocks(struct hammer_mount *);
/* Tell hammer_space(), which asks without a lock.  hm_lock held. */
void	hammer_space_publish(struct hammer_mount *);

/* Order of keys, see hammer_key.c. */
static inline int
hammer_key_cmp(const struct hammer_base_elm *a, const struct hammer_base_elm *b)
{
	if (a->localization != b->localization)
		return a->localization < b->localization ? -5 : 5;
	if (a->obj_id != b->obj_id)
		return a->obj_id < b->obj_id ? -4 : 4;
	if (a->rec_type != b->rec_type)
		return a->rec_type < b->rec_type ? -3 : 3;
	if (a->key != b->key)
		return a->key < b->key ? -2 : 2;
	if (a->create_tid != b->create_tid)
		return a->create_tid - 1 < b->create_tid - 1 ? -1 : 1;
	return 0;
}

void	hammer_key_separator(const struct hammer_base_elm *left,
	    const struct hammer_base_elm *right, struct hammer_base_elm *);
extern const struct hammer_base_elm hammer_key_min, hammer_key_max;

/* hammer_node.c, hammer_btree_*.c */
struct hammer_step {
	hammer_off_t	 st_off;	/* zone 8 */
	struct hammer_buffer *st_buf;
	int		 st_idx;
};

struct hammer_path {			/* root is [0], leaf [p_depth - 1] */
	int		 p_depth;
	struct hammer_step p_step[HAMMER_MAXDEPTH];
};

/* Good until the buffer is modified. */
static inline struct hammer_node_ondisk *
hammer_step_node(const struct hammer_step *st)
{
	return hammer_buffer_ptr(st->st_buf, st->st_off);
}

int	hammer_node_get(struct hammer_mount *, hammer_off_t off,
	    struct hammer_step *);
struct hammer_node_ondisk *hammer_node_modify(struct hammer_mount *,
	    struct hammer_step *, uint32_t off, uint32_t len);
int	hammer_node_alloc(struct hammer_mount *, struct hammer_step *);
void	hammer_path_drop(struct hammer_mount *, struct hammer_path *);

/* Leaf and index of the first element >= key.  The index may be the leaf's
 * count, when the next leaf has it. */
int	hammer_btree_descend(struct hammer_mount *,
	    const struct hammer_base_elm *key, struct hammer_path *);
int	hammer_path_next(struct hammer_mount *, struct hammer_path *);
int	hammer_path_prev(struct hammer_mount *, struct hammer_path *);
/* The exact element; ENOENT. */
int	hammer_btree_find(struct hammer_mount *,
	    const struct hammer_base_elm *key, struct hammer_path *);
int	hammer_btree_insert(struct hammer_mount *,
	    const struct hammer_leaf_elm *);
/* Remove the element that the path is on. */
int	hammer_btree_remove(struct hammer_mount *, struct hammer_path *);
void	hammer_btree_mirror(struct hammer_mount *, struct hammer_path *,
	    hammer_tid_t tid);

static inline struct hammer_step *
hammer_path_leaf(struct hammer_path *p)
{
	return &p->p_step[p->p_depth - 1];
}

#endif
