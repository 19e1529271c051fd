/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading journals: the stream, the state it describes, and trees on disk.
 *
 *   jfile   bytes -> checked records           (jfile.c)
 *   jmodel  records -> a tree in memory        (jmodel.c, jextent.c)
 *   jstate  which records make the state at T  (jstate.c)
 *   jtree   a tree in memory <-> a directory   (jtree.c; POSIX calls)
 *   jshow   records as text                    (jshow.c)
 *
 * All but jtree.c and jshow.c are pure: bytes come through a callback, so a
 * test can link them with the hosted kernel.  Running out of memory ends the
 * program with a message.
 */
#ifndef _LIBJOURNAL_H_
#define _LIBJOURNAL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vfs/journal/journal_disk.h>

/* ---- jfile: where the bytes are ---- */

struct jsource {
	/* Read exactly len bytes at off: 0, or -1. */
	int	(*js_read)(void *arg, void *buf, size_t len, uint64_t off);
	void	*js_arg;
	uint64_t js_size;
};

/* One piece of a payload, in the stream. */
struct jref {
	uint64_t op;
	uint32_t payload;
	uint32_t len;
	uint64_t off;			/* in the payload */
	uint64_t pos;			/* in the stream */
};

struct jitem {
	const struct jrec_head *rec;	/* valid until the next call */
	uint64_t pos;			/* of the record in the stream */
	uint64_t frame;			/* index of its frame */
	const struct jref *refs;	/* COMMIT: its chunks, in order */
	size_t	 nrefs;
};

struct jfile {
	struct jsource src;
	uint8_t	*buf;			/* one frame */
	uint64_t pos;			/* of the frame in buf */
	uint64_t next;			/* of the frame after it */
	uint32_t recoff;		/* next record in buf; 0: no frame */
	uint64_t stream, hash, index;	/* expected of the next frame */
	uint64_t lastseq, lastindex;	/* commits */
	bool	 insession;
	struct jref *pend, *cur;	/* chunks that wait; of this commit */
	size_t	 npend, pendcap, ncur, curcap;
	uint64_t torn;			/* bytes at the end that are no frame */
	char	 why[160];		/* after JFILE_BAD */
};

enum jfile_result { JFILE_ITEM, JFILE_END, JFILE_BAD };

void	jfile_init(struct jfile *, const struct jsource *);
void	jfile_rewind(struct jfile *);
void	jfile_done(struct jfile *);
/* The next record.  END: jf->torn bytes after jf->next were ignored.  BAD:
 * why says what is wrong and where. */
enum jfile_result jfile_next(struct jfile *, struct jitem *);

/* ---- jmodel: a tree in memory ---- */

enum jm_src {
	JM_STREAM,			/* bytes at a position of the stream */
	JM_LIVE,			/* bytes of the same file, as it is */
	JM_REF,				/* bytes of the file as of a TID */
	JM_LOST,			/* nobody knows */
};

struct jm_extent {
	uint64_t off, len;		/* in the file */
	uint64_t src;			/* position of its first byte */
	enum jm_src kind;
};

struct jm_extents {			/* sorted, disjoint; holes are zero */
	struct jm_extent *e;
	size_t	 n, cap;
};

struct jm_name {
	struct jm_name *hnext;
	struct jm_name *snext, **sprev;	/* names in dir */
	struct jm_name *lnext, **lprev;	/* names of obj */
	struct jm_obj *dir, *obj;
	uint32_t len;
	char	 name[];		/* terminated */
};

struct jm_obj {
	struct jm_obj *hnext;
	uint64_t ino;
	bool	 known;			/* attr and contents are right */
	struct jattr attr;		/* ja_size is the size */
	char	*text;			/* symlink */
	char	*refpath;		/* JM_REF: where it was then, or NULL */
	struct jm_extents ex;
	struct jm_name *children;	/* directory */
	struct jm_name *links;		/* names it has */
	uint32_t mark;			/* jtree's */
	bool	 dirty;			/* attributes or data were changed */
};

struct jmodel {
	struct jm_obj **objs;
	struct jm_name **names;
	size_t	 nobjs, objcap, nnames, namecap;
	uint64_t root;
	uint64_t alarms;		/* facts that did not fit */
	void	(*alarm)(void *arg, uint64_t seq, const char *text);
	void	*alarm_arg;
	bool	 strict;		/* count and report alarms */
	uint64_t lost;			/* undo: before-images not kept */
};

void	jm_init(struct jmodel *, uint64_t root);
void	jm_done(struct jmodel *);
struct jm_obj *jm_find(const struct jmodel *, uint64_t ino);
struct jm_obj *jm_get(struct jmodel *, uint64_t ino);	/* makes it */
struct jm_name *jm_lookup(const struct jmodel *, const struct jm_obj *dir,
	    const char *, size_t);
void	jm_set_name(struct jmodel *, struct jm_obj *dir, const char *, size_t,
	    struct jm_obj *);			/* NULL: take it away */
void	jm_set_size(struct jm_obj *, uint64_t);
void	jm_set_text(struct jm_obj *, const char *, size_t);
/* Some path of the object, "?" before a part that is not known. */
size_t	jm_path(const struct jmodel *, const struct jm_obj *, char *, size_t);

/* Records.  Data stays in the stream: extents point there. */
void	jm_base(struct jmodel *, const struct jitem *);
void	jm_redo(struct jmodel *, const struct jitem *);
void	jm_undo(struct jmodel *, const struct jitem *);

void	jm_ex_set(struct jm_extents *, uint64_t off, uint64_t len, enum jm_src,
	    uint64_t src);
void	jm_ex_clear(struct jm_extents *, uint64_t off, uint64_t len);
void	jm_ex_free(struct jm_extents *);
/* Bytes [off, off+len) of an object whose extents are all JM_STREAM (holes
 * zero).  0, or -1. */
int	jm_read(const struct jm_obj *, const struct jsource *, void *buf,
	    size_t len, uint64_t off);

/* ---- jstate: the state at a moment ---- */

struct jtarget {			/* all zero: the end */
	bool	 has_seq, has_time, has_index;
	uint64_t seq;			/* commits with a number <= seq */
	uint64_t time;			/* ns: up to the last one by then */
	uint64_t index;			/* the first n commits */
	bool	 before;		/* just before that one */
	bool	 past_gap;		/* go on over recorded gaps */
};

struct jstate_info {
	uint64_t first, last;		/* restorable numbers of the session */
	uint64_t applied;		/* commits used */
	uint64_t lastapplied;		/* number of the last one */
	uint64_t torn;			/* ignored bytes at the end */
	bool	 detached;		/* the stream ends with a clean mark */
	char	 why[200];		/* on error */
};

/* Build the state.  0, or -1 and info->why; m is initialised in any case. */
int	jstate_build(struct jfile *, const struct jtarget *, struct jmodel *,
	    struct jstate_info *, void (*alarm)(void *, uint64_t, const char *),
	    void *arg);
/* Undo: take from m (the state at the end) every commit after the target,
 * last first. */
int	jstate_undo(struct jfile *, const struct jtarget *, struct jmodel *,
	    struct jstate_info *);

/* ---- jtree: directories ---- */

struct jtree_opts {
	bool	 verbose;
	bool	 dryrun;
	bool	 nodev;			/* leave out device nodes */
	uint64_t changes;		/* out */
	uint64_t skipped;		/* out: could not be made, reported */
};

/* Read the tree below dirfd into m: objects by st_ino, data JM_LIVE. */
int	jtree_scan(int dirfd, struct jmodel *m);
/* Change the tree below dirfd, which is as `live' says, into `want'.  Data
 * comes from the stream.  0, or -1 after a message. */
int	jtree_apply(int dirfd, struct jmodel *live, struct jmodel *want,
	    const struct jsource *, struct jtree_opts *);

/* ---- jshow ---- */

struct jshow {

	bool	 facts;			/* a line for every fact */
	const struct jmodel *paths;	/* names for what has no hint, or NULL */
};
/* stdout */
void	jshow_item(const struct jshow *, const struct jitem *);
/* Times as "2026-11-22T19:00:00.123456789Z". */
size_t	jshow_time(char *, size_t, uint64_t wall_ns);

void	*jl_alloc(size_t);		/* zeroed; never NULL */
void	*jl_grow(void *, size_t bytes);

#endif
