/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building and checking journal records and frames in memory.  Pure: the
 * kernel, the tools and the tests link the same object.
 */
#ifndef _VFS_JREC_H_
#define _VFS_JREC_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vfs/journal/journal_disk.h>

/* A record under construction in the caller's memory (8-aligned). */
struct jrec_buf {
	uint8_t		*rb_data;
	size_t		 rb_size;	/* room */
	size_t		 rb_len;	/* used, multiple of 8 */
	uint32_t	 rb_nfacts;
	bool		 rb_full;	/* something did not fit: unusable */
};

void	jrec_buf_init(struct jrec_buf *, void *data, size_t size);
/* Begin a record whose fixed part has the given size (zeroed, header filled).
 * Returns it, or NULL if it does not fit. */
void	*jrec_begin(struct jrec_buf *, enum jrec_type, size_t fixed);
/* Bytes after the fixed part, zero padded to 8; for records that have one. */
void	jrec_bytes(struct jrec_buf *, const void *, size_t);
/* Close it: sizes are filled in.  Returns its whole size, 0 if rb_full. */
size_t	jrec_end(struct jrec_buf *);

/* Facts of a commit. */
void	jfact_add_name(struct jrec_buf *, uint64_t dir, const char *name,
	    size_t namelen, uint64_t old, uint64_t new);
void	jfact_add_obj(struct jrec_buf *, uint64_t ino, bool after,
	    const struct jattr *, const char *text, size_t textlen);
void	jfact_add_attr(struct jrec_buf *, uint64_t ino, uint32_t mask,
	    const struct jattr *old, const struct jattr *new);
void	jfact_add_size(struct jrec_buf *, uint64_t ino, uint64_t old,
	    uint64_t new);
/* type DATA or OLDDATA; bytes for JSRC_INLINE only (NULL: the caller writes
 * them to the place returned). */
void	*jfact_add_data(struct jrec_buf *, enum jfact_type, uint64_t ino,
	    uint64_t off, uint64_t len, enum jdata_src, uint32_t payload,
	    uint64_t ref, const void *bytes);
void	jfact_add_path(struct jrec_buf *, const char *, size_t len);

/* Walk the facts of a checked commit: NULL first, NULL at the end. */
const struct jfact *jfact_next(const struct jrec_commit *,
	    const struct jfact *);

/*
 * Is the record at p, with room bytes in its frame, well formed?  NULL if it
 * is, else what is wrong with it, for people.  Reads nothing beyond room.
 */
const char *jrec_check(const void *p, size_t room);

/* Frames.  seal fills the head (the records are in place behind it) and
 * returns the hash. */
uint64_t jframe_seal(void *frame, size_t size, uint32_t nrecs, uint64_t stream,
	    uint64_t index, uint64_t prev);
/* The head alone: magic, version, size. */
const char *jframe_check_head(const struct jfr_head *);
/* The whole frame (jf_size bytes at p): hash and records. */
const char *jframe_check(const void *p);

#endif
