/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract (share/doc/contract) as a program: a filesystem in memory that
 * keeps every state by number.  Every oracle and crash test links it.
 *
 * It knows nothing of the kernel: plain C and malloc.  Operations are given
 * their number by the caller (the TID that the real filesystem drew) and must
 * come in order of number.  Each returns 0 or the errno (Linux value) that the
 * real one must return, as root; on an error nothing has changed.
 *
 * M1  State at T = operations with number <= T; file data as of the newest
 *     version point <= T.  MODEL_LIVE also shows writes not yet versioned.
 * M2  After a crash the tree equals the state at one T >= horizon, apart from
 *     the data of files with an fsync promise newer than T.
 * M3  Object ids are the model's own and never used again; 1 is the root.
 */
#ifndef _REGRESS_MODEL_H_
#define _REGRESS_MODEL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct model;

#define MODEL_ROOT	1u
#define MODEL_LIVE	UINT64_MAX

enum {					/* model_setattr: which fields */
	MODEL_MODE = 1, MODEL_UID = 2, MODEL_GID = 4, MODEL_MTIME = 8,
};

struct model_attr {
	uint32_t mode;			/* type and permissions */
	uint32_t uid, gid;
	uint64_t rdev;
	uint64_t nlink;			/* 0: unlinked, not compared for dirs */
	uint64_t size;			/* files and symlinks */
	int64_t	 mtime_ns;		/* compared only where known (set by the
					 * caller); MODEL_NOTIME otherwise */
};
#define MODEL_NOTIME	INT64_MIN

struct model *model_new(uint32_t rootmode);
void	model_free(struct model *);
uint64_t model_last(const struct model *);	/* number of the last op */

/* Names.  id: out, the new object.  target: of a symlink. */
int	model_create(struct model *, uint64_t num, uint64_t dir,
	    const char *name, uint32_t mode, uint32_t uid, uint32_t gid,
	    uint64_t rdev, const char *target, uint64_t *id);
int	model_link(struct model *, uint64_t num, uint64_t dir, const char *name,
	    uint64_t id);
int	model_unlink(struct model *, uint64_t num, uint64_t dir,
	    const char *name);
int	model_rmdir(struct model *, uint64_t num, uint64_t dir,
	    const char *name);
enum { MODEL_NOREPLACE = 1, MODEL_EXCHANGE = 2 };
int	model_rename(struct model *, uint64_t num, uint64_t fdir,
	    const char *fname, uint64_t tdir, const char *tname, int flags);

/* Objects. */
int	model_setattr(struct model *, uint64_t num, uint64_t id, uint32_t mask,
	    const struct model_attr *);
int	model_write(struct model *, uint64_t num, uint64_t id, uint64_t off,
	    const void *, size_t len);
/* A truncation is a version point before and after itself. */
int	model_truncate(struct model *, uint64_t num, uint64_t id, uint64_t size);
void	model_version(struct model *, uint64_t num, uint64_t id);
void	model_version_all(struct model *, uint64_t num);

/* Promises.  synced: every operation <= num is durable (the horizon).
 * fsynced: what the file holds now, versioned at num, is durable. */
void	model_synced(struct model *, uint64_t num);
void	model_fsynced(struct model *, uint64_t num, uint64_t id);
uint64_t model_horizon(const struct model *);

/* Looking at the state at T (or MODEL_LIVE). ENOENT when absent at T. */
int	model_lookup(const struct model *, uint64_t t, uint64_t dir,
	    const char *name, uint64_t *id);
int	model_getattr(const struct model *, uint64_t t, uint64_t id,
	    struct model_attr *);
/* Bytes at off into buf; returns how many (short at the end of the file). */
size_t	model_read(const struct model *, uint64_t t, uint64_t id, uint64_t off,
	    void *buf, size_t len);
const char *model_target(const struct model *, uint64_t id);
/* Each name of a directory at T, in no order. */
void	model_readdir(const struct model *, uint64_t t, uint64_t dir,
	    void (*fn)(void *arg, const char *name, uint64_t id), void *arg);
/* The path of some name that id has at T, for messages; false if none. */
bool	model_path(const struct model *, uint64_t t, uint64_t id, char *buf,
	    size_t size);

/*
 * A real tree, by path from its root ("" is the root, "a/b").  Each returns 0
 * or an errno.  readdir gives every name but "." and "..".
 */
struct model_view {
	int	(*getattr)(void *arg, const char *path, struct model_attr *);
	int	(*read)(void *arg, const char *path, uint64_t off, void *buf,
		    size_t len, size_t *done);
	int	(*readlink)(void *arg, const char *path, char *buf, size_t size);
	int	(*readdir)(void *arg, const char *path,
		    void (*fn)(void *, const char *name), void *fnarg);
	void	*arg;
};

/* Compare a real tree with the state at T: 0, or 1 with the first difference
 * in why. */
int	model_compare(const struct model *, uint64_t t,
	    const struct model_view *, char *why, size_t whysize);
/* M2 after a crash: the T that fits (in *t), or 1 with the difference to the
 * best candidate in why.  Candidates are the horizon and every operation
 * number above it. */
int	model_crash_check(const struct model *, const struct model_view *,
	    uint64_t *t, char *why, size_t whysize);
/* The number of every operation, in order; of an object's newest promise. */
const uint64_t *model_numbers(const struct model *, size_t *n);
uint64_t model_fsync_num(const struct model *, uint64_t id);
/* Forget what came after T: the model goes on where the survivor is. */
void	model_rewind(struct model *, uint64_t t);

#endif
