/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts from the static ACPI tables: CPUs and interrupt controllers (MADT),
 * timers, power off and reset (FADT, HPET, the _S5_ package of the DSDT).  No
 * interpreter: what needs one is not used.
 *
 * A table whose length or sum is wrong is treated as absent.
 */
#include <sys/param.h>
#include <sys/systm.h>

#include <platform/machdep.h>
#include "pc64.h"

struct acpi_info acpi_info;

struct acpi_header {
	char		sig[4];
	uint32_t	length;
	uint8_t		revision, checksum;
	char		oem[6], oem_table[8];
	uint32_t	oem_revision, creator, creator_revision;
} __attribute__((__packed__));
_Static_assert(sizeof(struct acpi_header) == 36, "firmware layout");

static uint32_t
get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t
get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool
sum_is_zero(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (len-- > 0)
		sum += *p++;
	return sum == 0;
}

static const struct acpi_header *
table_map(uint64_t pa)
{
	const struct acpi_header *h;
	uint32_t len;

	if (pa == 0)
		return NULL;
	h = pmap_map_tables(pa, sizeof(*h));
	len = h->length;
	if (len < sizeof(*h) || len > 16 << 20)
		return NULL;
	if ((pa & PAGE_MASK) + len > PAGE_SIZE)
		h = pmap_map_tables(pa, len);
	return sum_is_zero(h, len) ? h : NULL;
}

static void
madt_read(const struct acpi_header *h)
{
	struct acpi_info *ai = &acpi_info;
	const uint8_t *p = (const uint8_t *)h, *end = p + h->length;
	uint32_t irq, id, flags;

	if (h->length < 44)
		return;
	ai->ai_lapic_pa = get32(p + 36);
	for (p += 44; p + 2 <= end && p[1] >= 2 && p + p[1] <= end; p += p[1]) {
		switch (p[0]) {
		case 0:			/* local APIC */
		case 9:			/* local x2APIC */
			id = p[0] == 0 ? p[3] : get32(p + 4);
			flags = p[0] == 0 ? get32(p + 4) : get32(p + 8);
			if ((flags & 1) == 0 || (p[0] == 0 && id == 0xff))
				break;
			if (ai->ai_ncpus < MAXCPU)
				ai->ai_apicids[ai->ai_ncpus] = id;
			ai->ai_ncpus++;
			break;
		case 1:
			if (ai->ai_nioapics == (int)nitems(ai->ai_ioapic))
				break;
			ai->ai_ioapic[ai->ai_nioapics].pa = get32(p + 4);
			ai->ai_ioapic[ai->ai_nioapics++].gsi = get32(p + 8);
			break;
		case 2:			/* source override */
			irq = p[3];
			if (irq >= nitems(ai->ai_isa))
				break;
			ai->ai_isa[irq].gsi = get32(p + 4);
			ai->ai_isa[irq].flags = (uint16_t)(p[8] | p[9] << 8);
			break;
		case 5:
			ai->ai_lapic_pa = get64(p + 4);
			break;
		}
	}
}

/* An AML integer of a package element: a byte, word, or the constants. */
static const uint8_t *
aml_int(const uint8_t *p, const uint8_t *end, uint16_t *v)
{
	if (p + 2 > end)
		return NULL;
	switch (*p) {
	case 0x00:
	case 0x01:
		*v = *p;
		return p + 1;
	case 0x0a:
		*v = p[1];
		return p + 2;
	case 0x0b:
		*v = p[1];		/* only 3 bits are meant */
		return p + 3;
	default:
		return NULL;
	}
}

/*
 * Find Name(_S5_, Package { a, b ... }): the name, a package opcode, its
 * length in 1-4 bytes, the count.
 */
static void
s5_find(const struct acpi_header *h)
{
	const uint8_t *p, *q, *base = (const uint8_t *)h;
	const uint8_t *end = base + h->length;
	uint16_t a, b;

	for (p = base + sizeof(*h); p + 8 < end; p++) {
		if (memcmp(p, "_S5_", 4) != 0 || p[4] != 0x12 ||
		    (p[-1] != 0x08 && !(p[-2] == 0x08 && p[-1] == '\\')))
			continue;
		q = p + 5;
		q += (*q >> 6) + 1;	/* package length */
		q++;			/* element count */
		q = aml_int(q, end, &a);
		if (q == NULL || aml_int(q, end, &b) == NULL)
			continue;
		acpi_info.ai_s5a = (uint16_t)((a & 7) << 10);
		acpi_info.ai_s5b = (uint16_t)((b & 7) << 10);
		acpi_info.ai_has_s5 = true;
		return;
	}
}

static void
fadt_read(const struct acpi_header *h)
{
	struct acpi_info *ai = &acpi_info;
	const uint8_t *p = (const uint8_t *)h;
	const struct acpi_header *dsdt;

	if (h->length < 116)
		return;
	ai->ai_smi_cmd = get32(p + 48);
	ai->ai_acpi_enable = p[52];
	ai->ai_pm1a = get32(p + 64);
	ai->ai_pm1b = get32(p + 68);
	ai->ai_pm_timer = get32(p + 76);
	if (h->length >= 129 && (get32(p + 112) & 1 << 10)) {
		ai->ai_reset_space = p[116];
		ai->ai_reset_addr = get64(p + 120);
		ai->ai_reset_value = p[128];
	}
	dsdt = table_map(h->length >= 148 && get64(p + 140) != 0 ?
	    get64(p + 140) : get32(p + 40));
	if (dsdt != NULL)
		s5_find(dsdt);
}

static void
table_read(uint64_t pa)
{
	const struct acpi_header *h = table_map(pa);

	if (h == NULL)
		return;
	if (memcmp(h->sig, "APIC", 4) == 0)
		madt_read(h);
	else if (memcmp(h->sig, "FACP", 4) == 0)
		fadt_read(h);
	else if (memcmp(h->sig, "HPET", 4) == 0 && h->length >= 56)
		acpi_info.ai_hpet_pa = get64((const uint8_t *)h + 44);
}

/* BIOS only: the loader told us nothing, so look where BIOSes put it. */
static void
rsdp_scan(void)
{
	const uint8_t *p, *area = pmap_map_tables(0xe0000, 0x20000);

	for (p = area; p < area + 0x20000; p += 16)
		if (memcmp(p, "RSD PTR ", 8) == 0 && sum_is_zero(p, 20)) {
			memcpy(bootinfo.bi_rsdp, p, sizeof(bootinfo.bi_rsdp));
			return;
		}
}

void
acpi_tables_init(void)
{
	struct acpi_info *ai = &acpi_info;
	const struct acpi_header *root = NULL;
	const uint8_t *p;
	size_t width = 8, i;

	ai->ai_lapic_pa = 0xfee00000;
	ai->ai_reset_space = 0xff;
	for (i = 0; i < nitems(ai->ai_isa); i++)
		ai->ai_isa[i].gsi = (uint32_t)i;
	if (memcmp(bootinfo.bi_rsdp, "RSD PTR ", 8) != 0)
		rsdp_scan();
	if (memcmp(bootinfo.bi_rsdp, "RSD PTR ", 8) != 0)
		return;
	if (bootinfo.bi_rsdp[15] >= 2)
		root = table_map(get64(bootinfo.bi_rsdp + 24));
	if (root == NULL) {
		root = table_map(get32(bootinfo.bi_rsdp + 16));
		width = 4;
	}
	if (root == NULL)
		return;
	p = (const uint8_t *)(root + 1);
	for (i = 0; i < (root->length - sizeof(*root)) / width; i++)
		table_read(width == 8 ? get64(p + i * 8) : get32(p + i * 4));
}
