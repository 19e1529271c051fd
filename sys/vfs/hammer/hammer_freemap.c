/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Space: big-blocks by the two-layer freemap, and ranges inside them.
 *
 * S1  A big-block belongs to one zone.  Inside it allocation only appends, at
 *     the zone's next_offset; ranges are 16-byte aligned.  Up to 16 KB do not
 *     cross a buffer, more does not cross the big-block.  What is skipped for
 *     that stays counted as free, so a big-block's bytes_free is 8 MB less
 *     what is referenced in it, exactly.
 * S2  A big-block is free again when all of its bytes are.  It is used again
 *     only when the group that freed it and one more are durable: until then
 *     a crash may bring back what was in it.
 * S3  Large records start at a sector, so that writing one never has to read
 *     the end of another.
 * S4  A layer entry with a bad CRC takes its big-block (4 TB) out of
 *     allocation; it is not a panic.
 */
#include "hammer_core.h"

struct mapref {
	struct hammer_buffer *buf1, *buf2;
	hammer_off_t	 off1, off2;
};

static struct hammer_layer1 *
map_l1(const struct mapref *m)
{
	return hammer_buffer_ptr(m->buf1, m->off1);
}

static struct hammer_layer2 *
map_l2(const struct mapref *m)
{
	return hammer_buffer_ptr(m->buf2, m->off2);
}

static void
map_put(struct hammer_mount *hmp, struct mapref *m)
{
	if (m->buf2 != NULL)
		hammer_buffer_put(hmp, m->buf2);
	if (m->buf1 != NULL)
		hammer_buffer_put(hmp, m->buf1);
	m->buf1 = m->buf2 = NULL;
}

/* Both entries for an address.  ENOENT: no storage there; EIO. */
static int
map_get(struct hammer_mount *hmp, hammer_off_t off, struct mapref *m)
{
	hammer_off_t phys;
	int error;

	m->buf1 = m->buf2 = NULL;
	m->off1 = hmp->hm_root->vol0_blockmap[HAMMER_ZONE_FREEMAP].phys_offset +
	    hammer_layer1_index(off) * sizeof(struct hammer_layer1);
	error = hammer_buffer_get(hmp, m->off1, &m->buf1);
	if (error != 0)
		return error;
	if (!hammer_crc_test_layer1(hmp->hm_version, map_l1(m))) {
		kprintf("hammer: layer1 entry for %016llx: bad CRC\n",
		    (unsigned long long)off);
		map_put(hmp, m);
		return EIO;
	}
	phys = map_l1(m)->phys_offset;
	if (phys == HAMMER_BLOCKMAP_UNAVAIL) {
		map_put(hmp, m);
		return ENOENT;
	}
	m->off2 = phys + hammer_layer2_index(off) *
	    sizeof(struct hammer_layer2);
	error = hammer_buffer_get(hmp, m->off2, &m->buf2);
	if (error == 0 &&
	    !hammer_crc_test_layer2(hmp->hm_version, map_l2(m))) {
		kprintf("hammer: layer2 entry for %016llx: bad CRC\n",
		    (unsigned long long)off);
		error = EIO;
	}
	if (error != 0)
		map_put(hmp, m);
	return error;
}

static struct hammer_layer2 *
map_modify2(struct hammer_mount *hmp, struct mapref *m)
{
	return hammer_buffer_modify(hmp, m->buf2, m->off2,
	    sizeof(struct hammer_layer2));
}

/* A big-block was taken (-1) or became free (+1). */
static void
map_count(struct hammer_mount *hmp, struct mapref *m, int delta)
{
	struct hammer_layer1 *l1;

	l1 = hammer_buffer_modify(hmp, m->buf1, m->off1, sizeof(*l1));
	l1->blocks_free += (uint64_t)(int64_t)delta;
	hammer_crc_set_layer1(hmp->hm_version, l1);
	hmp->hm_root->vol0_stat_freebigblocks += delta;
	hmp->hm_hdrdirty = true;
}

int
hammer_freemap_init(struct hammer_mount *hmp)
{
	const struct hammer_blockmap *bm =
	    &hmp->hm_root->vol0_blockmap[HAMMER_ZONE_FREEMAP];
	uint64_t total = (uint64_t)hmp->hm_root->vol0_stat_bigblocks;

	TAILQ_INIT(&hmp->hm_freed);
	if (hammer_off_zone(bm->phys_offset) != HAMMER_ZONE_RAW_BUFFER ||
	    (bm->phys_offset & HAMMER_BIGBLOCK_MASK64) != 0) {
		kprintf("hammer: bad freemap address in the header\n");
		return EIO;
	}
	hmp->hm_reserve = MIN(MAX(total / 64, 4ULL), 20ULL);
	return 0;
}

static bool
freed_recently(struct hammer_mount *hmp, hammer_off_t off)
{
	uint64_t bb = hammer_off_bigblock(off);
	struct hammer_freed *fr;

	TAILQ_FOREACH(fr, &hmp->hm_freed, fr_list) {
		if (fr->fr_bigblock == bb)
			return true;
	}
	return false;
}

void
hammer_freed_release(struct hammer_mount *hmp, uint64_t done)
{
	struct hammer_freed *fr;

	if (hmp->hm_pins[0] + hmp->hm_pins[1] != 0)
		return;
	while ((fr = TAILQ_FIRST(&hmp->hm_freed)) != NULL &&
	    fr->fr_group < done) {
		TAILQ_REMOVE(&hmp->hm_freed, fr, fr_list);
		hmp->hm_nfreed--;
		kfree(fr, &M_HAMMER);
	}
	hammer_space_publish(hmp);
}

uint64_t
hammer_free_bigblocks(struct hammer_mount *hmp)
{
	int64_t n = hmp->hm_root->vol0_stat_freebigblocks -
	    (int64_t)hmp->hm_nfreed;

	return n > 0 ? (uint64_t)n : 0;
}

void
hammer_space_publish(struct hammer_mount *hmp)
{
	__atomic_store_n(&hmp->hm_pubfree, hammer_free_bigblocks(hmp),
	    __ATOMIC_RELAXED);
	__atomic_store_n(&hmp->hm_pubinodes, hmp->hm_root->vol0_stat_inodes,
	    __ATOMIC_RELAXED);
}

/* The first address of the volume after this one's, wrapping; counts laps. */
static hammer_off_t
next_volume(struct hammer_mount *hmp, hammer_off_t off, int *laps)
{
	int zone = hammer_off_zone(off), vol = hammer_off_vol(off);

	do {
		vol = (vol + 1) % HAMMER_MAX_VOLUMES;
		if (vol == 0)
			++*laps;
	} while (hmp->hm_vol[vol].v_disk == NULL);
	return hammer_off_make(zone, vol, 0);
}

/* Where len bytes at or after off could go, by S1 and S3. */
static hammer_off_t
place(int zone, hammer_off_t off, uint32_t len)
{
	const uint64_t mask = len <= HAMMER_BUFSIZE ? HAMMER_BUFMASK64 :
	    HAMMER_BIGBLOCK_MASK64;

	if (zone == HAMMER_ZONE_LARGE_DATA)
		off = (off + 511) & ~511ULL;
	else if (zone == HAMMER_ZONE_BTREE)
		off = (off + HAMMER_NODE_SIZE - 1) &
		    ~(uint64_t)(HAMMER_NODE_SIZE - 1);
	if ((off & mask) + len > mask + 1)
		off = (off + mask) & ~mask;
	return off;
}

/*
 * Allocate len bytes (up to 64 KB) in a zone.  hm_lock exclusive; blocks for
 * reads.  ENOSPC, EIO.
 */
int
hammer_alloc(struct hammer_mount *hmp, int zone, uint32_t len,
    hammer_off_t *offp, bool *fresh)
{
	struct hammer_blockmap *bm = &hmp->hm_root->vol0_blockmap[zone];
	struct hammer_layer2 *l2;
	struct mapref m;
	hammer_off_t off, base;
	int error, laps = 0;

	len = hammer_data_align(len);
	off = hammer_off_as(zone, bm->next_offset);
	if (hmp->hm_vol[hammer_off_vol(off)].v_disk == NULL)
		off = next_volume(hmp, off, &laps);
	base = off & ~HAMMER_BIGBLOCK_MASK64;
	for (;;) {
		if (laps == 2)
			return ENOSPC;
		off = place(zone, off, len);
		base = off & ~HAMMER_BIGBLOCK_MASK64;
		if (hammer_off_short(base) + HAMMER_BIGBLOCK_SIZE >
		    hmp->hm_vol[hammer_off_vol(off)].v_buf_size) {
			off = next_volume(hmp, off, &laps);
			continue;
		}
		error = map_get(hmp, off, &m);
		if (error != 0) {
			off = base + HAMMER_BIGBLOCK_SIZE;
			continue;
		}
		l2 = map_l2(&m);
		if (l2->zone == zone && l2->append_off <=
		    hammer_off_in_bigblock(off))
			break;
		if (l2->zone == zone && l2->append_off <
		    HAMMER_BIGBLOCK_SIZE) {
			off = base + l2->append_off;
			map_put(hmp, &m);
			if (place(zone, off, len) >= base +
			    HAMMER_BIGBLOCK_SIZE)
				off = base + HAMMER_BIGBLOCK_SIZE;
			continue;
		}
		if (l2->zone == 0 && l2->bytes_free == HAMMER_BIGBLOCK_SIZE &&
		    !freed_recently(hmp, off)) {
			off = base;
			l2 = map_modify2(hmp, &m);
			l2->zone = (uint8_t)zone;
			l2->append_off = 0;
			map_count(hmp, &m, -1);
			hammer_buffer_forget(hmp, off, HAMMER_BIGBLOCK_SIZE);
			break;
		}
		map_put(hmp, &m);
		off = base + HAMMER_BIGBLOCK_SIZE;
	}
	l2 = map_modify2(hmp, &m);
	l2->bytes_free -= (int32_t)len;
	l2->append_off = hammer_off_in_bigblock(off) + len;
	hammer_crc_set_layer2(hmp->hm_version, l2);
	map_put(hmp, &m);
	bm->next_offset = off + len;
	hmp->hm_hdrdirty = true;
	*offp = off;
	*fresh = (off & HAMMER_BUFMASK64) == 0;
	return 0;
}

/*
 * Give len bytes back.  hm_lock exclusive; blocks for reads.  EIO when the
 * freemap contradicts, which leaks the range and no more.
 */
int
hammer_free(struct hammer_mount *hmp, hammer_off_t off, uint32_t len)
{
	struct hammer_layer2 *l2;
	struct hammer_freed *fr;
	struct mapref m;
	int error;

	len = hammer_data_align(len);
	error = map_get(hmp, off, &m);
	if (error == ENOENT)
		error = EIO;
	if (error != 0)
		return error;
	l2 = map_l2(&m);
	if (l2->zone != hammer_off_zone(off) ||
	    l2->bytes_free > HAMMER_BIGBLOCK_SIZE - (int32_t)len) {
		kprintf("hammer: freeing %016llx/%u: its big-block has zone %d "
		    "and %d free bytes\n", (unsigned long long)off, len,
		    l2->zone, l2->bytes_free);
		map_put(hmp, &m);
		return EIO;
	}
	l2 = map_modify2(hmp, &m);
	l2->bytes_free += (int32_t)len;
	if (l2->bytes_free == HAMMER_BIGBLOCK_SIZE) {
		l2->zone = 0;
		l2->append_off = 0;
		map_count(hmp, &m, 1);
		fr = kmalloc(sizeof(*fr), &M_HAMMER, 0);
		fr->fr_bigblock = hammer_off_bigblock(off);
		fr->fr_group = hmp->hm_group;
		TAILQ_INSERT_TAIL(&hmp->hm_freed, fr, fr_list);
		hmp->hm_nfreed++;
	}
	l2 = map_l2(&m);
	hammer_crc_set_layer2(hmp->hm_version, l2);
	map_put(hmp, &m);
	return 0;
}
