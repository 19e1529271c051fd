/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HAMMER volumes as files: reading through a small cache, and names of things.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hdisk.h"

enum { MAXBUFS = 4096, HASH = 1024 };

struct hd_buf {
	struct hd_buf	*next;		/* hash chain */
	struct hd_buf	*younger;	/* in order of reading */
	hammer_off_t	 off;
	bool		 good;
	char		 bytes[HAMMER_BUFSIZE] __attribute__((aligned(16)));
};

void
hd_fatal(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

uint64_t
hd_device_size(int fd, const char *path)
{
	const unsigned long blkgetsize64 = 0x80081272UL;
	struct stat st;
	uint64_t size;
	off_t end;

	if (fstat(fd, &st) != 0)
		hd_fatal("%s: %s", path, strerror(errno));
	if (S_ISREG(st.st_mode))
		return (uint64_t)st.st_size;
	if (ioctl(fd, (int)blkgetsize64, &size) == 0)
		return size;
	end = lseek(fd, 0, SEEK_END);
	if (end <= 0)
		hd_fatal("%s: cannot tell its size", path);
	return (uint64_t)end;
}

struct hd_fs *
hd_open(char *const *paths, int n, bool *badcrc)
{
	struct hammer_volume_ondisk od;
	struct hd_fs *fs = calloc(1, sizeof(*fs));
	int i, fd;

	if (fs == NULL)
		hd_fatal("no memory");
	*badcrc = false;
	for (i = 0; i < HAMMER_MAX_VOLUMES; i++)
		fs->hf_vol[i].hv_fd = -1;
	for (i = 0; i < n; i++) {
		fd = open(paths[i], O_RDONLY);
		if (fd < 0 || pread(fd, &od, sizeof(od), 0) != sizeof(od)) {
			fprintf(stderr, "%s: %s\n", paths[i],
			    fd < 0 ? strerror(errno) : "no header");
			goto fail;
		}
		if (od.vol_signature != HAMMER_FSBUF_VOLUME || od.vol_no < 0 ||
		    od.vol_no >= HAMMER_MAX_VOLUMES ||
		    fs->hf_vol[od.vol_no].hv_fd >= 0) {
			fprintf(stderr, "%s: not a HAMMER volume, or one "
			    "twice\n", paths[i]);
			goto fail;
		}
		if (!hammer_crc_test_volume(&od))
			*badcrc = true;
		fs->hf_vol[od.vol_no].hv_fd = fd;
		fs->hf_vol[od.vol_no].hv_path = paths[i];
		fs->hf_vol[od.vol_no].hv_size = hd_device_size(fd, paths[i]);
		fs->hf_vol[od.vol_no].hv_ondisk = od;
	}
	fs->hf_root = &fs->hf_vol[HAMMER_ROOT_VOLNO].hv_ondisk;
	if (fs->hf_vol[HAMMER_ROOT_VOLNO].hv_fd < 0 ||
	    fs->hf_root->vol_count != n) {
		fprintf(stderr, "volumes are missing\n");
		goto fail;
	}
	fs->hf_version = fs->hf_root->vol_version;
	fs->hf_nvols = n;
	return fs;
fail:
	hd_close(fs);
	return NULL;
}

void
hd_close(struct hd_fs *fs)
{
	struct hd_buf *b, *next;
	int i;

	for (i = 0; i < HAMMER_MAX_VOLUMES; i++)
		if (fs->hf_vol[i].hv_fd >= 0)
			close(fs->hf_vol[i].hv_fd);
	for (b = fs->hf_oldest; b != NULL; b = next) {
		next = b->younger;
		free(b);
	}
	free(fs);
}

static struct hd_buf *
buf_new(struct hd_fs *fs)
{
	struct hd_buf *b, **pp;

	if (fs->hf_nbufs < MAXBUFS) {
		fs->hf_nbufs++;
		b = malloc(sizeof(*b));
		if (b == NULL)
			hd_fatal("no memory");
	} else {
		b = fs->hf_oldest;
		fs->hf_oldest = b->younger;
		pp = &fs->hf_hash[b->off / HAMMER_BUFSIZE % HASH];
		while (*pp != b)
			pp = &(*pp)->next;
		*pp = b->next;
	}
	b->younger = NULL;
	if (fs->hf_oldest == NULL)
		fs->hf_oldest = b;
	else
		fs->hf_newest->younger = b;
	fs->hf_newest = b;
	return b;
}

const void *
hd_get(struct hd_fs *fs, hammer_off_t off, uint32_t len)
{
	hammer_off_t base = hammer_off_zone2(off) & ~HAMMER_BUFMASK64;
	uint32_t in = (uint32_t)(off & HAMMER_BUFMASK64);
	struct hd_volume *v = &fs->hf_vol[hammer_off_vol(off)];
	struct hd_buf *b;
	uint64_t pos;

	if (in + len > HAMMER_BUFSIZE || v->hv_fd < 0)
		return NULL;
	for (b = fs->hf_hash[base / HAMMER_BUFSIZE % HASH]; b != NULL;
	    b = b->next) {
		if (b->off == base)
			return b->good ? b->bytes + in : NULL;
	}
	pos = (uint64_t)v->hv_ondisk.vol_buf_beg + hammer_off_short(base);
	b = buf_new(fs);
	b->off = base;
	b->good = pos + HAMMER_BUFSIZE <= (uint64_t)v->hv_ondisk.vol_buf_end &&
	    pread(v->hv_fd, b->bytes, HAMMER_BUFSIZE, (off_t)pos) ==
	    HAMMER_BUFSIZE;
	b->next = fs->hf_hash[base / HAMMER_BUFSIZE % HASH];
	fs->hf_hash[base / HAMMER_BUFSIZE % HASH] = b;
	return b->good ? b->bytes + in : NULL;
}

bool
hd_data(struct hd_fs *fs, const struct hammer_leaf_elm *leaf, void *buf)
{
	hammer_off_t off = leaf->data_offset;
	uint32_t left = (uint32_t)leaf->data_len, n;
	const void *p;
	char *c = buf;

	while (left > 0) {
		n = HAMMER_BUFSIZE - (uint32_t)(off & HAMMER_BUFMASK64);
		if (n > left)
			n = left;
		p = hd_get(fs, off, n);
		if (p == NULL)
			return false;
		memcpy(c, p, n);
		c += n;
		off += n;
		left -= n;
	}
	return true;
}

hammer_off_t
hd_undo(const struct hd_fs *fs, uint64_t pos)
{
	return fs->hf_root->vol0_undo_array[pos / HAMMER_BIGBLOCK_SIZE %
	    HAMMER_MAX_UNDO_BIGBLOCKS] + (pos & HAMMER_BIGBLOCK_MASK64);
}

bool
hd_layers(struct hd_fs *fs, hammer_off_t off, struct hammer_layer1 *l1,
    struct hammer_layer2 *l2)
{
	const void *p;

	p = hd_get(fs, fs->hf_root->vol0_blockmap[HAMMER_ZONE_FREEMAP].
	    phys_offset + hammer_layer1_index(off) * sizeof(*l1), sizeof(*l1));
	if (p == NULL)
		return false;
	memcpy(l1, p, sizeof(*l1));
	if (l1->phys_offset == HAMMER_BLOCKMAP_UNAVAIL)
		return false;
	p = hd_get(fs, l1->phys_offset + hammer_layer2_index(off) *
	    sizeof(*l2), sizeof(*l2));
	if (p == NULL)
		return false;
	memcpy(l2, p, sizeof(*l2));
	return true;
}

int
hd_zone_of(const struct hammer_leaf_elm *leaf)
{
	if (leaf->base.rec_type == HAMMER_RECTYPE_DATA ||
	    leaf->base.rec_type == HAMMER_RECTYPE_DB)
		return hammer_data_zone((uint32_t)leaf->data_len);
	return HAMMER_ZONE_META;
}

const char *
hd_sizestr(uint64_t n)
{
	static char buf[4][24];
	static int i;
	const char *unit = "BKMGTP";
	double d = (double)n;

	i = (i + 1) & 3;
	while (d >= 1024 && unit[1] != 0) {
		d /= 1024;
		unit++;
	}
	snprintf(buf[i], sizeof(buf[i]), *unit == 'B' ? "%.0f%c" : "%.2f%cB", d,
	    *unit);
	return buf[i];
}

const char *
hd_uuidstr(const struct hammer_uuid *uuid)
{
	static char buf[4][40];
	static int i;
	const uint8_t *u = uuid->u;

	i = (i + 1) & 3;
	snprintf(buf[i], sizeof(buf[i]), "%02x%02x%02x%02x-%02x%02x-%02x%02x-"
	    "%02x%02x-%02x%02x%02x%02x%02x%02x", u[3], u[2], u[1], u[0], u[5],
	    u[4], u[7], u[6], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
	    u[15]);
	return buf[i];
}

const char *
hd_zonename(int zone)
{
	static const char *const names[HAMMER_MAX_ZONES] = {
		[0] = "free", [HAMMER_ZONE_RAW_VOLUME] = "raw_volume",
		[HAMMER_ZONE_RAW_BUFFER] = "raw_buffer",
		[HAMMER_ZONE_UNDO] = "undo", [HAMMER_ZONE_FREEMAP] = "freemap",
		[HAMMER_ZONE_BTREE] = "btree", [HAMMER_ZONE_META] = "meta",
		[HAMMER_ZONE_LARGE_DATA] = "large_data",
		[HAMMER_ZONE_SMALL_DATA] = "small_data",
		[HAMMER_ZONE_UNAVAIL] = "unavail",
	};

	return zone >= 0 && zone < HAMMER_MAX_ZONES && names[zone] != NULL ?
	    names[zone] : "?";
}

bool
hd_parse_size(const char *s, uint64_t *n)
{
	char *end;

	*n = strtoull(s, &end, 0);
	if (end == s)
		return false;
	switch (*end | 0x20) {
	case 't':
		*n *= 1024;
		/* FALLTHROUGH */
	case 'g':
		*n *= 1024;
		/* FALLTHROUGH */
	case 'm':
		*n *= 1024;
		/* FALLTHROUGH */
	case 'k':
		*n *= 1024;
		end++;
	}
	return *end == 0;
}
