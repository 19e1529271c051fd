/* SPDX-License-Identifier: BSD-2-Clause */
/* Check sums over bytes.  No state, no locks, any context. */
#ifndef _LIBKERN_CRC_H_
#define _LIBKERN_CRC_H_

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32 (IEEE 802.3, as in zlib).  Start with crc = 0 and feed pieces in
 * order; the usual inversions before and after are inside.  (CRC-32C is with
 * its only user, vfs/hammer/hammer_crc.c.)
 */
uint32_t crc32_ieee(uint32_t crc, const void *p, size_t len);

#endif
