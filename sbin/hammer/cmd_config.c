/* SPDX-License-Identifier: BSD-2-Clause */
/* hammer config [fs [file]], viconfig [fs]: the cleanup configuration. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "online.h"

static const char defaults[] =
    "snapshots 1d 60d\nprune     1d 5m\nrebalance 1d 5m\n#dedup    1d 5m\n"
    "reblock   1d 5m\nrecopy    30d 10m\n";

static int
read_config(int fd, const char *path, struct hammer_ioc_config *io)
{
	memset(io, 0, sizeof(*io));
	if (ioctl(fd, (int)HAMMERIOC_GET_CONFIG, io) == 0)
		return 0;
	if (errno == ENOENT) {
		strcpy(io->text, defaults);
		return 1;
	}
	fprintf(stderr, "hammer: %s: %s\n", path, strerror(errno));
	return -1;
}

static int
write_config(int fd, const char *path, FILE *f)
{
	struct hammer_ioc_config io;
	size_t n;

	memset(&io, 0, sizeof(io));
	n = fread(io.text, 1, sizeof(io.text), f);
	if (n >= sizeof(io.text)) {
		fprintf(stderr, "hammer: the configuration is longer than "
		    "%zu bytes\n", sizeof(io.text) - 1);
		return 1;
	}
	return online_ask(fd, path, HAMMERIOC_SET_CONFIG, &io) != 0;
}

int
cmd_config(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : ".";
	struct hammer_ioc_config io;
	int fd = online_open(path), rc;
	FILE *f;

	if (fd < 0)
		return 1;
	if (argc > 2) {
		f = strcmp(argv[2], "-") == 0 ? stdin : fopen(argv[2], "r");
		if (f == NULL) {
			perror(argv[2]);
			return 1;
		}
		rc = write_config(fd, path, f);
	} else {
		rc = read_config(fd, path, &io);
		if (rc >= 0)
			printf("%s%s", rc ? "# none is set; the defaults:\n" :
			    "", io.text);
		rc = rc < 0;
	}
	close(fd);
	return rc;
}

int
cmd_viconfig(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : ".", *editor;
	char name[] = "/tmp/hammer.config.XXXXXX", cmd[512];
	struct hammer_ioc_config io;
	int fd = online_open(path), tmp, rc = 1;
	FILE *f;

	if (fd < 0 || read_config(fd, path, &io) < 0)
		return 1;
	tmp = mkstemp(name);
	if (tmp < 0 || write(tmp, io.text, strlen(io.text)) < 0) {
		perror(name);
		return 1;
	}
	close(tmp);
	editor = getenv("VISUAL");
	if (editor == NULL)
		editor = getenv("EDITOR");
	snprintf(cmd, sizeof(cmd), "%s %s", editor ? editor : "vi", name);
	if (system(cmd) == 0 && (f = fopen(name, "r")) != NULL) {
		rc = write_config(fd, path, f);
		fclose(f);
	} else {
		fprintf(stderr, "hammer: not changed\n");
	}
	unlink(name);
	close(fd);
	return rc;
}
