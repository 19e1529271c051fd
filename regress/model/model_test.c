/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model against itself: a view over the model at T must equal the model at
 * T and, when anything at all is changed in what the view shows, must not.
 * A comparison that cannot fail would make every other test worthless.
 */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned failures;

static void
check(const char *name, bool ok)
{
	printf("%s - model: %s\n", ok ? "ok" : "not ok", name);
	failures += !ok;
}

/* A view of model m at t, with one lie. */
enum lie { HONEST, BAD_MODE, BAD_BYTE, BAD_SIZE, LOST_NAME, EXTRA_NAME,
    BAD_LINKS, BAD_TARGET, NLIES };

struct self {
	struct model *m;
	uint64_t t;
	enum lie lie;
};

static int
resolve(struct self *s, const char *path, uint64_t *id)
{
	char part[300];

	*id = MODEL_ROOT;
	while (*path) {
		size_t n = strcspn(path, "/");

		memcpy(part, path, n);
		part[n] = '\0';
		path += n + (path[n] == '/');
		if (model_lookup(s->m, s->t, *id, part, id) != 0)
			return 2;
	}
	return 0;
}

static int
self_getattr(void *arg, const char *path, struct model_attr *a)
{
	struct self *s = arg;
	uint64_t id;

	if (resolve(s, path, &id) != 0)
		return 2;
	if (model_getattr(s->m, s->t, id, a) != 0)
		return 2;
	if (s->lie == BAD_MODE && strcmp(path, "d/f") == 0)
		a->mode ^= 1;
	if (s->lie == BAD_SIZE && strcmp(path, "d/f") == 0)
		a->size++;
	if (s->lie == BAD_LINKS && strcmp(path, "d/f") == 0)
		a->nlink++;
	return 0;
}

static int
self_read(void *arg, const char *path, uint64_t off, void *buf, size_t len,
    size_t *done)
{
	struct self *s = arg;
	uint64_t id;

	if (resolve(s, path, &id) != 0)
		return 2;
	*done = model_read(s->m, s->t, id, off, buf, len);
	if (s->lie == BAD_BYTE && *done > 0)
		((char *)buf)[*done - 1] ^= 0x40;
	return 0;
}

static int
self_readlink(void *arg, const char *path, char *buf, size_t size)
{
	struct self *s = arg;
	uint64_t id;

	if (resolve(s, path, &id) != 0)
		return 2;
	snprintf(buf, size, "%s%s", model_target(s->m, id),
	    s->lie == BAD_TARGET ? "x" : "");
	return 0;
}

struct relay {
	struct self *s;
	const char *path;
	void (*fn)(void *, const char *);
	void *arg;
};

static void
relay_name(void *arg, const char *name, uint64_t id)
{
	struct relay *r = arg;

	(void)id;
	if (r->s->lie == LOST_NAME && strcmp(name, "f") == 0)
		return;
	r->fn(r->arg, name);
}

static int
self_readdir(void *arg, const char *path, void (*fn)(void *, const char *),
    void *fnarg)
{
	struct self *s = arg;
	struct relay r = { s, path, fn, fnarg };
	uint64_t id;

	if (resolve(s, path, &id) != 0)
		return 2;
	model_readdir(s->m, s->t, id, relay_name, &r);
	if (s->lie == EXTRA_NAME)
		fn(fnarg, "ghost");
	return 0;
}

static struct model_view
view(struct self *s)
{
	return (struct model_view){ self_getattr, self_read, self_readlink,
	    self_readdir, s };
}

int
main(void)
{
	struct model *m = model_new(0755);
	uint64_t d, f, l, t1, t2, t;
	char why[300], buf[16];
	struct self s = { m, 0, HONEST };
	struct model_view v = view(&s);

	check("mkdir", model_create(m, 16, 1, "d", 0040755, 0, 0, 0, NULL,
	    &d) == 0);
	check("create", model_create(m, 32, d, "f", 0100644, 1, 2, 0, NULL,
	    &f) == 0);
	check("create twice is EEXIST", model_create(m, 48, d, "f", 0100644, 0,
	    0, 0, NULL, &l) == 17);
	model_create(m, 48, d, "l", 0120777, 0, 0, 0, "f", &l);
	model_write(m, 64, f, 5000, "hello", 5);
	check("a write is live at once",
	    model_read(m, MODEL_LIVE, f, 5000, buf, 5) == 5);
	check("and not yet in history", model_read(m, 64, f, 0, buf, 5) == 0);
	model_version(m, 80, f);
	t1 = model_last(m);
	model_truncate(m, 96, f, 3);
	model_link(m, 112, 1, "f2", f);
	check("rmdir of a full one", model_rmdir(m, 128, 1, "d") == 39);
	check("rename into itself", model_rename(m, 128, 1, "d", d, "x",
	    0) == 22);
	model_rename(m, 128, d, "f", 1, "g", 0);
	t2 = model_last(m);
	check("history keeps the old bytes", model_read(m, t1, f, 5000, buf,
	    16) == 5 && memcmp(buf, "hello", 5) == 0);

	for (int lie = HONEST; lie < NLIES; lie++) {
		char name[60];

		s.t = t1;
		s.lie = (enum lie)lie;
		snprintf(name, sizeof(name), "comparison %s (lie %d)",
		    lie == HONEST ? "agrees" : "finds the lie", lie);
		check(name, model_compare(m, t1, &v, why, sizeof(why)) ==
		    (lie != HONEST));
	}
	s.lie = HONEST;
	check("another T does not fit", model_compare(m, t2, &v, why,
	    sizeof(why)) == 1);

	/* A crash may land on any T above the horizon, not below. */
	model_synced(m, t1);
	check("crash at the horizon is found", model_crash_check(m, &v, &t, why,
	    sizeof(why)) == 0 && t == t1);
	model_synced(m, t2);
	check("crash below the horizon is refused", model_crash_check(m, &v, &t,
	    why, sizeof(why)) == 1);
	model_rewind(m, t1);
	s.t = MODEL_LIVE;
	check("rewound model is the state at T", model_compare(m, t1, &v, why,
	    sizeof(why)) == 0);
	check("and goes on", model_unlink(m, t1 + 16, d, "f") == 0);
	model_free(m);
	return failures != 0;
}
