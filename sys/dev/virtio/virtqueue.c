/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Split virtqueues, with indirect tables and event indices.
 *
 *   avail: flags, idx, ring[size], used_event     we write
 *   used:  flags, idx, {id, len}[size], avail_event   the device writes
 *
 * Indices run freely modulo 2^16.  Event indices say how far the other side
 * wants to get before it is told; a fence between publishing an index and
 * reading the other's event closes the race.
 */
#include <sys/atomic.h>
#include <sys/systm.h>

#include "virtio.h"

bool
vq_offer(struct virtqueue *vq, uint64_t table_pa, uint32_t nentries,
    void *owner)
{
	uint16_t id = vq->vq_free;
	struct vq_desc *d;

	if (id == vq->vq_size)
		return false;
	d = &vq->vq_desc[id];
	vq->vq_free = d->next;
	d->addr = table_pa;
	d->len = nentries * (uint32_t)sizeof(struct vq_desc);
	d->flags = VQD_INDIRECT;
	vq->vq_owner[id] = owner;
	vq->vq_avail[2 + (vq->vq_avail_idx & (vq->vq_size - 1))] = id;
	vq->vq_avail_idx++;
	return true;
}

void
vq_kick(struct virtqueue *vq)
{
	uint16_t event, new = vq->vq_avail_idx, old = vq->vq_kicked_idx;
	bool tell;

	if (new == old)
		return;
	atomic_store_rel(&vq->vq_avail[1], new);
	vq->vq_kicked_idx = new;
	atomic_fence();
	if (vq->vq_event_idx) {
		event = vq->vq_used[2 + vq->vq_size * 4];
		tell = (uint16_t)(new - event - 1) < (uint16_t)(new - old);
	} else
		tell = (vq->vq_used[0] & 1) == 0;
	if (tell)
		*vq->vq_notify = vq->vq_number;
}

void *
vq_collect(struct virtqueue *vq, uint32_t *lenp)
{
	volatile struct vq_used_elem *ue;
	uint32_t id;
	void *owner;

	if (atomic_load_acq(&vq->vq_used[1]) == vq->vq_used_idx)
		return NULL;
	ue = (volatile struct vq_used_elem *)(uintptr_t)&vq->vq_used[2] +
	    (vq->vq_used_idx & (vq->vq_size - 1));
	vq->vq_used_idx++;
	id = ue->id;
	if (id >= vq->vq_size || vq->vq_owner[id] == NULL) {
		kprintf("virtio: the device returned descriptor %u, "
		    "which it does not have\n", id);
		return vq_collect(vq, lenp);
	}
	owner = vq->vq_owner[id];
	vq->vq_owner[id] = NULL;
	vq->vq_desc[id].next = vq->vq_free;
	vq->vq_free = (uint16_t)id;
	if (lenp != NULL)
		*lenp = ue->len;
	return owner;
}

bool
vq_want_intr(struct virtqueue *vq)
{
	if (vq->vq_event_idx)
		vq->vq_avail[2 + vq->vq_size] = vq->vq_used_idx;
	atomic_fence();
	return vq->vq_used[1] != vq->vq_used_idx;
}
