/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disk layer: drivers register whole disks here, it finds the slices and
 * publishes every one as a block device.  dev/disk/.
 */
#ifndef _SYS_DISK_H_
#define _SYS_DISK_H_

#include <sys/bio.h>
#include <sys/types.h>

struct disk_ops {
	/* Start the request; later call bio_complete(bio, error). */
	void	(*do_strategy)(struct disk *, struct bio *);
};

struct disk {
	char		 d_name[16];	/* "vbd0", "vbd0s1" */
	uint64_t	 d_size;	/* bytes */
	uint32_t	 d_sector;	/* bytes, 512 or 4096 */
	bool		 d_readonly;
	const struct disk_ops *d_ops;
	void		*d_driver;	/* the driver's */
	struct disk	*d_whole;	/* NULL if this is the whole disk */
	off_t		 d_start;	/* slice start on the whole disk, bytes */
	dev_t		 d_dev;
	uint32_t	 d_refs;	/* [a] opens */
	/* [a] statistics */
	uint64_t	 d_reads, d_writes, d_flushes;
	uint64_t	 d_read_bytes, d_write_bytes, d_errors;
	TAILQ_ENTRY(disk) d_list;
};

/* Driver side.  After disk_register the disk can be used; slices are probed
 * and devices made (dev_register) by it.  Blocks. */
int	disk_register(struct disk *);
void	disk_unregister(struct disk *);
void	bio_complete(struct bio *, int error);

/* User side: by name ("vbd0s1"), a reference until disk_put(). */
int	disk_get(const char *name, struct disk **);
void	disk_put(struct disk *);

#endif
