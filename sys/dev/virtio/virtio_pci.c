/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI transport of virtio 1.0: register blocks by vendor capability,
 * feature negotiation, queues with MSI-X.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <vm/vm_page.h>
#include <machine/intr.h>
#include <dev/pci/pci.h>

#include "virtio.h"

enum {					/* cfg_type of a capability */
	CFG_COMMON = 1, CFG_NOTIFY, CFG_ISR, CFG_DEVICE,
};

enum {					/* common configuration */
	VC_DEV_FEATURE_SEL	= 0x00,
	VC_DEV_FEATURE		= 0x04,
	VC_DRV_FEATURE_SEL	= 0x08,
	VC_DRV_FEATURE		= 0x0c,
	VC_CONFIG_VECTOR	= 0x10,
	VC_NUM_QUEUES		= 0x12,
	VC_STATUS		= 0x14,
	VC_QUEUE_SELECT		= 0x16,
	VC_QUEUE_SIZE		= 0x18,
	VC_QUEUE_VECTOR		= 0x1a,
	VC_QUEUE_ENABLE		= 0x1c,
	VC_QUEUE_NOTIFY_OFF	= 0x1e,
	VC_QUEUE_DESC		= 0x20,
	VC_QUEUE_AVAIL		= 0x28,
	VC_QUEUE_USED		= 0x30,
};

enum { ST_ACK = 1, ST_DRIVER = 2, ST_DRIVER_OK = 4, ST_FEATURES_OK = 8,
       ST_FAILED = 128 };

static MALLOC_DEFINE(M_VIRTIO, "virtio");

static volatile uint8_t *
common8(struct virtio_dev *vd, int off)
{
	return vd->vd_common + off;
}

static volatile uint16_t *
common16(struct virtio_dev *vd, int off)
{
	return (volatile uint16_t *)(vd->vd_common + off);
}

static volatile uint32_t *
common32(struct virtio_dev *vd, int off)
{
	return (volatile uint32_t *)(vd->vd_common + off);
}

bool
virtio_match(const struct pci_dev *pd, int type)
{
	static const uint16_t transitional[] = { [VIRTIO_BLK] = 0x1001,
	    [VIRTIO_RNG] = 0x1005 };

	return pd->pd_vendor == 0x1af4 &&
	    (pd->pd_device == 0x1040 + type ||
	    pd->pd_device == transitional[type]) &&
	    pci_cap_next(pd, 0, PCI_CAP_VENDOR) != 0;
}

static volatile uint8_t *
map_block(struct pci_dev *pd, int cap)
{
	uint64_t pa = pci_bar_mem(pd, pci_read8(pd, cap + 4));
	uint32_t off = pci_read32(pd, cap + 8), len = pci_read32(pd, cap + 12);

	return pa == 0 || len == 0 || len > 1 << 20 ? NULL :
	    pmap_mapdev(pa + off, len);
}

static int
map_blocks(struct virtio_dev *vd)
{
	struct pci_dev *pd = vd->vd_pci;
	int cap;

	for (cap = pci_cap_next(pd, 0, PCI_CAP_VENDOR); cap != 0;
	    cap = pci_cap_next(pd, cap, PCI_CAP_VENDOR)) {
		switch (pci_read8(pd, cap + 3)) {
		case CFG_COMMON:
			if (vd->vd_common == NULL)
				vd->vd_common = map_block(pd, cap);
			break;
		case CFG_NOTIFY:
			if (vd->vd_notify == NULL) {
				vd->vd_notify = map_block(pd, cap);
				vd->vd_notify_mul = pci_read32(pd, cap + 16);
			}
			break;
		case CFG_DEVICE:
			if (vd->vd_config == NULL)
				vd->vd_config = map_block(pd, cap);
			break;
		}
	}
	return vd->vd_common == NULL || vd->vd_notify == NULL ? ENODEV : 0;
}

int
virtio_attach(struct virtio_dev *vd, struct pci_dev *pd, uint64_t wanted)
{
	uint64_t offered;
	int error;

	memset(vd, 0, sizeof(*vd));
	vd->vd_pci = pd;
	pci_enable(pd);
	error = map_blocks(vd);
	if (error)
		return error;
	*common8(vd, VC_STATUS) = 0;
	while (*common8(vd, VC_STATUS) != 0)
		tsleep(vd, 0, "vreset", 1000000);
	*common8(vd, VC_STATUS) = ST_ACK;
	*common8(vd, VC_STATUS) = ST_ACK | ST_DRIVER;

	*common32(vd, VC_DEV_FEATURE_SEL) = 0;
	offered = *common32(vd, VC_DEV_FEATURE);
	*common32(vd, VC_DEV_FEATURE_SEL) = 1;
	offered |= (uint64_t)*common32(vd, VC_DEV_FEATURE) << 32;
	vd->vd_features = offered & (wanted | VIRTIO_F_VERSION_1);
	if ((vd->vd_features & VIRTIO_F_VERSION_1) == 0)
		return ENODEV;
	*common32(vd, VC_DRV_FEATURE_SEL) = 0;
	*common32(vd, VC_DRV_FEATURE) = (uint32_t)vd->vd_features;
	*common32(vd, VC_DRV_FEATURE_SEL) = 1;
	*common32(vd, VC_DRV_FEATURE) = (uint32_t)(vd->vd_features >> 32);
	*common8(vd, VC_STATUS) = ST_ACK | ST_DRIVER | ST_FEATURES_OK;
	if ((*common8(vd, VC_STATUS) & ST_FEATURES_OK) == 0)
		return ENODEV;
	*common16(vd, VC_CONFIG_VECTOR) = 0xffff;
	return 0;
}

void
virtio_driver_ok(struct virtio_dev *vd)
{
	*common8(vd, VC_STATUS) |= ST_DRIVER_OK;
}

void
virtio_failed(struct virtio_dev *vd)
{
	if (vd->vd_common != NULL)
		*common8(vd, VC_STATUS) |= ST_FAILED;
}

uint16_t
virtio_queue_count(struct virtio_dev *vd)
{
	return *common16(vd, VC_NUM_QUEUES);
}

uint8_t
virtio_config8(struct virtio_dev *vd, int off)
{
	return vd->vd_config == NULL ? 0 : vd->vd_config[off];
}

uint32_t
virtio_config32(struct virtio_dev *vd, int off)
{
	return vd->vd_config == NULL ? 0 :
	    *(volatile uint32_t *)(vd->vd_config + off);
}

/* Two reads; only the capacity is so wide, and it does not change under us
 * before DRIVER_OK. */
uint64_t
virtio_config64(struct virtio_dev *vd, int off)
{
	return virtio_config32(vd, off) |
	    (uint64_t)virtio_config32(vd, off + 4) << 32;
}

int
virtio_queue_setup(struct virtio_dev *vd, struct virtqueue *vq, int number,
    uint16_t max, int cpu, void (*fn)(void *), void *arg)
{
	uint64_t desc, avail, used;
	uint16_t size, i;
	int error;

	*common16(vd, VC_QUEUE_SELECT) = (uint16_t)number;
	size = *common16(vd, VC_QUEUE_SIZE);
	if (size == 0)
		return ENXIO;
	while (size > max || (size & (size - 1)) != 0)
		size = size > max ? size / 2 : size & (size - 1);
	memset(vq, 0, sizeof(*vq));
	spin_init(&vq->vq_spin, "virtqueue");
	vq->vq_size = size;
	vq->vq_number = (uint16_t)number;
	vq->vq_event_idx = (vd->vd_features & VIRTIO_F_EVENT_IDX) != 0;
	vq->vq_desc = kmalloc(size * sizeof(struct vq_desc), &M_VIRTIO,
	    M_WAITOK | M_ZERO);
	vq->vq_avail = kmalloc(6 + 2 * size, &M_VIRTIO, M_WAITOK | M_ZERO);
	vq->vq_used = kmalloc(6 + sizeof(struct vq_used_elem) * size,
	    &M_VIRTIO, M_WAITOK | M_ZERO);
	vq->vq_owner = kmalloc(size * sizeof(void *), &M_VIRTIO,
	    M_WAITOK | M_ZERO);
	for (i = 0; i < size; i++)
		vq->vq_desc[i].next = i + 1;
	desc = kva_to_pa(vq->vq_desc);
	avail = kva_to_pa((void *)(uintptr_t)vq->vq_avail);
	used = kva_to_pa((void *)(uintptr_t)vq->vq_used);

	error = pci_msix_setup(vd->vd_pci, number, cpu, fn, arg);
	if (error)
		return error;
	*common16(vd, VC_QUEUE_SIZE) = size;
	*common16(vd, VC_QUEUE_VECTOR) = (uint16_t)number;
	if (*common16(vd, VC_QUEUE_VECTOR) != number)
		return ENXIO;
	*common32(vd, VC_QUEUE_DESC) = (uint32_t)desc;
	*common32(vd, VC_QUEUE_DESC + 4) = (uint32_t)(desc >> 32);
	*common32(vd, VC_QUEUE_AVAIL) = (uint32_t)avail;
	*common32(vd, VC_QUEUE_AVAIL + 4) = (uint32_t)(avail >> 32);
	*common32(vd, VC_QUEUE_USED) = (uint32_t)used;
	*common32(vd, VC_QUEUE_USED + 4) = (uint32_t)(used >> 32);
	vq->vq_notify = (volatile uint16_t *)(vd->vd_notify +
	    *common16(vd, VC_QUEUE_NOTIFY_OFF) * vd->vd_notify_mul);
	*common16(vd, VC_QUEUE_ENABLE) = 1;
	return 0;
}
