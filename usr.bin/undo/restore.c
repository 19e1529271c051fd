/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing a version back, writing it elsewhere, comparing two.
 *
 * A restore is ordinary work on the live file: a removed name is created
 * again, a present file is overwritten in place (its links and its inode stay
 * the same).  What it replaces was a version of its own before and stays one,
 * so the command that takes the restore back is known and is printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "undo.h"

static int
complain(const char *what)
{
	fprintf(stderr, "undo: %s: %s\n", what, strerror(errno));
	return -1;
}

static int
write_full(int fd, const char *buf, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, buf, len);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

static bool
all_zero(const char *buf, size_t len)
{
	return buf[0] == 0 && memcmp(buf, buf + 1, len - 1) == 0;
}

/* Holes of a regular file stay holes. */
static int
copy_fd(int in, int out, bool sparse)
{
	static char buf[65536];
	off_t at = 0;
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) != 0) {
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (sparse && all_zero(buf, (size_t)n)) {
			if (lseek(out, n, SEEK_CUR) < 0)
				return -1;
		} else if (write_full(out, buf, (size_t)n) != 0)
			return -1;
		at += n;
	}
	return sparse ? ftruncate(out, at) : 0;
}

int
version_copy(const struct history *h, uint64_t tid, int out)
{
	char *from = history_path(h, tid);
	int in = from ? open(from, O_RDONLY) : -1, rc = 0;

	if (in < 0 || copy_fd(in, out, false) != 0)
		rc = complain(from ? from : h->path);
	if (in >= 0)
		close(in);
	free(from);
	return rc;
}

static int
restore_symlink(const struct history *h, const char *from, bool exists)
{
	char target[4096];
	ssize_t n = readlink(from, target, sizeof(target) - 1);

	if (n < 0)
		return complain(from);
	target[n] = 0;
	if (exists && unlink(h->path) != 0)
		return complain(h->path);
	if (symlink(target, h->path) != 0)
		return complain(h->path);
	return 0;
}

static int
restore_file(const struct history *h, const char *from, const struct stat *st,
    bool exists)
{
	struct timespec ts[2] = { { 0, UTIME_OMIT }, st->st_mtim };
	int in, out, rc = -1;

	in = open(from, O_RDONLY);
	if (in < 0)
		return complain(from);
	out = open(h->path, O_WRONLY | (exists ? O_TRUNC : O_CREAT | O_EXCL),
	    0600);
	if (out < 0) {
		close(in);
		return complain(h->path);
	}
	if (copy_fd(in, out, true) != 0)
		goto fail;
	if (!exists) {
		/* Only root may give a file away: then without setuid. */
		mode_t mode = st->st_mode & 07777;

		if (fchown(out, st->st_uid, st->st_gid) != 0)
			mode &= 0777;
		if (fchmod(out, mode) != 0)
			goto fail;
	}
	if (futimens(out, ts) != 0)
		goto fail;
	rc = 0;
fail:
	if (rc != 0)
		complain(h->path);
	close(in);
	if (close(out) != 0 && rc == 0)
		rc = complain(h->path);
	return rc;
}

int
version_restore(const struct history *h, uint64_t tid, bool dryrun)
{
	const struct moment *last = &h->m[h->n - 1];
	struct stat st, now;
	bool exists = lstat(h->path, &now) == 0;
	char *from = history_path(h, tid);
	int rc = -1;

	if (from == NULL || lstat(from, &st) != 0) {
		complain(from ? from : h->path);
		goto done;
	}
	if (S_ISDIR(st.st_mode)) {
		fprintf(stderr, "undo: %s is a directory; use: cp -a %s %s\n",
		    h->path, from, h->path);
		goto done;
	}
	if (exists && (now.st_mode & S_IFMT) != (st.st_mode & S_IFMT)) {
		fprintf(stderr, "undo: %s: a file of another kind has that "
		    "name now; it is left alone\n", h->path);
		goto done;
	}
	if (dryrun) {
		printf("%s: would bring back %s, %lld bytes\n", h->path,
		    when_text(tid), (long long)st.st_size);
		rc = 0;
		goto done;
	}
	if (S_ISREG(st.st_mode))
		rc = restore_file(h, from, &st, exists);
	else if (S_ISLNK(st.st_mode))
		rc = restore_symlink(h, from, exists);
	else if (exists)
		rc = 0;
	else if (mknod(h->path, st.st_mode, st.st_rdev) != 0)
		complain(h->path);
	else
		rc = 0;
	if (rc != 0)
		goto done;
	printf("%s: brought back as of %s\n", h->path, when_text(tid));
	if (exists)
		printf("to take it back: undo -t 0x%016llx %s\n",
		    (unsigned long long)last->tid, h->path);
	else
		printf("to take it back: rm %s\n", h->path);
done:
	free(from);
	return rc;
}

int
version_diff(const struct history *h, uint64_t from, uint64_t to)
{
	char *a = from ? history_path(h, from) : strdup(h->path);
	char *b = to ? history_path(h, to) : strdup(h->path);
	const char *pa = a, *pb = b;
	int status = -1;
	pid_t pid;

	if (a == NULL || b == NULL)
		goto done;
	if (access(pa, F_OK) != 0)
		pa = "/dev/null";
	if (access(pb, F_OK) != 0)
		pb = "/dev/null";
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execlp("diff", "diff", "-u", pa, pb, (char *)NULL);
		perror("undo: diff");
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		complain("diff");
done:
	free(a);
	free(b);
	return WIFEXITED(status) && WEXITSTATUS(status) < 2 ? 0 : -1;
}
