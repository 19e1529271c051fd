/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HAMMER volumes as files, for offline tools and tests: reading with a cache,
 * and making a filesystem.  Plain C and POSIX; errors of the host end the
 * program with a message (hd_fatal), errors of the media are returned.
 */
#ifndef _LIB_HDISK_H_
#define _LIB_HDISK_H_

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <vfs/hammer/hammer_crc.h>
#include <vfs/hammer/hammer_disk.h>
#include <vfs/hammer/hammer_off.h>

struct hd_volume {
	int		 hv_fd;		/* -1: no such volume */
	const char	*hv_path;
	uint64_t	 hv_size;
	struct hammer_volume_ondisk hv_ondisk;
};

struct hd_fs {
	struct hd_volume hf_vol[HAMMER_MAX_VOLUMES];
	struct hammer_volume_ondisk *hf_root;
	uint32_t	 hf_version;
	int		 hf_nvols;
	struct hd_buf	*hf_hash[1024];
	struct hd_buf	*hf_oldest, *hf_newest;
	unsigned	 hf_nbufs;
};

void	hd_fatal(const char *fmt, ...)
	    __attribute__((__format__(__printf__, 1, 2), __noreturn__));

/* Open the volumes for reading.  Prints and returns NULL if they are not one
 * HAMMER filesystem; a bad header CRC is only reported in *badcrc. */
struct hd_fs *hd_open(char *const *paths, int n, bool *badcrc);
void	hd_close(struct hd_fs *);
/* Bytes at a zone address that do not cross their 16 KB buffer: good until
 * 64 more calls.  NULL: on no volume, or not readable. */
const void *hd_get(struct hd_fs *, hammer_off_t off, uint32_t len);
/* The record data of a leaf into buf (data_len bytes).  False: unreadable. */
bool	hd_data(struct hd_fs *, const struct hammer_leaf_elm *, void *buf);
/* FIFO position to zone 2. */
hammer_off_t hd_undo(const struct hd_fs *, uint64_t pos);
/* Layer entries of an address; false: none or unreadable. */
bool	hd_layers(struct hd_fs *, hammer_off_t off, struct hammer_layer1 *,
	    struct hammer_layer2 *);

/* Zone that a record's data belongs to. */
int	hd_zone_of(const struct hammer_leaf_elm *);
/* "12.00MB"; static buffers, four at a time. */
const char *hd_sizestr(uint64_t);
/* "61dc63ac-6e38-11dc-8513-01301bb8a9f5"; static buffers. */
const char *hd_uuidstr(const struct hammer_uuid *);
const char *hd_zonename(int zone);
/* 4k, 16m, 2g ...; false: not a size. */
bool	hd_parse_size(const char *, uint64_t *);
/* Size in bytes of a file or block device that is open. */
uint64_t hd_device_size(int fd, const char *path);

/* Check everything (hcheck.c); each error is a line on out (NULL: none).
 * Returns their number. */
int	hd_check(struct hd_fs *, FILE *out);

/* ---- making a filesystem (hmkfs.c) -------------------------------------- */

struct hd_mkfs {
	const char	*mk_label;
	int		 mk_nvols;
	struct hd_volume *mk_vol;	/* fd, path, size filled in */
	uint64_t	 mk_boot, mk_mem, mk_undo;	/* 0: default */
	struct hammer_uuid mk_fsid;
	uint64_t	 mk_now;	/* microseconds since 1970 */
	/* out */
	uint64_t	 mk_total, mk_free;	/* big-blocks of all volumes */
};

/* NULL, or what is wrong. */
const char *hd_mkfs(struct hd_mkfs *);

#endif
