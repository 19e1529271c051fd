/* SPDX-License-Identifier: BSD-2-Clause */
/* Images for tests: host side, see mkimg.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libhammer_disk/hdisk.h>

#include "mkimg.h"

int
mkimg_create_n(char *const *paths, const uint64_t *sizes, int n)
{
	struct hd_volume vol[8];
	struct hd_mkfs mk;
	const char *bad = NULL;
	int i;

	memset(&mk, 0, sizeof(mk));
	memset(vol, 0, sizeof(vol));
	for (i = 0; i < n; i++) {
		vol[i].hv_path = paths[i];
		vol[i].hv_fd = open(paths[i], O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (vol[i].hv_fd < 0 ||
		    ftruncate(vol[i].hv_fd, (off_t)sizes[i]) != 0)
			bad = "cannot make the file";
		vol[i].hv_size = sizes[i];
	}
	mk.mk_label = "test";
	mk.mk_nvols = n;
	mk.mk_vol = vol;
	mk.mk_now = 1700000000000000ULL;
	memset(&mk.mk_fsid, 0x5a, sizeof(mk.mk_fsid));
	if (bad == NULL)
		bad = hd_mkfs(&mk);
	if (bad != NULL)
		fprintf(stderr, "mkfs: %s\n", bad);
	for (i = 0; i < n; i++)
		close(vol[i].hv_fd);
	return bad == NULL ? 0 : -1;
}

int
mkimg_create(const char *path, uint64_t size)
{
	char *paths[1] = { (char *)path };

	return mkimg_create_n(paths, &size, 1);
}

int
mkimg_check_n(char *const *paths, int n, int verbose)
{
	struct hd_fs *fs;
	bool badcrc;
	int bad;

	fs = hd_open(paths, n, &badcrc);
	if (fs == NULL)
		return -1;
	bad = hd_check(fs, verbose ? stderr : NULL) + (badcrc ? 1 : 0);
	hd_close(fs);
	return bad;
}

int
mkimg_check(const char *path, int verbose)
{
	char *paths[1] = { (char *)path };

	return mkimg_check_n(paths, 1, verbose);
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
