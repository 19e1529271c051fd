/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI devices: found once at boot, never removed.  Drivers walk the list with
 * pci_foreach() and take what they know.
 */
#ifndef _DEV_PCI_PCI_H_
#define _DEV_PCI_PCI_H_

#include <sys/queue.h>
#include <sys/types.h>

struct pci_dev {
	uint8_t		 pd_bus, pd_slot, pd_func;
	uint16_t	 pd_vendor, pd_device;
	uint8_t		 pd_class, pd_subclass, pd_progif, pd_revision;
	volatile uint32_t *pd_msix;	/* table, once mapped */
	int		 pd_msix_count;
	TAILQ_ENTRY(pci_dev) pd_list;
};

enum {
	PCI_COMMAND	= 0x04,
	PCI_STATUS	= 0x06,
	PCI_BAR0	= 0x10,
	PCI_CAP_PTR	= 0x34,

	PCI_CMD_MEM	= 0x0002,
	PCI_CMD_MASTER	= 0x0004,
	PCI_CMD_NOINTX	= 0x0400,

	PCI_CAP_VENDOR	= 0x09,
	PCI_CAP_MSIX	= 0x11,
};

void	pci_init(void);			/* find everything; blocks */
void	pci_foreach(void (*fn)(struct pci_dev *));

uint8_t	pci_read8(const struct pci_dev *, int reg);
uint16_t pci_read16(const struct pci_dev *, int reg);
uint32_t pci_read32(const struct pci_dev *, int reg);
void	pci_write16(const struct pci_dev *, int reg, uint16_t);
void	pci_write32(const struct pci_dev *, int reg, uint32_t);

/* Offset of the capability after the given one (0: from the start), or 0. */
int	pci_cap_next(const struct pci_dev *, int after, uint8_t id);
/* Physical address of a memory BAR, or 0. */
uint64_t pci_bar_mem(const struct pci_dev *, int bar);
/* Memory decoding and bus mastering on, INTx off. */
void	pci_enable(const struct pci_dev *);

/* Vector `index' of the MSI-X table calls fn(arg) on the CPU, as
 * <machine/intr.h> says.  EOPNOTSUPP: the device has no MSI-X. */
int	pci_msix_setup(struct pci_dev *, int index, int cpu,
	    void (*fn)(void *), void *arg);

#endif
