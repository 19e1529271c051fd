/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors on request: see disk_inject() in sys/disk.h. */
#include <sys/disk.h>
#include <sys/spinlock.h>
#include "disk.h"

struct disk_injection {
	struct disk_injection *di_next;
	enum bio_cmd	 di_cmd;	/* 0: any */
	off_t		 di_start, di_end;
	int		 di_error;
	int		 di_count;	/* requests left to fail */
};

static struct spinlock inject_spin = SPINLOCK_INITIALIZER("disk inject");

void
disk_inject(struct disk *dp, enum bio_cmd cmd, off_t start, off_t end,
    int error, int count)
{
	struct disk_injection *di = NULL, *old = NULL;

	if (count > 0) {
		di = kmalloc(sizeof(*di), &M_DISK, M_WAITOK);
		*di = (struct disk_injection){ .di_cmd = cmd,
		    .di_start = start, .di_end = end, .di_error = error,
		    .di_count = count };
	}
	spin_lock(&inject_spin);
	if (di != NULL) {
		di->di_next = dp->d_inject;
		dp->d_inject = di;
	} else {
		old = dp->d_inject;
		dp->d_inject = NULL;
	}
	spin_unlock(&inject_spin);
	while (old != NULL) {
		di = old->di_next;
		kfree(old, &M_DISK);
		old = di;
	}
}

int
disk_injected(struct disk *dp, const struct bio *bio)
{
	off_t start = bio->bio_offset - dp->d_start;
	struct disk_injection *di;
	int error = 0;

	if (dp->d_inject == NULL)
		return 0;
	spin_lock(&inject_spin);
	for (di = dp->d_inject; di != NULL && error == 0; di = di->di_next) {
		if (di->di_count == 0 ||
		    (di->di_cmd != 0 && di->di_cmd != bio->bio_cmd))
			continue;
		if (bio->bio_cmd != BIO_FLUSH && (start >= di->di_end ||
		    start + (off_t)bio->bio_length <= di->di_start))
			continue;
		di->di_count--;
		error = di->di_error;
	}
	spin_unlock(&inject_spin);
	return error;
}
