/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * undo(1): list, compare and bring back what a file was.
 *
 *   undo FILE           bring the newest older version back (a removed file:
 *                       its last one); the replaced content stays in history
 *   undo -a FILE        every version and every removal; -v also the
 *                       transient ones
 *   undo -t WHEN ...    that version; twice with -d: compare the two
 *   undo -d | -D FILE   diff, old to new | new to old
 *   undo -o OUT FILE    write the version to OUT ("-": standard output)
 *   undo -u FILE        write it to FILE.undo; with -a all, FILE.undo.0000...
 *   undo -n FILE        say what would be brought back
 *
 * All of the past is read by two ioctls on the directory and by opening
 * name@@0x<tid>; nothing here knows the media.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "undo.h"

enum action { ACT_RESTORE, ACT_LIST, ACT_DIFF, ACT_RDIFF, ACT_OUT };

bool opt_verbose;

static int
usage(void)
{
	fprintf(stderr,
	    "usage: undo [-adDinuv] [-o out] [-t when [-t when]] file ...\n");
	return 2;
}

static const char *
size_text(uint64_t size)
{
	static char buf[32];

	if (size < 100000)
		snprintf(buf, sizeof(buf), "%llu", (unsigned long long)size);
	else if (size < 100000ULL << 10)
		snprintf(buf, sizeof(buf), "%lluK",
		    (unsigned long long)(size >> 10));
	else
		snprintf(buf, sizeof(buf), "%lluM",
		    (unsigned long long)(size >> 20));
	return buf;
}

static void
list(const struct history *h)
{
	const struct moment *m;
	const char *what;
	size_t i, hidden = 0;

	printf("%s\n", h->path);
	for (i = 0; i < h->n; i++) {
		m = &h->m[i];
		if ((m->brief || m->meta) && !opt_verbose && m->end != 0) {
			hidden++;
			continue;
		}
		if (m->obj_id == 0)
			what = "removed";
		else if (m->meta)
			what = "attributes";
		else if (m->brief)
			what = "transient";
		else if (m->end == 0)
			what = "present";
		else
			what = "";
		printf("  0x%016llx  %s  %9s  %8s  %s\n",
		    (unsigned long long)m->tid, when_text(m->tid),
		    when_age(m->tid), m->obj_id ? size_text(m->size) : "-",
		    what);
	}
	if (hidden)
		printf("  (%zu without new content not shown: -v)\n", hidden);
}

/*
 * The newest moment with content that is over: what "undo" means without -t.
 */
static const struct moment *
newest_older(const struct history *h)
{
	const struct moment *m;
	size_t i = h->n;

	/* Attribute changes of the present content are the present content. */
	if (i > 0 && h->m[i - 1].obj_id != 0)
		do
			i--;
		while (i > 0 && h->m[i].meta);
	while (i-- > 0) {
		m = &h->m[i];
		if (m->obj_id != 0 && m->end != 0 && !m->brief)
			return m;
	}
	return NULL;
}

/* out with %s replaced by the file's name; number >= 0 adds .%04d. */
static char *
out_name(const char *tmpl, const struct history *h, int number)
{
	const char *p = strstr(tmpl, "%s");
	size_t len = strlen(tmpl) + strlen(h->path) + 16;
	char *s = malloc(len);

	if (s == NULL)
		return NULL;
	if (p != NULL)
		snprintf(s, len, "%.*s%s%s", (int)(p - tmpl), tmpl, h->path,
		    p + 2);
	else
		snprintf(s, len, "%s", tmpl);
	if (number >= 0)
		snprintf(s + strlen(s), len - strlen(s), ".%04d", number);
	return s;
}

static int
write_out(const struct history *h, uint64_t tid, const char *tmpl, int number)
{
	char *name;
	int fd, rc;

	if (strcmp(tmpl, "-") == 0)
		return version_copy(h, tid, STDOUT_FILENO);
	name = out_name(tmpl, h, number);
	fd = name ? open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
	if (fd < 0) {
		fprintf(stderr, "undo: %s: %s\n", name ? name : tmpl,
		    strerror(errno));
		free(name);
		return -1;
	}
	rc = version_copy(h, tid, fd);
	if (close(fd) != 0 && rc == 0) {
		fprintf(stderr, "undo: %s: %s\n", name, strerror(errno));
		rc = -1;
	}
	if (rc == 0)
		fprintf(stderr, "%s: version of %s\n", name, when_text(tid));
	free(name);
	return rc;
}

static int
write_all(const struct history *h, const char *tmpl)
{
	size_t i;
	int number = 0, rc = 0;

	for (i = 0; i < h->n; i++)
		if (h->m[i].obj_id != 0 && !h->m[i].brief && !h->m[i].meta)
			rc |= write_out(h, h->m[i].tid, tmpl, number++);
	return rc;
}

static int
one_file(const char *path, enum action act, bool all, const char *out,
    const char *const *whens, int nwhens, bool dryrun)
{
	const struct moment *m;
	struct history h;
	uint64_t tid[2] = { 0, 0 };
	int i, rc = -1;

	if (history_read(path, &h) != 0)
		return -1;
	for (i = 0; i < nwhens; i++)
		if (when_parse(whens[i], &h, &tid[i]) != 0) {
			fprintf(stderr, "undo: %s: not a moment\n", whens[i]);
			goto done;
		}
	if (act == ACT_LIST) {
		list(&h);
		rc = 0;
		goto done;
	}
	if (act == ACT_OUT && all) {
		rc = write_all(&h, out);
		goto done;
	}
	if (nwhens == 0) {
		m = newest_older(&h);
		if (m == NULL) {
			fprintf(stderr, "undo: %s: no older version\n", path);
			goto done;
		}
		tid[0] = m->tid;
	}
	switch (act) {
	case ACT_DIFF:
		rc = version_diff(&h, tid[0], tid[1]);
		break;
	case ACT_RDIFF:
		rc = version_diff(&h, tid[1], tid[0]);
		break;
	case ACT_OUT:
		rc = write_out(&h, tid[0], out, -1);
		break;
	default:
		rc = version_restore(&h, tid[0], dryrun);
		break;
	}
done:
	history_free(&h);
	return rc;
}

int
main(int argc, char **argv)
{
	enum action act = ACT_RESTORE;
	const char *out = NULL, *whens[2];
	bool all = false, list_only = false, dryrun = false;
	int c, nwhens = 0, rc = 0;

	while ((c = getopt(argc, argv, "adDhino:t:uv")) != -1)
		switch (c) {
		case 'a':
			all = true;
			break;
		case 'd':
			act = ACT_DIFF;
			break;
		case 'D':
			act = ACT_RDIFF;
			break;
		case 'i':
			list_only = true;
			break;
		case 'n':
			dryrun = true;
			break;
		case 'o':
			act = ACT_OUT;
			out = optarg;
			break;
		case 't':
			if (nwhens == 2)
				return usage();
			whens[nwhens++] = optarg;
			break;
		case 'u':
			act = ACT_OUT;
			out = "%s.undo";
			break;
		case 'v':
			opt_verbose = true;
			break;
		default:
			return usage();
		}
	if (optind == argc || (nwhens == 2 && act != ACT_DIFF &&
	    act != ACT_RDIFF))
		return usage();
	if (list_only || (all && act == ACT_RESTORE))
		act = ACT_LIST;
	for (; optind < argc; optind++)
		if (one_file(argv[optind], act, all, out, whens, nwhens,
		    dryrun) != 0)
			rc = 1;
	return rc;
}
