/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HAMMER media format, version 7.  Shared by the kernel, the tools and the
 * tests; includes nothing but compiler headers.  Little endian.
 *
 *   volume 0:  header | boot area | memory log | zone 2 ...
 *                                                ^ vol_buf_beg
 *   zone 2:    layer1 | layer2 ... | UNDO FIFO ... | B-Tree | meta | ...
 *              (big-blocks of 8 MB; the other volumes start with layer2)
 *
 * D1  Addresses are [zone:4][volume:8][offset:52].  Zones 2, 4 and 8..15 have
 *     the same low 60 bits; the zone only says what is there.
 * D2  A CRC never covers itself.  See hammer_crc.h.
 */
#ifndef _VFS_HAMMER_DISK_H_
#define _VFS_HAMMER_DISK_H_

#include <stddef.h>
#include <stdint.h>

typedef uint64_t hammer_tid_t;
typedef uint64_t hammer_off_t;
typedef uint32_t hammer_crc_t;

struct hammer_uuid { uint8_t u[16]; };	/* time_low.. little endian (DCE) */

#define HAMMER_BUFSIZE		16384
#define HAMMER_XBUFSIZE		65536
#define HAMMER_BUFMASK		(HAMMER_BUFSIZE - 1)
#define HAMMER_BUFMASK64	((uint64_t)HAMMER_BUFMASK)
#define HAMMER_XDEMARC		(1024 * 1024)	/* file offset: 64 KB blocks */
#define HAMMER_BIGBLOCK_SIZE	(8 * 1024 * 1024)
#define HAMMER_BIGBLOCK_MASK64	((uint64_t)HAMMER_BIGBLOCK_SIZE - 1)
#define HAMMER_MAX_VOLUMES	256
#define HAMMER_ROOT_VOLNO	0
#define HAMMER_VOL_JUNK_SIZE	(256 * 1024)

#define HAMMER_MIN_TID		0ULL
#define HAMMER_MAX_TID		0xffffffffffffffffULL
#define HAMMER_MIN_KEY		INT64_MIN
#define HAMMER_MAX_KEY		INT64_MAX
#define HAMMER_MIN_OBJID	INT64_MIN
#define HAMMER_MAX_OBJID	INT64_MAX
#define HAMMER_OFF_BAD		((hammer_off_t)-1)

enum {					/* zones */
	HAMMER_ZONE_RAW_VOLUME	= 1,
	HAMMER_ZONE_RAW_BUFFER	= 2,
	HAMMER_ZONE_UNDO	= 3,
	HAMMER_ZONE_FREEMAP	= 4,
	HAMMER_ZONE_BTREE	= 8,
	HAMMER_ZONE_META	= 9,
	HAMMER_ZONE_LARGE_DATA	= 10,	/* records of 16 KB and more */
	HAMMER_ZONE_SMALL_DATA	= 11,
	HAMMER_ZONE_UNAVAIL	= 15,
	HAMMER_MAX_ZONES	= 16,
};

/* ---- freemap --------------------------------------------------------- */

struct hammer_blockmap {
	hammer_off_t	phys_offset;	/*  0 zone 4: layer1, as zone 2 */
	hammer_off_t	first_offset;	/*  8 zone 3: start of recovery */
	hammer_off_t	next_offset;	/* 16 where allocation goes on */
	hammer_off_t	alloc_offset;	/* 24 zone 3: end of the FIFO */
	uint32_t	reserved01;	/* 32 */
	hammer_crc_t	entry_crc;	/* 36 */
};
_Static_assert(sizeof(struct hammer_blockmap) == 40, "on-disk size");

#define HAMMER_BLOCKMAP_UNAVAIL	((hammer_off_t)-1)

struct hammer_layer1 {			/* one per 4 TB */
	hammer_off_t	blocks_free;	/*  0 big-blocks */
	hammer_off_t	phys_offset;	/*  8 layer2 big-block, or UNAVAIL */
	hammer_off_t	reserved01;	/* 16 */
	hammer_crc_t	layer2_crc;	/* 24 not used */
	hammer_crc_t	layer1_crc;	/* 28 */
};
_Static_assert(sizeof(struct hammer_layer1) == 32, "on-disk size");

struct hammer_layer2 {			/* one per big-block */
	uint8_t		zone;		/*  0 0: free */
	uint8_t		reserved01;	/*  1 */
	uint16_t	reserved02;	/*  2 */
	uint32_t	append_off;	/*  4 first byte never allocated */
	int32_t		bytes_free;	/*  8 may go negative by dedup */
	hammer_crc_t	entry_crc;	/* 12 */
};
_Static_assert(sizeof(struct hammer_layer2) == 16, "on-disk size");

#define HAMMER_LAYER1_RADIX	262144
#define HAMMER_LAYER2_RADIX	524288
#define HAMMER_LAYER2_SPAN	((uint64_t)HAMMER_LAYER2_RADIX * \
				    HAMMER_BIGBLOCK_SIZE)	/* 4 TB */

/* ---- UNDO/REDO FIFO -------------------------------------------------- */

#define HAMMER_MAX_UNDO_BIGBLOCKS	128
#define HAMMER_UNDO_ALIGN	512	/* a record starts each sector */
#define HAMMER_HEAD_ALIGN	8

/* 0          4      8     12    16                  size-8   size
 * | sig,type | size | seq | crc | payload ...       | tail   |      */
struct hammer_fifo_head {
	uint16_t	hdr_signature;	/*  0 HAMMER_HEAD_SIGNATURE */
	uint16_t	hdr_type;	/*  2 HAMMER_HEAD_TYPE_* */
	uint32_t	hdr_size;	/*  4 whole record, tail included */
	uint32_t	hdr_seq;	/*  8 +1 per record, PADs not counted */
	hammer_crc_t	hdr_crc;	/* 12 over 0..11 and 16..size */
};
_Static_assert(sizeof(struct hammer_fifo_head) == 16, "on-disk size");

struct hammer_fifo_tail {
	uint16_t	tail_signature;	/* 0 HAMMER_TAIL_SIGNATURE */
	uint16_t	tail_type;	/* 2 */
	uint32_t	tail_size;	/* 4 */
};
_Static_assert(sizeof(struct hammer_fifo_tail) == 8, "on-disk size");

#define HAMMER_HEAD_SIGNATURE	0xc84eU
#define HAMMER_TAIL_SIGNATURE	0xc74fU
#define HAMMER_HEAD_TYPE_PAD	0x8040U	/* 8 bytes or more, no seq, no crc */
#define HAMMER_HEAD_TYPE_DUMMY	0x0041U
#define HAMMER_HEAD_TYPE_UNDO	0x0043U
#define HAMMER_HEAD_TYPE_REDO	0x0044U

struct hammer_fifo_undo {
	struct hammer_fifo_head head;
	hammer_off_t	undo_offset;	/* 16 zone 1 or 2 */
	int32_t		undo_data_bytes; /* 24 */
	int32_t		undo_reserved01; /* 28 */
	/* data */
};
_Static_assert(sizeof(struct hammer_fifo_undo) == 32, "on-disk size");

struct hammer_fifo_redo {
	struct hammer_fifo_head head;
	int64_t		redo_objid;	/* 16 */
	hammer_off_t	redo_offset;	/* 24 in the file; SYNC: in zone 3 */
	int32_t		redo_data_bytes; /* 32 */
	uint32_t	redo_flags;	/* 36 HAMMER_REDO_* */
	uint32_t	redo_localization; /* 40 */
	uint32_t	redo_reserved01; /* 44 */
	uint64_t	redo_reserved02; /* 48 */
	/* data */
};
_Static_assert(sizeof(struct hammer_fifo_redo) == 56, "on-disk size");

enum {
	HAMMER_REDO_WRITE	= 0x01,
	HAMMER_REDO_TRUNC	= 0x02,
	HAMMER_REDO_TERM_WRITE	= 0x04,
	HAMMER_REDO_TERM_TRUNC	= 0x08,
	HAMMER_REDO_SYNC	= 0x10,
};

/* ---- volume header --------------------------------------------------- */

#define HAMMER_FSBUF_VOLUME	0xc8414d4dc5523031ULL
#define HAMMER_BOOT_MINBYTES	(32 * 1024)
#define HAMMER_BOOT_MAXBYTES	(256LL * 1024 * 1024)
#define HAMMER_MEM_MINBYTES	(256 * 1024)
#define HAMMER_MEM_MAXBYTES	(64LL * 1024 * 1024 * 1024)
/* 61dc63ac-6e38-11dc-8513-01301bb8a9f5, "DragonFly HAMMER" */
#define HAMMER_FSTYPE_UUID { { 0xac, 0x63, 0xdc, 0x61, 0x38, 0x6e, 0xdc, 0x11, \
	0x85, 0x13, 0x01, 0x30, 0x1b, 0xb8, 0xa9, 0xf5 } }

struct hammer_volume_ondisk {
	uint64_t	vol_signature;	/*   0 */
	int64_t		vol_bot_beg;	/*   8 device offsets */
	int64_t		vol_mem_beg;	/*  16 */
	int64_t		vol_buf_beg;	/*  24 zone 2 starts here */
	int64_t		vol_buf_end;	/*  32 */
	int64_t		vol_reserved01;	/*  40 */
	struct hammer_uuid vol_fsid;	/*  48 */
	struct hammer_uuid vol_fstype;	/*  64 */
	char		vol_label[64];	/*  80 */
	int32_t		vol_no;		/* 144 */
	int32_t		vol_count;	/* 148 */
	uint32_t	vol_version;	/* 152 */
	hammer_crc_t	vol_crc;	/* 156 over 0..155 xor 160..1927 */
	uint32_t	vol_flags;	/* 160 */
	uint32_t	vol_rootvol;	/* 164 always 0 */
	uint32_t	vol_reserved[8]; /* 168 */
	/* volume 0 only */
	int64_t		vol0_stat_bigblocks;	/* 200 when empty */
	int64_t		vol0_stat_freebigblocks; /* 208 */
	int64_t		vol0_reserved01;	/* 216 */
	int64_t		vol0_stat_inodes;	/* 224 */
	int64_t		vol0_reserved02;	/* 232 */
	hammer_off_t	vol0_btree_root;	/* 240 zone 8 */
	hammer_tid_t	vol0_next_tid;		/* 248 */
	hammer_off_t	vol0_reserved03;	/* 256 */
	struct hammer_blockmap vol0_blockmap[HAMMER_MAX_ZONES]; /* 264 */
	hammer_off_t	vol0_undo_array[HAMMER_MAX_UNDO_BIGBLOCKS]; /* 904 */
};
_Static_assert(sizeof(struct hammer_volume_ondisk) == 1928, "on-disk size");
_Static_assert(offsetof(struct hammer_volume_ondisk, vol_crc) == 156, "");
_Static_assert(offsetof(struct hammer_volume_ondisk, vol0_blockmap) == 264,
    "on-disk offset");

#define HAMMER_VERSION_MIN	4	/* the oldest that we read */
#define HAMMER_VERSION_CRC32C	7	/* from here CRC-32C */
#define HAMMER_VERSION_MAX	7

/* ---- B-Tree ---------------------------------------------------------- */

struct hammer_base_elm {
	int64_t		obj_id;		/*  0 */
	int64_t		key;		/*  8 */
	hammer_tid_t	create_tid;	/* 16 */
	hammer_tid_t	delete_tid;	/* 24 0: alive; not in the key */
	uint16_t	rec_type;	/* 32 */
	uint8_t		obj_type;	/* 34 */
	uint8_t		btype;		/* 35 HAMMER_BTREE_TYPE_* */
	uint32_t	localization;	/* 36 */
};
_Static_assert(sizeof(struct hammer_base_elm) == 40, "on-disk size");

struct hammer_internal_elm {
	struct hammer_base_elm base;
	hammer_tid_t	mirror_tid;	/* 40 */
	hammer_off_t	subtree_offset;	/* 48 zone 8 */
	int32_t		unused02;	/* 56 */
	int32_t		unused03;	/* 60 */
};
_Static_assert(sizeof(struct hammer_internal_elm) == 64, "on-disk size");

struct hammer_leaf_elm {
	struct hammer_base_elm base;
	uint32_t	create_ts;	/* 40 seconds, for people */
	uint32_t	delete_ts;	/* 44 */
	hammer_off_t	data_offset;	/* 48 zone 9, 10, 11; 0: none */
	int32_t		data_len;	/* 56 */
	hammer_crc_t	data_crc;	/* 60 */
};
_Static_assert(sizeof(struct hammer_leaf_elm) == 64, "on-disk size");

union hammer_btree_elm {
	struct hammer_base_elm base;
	struct hammer_leaf_elm leaf;
	struct hammer_internal_elm internal;
};

#define HAMMER_BTREE_LEAF_ELMS	63
#define HAMMER_BTREE_INT_ELMS	62	/* and the right boundary */
#define HAMMER_NODE_SIZE	4096

#define HAMMER_BTREE_TYPE_INTERNAL	'I'
#define HAMMER_BTREE_TYPE_LEAF		'L'
#define HAMMER_BTREE_TYPE_RECORD	'R'
#define HAMMER_BTREE_TYPE_DELETED	'D'
#define HAMMER_BTREE_SIGNATURE		0xb3a49586U

struct hammer_node_ondisk {
	hammer_crc_t	crc;		/*  0 over 4..4095 */
	uint32_t	signature;	/*  4 */
	hammer_off_t	parent;		/*  8 0: root */
	int32_t		count;		/* 16 without the right boundary */
	uint8_t		type;		/* 20 */
	uint8_t		reserved01;	/* 21 */
	uint16_t	reserved02;	/* 22 */
	hammer_off_t	reserved03[4];	/* 24 */
	hammer_tid_t	mirror_tid;	/* 56 */
	union hammer_btree_elm elms[HAMMER_BTREE_LEAF_ELMS];	/* 64 */
};
_Static_assert(sizeof(struct hammer_node_ondisk) == 4096, "on-disk size");

/* localization = PFS id << 16 | one of these */
#define HAMMER_LOCALIZE_INODE	0x00000001U
#define HAMMER_LOCALIZE_MISC	0x00000002U
#define HAMMER_LOCALIZE_MASK	0x0000ffffU
#define HAMMER_MAX_PFS		65536

/* ---- records --------------------------------------------------------- */

enum {
	HAMMER_RECTYPE_INODE	= 0x0001, /* key 0 */
	HAMMER_RECTYPE_DATA	= 0x0010, /* key: END offset of the extent */
	HAMMER_RECTYPE_DIRENTRY	= 0x0011, /* key: name hash and iterator */
	HAMMER_RECTYPE_DB	= 0x0012,
	HAMMER_RECTYPE_EXT	= 0x0013,
	HAMMER_RECTYPE_FIX	= 0x0014, /* key HAMMER_FIXKEY_SYMLINK */
	HAMMER_RECTYPE_PFS	= 0x0015, /* obj 1; key pfs id << 16 */
	HAMMER_RECTYPE_SNAPSHOT	= 0x0016, /* obj 1; key: the TID */
	HAMMER_RECTYPE_CONFIG	= 0x0017, /* obj 1; key 0 */
	HAMMER_RECTYPE_MAX	= 0xffff,
};

enum { HAMMER_FIXKEY_SYMLINK = 1 };

enum {
	HAMMER_OBJTYPE_DIRECTORY = 1,
	HAMMER_OBJTYPE_REGFILE	= 2,
	HAMMER_OBJTYPE_DBFILE	= 3,
	HAMMER_OBJTYPE_FIFO	= 4,
	HAMMER_OBJTYPE_CDEV	= 5,
	HAMMER_OBJTYPE_BDEV	= 6,
	HAMMER_OBJTYPE_SOFTLINK	= 7,
	HAMMER_OBJTYPE_PSEUDOFS	= 8,
	HAMMER_OBJTYPE_SOCKET	= 9,
};

#define HAMMER_OBJID_ROOT	1

struct hammer_inode_data {
	uint16_t	version;	/*   0 1 */
	uint16_t	mode;		/*   2 permission bits */
	uint32_t	uflags;		/*   4 */
	uint32_t	rmajor;		/*   8 */
	uint32_t	rminor;		/*  12 */
	uint64_t	ctime;		/*  16 microseconds */
	int64_t		parent_obj_id;	/*  24 0: root of a PFS */
	struct hammer_uuid uid;		/*  32 */
	struct hammer_uuid gid;		/*  48 */
	uint8_t		obj_type;	/*  64 */
	uint8_t		cap_flags;	/*  65 */
	uint16_t	reserved01;	/*  66 */
	uint32_t	reserved02;	/*  68 */
	uint64_t	nlinks;		/*  72 */
	uint64_t	size;		/*  80 */
	char		symlink[24];	/*  88 targets up to 24 bytes */
	uint64_t	mtime;		/* 112 not under the CRC */
	uint64_t	atime;		/* 120 */
};
_Static_assert(sizeof(struct hammer_inode_data) == 128, "on-disk size");

#define HAMMER_INODE_CRCSIZE		112
#define HAMMER_INODE_DATA_VERSION	1
#define HAMMER_INODE_BASESYMLEN		24
#define HAMMER_INODE_CAP_DIRHASH_MASK	0x03
#define HAMMER_INODE_CAP_DIRHASH_ALG0	0x00
#define HAMMER_INODE_CAP_DIRHASH_ALG1	0x01
#define HAMMER_INODE_CAP_DIR_LOCAL_INO	0x04

struct hammer_direntry_data {
	int64_t		obj_id;		/*  0 */
	uint32_t	localization;	/*  8 PFS id << 16 of the object */
	uint32_t	reserved01;	/* 12 */
	char		name[16];	/* 16 as long as the record, no NUL */
};
#define HAMMER_DIRENTRY_SIZE(namelen)	(16 + (namelen))

struct hammer_pseudofs_data {
	hammer_tid_t	sync_low_tid;	/*   0 */
	hammer_tid_t	sync_beg_tid;	/*   8 */
	hammer_tid_t	sync_end_tid;	/*  16 */
	uint64_t	sync_beg_ts;	/*  24 */
	uint64_t	sync_end_ts;	/*  32 */
	struct hammer_uuid shared_uuid;	/*  40 */
	struct hammer_uuid unique_uuid;	/*  56 */
	int32_t		reserved01;	/*  72 */
	int32_t		mirror_flags;	/*  76 */
	char		label[64];	/*  80 */
	char		snapshots[64];	/* 144 */
	int32_t		reserved02;	/* 208 */
	int32_t		reserved03;	/* 212 */
	int32_t		reserved04;	/* 216 */
	int32_t		prune_min;	/* 220 seconds */
	int32_t		prune_max;	/* 224 */
	int32_t		reserved[16];	/* 228 */
} __attribute__((__packed__));
_Static_assert(sizeof(struct hammer_pseudofs_data) == 292, "on-disk size");

#define HAMMER_PFSD_SLAVE	0x00000001
#define HAMMER_PFSD_DELETED	0x80000000

struct hammer_snapshot_data {
	hammer_tid_t	tid;		/*  0 */
	uint64_t	ts;		/*  8 microseconds */
	uint64_t	reserved01;	/* 16 */
	uint64_t	reserved02;	/* 24 */
	char		label[64];	/* 32 */
	uint64_t	reserved03[4];	/* 96 */
};
_Static_assert(sizeof(struct hammer_snapshot_data) == 128, "on-disk size");

struct hammer_config_data {
	char		text[1024];
};

#endif
