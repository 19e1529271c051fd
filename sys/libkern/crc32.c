/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32 of IEEE 802.3 (reflected polynomial 0xedb88320): directory hashes and
 * GPT headers; short inputs, so one table is enough.
 */
#include "crc.h"

uint32_t
crc32_ieee(uint32_t crc, const void *data, size_t len)
{
	static uint32_t table[256];
	static int ready;
	const uint8_t *p = data;

	if (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t c = i;

			for (int k = 0; k < 8; k++)
				c = c & 1 ? (c >> 1) ^ 0xedb88320u : c >> 1;
			__atomic_store_n(&table[i], c, __ATOMIC_RELAXED);
		}
		__atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
	}
	for (crc = ~crc; len > 0; p++, len--)
		crc = (crc >> 8) ^ table[(crc ^ *p) & 0xff];
	return ~crc;
}
