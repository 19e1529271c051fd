/* SPDX-License-Identifier: BSD-2-Clause */
/* hammer info [path ...] and hammer version path. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <libhammer_disk/hdisk.h>

#include "online.h"

static void
line_space(const char *what, int64_t bigblocks, int64_t total)
{
	printf("\t%-18s %9lld  (%s, %lld%%)\n", what, (long long)bigblocks,
	    hd_sizestr((uint64_t)bigblocks * HAMMER_BIGBLOCK_SIZE),
	    (long long)(total ? bigblocks * 100 / total : 0));
}

static int
count_snapshots(int fd, const char *path)
{
	struct hammer_ioc_snapshot io;
	int n = 0;

	memset(&io, 0, sizeof(io));
	do {
		if (online_ask(fd, path, HAMMERIOC_GET_SNAPSHOT, &io) != 0)
			return -1;
		n += (int)io.count;
	} while (!(io.head.flags & HAMMER_IOC_EOF));
	return n;
}

static int
info_of(const char *path)
{
	struct hammer_ioc_pseudofs pfs;
	struct hammer_ioc_info io;
	struct hammer_uuid fsid;
	struct hammer_pseudofs_data pfsd;
	int fd = online_open(path), rc = 1;

	if (fd < 0)
		return 1;
	memset(&io, 0, sizeof(io));
	if (online_ask(fd, path, HAMMERIOC_GET_INFO, &io) != 0)
		goto done;
	memcpy(&fsid, io.fsid, sizeof(fsid));
	printf("Volume identification\n\tLabel              %.64s\n"
	    "\tVolumes            %d\n\tFSID               %s\n"
	    "\tHAMMER version     %d\n", io.label, io.nvolumes,
	    hd_uuidstr(&fsid), io.version);
	printf("Big-blocks of 8 MB\n");
	line_space("Total", io.bigblocks, io.bigblocks);
	line_space("Used", io.bigblocks - io.freebigblocks, io.bigblocks);
	line_space("Reserved", io.rsvbigblocks, io.bigblocks);
	line_space("Free", io.freebigblocks, io.bigblocks);
	printf("\tInodes             %lld\n", (long long)io.inodes);
	printf("Transactions\n\tNext               0x%016llx\n"
	    "\tDurable up to      0x%016llx\n",
	    (unsigned long long)io.next_tid,
	    (unsigned long long)io.synced_tid);
	printf("Retention\n\tEverything is kept; nothing is dropped yet\n");
	printf("PFS        Mode     Snapshots\n");
	memset(&pfs, 0, sizeof(pfs));
	pfs.pfs_id = -1;
	if (online_ask(fd, path, HAMMERIOC_GET_PSEUDOFS, &pfs) != 0)
		goto done;
	memcpy(&pfsd, pfs.data, sizeof(pfsd));
	printf("%5d      %-8s %9d\n", pfs.pfs_id,
	    pfsd.mirror_flags & HAMMER_PFSD_SLAVE ? "SLAVE" : "MASTER",
	    count_snapshots(fd, path));
	rc = 0;
done:
	close(fd);
	return rc;
}

/* Every HAMMER mount that /proc knows. */
static int
info_all(void)
{
	char line[1024], from[256], on[256], type[64];
	FILE *f = fopen("/proc/mounts", "r");
	int rc = 0, n = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%255s %255s %63s", from, on, type) != 3 ||
		    strcmp(type, "hammer") != 0)
			continue;
		if (n++)
			printf("\n");
		printf("%s on %s\n", from, on);
		rc |= info_of(on);
	}
	if (f != NULL)
		fclose(f);
	if (n == 0)
		fprintf(stderr, "hammer: no HAMMER filesystem is mounted\n");
	return n == 0 ? 1 : rc;
}

int
cmd_info(int argc, char **argv)
{
	int i, rc = 0;

	if (argc == 1)
		return info_all();
	for (i = 1; i < argc; i++)
		rc |= info_of(argv[i]);
	return rc;
}

int
cmd_version(int argc, char **argv)
{
	struct hammer_ioc_version io;
	int fd = online_open(argv[1]), rc;

	(void)argc;
	if (fd < 0)
		return 1;
	memset(&io, 0, sizeof(io));
	rc = online_ask(fd, argv[1], HAMMERIOC_GET_VERSION, &io);
	close(fd);
	if (rc != 0)
		return 1;
	printf("min=%u wip=%u max=%u current=%u description=\"%s\"\n",
	    io.min_version, io.wip_version, io.max_version, io.cur_version,
	    io.description);
	return 0;
}
