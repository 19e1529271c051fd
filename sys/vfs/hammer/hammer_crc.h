/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checksums and name hashes of the media format.  hammer_crc.c; no kernel
 * calls, so that tools and tests link it alone.
 *
 * C1  Version 7 writes CRC-32C (Castagnoli, initial and final complement);
 *     older versions write CRC-32.  A version 7 reader accepts both, because
 *     an upgraded volume keeps its old sums.
 * C2  Volume header and FIFO records: sum of what is before the field xor
 *     sum of what follows it.
 * C3  Inode records: mtime and atime (the last 16 bytes) are not covered.
 * C4  A volume header without a sum (0) was never written but by another
 *     system's newfs, which leaves it so.
 */
#ifndef _VFS_HAMMER_CRC_H_
#define _VFS_HAMMER_CRC_H_

#include <stdbool.h>

#include "hammer_disk.h"

uint32_t hammer_crc32(const void *, size_t);	/* the zlib one */
uint32_t hammer_crc32c(const void *, size_t);

void	hammer_crc_set_blockmap(uint32_t version, struct hammer_blockmap *);
bool	hammer_crc_test_blockmap(uint32_t version,
	    const struct hammer_blockmap *);
void	hammer_crc_set_layer1(uint32_t version, struct hammer_layer1 *);
bool	hammer_crc_test_layer1(uint32_t version, const struct hammer_layer1 *);
void	hammer_crc_set_layer2(uint32_t version, struct hammer_layer2 *);
bool	hammer_crc_test_layer2(uint32_t version, const struct hammer_layer2 *);
void	hammer_crc_set_volume(struct hammer_volume_ondisk *);
bool	hammer_crc_test_volume(const struct hammer_volume_ondisk *);
void	hammer_crc_set_node(uint32_t version, struct hammer_node_ondisk *);
bool	hammer_crc_test_node(uint32_t version, const struct hammer_node_ondisk *);
/* hdr_size bytes from head on. */
void	hammer_crc_set_fifo(uint32_t version, struct hammer_fifo_head *);
bool	hammer_crc_test_fifo(uint32_t version, const struct hammer_fifo_head *);
/* The data of a leaf element: len = leaf->data_len bytes. */
uint32_t hammer_crc_data(uint32_t version, const struct hammer_leaf_elm *,
	    const void *data);
bool	hammer_crc_test_data(uint32_t version, const struct hammer_leaf_elm *,
	    const void *data);

/* Key of a directory entry, iterator bits 0; alg is HAMMER_INODE_CAP_DIRHASH_*.
 * Collisions: key + 1, ... key + *max. */
int64_t	hammer_dirhash(uint8_t cap_flags, const void *name, size_t len,
	    uint32_t *max);

/* uid and gid as stored: zero, with the id in the last four bytes. */
void	hammer_uuid_from_id(struct hammer_uuid *, uint32_t id);
uint32_t hammer_uuid_to_id(const struct hammer_uuid *);

#endif
