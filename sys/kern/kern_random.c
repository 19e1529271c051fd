/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random bytes: ChaCha20 keyed from the machine's entropy.
 *
 * R1  After every request the key is replaced by output that nobody has seen:
 *     a key found in memory tells nothing about earlier output.
 * R2  Fresh entropy is mixed into the key at every RESEED_BYTES of output,
 *     and whenever random_mix() is given some.
 */
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <platform/machdep.h>
#include "kern_init.h"

enum { RESEED_BYTES = 1 << 20, BLOCK = 64 };

static struct spinlock random_spin = SPINLOCK_INITIALIZER("random");
static uint32_t key[8];			/* [random_spin] */
static uint64_t counter;
static uint64_t left;			/* bytes until the next reseed */

static inline uint32_t
rotl(uint32_t v, int n)
{
	return v << n | v >> (-n & 31);
}

static inline void
quarter(uint32_t *s, int a, int b, int c, int d)
{
	s[a] += s[b]; s[d] = rotl(s[d] ^ s[a], 16);
	s[c] += s[d]; s[b] = rotl(s[b] ^ s[c], 12);
	s[a] += s[b]; s[d] = rotl(s[d] ^ s[a], 8);
	s[c] += s[d]; s[b] = rotl(s[b] ^ s[c], 7);
}

static void
chacha_block(uint32_t out[16])
{
	uint32_t in[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
	int i;

	memcpy(in + 4, key, sizeof(key));
	in[12] = (uint32_t)counter;
	in[13] = (uint32_t)(counter >> 32);
	counter++;
	memcpy(out, in, sizeof(in));
	for (i = 0; i < 10; i++) {
		quarter(out, 0, 4, 8, 12);
		quarter(out, 1, 5, 9, 13);
		quarter(out, 2, 6, 10, 14);
		quarter(out, 3, 7, 11, 15);
		quarter(out, 0, 5, 10, 15);
		quarter(out, 1, 6, 11, 12);
		quarter(out, 2, 7, 8, 13);
		quarter(out, 3, 4, 9, 14);
	}
	for (i = 0; i < 16; i++)
		out[i] += in[i];
}

static void
rekey(void)
{
	uint32_t block[16];

	chacha_block(block);
	memcpy(key, block, sizeof(key));
	memset(block, 0, sizeof(block));
}

static void
reseed(void)
{
	uint64_t e;
	int i;

	for (i = 0; i < 4; i++) {
		e = md_entropy();
		key[i * 2] ^= (uint32_t)e;
		key[i * 2 + 1] ^= (uint32_t)(e >> 32);
		e = md_mono_ns();
		key[i * 2] ^= rotl((uint32_t)e, i * 7);
	}
	rekey();
	left = RESEED_BYTES;
}

void
random_init(void)
{
	spin_lock(&random_spin);
	reseed();
	spin_unlock(&random_spin);
}

void
random_mix(uint64_t entropy)
{
	spin_lock(&random_spin);
	key[0] ^= (uint32_t)entropy;
	key[1] ^= (uint32_t)(entropy >> 32);
	rekey();
	spin_unlock(&random_spin);
}

void
random_bytes(void *buf, size_t len)
{
	uint32_t block[16];
	char *p = buf;
	size_t n;

	while (len > 0) {
		spin_lock(&random_spin);
		if (left < BLOCK)
			reseed();
		chacha_block(block);
		left -= BLOCK;
		rekey();
		spin_unlock(&random_spin);
		n = MIN(len, sizeof(block));
		memcpy(p, block, n);
		p += n;
		len -= n;
	}
	memset(block, 0, sizeof(block));
}
