/* SPDX-License-Identifier: BSD-2-Clause */
/* DATA records, between hammer_data.c and hammer_version.c. */
#ifndef _VFS_HAMMER_DATA_H_
#define _VFS_HAMMER_DATA_H_

#include <sys/atomic.h>

#include "hammer_vfs.h"

void	hammer_data_cursor(struct hammer_cursor *, const struct hammer_inode *,
	    uint64_t from, uint64_t to);
/* The bytes that a record covers; false: nonsense. */
bool	hammer_data_range(const struct hammer_leaf_elm *, uint64_t *start,
	    uint64_t *end);
void	hammer_data_leaf(struct hammer_leaf_elm *, const struct hammer_inode *,
	    uint64_t key);
int	hammer_data_insert(struct hammer_trans *, const struct hammer_inode *,
	    uint64_t off, const void *, uint32_t len);
int	hammer_data_clear(struct hammer_trans *, struct hammer_inode *,
	    uint64_t from, uint64_t to, char *keep, uint64_t *lo,
	    uint64_t *hi);

#endif
