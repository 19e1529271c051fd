/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mountctl system call (number 0x1000), for the kernel and for programs.
 *
 *   mountctl(path, op, fd, in, out, inlen | outlen << 32)
 *
 * path is a mount point.  Returns the bytes written to out, or an errno.
 * The numbers of the operations are those of DragonFly; its structures are
 * not kept.  Only compiler headers are included here.
 */
#ifndef _SYS_MOUNTCTL_H_
#define _SYS_MOUNTCTL_H_

#include <stdint.h>

enum { SYS_MOUNTCTL = 0x1000 };

enum {
	MOUNTCTL_INSTALL	= 1,	/* fd, in: mountctl_install */
	MOUNTCTL_REMOVE		= 2,	/* in: mountctl_remove */
	MOUNTCTL_RESYNC		= 3,
	MOUNTCTL_STATUS		= 4,	/* out: mountctl_status[] */
	MOUNTCTL_RESTART	= 5,	/* fd, in: mountctl_install */
	MOUNTCTL_FLUSH		= 32,	/* in: mountctl_remove (tag) */
};

enum { MOUNTCTL_TAGLEN = 32 };		/* its NUL included */

enum {					/* mi_flags */
	MIF_UNDO	= 0x1,		/* before-images (reversable) */
	MIF_SAMEFS	= 0x2,		/* -W -X: the target may be on it */
	MIF_TWOWAY	= 0x4,
	MIF_SYNC	= 0x8,		/* fsync the target after each frame */
};

struct mountctl_install {
	char	 mi_tag[MOUNTCTL_TAGLEN];
	uint32_t mi_flags;
	uint32_t mi_wait_ms;		/* block at most so long; 0 default */
	uint64_t mi_memfifo;		/* bytes; 0 default */
	/* Where the file ends, if it is a journal already (else all zero). */
	uint64_t mi_offset;
	uint64_t mi_stream, mi_frame, mi_hash;
	uint64_t mi_opindex, mi_lastseq;
	uint64_t mi_mntseq, mi_fsid;	/* of its detach mark, or 0 */
};

struct mountctl_remove {
	char	 mr_tag[MOUNTCTL_TAGLEN];	/* empty: all of the mount */
	uint32_t mr_flags;
	uint32_t mr_pad;
};
enum { MRF_ABORT = 1 };			/* do not wait for the target */

enum mountctl_state {
	MJS_BASELINE = 1, MJS_LIVE = 2, MJS_STALLED = 3, MJS_FAILED = 4,
};

struct mountctl_status {
	char	 ms_tag[MOUNTCTL_TAGLEN];
	uint32_t ms_state;		/* enum mountctl_state */
	uint32_t ms_flags;		/* MIF_* */
	int32_t	 ms_error;		/* of the target, or 0 */
	uint32_t ms_pad;
	uint64_t ms_memfifo, ms_memused;
	uint64_t ms_lag_bytes, ms_lag_ns;
	uint64_t ms_bytes;		/* written to the target */
	uint64_t ms_ops;		/* operations recorded */
	uint64_t ms_seq_head;		/* number of the last one recorded */
	uint64_t ms_seq_acked;		/* and of the last one written */
	uint64_t ms_stalls;		/* operations that had to wait */
	uint64_t ms_lost;		/* operations in the recorded gap */
	uint64_t ms_base_seq;		/* restorable from here on */
	uint64_t ms_mapwrites;		/* flushes of mapped stores */
};

#endif
