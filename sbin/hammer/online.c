/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking a mounted filesystem: what the online verbs share. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "online.h"

int
online_open(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		fprintf(stderr, "hammer: %s: %s\n", path, strerror(errno));
	return fd;
}

int
online_ask(int fd, const char *path, uint64_t cmd, void *io)
{
	if (ioctl(fd, (int)cmd, io) == 0)
		return 0;
	fprintf(stderr, "hammer: %s: %s\n", path, errno == ENOTTY ?
	    "not on a HAMMER filesystem" : strerror(errno));
	return -1;
}

uint64_t
online_synctid(int fd, const char *path, int op)
{
	struct hammer_ioc_synctid io;

	memset(&io, 0, sizeof(io));
	io.op = op;
	return online_ask(fd, path, HAMMERIOC_SYNCTID, &io) == 0 ? io.tid : 0;
}

const char *
online_time(uint64_t tid, uint32_t time32)
{
	static char buf[40];
	time_t t = tid >= 1ULL << 60 ? (time_t)(tid / 1000000000) :
	    (time_t)time32;
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(buf, sizeof(buf), "%d-%b-%Y %H:%M:%S", &tm);
	return buf;
}

/* The top of the mount that holds path; malloc'd, absolute. */
char *
online_root(const char *path)
{
	char *s = realpath(path, NULL), *slash;
	struct stat st, up;

	if (s == NULL || stat(s, &st) != 0)
		return s;
	while (strcmp(s, "/") != 0) {
		slash = strrchr(s, '/');
		if (slash == s) {
			if (stat("/", &up) == 0 && up.st_dev == st.st_dev)
				s[1] = 0;
			break;
		}
		*slash = 0;
		if (stat(s, &up) != 0 || up.st_dev != st.st_dev) {
			*slash = '/';
			break;
		}
	}
	return s;
}
