/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * newfs_hammer: make a HAMMER filesystem on one or more volumes.  The format
 * work is lib/libhammer_disk/hmkfs.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <libhammer_disk/hdisk.h>

static void
usage(int code)
{
	fprintf(code == 0 ? stdout : stderr,
	    "usage: newfs_hammer -L label [-Efh] [-b bootsize] [-m savesize]\n"
	    "                    [-u undosize] [-C cachesize[:readahead]]\n"
	    "                    [-V version] special ...\n");
	exit(code);
}

static uint64_t
size_arg(const char *s)
{
	uint64_t n;

	if (!hd_parse_size(s, &n) || n == 0)
		hd_fatal("newfs_hammer: not a size: %s", s);
	return n;
}

/* A random (version 4) uuid. */
static void
uuid_make(struct hammer_uuid *uuid)
{
	int fd = open("/dev/urandom", O_RDONLY);

	if (fd < 0 || read(fd, uuid, sizeof(*uuid)) != sizeof(*uuid))
		hd_fatal("newfs_hammer: /dev/urandom: %s", strerror(errno));
	close(fd);
	uuid->u[7] = (uint8_t)((uuid->u[7] & 0x0f) | 0x40);
	uuid->u[8] = (uint8_t)((uuid->u[8] & 0x3f) | 0x80);
}

static void
trim(const struct hd_volume *v, bool force)
{
	const unsigned long blkdiscard = 0x1277;
	uint64_t range[2] = { 0, v->hv_size };

	if (ioctl(v->hv_fd, (int)blkdiscard, range) != 0 && !force)
		hd_fatal("newfs_hammer: %s: cannot be trimmed (%s); -f goes "
		    "on without", v->hv_path, strerror(errno));
}

static void
volume_open(struct hd_volume *v, const char *path)
{
	v->hv_path = path;
	v->hv_fd = open(path, O_RDWR);
	if (v->hv_fd < 0)
		hd_fatal("newfs_hammer: %s: %s", path, strerror(errno));
	v->hv_size = hd_device_size(v->hv_fd, path);
}

static void
refuse_twice(struct hd_volume *vol, int n)
{
	struct stat a, b;
	int i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < i; k++) {
			if (fstat(vol[i].hv_fd, &a) == 0 &&
			    fstat(vol[k].hv_fd, &b) == 0 &&
			    a.st_dev == b.st_dev && a.st_ino == b.st_ino)
				hd_fatal("newfs_hammer: %s: given twice",
				    vol[i].hv_path);
		}
	}
}

int
main(int argc, char **argv)
{
	struct hd_mkfs mk;
	struct timespec now;
	const char *bad;
	bool force = false, discard = false;
	int ch, i;

	memset(&mk, 0, sizeof(mk));
	while ((ch = getopt(argc, argv, "b:C:EfhL:m:u:V:")) != -1) {
		switch (ch) {
		case 'b':
			mk.mk_boot = size_arg(optarg);
			break;
		case 'C':	/* no cache to be sized here */
			break;
		case 'E':
			discard = true;
			break;
		case 'f':
			force = true;
			break;
		case 'h':
			usage(0);
			break;
		case 'L':
			mk.mk_label = optarg;
			break;
		case 'm':
			mk.mk_mem = size_arg(optarg);
			break;
		case 'u':
			mk.mk_undo = size_arg(optarg);
			break;
		case 'V':
			if (strcmp(optarg, "7") != 0)
				hd_fatal("newfs_hammer: only version 7 is "
				    "made");
			break;
		default:
			usage(1);
		}
	}
	argc -= optind;
	argv += optind;
	if (mk.mk_label == NULL || argc < 1)
		usage(1);
	if (mk.mk_label[0] == 0 || strlen(mk.mk_label) > 63)
		hd_fatal("newfs_hammer: a label has 1 to 63 characters");
	if (argc > HAMMER_MAX_VOLUMES)
		hd_fatal("newfs_hammer: at most %d volumes",
		    HAMMER_MAX_VOLUMES);
	mk.mk_nvols = argc;
	mk.mk_vol = calloc((size_t)argc, sizeof(*mk.mk_vol));
	if (mk.mk_vol == NULL)
		hd_fatal("newfs_hammer: no memory");
	for (i = 0; i < argc; i++)
		volume_open(&mk.mk_vol[i], argv[i]);
	refuse_twice(mk.mk_vol, argc);
	uuid_make(&mk.mk_fsid);
	clock_gettime(CLOCK_REALTIME, &now);
	mk.mk_now = (uint64_t)now.tv_sec * 1000000 +
	    (uint64_t)now.tv_nsec / 1000;
	for (i = 0; i < argc; i++) {
		printf("Volume %d %-15s size %s\n", i, argv[i],
		    hd_sizestr(mk.mk_vol[i].hv_size));
		if (discard)
			trim(&mk.mk_vol[i], force);
	}
	bad = hd_mkfs(&mk);
	if (bad != NULL)
		hd_fatal("newfs_hammer: %s", bad);
	printf("---------------------------------------------\n");
	printf("%d volume%s total size %s, HAMMER version 7\n", argc,
	    argc == 1 ? "" : "s", hd_sizestr(mk.mk_total *
	    HAMMER_BIGBLOCK_SIZE));
	printf("label:               %s\n", mk.mk_label);
	printf("boot-area-size:      %s\n", hd_sizestr(mk.mk_boot));
	printf("memory-log-size:     %s\n", hd_sizestr(mk.mk_mem));
	printf("undo-buffer-size:    %s\n", hd_sizestr(mk.mk_undo));
	printf("free:                %s\n", hd_sizestr(mk.mk_free *
	    HAMMER_BIGBLOCK_SIZE));
	printf("fsid:                %s\n", hd_uuidstr(&mk.mk_fsid));
	return 0;
}
