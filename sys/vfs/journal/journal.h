/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside vfs/journal.
 *
 *   jmount    a mount with at least one journal: the layer and the log
 *   jstage    one operation: staged beside it, then published in the log
 *   journal   one target of the log, with a thread that writes frames
 *
 * JL1  Nothing in the log is held across an operation: a stage is private
 *      memory until vop_commit publishes it.
 * JL2  A stage is in the log while jr_refs > 0: one for each journal that has
 *      still to write it.
 * JL3  The target thread takes no lock of the journalled mount; what it does
 *      on that mount (MIF_SAMEFS) passes the layer unrecorded.
 * JL4  jm_used counts the bytes of every stage, staged or published.  An
 *      operation waits for its bytes before it allocates, and holds no lock
 *      of ours then; the filesystem's own work and memory reclaim do not wait.
 * JL5  Under jm_spin only pointers move: no copying, no blocking.
 */
#ifndef _VFS_JOURNAL_H_
#define _VFS_JOURNAL_H_

#include <sys/atomic.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/mountctl.h>
#include <sys/param.h>
#include <sys/queue.h>
#include <sys/spinlock.h>
#include <sys/thread.h>
#include <sys/vnode.h>
#include <sys/vop.h>

#include "jrec.h"

struct ucred;
struct vnode;
struct journal;
struct jmount;

enum {
	JPIECE_BYTES	= 32768 - 64,	/* payload bytes of one piece */
	JCOMM_LEN	= 16,
};

/* A payload that does not fit into its record: pieces in order. */
struct jpiece {
	STAILQ_ENTRY(jpiece) jp_link;
	uint32_t jp_payload;
	uint32_t jp_len;
	uint64_t jp_off;
	uint8_t	 jp_bytes[];
};
STAILQ_HEAD(jpiece_list, jpiece);

struct jstage {
	TAILQ_ENTRY(jstage) jr_link;	/* [jm_spin] the log */
	int32_t	 jr_refs;		/* [jm_spin] JL2 */
	bool	 jr_taken;		/* [jm_spin] a target looked at it */
	bool	 jr_isop;
	bool	 jr_last;		/* closes jr_only when published */
	struct journal *jr_only;	/* for one journal, or NULL: all */
	uint64_t jr_seq, jr_wall;
	uint64_t jr_bytes;		/* charged to jm_used */
	uint32_t jr_payloads;		/* payload ids given out */
	struct jpiece_list jr_old;	/* before-image, filled before */
	struct jpiece_list jr_pieces;	/* after-image, room made before */
	struct jrec_buf jr_rec;		/* the record */
	/* What the way down found out for the commit. */
	char	*jr_text;		/* link text of what may go away */
	uint32_t jr_textlen;
	uint8_t	 jr_namelen[2];		/* rename moves the entries first */
	char	 jr_name[2][NAME_MAX];
	struct jfound *jr_found;	/* a crawl is under way: look there */
	char	 jr_comm[JCOMM_LEN];
	uint64_t jr_room[];		/* memory of jr_rec */
};
TAILQ_HEAD(jstage_list, jstage);

/* A name that appeared during a crawl: look there too. */
struct jfound {
	STAILQ_ENTRY(jfound) jf_link;
	struct nchandle	 jf_nch[2];	/* held */
};
STAILQ_HEAD(jfound_list, jfound);

/* A page that a mapped store may have changed since it was recorded. */
struct jmapped {
	LIST_ENTRY(jmapped) jm_hash;
	struct vnode	*jm_vp;		/* held */
	uint64_t	 jm_index;	/* page */
	bool		 jm_haveold;
	uint8_t		*jm_old;	/* its bytes before, or NULL */
};
LIST_HEAD(jmapped_list, jmapped);

enum { JMAPPED_HASH = 256 };

struct journal {
	TAILQ_ENTRY(journal) j_link;	/* [jm_lock, jm_spin] */
	struct jmount	*j_mount;	/* I */
	char		 j_tag[MOUNTCTL_TAGLEN];	/* I */
	uint32_t	 j_flags;	/* I MIF_* */
	enum mountctl_state j_state;	/* [jm_spin] */
	struct vnode	*j_vp;		/* I the target, referenced */
	struct ucred	*j_cred;	/* I */
	struct jstage	*j_next;	/* [jm_spin] to write; NULL: none */
	bool		 j_busy;	/* [jmounts_lock] attach is under way */
	bool		 j_closed;	/* [jm_spin] takes nothing new */
	bool		 j_stop;	/* [jm_spin] thread: end when drained */
	bool		 j_abort;	/* [jm_spin] thread: end now */
	bool		 j_idle;	/* [jm_spin] thread sleeps */
	bool		 j_gone;	/* [jm_spin] thread has ended */
	int		 j_held;	/* [jm_spin] taken and not done */
	int		 j_drainers;	/* [jm_spin] sleep for lag 0 */
	int		 j_error;	/* [jm_spin] */
	uint64_t	 j_waitns;	/* I policy */
	/* The stream; the thread's own. */
	uint8_t		*j_frame;
	uint64_t	 j_offset, j_stream, j_index, j_hash;
	uint64_t	 j_opindex, j_lastseq;
	/* Statistics, [jm_spin] */
	uint64_t	 j_lagbytes, j_bytes, j_ops, j_acked, j_lost;
	uint64_t	 j_lostfirst, j_baseseq;
};
TAILQ_HEAD(journal_list, journal);

struct jmount {
	LIST_ENTRY(jmount) jm_link;	/* [jmounts_lock] */
	struct mount	*jm_mp;		/* I; an unmount detaches first */
	struct vop_layer jm_layer;
	struct lock	 jm_lock;	/* attach, detach, restart */
	struct spinlock	 jm_spin;
	struct journal_list jm_journals;
	struct jstage_list jm_log;	/* [jm_spin] published */
	bool		 jm_recording;	/* [jm_spin] */
	bool		 jm_undo;	/* [a] some journal wants it */
	bool		 jm_samefs;	/* [a] some target is on this mount */
	bool		 jm_asof;	/* I the filesystem keeps its past */
	int32_t		 jm_crawling;	/* [a] crawls under way */
	uint64_t	 jm_used;	/* [jm_spin] JL4 */
	uint64_t	 jm_limit;	/* [jm_spin] */
	uint64_t	 jm_waitns;	/* [jm_spin] longest policy */
	int32_t		 jm_waiters;	/* [jm_spin] */
	uint64_t	 jm_stalls;	/* [jm_spin] */
	uint64_t	 jm_ops;	/* [jm_spin] published */
	uint64_t	 jm_headseq;	/* [jm_spin] */
	struct jfound_list jm_found;	/* [jm_spin] */
	struct spinlock	 jm_mapspin;
	struct jmapped_list jm_mapped[JMAPPED_HASH];	/* [jm_mapspin] */
	int32_t		 jm_nmapped;	/* [a] */
	uint64_t	 jm_mapwrites;	/* [a] */
	struct thread	*jm_epoch;	/* flushes mapped stores */
	bool		 jm_epochstop, jm_epochgone;	/* [jm_spin] */
};

MALLOC_DECLARE(M_JOURNAL);

/* The id of an object: it is cached with the attributes and never changes,
 * though it may be written again; 0: not known yet. */
static inline uint64_t
vn_ino(const struct vnode *vp)
{
	return atomic_load_relaxed(&vp->v_attr.va_ino);
}

/* The last number that the mount drew. */
static inline uint64_t
journal_number(struct mount *mp)
{
	uint64_t n;

	spin_lock(&mp->mnt_numspin);
	n = mp->mnt_number;
	spin_unlock(&mp->mnt_numspin);
	return n;
}

/* jlog.c */
/* Wait for room for bytes, bounded by policy; then count them.  nowait:
 * count them anyway.  Blocks. */
void	jlog_credit(struct jmount *, uint64_t bytes, bool nowait);
void	jlog_uncredit(struct jmount *, uint64_t bytes);
/* A stage whose record holds up to room bytes, charged with extra too. */
struct jstage *jlog_stage(struct jmount *, size_t room, uint64_t extra,
	    bool nowait);
struct jpiece *jlog_piece(struct jstage *, struct jpiece_list *, uint32_t id,
	    uint64_t off, uint32_t len, bool nowait);
void	jlog_free(struct jmount *, struct jstage *);
/* Hand a finished stage to the log.  False: nobody records; still the
 * caller's. */
bool	jlog_publish(struct jmount *, struct jstage *);
/* The next stage for a journal, or NULL. */
struct jstage *jlog_take(struct journal *);
/* They are written (ok), or lost. */
void	jlog_done(struct journal *, struct jstage **, int n, bool ok);
/* Begin to record: the attach record goes first, as of this moment.  True:
 * no operation came since the number mntseq. */
bool	jlog_open(struct journal *, struct jstage *attach, uint64_t mntseq);
/* Close a journal and take its claims out of the log. */
void	jlog_forget(struct journal *);
/* The same because its target failed: operations are lost for it from here
 * on, and counted. */
void	jlog_fail(struct journal *, int error);
/* An operation could not be recorded: so for all of them.  Never blocks. */
void	jlog_fail_all(struct jmount *, int error);

/* journal_layer.c */
int	jlayer_down(struct vop_layer *, struct vop_msg *);
void	jlayer_commit(struct vop_layer *, struct vop_msg *,
	    const struct vop_effects *);
void	jattr_from_vattr(struct jattr *, const struct vattr *);

void	jfound_free(struct jfound *);		/* blocks */

/* jmapped.c: stores through shared mappings */
void	jmapped_note(struct jmount *, struct vop_msg *);
/* Record what mapped stores changed in vp (NULL: everywhere).  Blocks; v_lock
 * of vp free or held exclusively by this operation. */
void	jmapped_flush(struct jmount *, struct vnode *);
void	jmapped_attach(struct jmount *);
void	jmapped_drop_all(struct jmount *);
void	jmapped_epoch(void *);

/* jtarget.c */
void	jtarget_main(void *);
/* Wait until everything published before is written; ETIMEDOUT, target's. */
int	jtarget_drain(struct journal *, nsec_t timeout);

/* jbase.c */
/* The base image of a journal that is open.  Blocks.  EINTR, EIO. */
int	jbase_run(struct journal *);

/* journal.c */
void	journal_barrier(struct jmount *);
int	journal_pass(struct vop_layer *, struct vop_msg *);
int	journal_attach(struct mount *, struct vnode *target, struct ucred *,
	    const struct mountctl_install *, const char *on);
/* tag: NULL or empty for all.  ENOENT. */
int	journal_detach(struct mount *, const char *tag, uint32_t flags,
	    enum jdetach_why);
int	journal_flush(struct mount *, const char *tag);
/* Fill at most max entries; *n: how many there are. */
int	journal_status(struct mount *, struct mountctl_status *, size_t max,
	    size_t *n);
int	journal_restart(struct mount *, struct vnode *target, struct ucred *,
	    const struct mountctl_install *, const char *on);
void	journal_init(void);

/* journal_ctl.c */
struct syscall_args;
int	sys_mountctl(struct syscall_args *);


#endif
