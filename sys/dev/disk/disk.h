/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to dev/disk: what its files call of each other. */
#ifndef _DEV_DISK_DISK_H_
#define _DEV_DISK_DISK_H_

#include <sys/disk.h>
#include <sys/malloc.h>

MALLOC_DECLARE(M_DISK);

extern struct lock disks_lock;

void	disk_init(void);		/* init_main.c */

/* disk.c: a device node is opened for writing (EBUSY, EROFS), and closed. */
int	disk_writer_add(struct disk *);
void	disk_writer_remove(struct disk *);

/* disk_slice.c: find the slices of a whole disk and hand each to fn.  Only
 * what lies inside the disk and overlaps nothing before it is reported.
 * Blocks (reads).  EIO. */
int	disk_slices_probe(struct disk *, void (*fn)(struct disk *whole,
	    int number, off_t start, uint64_t size));

/* disk_dev.c: the device node of a disk.  Blocks. */
int	disk_dev_create(struct disk *);
void	disk_dev_destroy(struct disk *);

/* disk_inject.c: the errno that a request shall fail with, or 0. */
int	disk_injected(struct disk *, const struct bio *);

#endif
