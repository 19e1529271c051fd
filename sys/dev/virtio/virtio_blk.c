/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio block devices: /dev/vbd0, vbd1 ... in PCI order.
 *
 *   queued -> in flight   [vblk_start, at submit and when a slot comes free]
 *   in flight -> queued   [vblk_done, when a part of a long request is done]
 *   in flight -> done     [vblk_thread]
 *
 * VB1 vb_queue, the free slots and the ring are under vq_spin.
 * VB2 bio_driver is how much of the request is done: segments of a read or
 *     write, bytes of a discard.  A request with more segments than one table
 *     holds goes to the device in parts, one after another.
 * VB3 Completions run in the device's own thread, so that bio_done may do
 *     what threads may.
 */
#include <sys/bio.h>
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <vm/vm_page.h>
#include <dev/pci/pci.h>

#include "virtio.h"

#define BLK_F_SEG_MAX		(1ULL << 2)
#define BLK_F_RO		(1ULL << 5)
#define BLK_F_BLK_SIZE		(1ULL << 6)
#define BLK_F_FLUSH		(1ULL << 9)
#define BLK_F_DISCARD		(1ULL << 13)

enum { BLK_T_IN = 0, BLK_T_OUT = 1, BLK_T_FLUSH = 4, BLK_T_DISCARD = 11 };
enum { BLK_S_OK = 0, BLK_S_IOERR = 1, BLK_S_UNSUPP = 2 };
enum {					/* configuration space */
	BLK_C_CAPACITY	= 0,
	BLK_C_SEG_MAX	= 12,
	BLK_C_BLK_SIZE	= 20,
	BLK_C_MAX_DISCARD = 36,
};

enum { VBLK_SLOTS = 128, VBLK_SEGS = 60 };

struct vblk_discard {
	uint64_t	sector;
	uint32_t	nsectors, flags;
};

/* What the device reads and writes besides data; one page holds three. */
struct vblk_slot {
	struct vq_desc	sl_table[VBLK_SEGS + 2];
	struct {
		uint32_t type, zero;
		uint64_t sector;
	} sl_header;
	struct vblk_discard sl_discard;
	uint8_t		sl_status;
	struct bio	*sl_bio;
	uint64_t	sl_progress;	/* bio_driver when this part is done */
	struct vblk_slot *sl_next;	/* free list */
};

struct vblk {
	struct virtio_dev vb_dev;
	struct virtqueue vb_vq;
	struct disk	vb_disk;
	struct vblk_slot *vb_free;
	TAILQ_HEAD(, bio) vb_queue;
	uint32_t	vb_segs;	/* data segments in one part */
	uint64_t	vb_discard_max;	/* bytes; 0: not offered */
	bool		vb_flush;
	struct thread	*vb_thread;
};

static MALLOC_DEFINE(M_VBLK, "virtio-blk");
static int vblk_units;

static struct vq_desc *
table_add(struct vq_desc *d, const void *data, uint32_t len, uint16_t flags)
{
	d->addr = kva_to_pa(data);
	d->len = len;
	d->flags = VQD_NEXT | flags;
	return d + 1;
}

/* Fill the slot with the next part of its request; returns table entries. */
static uint32_t
slot_fill(struct vblk *vb, struct vblk_slot *sl)
{
	struct bio *bio = sl->sl_bio;
	struct vq_desc *d = sl->sl_table;
	uint64_t done = (uint64_t)bio->bio_driver, i, n;
	off_t off = bio->bio_offset;
	uint16_t dir = bio->bio_cmd == BIO_READ ? VQD_WRITE : 0;

	d = table_add(d, &sl->sl_header, sizeof(sl->sl_header), 0);
	switch (bio->bio_cmd) {
	case BIO_READ:
	case BIO_WRITE:
		sl->sl_header.type = dir ? BLK_T_IN : BLK_T_OUT;
		for (i = 0; i < done; i++)
			off += bio->bio_segs[i].bs_len;
		n = MIN(bio->bio_nsegs, done + vb->vb_segs);
		for (; i < n; i++)
			d = table_add(d, bio->bio_segs[i].bs_data,
			    bio->bio_segs[i].bs_len, dir);
		sl->sl_progress = n;
		break;
	case BIO_DISCARD:
		sl->sl_header.type = BLK_T_DISCARD;
		n = MIN(bio->bio_length - done, vb->vb_discard_max);
		sl->sl_discard.sector = ((uint64_t)off + done) / 512;
		sl->sl_discard.nsectors = (uint32_t)(n / 512);
		sl->sl_discard.flags = 0;
		d = table_add(d, &sl->sl_discard, sizeof(sl->sl_discard), 0);
		sl->sl_progress = done + n;
		off = 0;
		break;
	case BIO_FLUSH:
		sl->sl_header.type = BLK_T_FLUSH;
		sl->sl_progress = 0;
		off = 0;
		break;
	}
	sl->sl_header.zero = 0;
	sl->sl_header.sector = (uint64_t)off / 512;
	sl->sl_status = 0xff;
	d = table_add(d, &sl->sl_status, 1, VQD_WRITE);
	d[-1].flags = VQD_WRITE;
	return (uint32_t)(d - sl->sl_table);
}

/* Offer queued requests while there are slots.  vq_spin held. */
static void
vblk_start(struct vblk *vb)
{
	struct vblk_slot *sl;
	struct bio *bio;
	uint32_t n;

	while ((bio = TAILQ_FIRST(&vb->vb_queue)) != NULL &&
	    (sl = vb->vb_free) != NULL) {
		sl->sl_bio = bio;
		n = slot_fill(vb, sl);
		if (!vq_offer(&vb->vb_vq, kva_to_pa(sl->sl_table), n, sl))
			break;
		vb->vb_free = sl->sl_next;
		TAILQ_REMOVE(&vb->vb_queue, bio, bio_queue);
	}
	vq_kick(&vb->vb_vq);
}

static void
vblk_strategy(struct disk *dp, struct bio *bio)
{
	struct vblk *vb = dp->d_driver;

	if (bio->bio_cmd == BIO_FLUSH && !vb->vb_flush) {
		bio_complete(bio, 0);		/* a write through device */
		return;
	}
	if (bio->bio_cmd == BIO_DISCARD && vb->vb_discard_max == 0) {
		bio_complete(bio, EOPNOTSUPP);
		return;
	}
	bio->bio_driver = NULL;
	spin_lock(&vb->vb_vq.vq_spin);
	TAILQ_INSERT_TAIL(&vb->vb_queue, bio, bio_queue);
	vblk_start(vb);
	spin_unlock(&vb->vb_vq.vq_spin);
}

static const struct disk_ops vblk_ops = { .do_strategy = vblk_strategy };

static int
status_errno(uint8_t status)
{
	switch (status) {
	case BLK_S_OK:
		return 0;
	case BLK_S_UNSUPP:
		return EOPNOTSUPP;
	default:
		return EIO;
	}
}

/* One part is done: true if the request is, else its next part is queued. */
static bool
vblk_done(struct vblk *vb, struct vblk_slot *sl)
{
	struct bio *bio = sl->sl_bio;
	uint64_t total = 0;

	bio->bio_error = status_errno(sl->sl_status);
	bio->bio_driver = (void *)sl->sl_progress;
	sl->sl_bio = NULL;
	sl->sl_next = vb->vb_free;
	vb->vb_free = sl;
	if (bio->bio_cmd == BIO_DISCARD)
		total = bio->bio_length;
	else if (bio->bio_cmd != BIO_FLUSH)
		total = bio->bio_nsegs;
	if (bio->bio_error == 0 && sl->sl_progress < total) {
		TAILQ_INSERT_HEAD(&vb->vb_queue, bio, bio_queue);
		return false;
	}
	return true;
}

static void
vblk_thread(void *arg)
{
	struct vblk *vb = arg;
	struct vblk_slot *sl;
	struct bio *bio;
	TAILQ_HEAD(, bio) done;

	for (;;) {
		TAILQ_INIT(&done);
		tsleep_interlock(vb);
		spin_lock(&vb->vb_vq.vq_spin);
		do {
			while ((sl = vq_collect(&vb->vb_vq, NULL)) != NULL) {
				bio = sl->sl_bio;
				if (vblk_done(vb, sl))
					TAILQ_INSERT_TAIL(&done, bio,
					    bio_queue);
			}
		} while (vq_want_intr(&vb->vb_vq));
		vblk_start(vb);
		spin_unlock(&vb->vb_vq.vq_spin);
		if (TAILQ_EMPTY(&done)) {
			tsleep(vb, PINTERLOCKED, "vblk", 0);
			continue;
		}
		tsleep_remove();
		while ((bio = TAILQ_FIRST(&done)) != NULL) {
			TAILQ_REMOVE(&done, bio, bio_queue);
			bio_complete(bio, bio->bio_error);
		}
	}
}

static void
vblk_intr(void *arg)
{
	wakeup(arg);
}

static int
vblk_slots_alloc(struct vblk *vb)
{
	struct vblk_slot *sl;
	int i, j;

	for (i = 0; i < VBLK_SLOTS; i++) {
		/* A power of two, so that no slot crosses a page. */
		sl = kmalloc(roundup2(sizeof(*sl), 2048), &M_VBLK,
		    M_WAITOK | M_ZERO);
		for (j = 0; j < VBLK_SEGS + 2; j++)
			sl->sl_table[j].next = (uint16_t)(j + 1);
		sl->sl_next = vb->vb_free;
		vb->vb_free = sl;
	}
	return 0;
}

static int
vblk_configure(struct vblk *vb, struct pci_dev *pd, int cpu)
{
	struct virtio_dev *vd = &vb->vb_dev;
	struct disk *dp = &vb->vb_disk;
	int error;

	error = virtio_attach(vd, pd, VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX |
	    BLK_F_SEG_MAX | BLK_F_RO | BLK_F_BLK_SIZE | BLK_F_FLUSH |
	    BLK_F_DISCARD);
	if (error)
		return error;
	if ((vd->vd_features & VIRTIO_F_INDIRECT) == 0)
		return EOPNOTSUPP;
	error = virtio_queue_setup(vd, &vb->vb_vq, 0, VBLK_SLOTS, cpu,
	    vblk_intr, vb);
	if (error)
		return error;
	vb->vb_segs = VBLK_SEGS;
	if (vd->vd_features & BLK_F_SEG_MAX)
		vb->vb_segs = MIN(vb->vb_segs,
		    MAX(1, virtio_config32(vd, BLK_C_SEG_MAX)));
	vb->vb_flush = (vd->vd_features & BLK_F_FLUSH) != 0;
	if (vd->vd_features & BLK_F_DISCARD)
		vb->vb_discard_max =
		    512ULL * virtio_config32(vd, BLK_C_MAX_DISCARD);
	dp->d_size = 512 * virtio_config64(vd, BLK_C_CAPACITY);
	dp->d_sector = 512;
	if (vd->vd_features & BLK_F_BLK_SIZE)
		dp->d_sector = virtio_config32(vd, BLK_C_BLK_SIZE);
	dp->d_readonly = (vd->vd_features & BLK_F_RO) != 0;
	dp->d_ops = &vblk_ops;
	dp->d_driver = vb;
	return vblk_slots_alloc(vb);
}

static void
vblk_attach(struct pci_dev *pd)
{
	struct vblk *vb;
	int cpu, error;

	if (!virtio_match(pd, VIRTIO_BLK))
		return;
	vb = kmalloc(sizeof(*vb), &M_VBLK, M_WAITOK | M_ZERO);
	TAILQ_INIT(&vb->vb_queue);
	cpu = vblk_units % ncpus;
	ksnprintf(vb->vb_disk.d_name, sizeof(vb->vb_disk.d_name), "vbd%d",
	    vblk_units++);
	error = vblk_configure(vb, pd, cpu);
	if (error) {
		kprintf("%s: cannot be driven, errno %d\n",
		    vb->vb_disk.d_name, error);
		virtio_failed(&vb->vb_dev);
		return;			/* the device may know addresses of it */
	}
	error = lwkt_create(vblk_thread, vb, &vb->vb_thread, TDPRI_INT, cpu,
	    "%s", vb->vb_disk.d_name);
	if (error == 0) {
		lwkt_schedule(vb->vb_thread);
		virtio_driver_ok(&vb->vb_dev);
		kprintf("%s: virtio disk, %lu MB%s\n", vb->vb_disk.d_name,
		    vb->vb_disk.d_size >> 20,
		    vb->vb_disk.d_readonly ? ", read only" : "");
		error = disk_register(&vb->vb_disk);
	}
	if (error)
		kprintf("%s: errno %d\n", vb->vb_disk.d_name, error);
}

void	virtio_blk_init(void);

void
virtio_blk_init(void)
{
	pci_foreach(vblk_attach);
}
