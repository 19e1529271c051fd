/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects: the pages of one file, or of shared memory, by index.
 *
 * B1  Membership (index, m_object) changes only with the page busy and
 *     vo_spin held; so either of the two keeps a page where it is.
 * B2  DIRTY changes only with the page busy, through mark_dirty and
 *     mark_clean, which keep vo_ndirty, *vo_charge and the index's dirty
 *     marks true.
 * B3  Every page of an object is on the LRU (vm_lru.c).
 * B4  Order: page busy, then vo_spin.  Waiting for a busy page holds nothing.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <vm/vm_lru.h>
#include <vm/vm_object.h>
#include <vm/vm_radix.h>

static MALLOC_DEFINE(M_VMOBJECT, "vm object");

void (*vm_object_vnode_ref)(struct vnode *);
void (*vm_object_vnode_rele)(struct vnode *);
void (*vm_object_unmap_hook)(struct vm_object *, vm_pindex_t, vm_pindex_t);
void (*vm_object_wrprotect_hook)(struct vm_object *, vm_pindex_t, vm_pindex_t);

struct vm_object *
vm_object_alloc(enum vm_object_type type, struct vnode *vp)
{
	struct vm_object *vo;

	vo = kmalloc(sizeof(*vo), &M_VMOBJECT, M_WAITOK | M_ZERO);
	spin_init(&vo->vo_spin, "vmobj");
	vo->vo_type = type;
	vo->vo_refs = 1;
	vo->vo_vnode = vp;
	LIST_INIT(&vo->vo_mappings);
	return vo;
}

void
vm_object_ref(struct vm_object *vo)
{
	atomic_fetch_add(&vo->vo_refs, 1);
	if (vo->vo_vnode != NULL)
		vm_object_vnode_ref(vo->vo_vnode);
}

/* Blocks: the last reference frees the pages, a vnode may become inactive. */
void
vm_object_rele(struct vm_object *vo)
{
	struct vnode *vp = vo->vo_vnode;

	if (atomic_fetch_sub(&vo->vo_refs, 1) > 1) {
		if (vp != NULL)
			vm_object_vnode_rele(vp);
		return;
	}
	vm_object_truncate(vo, 0);
	KKASSERT(vo->vo_npages == 0);
	kfree(vo, &M_VMOBJECT);
}

void
vm_object_wait_busy(struct vm_object *vo, struct vm_page *pg)
{
	tsleep_interlock(pg);
	vm_page_setflags(pg, VMP_WANTED, 0);
	if (atomic_load(&pg->m_flags) & VMP_BUSY) {
		spin_unlock(&vo->vo_spin);
		tsleep(pg, PINTERLOCKED, "vmbusy", 0);
	} else {
		spin_unlock(&vo->vo_spin);
		tsleep_remove();
	}
}

struct vm_page *
vm_object_get_valid(struct vm_object *vo, vm_pindex_t idx)
{
	struct vm_page *pg;
	uint32_t flags;

	spin_lock(&vo->vo_spin);
	pg = vm_radix_lookup(vo->vo_pages, idx);
	if (pg != NULL) {
		flags = atomic_load_relaxed(&pg->m_flags);
		/* A page under writeback is busy, but its contents stand. */
		if ((flags & VMP_VALID) == 0 ||
		    (flags & (VMP_BUSY | VMP_WRITEBACK)) == VMP_BUSY)
			pg = NULL;
		else
			vm_page_wire(pg);
	}
	spin_unlock(&vo->vo_spin);
	if (pg != NULL && (flags & VMP_ACTIVE) == 0)
		vm_page_setflags(pg, VMP_ACTIVE, 0);
	return pg;
}

/* Find busied, waiting for a busy holder; NULL with vo_spin held if absent. */
static struct vm_page *
lookup_busy_locked(struct vm_object *vo, vm_pindex_t idx)
{
	struct vm_page *pg;

	for (;;) {
		pg = vm_radix_lookup(vo->vo_pages, idx);
		if (pg == NULL)
			return NULL;
		if (vm_page_trybusy(pg)) {
			spin_unlock(&vo->vo_spin);
			return pg;
		}
		vm_object_wait_busy(vo, pg);
		spin_lock(&vo->vo_spin);
	}
}

struct vm_page *
vm_object_lookup_busy(struct vm_object *vo, vm_pindex_t idx)
{
	struct vm_page *pg;

	spin_lock(&vo->vo_spin);
	pg = lookup_busy_locked(vo, idx);
	if (pg == NULL)
		spin_unlock(&vo->vo_spin);
	return pg;
}

struct vm_page *
vm_object_grab(struct vm_object *vo, vm_pindex_t idx, int flags)
{
	struct vm_radix_spare spare = { NULL };
	struct vm_page *pg, *fresh = NULL;
	int error;

	for (;;) {
		spin_lock(&vo->vo_spin);
		if (flags & VPA_NOWAIT) {
			pg = vm_radix_lookup(vo->vo_pages, idx);
			if (pg != NULL) {
				if (!vm_page_trybusy(pg))
					pg = NULL;
				spin_unlock(&vo->vo_spin);
				break;
			}
		} else {
			pg = lookup_busy_locked(vo, idx);
			if (pg != NULL)
				break;
		}
		if (fresh == NULL) {
			spin_unlock(&vo->vo_spin);
			fresh = vm_page_alloc(flags);
			if (fresh == NULL)
				break;
			continue;
		}
		fresh->m_object = vo;
		fresh->m_pindex = idx;
		vm_page_setflags(fresh, VMP_BUSY | VMP_ACTIVE, 0);
		error = vm_radix_insert(&vo->vo_pages, idx, fresh, &spare);
		if (error == 0) {
			vo->vo_npages++;
			spin_unlock(&vo->vo_spin);
			vm_lru_insert(fresh);
			pg = fresh;
			fresh = NULL;
			break;
		}
		spin_unlock(&vo->vo_spin);
		fresh->m_object = NULL;
		vm_page_setflags(fresh, 0, VMP_BUSY | VMP_ACTIVE);
		if (flags & VPA_NOWAIT)
			break;
		vm_radix_buy(&spare);
	}
	if (fresh != NULL)
		vm_page_free(fresh);
	if (spare.rs_list != NULL)
		vm_radix_spare_free(&spare);
	return pg;
}

struct vm_page *
vm_object_next_dirty(struct vm_object *vo, vm_pindex_t start, vm_pindex_t end)
{
	struct vm_page *pg;

	for (;;) {
		spin_lock(&vo->vo_spin);
		pg = vm_radix_next(vo->vo_pages, start, true);
		if (pg == NULL || pg->m_pindex >= end) {
			spin_unlock(&vo->vo_spin);
			return NULL;
		}
		if (vm_page_trybusy(pg)) {
			spin_unlock(&vo->vo_spin);
			return pg;
		}
		vm_object_wait_busy(vo, pg);
	}
}

void
vm_object_mark_dirty(struct vm_object *vo, struct vm_page *pg)
{
	KKASSERT(pg->m_object == vo && (vm_page_flags(pg) & VMP_BUSY));
	if (vm_page_flags(pg) & VMP_DIRTY)
		return;
	spin_lock(&vo->vo_spin);
	vm_page_setflags(pg, VMP_DIRTY, 0);
	vm_radix_set_dirty(vo->vo_pages, pg->m_pindex, true);
	atomic_store_relaxed(&vo->vo_ndirty, vo->vo_ndirty + 1);
	if (vo->vo_charge != NULL)
		atomic_fetch_add(vo->vo_charge, 1);
	spin_unlock(&vo->vo_spin);
}

static void
mark_clean_locked(struct vm_object *vo, struct vm_page *pg)
{
	vm_page_setflags(pg, 0, VMP_DIRTY);
	vm_radix_set_dirty(vo->vo_pages, pg->m_pindex, false);
	atomic_store_relaxed(&vo->vo_ndirty, vo->vo_ndirty - 1);
	if (vo->vo_charge != NULL)
		atomic_fetch_sub(vo->vo_charge, 1);
}

void
vm_object_mark_clean(struct vm_object *vo, struct vm_page *pg)
{
	KKASSERT(pg->m_object == vo && (vm_page_flags(pg) & VMP_BUSY));
	if ((vm_page_flags(pg) & VMP_DIRTY) == 0)
		return;
	spin_lock(&vo->vo_spin);
	mark_clean_locked(vo, pg);
	spin_unlock(&vo->vo_spin);
}

void
vm_object_remove(struct vm_object *vo, struct vm_page *pg)
{
	KKASSERT(pg->m_object == vo && (vm_page_flags(pg) & VMP_BUSY));
	if ((vm_page_flags(pg) & VMP_MAPPED) && vm_object_unmap_hook != NULL)
		vm_object_unmap_hook(vo, pg->m_pindex, pg->m_pindex + 1);
	vm_lru_remove(pg);
	spin_lock(&vo->vo_spin);
	if (vm_page_flags(pg) & VMP_DIRTY)
		mark_clean_locked(vo, pg);
	vm_radix_remove(&vo->vo_pages, pg->m_pindex);
	vo->vo_npages--;
	/* Nobody finds it any more; a wire taken before may still be there,
	 * and the one who drops it frees the page. */
	vm_page_wire(pg);
	pg->m_object = NULL;
	spin_unlock(&vo->vo_spin);
	vm_page_setflags(pg, 0, VMP_VALID | VMP_ACTIVE | VMP_MAPPED |
	    VMP_WRITEBACK);
	vm_page_unbusy(pg);
	vm_page_setflags(pg, VMP_ORPHAN, 0);
	vm_page_unwire(pg);
}

void
vm_object_truncate(struct vm_object *vo, vm_pindex_t start)
{
	struct vm_page *pg;

	if (vm_object_unmap_hook != NULL && !LIST_EMPTY(&vo->vo_mappings))
		vm_object_unmap_hook(vo, start, ~(vm_pindex_t)0);
	for (;;) {
		spin_lock(&vo->vo_spin);
		pg = vm_radix_next(vo->vo_pages, start, false);
		if (pg == NULL) {
			spin_unlock(&vo->vo_spin);
			return;
		}
		if (!vm_page_trybusy(pg)) {
			vm_object_wait_busy(vo, pg);
			continue;
		}
		spin_unlock(&vo->vo_spin);
		vm_object_remove(vo, pg);
	}
}
