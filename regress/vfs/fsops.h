/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations on any mounted filesystem, each done on the model too:
 * the same errno, the same bytes, and in the end the same tree.
 *
 *	struct fsops fo;
 *	fsops_init(&fo, mp, 0755);
 *	fsops_run(&fo, 1000);		stops at the first difference
 *	fsops_compare(&fo, MODEL_LIVE);
 *	fsops_done(&fo);
 *
 * The tests' own kernel thread does the operations; mnt_number tells the
 * number of each, so it must be the only one that changes the mount.
 */
#ifndef _REGRESS_FSOPS_H_
#define _REGRESS_FSOPS_H_

#include <sys/vfs_kern.h>
#include "../model/model.h"

struct fsops {
	struct mount	*fo_mount;
	struct kvfs	 fo_kv;
	struct model	*fo_model;
	bool		 fo_failed;	/* a difference was found and printed */
	bool		 fo_verbose;	/* print every operation */
	uint64_t	 fo_maxsize;	/* of a file; bytes */
	uint64_t	 fo_count;	/* operations done */
	/* Called after each operation; NULL ok.  false: stop. */
	bool		(*fo_after)(struct fsops *, void *arg);
	void		*fo_arg;
	/* Asked before a difference counts; NULL ok.  A crash child whose disk
	 * is dead does not return from it. */
	void		(*fo_differs)(struct fsops *);
};

void	fsops_init(struct fsops *, struct mount *, mode_t rootmode);
void	fsops_done(struct fsops *);	/* frees the model, drops handles */
/* n operations; false: a difference. */
bool	fsops_run(struct fsops *, unsigned n);
/* The whole tree as of t (MODEL_LIVE: now; else below root@@0x<t>). */
bool	fsops_compare(struct fsops *, uint64_t t);
/* A view of the tree under a prefix ("", or "@@0x..."), for model_compare. */
void	fsops_view(struct fsops *, struct model_view *, const char *prefix);

#endif
