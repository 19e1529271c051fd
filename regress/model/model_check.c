/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compare a real tree with the model: at one T, and after a crash at the T
 * that fits (M2).  The trees are walked together from the root; the first
 * difference ends the walk and is put in words.
 */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct walk {
	const struct model *m;
	const struct model_view *v;
	uint64_t t;
	bool	 crash;			/* fsync promises may be newer than T */
	char	*why;
	size_t	 whysize;
	size_t	 checked;		/* objects that agreed: how close we got */
};

static int
differ(struct walk *w, const char *path, const char *fmt, uint64_t want,
    uint64_t got)
{
	int n = snprintf(w->why, w->whysize, "at 0x%016llx: /%s: ",
	    (unsigned long long)w->t, path);

	if (n > 0 && (size_t)n < w->whysize)
		snprintf(w->why + n, w->whysize - (size_t)n, fmt,
		    (unsigned long long)want, (unsigned long long)got);
	return 1;
}

struct names {
	size_t	 n;
	char	**name;
	uint64_t *id;
};

static void
names_add(struct names *l, const char *name, uint64_t id)
{
	l->name = realloc(l->name, (l->n + 1) * sizeof(*l->name));
	l->id = realloc(l->id, (l->n + 1) * sizeof(*l->id));
	l->name[l->n] = strdup(name);
	l->id[l->n++] = id;
}

static void
names_add_model(void *arg, const char *name, uint64_t id)
{
	names_add(arg, name, id);
}

static void
names_add_real(void *arg, const char *name)
{
	names_add(arg, name, 0);
}

static void
names_free(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->name[i]);
	free(l->name);
	free(l->id);
}

static int
check_data(struct walk *w, const char *path, uint64_t id, uint64_t t,
    uint64_t size)
{
	static uint8_t want[65536], got[65536];
	uint64_t off = 0;

	while (off < size) {
		size_t n = model_read(w->m, t, id, off, want, sizeof(want));
		size_t done = 0;
		int error = w->v->read(w->v->arg, path, off, got, n, &done);

		if (error != 0)
			return differ(w, path, "read at %llu: error %llu", off,
			    (uint64_t)error);
		if (done != n)
			return differ(w, path, "read: want %llu bytes, got %llu",
			    n, done);
		for (size_t i = 0; i < n; i++)
			if (want[i] != got[i])
				return differ(w, path,
				    "byte %llu differs: got 0x%02llx", off + i,
				    got[i]);
		off += n;
	}
	return 0;
}

static int walk_object(struct walk *, const char *path, uint64_t id);

static int
check_dir(struct walk *w, const char *path, uint64_t id)
{
	struct names want = { 0 }, got = { 0 };
	char sub[4096];
	int error, rc = 0;

	model_readdir(w->m, w->t, id, names_add_model, &want);
	error = w->v->readdir(w->v->arg, path, names_add_real, &got);
	if (error != 0)
		rc = differ(w, path, "readdir: error %llu", (uint64_t)error, 0);
	for (size_t i = 0; i < want.n && rc == 0; i++) {
		size_t seen = 0;

		for (size_t j = 0; j < got.n; j++)
			if (strcmp(want.name[i], got.name[j]) == 0)
				seen++, got.id[j] = 1;
		snprintf(sub, sizeof(sub), "%s%s%.255s", path,
		    path[0] ? "/" : "", want.name[i]);
		if (seen != 1)
			rc = differ(w, sub, "listed %llu times", seen, 0);
		else
			rc = walk_object(w, sub, want.id[i]);
	}
	for (size_t j = 0; j < got.n && rc == 0; j++)
		if (got.id[j] == 0) {
			snprintf(sub, sizeof(sub), "%s%s%.255s", path,
			    path[0] ? "/" : "", got.name[j]);
			rc = differ(w, sub, "should not exist", 0, 0);
		}
	names_free(&want);
	names_free(&got);
	return rc;
}

static int
walk_object(struct walk *w, const char *path, uint64_t id)
{
	struct model_attr want, got;
	uint64_t t = w->t;
	char target[4096];
	int error;

	if (model_getattr(w->m, t, id, &want) != 0)
		return differ(w, path, "the model has no attributes", 0, 0);
	error = w->v->getattr(w->v->arg, path, &got);
	if (error != 0)
		return differ(w, path, "getattr: error %llu", (uint64_t)error, 0);
	if (want.mode != got.mode)
		return differ(w, path, "mode: want 0%llo, got 0%llo", want.mode,
		    got.mode);
	if (want.uid != got.uid || want.gid != got.gid)
		return differ(w, path, "owner: want %llu, got %llu", want.uid,
		    got.uid);
	switch (want.mode & 0170000u) {
	case 0040000u:
		w->checked++;
		return check_dir(w, path, id);
	case 0120000u:
		error = w->v->readlink(w->v->arg, path, target, sizeof(target));
		if (error != 0 || strcmp(target, model_target(w->m, id)) != 0)
			return differ(w, path, "symlink differs (error %llu)",
			    (uint64_t)error, 0);
		break;
	case 0020000u:
	case 0060000u:
		if (want.rdev != got.rdev)
			return differ(w, path, "rdev: want %llu, got %llu",
			    want.rdev, got.rdev);
		break;
	case 0100000u:
		/* M2: a promised version newer than T may have come along. */
		if (w->crash && model_fsync_num(w->m, id) > t) {
			t = model_fsync_num(w->m, id);
			want.mtime_ns = MODEL_NOTIME;
			model_getattr(w->m, t, id, &want);
		}
		if (want.size != got.size)
			return differ(w, path, "size: want %llu, got %llu",
			    want.size, got.size);
		if ((error = check_data(w, path, id, t, want.size)) != 0)
			return error;
		break;
	}
	model_getattr(w->m, w->t, id, &want);
	if (want.nlink != got.nlink)
		return differ(w, path, "links: want %llu, got %llu", want.nlink,
		    got.nlink);
	if (!w->crash && want.mtime_ns != MODEL_NOTIME &&
	    want.mtime_ns / 1000 != got.mtime_ns / 1000)
		return differ(w, path, "mtime: want %llu ns, got %llu",
		    (uint64_t)want.mtime_ns, (uint64_t)got.mtime_ns);
	w->checked++;
	return 0;
}

int
model_compare(const struct model *m, uint64_t t, const struct model_view *v,
    char *why, size_t whysize)
{
	struct walk w = { .m = m, .v = v, .t = t, .why = why,
	    .whysize = whysize };

	return walk_object(&w, "", MODEL_ROOT);
}

int
model_crash_check(const struct model *m, const struct model_view *v,
    uint64_t *t, char *why, size_t whysize)
{
	char *best = malloc(whysize);
	size_t bestchecked = 0, n;
	const uint64_t *nums = model_numbers(m, &n);
	int rc = 1;

	best[0] = '\0';
	/* Newest first: most often nearly everything is there. */
	for (size_t i = n + 1; i-- > 0 && rc != 0;) {
		struct walk w = { .m = m, .v = v, .crash = true, .why = why,
		    .whysize = whysize };

		w.t = i > 0 ? nums[i - 1] : model_horizon(m);
		if (i > 0 && w.t < model_horizon(m))
			continue;
		rc = walk_object(&w, "", MODEL_ROOT);
		if (rc == 0)
			*t = w.t;
		else if (best[0] == '\0' || w.checked > bestchecked) {
			bestchecked = w.checked;
			memcpy(best, why, whysize);
		}
	}
	if (rc != 0)
		memcpy(why, best, whysize);
	free(best);
	return rc;
}
