/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree in memory and a directory on disk: read one into the other, and
 * change a directory until it is what the tree in memory says.
 *
 * Nothing here follows a symlink and nothing leaves the directory: every
 * place is reached from the root descriptor, one component at a time with
 * O_NOFOLLOW.  Names came through jrec_check(), so none is ".." or holds a
 * slash.
 *
 * apply() goes in this order, so that it needs no special case for renames
 * that swap, replace, or move a directory into what was beside it:
 *
 *   1  everything whose name changes moves into a stash directory
 *   2  new objects are made in the stash
 *   3  names are given from the stash (rename the first, link the others)
 *   4  contents, owners, modes; times last, directories after their contents
 *   5  what is left in the stash is not wanted: it is removed
 */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>

#include "libjournal.h"

static const char stash_name[] = ".jscan-stash";

enum { MAXDEPTH = 2000 };		/* directories below each other */

struct queue {
	struct jm_obj **v;
	size_t	 n, cap;
};

struct work {
	int	 root, stash;
	struct jmodel *live, *want;
	const struct jsource *src;
	struct jtree_opts *opts;
	int	 errors;
};

enum {					/* jm_obj.mark */
	MK_REACHED	= 1,		/* want: below the root */
	MK_STASHED	= 2,		/* live object: is in the stash now */
	MK_PLACED	= 4,		/* want: exists under some name */
	MK_SKIP		= 8,		/* could not be made */
};

static int
complain(struct work *w, const struct jm_obj *o, const char *what)
{
	char path[1024];

	jm_path(w->want, o, path, sizeof(path));
	fprintf(stderr, "jscan: %s: %s: %s\n", path, what, strerror(errno));
	w->errors++;
	return -1;
}

static void
push(struct queue *q, struct jm_obj *o)
{
	if (q->n == q->cap) {
		q->cap = q->cap ? q->cap * 2 : 64;
		q->v = jl_grow(q->v, q->cap * sizeof(*q->v));
	}
	q->v[q->n++] = o;
}

/* ---- places ---- */

/* Open the directory of the live tree that model m puts obj in. */
static int
open_dir(const struct jmodel *m, int rootfd, const struct jm_obj *o)
{
	const struct jm_name *chain[MAXDEPTH];
	size_t n = 0;
	int fd, next;

	for (; o->ino != m->root; o = chain[n++]->dir)
		if (o->links == NULL || n == MAXDEPTH) {
			errno = ENAMETOOLONG;
			return -1;
		} else
			chain[n] = o->links;
	fd = openat(rootfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && n-- > 0) {
		next = openat(fd, chain[n]->name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	return fd;
}

static void
stash_text(char *buf, size_t size, uint64_t ino)
{
	snprintf(buf, size, "%llu", (unsigned long long)ino);
}

/* Move this directory's parent bits out of the way of our own work. */
static void
make_usable(int dirfd, const char *name, uint32_t mode)
{
	if ((mode & 0170000) == S_IFDIR && (mode & 0700) != 0700)
		(void)fchmodat(dirfd, name, 0700, 0);
}

/* ---- reading a tree ---- */

static void
attr_from_stat(struct jattr *ja, const struct stat *st)
{
	memset(ja, 0, sizeof(*ja));
	ja->ja_ino = st->st_ino;
	ja->ja_size = S_ISREG(st->st_mode) || S_ISLNK(st->st_mode) ?
	    st->st_size : 0;
	ja->ja_rdev = st->st_rdev;
	ja->ja_nlink = st->st_nlink;
	ja->ja_mode = st->st_mode;
	ja->ja_uid = st->st_uid;
	ja->ja_gid = st->st_gid;
	ja->ja_sec[JT_ATIME] = st->st_atim.tv_sec;
	ja->ja_nsec[JT_ATIME] = st->st_atim.tv_nsec;
	ja->ja_sec[JT_MTIME] = st->st_mtim.tv_sec;
	ja->ja_nsec[JT_MTIME] = st->st_mtim.tv_nsec;
	ja->ja_sec[JT_CTIME] = st->st_ctim.tv_sec;
	ja->ja_nsec[JT_CTIME] = st->st_ctim.tv_nsec;
}

static int
scan_one(struct jmodel *m, int dirfd, struct jm_obj *dir, const char *name,
    dev_t dev, struct queue *q)
{
	char text[JTEXT_MAX];
	struct jm_obj *o;
	struct stat st;
	ssize_t n;
	bool seen;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	if (st.st_dev != dev)
		return 0;		/* something mounted here */
	seen = jm_find(m, st.st_ino) != NULL;
	o = jm_get(m, st.st_ino);
	jm_set_name(m, dir, name, strlen(name), o);
	if (seen && o->known)
		return 0;
	attr_from_stat(&o->attr, &st);
	o->known = true;
	if (S_ISREG(st.st_mode))
		jm_ex_set(&o->ex, 0, st.st_size, JM_LIVE, 0);
	if (S_ISLNK(st.st_mode)) {
		n = readlinkat(dirfd, name, text, sizeof(text));
		if (n < 0)
			return -1;
		jm_set_text(o, text, n);
	}
	if (S_ISDIR(st.st_mode))
		push(q, o);
	return 0;
}

int
jtree_scan(int rootfd, struct jmodel *m)
{
	struct queue q = { 0 };
	struct jm_obj *root;
	struct dirent *de;
	struct stat st;
	int error = 0;

	if (fstat(rootfd, &st) != 0)
		return -1;
	jm_init(m, st.st_ino);
	root = jm_get(m, st.st_ino);
	attr_from_stat(&root->attr, &st);
	root->known = true;
	push(&q, root);
	for (size_t i = 0; i < q.n && error == 0; i++) {
		struct jm_obj *dir = q.v[i];
		int fd = open_dir(m, rootfd, dir);
		DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

		if (d == NULL) {
			error = -1;
			break;
		}
		while (error == 0 && (de = readdir(d)) != NULL) {
			if (strcmp(de->d_name, ".") == 0 ||
			    strcmp(de->d_name, "..") == 0)
				continue;
			error = scan_one(m, fd, dir, de->d_name, st.st_dev,
			    &q);
		}
		closedir(d);
	}
	free(q.v);
	if (error != 0)
		fprintf(stderr, "jscan: reading the tree: %s\n",
		    strerror(errno));
	return error;
}

/* ---- is the wanted tree a tree? ---- */

/* Mark what is below the root.  A directory with two names is hostile. */
static int
mark_reached(struct work *w)
{
	struct jmodel *m = w->want;
	struct queue q = { 0 };
	struct jm_obj *root = jm_get(m, m->root);
	int error = 0;

	root->mark |= MK_REACHED | MK_PLACED;
	push(&q, root);
	for (size_t i = 0; i < q.n; i++)
		for (struct jm_name *c = q.v[i]->children; c; c = c->snext) {
			if (!(c->obj->mark & MK_REACHED)) {
				c->obj->mark |= MK_REACHED;
				if (S_ISDIR(c->obj->attr.ja_mode))
					push(&q, c->obj);
			} else if (S_ISDIR(c->obj->attr.ja_mode)) {
				fprintf(stderr, "jscan: directory %llu has two "
				    "names: refused\n",
				    (unsigned long long)c->obj->ino);
				error = -1;
			}
		}
	free(q.v);
	return error;
}

/* ---- 1: what must move ---- */

static bool
name_stays(const struct jmodel *other, const struct jm_name *n)
{
	const struct jm_obj *dir = jm_find(other, n->dir->ino);
	const struct jm_name *o = jm_lookup(other, dir, n->name, n->len);

	return o != NULL && o->obj->ino == n->obj->ino;
}

/* Are both models talking of the same thing, not of a reused number? */
static bool
same_object(const struct jm_obj *live, const struct jm_obj *want)
{
	return live && want && (live->attr.ja_mode & S_IFMT) ==
	    (want->attr.ja_mode & S_IFMT) &&
	    (!S_ISLNK(want->attr.ja_mode) || strcmp(live->text ? live->text :
	    "", want->text ? want->text : "") == 0) &&
	    ((!S_ISCHR(want->attr.ja_mode) && !S_ISBLK(want->attr.ja_mode)) ||
	    live->attr.ja_rdev == want->attr.ja_rdev);
}

static void
stash_name_of(struct work *w, int dirfd, struct jm_name *n)
{
	struct jm_obj *o = n->obj;
	struct jm_obj *want = jm_find(w->want, o->ino);
	char text[32];

	stash_text(text, sizeof(text), o->ino);
	if (!same_object(o, want) || !(want->mark & MK_REACHED))
		snprintf(text, sizeof(text), "x%llu",
		    (unsigned long long)o->ino);
	make_usable(dirfd, n->name, o->attr.ja_mode);
	if (!(o->mark & MK_STASHED)) {
		if (renameat(dirfd, n->name, w->stash, text) != 0)
			complain(w, o, "cannot set aside");
		o->mark |= MK_STASHED;
	} else if (unlinkat(dirfd, n->name, 0) != 0)
		complain(w, o, "cannot unlink");
	w->opts->changes++;
}

/*
 * Directories move with all below them, so go from the leaves to the root:
 * children first.  A live directory is opened by its path, which must not
 * have changed yet.
 */
static void
stash_below(struct work *w, struct jm_obj *dir, int depth)
{
	struct jm_name *n;
	int fd;

	if (depth == MAXDEPTH) {
		errno = ENAMETOOLONG;
		complain(w, dir, "too deep");
		return;
	}
	for (n = dir->children; n != NULL; n = n->snext)
		if (S_ISDIR(n->obj->attr.ja_mode))
			stash_below(w, n->obj, depth + 1);
	fd = -1;
	for (n = dir->children; n != NULL; n = n->snext) {
		struct jm_obj *want = jm_find(w->want, n->obj->ino);

		if (name_stays(w->want, n) && same_object(n->obj, want) &&
		    (want->mark & MK_REACHED)) {
			want->mark |= MK_PLACED;
			continue;
		}
		if (fd < 0)
			fd = open_dir(w->live, w->root, dir);
		if (fd < 0) {
			complain(w, dir, "cannot open");
			return;
		}
		stash_name_of(w, fd, n);
	}
	if (fd >= 0)
		close(fd);
}

/* ---- 2, 3: new objects, and names ---- */

/* Make an object under a name; false: reported. */
static bool
make_object(struct work *w, struct jm_obj *o, int dirfd, const char *name)
{
	uint32_t mode = o->attr.ja_mode;
	int fd, r;

	switch (mode & S_IFMT) {
	case S_IFDIR:
		r = mkdirat(dirfd, name, 0700);
		break;
	case S_IFLNK:
		r = symlinkat(o->text ? o->text : "", dirfd, name);
		break;
	case S_IFREG:
		fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
		r = fd < 0 ? -1 : close(fd);
		break;
	default:
		if (w->opts->nodev && (S_ISCHR(mode) || S_ISBLK(mode))) {
			o->mark |= MK_SKIP;
			w->opts->skipped++;
			return false;
		}
		r = mknodat(dirfd, name, (mode & S_IFMT) | 0600,
		    o->attr.ja_rdev);
		if (r != 0 && errno == EPERM) {
			char path[1024];

			jm_path(w->want, o, path, sizeof(path));
			fprintf(stderr, "jscan: %s: a device node needs root: "
			    "left out\n", path);
			o->mark |= MK_SKIP;
			w->opts->skipped++;
			return false;
		}
		break;
	}
	if (r != 0) {
		complain(w, o, "cannot make");
		o->mark |= MK_SKIP;
		return false;
	}
	o->dirty = true;
	w->opts->changes++;
	return true;
}

/* A link to an object that has a place already: find that one. */
static int
link_from_place(struct work *w, struct jm_obj *o, const struct jm_name *not,
    int dirfd, const char *name)
{
	int r = -1, from;

	errno = ENOENT;
	for (struct jm_name *l = o->links; l != NULL && r != 0; l = l->lnext) {
		if (l == not || !(l->dir->mark & MK_REACHED))
			continue;
		from = open_dir(w->want, w->root, l->dir);
		if (from < 0)
			continue;
		r = linkat(from, l->name, dirfd, name, 0);
		close(from);
	}
	return r;
}

static void
place(struct work *w, struct jm_name *n, int dirfd)
{
	struct jm_obj *o = n->obj, *live = jm_find(w->live, o->ino);
	char text[32];

	if ((o->mark & MK_SKIP) || (live && name_stays(w->live, n) &&
	    same_object(live, o)))
		return;
	stash_text(text, sizeof(text), o->ino);
	if (o->mark & MK_PLACED) {
		if (link_from_place(w, o, n, dirfd, n->name) != 0)
			complain(w, o, "cannot link");
		w->opts->changes++;
		return;
	}
	if (live != NULL && same_object(live, o) &&
	    (live->mark & MK_STASHED)) {
		if (renameat(w->stash, text, dirfd, n->name) != 0)
			complain(w, o, "cannot put in place");
		w->opts->changes++;
	} else if (!make_object(w, o, dirfd, n->name))
		return;
	o->mark |= MK_PLACED;
}

/* ---- 4: contents and attributes ---- */

static int
copy_out(struct work *w, const struct jm_extent *e, int fd, uint8_t *buf,
    size_t bufsize)
{
	for (uint64_t done = 0; done < e->len; ) {
		size_t n = e->len - done < bufsize ? e->len - done : bufsize;
		size_t put = 0;

		if (w->src->js_read(w->src->js_arg, buf, n, e->src + done)) {
			errno = EIO;
			return -1;
		}
		while (put < n) {
			ssize_t k = pwrite(fd, buf + put, n - put,
			    e->off + done + put);

			if (k < 0 && errno == EINTR)
				continue;
			if (k <= 0)
				return -1;
			put += k;
		}
		done += n;
	}
	return 0;
}

/*
 * Bytes that the filesystem keeps itself: the file as of a number, which the
 * mount shows as "@@0x<number>/path" below its root.  The hint leads there; it
 * is the right file only if its id is.
 */
static int
copy_past(struct work *w, const struct jm_obj *o, const struct jm_extent *e,
    int fd, uint8_t *buf, size_t bufsize)
{
	const char *hint = o->refpath ? o->refpath : "";
	char path[JTEXT_MAX + 32];
	int from, error = 0;
	struct stat st;

	errno = ENOENT;
	if (hint[0] != '/' || strstr(hint, "/../") != NULL)
		return -1;
	snprintf(path, sizeof(path), "@@0x%016llx%s",
	    (unsigned long long)e->src, hint);
	from = openat(w->root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK);
	if (from < 0)
		return -1;
	if (fstat(from, &st) != 0 || st.st_ino != o->ino ||
	    !S_ISREG(st.st_mode)) {
		close(from);
		errno = ESTALE;
		return -1;
	}
	for (uint64_t done = 0; done < e->len && error == 0; ) {
		size_t n = e->len - done < bufsize ? e->len - done : bufsize;
		ssize_t k = pread(from, buf, n, e->off + done);

		if (k == 0)
			break;		/* a hole up to the end */
		if (k < 0 || pwrite(fd, buf, k, e->off + done) != k)
			error = -1;
		else
			done += k;
	}
	close(from);
	return error;
}

/* Bytes that are a hole in want but data in the live file: zero them. */
static int
zero_out(int fd, uint64_t off, uint64_t len, uint8_t *buf, size_t bufsize)
{
	memset(buf, 0, bufsize);
	while (len > 0) {
		ssize_t k = pwrite(fd, buf, len < bufsize ? len : bufsize, off);

		if (k <= 0)
			return -1;
		off += k;
		len -= k;
	}
	return 0;
}

static int
fill_file(struct work *w, struct jm_obj *o, int dirfd, const char *name,
    bool fresh)
{
	enum { BUFSIZE = 256 << 10 };
	uint8_t *buf = jl_alloc(BUFSIZE);
	uint64_t at = 0, livesize = 0;
	struct stat st;
	int error = 0;
	int fd;

	fd = openat(dirfd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0600, 0) == 0)
		fd = openat(dirfd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		free(buf);
		return complain(w, o, "cannot open to write");
	}
	if (!fresh && fstat(fd, &st) == 0)
		livesize = st.st_size;
	if (!fresh && livesize > o->attr.ja_size) {
		error = ftruncate(fd, o->attr.ja_size);
		livesize = o->attr.ja_size;
	}
	for (size_t i = 0; i <= o->ex.n && error == 0; i++) {
		const struct jm_extent *e = i < o->ex.n ? &o->ex.e[i] : NULL;
		uint64_t next = e ? e->off : o->attr.ja_size;

		if (next > livesize)
			next = livesize;
		if (at < next)
			error = zero_out(fd, at, next - at, buf, BUFSIZE);
		if (e == NULL || error != 0)
			break;
		if (e->kind == JM_STREAM)
			error = copy_out(w, e, fd, buf, BUFSIZE);
		else if (e->kind == JM_REF && copy_past(w, o, e, fd, buf,
		    BUFSIZE) == 0)
			;
		else if (e->kind != JM_LIVE) {
			char path[1024];

			jm_path(w->want, o, path, sizeof(path));
			fprintf(stderr, "jscan: %s: bytes %llu to %llu cannot "
			    "be brought back: the journal %s\n", path,
			    (unsigned long long)e->off,
			    (unsigned long long)(e->off + e->len),
			    e->kind == JM_REF ?
			    "refers to the filesystem's own history for them" :
			    "did not keep them");
			w->opts->skipped++;
		}
		at = e->off + e->len;
	}
	if (error == 0)
		error = ftruncate(fd, o->attr.ja_size);
	if (close(fd) != 0)
		error = -1;
	free(buf);
	if (error != 0)
		return complain(w, o, "cannot write");
	w->opts->changes++;
	return 0;
}

static bool
data_differs(const struct jm_obj *live, const struct jm_obj *want)
{
	return !S_ISREG(want->attr.ja_mode) ? false :
	    live == NULL || live->attr.ja_size != want->attr.ja_size ||
	    (want->attr.ja_size > 0 && (want->ex.n != 1 ||
	    want->ex.e[0].kind != JM_LIVE));
}

static bool
attr_differs(const struct jattr *a, const struct jattr *b)
{
	return a->ja_mode != b->ja_mode || a->ja_uid != b->ja_uid ||
	    a->ja_gid != b->ja_gid ||
	    a->ja_sec[JT_MTIME] != b->ja_sec[JT_MTIME] ||
	    a->ja_nsec[JT_MTIME] != b->ja_nsec[JT_MTIME] ||
	    a->ja_sec[JT_ATIME] != b->ja_sec[JT_ATIME] ||
	    a->ja_nsec[JT_ATIME] != b->ja_nsec[JT_ATIME];
}

static void
set_attr(struct work *w, struct jm_obj *o, int dirfd, const char *name)
{
	const struct jattr *ja = &o->attr;
	struct timespec ts[2] = {
		{ ja->ja_sec[JT_ATIME], ja->ja_nsec[JT_ATIME] },
		{ ja->ja_sec[JT_MTIME], ja->ja_nsec[JT_MTIME] },
	};

	if (fchownat(dirfd, name, ja->ja_uid, ja->ja_gid,
	    AT_SYMLINK_NOFOLLOW) != 0 && geteuid() == 0)
		complain(w, o, "cannot set the owner");
	if (!S_ISLNK(ja->ja_mode) &&
	    fchmodat(dirfd, name, ja->ja_mode & 07777, 0) != 0)
		complain(w, o, "cannot set the mode");
	if (utimensat(dirfd, name, ts, AT_SYMLINK_NOFOLLOW) != 0)
		complain(w, o, "cannot set the times");
}

/* Directories are finished after all below them: their times change. */
static void
finish_below(struct work *w, struct jm_obj *dir)
{
	struct jm_obj *live;
	struct jm_name *n;
	int fd;

	for (n = dir->children; n != NULL; n = n->snext)
		if (S_ISDIR(n->obj->attr.ja_mode) && !(n->obj->mark & MK_SKIP))
			finish_below(w, n->obj);
	fd = open_dir(w->want, w->root, dir);
	if (fd < 0) {
		complain(w, dir, "cannot open");
		return;
	}
	for (n = dir->children; n != NULL; n = n->snext) {
		struct jm_obj *o = n->obj;

		if ((o->mark & MK_SKIP) || o->links != n)
			continue;	/* once per object */
		live = jm_find(w->live, o->ino);
		if (!same_object(live, o))
			live = NULL;
		if (data_differs(live, o)) {
			fill_file(w, o, fd, n->name, live == NULL);
			o->dirty = true;
		}
		if (live == NULL || o->dirty || (live->mark & MK_STASHED) ||
		    attr_differs(&live->attr, &o->attr) ||
		    S_ISDIR(o->attr.ja_mode))
			set_attr(w, o, fd, n->name);
	}
	close(fd);
}

/* Directories first: then every path is there for links. */
static void
place_below(struct work *w, struct jm_obj *dir, bool dirs, int depth)
{
	struct jm_name *n;
	int fd = -1;

	if (depth < MAXDEPTH)
		fd = open_dir(w->want, w->root, dir);
	else
		errno = ENAMETOOLONG;
	if (fd < 0) {
		complain(w, dir, "cannot open");
		dir->mark |= MK_SKIP;
		return;
	}
	for (n = dir->children; n != NULL; n = n->snext)
		if (S_ISDIR(n->obj->attr.ja_mode) == dirs)
			place(w, n, fd);
	close(fd);
	for (n = dir->children; n != NULL; n = n->snext)
		if (S_ISDIR(n->obj->attr.ja_mode) &&
		    !(n->obj->mark & MK_SKIP))
			place_below(w, n->obj, dirs, depth + 1);
}

/* Remove everything below a directory that we made ourselves. */
static int
empty_dir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *de;
	int error = 0;

	if (d == NULL)
		return -1;
	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, de->d_name, 0) == 0)
			continue;
		(void)fchmodat(fd, de->d_name, 0700, 0);
		if (empty_dir(fd, de->d_name) != 0)
			error = -1;
		rewinddir(d);
	}
	closedir(d);
	if (error == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) != 0)
		error = -1;
	return error;
}

int
jtree_apply(int rootfd, struct jmodel *live, struct jmodel *want,
    const struct jsource *src, struct jtree_opts *opts)
{
	struct work w = { .root = rootfd, .live = live, .want = want,
	    .src = src, .opts = opts };
	struct jm_obj *root = jm_get(want, want->root);

	if (mark_reached(&w) != 0)
		return -1;
	(void)unlinkat(rootfd, stash_name, AT_REMOVEDIR);
	if (mkdirat(rootfd, stash_name, 0700) != 0 ||
	    (w.stash = openat(rootfd, stash_name, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC)) < 0) {
		fprintf(stderr, "jscan: %s: %s\n", stash_name,
		    strerror(errno));
		return -1;
	}
	stash_below(&w, jm_get(live, live->root), 0);
	place_below(&w, root, true, 0);
	place_below(&w, root, false, 0);
	finish_below(&w, root);
	close(w.stash);
	if (empty_dir(rootfd, stash_name) != 0) {
		fprintf(stderr, "jscan: %s: cannot remove: %s\n", stash_name,
		    strerror(errno));
		w.errors++;
	}
	set_attr(&w, root, rootfd, ".");
	return w.errors ? -1 : 0;
}
