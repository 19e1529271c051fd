/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checksums and name hashes of the media format, C1-C3 in hammer_crc.h.
 *
 * Both CRCs are table driven, eight bytes a step, the tables being computed
 * at first use: two threads that race for it write the same values.
 */
#include "hammer_crc.h"

struct crc_table {
	uint32_t	t[8][256];
	volatile uint32_t ready;
};

static struct crc_table tab_crc32;	/* polynomial 0xedb88320 */
static struct crc_table tab_crc32c;	/* polynomial 0x82f63b78 */

static void
crc_build(struct crc_table *tab, uint32_t poly)
{
	uint32_t c;
	int i, k;

	for (i = 0; i < 256; i++) {
		c = (uint32_t)i;
		for (k = 0; k < 8; k++)
			c = (c & 1) ? poly ^ (c >> 1) : c >> 1;
		tab->t[0][i] = c;
	}
	for (i = 0; i < 256; i++) {
		for (k = 1; k < 8; k++) {
			c = tab->t[k - 1][i];
			tab->t[k][i] = tab->t[0][c & 255] ^ (c >> 8);
		}
	}
	__atomic_store_n(&tab->ready, 1, __ATOMIC_RELEASE);
}

static uint32_t
crc_run(struct crc_table *tab, uint32_t poly, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	uint32_t c = ~0U, lo, hi;

	if (!__atomic_load_n(&tab->ready, __ATOMIC_ACQUIRE))
		crc_build(tab, poly);
	while (len >= 8) {
		__builtin_memcpy(&lo, p, 4);
		__builtin_memcpy(&hi, p + 4, 4);
		lo ^= c;
		c = tab->t[7][lo & 255] ^ tab->t[6][lo >> 8 & 255] ^
		    tab->t[5][lo >> 16 & 255] ^ tab->t[4][lo >> 24] ^
		    tab->t[3][hi & 255] ^ tab->t[2][hi >> 8 & 255] ^
		    tab->t[1][hi >> 16 & 255] ^ tab->t[0][hi >> 24];
		p += 8;
		len -= 8;
	}
	while (len-- > 0)
		c = tab->t[0][(c ^ *p++) & 255] ^ (c >> 8);
	return ~c;
}

uint32_t
hammer_crc32(const void *buf, size_t len)
{
	return crc_run(&tab_crc32, 0xedb88320U, buf, len);
}

#if defined(__x86_64__)
/* The SSE4.2 instruction works on general registers: usable in the kernel. */
__attribute__((__target__("crc32")))
static uint32_t
crc32c_hw(const void *buf, size_t len)
{
	const uint8_t *p = buf;
	uint64_t c = ~0U, v;

	for (; len >= 8; len -= 8, p += 8) {
		__builtin_memcpy(&v, p, 8);
		c = __builtin_ia32_crc32di(c, v);
	}
	for (; len > 0; len--)
		c = __builtin_ia32_crc32qi((uint32_t)c, *p++);
	return ~(uint32_t)c;
}

static bool
crc32c_have_hw(void)
{
	static volatile int have = -1;
	uint32_t a = 1, b, c = 0, d;

	if (have < 0) {
		__asm__ volatile("cpuid" : "+a" (a), "=b" (b), "+c" (c),
		    "=d" (d));
		have = (int)(c >> 20 & 1);
	}
	return have == 1;
}
#else
static bool crc32c_have_hw(void) { return false; }
static uint32_t crc32c_hw(const void *b, size_t n) { (void)b; return n; }
#endif

uint32_t
hammer_crc32c(const void *buf, size_t len)
{
	if (crc32c_have_hw())
		return crc32c_hw(buf, len);
	return crc_run(&tab_crc32c, 0x82f63b78U, buf, len);
}

static uint32_t
crc_of(uint32_t version, const void *buf, size_t len)
{
	return version >= HAMMER_VERSION_CRC32C ? hammer_crc32c(buf, len) :
	    hammer_crc32(buf, len);
}

/* C1: does sum fit buf, in the new or in the old way? */
static bool
crc_fits(uint32_t version, uint32_t sum, const void *buf, size_t len)
{
	if (sum == crc_of(version, buf, len))
		return true;
	return version >= HAMMER_VERSION_CRC32C && sum == hammer_crc32(buf, len);
}

void
hammer_crc_set_blockmap(uint32_t version, struct hammer_blockmap *bm)
{
	bm->entry_crc = crc_of(version, bm,
	    offsetof(struct hammer_blockmap, entry_crc));
}

bool
hammer_crc_test_blockmap(uint32_t version, const struct hammer_blockmap *bm)
{
	return crc_fits(version, bm->entry_crc, bm,
	    offsetof(struct hammer_blockmap, entry_crc));
}

void
hammer_crc_set_layer1(uint32_t version, struct hammer_layer1 *l1)
{
	l1->layer1_crc = crc_of(version, l1,
	    offsetof(struct hammer_layer1, layer1_crc));
}

bool
hammer_crc_test_layer1(uint32_t version, const struct hammer_layer1 *l1)
{
	return crc_fits(version, l1->layer1_crc, l1,
	    offsetof(struct hammer_layer1, layer1_crc));
}

void
hammer_crc_set_layer2(uint32_t version, struct hammer_layer2 *l2)
{
	l2->entry_crc = crc_of(version, l2,
	    offsetof(struct hammer_layer2, entry_crc));
}

bool
hammer_crc_test_layer2(uint32_t version, const struct hammer_layer2 *l2)
{
	return crc_fits(version, l2->entry_crc, l2,
	    offsetof(struct hammer_layer2, entry_crc));
}

/* C2 over len bytes with the 4-byte sum at off. */
static uint32_t
crc_around(uint32_t version, const void *p, size_t off, size_t len)
{
	const char *c = p;

	return crc_of(version, c, off) ^
	    crc_of(version, c + off + 4, len - off - 4);
}

void
hammer_crc_set_volume(struct hammer_volume_ondisk *vol)
{
	vol->vol_crc = crc_around(vol->vol_version, vol,
	    offsetof(struct hammer_volume_ondisk, vol_crc), sizeof(*vol));
}

bool
hammer_crc_test_volume(const struct hammer_volume_ondisk *vol)
{
	const size_t off = offsetof(struct hammer_volume_ondisk, vol_crc);

	if (vol->vol_crc == 0)
		return true;		/* C4 */
	return vol->vol_crc == crc_around(vol->vol_version, vol, off,
	    sizeof(*vol)) ||
	    vol->vol_crc == crc_around(1, vol, off, sizeof(*vol));
}

void
hammer_crc_set_node(uint32_t version, struct hammer_node_ondisk *node)
{
	node->crc = crc_of(version, (char *)node + 4, sizeof(*node) - 4);
}

bool
hammer_crc_test_node(uint32_t version, const struct hammer_node_ondisk *node)
{
	return crc_fits(version, node->crc, (const char *)node + 4,
	    sizeof(*node) - 4);
}

void
hammer_crc_set_fifo(uint32_t version, struct hammer_fifo_head *head)
{
	head->hdr_crc = crc_around(version, head,
	    offsetof(struct hammer_fifo_head, hdr_crc), head->hdr_size);
}

bool
hammer_crc_test_fifo(uint32_t version, const struct hammer_fifo_head *head)
{
	const size_t off = offsetof(struct hammer_fifo_head, hdr_crc);

	return head->hdr_crc == crc_around(version, head, off,
	    head->hdr_size) ||
	    head->hdr_crc == crc_around(1, head, off, head->hdr_size);
}

static size_t
crc_data_len(const struct hammer_leaf_elm *leaf)
{
	if (leaf->base.rec_type == HAMMER_RECTYPE_INODE)
		return leaf->data_len == sizeof(struct hammer_inode_data) ?
		    HAMMER_INODE_CRCSIZE : 0;
	return (size_t)leaf->data_len;
}

uint32_t
hammer_crc_data(uint32_t version, const struct hammer_leaf_elm *leaf,
    const void *data)
{
	size_t len = crc_data_len(leaf);

	return len == 0 ? 0 : crc_of(version, data, len);
}

bool
hammer_crc_test_data(uint32_t version, const struct hammer_leaf_elm *leaf,
    const void *data)
{
	size_t len = crc_data_len(leaf);

	return len == 0 ? leaf->data_crc == 0 :
	    crc_fits(version, leaf->data_crc, data, len);
}

int64_t
hammer_dirhash(uint8_t cap_flags, const void *name, size_t len, uint32_t *max)
{
	const char *s = name;
	uint32_t sum = 0, whole;
	uint64_t key;
	size_t i, start = 0;

	if ((cap_flags & HAMMER_INODE_CAP_DIRHASH_MASK) ==
	    HAMMER_INODE_CAP_DIRHASH_ALG0) {
		key = (uint64_t)(hammer_crc32(s, len) & 0x7fffffff) << 32;
		*max = 0xffffffffU;
	} else {
		/* The pieces between . - _ ~, so that foo.c and foo.c~ are
		 * neighbours; then a little of the whole name. */
		for (i = 0; i <= len; i++) {
			if (i < len && s[i] != '.' && s[i] != '-' &&
			    s[i] != '_' && s[i] != '~')
				continue;
			if (i != start)
				sum += hammer_crc32(s + start, i - start);
			start = i + 1;
		}
		whole = hammer_crc32(s, len);
		whole ^= whole << 16;
		key = (uint64_t)(sum & 0x7fffffff) << 32 |
		    (whole & 0xffff0000U);
		*max = 0x00ffffffU;
	}
	/* Keys below 2^32 are for "." and "..". */
	if ((key >> 32) == 0)
		key |= 1ULL << 32;
	return (int64_t)key;
}

void
hammer_uuid_from_id(struct hammer_uuid *uuid, uint32_t id)
{
	__builtin_memset(uuid, 0, sizeof(*uuid));
	__builtin_memcpy(&uuid->u[12], &id, sizeof(id));
}

uint32_t
hammer_uuid_to_id(const struct hammer_uuid *uuid)
{
	uint32_t id;

	__builtin_memcpy(&id, &uuid->u[12], sizeof(id));
	return id;
}
