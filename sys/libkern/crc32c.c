/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32C: by the SSE4.2 instruction where the CPU has it (it works on general
 * registers, so the kernel may use it), else by eight tables, a word at a time.
 * Polynomial 0x1edc6f41, reflected 0x82f63b78 (RFC 3720, appendix B.4).
 */
#include "crc.h"

#include <cpuid.h>

static uint32_t table[8][256];
static int ready;			/* 0 unknown, 1 tables, 2 instruction */

static void
tables_make(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? (c >> 1) ^ 0x82f63b78u : c >> 1;
		table[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int t = 1; t < 8; t++)
			table[t][i] = (table[t - 1][i] >> 8) ^
			    table[0][table[t - 1][i] & 0xff];
}

/* Idempotent: two CPUs doing this at once write the same values. */
static int
prepare(void)
{
	unsigned a, b, c, d;
	int kind = 1;

	if (__get_cpuid(1, &a, &b, &c, &d) && (c & (1u << 20)) != 0)
		kind = 2;
	else
		tables_make();
	__atomic_store_n(&ready, kind, __ATOMIC_RELEASE);
	return kind;
}

static uint32_t
by_instruction(uint32_t crc, const uint8_t *p, size_t len)
{
	uint64_t c = crc;

	for (; len >= 8; p += 8, len -= 8) {
		uint64_t w;

		__builtin_memcpy(&w, p, 8);
		__asm__("crc32q %1, %0" : "+r" (c) : "r" (w));
	}
	crc = (uint32_t)c;
	for (; len > 0; p++, len--)
		__asm__("crc32b %1, %0" : "+r" (crc) : "q" (*p));
	return crc;
}

static uint32_t
by_tables(uint32_t crc, const uint8_t *p, size_t len)
{
	for (; len >= 8; p += 8, len -= 8) {
		uint64_t w;

		__builtin_memcpy(&w, p, 8);
		w ^= crc;
		crc = table[7][w & 0xff] ^ table[6][w >> 8 & 0xff] ^
		    table[5][w >> 16 & 0xff] ^ table[4][w >> 24 & 0xff] ^
		    table[3][w >> 32 & 0xff] ^ table[2][w >> 40 & 0xff] ^
		    table[1][w >> 48 & 0xff] ^ table[0][w >> 56];
	}
	for (; len > 0; p++, len--)
		crc = (crc >> 8) ^ table[0][(crc ^ *p) & 0xff];
	return crc;
}

uint32_t
crc32c(uint32_t crc, const void *p, size_t len)
{
	int kind = __atomic_load_n(&ready, __ATOMIC_ACQUIRE);

	if (kind == 0)
		kind = prepare();
	crc = ~crc;
	crc = kind == 2 ? by_instruction(crc, p, len) : by_tables(crc, p, len);
	return ~crc;
}
