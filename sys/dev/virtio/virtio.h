/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio 1.0 devices on PCI, and their split virtqueues.
 *
 * VQ1 Everything in a struct virtqueue is under vq_spin.
 * VQ2 A request occupies one descriptor, which points to an indirect table
 *     that its owner keeps until it comes back from vq_collect().
 */
#ifndef _DEV_VIRTIO_VIRTIO_H_
#define _DEV_VIRTIO_VIRTIO_H_

#include <sys/spinlock.h>
#include <sys/types.h>

struct pci_dev;

enum {					/* device types */
	VIRTIO_BLK	= 2,
	VIRTIO_RNG	= 4,
};

#define VIRTIO_F_INDIRECT	(1ULL << 28)
#define VIRTIO_F_EVENT_IDX	(1ULL << 29)
#define VIRTIO_F_VERSION_1	(1ULL << 32)

struct vq_desc {
	uint64_t	addr;		/*  0 */
	uint32_t	len;		/*  8 */
	uint16_t	flags;		/* 12 */
	uint16_t	next;		/* 14 */
};
_Static_assert(sizeof(struct vq_desc) == 16, "device layout");
enum { VQD_NEXT = 1, VQD_WRITE = 2, VQD_INDIRECT = 4 };

struct vq_used_elem {
	uint32_t	id, len;
};

struct virtqueue {
	struct spinlock	vq_spin;
	uint16_t	vq_size;	/* I power of two */
	uint16_t	vq_free;	/* first free descriptor, or vq_size */
	uint16_t	vq_avail_idx;	/* next to offer */
	uint16_t	vq_kicked_idx;	/* offered when the device was told */
	uint16_t	vq_used_idx;	/* next to collect */
	bool		vq_event_idx;	/* I */
	struct vq_desc	*vq_desc;
	volatile uint16_t *vq_avail;	/* flags, idx, ring[], used_event */
	volatile uint16_t *vq_used;	/* flags, idx, elem[], avail_event */
	volatile uint16_t *vq_notify;	/* I where to tell */
	uint16_t	vq_number;	/* I */
	void		**vq_owner;	/* by descriptor */
};

struct virtio_dev {
	struct pci_dev	*vd_pci;
	volatile uint8_t *vd_common, *vd_config, *vd_notify;
	uint32_t	vd_notify_mul;
	uint64_t	vd_features;	/* negotiated */
};

/* Is it a virtio device of that type, with a modern interface? */
bool	virtio_match(const struct pci_dev *, int type);
/* Reset, and agree on features: wanted ones that the device offers, and
 * VERSION_1, without which it is ENODEV.  Blocks. */
int	virtio_attach(struct virtio_dev *, struct pci_dev *, uint64_t wanted);
/* Make queue `number', at most max entries, whose interrupt calls fn(arg). */
int	virtio_queue_setup(struct virtio_dev *, struct virtqueue *, int number,
	    uint16_t max, int cpu, void (*fn)(void *), void *arg);
void	virtio_driver_ok(struct virtio_dev *);
void	virtio_failed(struct virtio_dev *);
uint16_t virtio_queue_count(struct virtio_dev *);

uint8_t	virtio_config8(struct virtio_dev *, int off);
uint32_t virtio_config32(struct virtio_dev *, int off);
uint64_t virtio_config64(struct virtio_dev *, int off);

/* All four with vq_spin held.  Offer a table; false when the ring is full. */
bool	vq_offer(struct virtqueue *, uint64_t table_pa, uint32_t nentries,
	    void *owner);
/* Tell the device about offers, if it wants to know. */
void	vq_kick(struct virtqueue *);
/* The owner of a request that is done, or NULL. */
void	*vq_collect(struct virtqueue *, uint32_t *lenp);
/* Ask for an interrupt at the next one; true if there is one already. */
bool	vq_want_intr(struct virtqueue *);

#endif
