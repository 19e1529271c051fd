/* SPDX-License-Identifier: BSD-2-Clause */
/* undo(1): the past of one file.  See undo.c. */
#ifndef _UNDO_H_
#define _UNDO_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One moment in the life of a name. */
struct moment {
	uint64_t tid;		/* when it began */
	uint64_t end;		/* when it ended, 0: it is the present */
	uint64_t obj_id;	/* 0: the name was removed at tid */
	uint64_t size;
	int64_t	 mtime_ns;
	uint32_t mode, uid, gid;
	bool	 brief;		/* an empty file that was filled at once */
	bool	 meta;		/* same bytes as the moment before it */
};

struct history {
	const char *path;	/* as the user wrote it */
	char	*dir;		/* the directory part, "." if none */
	char	*name;
	int	 dirfd;
	struct moment *m;
	size_t	 n;
};

/* Read the history of path from its directory.  0 or -1 (message printed).
 * No life at all under that name is an error. */
int	history_read(const char *path, struct history *);
void	history_free(struct history *);
/* dir/name@@0x<tid>, malloc'd. */
char	*history_path(const struct history *, uint64_t tid);

/* Parse 0x<tid>, ~N (versions back), an age (2h30m), HH:MM[:SS],
 * [yesterday|YYYY-MM-DD][ T]HH:MM[:SS], now.  0 or -1. */
int	when_parse(const char *, const struct history *, uint64_t *tid);
/* "2026-11-22 14:05:09" and "3m ago" into static storage. */
const char *when_text(uint64_t tid);
const char *when_age(uint64_t tid);

/* Copy the version at tid to the open descriptor. */
int	version_copy(const struct history *, uint64_t tid, int out);
/* Bring the version back as path itself. */
int	version_restore(const struct history *, uint64_t tid, bool dryrun);
/* Run diff(1) -u; tid 0 is the present file (absent: /dev/null). */
int	version_diff(const struct history *, uint64_t from, uint64_t to);

extern bool opt_verbose;

#endif
