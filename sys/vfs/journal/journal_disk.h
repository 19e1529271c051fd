/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal stream, byte for byte.  Little-endian, naturally aligned,
 * everything a multiple of 8.  Text for people: journal.5.
 *
 *   stream   frame frame frame ...
 *   frame    jfr_head, records, zero padding to 8
 *   record   jrec_head, body; never crosses a frame
 *   commit   one operation: jrec_commit, then facts
 *
 * J1  A frame's hash is XXH64 of what follows its head, seeded with XXH64 of
 *     the head (jf_hash zero), seeded with the stream id.  The head holds
 *     the hash of the frame before it (the first: the stream id) and the
 *     index.  So a gap, a reordering, a splice and a flipped bit are found.
 * J2  Objects are named by id (the inode number).  A path is a hint.
 * J3  Facts say before and after; applying one twice changes nothing.
 * J4  jc_seq is the number of the operation, drawn at its commit.  The order
 *     of the commits in the stream is a legal order, and so is that of the
 *     numbers.  jc_prev is the jc_seq of the commit before it in the stream.
 * J5  A payload too large for its fact comes before the commit as CHUNK
 *     records with the same jr_op.  Chunks without a commit never happened.
 * J6  A session begins with ATTACH and ends with DETACH.  The state at
 *     be_seq or later = base image + every commit of the session so far; an
 *     image may already hold later changes (it is taken from a live tree),
 *     so a state before be_seq is not promised.  ATTACH with JAF_CONTINUE goes
 *     on from the session before it.
 */
#ifndef _VFS_JOURNAL_DISK_H_
#define _VFS_JOURNAL_DISK_H_

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum {
	JFR_MAGIC	= 0x314a4e41,	/* "ANJ1" */
	JFR_VERSION	= 1,
	JFR_MAXSIZE	= 1 << 20,	/* of a frame */
	JREC_MAXSIZE	= 256 << 10,	/* of a record */
	JCHUNK_MAX	= 64 << 10,	/* payload bytes in one record */
	JINLINE_MAX	= 16 << 10,	/* payload bytes inside a commit */
	JNAME_MAX	= 255,
	JTEXT_MAX	= 4096,		/* symlink text, path hint */
};

struct jfr_head {
	uint32_t jf_magic;		/*  0 JFR_MAGIC */
	uint16_t jf_version;		/*  4 JFR_VERSION */
	uint16_t jf_flags;		/*  6 0 */
	uint32_t jf_size;		/*  8 whole frame */
	uint32_t jf_nrecs;		/* 12 records inside */
	uint64_t jf_stream;		/* 16 id of the stream, random */
	uint64_t jf_index;		/* 24 0, 1, 2 ... */
	uint64_t jf_prev;		/* 32 jf_hash of the previous frame */
	uint64_t jf_hash;		/* 40 J1 */
};
static_assert(sizeof(struct jfr_head) == 48, "on-disk size");

enum jrec_type {
	JREC_ATTACH	= 1,
	JREC_DETACH	= 2,
	JREC_GAP	= 3,		/* operations were lost here */
	JREC_CHUNK	= 4,
	JREC_COMMIT	= 5,
	JREC_BASE_BEGIN	= 8,
	JREC_BASE_OBJ	= 9,
	JREC_BASE_NAME	= 10,
	JREC_BASE_DATA	= 11,
	JREC_BASE_END	= 12,
};

struct jrec_head {
	uint16_t jr_type;		/*  0 enum jrec_type */
	uint16_t jr_flags;		/*  2 0 */
	uint32_t jr_size;		/*  4 header and body, multiple of 8 */
	uint64_t jr_op;			/*  8 ties CHUNKs to their COMMIT; 0 */
};
static_assert(sizeof(struct jrec_head) == 16, "on-disk size");

/* Attributes of an object.  Times: seconds and nanoseconds, UTC. */
struct jattr {
	uint64_t ja_ino;		/*  0 */
	uint64_t ja_size;		/*  8 */
	uint64_t ja_rdev;		/* 16 Linux encoding */
	uint64_t ja_nlink;		/* 24 */
	uint32_t ja_mode;		/* 32 type and permissions */
	uint32_t ja_uid;		/* 36 */
	uint32_t ja_gid;		/* 40 */
	uint32_t ja_flags;		/* 44 */
	int64_t	 ja_sec[4];		/* 48 atime mtime ctime btime */
	uint32_t ja_nsec[4];		/* 80 */
};
static_assert(sizeof(struct jattr) == 96, "on-disk size");
enum { JT_ATIME, JT_MTIME, JT_CTIME, JT_BTIME };

enum {					/* which fields of a jattr count */
	JA_MODE = 0x001, JA_UID = 0x002, JA_GID = 0x004, JA_SIZE = 0x008,
	JA_ATIME = 0x010, JA_MTIME = 0x020, JA_CTIME = 0x040,
	JA_FLAGS = 0x080, JA_RDEV = 0x100,
	JA_ALL = 0x1ff,
};

enum {					/* jt_flags */
	JAF_CONTINUE	= 0x1,		/* nothing happened since the DETACH */
	JAF_BASELINE	= 0x2,		/* a base image follows */
	JAF_UNDO	= 0x4,		/* before-images are recorded */
};

struct jrec_attach {
	struct jrec_head h;
	uint64_t jt_seq;		/* 16 last number before the session */
	uint64_t jt_wall;		/* 24 ns since 1970, UTC */
	uint64_t jt_root;		/* 32 id of the root directory */
	uint64_t jt_fsid;		/* 40 of the mount */
	uint64_t jt_boot;		/* 48 random per boot */
	uint32_t jt_flags;		/* 56 JAF_* */
	uint32_t jt_numstep;		/* 60 */
	char	 jt_fstype[16];		/* 64 */
	char	 jt_tag[32];		/* 80 */
	char	 jt_from[128];		/* 112 device */
	char	 jt_on[128];		/* 240 mount point */
};
static_assert(sizeof(struct jrec_attach) == 368, "on-disk size");

enum jdetach_why {
	JDW_CLEAN = 1, JDW_UNMOUNT = 2, JDW_GAP = 3,
};
struct jrec_detach {
	struct jrec_head h;
	uint64_t jd_seq;		/* 16 last commit in the stream, or 0 */
	uint64_t jd_wall;		/* 24 */
	uint64_t jd_mntseq;		/* 32 last number of the mount */
	uint32_t jd_why;		/* 40 */
	uint32_t jd_pad;
};
static_assert(sizeof(struct jrec_detach) == 48, "on-disk size");

struct jrec_gap {
	struct jrec_head h;
	uint64_t jg_first;		/* 16 number of the first lost, if known*/
	uint64_t jg_last;		/* 24 */
	uint64_t jg_count;		/* 32 operations lost */
	uint64_t jg_wall;		/* 40 */
};
static_assert(sizeof(struct jrec_gap) == 48, "on-disk size");

struct jrec_chunk {
	struct jrec_head h;		/* jr_op */
	uint32_t jk_payload;		/* 16 which payload of the operation */
	uint32_t jk_len;		/* 20 bytes here */
	uint64_t jk_off;		/* 24 offset in that payload */
	/* bytes, zero padded to 8 */
};
static_assert(sizeof(struct jrec_chunk) == 32, "on-disk size");

enum jop {				/* jc_opcode: what the user asked for */
	JOP_OTHER, JOP_CREATE, JOP_MKDIR, JOP_MKNOD, JOP_LINK, JOP_SYMLINK,
	JOP_UNLINK, JOP_RMDIR, JOP_RENAME, JOP_SETATTR, JOP_WRITE,
	JOP_MAPWRITE, JOP_ALLOCATE, JOP_SETXATTR, JOP_INACTIVE, JOP_FSYNC,
	JOP_COUNT
};

struct jrec_commit {
	struct jrec_head h;		/* jr_op: 0 if there are no chunks */
	uint64_t jc_seq;		/* 16 J4 */
	uint64_t jc_prev;		/* 24 J4; 0 first of a session */
	uint64_t jc_index;		/* 32 1, 2, 3 ... in this stream */
	uint64_t jc_wall;		/* 40 ns since 1970, UTC */
	int32_t	 jc_pid;		/* 48 */
	uint32_t jc_uid;		/* 52 effective */
	uint32_t jc_gid;		/* 56 */
	uint16_t jc_opcode;		/* 60 enum jop */
	uint16_t jc_nfacts;		/* 62 */
	char	 jc_comm[16];		/* 64 program, zero padded */
	/* facts */
};
static_assert(sizeof(struct jrec_commit) == 80, "on-disk size");

enum jfact_type {
	JFACT_NAME	= 1,		/* (dir, name): old -> new */
	JFACT_OBJ	= 2,		/* an object begins or ends */
	JFACT_ATTR	= 3,
	JFACT_SIZE	= 4,
	JFACT_DATA	= 5,		/* bytes after */
	JFACT_OLDDATA	= 6,		/* bytes before */
	JFACT_PATH	= 7,		/* hint */
};

struct jfact {
	uint16_t jx_type;		/*  0 enum jfact_type */
	uint16_t jx_flags;		/*  2 0 */
	uint32_t jx_size;		/*  4 whole fact, multiple of 8 */
};
static_assert(sizeof(struct jfact) == 8, "on-disk size");

struct jfact_name {
	struct jfact x;
	uint64_t xn_dir;		/*  8 */
	uint64_t xn_old, xn_new;	/* 16 24 object ids; 0: no such name */
	uint32_t xn_namelen;		/* 32 1..JNAME_MAX */
	uint32_t xn_pad;
	/* name, no NUL, zero padded to 8 */
};
static_assert(sizeof(struct jfact_name) == 40, "on-disk size");

struct jfact_obj {
	struct jfact x;
	uint64_t xo_ino;		/*  8 */
	uint32_t xo_after;		/* 16 1 it exists now, 0 it is gone */
	uint32_t xo_textlen;		/* 20 symlink text */
	struct jattr xo_attr;		/* 24 after if it exists, else before */
	/* text, zero padded to 8 */
};
static_assert(sizeof(struct jfact_obj) == 120, "on-disk size");

struct jfact_attr {
	struct jfact x;
	uint64_t xa_ino;		/*  8 */
	uint32_t xa_mask;		/* 16 JA_*; never JA_SIZE */
	uint32_t xa_pad;
	struct jattr xa_old;		/* 24 */
	struct jattr xa_new;		/* 120 */
};
static_assert(sizeof(struct jfact_attr) == 216, "on-disk size");

struct jfact_size {
	struct jfact x;
	uint64_t xs_ino;		/*  8 */
	uint64_t xs_old, xs_new;	/* 16 24 */
};
static_assert(sizeof(struct jfact_size) == 32, "on-disk size");

enum jdata_src {
	JSRC_INLINE	= 1,		/* xd_len bytes follow */
	JSRC_CHUNKS	= 2,		/* CHUNK records, payload xd_payload */
	JSRC_REF	= 3,		/* the filesystem's past: as of xd_ref */
	JSRC_NONE	= 4,		/* not kept (OLDDATA only) */
	JSRC_ZERO	= 5,		/* all zero */
};

struct jfact_data {
	struct jfact x;
	uint64_t xd_ino;		/*  8 */
	uint64_t xd_off, xd_len;	/* 16 24 bytes of the object */
	uint32_t xd_src;		/* 32 enum jdata_src */
	uint32_t xd_payload;		/* 36 */
	uint64_t xd_ref;		/* 40 */
	/* inline bytes, zero padded to 8 */
};
static_assert(sizeof(struct jfact_data) == 48, "on-disk size");

struct jfact_path {
	struct jfact x;
	uint32_t xp_len;		/*  8 1..JTEXT_MAX */
	uint32_t xp_pad;
	/* text, zero padded to 8 */
};
static_assert(sizeof(struct jfact_path) == 16, "on-disk size");

enum jbase_method { JBM_ASOF = 1, JBM_CRAWL = 2 };

struct jrec_base_begin {
	struct jrec_head h;
	uint64_t bb_seq;		/* 16 ASOF: the moment; else when it began */
	uint32_t bb_method;		/* 24 */
	uint32_t bb_pad;
};
static_assert(sizeof(struct jrec_base_begin) == 32, "on-disk size");

struct jrec_base_obj {
	struct jrec_head h;
	uint64_t bo_stamp;		/* 16 log position of the copy (a number) */
	uint32_t bo_textlen;		/* 24 symlink text */
	uint32_t bo_pad;
	struct jattr bo_attr;		/* 32 */
	/* text, zero padded to 8 */
};
static_assert(sizeof(struct jrec_base_obj) == 128, "on-disk size");

struct jrec_base_name {
	struct jrec_head h;
	uint64_t bn_stamp;		/* 16 */
	uint64_t bn_dir, bn_ino;	/* 24 32 */
	uint32_t bn_namelen;		/* 40 */
	uint32_t bn_pad;
	/* name, zero padded to 8 */
};
static_assert(sizeof(struct jrec_base_name) == 48, "on-disk size");

struct jrec_base_data {
	struct jrec_head h;
	uint64_t bd_stamp;		/* 16 */
	uint64_t bd_ino;		/* 24 */
	uint64_t bd_off;		/* 32 */
	uint32_t bd_len;		/* 40 1..JCHUNK_MAX */
	uint32_t bd_pad;
	/* bytes, zero padded to 8 */
};
static_assert(sizeof(struct jrec_base_data) == 48, "on-disk size");

struct jrec_base_end {
	struct jrec_head h;
	uint64_t be_seq;		/* 16 restorable from here on, J6 */
	uint64_t be_objects;		/* 24 */
	uint64_t be_bytes;		/* 32 */
};
static_assert(sizeof(struct jrec_base_end) == 40, "on-disk size");

#endif
