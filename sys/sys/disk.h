/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disk layer: drivers register whole disks here, it finds the slices and
 * publishes every one as a block device.  dev/disk/.
 */
#ifndef _SYS_DISK_H_
#define _SYS_DISK_H_

#include <sys/bio.h>
#include <sys/types.h>

struct cdev;
struct disk_injection;

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
	TAILQ_ENTRY(disk) d_list;	/* [disks lock] */
	int		 d_claims;	/* [disks lock] own and of slices/whole */
	int		 d_writers;	/* [disks lock] opens for writing */
	int		 d_slice;	/* I 0 whole, else slice number */
	struct disk_injection *d_inject; /* [inject spin] or NULL */
	struct cdev	*d_cdev;	/* I its node */
};

/* Driver side.  After disk_register the disk can be used; slices are probed
 * and devices made (dev_register) by it.  Blocks. */
int	disk_register(struct disk *);
void	disk_unregister(struct disk *);
void	bio_complete(struct bio *, int error);

/* Probe the slices of a whole disk anew (nothing of it may be open or claimed:
 * EBUSY).  Blocks. */
int	disk_reprobe(struct disk *);

/*
 * A filesystem claims what it is mounted on: a second claim of the disk, of
 * its whole, or of one of its slices is EBUSY, and so is opening the device
 * for writing.
 */
int	disk_claim(struct disk *);
void	disk_unclaim(struct disk *);

/*
 * Errors on request, for tests: the next count requests of this command (0:
 * any) that touch [start, end) fail with error.  count 0 takes all
 * injections of the disk back.
 */
void	disk_inject(struct disk *, enum bio_cmd, off_t start, off_t end,
	    int error, int count);

/* In order of registration, slices after their disk; fn != 0 stops. */
int	disk_foreach(int (*fn)(struct disk *, void *), void *arg);

/* User side: by name ("vbd0s1"), a reference until disk_put(). */
int	disk_get(const char *name, struct disk **);
void	disk_put(struct disk *);

#endif
