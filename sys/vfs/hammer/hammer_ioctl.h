/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs ask a mounted HAMMER: ioctl(2) on any of its files.
 *
 * Every structure is whole: it holds no pointer, so that the same bytes work
 * from a guest program, from the hosted kernel and through a message.  Numbers
 * 1..28 are those of the original for the same question; 0x80 and above are
 * ours.  Shared by the kernel, sbin/hammer, usr.bin/undo and regress.
 *
 * I1  Lists are read in pieces: an `in` cursor that is zero at first, `count`
 *     and the cursor of the next call as results; HAMMER_IOC_EOF in
 *     head.flags when nothing follows.
 */
#ifndef _HAMMER_IOCTL_H_
#define _HAMMER_IOCTL_H_

#include <stdint.h>

#define HAMMER_IOC_(dir, nr, type) \
	(((uint64_t)(dir) << 30) | ((uint64_t)sizeof(type) << 16) | \
	 ((uint64_t)'h' << 8) | (nr))
#define HAMMER_IOWR(nr, type)	HAMMER_IOC_(3, nr, type)

struct hammer_ioc_head {
	uint32_t	flags;		/*  0 HAMMER_IOC_* */
	int32_t		error;		/*  4 errno of the item that failed */
	uint32_t	reserved[4];	/*  8 */
};

enum {
	HAMMER_IOC_EOF		= 0x0008,	/* no more entries */
	HAMMER_IOC_ATKEY	= 0x0001,	/* history of one key */
};

/*
 * HISTORY: TIDs of the versions of this object's inode in [beg, end), oldest
 * first; with HAMMER_IOC_ATKEY of the data block that covers byte offset
 * `key`, and nxt_key is then the offset where the next block begins.
 */
enum { HAMMER_MAX_HISTORY = 64 };

struct hammer_ioc_hist_entry {
	uint64_t	tid;
	uint32_t	time32;		/* seconds since 1970 */
	uint32_t	deleted;	/* this TID ended the object or block */
};

struct hammer_ioc_history {
	struct hammer_ioc_head head;
	int64_t		obj_id;		/* out */
	uint64_t	beg_tid;	/* in: cursor */
	uint64_t	nxt_tid;	/* out: the next call's beg_tid */
	uint64_t	end_tid;	/* in: exclusive */
	int64_t		key;		/* in: offset, with ATKEY */
	int64_t		nxt_key;	/* out */
	int32_t		count;
	int32_t		reserved;
	struct hammer_ioc_hist_entry hist[HAMMER_MAX_HISTORY];
};

/* SYNCTID: a TID that names the state now. */
enum {
	HAMMER_SYNCTID_NONE,		/* no sync: may be undone by a crash */
	HAMMER_SYNCTID_ASYNC,		/* start one */
	HAMMER_SYNCTID_SYNC1,		/* all data is versioned, soft */
	HAMMER_SYNCTID_SYNC2,		/* durable when this returns */
};

struct hammer_ioc_synctid {
	struct hammer_ioc_head head;
	int32_t		op;
	int32_t		reserved;
	uint64_t	tid;		/* out */
};

struct hammer_ioc_info {
	struct hammer_ioc_head head;
	char		label[64];
	uint8_t		fsid[16];
	uint8_t		fstype[16];
	int32_t		version;
	int32_t		nvolumes;
	int64_t		bigblocks;	/* of 8 MiB */
	int64_t		freebigblocks;
	int64_t		rsvbigblocks;
	int64_t		inodes;
	uint64_t	next_tid;
	uint64_t	synced_tid;	/* the committed horizon */
	int64_t		reserved[14];
};

struct hammer_ioc_version {
	struct hammer_ioc_head head;
	uint32_t	cur_version, min_version, wip_version, max_version;
	char		description[64];
};

/* PFS data as on media (struct hammer_pseudofs_data, 292 bytes). */
struct hammer_ioc_pseudofs {
	struct hammer_ioc_head head;
	int32_t		pfs_id;		/* in: -1 is the one of this file */
	uint32_t	bytes;
	uint8_t		data[320];
};

/* Snapshots of this file's PFS. */
enum { HAMMER_SNAPS_PER_IOCTL = 16 };

struct hammer_ioc_snap {
	uint64_t	tid;
	uint64_t	ts;		/* microseconds since 1970 */
	char		label[64];
};

struct hammer_ioc_snapshot {
	struct hammer_ioc_head head;
	uint32_t	index;		/* ADD, DEL: first to do; then failed */
	uint32_t	count;
	uint64_t	next_tid;	/* GET: cursor */
	struct hammer_ioc_snap snaps[HAMMER_SNAPS_PER_IOCTL];
};

/* The cleanup configuration text of this file's PFS. */
struct hammer_ioc_config {
	struct hammer_ioc_head head;
	char		text[1024];
};

/*
 * DIRHIST, on a directory: every name that it ever held, or all lives of one
 * name, dead ones included.  Entries are packed in buf, each `reclen` long.
 */
struct hammer_ioc_dirent {
	uint16_t	reclen;		/*  0 multiple of 8 */
	uint8_t		namelen;	/*  2 */
	uint8_t		type;		/*  3 DT_* */
	uint32_t	reserved;	/*  4 */
	uint64_t	create_tid;	/*  8 */
	uint64_t	delete_tid;	/* 16 0: alive */
	uint64_t	obj_id;		/* 24 */
	char		name[];		/* 32 not terminated */
};

struct hammer_ioc_dirhist {
	struct hammer_ioc_head head;
	int64_t		key;		/* cursor */
	uint64_t	tid;		/* cursor */
	uint32_t	bytes;		/* out: used of buf */
	uint16_t	reserved;
	uint8_t		reserved2;
	uint8_t		namelen;	/* in: 0 is every name */
	char		name[256];	/* in */
	uint64_t	buf[1024];	/* out */
};

/* OBJHIST: every version of the inode of obj_id, in this file's PFS. */
enum { HAMMER_OBJVERS_PER_IOCTL = 64 };

struct hammer_ioc_objver {
	uint64_t	create_tid;
	uint64_t	delete_tid;	/* 0: the present one */
	uint64_t	size;
	int64_t		mtime_ns;
	uint32_t	mode;		/* type and permissions */
	uint32_t	uid, gid;
	uint32_t	nlinks;
	uint64_t	data_tid;	/* newest change of the bytes, or 0 */
};

struct hammer_ioc_objhist {
	struct hammer_ioc_head head;
	uint64_t	obj_id;		/* in: 0 is this file */
	uint64_t	beg_tid;	/* cursor */
	int32_t		count;
	int32_t		reserved;
	struct hammer_ioc_objver vers[HAMMER_OBJVERS_PER_IOCTL];
};

#define HAMMERIOC_GETHISTORY	HAMMER_IOWR(2, struct hammer_ioc_history)
#define HAMMERIOC_SYNCTID	HAMMER_IOWR(4, struct hammer_ioc_synctid)
#define HAMMERIOC_SET_PSEUDOFS	HAMMER_IOWR(5, struct hammer_ioc_pseudofs)
#define HAMMERIOC_GET_PSEUDOFS	HAMMER_IOWR(6, struct hammer_ioc_pseudofs)
#define HAMMERIOC_GET_VERSION	HAMMER_IOWR(13, struct hammer_ioc_version)
#define HAMMERIOC_GET_INFO	HAMMER_IOWR(16, struct hammer_ioc_info)
#define HAMMERIOC_ADD_SNAPSHOT	HAMMER_IOWR(18, struct hammer_ioc_snapshot)
#define HAMMERIOC_DEL_SNAPSHOT	HAMMER_IOWR(19, struct hammer_ioc_snapshot)
#define HAMMERIOC_GET_SNAPSHOT	HAMMER_IOWR(20, struct hammer_ioc_snapshot)
#define HAMMERIOC_GET_CONFIG	HAMMER_IOWR(21, struct hammer_ioc_config)
#define HAMMERIOC_SET_CONFIG	HAMMER_IOWR(22, struct hammer_ioc_config)
#define HAMMERIOC_DIRHIST	HAMMER_IOWR(0x80, struct hammer_ioc_dirhist)
#define HAMMERIOC_OBJHIST	HAMMER_IOWR(0x81, struct hammer_ioc_objhist)

#endif
