/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hammer snapshot, snap, snaplo, snapq, snapls, snaprm.
 *
 * A snapshot is a TID that retention respects: a record in the filesystem with
 * a note, and for people a symlink to the @@ path of that moment.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "online.h"

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Sync, record; the TID, or 0. */
static uint64_t
take(const char *fs, const char *note)
{
	struct hammer_ioc_snapshot io;
	int fd = online_open(fs);
	uint64_t tid = 0;

	if (fd < 0)
		return 0;
	memset(&io, 0, sizeof(io));
	if (note != NULL && strlen(note) >= sizeof(io.snaps[0].label)) {
		fprintf(stderr, "hammer: the note is longer than %zu bytes\n",
		    sizeof(io.snaps[0].label) - 1);
		goto done;
	}
	tid = online_synctid(fd, fs, HAMMER_SYNCTID_SYNC2);
	if (tid == 0)
		goto done;
	io.count = 1;
	io.snaps[0].tid = tid;
	io.snaps[0].ts = now_us();
	if (note != NULL)
		strcpy(io.snaps[0].label, note);
	if (online_ask(fd, fs, HAMMERIOC_ADD_SNAPSHOT, &io) != 0)
		tid = 0;
done:
	close(fd);
	return tid;
}

/* dir/@@0x<tid>, malloc'd. */
static char *
at_path(const char *dir, uint64_t tid)
{
	size_t len = strlen(dir) + 32;
	char *s = malloc(len);

	if (s != NULL)
		snprintf(s, len, "%s%s@@0x%016llx", dir,
		    dir[strlen(dir) - 1] == '/' ? "" : "/",
		    (unsigned long long)tid);
	return s;
}

/* The directory part of a path, malloc'd. */
static char *
dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return slash == path ? strdup("/") :
	    strndup(path, (size_t)(slash - path));
}

static int
make_link(const char *dir, uint64_t tid, const char *link)
{
	char *target = at_path(dir, tid);
	int rc = target == NULL || symlink(target, link) != 0;

	if (rc)
		fprintf(stderr, "hammer: %s: %s\n", link, strerror(errno));
	else
		printf("%s -> %s\n", link, target);
	free(target);
	return rc;
}

/* snapshot [fs] snapdir [note]: snapdir is a directory, or a pattern. */
int
cmd_snapshot(int argc, char **argv)
{
	const char *dir = argc > 2 ? argv[2] : argv[1];
	char link[4096], pattern[4096], *up = NULL, *root = NULL;
	time_t now = time(NULL);
	struct stat st;
	uint64_t tid;
	int rc = 1;

	if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
		snprintf(pattern, sizeof(pattern), "%s/snap-%%Y%%m%%d-%%H%%M",
		    dir);
	else
		snprintf(pattern, sizeof(pattern), "%s", dir);
	if (strftime(link, sizeof(link), pattern, localtime(&now)) == 0) {
		fprintf(stderr, "hammer: %s: bad name\n", dir);
		return 1;
	}
	up = argc > 2 ? strdup(argv[1]) : dir_of(link);
	root = up ? online_root(up) : NULL;
	if (root == NULL) {
		fprintf(stderr, "hammer: %s: %s\n", dir, strerror(errno));
	} else {
		tid = take(root, argc > 3 ? argv[3] : NULL);
		rc = tid == 0 || make_link(root, tid, link) != 0;
	}
	free(root);
	free(up);
	return rc;
}

/* snap path [note] | snaplo path [note] | snapq dir [note] */
int
cmd_snap(int argc, char **argv)
{
	const char *note = argc > 2 ? argv[2] : NULL;
	bool quiet = strcmp(argv[0], "snapq") == 0;
	bool local = strcmp(argv[0], "snaplo") == 0;
	char *dir = quiet ? strdup(argv[1]) : dir_of(argv[1]), *root, *path;
	uint64_t tid;
	int rc = 1;

	root = dir == NULL ? NULL :
	    local || quiet ? realpath(dir, NULL) : online_root(dir);
	if (root == NULL) {
		fprintf(stderr, "hammer: %s: %s\n", argv[1], strerror(errno));
		free(dir);
		return 1;
	}
	tid = take(root, note);
	if (tid != 0 && quiet) {
		path = at_path(root, tid);
		printf("%s\n", path);
		free(path);
		rc = 0;
	} else if (tid != 0) {
		rc = make_link(root, tid, argv[1]);
	}
	free(root);
	free(dir);
	return rc;
}

static int
list_one(const char *path)
{
	struct hammer_ioc_snapshot io;
	int fd = online_open(path), rc = 1;
	uint32_t i;

	if (fd < 0)
		return 1;
	memset(&io, 0, sizeof(io));
	printf("Snapshots on %s\nTransaction ID        Timestamp"
	    "             Note\n", path);
	do {
		if (online_ask(fd, path, HAMMERIOC_GET_SNAPSHOT, &io) != 0)
			goto done;
		for (i = 0; i < io.count; i++)
			printf("0x%016llx  %s  %.64s\n",
			    (unsigned long long)io.snaps[i].tid,
			    online_time(0, (uint32_t)(io.snaps[i].ts /
			    1000000)), io.snaps[i].label);
	} while (!(io.head.flags & HAMMER_IOC_EOF));
	rc = 0;
done:
	close(fd);
	return rc;
}

int
cmd_snapls(int argc, char **argv)
{
	int i, rc = 0;

	if (argc == 1)
		return list_one(".");
	for (i = 1; i < argc; i++)
		rc |= list_one(argv[i]);
	return rc;
}

static int
remove_tid(const char *fs, uint64_t tid)
{
	struct hammer_ioc_snapshot io;
	int fd = online_open(fs), rc;

	if (fd < 0)
		return 1;
	memset(&io, 0, sizeof(io));
	io.count = 1;
	io.snaps[0].tid = tid;
	rc = online_ask(fd, fs, HAMMERIOC_DEL_SNAPSHOT, &io) != 0;
	close(fd);
	if (rc == 0)
		printf("snapshot 0x%016llx removed\n", (unsigned long long)tid);
	return rc;
}

/* snaprm link ... | tid ... | fs tid ... */
int
cmd_snaprm(int argc, char **argv)
{
	const char *fs = ".", *at;
	char target[4096], *dir;
	struct stat st;
	ssize_t n;
	int i, rc = 0;

	for (i = 1; i < argc; i++) {
		if (strncmp(argv[i], "0x", 2) == 0) {
			rc |= remove_tid(fs, strtoull(argv[i], NULL, 16));
			continue;
		}
		n = readlink(argv[i], target, sizeof(target) - 1);
		if (n < 0) {
			if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode)) {
				fs = argv[i];
				continue;
			}
			fprintf(stderr, "hammer: %s: %s\n", argv[i],
			    strerror(errno));
			rc = 1;
			continue;
		}
		target[n] = 0;
		at = strstr(target, "@@0x");
		if (at == NULL) {
			fprintf(stderr, "hammer: %s: not a snapshot\n",
			    argv[i]);
			rc = 1;
			continue;
		}
		dir = at == target ? dir_of(argv[i]) :
		    strndup(target, (size_t)(at - target));
		if (dir == NULL || remove_tid(dir, strtoull(at + 2, NULL,
		    16)) != 0 || unlink(argv[i]) != 0)
			rc = 1;
		free(dir);
	}
	return rc;
}
