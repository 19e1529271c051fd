/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing a filesystem up and down.
 */
#include <sys/disk.h>
#include <sys/param.h>
#include <vm/vm_page.h>

#include "hammer_core.h"

static void
mount_free(struct hammer_mount *hmp)
{
	struct hammer_freed *fr;

	hammer_buffers_destroy(hmp);
	while ((fr = TAILQ_FIRST(&hmp->hm_freed)) != NULL) {
		TAILQ_REMOVE(&hmp->hm_freed, fr, fr_list);
		kfree(fr, &M_HAMMER);
	}
	if (hmp->hm_data != NULL)
		hammer_waiter_finish(hmp->hm_data);
	if (hmp->hm_place != NULL)
		hammer_waiter_finish(hmp->hm_place);
	hammer_volumes_close(hmp);
	kfree(hmp->hm_hdrimage, &M_HAMMERBUF);
	kfree(hmp->hm_log, &M_HAMMER);
	kfree(hmp, &M_HAMMER);
}

/* What the rest of the core relies on in the header. */
static int
header_check(struct hammer_mount *hmp)
{
	const struct hammer_volume_ondisk *od = hmp->hm_root;
	const char *bad = NULL;
	int i;

	if (hammer_off_zone(od->vol0_btree_root) != HAMMER_ZONE_BTREE)
		bad = "B-Tree root";
	for (i = HAMMER_ZONE_BTREE; i <= HAMMER_ZONE_SMALL_DATA; i++) {
		if (!hammer_crc_test_blockmap(hmp->hm_version,
		    &od->vol0_blockmap[i]))
			bad = "zone";
	}
	if (bad == NULL)
		return 0;
	kprintf("hammer: %s: bad header: %s\n", od->vol_label, bad);
	return EIO;
}

/* A sixteenth of the memory, 8 to 128 MB of buffers. */
static uint32_t
cache_size(void)
{
	uint64_t n = vm_pages_total * PAGE_SIZE / 16 / HAMMER_BUFSIZE;

	return (uint32_t)MIN(MAX(n, 512ULL), 8192ULL);
}

int
hammer_core_mount(struct disk **disks, int ndisks, uint32_t flags,
    struct hammer_mount **hmpp)
{
	struct hammer_mount *hmp;
	int error;

	if (ndisks < 1 || ndisks > HAMMER_MAX_VOLUMES)
		return EINVAL;
	hmp = kmalloc(sizeof(*hmp), &M_HAMMER, M_ZERO);
	lock_init(&hmp->hm_lock, "hammer");
	hmp->hm_flags = flags;
	hmp->hm_maxbufs = cache_size();
	TAILQ_INIT(&hmp->hm_freed);
	hammer_buffers_init(hmp);
	error = hammer_volumes_open(hmp, disks, ndisks);
	if (error == 0)
		error = hammer_fifo_init(hmp);
	if (error == 0) {
		hammer_flusher_init(hmp);
		error = hammer_recover(hmp);
	}
	if (error == 0)
		error = header_check(hmp);
	if (error == 0)
		error = hammer_freemap_init(hmp);
	if (error == 0 && !(flags & HAMMER_MOUNT_RDONLY)) {
		if (hmp->hm_hdrdirty)
			error = hammer_recover_finish(hmp);
		if (error == 0)
			error = hammer_flusher_start(hmp);
	}
	if (error != 0) {
		mount_free(hmp);
		return error;
	}
	hmp->hm_tid = hmp->hm_root->vol0_next_tid - 1;
	hmp->hm_committed = hmp->hm_tid;
	hammer_space_publish(hmp);
	*hmpp = hmp;
	return 0;
}

/* Everything durable and clean; the flusher is not running. */
static int
quiesce(struct hammer_mount *hmp)
{
	int error;

	hammer_flusher_stop(hmp);
	error = hammer_flush_group(hmp);
	if (error == 0 && !hmp->hm_clean)
		error = hammer_make_clean(hmp);
	return error;
}

int
hammer_core_unmount(struct hammer_mount *hmp)
{
	int error = 0;

	if (!(hmp->hm_flags & HAMMER_MOUNT_RDONLY))
		error = quiesce(hmp);
	if (hmp->hm_neager > 0 || hmp->hm_place != NULL)
		kprintf("hammer: unmounted after a write error\n");
	mount_free(hmp);
	return error;
}

int
hammer_core_remount(struct hammer_mount *hmp, uint32_t flags)
{
	bool was = (hmp->hm_flags & HAMMER_MOUNT_RDONLY) != 0;
	bool will = (flags & HAMMER_MOUNT_RDONLY) != 0;
	int error = 0, i;

	if (was == will)
		return 0;
	if (will) {
		lock_excl(&hmp->hm_lock);
		hmp->hm_flags |= HAMMER_MOUNT_RDONLY;
		lock_release(&hmp->hm_lock);
		return quiesce(hmp);
	}
	for (i = 0; i < HAMMER_MAX_VOLUMES; i++) {
		if (hmp->hm_vol[i].v_disk != NULL &&
		    hmp->hm_vol[i].v_disk->d_readonly)
			return EROFS;
	}
	if (hmp->hm_hdrdirty)
		error = hammer_recover_finish(hmp);
	if (error == 0)
		error = hammer_flusher_start(hmp);
	if (error == 0) {
		lock_excl(&hmp->hm_lock);
		hmp->hm_flags &= ~(uint32_t)HAMMER_MOUNT_RDONLY;
		lock_release(&hmp->hm_lock);
	}
	return error;
}

bool
hammer_is_rdonly(const struct hammer_mount *hmp)
{
	return (hmp->hm_flags & HAMMER_MOUNT_RDONLY) != 0;
}

const struct hammer_uuid *
hammer_fsid(const struct hammer_mount *hmp)
{
	return &hmp->hm_root->vol_fsid;
}

const char *
hammer_label(const struct hammer_mount *hmp)
{
	return hmp->hm_root->vol_label;
}

uint32_t
hammer_version(const struct hammer_mount *hmp)
{
	return hmp->hm_version;
}

int
hammer_volume_count(const struct hammer_mount *hmp)
{
	return hmp->hm_nvols;
}

void *
hammer_private(const struct hammer_mount *hmp)
{
	return hmp->hm_private;
}

void
hammer_set_private(struct hammer_mount *hmp, void *p)
{
	hmp->hm_private = p;
}

void
hammer_space(struct hammer_mount *hmp, struct hammer_space *hs)
{
	uint64_t free = __atomic_load_n(&hmp->hm_pubfree, __ATOMIC_RELAXED);

	memset(hs, 0, sizeof(*hs));
	hs->hs_total = (uint64_t)hmp->hm_root->vol0_stat_bigblocks *
	    HAMMER_BIGBLOCK_SIZE;
	hs->hs_free = free * HAMMER_BIGBLOCK_SIZE;
	hs->hs_avail = free > hmp->hm_reserve ?
	    (free - hmp->hm_reserve) * HAMMER_BIGBLOCK_SIZE : 0;
	hs->hs_reserved = hmp->hm_reserve * HAMMER_BIGBLOCK_SIZE;
	hs->hs_inodes = __atomic_load_n(&hmp->hm_pubinodes, __ATOMIC_RELAXED);
}
