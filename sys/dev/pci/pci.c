/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI by configuration mechanism 1: finding devices, their registers,
 * capabilities and MSI-X.  The firmware has assigned addresses and buses.
 *
 * PC1 An access to configuration space is two port accesses under pci_spin.
 * PC2 The list is complete before pci_init() returns and does not change.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <machine/intr.h>
#include <cpu/cpufunc.h>

#include "pci.h"

enum { CONFIG_ADDR = 0xcf8, CONFIG_DATA = 0xcfc };
enum { HEADER_TYPE = 0x0e, SECONDARY_BUS = 0x19 };
enum { MSIX_CONTROL = 2, MSIX_TABLE = 4, MSIX_ENABLE = 0x8000,
       MSIX_MASKALL = 0x4000 };

static MALLOC_DEFINE(M_PCI, "pci");
static TAILQ_HEAD(, pci_dev) pci_devs = TAILQ_HEAD_INITIALIZER(pci_devs);
static struct spinlock pci_spin = SPINLOCK_INITIALIZER("pci");

static uint32_t
config_addr(const struct pci_dev *pd, int reg)
{
	return 0x80000000u | (uint32_t)pd->pd_bus << 16 |
	    (uint32_t)pd->pd_slot << 11 | (uint32_t)pd->pd_func << 8 |
	    (reg & 0xfc);
}

uint32_t
pci_read32(const struct pci_dev *pd, int reg)
{
	uint32_t v;

	spin_lock(&pci_spin);
	outl(CONFIG_ADDR, config_addr(pd, reg));
	v = inl(CONFIG_DATA);
	spin_unlock(&pci_spin);
	return v;
}

uint16_t
pci_read16(const struct pci_dev *pd, int reg)
{
	return (uint16_t)(pci_read32(pd, reg) >> (reg & 2) * 8);
}

uint8_t
pci_read8(const struct pci_dev *pd, int reg)
{
	return (uint8_t)(pci_read32(pd, reg) >> (reg & 3) * 8);
}

void
pci_write32(const struct pci_dev *pd, int reg, uint32_t v)
{
	spin_lock(&pci_spin);
	outl(CONFIG_ADDR, config_addr(pd, reg));
	outl(CONFIG_DATA, v);
	spin_unlock(&pci_spin);
}

void
pci_write16(const struct pci_dev *pd, int reg, uint16_t v)
{
	spin_lock(&pci_spin);
	outl(CONFIG_ADDR, config_addr(pd, reg));
	outw((uint16_t)(CONFIG_DATA + (reg & 2)), v);
	spin_unlock(&pci_spin);
}

/* A whole device space of functions; 256 buses at most, bridges end the
 * recursion because the secondary bus must be a higher one. */
static void
scan_bus(int bus)
{
	struct pci_dev probe, *pd;
	uint32_t id, class;
	uint8_t header = 0;
	int secondary;

	memset(&probe, 0, sizeof(probe));
	probe.pd_bus = (uint8_t)bus;
	for (int df = 0; df < 256; df++) {
		probe.pd_slot = (uint8_t)(df >> 3);
		probe.pd_func = df & 7;
		if (probe.pd_func == 0)
			header = 0;
		else if ((header & 0x80) == 0)
			continue;	/* one function only */
		id = pci_read32(&probe, 0);
		if (id == 0xffffffffu || id == 0)
			continue;
		if (probe.pd_func == 0)
			header = pci_read8(&probe, HEADER_TYPE);
		class = pci_read32(&probe, 8);
		pd = kmalloc(sizeof(*pd), &M_PCI, M_WAITOK);
		*pd = probe;
		pd->pd_vendor = (uint16_t)id;
		pd->pd_device = (uint16_t)(id >> 16);
		pd->pd_revision = (uint8_t)class;
		pd->pd_progif = (uint8_t)(class >> 8);
		pd->pd_subclass = (uint8_t)(class >> 16);
		pd->pd_class = (uint8_t)(class >> 24);
		TAILQ_INSERT_TAIL(&pci_devs, pd, pd_list);
		if ((pci_read8(pd, HEADER_TYPE) & 0x7f) == 1) {
			secondary = pci_read8(pd, SECONDARY_BUS);
			if (secondary > bus)
				scan_bus(secondary);
		}
	}
}

void
pci_init(void)
{
	scan_bus(0);
}

void
pci_foreach(void (*fn)(struct pci_dev *))
{
	struct pci_dev *pd;

	TAILQ_FOREACH(pd, &pci_devs, pd_list)
		fn(pd);
}

int
pci_cap_next(const struct pci_dev *pd, int after, uint8_t id)
{
	int cap, guard;

	if ((pci_read16(pd, PCI_STATUS) & 0x10) == 0)
		return 0;
	cap = pci_read8(pd, after == 0 ? PCI_CAP_PTR : after + 1) & 0xfc;
	for (guard = 0; cap >= 0x40 && guard < 48; guard++) {
		if (pci_read8(pd, cap) == id)
			return cap;
		cap = pci_read8(pd, cap + 1) & 0xfc;
	}
	return 0;
}

uint64_t
pci_bar_mem(const struct pci_dev *pd, int bar)
{
	uint32_t lo;
	uint64_t pa;

	if (bar < 0 || bar > 5)
		return 0;
	lo = pci_read32(pd, PCI_BAR0 + bar * 4);
	if (lo & 1)
		return 0;
	pa = lo & ~0xfu;
	if ((lo & 6) == 4 && bar < 5)
		pa |= (uint64_t)pci_read32(pd, PCI_BAR0 + bar * 4 + 4) << 32;
	return pa;
}

void
pci_enable(const struct pci_dev *pd)
{
	pci_write16(pd, PCI_COMMAND, (uint16_t)(pci_read16(pd, PCI_COMMAND) |
	    PCI_CMD_MEM | PCI_CMD_MASTER | PCI_CMD_NOINTX));
}

static int
msix_map(struct pci_dev *pd, int cap)
{
	uint32_t table = pci_read32(pd, cap + MSIX_TABLE);
	uint64_t pa = pci_bar_mem(pd, table & 7);

	if (pa == 0)
		return ENXIO;
	pd->pd_msix_count = (pci_read16(pd, cap + MSIX_CONTROL) & 0x7ff) + 1;
	pd->pd_msix = pmap_mapdev(pa + (table & ~7u),
	    (uint64_t)pd->pd_msix_count * 16);
	for (int i = 0; i < pd->pd_msix_count; i++)
		pd->pd_msix[i * 4 + 3] = 1;		/* masked */
	pci_write16(pd, cap + MSIX_CONTROL, (uint16_t)
	    ((pci_read16(pd, cap + MSIX_CONTROL) & ~MSIX_MASKALL) |
	    MSIX_ENABLE));
	return 0;
}

int
pci_msix_setup(struct pci_dev *pd, int index, int cpu, void (*fn)(void *),
    void *arg)
{
	volatile uint32_t *entry;
	uint64_t addr;
	uint32_t data;
	int cap, error;

	cap = pci_cap_next(pd, 0, PCI_CAP_MSIX);
	if (cap == 0)
		return EOPNOTSUPP;
	if (pd->pd_msix == NULL) {
		error = msix_map(pd, cap);
		if (error)
			return error;
	}
	if (index >= pd->pd_msix_count)
		return EINVAL;
	error = intr_alloc_msi(cpu, fn, arg, &addr, &data);
	if (error)
		return error;
	entry = pd->pd_msix + index * 4;
	entry[0] = (uint32_t)addr;
	entry[1] = (uint32_t)(addr >> 32);
	entry[2] = data;
	entry[3] = 0;
	return 0;
}
