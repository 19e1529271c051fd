/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The moments of a name: the lives of its directory entry (DIRHIST), and
 * inside each life the versions of the object that it named (OBJHIST).
 *
 *   entry   [create ................ delete)
 *   object     v1 | v2 |   v3 ...
 *   moments c      2    3           removed
 *
 * H1  Moments are in order of tid and do not overlap; one with obj_id 0 says
 *     that the name was absent until the next.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "undo.h"
#include "vfs/hammer/hammer_ioctl.h"

struct life {
	uint64_t create, delete, obj_id;
};

static int
split_path(const char *path, struct history *h)
{
	const char *slash;
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	for (slash = path + len; slash > path && slash[-1] != '/'; slash--)
		;
	h->name = strndup(slash, (size_t)(path + len - slash));
	if (slash == path)
		h->dir = strdup(".");
	else if (slash == path + 1)
		h->dir = strdup("/");
	else
		h->dir = strndup(path, (size_t)(slash - path - 1));
	if (h->name == NULL || h->dir == NULL)
		return -1;
	if (h->name[0] == 0 || strlen(h->name) > 255 ||
	    strcmp(h->name, ".") == 0 || strcmp(h->name, "..") == 0) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static int
life_cmp(const void *a, const void *b)
{
	const struct life *x = a, *y = b;

	return x->create < y->create ? -1 : x->create > y->create;
}

/* All lives of the name, oldest first; malloc'd. */
static int
read_lives(const struct history *h, struct life **lp, size_t *np)
{
	struct hammer_ioc_dirhist *dh = calloc(1, sizeof(*dh));
	const struct hammer_ioc_dirent *de;
	struct life *l = NULL, *nl;
	size_t n = 0;
	uint32_t at;

	if (dh == NULL)
		return -1;
	dh->namelen = (uint8_t)strlen(h->name);
	memcpy(dh->name, h->name, dh->namelen);
	do {
		if (ioctl(h->dirfd, HAMMERIOC_DIRHIST, dh) != 0)
			goto fail;
		for (at = 0; at < dh->bytes; at += de->reclen) {
			de = (const void *)((const char *)dh->buf + at);
			nl = realloc(l, (n + 1) * sizeof(*l));
			if (nl == NULL)
				goto fail;
			l = nl;
			l[n].create = de->create_tid;
			l[n].delete = de->delete_tid;
			l[n].obj_id = de->obj_id;
			n++;
		}
	} while ((dh->head.flags & HAMMER_IOC_EOF) == 0);
	free(dh);
	if (n)
		qsort(l, n, sizeof(*l), life_cmp);
	*lp = l;
	*np = n;
	return 0;
fail:
	free(dh);
	free(l);
	return -1;
}

static struct moment *
moment_add(struct history *h)
{
	struct moment *m = realloc(h->m, (h->n + 1) * sizeof(*m));

	if (m == NULL)
		return NULL;
	h->m = m;
	m = &h->m[h->n++];
	memset(m, 0, sizeof(*m));
	return m;
}

/* The versions of one life. */
static int
read_versions(struct history *h, const struct life *l)
{
	struct hammer_ioc_objhist *oh = calloc(1, sizeof(*oh));
	const struct hammer_ioc_objver *v;
	struct moment *m, *prev;
	uint64_t data_tid = 0;
	size_t first = h->n;
	int i, rc = -1;

	if (oh == NULL)
		return -1;
	oh->obj_id = l->obj_id;
	do {
		if (ioctl(h->dirfd, HAMMERIOC_OBJHIST, oh) != 0)
			goto done;
		for (i = 0; i < oh->count; i++) {
			v = &oh->vers[i];
			if (v->delete_tid && v->delete_tid <= l->create)
				continue;
			if (l->delete && v->create_tid >= l->delete)
				continue;
			m = moment_add(h);
			if (m == NULL)
				goto done;
			m->tid = v->create_tid > l->create ? v->create_tid :
			    l->create;
			m->end = v->delete_tid;
			if (l->delete && (m->end == 0 || m->end > l->delete))
				m->end = l->delete;
			m->obj_id = l->obj_id;
			m->size = v->size;
			m->mtime_ns = v->mtime_ns;
			m->mode = v->mode;
			m->uid = v->uid;
			m->gid = v->gid;
			prev = h->n - 1 > first ? &h->m[h->n - 2] : NULL;
			if (prev != NULL && prev->size == m->size &&
			    v->data_tid <= data_tid)
				m->meta = true;
			if (prev != NULL && prev->size == 0 && m->size != 0 &&
			    m->tid - prev->tid < 1000000000)
				prev->brief = true;
			data_tid = v->data_tid;
		}
	} while ((oh->head.flags & HAMMER_IOC_EOF) == 0);
	rc = 0;
done:
	free(oh);
	return rc;
}

int
history_read(const char *path, struct history *h)
{
	struct life *l = NULL;
	struct moment *m;
	size_t n = 0, i;

	memset(h, 0, sizeof(*h));
	h->path = path;
	h->dirfd = -1;
	if (split_path(path, h) != 0)
		goto fail;
	h->dirfd = open(h->dir, O_RDONLY | O_DIRECTORY);
	if (h->dirfd < 0 || read_lives(h, &l, &n) != 0)
		goto fail;
	for (i = 0; i < n; i++) {
		if (read_versions(h, &l[i]) != 0)
			goto fail;
		if (l[i].delete == 0 ||
		    (i + 1 < n && l[i + 1].create == l[i].delete))
			continue;
		m = moment_add(h);
		if (m == NULL)
			goto fail;
		m->tid = l[i].delete;
		m->end = i + 1 < n ? l[i + 1].create : 0;
	}
	free(l);
	if (h->n == 0) {
		fprintf(stderr, "undo: %s: no history under this name\n",
		    path);
		history_free(h);
		return -1;
	}
	return 0;
fail:
	fprintf(stderr, "undo: %s: %s\n", path, errno == ENOTTY ||
	    errno == EOPNOTSUPP ? "not on a filesystem with history" :
	    strerror(errno));
	free(l);
	history_free(h);
	return -1;
}

void
history_free(struct history *h)
{
	free(h->m);
	free(h->dir);
	free(h->name);
	if (h->dirfd >= 0)
		close(h->dirfd);
	memset(h, 0, sizeof(*h));
	h->dirfd = -1;
}

char *
history_path(const struct history *h, uint64_t tid)
{
	size_t len = strlen(h->dir) + strlen(h->name) + 32;
	char *s = malloc(len);

	if (s != NULL)
		snprintf(s, len, "%s/%s@@0x%016llx", h->dir, h->name,
		    (unsigned long long)tid);
	return s;
}
