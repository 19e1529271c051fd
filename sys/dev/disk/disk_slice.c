/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slices: the GUID partition table (UEFI 2.x, chapter 5), else the PC's master
 * boot record with its chain of logical slices.
 *
 * Everything here comes from the disk and is checked before use:
 *
 * S1  A slice lies inside the disk, is not empty, and overlaps no slice that
 *     was reported before it; others are passed over with one message.
 * S2  Tables have a bounded number of entries, and the chain of logical slices
 *     a bounded length, so a loop on the disk ends.
 */
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <libkern/crc.h>
#include "disk.h"

enum {
	SLICES_MAX	= 60,
	MBR_TABLE	= 446,
	MBR_ENTRY	= 16,
	GPT_HEADER	= 92,
	GPT_ENTRIES_MAX	= 128,
	TYPE_EMPTY	= 0x00,
	TYPE_GPT	= 0xee,
};

struct probe {
	struct disk	*p_disk;
	void		(*p_fn)(struct disk *, int, off_t, uint64_t);
	int		 p_n;
	struct { uint64_t start, end; } p_seen[SLICES_MAX];
};

static uint32_t
le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static uint64_t
le64(const uint8_t *p)
{
	return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

/* S1.  first and count in sectors. */
static void
slice_found(struct probe *p, int number, uint64_t first, uint64_t count)
{
	struct disk *dp = p->p_disk;
	uint64_t sectors = dp->d_size / dp->d_sector;

	if (p->p_n == SLICES_MAX || number > SLICES_MAX)
		return;
	if (first == 0 || count == 0 || first >= sectors ||
	    count > sectors - first) {
		kprintf("%s: slice %d lies outside the disk, ignored\n",
		    dp->d_name, number);
		return;
	}
	for (int i = 0; i < p->p_n; i++)
		if (first < p->p_seen[i].end &&
		    p->p_seen[i].start < first + count) {
			kprintf("%s: slice %d overlaps another, ignored\n",
			    dp->d_name, number);
			return;
		}
	p->p_seen[p->p_n].start = first;
	p->p_seen[p->p_n++].end = first + count;
	p->p_fn(dp, number, (off_t)(first * dp->d_sector),
	    count * dp->d_sector);
}

/* The GPT whose header is at sector lba.  ENOENT: none that is valid. */
static int
gpt_probe(struct probe *p, uint8_t *sector, uint64_t lba)
{
	struct disk *dp = p->p_disk;
	uint8_t zero[4] = { 0 };
	uint32_t hsize, n, esize, crc;
	uint64_t table;
	uint8_t *entries;
	size_t bytes;
	int error;

	error = disk_rw(dp, BIO_READ, (off_t)(lba * dp->d_sector), sector,
	    dp->d_sector);
	if (error != 0)
		return error;
	hsize = le32(sector + 12);
	if (memcmp(sector, "EFI PART", 8) != 0 || hsize < GPT_HEADER ||
	    hsize > dp->d_sector || le64(sector + 24) != lba)
		return ENOENT;
	crc = crc32_ieee(0, sector, 16);	/* with its own field as 0 */
	crc = crc32_ieee(crc, zero, 4);
	crc = crc32_ieee(crc, sector + 20, hsize - 20);
	if (crc != le32(sector + 16))
		return ENOENT;
	table = le64(sector + 72);
	n = le32(sector + 80);
	esize = le32(sector + 84);
	if (n == 0 || n > 4096 || esize < 128 || esize > 4096 ||
	    (esize & (esize - 1)) != 0)
		return ENOENT;
	bytes = roundup2((size_t)n * esize, (size_t)dp->d_sector);
	if (table >= dp->d_size / dp->d_sector ||
	    bytes > dp->d_size - table * dp->d_sector)
		return ENOENT;
	crc = le32(sector + 88);
	entries = kmalloc(bytes, &M_DISK, M_WAITOK);
	error = disk_rw(dp, BIO_READ, (off_t)(table * dp->d_sector), entries,
	    bytes);
	if (error == 0 && crc32_ieee(0, entries, (size_t)n * esize) != crc)
		error = ENOENT;
	for (uint32_t i = 0; error == 0 && i < MIN(n, GPT_ENTRIES_MAX); i++) {
		const uint8_t *e = entries + (size_t)i * esize;
		uint64_t first = le64(e + 32), last = le64(e + 40);

		if (le64(e) == 0 && le64(e + 8) == 0)
			continue;	/* unused: type GUID of zeros */
		if (last < first)
			last = first - 1;	/* empty: refused by S1 */
		slice_found(p, (int)i + 1, first, last - first + 1);
	}
	kfree(entries, &M_DISK);
	return error;
}

static bool
is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

/* The logical slices in an extended one, numbered from 5. */
static int
mbr_logical(struct probe *p, uint8_t *sector, uint64_t base)
{
	struct disk *dp = p->p_disk;
	uint64_t at = base;
	int error;

	for (int number = 5; number <= SLICES_MAX; number++) {
		const uint8_t *e = sector + MBR_TABLE;

		if (at >= dp->d_size / dp->d_sector)
			return 0;
		error = disk_rw(dp, BIO_READ, (off_t)(at * dp->d_sector),
		    sector, dp->d_sector);
		if (error != 0)
			return error;
		if (sector[510] != 0x55 || sector[511] != 0xaa)
			return 0;
		if (e[4] != TYPE_EMPTY)
			slice_found(p, number, at + le32(e + 8), le32(e + 12));
		if (!is_extended(e[MBR_ENTRY + 4]))
			return 0;
		at = base + le32(e + MBR_ENTRY + 8);
	}
	return 0;
}

int
disk_slices_probe(struct disk *dp, void (*fn)(struct disk *, int, off_t,
    uint64_t))
{
	struct { uint8_t type; uint64_t first, count; } part[4];
	struct probe *p;
	uint8_t *sector;
	int error;

	if (dp->d_size < 8 * (uint64_t)dp->d_sector)
		return 0;
	p = kmalloc(sizeof(*p), &M_DISK, M_WAITOK | M_ZERO);
	p->p_disk = dp;
	p->p_fn = fn;
	sector = kmalloc(dp->d_sector, &M_DISK, M_WAITOK);
	error = disk_rw(dp, BIO_READ, 0, sector, dp->d_sector);
	if (error != 0 || sector[510] != 0x55 || sector[511] != 0xaa)
		goto done;
	for (int i = 0; i < 4; i++) {
		const uint8_t *e = sector + MBR_TABLE + i * MBR_ENTRY;

		/* A boot sector's code where the table would be: no table. */
		if ((e[0] & 0x7f) != 0)
			goto done;
		part[i].type = e[4];
		part[i].first = le32(e + 8);
		part[i].count = le32(e + 12);
	}
	for (int i = 0; i < 4; i++)
		if (part[i].type == TYPE_GPT) {
			error = gpt_probe(p, sector, 1);
			if (error == ENOENT)	/* the backup, at the end */
				error = gpt_probe(p, sector,
				    dp->d_size / dp->d_sector - 1);
			if (error == ENOENT) {
				kprintf("%s: its GPT is damaged\n",
				    dp->d_name);
				error = 0;
			}
			goto done;
		}
	for (int i = 0; i < 4; i++)
		if (part[i].type != TYPE_EMPTY && !is_extended(part[i].type))
			slice_found(p, i + 1, part[i].first, part[i].count);
	for (int i = 0; i < 4 && error == 0; i++)
		if (is_extended(part[i].type))
			error = mbr_logical(p, sector, part[i].first);
done:
	kfree(sector, &M_DISK);
	kfree(p, &M_DISK);
	return error;
}
