/* SPDX-License-Identifier: BSD-2-Clause */
/* hammer synctid fs [quick]: a TID that names the state of now. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "online.h"

int
cmd_synctid(int argc, char **argv)
{
	int op = HAMMER_SYNCTID_SYNC2, fd;
	uint64_t tid;

	if (argc == 3) {
		if (strcmp(argv[2], "quick") != 0) {
			fprintf(stderr, "hammer: synctid: %s?\n", argv[2]);
			return 1;
		}
		op = HAMMER_SYNCTID_SYNC1;
	}
	fd = online_open(argv[1]);
	if (fd < 0)
		return 1;
	tid = online_synctid(fd, argv[1], op);
	close(fd);
	if (tid == 0)
		return 1;
	printf("0x%016llx\n", (unsigned long long)tid);
	return 0;
}
