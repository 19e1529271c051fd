/* SPDX-License-Identifier: BSD-2-Clause */
/* Address arithmetic of the media format; see D1 in hammer_disk.h. */
#ifndef _VFS_HAMMER_OFF_H_
#define _VFS_HAMMER_OFF_H_

#include "hammer_disk.h"

static inline int
hammer_off_zone(hammer_off_t off)
{
	return (int)(off >> 60);
}

static inline int
hammer_off_vol(hammer_off_t off)
{
	return (int)((off >> 52) & 255);
}

static inline uint64_t
hammer_off_short(hammer_off_t off)
{
	return off & 0x000fffffffffffffULL;
}

static inline uint64_t
hammer_off_long(hammer_off_t off)
{
	return off & 0x0fffffffffffffffULL;
}

static inline hammer_off_t
hammer_off_make(int zone, int vol, uint64_t offset)
{
	return (hammer_off_t)zone << 60 | (hammer_off_t)(vol & 255) << 52 |
	    (offset & 0x000fffffffffffffULL);
}

/* The same place, seen as another zone. */
static inline hammer_off_t
hammer_off_as(int zone, hammer_off_t off)
{
	return (hammer_off_t)zone << 60 | hammer_off_long(off);
}

static inline hammer_off_t
hammer_off_zone2(hammer_off_t off)
{
	return hammer_off_as(HAMMER_ZONE_RAW_BUFFER, off);
}

/* Big-block number over all volumes: the low 60 bits / 8 MB. */
static inline uint64_t
hammer_off_bigblock(hammer_off_t off)
{
	return hammer_off_long(off) / HAMMER_BIGBLOCK_SIZE;
}

static inline uint32_t
hammer_off_in_bigblock(hammer_off_t off)
{
	return (uint32_t)(off & HAMMER_BIGBLOCK_MASK64);
}

static inline uint32_t
hammer_layer1_index(hammer_off_t off)
{
	return (uint32_t)(hammer_off_long(off) / HAMMER_LAYER2_SPAN);
}

static inline uint32_t
hammer_layer2_index(hammer_off_t off)
{
	return (uint32_t)(hammer_off_long(off) % HAMMER_LAYER2_SPAN /
	    HAMMER_BIGBLOCK_SIZE);
}

/* Space that a record of len bytes occupies. */
static inline uint32_t
hammer_data_align(uint32_t len)
{
	return (len + 15) & ~15U;
}

static inline int
hammer_data_zone(uint32_t len)
{
	return len >= HAMMER_BUFSIZE ? HAMMER_ZONE_LARGE_DATA :
	    HAMMER_ZONE_SMALL_DATA;
}

/* Size of the file block at a file offset. */
static inline uint32_t
hammer_file_blocksize(uint64_t file_offset)
{
	return file_offset < HAMMER_XDEMARC ? HAMMER_BUFSIZE : HAMMER_XBUFSIZE;
}

#endif
