/* SPDX-License-Identifier: BSD-2-Clause */
/* A list of versions, the plainest model of what the B-Tree holds. */
#ifndef _REGRESS_HAMMER_ORACLE_H_
#define _REGRESS_HAMMER_ORACLE_H_

#include <vfs/hammer/hammer.h>

struct oracle_rec {
	uint32_t	loc;
	int64_t		obj;
	uint16_t	type;
	int64_t		key;
	hammer_tid_t	create, del;
	uint32_t	len;
	uint32_t	seed;		/* of the data */
};

struct oracle {
	struct oracle_rec *r;
	int		 n, max;
};

void	oracle_free(struct oracle *);
void	oracle_copy(struct oracle *dst, const struct oracle *src);
/* The version visible at t (HAMMER_MAX_TID: now), or NULL. */
struct oracle_rec *oracle_find(struct oracle *, uint32_t loc, int64_t obj,
	    uint16_t type, int64_t key, hammer_tid_t t);
void	oracle_add(struct oracle *, const struct oracle_rec *);
void	oracle_remove(struct oracle *, struct oracle_rec *);
void	oracle_bytes(uint32_t seed, void *buf, uint32_t len);

/* One random transaction of up to `ops' changes; tid as given.  0 or errno of
 * begin. */
int	oracle_trans(struct hammer_mount *, struct oracle *, hammer_tid_t tid,
	    int ops, bool nohistory, uint32_t maxlen);
/* Called inside each transaction when the oracle has its result. */
extern void (*oracle_before_end)(struct oracle *, hammer_tid_t tid);
/* Compare everything: every version with its data, forwards and backwards,
 * and `probes' random as-of lookups and scans. */
bool	oracle_compare(struct hammer_mount *, struct oracle *, int probes);

#endif
