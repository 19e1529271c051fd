/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the loader told us: command line, memory map, modules, and where ACPI
 * is, from multiboot2 (GRUB) or PVH start information (qemu -kernel).
 *
 * Runs on the boot page tables, which show the first 4 GiB; loaders put their
 * information there.  Everything is copied out, so that its memory can be used.
 *
 * B1  After bootinfo_read() the map is sorted and its ranges are disjoint; of
 *     overlapping claims the one that is not usable wins.
 * B2  Usable ranges are whole pages.
 */
#include <sys/param.h>
#include <sys/systm.h>

#include <platform/machdep.h>
#include "pc64.h"

enum { MB2_BOOT_MAGIC = 0x36d76289, PVH_MAGIC = 0x00485650 };

struct bootinfo bootinfo;

static void
map_add(uint64_t start, uint64_t end, uint32_t type)
{
	struct bootinfo *bi = &bootinfo;

	if (type == MEM_USABLE) {
		start = roundup2(start, PAGE_SIZE);
		end = rounddown2(end, PAGE_SIZE);
	}
	if (start >= end || bi->bi_nmap == (int)nitems(bi->bi_map))
		return;
	bi->bi_map[bi->bi_nmap++] = (struct memrange){ start, end, type };
}

static void
map_sort(void)
{
	struct bootinfo *bi = &bootinfo;
	struct memrange t;
	int i, j;

	for (i = 1; i < bi->bi_nmap; i++) {
		t = bi->bi_map[i];
		for (j = i; j > 0 && bi->bi_map[j - 1].mr_start > t.mr_start; j--)
			bi->bi_map[j] = bi->bi_map[j - 1];
		bi->bi_map[j] = t;
	}
}

/* Cut [start, end) out of every usable range. */
static bool
map_cut(uint64_t start, uint64_t end)
{
	struct bootinfo *bi = &bootinfo;
	struct memrange *mr;
	uint64_t tail;
	bool hit = false;
	int i, n = bi->bi_nmap;

	for (i = 0; i < n; i++) {
		mr = &bi->bi_map[i];
		if (mr->mr_type != MEM_USABLE || mr->mr_end <= start ||
		    mr->mr_start >= end)
			continue;
		hit = true;
		tail = mr->mr_end;
		mr->mr_end = MAX(start, mr->mr_start);
		map_add(end, tail, MEM_USABLE);
	}
	map_sort();
	return hit;
}

bool
bootinfo_reserve(uint64_t start, uint64_t end)
{
	return map_cut(rounddown2(start, PAGE_SIZE), roundup2(end, PAGE_SIZE));
}

uint64_t
bootinfo_alloc_page(uint64_t limit)
{
	struct bootinfo *bi = &bootinfo;
	struct memrange *mr;
	uint64_t pa;
	int i;

	for (i = bi->bi_nmap - 1; i >= 0; i--) {
		mr = &bi->bi_map[i];
		if (mr->mr_type != MEM_USABLE || mr->mr_start >= limit ||
		    mr->mr_end - mr->mr_start < PAGE_SIZE)
			continue;
		if (mr->mr_end <= limit) {
			mr->mr_end -= PAGE_SIZE;
			return mr->mr_end;
		}
		pa = limit - PAGE_SIZE;
		map_cut(pa, limit);
		return pa;
	}
	return 0;
}

static const void *
boot_ptr(uint64_t pa)
{
	return (const void *)(DMAP_BASE + pa);
}

static void
module_add(uint64_t start, uint64_t end)
{
	struct bootinfo *bi = &bootinfo;

	if (bi->bi_nmodules < (int)nitems(bi->bi_modules))
		bi->bi_modules[bi->bi_nmodules++] =
		    (struct memrange){ start, end, MEM_RESERVED };
}

bool
md_initrd(const void **start, size_t *len)
{
	const struct bootinfo *bi = &bootinfo;

	if (bi->bi_nmodules == 0)
		return false;
	*start = boot_ptr(bi->bi_modules[0].mr_start);
	*len = bi->bi_modules[0].mr_end - bi->bi_modules[0].mr_start;
	return true;
}

struct mb2_tag {
	uint32_t type, size;
	uint8_t data[];
};

struct mb2_mmap {
	uint64_t addr, len;
	uint32_t type, zero;
};

static void
read_multiboot(uint64_t info)
{
	struct bootinfo *bi = &bootinfo;
	const struct mb2_tag *tag;
	const struct mb2_mmap *mm;
	const uint32_t *w;
	uint64_t pa, end;
	uint32_t esize, off;

	end = info + *(const uint32_t *)boot_ptr(info);
	for (pa = info + 8; pa + sizeof(*tag) <= end;
	    pa = roundup2(pa + tag->size, 8)) {
		tag = boot_ptr(pa);
		if (tag->type == 0 || tag->size < sizeof(*tag))
			break;
		w = (const uint32_t *)tag->data;
		switch (tag->type) {
		case 1:
			kstrlcpy(bi->bi_cmdline, (const char *)tag->data,
			    sizeof(bi->bi_cmdline));
			break;
		case 3:
			module_add(w[0], w[1]);
			break;
		case 6:
			esize = w[0];
			for (off = 16; esize >= sizeof(*mm) &&
			    off + esize <= tag->size; off += esize) {
				mm = (const void *)((const char *)tag + off);
				map_add(mm->addr, mm->addr + mm->len, mm->type);
			}
			break;
		case 14:
			if (bi->bi_rsdp[0] == 0)
				memcpy(bi->bi_rsdp, tag->data, 20);
			break;
		case 15:
			memcpy(bi->bi_rsdp, tag->data,
			    MIN(tag->size - 8, sizeof(bi->bi_rsdp)));
			break;
		}
	}
}

struct pvh_start {
	uint32_t magic, version, flags, nmodules;
	uint64_t modules, cmdline, rsdp;
	uint64_t memmap;		/* version 1 on */
	uint32_t nmemmap, zero;
};

struct pvh_module {
	uint64_t addr, size, cmdline, zero;
};

struct pvh_mem {
	uint64_t addr, size;
	uint32_t type, zero;
};

static void
read_pvh(uint64_t info)
{
	struct bootinfo *bi = &bootinfo;
	const struct pvh_start *ps = boot_ptr(info);
	const struct pvh_mem *mem;
	const struct pvh_module *mod;
	uint32_t i;

	if (ps->magic != 0x336ec578)
		return;
	if (ps->cmdline != 0)
		kstrlcpy(bi->bi_cmdline, boot_ptr(ps->cmdline),
		    sizeof(bi->bi_cmdline));
	if (ps->rsdp != 0)
		memcpy(bi->bi_rsdp, boot_ptr(ps->rsdp), sizeof(bi->bi_rsdp));
	mod = boot_ptr(ps->modules);
	for (i = 0; ps->modules != 0 && i < ps->nmodules; i++)
		module_add(mod[i].addr, mod[i].addr + mod[i].size);
	if (ps->version < 1)
		return;
	mem = boot_ptr(ps->memmap);
	for (i = 0; i < ps->nmemmap; i++)
		map_add(mem[i].addr, mem[i].addr + mem[i].size, mem[i].type);
}

void
bootinfo_read(uint32_t magic, uint32_t info)
{
	static struct memrange claims[nitems(bootinfo.bi_map)];
	struct bootinfo *bi = &bootinfo;
	int i, n;

	if (magic == MB2_BOOT_MAGIC)
		read_multiboot(info);
	else if (magic == PVH_MAGIC)
		read_pvh(info);
	fwcfg_cmdline(bi->bi_cmdline, sizeof(bi->bi_cmdline));
	map_sort();
	n = bi->bi_nmap;
	memcpy(claims, bi->bi_map, n * sizeof(claims[0]));
	for (i = 0; i < n; i++)
		if (claims[i].mr_type != MEM_USABLE)
			map_cut(claims[i].mr_start, claims[i].mr_end);
	/* The first MiB stays with the firmware; mp.c asks for one page. */
	map_cut(0x200000, (uint64_t)kernel_end - KERNBASE);
	for (i = 0; i < bi->bi_nmodules; i++)
		bootinfo_reserve(bi->bi_modules[i].mr_start,
		    bi->bi_modules[i].mr_end);
}
