/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small filesystem in memory and a journal of it: random operations are
 * applied to plain arrays, and encoded as a stream at the same time.
 */
#ifndef _REGRESS_JOURNAL_ORACLE_H_
#define _REGRESS_JOURNAL_ORACLE_H_

#include <libjournal/libjournal.h>

enum { OR_MAXOBJ = 600, OR_MAXNAME = 600 };

struct or_obj {
	bool	 used;
	uint32_t mode, uid;
	int64_t	 mtime;
	uint64_t size, nlink;
	uint8_t	*data;
	char	 text[40];
};

struct or_name {
	uint64_t dir, ino;
	char	 name[16];
};

struct oracle {
	struct or_obj o[OR_MAXOBJ];
	struct or_name n[OR_MAXNAME];
	int	 nnames;
};

struct stream {				/* a journal under construction */
	uint8_t	*buf;
	size_t	 len, cap;
	uint8_t	*frame;
	size_t	 framelen;
	uint32_t nrecs;
	uint64_t id, index, prev;
	uint64_t seq, lastseq, opindex, op;
	uint64_t frames[4096];		/* where each begins */
};

void	or_seed(uint64_t);
uint64_t or_rand(void);
uint64_t or_below(uint64_t);

void	stream_init(struct stream *);
void	stream_put(struct stream *, const void *rec, size_t len);
void	stream_flush(struct stream *);
void	stream_attach(struct stream *, uint32_t flags);
struct jsource stream_source(const struct stream *);

void	oracle_init(struct oracle *);
/* One random operation, applied and recorded (s may be NULL). */
void	oracle_step(struct oracle *, struct stream *s);
/* Record the base image, doing random operations meanwhile. */
void	oracle_base(struct oracle *, struct stream *, int between);
/* Canonical text of what a user sees; free it. */
char	*oracle_dump(const struct oracle *);
char	*model_dump(const struct jmodel *, const struct jsource *);

#endif
