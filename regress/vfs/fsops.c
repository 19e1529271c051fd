/* SPDX-License-Identifier: BSD-2-Clause */
/* See fsops.h. */
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vnode.h>
#include "../env/env.h"
#include "fsops.h"

enum { NNAMES = 14, PATHLEN = 4096, IOMAX = 20000 };

static char name_long[256], name_toolong[257];
static char iobuf[IOMAX], cmpbuf[IOMAX];

static const char *
pick_name(void)
{
	static char names[NNAMES][8];
	uint64_t n = env_random(NNAMES + 2);

	if (name_long[0] == '\0') {
		memset(name_long, 'L', 255);
		memset(name_toolong, 'T', 256);
		for (int i = 0; i < NNAMES; i++)
			ksnprintf(names[i], sizeof(names[i]), "n%d", i);
	}
	if (n < NNAMES)
		return names[n];
	return n == NNAMES && env_random(8) == 0 ? name_toolong : name_long;
}

/* ---- places: a directory of the model and its path ---- */

struct place {
	uint64_t	id;
	char		path[PATHLEN];
};

struct choice {
	const struct fsops *fo;
	uint64_t	id, seen;
	char		name[256];
	bool		dirs;
};

static bool
is_dir(const struct fsops *fo, uint64_t id)
{
	struct model_attr a;

	return model_getattr(fo->fo_model, MODEL_LIVE, id, &a) == 0 &&
	    S_ISDIR(a.mode);
}

static void
choose_one(void *arg, const char *name, uint64_t id)
{
	struct choice *c = arg;

	if (c->dirs && !is_dir(c->fo, id))
		return;
	if (env_random(++c->seen) == 0) {
		c->id = id;
		kstrlcpy(c->name, name, sizeof(c->name));
	}
}

static void
path_add(char *path, const char *name)
{
	if (*path != '\0')
		kstrlcat(path, "/", PATHLEN);
	kstrlcat(path, name, PATHLEN);
}

static void
pick_dir(struct fsops *fo, struct place *p)
{
	struct choice c;
	int depth = 0;

	p->id = MODEL_ROOT;
	p->path[0] = '\0';
	while (depth++ < 5 && env_random(3) != 0) {
		memset(&c, 0, sizeof(c));
		c.fo = fo;
		c.dirs = true;
		model_readdir(fo->fo_model, MODEL_LIVE, p->id, choose_one,
		    &c);
		if (c.seen == 0)
			break;
		p->id = c.id;
		path_add(p->path, c.name);
	}
}

/* A name in a directory: mostly one that is there, if `there'. */
static void
pick_entry(struct fsops *fo, struct place *dir, bool there, char *name,
    char *path)
{
	struct choice c;

	pick_dir(fo, dir);
	memset(&c, 0, sizeof(c));
	c.fo = fo;
	if (there && env_random(8) != 0)
		model_readdir(fo->fo_model, MODEL_LIVE, dir->id, choose_one,
		    &c);
	kstrlcpy(name, c.seen > 0 ? c.name : pick_name(), 257);
	kstrlcpy(path, dir->path, PATHLEN);
	path_add(path, name);
}

/* An object by name; 0 if there is none. */
static uint64_t
object_of(struct fsops *fo, const struct place *dir, const char *name)
{
	uint64_t id;

	if (model_lookup(fo->fo_model, MODEL_LIVE, dir->id, name, &id) != 0)
		return 0;
	return id;
}

/* ---- operations ---- */

static bool
same(struct fsops *fo, const char *op, const char *path, int real, int model)
{
	if (fo->fo_verbose)
		env_printf("%5u %s %.60s = %d\n", (unsigned)fo->fo_count, op,
		    path, real);
	if (real == model)
		return true;
	if (fo->fo_differs != NULL)
		fo->fo_differs(fo);
	fo->fo_failed = true;
	env_printf("op %u: %s %.100s: real %d, model %d\n",
	    (unsigned)fo->fo_count, op, path, real, model);
	ENV_CHECK(real == model);
	return false;
}

static uint64_t
num(struct fsops *fo)
{
	return fo->fo_mount->mnt_number;
}

/* A number for what is an operation in the model, and was one in the real
 * filesystem only if there was something to do. */
static uint64_t
next_num(struct fsops *fo)
{
	return MAX(num(fo), model_last(fo->fo_model) + 1);
}

struct scratch {
	struct place	d1, d2;
	char		n1[257], n2[257];
	char		p1[PATHLEN], p2[PATHLEN];
};
static struct scratch s;

static void
op_create(struct fsops *fo)
{
	static const mode_t types[] = { S_IFREG, S_IFREG, S_IFREG, S_IFDIR,
	    S_IFDIR, S_IFLNK, S_IFIFO, S_IFCHR };
	mode_t type = types[env_random(nitems(types))];
	mode_t mode = 0600 | (mode_t)env_random(0100);
	uint64_t rdev = S_ISCHR(type) ? makedev(7, 9) : 0, id;
	int real, model;

	pick_entry(fo, &s.d1, false, s.n1, s.p1);
	if (S_ISDIR(type))
		real = kvfs_mkdir(&fo->fo_kv, s.p1, mode);
	else if (S_ISLNK(type))
		real = kvfs_symlink(&fo->fo_kv, "some/target", s.p1);
	else if (S_ISREG(type))
		real = kvfs_create(&fo->fo_kv, s.p1, mode);
	else
		real = kvfs_mknod(&fo->fo_kv, s.p1, type | mode, rdev);
	if (S_ISLNK(type))
		mode = 0777;
	model = model_create(fo->fo_model, num(fo), s.d1.id, s.n1,
	    type | mode, 0, 0, rdev, S_ISLNK(type) ? "some/target" : NULL,
	    &id);
	same(fo, "create", s.p1, real, model);
}

static void
op_link(struct fsops *fo)
{
	uint64_t id;
	int real, model;

	pick_entry(fo, &s.d1, true, s.n1, s.p1);
	pick_entry(fo, &s.d2, false, s.n2, s.p2);
	id = object_of(fo, &s.d1, s.n1);
	if (id == 0)
		return;
	real = kvfs_link(&fo->fo_kv, s.p1, false, &fo->fo_kv, s.p2);
	if (is_dir(fo, id)) {		/* which of several errors: open */
		same(fo, "link", s.p2, real != 0, 1);
		return;
	}
	model = model_link(fo->fo_model, num(fo), s.d2.id, s.n2, id);
	same(fo, "link", s.p2, real, model);
}

static void
op_unlink(struct fsops *fo)
{
	int real, model;

	pick_entry(fo, &s.d1, true, s.n1, s.p1);
	if (strlen(s.n1) > 255) {	/* the model knows only new names */
		same(fo, "unlink", s.p1, kvfs_unlink(&fo->fo_kv, s.p1),
		    ENAMETOOLONG);
		return;
	}
	if (env_random(2) == 0) {
		real = kvfs_unlink(&fo->fo_kv, s.p1);
		model = model_unlink(fo->fo_model, num(fo), s.d1.id, s.n1);
		same(fo, "unlink", s.p1, real, model);
	} else {
		real = kvfs_rmdir(&fo->fo_kv, s.p1);
		model = model_rmdir(fo->fo_model, num(fo), s.d1.id, s.n1);
		same(fo, "rmdir", s.p1, real, model);
	}
}

static void
op_rename(struct fsops *fo)
{
	static const int flags[] = { 0, 0, 0, RENAME_NOREPLACE,
	    RENAME_EXCHANGE };
	int f = flags[env_random(nitems(flags))], real, model;

	pick_entry(fo, &s.d1, true, s.n1, s.p1);
	pick_entry(fo, &s.d2, env_random(2) == 0, s.n2, s.p2);
	real = kvfs_rename(&fo->fo_kv, s.p1, &fo->fo_kv, s.p2, f);
	if (real != 0 && (strlen(s.n1) > 255 || strlen(s.n2) > 255))
		return;			/* which of two errors: open */
	model = model_rename(fo->fo_model, num(fo), s.d1.id, s.n1, s.d2.id,
	    s.n2, (f & RENAME_NOREPLACE ? MODEL_NOREPLACE : 0) |
	    (f & RENAME_EXCHANGE ? MODEL_EXCHANGE : 0));
	same(fo, f == RENAME_EXCHANGE ? "exchange" : f ? "rename-n" :
	    "rename", s.p1, real, model);
	if (fo->fo_verbose || fo->fo_failed)
		env_printf("      to %.100s\n", s.p2);
}

/* A regular file that is there; its id, or 0. */
static uint64_t
pick_file(struct fsops *fo, uint64_t *size)
{
	struct model_attr a;
	uint64_t id;
	int tries = 6;

	while (tries-- > 0) {
		pick_entry(fo, &s.d1, true, s.n1, s.p1);
		id = object_of(fo, &s.d1, s.n1);
		if (id != 0 && model_getattr(fo->fo_model, MODEL_LIVE, id,
		    &a) == 0 && S_ISREG(a.mode)) {
			*size = a.size;
			return id;
		}
	}
	return 0;
}

static uint64_t
pick_offset(struct fsops *fo, uint64_t size)
{
	switch (env_random(5)) {
	case 0:
		return 0;
	case 1:
		return size;
	case 2:
		return env_random(fo->fo_maxsize);
	case 3:
		return rounddown2(env_random(size + 1), (uint64_t)4096);
	default:
		return env_random(size + 1);
	}
}

static void
op_write(struct fsops *fo)
{
	uint64_t size, id = pick_file(fo, &size), off;
	size_t len, i;
	int real, model;

	if (id == 0)
		return;
	off = pick_offset(fo, size);
	len = 1 + env_random(env_random(3) == 0 ? IOMAX : 600);
	for (i = 0; i < len; i++)
		iobuf[i] = (char)env_random(256);
	real = kvfs_write(&fo->fo_kv, s.p1, iobuf, len, (off_t)off);
	/* Closing a file that was written is a version point: the last
	 * number is that one's, the write's was an earlier one. */
	model = model_write(fo->fo_model, num(fo) - 8, id, off, iobuf, len);
	if (same(fo, "write", s.p1, real, model) && real == 0)
		model_version(fo->fo_model, num(fo), id);
}

static void
op_read(struct fsops *fo)
{
	uint64_t size, id = pick_file(fo, &size), off;
	size_t n, m, len;
	int real;

	if (id == 0)
		return;
	off = pick_offset(fo, size);
	len = 1 + env_random(IOMAX);
	real = kvfs_read(&fo->fo_kv, s.p1, iobuf, len, (off_t)off, &n);
	m = model_read(fo->fo_model, MODEL_LIVE, id, off, cmpbuf, len);
	if (!same(fo, "read", s.p1, real, 0))
		return;
	if (n != m || memcmp(iobuf, cmpbuf, n) != 0) {
		fo->fo_failed = true;
		for (size_t i = 0; i < MIN(n, m); i++) {
			if (iobuf[i] != cmpbuf[i]) {
				env_printf("first difference at +%u\n",
				    (unsigned)i);
				break;
			}
		}
		env_printf("op %u: read %.100s at %u: %u bytes, model %u\n",
		    (unsigned)fo->fo_count, s.p1, (unsigned)off, (unsigned)n,
		    (unsigned)m);
		ENV_CHECK(!"the same bytes");
	}
}

static void
op_truncate(struct fsops *fo)
{
	uint64_t size, id = pick_file(fo, &size), to;
	int real, model;

	if (id == 0)
		return;
	to = pick_offset(fo, size);
	real = kvfs_truncate(&fo->fo_kv, s.p1, to);
	model = model_truncate(fo->fo_model, num(fo), id, to);
	same(fo, "truncate", s.p1, real, model);
}

static void
op_setattr(struct fsops *fo)
{
	struct model_attr a, cur;
	struct vattr va;
	uint64_t id;
	int real, model;

	pick_entry(fo, &s.d1, true, s.n1, s.p1);
	id = object_of(fo, &s.d1, s.n1);
	if (id == 0 ||
	    model_getattr(fo->fo_model, MODEL_LIVE, id, &cur) != 0 ||
	    S_ISLNK(cur.mode))
		return;
	memset(&va, 0, sizeof(va));
	memset(&a, 0, sizeof(a));
	va.va_mask = VA_MODE | VA_UID;
	va.va_mode = a.mode = 0600 | (mode_t)env_random(0100);
	va.va_uid = a.uid = (uid_t)env_random(100);
	real = kvfs_setattr(&fo->fo_kv, s.p1, false, &va);
	model = model_setattr(fo->fo_model, num(fo), id,
	    MODEL_MODE | MODEL_UID, &a);
	same(fo, "setattr", s.p1, real, model);
}

static void
op_fsync(struct fsops *fo)
{
	uint64_t size, id = pick_file(fo, &size);

	if (id == 0)
		return;
	if (same(fo, "fsync", s.p1, kvfs_fsync(&fo->fo_kv, s.p1), 0))
		model_fsynced(fo->fo_model, next_num(fo), id);
}

static void
op_sync(struct fsops *fo)
{
	if (same(fo, "sync", "", vfs_sync(fo->fo_mount, true), 0))
		model_synced(fo->fo_model, next_num(fo));
}

static const struct {
	void	(*fn)(struct fsops *);
	int	weight;
} ops[] = {
	{ op_create, 24 }, { op_link, 5 }, { op_unlink, 14 },
	{ op_rename, 12 }, { op_write, 20 }, { op_read, 12 },
	{ op_truncate, 6 }, { op_setattr, 4 }, { op_fsync, 2 },
	{ op_sync, 1 },
};

bool
fsops_run(struct fsops *fo, unsigned n)
{
	int64_t w;
	int total = 0;
	size_t i;

	for (i = 0; i < nitems(ops); i++)
		total += ops[i].weight;
	while (n-- > 0 && !fo->fo_failed) {
		w = (int64_t)env_random((uint64_t)total);
		for (i = 0; (w -= ops[i].weight) >= 0; i++)
			;
		fo->fo_count++;
		ops[i].fn(fo);
		if (fo->fo_after != NULL && !fo->fo_after(fo, fo->fo_arg))
			break;
	}
	return !fo->fo_failed;
}

/* ---- the tree as a view ---- */

struct fsview {
	struct fsops	*fo;
	char		 prefix[64];
};
static struct fsview views[4];

static void
view_path(const struct fsview *v, const char *path, char *out)
{
	kstrlcpy(out, "/", PATHLEN);
	kstrlcat(out, v->prefix, PATHLEN);
	if (*path != '\0') {
		kstrlcat(out, "/", PATHLEN);
		kstrlcat(out, path, PATHLEN);
	}
}

static int
view_getattr(void *arg, const char *path, struct model_attr *a)
{
	struct fsview *v = arg;
	struct vattr va;
	int error;

	view_path(v, path, s.p1);
	error = kvfs_stat(&v->fo->fo_kv, s.p1, false, &va);
	if (error != 0)
		return error;
	a->mode = va.va_mode;
	a->uid = va.va_uid;
	a->gid = va.va_gid;
	a->rdev = va.va_rdev;
	a->nlink = va.va_nlink;
	a->size = va.va_size;
	a->mtime_ns = va.va_mtime.tv_sec * 1000000000 + va.va_mtime.tv_nsec;
	return 0;
}

static int
view_read(void *arg, const char *path, uint64_t off, void *buf, size_t len,
    size_t *done)
{
	struct fsview *v = arg;

	view_path(v, path, s.p1);
	return kvfs_read(&v->fo->fo_kv, s.p1, buf, len, (off_t)off, done);
}

static int
view_readlink(void *arg, const char *path, char *buf, size_t size)
{
	struct fsview *v = arg;
	size_t len;
	int error;

	view_path(v, path, s.p1);
	error = kvfs_readlink(&v->fo->fo_kv, s.p1, buf, size - 1, &len);
	if (error == 0)
		buf[len] = '\0';
	return error;
}

struct namer {
	void	(*fn)(void *, const char *);
	void	*arg;
};

static bool
view_name(void *arg, const char *name, size_t len, ino_t ino __unused,
    int dtype __unused, off_t next __unused)
{
	struct namer *n = arg;
	char text[256];

	memcpy(text, name, len);
	text[len] = '\0';
	if (strcmp(text, ".") != 0 && strcmp(text, "..") != 0)
		n->fn(n->arg, text);
	return true;
}

static int
view_readdir(void *arg, const char *path, void (*fn)(void *, const char *),
    void *fnarg)
{
	struct fsview *v = arg;
	struct namer n = { fn, fnarg };

	view_path(v, path, s.p1);
	return kvfs_readdir(&v->fo->fo_kv, s.p1, view_name, &n);
}

void
fsops_view(struct fsops *fo, struct model_view *mv, const char *prefix)
{
	static unsigned next;
	struct fsview *v = &views[next++ % nitems(views)];

	v->fo = fo;
	kstrlcpy(v->prefix, prefix, sizeof(v->prefix));
	mv->getattr = view_getattr;
	mv->read = view_read;
	mv->readlink = view_readlink;
	mv->readdir = view_readdir;
	mv->arg = v;
}

bool
fsops_compare(struct fsops *fo, uint64_t t)
{
	static char why[1000];
	struct model_view mv;
	char prefix[64] = "";

	if (t != MODEL_LIVE)
		ksnprintf(prefix, sizeof(prefix), "@@0x%016llx",
		    (unsigned long long)t);
	fsops_view(fo, &mv, prefix);
	if (model_compare(fo->fo_model, t, &mv, why, sizeof(why)) == 0)
		return true;
	fo->fo_failed = true;
	env_printf("after op %u, as of %s: %s\n", (unsigned)fo->fo_count,
	    *prefix ? prefix : "now", why);
	return ENV_CHECK(!"the tree is the model's");
}

void
fsops_init(struct fsops *fo, struct mount *mp, mode_t rootmode)
{
	memset(fo, 0, sizeof(*fo));
	fo->fo_mount = mp;
	fo->fo_model = model_new(S_IFDIR | rootmode);
	fo->fo_maxsize = 120000;
	kvfs_init(&fo->fo_kv, mp);
}

void
fsops_done(struct fsops *fo)
{
	kvfs_done(&fo->fo_kv);
	model_free(fo->fo_model);
}
