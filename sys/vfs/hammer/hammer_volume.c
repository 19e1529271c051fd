/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Volumes: which disk is which, and I/O on zone-2 addresses.
 *
 * V1  v_ondisk of volume 0 is the header as it would be written now; what the
 *     disk holds is older until the flusher writes it.
 * V2  A zone-2 address is checked against the volume's size here, once, so
 *     that no address from the media reaches a disk outside its volume.
 */
#include <sys/disk.h>

#include "hammer_core.h"

MALLOC_DEFINE(M_HAMMER, "hammer");
MALLOC_DEFINE(M_HAMMERBUF, "hammer buffers");

/* Is this the header of a volume that we understand? */
static int
volume_check(const struct hammer_volume_ondisk *od, struct disk *disk)
{
	static const struct hammer_uuid fstype = HAMMER_FSTYPE_UUID;
	const char *bad = NULL;

	if (od->vol_signature != HAMMER_FSBUF_VOLUME)
		return EINVAL;
	if (memcmp(&od->vol_fstype, &fstype, sizeof(fstype)) != 0)
		bad = "fstype";
	else if (od->vol_version < HAMMER_VERSION_MIN ||
	    od->vol_version > HAMMER_VERSION_MAX)
		bad = "version";
	else if (od->vol_rootvol != HAMMER_ROOT_VOLNO)
		bad = "root volume";
	else if (od->vol_no < 0 || od->vol_no >= HAMMER_MAX_VOLUMES ||
	    od->vol_count < 1 || od->vol_count > HAMMER_MAX_VOLUMES)
		bad = "volume number";
	else if (od->vol_buf_beg < HAMMER_BUFSIZE ||
	    (od->vol_buf_beg & 511) != 0 ||
	    od->vol_buf_end <= od->vol_buf_beg ||
	    (uint64_t)od->vol_buf_end > disk->d_size)
		bad = "buffer area";
	if (bad == NULL)
		return 0;
	kprintf("hammer: %s: bad header: %s\n", disk->d_name, bad);
	return EINVAL;
}

/*
 * Read and check the headers of all volumes.  The CRC of volume 0 is checked
 * by recovery, which may mend it.
 */
int
hammer_volumes_open(struct hammer_mount *hmp, struct disk **disks, int n)
{
	struct hammer_volume_ondisk *od;
	struct hammer_volume *vol;
	int error, i;

	hmp->hm_vol = kmalloc(sizeof(*vol) * HAMMER_MAX_VOLUMES, &M_HAMMER,
	    M_ZERO);
	for (i = 0; i < n; i++) {
		od = kmalloc(HAMMER_BUFSIZE, &M_HAMMERBUF, 0);
		error = disk_rw(disks[i], BIO_READ, 0, od, HAMMER_BUFSIZE);
		if (error == 0)
			error = volume_check(od, disks[i]);
		if (error == 0 && hmp->hm_vol[od->vol_no].v_disk != NULL) {
			kprintf("hammer: %s: volume %d is there twice\n",
			    disks[i]->d_name, od->vol_no);
			error = EINVAL;
		}
		if (error == 0 && disks[i]->d_readonly &&
		    (hmp->hm_flags & HAMMER_MOUNT_RDONLY) == 0)
			error = EROFS;
		if (error != 0) {
			kfree(od, &M_HAMMERBUF);
			return error;
		}
		vol = &hmp->hm_vol[od->vol_no];
		vol->v_disk = disks[i];
		vol->v_ondisk = od;
		vol->v_buf_beg = (uint64_t)od->vol_buf_beg;
		vol->v_buf_size = (uint64_t)(od->vol_buf_end - od->vol_buf_beg);
		if (od->vol_no != HAMMER_ROOT_VOLNO &&
		    !hammer_crc_test_volume(od)) {
			kprintf("hammer: %s: bad header CRC\n",
			    disks[i]->d_name);
			return EIO;
		}
	}
	hmp->hm_root = hmp->hm_vol[HAMMER_ROOT_VOLNO].v_ondisk;
	if (hmp->hm_root == NULL || hmp->hm_root->vol_count != n) {
		kprintf("hammer: volumes are missing\n");
		return EINVAL;
	}
	for (i = 0; i < HAMMER_MAX_VOLUMES; i++) {
		od = hmp->hm_vol[i].v_ondisk;
		if (od != NULL && memcmp(&od->vol_fsid, &hmp->hm_root->vol_fsid,
		    sizeof(od->vol_fsid)) != 0) {
			kprintf("hammer: volume %d is of another filesystem\n",
			    i);
			return EINVAL;
		}
	}
	hmp->hm_nvols = n;
	hmp->hm_version = hmp->hm_root->vol_version;
	return 0;
}

void
hammer_volumes_close(struct hammer_mount *hmp)
{
	int i;

	if (hmp->hm_vol == NULL)
		return;
	for (i = 0; i < HAMMER_MAX_VOLUMES; i++)
		kfree(hmp->hm_vol[i].v_ondisk, &M_HAMMERBUF);
	kfree(hmp->hm_vol, &M_HAMMER);
	hmp->hm_vol = NULL;
}

int
hammer_volume_locate(struct hammer_mount *hmp, hammer_off_t off, uint64_t len,
    struct disk **diskp, off_t *offp)
{
	struct hammer_volume *vol = &hmp->hm_vol[hammer_off_vol(off)];
	uint64_t o = hammer_off_short(off);

	if (vol->v_disk == NULL || o >= vol->v_buf_size ||
	    len > vol->v_buf_size - o) {
		kprintf("hammer: address %016llx is on no volume\n",
		    (unsigned long long)off);
		return EIO;
	}
	*diskp = vol->v_disk;
	*offp = (off_t)(vol->v_buf_beg + o);
	return 0;
}

int
hammer_volume_rw(struct hammer_mount *hmp, enum bio_cmd cmd, hammer_off_t off,
    void *data, uint32_t len)
{
	struct disk *disk;
	off_t o;
	int error;

	error = hammer_volume_locate(hmp, off, len, &disk, &o);
	if (error != 0)
		return error;
	error = disk_rw(disk, cmd, o, data, len);
	if (error != 0)
		kprintf("hammer: %s: %s at %016llx: error %d\n", disk->d_name,
		    cmd == BIO_READ ? "read" : "write",
		    (unsigned long long)off, error);
	return error;
}

/* Write an image of volume 0's header, only the sectors that hold it. */
int
hammer_volume_write_header(struct hammer_mount *hmp, void *image)
{
	struct disk *disk = hmp->hm_vol[HAMMER_ROOT_VOLNO].v_disk;
	uint32_t len = roundup2((uint32_t)sizeof(*hmp->hm_root),
	    MAX(disk->d_sector, 512U));

	return disk_rw(disk, BIO_WRITE, 0, image, len);
}

int
hammer_volume_flush_all(struct hammer_mount *hmp)
{
	int error = 0, e, i, n = 0;

	for (i = 0; i < HAMMER_MAX_VOLUMES && n < hmp->hm_nvols; i++) {
		if (hmp->hm_vol[i].v_disk == NULL)
			continue;
		n++;
		e = disk_flush(hmp->hm_vol[i].v_disk);
		if (e != 0 && error == 0)
			error = e;
	}
	return error;
}
