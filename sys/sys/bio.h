/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block I/O requests: the only thing that core and filesystems know of disks.
 *
 * A bio is sent with bio_submit(); its bio_done runs once, in a thread of the
 * disk layer or in the caller (never in a hard interrupt), and may submit
 * more.  Requests are unordered; BIO_FLUSH makes every write that completed
 * before it was submitted durable.
 */
#ifndef _SYS_BIO_H_
#define _SYS_BIO_H_

#include <sys/queue.h>
#include <sys/types.h>

struct disk;

enum bio_cmd { BIO_READ = 1, BIO_WRITE, BIO_FLUSH, BIO_DISCARD };

/* A piece of kernel memory; scattered data is a vector of them. */
struct bio_seg {
	void		*bs_data;	/* kernel virtual, physically contiguous */
	uint32_t	 bs_len;	/* bytes, multiple of 512 */
};

enum { BIO_INLINE_SEGS = 4 };

struct bio {
	TAILQ_ENTRY(bio) bio_queue;	/* whoever has it */
	enum bio_cmd	 bio_cmd;
	struct disk	*bio_disk;
	off_t		 bio_offset;	/* bytes, multiple of 512 */
	uint64_t	 bio_length;	/* bytes = sum of segments */
	struct bio_seg	*bio_segs;
	uint32_t	 bio_nsegs;
	int		 bio_error;	/* out: 0 or errno */
	void		(*bio_done)(struct bio *);
	void		*bio_caller1;
	void		*bio_caller2;
	void		*bio_driver;	/* the driver's while it has it */
	struct bio	*bio_parent;	/* split requests, the disk layer's */
	struct bio_seg	 bio_inline[BIO_INLINE_SEGS];
};

/* Set up for one contiguous buffer (data NULL and len 0 for a flush). */
void	bio_init(struct bio *, struct disk *, enum bio_cmd, off_t offset,
	    void *data, size_t len);
/* Never blocks for the I/O.  Range errors complete with EINVAL or EIO. */
void	bio_submit(struct bio *);
/* Submit and sleep until done; returns bio_error.  Blocks. */
int	bio_wait(struct bio *);
/* One synchronous request.  data: any kernel memory. */
int	disk_rw(struct disk *, enum bio_cmd, off_t offset, void *data,
	    size_t len);
int	disk_flush(struct disk *);

#endif
