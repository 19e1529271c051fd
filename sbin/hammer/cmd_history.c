/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hammer history[@offset[,len]] path ...: TIDs and times of the versions of an
 * inode, or of the block at an offset (-v: the bytes that each had there).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "online.h"

static void
dump_bytes(const char *path, uint64_t tid, int64_t off, int len)
{
	size_t room = strlen(path) + 24;
	char *name = malloc(room);
	unsigned char buf[4096];
	ssize_t n, i;
	int fd;

	if (name == NULL)
		return;
	snprintf(name, room, "%s@@0x%016llx", path, (unsigned long long)tid);
	fd = open(name, O_RDONLY);
	free(name);
	if (fd < 0)
		return;
	n = pread(fd, buf, (size_t)(len < (int)sizeof(buf) ? len :
	    (int)sizeof(buf)), off);
	close(fd);
	for (i = 0; i < n; i++)
		printf("%s%02x", i % 16 == 0 ? i ? "\n\t" : "\t" : " ",
		    buf[i]);
	if (n > 0)
		printf("\n");
}

static int
history_of(const char *path, int64_t off, int len)
{
	struct hammer_ioc_history *io = calloc(1, sizeof(*io));
	int fd = online_open(path), i, rc = 1;

	if (io == NULL || fd < 0)
		goto done;
	io->end_tid = UINT64_MAX;
	io->key = off >= 0 ? off : 0;
	printf("%s\t", path);
	do {
		io->head.flags = off >= 0 ? HAMMER_IOC_ATKEY : 0;
		if (online_ask(fd, path, HAMMERIOC_GETHISTORY, io) != 0)
			goto done;
		if (io->beg_tid == 0)
			printf("%016llx\n", (unsigned long long)io->obj_id);
		for (i = 0; i < io->count; i++) {
			printf("    %016llx %s%s\n",
			    (unsigned long long)io->hist[i].tid,
			    online_time(io->hist[i].tid, io->hist[i].time32),
			    io->hist[i].deleted ? " (end)" : "");
			if (opts.verbose && off >= 0)
				dump_bytes(path, io->hist[i].tid, off, len);
		}
		io->beg_tid = io->nxt_tid;
	} while ((io->head.flags & HAMMER_IOC_EOF) == 0);
	rc = 0;
done:
	if (fd >= 0)
		close(fd);
	free(io);
	return rc;
}

int
cmd_history(int argc, char **argv)
{
	const char *at = strchr(argv[0], '@');
	int64_t off = -1;
	int len = 32, rc = 0, i;
	char *end;

	if (at != NULL) {
		off = (int64_t)strtoull(at + 1, &end, 0);
		if (*end == ',')
			len = (int)strtol(end + 1, &end, 0);
		if (end == at + 1 || *end != 0 || off < 0 || len <= 0) {
			fprintf(stderr, "hammer: %s: bad offset\n", argv[0]);
			return 1;
		}
	}
	for (i = 1; i < argc; i++)
		rc |= history_of(argv[i], off, len);
	return rc;
}
