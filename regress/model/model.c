/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract as a program; see model.h.
 *
 * Everything is kept as lists of dated facts, newest last: an object has
 * attribute versions and content versions, a directory has entries that live
 * over [create, delete).  Looking at T is a walk over these lists.  Contents
 * are arrays of counted 4 KiB blocks, so that a version copies pointers only.
 */
#include "model.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLK = 4096 };
#define FMT	0170000u
#define IS_DIR(mode)	(((mode) & FMT) == 0040000u)
#define IS_REG(mode)	(((mode) & FMT) == 0100000u)

struct block {
	uint32_t refs;
	uint8_t	 data[BLK];
};

struct content {			/* one version of a file's data */
	uint64_t num;
	uint64_t size;
	size_t	 nblk;
	struct block **blk;		/* NULL entry: hole */
};

struct attrver {
	uint64_t num;
	struct model_attr a;		/* size is unused: see content */
};

struct object {
	uint64_t id;
	uint64_t born;
	char	*target;
	size_t	 nattr, nver;
	struct attrver *attr;
	struct content *ver;		/* versioned contents */
	struct content live;		/* with writes not yet versioned */
	bool	 dirty;
	uint64_t fsync_num;		/* newest fsync promise, 0 none */
};

struct dirent_ver {
	uint64_t dir, id;
	uint64_t create, delete;	/* delete 0: alive */
	char	*name;
};

struct model {
	uint64_t last, horizon;
	size_t	 nobj;
	struct object **obj;		/* index id - 1; NULL after rewind */
	size_t	 ndent;
	struct dirent_ver *dent;
	size_t	 nnum;
	uint64_t *nums;			/* every operation number */
};

static void *
grow(void *p, size_t n, size_t elem)
{
	if ((n & (n - 1)) == 0) {	/* capacity doubles at powers of two */
		p = realloc(p, (n ? n * 2 : 1) * elem);
		if (p == NULL)
			abort();
	}
	return p;
}

static void *
zalloc(size_t n)
{
	void *p = calloc(1, n);

	if (p == NULL)
		abort();
	return p;
}

static void
content_release(struct content *c)
{
	for (size_t i = 0; i < c->nblk; i++)
		if (c->blk[i] != NULL && --c->blk[i]->refs == 0)
			free(c->blk[i]);
	free(c->blk);
	memset(c, 0, sizeof(*c));
}

static void
content_copy(struct content *dst, const struct content *src)
{
	*dst = *src;
	dst->blk = zalloc((src->nblk + 1) * sizeof(*dst->blk));
	for (size_t i = 0; i < src->nblk; i++)
		if ((dst->blk[i] = src->blk[i]) != NULL)
			dst->blk[i]->refs++;
}

static void
content_resize(struct content *c, uint64_t size)
{
	size_t nblk = (size_t)((size + BLK - 1) / BLK);

	for (size_t i = nblk; i < c->nblk; i++)
		if (c->blk[i] != NULL && --c->blk[i]->refs == 0)
			free(c->blk[i]);
	if (nblk != c->nblk) {
		c->blk = realloc(c->blk, (nblk + 1) * sizeof(*c->blk));
		if (c->blk == NULL)
			abort();
		for (size_t i = c->nblk; i < nblk; i++)
			c->blk[i] = NULL;
		c->nblk = nblk;
	}
	c->size = size;
}

/* The block at index i, private to c, zeroed if it was a hole. */
static struct block *
content_own(struct content *c, size_t i)
{
	struct block *b = c->blk[i], *n;

	if (b != NULL && b->refs == 1)
		return b;
	n = zalloc(sizeof(*n));
	n->refs = 1;
	if (b != NULL) {
		memcpy(n->data, b->data, BLK);
		b->refs--;
	}
	return c->blk[i] = n;
}

static void
content_write(struct content *c, uint64_t off, const uint8_t *p, size_t len)
{
	if (off + len > c->size)
		content_resize(c, off + len);
	while (len > 0) {
		size_t in = (size_t)(off % BLK), n = BLK - in;

		if (n > len)
			n = len;
		memcpy(content_own(c, (size_t)(off / BLK))->data + in, p, n);
		off += n, p += n, len -= n;
	}
}

static void
content_truncate(struct content *c, uint64_t size)
{
	content_resize(c, size);
	if (size % BLK != 0 && c->blk[size / BLK] != NULL) {
		size_t in = (size_t)(size % BLK);

		memset(content_own(c, (size_t)(size / BLK))->data + in, 0,
		    BLK - in);
	}
}

static size_t
content_read(const struct content *c, uint64_t off, uint8_t *p, size_t len)
{
	size_t done = 0;

	if (off >= c->size)
		return 0;
	if (len > c->size - off)
		len = (size_t)(c->size - off);
	while (done < len) {
		size_t in = (size_t)(off % BLK), n = BLK - in;
		const struct block *b = c->blk[off / BLK];

		if (n > len - done)
			n = len - done;
		if (b != NULL)
			memcpy(p + done, b->data + in, n);
		else
			memset(p + done, 0, n);
		off += n, done += n;
	}
	return done;
}

/* ---- objects ---- */

static struct object *
object(const struct model *m, uint64_t id)
{
	return id >= 1 && id <= m->nobj ? m->obj[id - 1] : NULL;
}

static const struct model_attr *
attr_at(const struct object *o, uint64_t t)
{
	for (size_t i = o->nattr; i-- > 0;)
		if (o->attr[i].num <= t)
			return &o->attr[i].a;
	return NULL;
}

static const struct content *
content_at(const struct object *o, uint64_t t)
{
	static const struct content empty;

	if (t == MODEL_LIVE)
		return &o->live;
	for (size_t i = o->nver; i-- > 0;)
		if (o->ver[i].num <= t)
			return &o->ver[i];
	return &empty;
}

static void
operation(struct model *m, uint64_t num)
{
	assert(num > m->last || m->last == 0);
	m->last = num;
	m->nums = grow(m->nums, m->nnum, sizeof(*m->nums));
	m->nums[m->nnum++] = num;
}

static struct model_attr *
attr_new(struct object *o, uint64_t num)
{
	struct model_attr a = { 0 };

	if (o->nattr > 0)
		a = o->attr[o->nattr - 1].a;
	o->attr = grow(o->attr, o->nattr, sizeof(*o->attr));
	o->attr[o->nattr].num = num;
	o->attr[o->nattr].a = a;
	return &o->attr[o->nattr++].a;
}

static struct object *
object_new(struct model *m, uint64_t num, uint32_t mode)
{
	struct object *o = zalloc(sizeof(*o));

	m->obj = grow(m->obj, m->nobj, sizeof(*m->obj));
	m->obj[m->nobj++] = o;
	o->id = m->nobj;
	o->born = num;
	*attr_new(o, num) = (struct model_attr){ .mode = mode, .nlink = 1,
	    .mtime_ns = MODEL_NOTIME };
	return o;
}

static void
links_change(struct object *o, uint64_t num, int delta)
{
	struct model_attr *a = attr_new(o, num);

	a->nlink += (uint64_t)(int64_t)delta;
}

struct model *
model_new(uint32_t rootmode)
{
	struct model *m = zalloc(sizeof(*m));

	object_new(m, 0, 0040000u | (rootmode & 07777u));
	return m;
}

static void
object_free(struct object *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->nver; i++)
		content_release(&o->ver[i]);
	content_release(&o->live);
	free(o->ver);
	free(o->attr);
	free(o->target);
	free(o);
}

void
model_free(struct model *m)
{
	for (size_t i = 0; i < m->nobj; i++)
		object_free(m->obj[i]);
	for (size_t i = 0; i < m->ndent; i++)
		free(m->dent[i].name);
	free(m->obj);
	free(m->dent);
	free(m->nums);
	free(m);
}

uint64_t
model_last(const struct model *m)
{
	return m->last;
}

uint64_t
model_horizon(const struct model *m)
{
	return m->horizon;
}

/* ---- names ---- */

static struct dirent_ver *
dent_find(const struct model *m, uint64_t t, uint64_t dir, const char *name)
{
	for (size_t i = m->ndent; i-- > 0;) {
		struct dirent_ver *d = &m->dent[i];

		if (d->dir == dir && d->create <= t &&
		    (d->delete == 0 || t < d->delete) &&
		    strcmp(d->name, name) == 0)
			return d;
	}
	return NULL;
}

static void
dent_add(struct model *m, uint64_t num, uint64_t dir, const char *name,
    uint64_t id)
{
	m->dent = grow(m->dent, m->ndent, sizeof(*m->dent));
	m->dent[m->ndent++] = (struct dirent_ver){ .dir = dir, .id = id,
	    .create = num, .name = strdup(name) };
}

static bool
dir_empty(const struct model *m, uint64_t dir)
{
	for (size_t i = 0; i < m->ndent; i++)
		if (m->dent[i].dir == dir && m->dent[i].delete == 0)
			return false;
	return true;
}

/* Is the directory there to hold a new name? */
static int
dir_check(const struct model *m, uint64_t dir)
{
	const struct object *o = object(m, dir);
	const struct model_attr *a = o ? attr_at(o, MODEL_LIVE) : NULL;

	if (a == NULL || a->nlink == 0)
		return ENOENT;
	return IS_DIR(a->mode) ? 0 : ENOTDIR;
}

int
model_create(struct model *m, uint64_t num, uint64_t dir, const char *name,
    uint32_t mode, uint32_t uid, uint32_t gid, uint64_t rdev,
    const char *target, uint64_t *id)
{
	struct model_attr *a;
	struct object *o;
	int error;

	if (strlen(name) > 255)
		return ENAMETOOLONG;
	if ((error = dir_check(m, dir)) != 0)
		return error;
	if (dent_find(m, MODEL_LIVE, dir, name) != NULL)
		return EEXIST;
	operation(m, num);
	o = object_new(m, num, mode);
	a = &o->attr[0].a;
	a->uid = uid, a->gid = gid, a->rdev = rdev;
	if (target != NULL) {
		o->target = strdup(target);
		a->size = strlen(target);
	}
	dent_add(m, num, dir, name, o->id);
	*id = o->id;
	return 0;
}

int
model_link(struct model *m, uint64_t num, uint64_t dir, const char *name,
    uint64_t id)
{
	struct object *o = object(m, id);
	int error;

	if (strlen(name) > 255)
		return ENAMETOOLONG;
	if ((error = dir_check(m, dir)) != 0)
		return error;
	if (o == NULL || attr_at(o, MODEL_LIVE)->nlink == 0)
		return ENOENT;
	if (dent_find(m, MODEL_LIVE, dir, name) != NULL)
		return EEXIST;
	if (IS_DIR(attr_at(o, MODEL_LIVE)->mode))
		return EPERM;
	operation(m, num);
	links_change(o, num, 1);
	dent_add(m, num, dir, name, id);
	return 0;
}

int
model_unlink(struct model *m, uint64_t num, uint64_t dir, const char *name)
{
	struct dirent_ver *d = dent_find(m, MODEL_LIVE, dir, name);
	struct object *o;

	if (d == NULL)
		return ENOENT;
	o = object(m, d->id);
	if (IS_DIR(attr_at(o, MODEL_LIVE)->mode))
		return EISDIR;
	operation(m, num);
	d->delete = num;
	links_change(o, num, -1);
	return 0;
}

int
model_rmdir(struct model *m, uint64_t num, uint64_t dir, const char *name)
{
	struct dirent_ver *d = dent_find(m, MODEL_LIVE, dir, name);
	struct object *o;

	if (d == NULL)
		return ENOENT;
	o = object(m, d->id);
	if (!IS_DIR(attr_at(o, MODEL_LIVE)->mode))
		return ENOTDIR;
	if (!dir_empty(m, d->id))
		return ENOTEMPTY;
	operation(m, num);
	d->delete = num;
	links_change(o, num, -1);
	return 0;
}

/* Is dir at or below top in the live tree? */
static bool
is_below(const struct model *m, uint64_t dir, uint64_t top)
{
	while (dir != MODEL_ROOT) {
		size_t i;

		if (dir == top)
			return true;
		for (i = 0; i < m->ndent; i++)
			if (m->dent[i].id == dir && m->dent[i].delete == 0)
				break;
		if (i == m->ndent)
			return false;
		dir = m->dent[i].dir;
	}
	return top == MODEL_ROOT;
}

int
model_rename(struct model *m, uint64_t num, uint64_t fdir, const char *fname,
    uint64_t tdir, const char *tname, int flags)
{
	struct dirent_ver *f = dent_find(m, MODEL_LIVE, fdir, fname);
	struct dirent_ver *t = dent_find(m, MODEL_LIVE, tdir, tname);
	const struct model_attr *fa, *ta = NULL;
	struct object *to = NULL;
	uint64_t fid, tid = 0;
	int error;

	if (strlen(tname) > 255)
		return ENAMETOOLONG;
	if (f == NULL)
		return ENOENT;
	fid = f->id;
	fa = attr_at(object(m, fid), MODEL_LIVE);
	if ((error = dir_check(m, tdir)) != 0)
		return error;
	if (t != NULL) {
		tid = t->id;
		to = object(m, tid);
		ta = attr_at(to, MODEL_LIVE);
	}
	if ((flags & MODEL_EXCHANGE) && t == NULL)
		return ENOENT;
	if ((flags & MODEL_NOREPLACE) && t != NULL)
		return EEXIST;
	if (tid == fid)
		return 0;
	if (IS_DIR(fa->mode) && is_below(m, tdir, fid))
		return EINVAL;
	if (flags & MODEL_EXCHANGE) {
		if (IS_DIR(ta->mode) && is_below(m, fdir, tid))
			return EINVAL;
		operation(m, num);
		f->delete = t->delete = num;
		dent_add(m, num, tdir, tname, fid);
		dent_add(m, num, fdir, fname, tid);
		return 0;
	}
	if (t != NULL) {
		if (IS_DIR(ta->mode) && is_below(m, fdir, tid))
			return ENOTEMPTY;
		if (IS_DIR(fa->mode) && !IS_DIR(ta->mode))
			return ENOTDIR;
		if (!IS_DIR(fa->mode) && IS_DIR(ta->mode))
			return EISDIR;
		if (IS_DIR(ta->mode) && !dir_empty(m, tid))
			return ENOTEMPTY;
	}
	operation(m, num);
	f->delete = num;
	if (t != NULL) {
		t->delete = num;
		links_change(to, num, -1);
	}
	dent_add(m, num, tdir, tname, fid);
	return 0;
}

/* ---- contents and attributes ---- */

static void
version_make(struct object *o, uint64_t num)
{
	if (!o->dirty)
		return;
	o->ver = grow(o->ver, o->nver, sizeof(*o->ver));
	content_copy(&o->ver[o->nver], &o->live);
	o->ver[o->nver++].num = num;
	o->dirty = false;
}

int
model_setattr(struct model *m, uint64_t num, uint64_t id, uint32_t mask,
    const struct model_attr *set)
{
	struct object *o = object(m, id);
	struct model_attr *a;

	if (o == NULL)
		return ENOENT;
	operation(m, num);
	version_make(o, num);
	a = attr_new(o, num);
	if (mask & MODEL_MODE)
		a->mode = (a->mode & FMT) | (set->mode & 07777u);
	if (mask & MODEL_UID)
		a->uid = set->uid;
	if (mask & MODEL_GID)
		a->gid = set->gid;
	if (mask & MODEL_MTIME)
		a->mtime_ns = set->mtime_ns;
	return 0;
}

int
model_write(struct model *m, uint64_t num, uint64_t id, uint64_t off,
    const void *p, size_t len)
{
	struct object *o = object(m, id);

	if (o == NULL)
		return ENOENT;
	if (len == 0)
		return 0;
	operation(m, num);
	content_write(&o->live, off, p, len);
	o->attr[o->nattr - 1].a.mtime_ns = MODEL_NOTIME;
	o->dirty = true;
	return 0;
}

int
model_truncate(struct model *m, uint64_t num, uint64_t id, uint64_t size)
{
	struct object *o = object(m, id);

	if (o == NULL)
		return ENOENT;
	operation(m, num);
	content_truncate(&o->live, size);
	attr_new(o, num)->mtime_ns = MODEL_NOTIME;
	o->dirty = true;
	version_make(o, num);
	return 0;
}

void
model_version(struct model *m, uint64_t num, uint64_t id)
{
	struct object *o = object(m, id);

	if (o != NULL && o->dirty) {
		operation(m, num);
		version_make(o, num);
	}
}

void
model_version_all(struct model *m, uint64_t num)
{
	operation(m, num);
	for (size_t i = 0; i < m->nobj; i++)
		if (m->obj[i] != NULL)
			version_make(m->obj[i], num);
}

void
model_synced(struct model *m, uint64_t num)
{
	if (num > m->horizon)
		m->horizon = num;
}

void
model_fsynced(struct model *m, uint64_t num, uint64_t id)
{
	struct object *o = object(m, id);

	model_version(m, num, id);
	if (o != NULL)
		o->fsync_num = num;
}

/* ---- looking ---- */

int
model_lookup(const struct model *m, uint64_t t, uint64_t dir, const char *name,
    uint64_t *id)
{
	const struct dirent_ver *d = dent_find(m, t, dir, name);

	if (d == NULL)
		return ENOENT;
	*id = d->id;
	return 0;
}

int
model_getattr(const struct model *m, uint64_t t, uint64_t id,
    struct model_attr *out)
{
	const struct object *o = object(m, id);
	const struct model_attr *a = o ? attr_at(o, t) : NULL;

	if (a == NULL)
		return ENOENT;
	*out = *a;
	if (IS_REG(a->mode))
		out->size = content_at(o, t)->size;
	return 0;
}

size_t
model_read(const struct model *m, uint64_t t, uint64_t id, uint64_t off,
    void *buf, size_t len)
{
	const struct object *o = object(m, id);

	return o ? content_read(content_at(o, t), off, buf, len) : 0;
}

const char *
model_target(const struct model *m, uint64_t id)
{
	const struct object *o = object(m, id);

	return o ? o->target : NULL;
}

void
model_readdir(const struct model *m, uint64_t t, uint64_t dir,
    void (*fn)(void *, const char *, uint64_t), void *arg)
{
	for (size_t i = 0; i < m->ndent; i++) {
		const struct dirent_ver *d = &m->dent[i];

		if (d->dir == dir && d->create <= t &&
		    (d->delete == 0 || t < d->delete))
			fn(arg, d->name, d->id);
	}
}

bool
model_path(const struct model *m, uint64_t t, uint64_t id, char *buf,
    size_t size)
{
	char tmp[4096], one[4096] = "";

	buf[0] = '\0';
	while (id != MODEL_ROOT) {
		const struct dirent_ver *d = NULL;

		for (size_t i = m->ndent; i-- > 0 && d == NULL;)
			if (m->dent[i].id == id && m->dent[i].create <= t &&
			    (m->dent[i].delete == 0 || t < m->dent[i].delete))
				d = &m->dent[i];
		if (d == NULL)
			return false;
		snprintf(tmp, sizeof(tmp), "%s%s%.3000s", d->name,
		    one[0] ? "/" : "", one);
		memcpy(one, tmp, sizeof(one));
		id = d->dir;
	}
	snprintf(buf, size, "%s", one);
	return true;
}

void
model_rewind(struct model *m, uint64_t t)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nobj; i++) {
		struct object *o = m->obj[i];

		if (o == NULL)
			continue;
		if (o->born > t) {
			object_free(o);
			m->obj[i] = NULL;
			continue;
		}
		while (o->nattr > 0 && o->attr[o->nattr - 1].num > t)
			o->nattr--;
		/* An fsync promise brings its version along (M2). */
		if (o->fsync_num > t)
			for (size_t v = 0; v < o->nver; v++)
				if (o->ver[v].num == o->fsync_num)
					o->ver[v].num = t;
		while (o->nver > 0 && o->ver[o->nver - 1].num > t)
			content_release(&o->ver[--o->nver]);
		content_release(&o->live);
		content_copy(&o->live, content_at(o, t));
		o->dirty = false;
		if (o->fsync_num > t)
			o->fsync_num = t;
	}
	for (size_t i = 0; i < m->ndent; i++) {
		struct dirent_ver *d = &m->dent[i];

		if (d->create > t) {
			free(d->name);
			continue;
		}
		if (d->delete > t)
			d->delete = 0;
		m->dent[n++] = *d;
	}
	/* grow() relies on capacity >= next power of two: keep it. */
	m->ndent = n;
	n = 1;
	while (n < m->ndent + 1)
		n *= 2;
	m->dent = realloc(m->dent, n * sizeof(*m->dent));
	while (m->nnum > 0 && m->nums[m->nnum - 1] > t)
		m->nnum--;
	n = 1;
	while (n < m->nnum + 1)
		n *= 2;
	m->nums = realloc(m->nums, n * sizeof(*m->nums));
	for (size_t i = 0; i < m->nobj; i++) {
		struct object *o = m->obj[i];

		if (o == NULL)
			continue;
		for (n = 1; n < o->nattr + 1; n *= 2)
			;
		o->attr = realloc(o->attr, n * sizeof(*o->attr));
		for (n = 1; n < o->nver + 1; n *= 2)
			;
		o->ver = realloc(o->ver, n * sizeof(*o->ver));
	}
	m->last = t;
	if (m->horizon > t)
		m->horizon = t;
}

const uint64_t *
model_numbers(const struct model *m, size_t *n)
{
	*n = m->nnum;
	return m->nums;
}

uint64_t
model_fsync_num(const struct model *m, uint64_t id)
{
	const struct object *o = object(m, id);

	return o ? o->fsync_num : 0;
}
