/* SPDX-License-Identifier: BSD-2-Clause */
/* Images for tests: host side, see mkimg.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libhammer_disk/hdisk.h>

#include "mkimg.h"

int
mkimg_create(const char *path, uint64_t size)
{
	struct hd_volume vol;
	struct hd_mkfs mk;
	const char *bad;

	memset(&mk, 0, sizeof(mk));
	memset(&vol, 0, sizeof(vol));
	vol.hv_path = path;
	vol.hv_fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (vol.hv_fd < 0 || ftruncate(vol.hv_fd, (off_t)size) != 0)
		return -1;
	vol.hv_size = size;
	mk.mk_label = "test";
	mk.mk_nvols = 1;
	mk.mk_vol = &vol;
	mk.mk_now = 1700000000000000ULL;
	memset(&mk.mk_fsid, 0x5a, sizeof(mk.mk_fsid));
	bad = hd_mkfs(&mk);
	if (bad != NULL)
		fprintf(stderr, "mkfs: %s\n", bad);
	close(vol.hv_fd);
	return bad == NULL ? 0 : -1;
}

int
mkimg_check(const char *path, int verbose)
{
	char *paths[1] = { (char *)path };
	struct hd_fs *fs;
	bool badcrc;
	int n;

	fs = hd_open(paths, 1, &badcrc);
	if (fs == NULL)
		return -1;
	n = hd_check(fs, verbose ? stderr : NULL) + (badcrc ? 1 : 0);
	hd_close(fs);
	return n;
}

void
mkimg_remove(const char *path)
{
	unlink(path);
}

void
mkimg_name(char *buf, unsigned long size)
{
	const char *dir = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(buf, size, "%s/anax-hammer-%d.img", dir, (int)getpid());
}
