/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jscan: read a journal.  See jscan.8.
 *
 * Exit codes: 0 well; 1 well, but with alarms or things left out; 2 usage or
 * system error; 3 the journal is damaged.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <libjournal/libjournal.h>

typedef unsigned long long ull;

static void __attribute__((__noreturn__))
usage(void)
{
	fprintf(stderr,
	    "usage: jscan show [-v] [--from N] [--to N] FILE\n"
	    "       jscan verify FILE\n"
	    "       jscan restore [--to SEQ|#N] [--to-time T] [--before] "
	    "[--past-gap] FILE DIR\n"
	    "       jscan undo --to SEQ|#N [--to-time T] [--before] FILE DIR\n"
	    "       jscan tail FILE\n");
	exit(2);
}

/* ---- the file ---- */

static int
read_at(void *arg, void *buf, size_t len, uint64_t off)
{
	int fd = *(int *)arg;

	while (len > 0) {
		ssize_t n = pread(fd, buf, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		buf = (char *)buf + n;
		off += n;
		len -= n;
	}
	return 0;
}

static int journal_fd;

static void
open_journal(const char *path, struct jfile *jf)
{
	struct jsource src = { read_at, &journal_fd, 0 };
	struct stat st;

	journal_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (journal_fd < 0 || fstat(journal_fd, &st) != 0) {
		fprintf(stderr, "jscan: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	if (!S_ISREG(st.st_mode)) {
		fprintf(stderr, "jscan: %s: not a regular file\n", path);
		exit(2);
	}
	src.js_size = st.st_size;
	jfile_init(jf, &src);
}

static void
tail_notice(const char *path, uint64_t torn)
{
	if (torn > 0)
		fprintf(stderr, "jscan: %s: the last %llu bytes are a frame "
		    "that was not finished: ignored\n", path, (ull)torn);
}

/* ---- targets ---- */

static uint64_t
parse_number(const char *s)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(s, &end, 0);
	if (*s == '\0' || *s == '-' || *end != '\0' || errno != 0) {
		fprintf(stderr, "jscan: %s: not a number\n", s);
		exit(2);
	}
	return n;
}

/* "#12": the 12th operation of the stream; else an operation's number. */
static void
parse_seq(struct jtarget *t, const char *s)
{
	if (s[0] == '#') {
		t->has_index = true;
		t->index = parse_number(s + 1);
	} else {
		t->has_seq = true;
		t->seq = parse_number(s);
	}
}

/* "2026-11-22T10:00[:30[.5]][Z]" (UTC), or seconds since 1970 as "@N". */
static void
parse_time(struct jtarget *t, const char *s)
{
	struct tm tm = { 0 };
	uint64_t frac = 0, scale = 100000000;
	const char *p = s;
	int n = 0;

	t->has_time = true;
	if (*s == '@') {
		t->time = parse_number(s + 1) * 1000000000ULL + 999999999;
		return;
	}
	if (sscanf(p, "%d-%d-%d%*1[T ]%d:%d%n", &tm.tm_year, &tm.tm_mon,
	    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &n) != 5 || n == 0) {
		fprintf(stderr, "jscan: %s: not a time "
		    "(2026-11-22T10:00:30, or @seconds)\n", s);
		exit(2);
	}
	p += n;
	frac = 999999999;
	if (*p == ':' && sscanf(p, ":%d%n", &tm.tm_sec, &n) == 1) {
		p += n;
		if (*p == '.')
			for (p++, frac = 0; *p >= '0' && *p <= '9'; p++) {
				frac += (*p - '0') * scale;
				scale /= 10;
			}
	}
	if (*p != '\0' && strcmp(p, "Z") != 0) {
		fprintf(stderr, "jscan: %s: not a time: '%s' is too much\n", s,
		    p);
		exit(2);
	}
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	t->time = (uint64_t)timegm(&tm) * 1000000000ULL + frac;
}

/* ---- verbs ---- */

static struct jtarget target, from;
static bool verbose, dryrun, nodev;
static uint64_t alarms_shown;

static void
print_alarm(void *arg, uint64_t seq, const char *text)
{
	(void)arg;
	if (alarms_shown++ < 20)
		fprintf(stderr, "jscan: ALARM at %#llx: %s\n", (ull)seq, text);
	else if (alarms_shown == 21)
		fprintf(stderr, "jscan: more alarms are not shown\n");
}

static bool
in_window(const struct jrec_commit *jc)
{
	if (target.has_seq && jc->jc_seq > target.seq)
		return false;
	if (target.has_index && jc->jc_index > target.index)
		return false;
	if (target.has_time && jc->jc_wall > target.time)
		return false;
	if (from.has_seq && jc->jc_seq < from.seq)
		return false;
	return !from.has_index || jc->jc_index >= from.index;
}

static int
cmd_show(const char *path)
{
	struct jmodel m;
	struct jshow js = { .facts = verbose, .paths = &m };
	enum jfile_result r;
	struct jfile jf;
	struct jitem it;

	open_journal(path, &jf);
	jm_init(&m, 0);
	/* The tree goes along, so that objects can be shown by path. */
	while ((r = jfile_next(&jf, &it)) == JFILE_ITEM) {
		const struct jrec_attach *jt = (const void *)it.rec;

		if (it.rec->jr_type == JREC_ATTACH &&
		    !(jt->jt_flags & JAF_CONTINUE)) {
			jm_done(&m);
			jm_init(&m, jt->jt_root);
		}
		if (it.rec->jr_type != JREC_COMMIT ||
		    in_window((const void *)it.rec))
			jshow_item(&js, &it);
		if (it.rec->jr_type == JREC_COMMIT)
			jm_redo(&m, &it);
		else if (it.rec->jr_type >= JREC_BASE_BEGIN)
			jm_base(&m, &it);
	}
	jm_done(&m);
	if (r == JFILE_BAD) {
		fprintf(stderr, "jscan: %s: %s\n", path, jf.why);
		return 3;
	}
	tail_notice(path, jf.torn);
	return fflush(stdout) == 0 ? 0 : 2;
}

/* Check the bytes, then the facts against each other. */
static int
cmd_verify(const char *path)
{
	struct jstate_info info;
	uint64_t commits = 0, records = 0;
	enum jfile_result r;
	struct jmodel m;
	struct jfile jf;
	struct jitem it;
	int rc;

	open_journal(path, &jf);
	while ((r = jfile_next(&jf, &it)) == JFILE_ITEM) {
		records++;
		commits += it.rec->jr_type == JREC_COMMIT;
	}
	if (r == JFILE_BAD) {
		fprintf(stderr, "jscan: %s: DAMAGED %s\n", path, jf.why);
		return 3;
	}
	printf("%s: %llu frames, %llu records, %llu operations; every hash "
	    "and the chain are right\n", path, (ull)jf.index, (ull)records,
	    (ull)commits);
	printf("stream %016llx, chain ends with %016llx\n", (ull)jf.stream,
	    (ull)jf.hash);
	tail_notice(path, jf.torn);
	rc = jstate_build(&jf, &target, &m, &info, print_alarm, NULL);
	if (rc != 0) {
		printf("%s: not restorable: %s\n", path, info.why);
		return 1;
	}
	printf("restorable from %#llx to %#llx; %llu alarms; %s\n",
	    (ull)info.first, (ull)info.last, (ull)m.alarms, info.detached ?
	    "detached cleanly" : "no detach mark: what came after is not "
	    "known here");
	return m.alarms ? 1 : 0;
}

static int
open_empty_dir(const char *dir)
{
	struct jmodel m;
	int fd;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		fprintf(stderr, "jscan: %s: %s\n", dir, strerror(errno));
		exit(2);
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || jtree_scan(fd, &m) != 0) {
		fprintf(stderr, "jscan: %s: %s\n", dir, strerror(errno));
		exit(2);
	}
	if (m.nnames > 0) {
		fprintf(stderr, "jscan: %s: not empty: restore wants a new or "
		    "empty directory\n", dir);
		exit(2);
	}
	jm_done(&m);
	return fd;
}

static int
cmd_restore(const char *path, const char *dir)
{
	struct jtree_opts opts = { .verbose = verbose, .nodev = nodev };
	struct jstate_info info;
	struct jmodel want, live;
	struct jfile jf;
	int fd, rc;

	open_journal(path, &jf);
	if (jstate_build(&jf, &target, &want, &info, print_alarm, NULL) != 0) {
		fprintf(stderr, "jscan: %s: %s\n", path, info.why);
		return jf.why[0] ? 3 : 2;
	}
	tail_notice(path, info.torn);
	fd = open_empty_dir(dir);
	jm_init(&live, want.root);
	rc = jtree_apply(fd, &live, &want, &jf.src, &opts);
	printf("%s: the state at %#llx: %llu operations over the base image, "
	    "%llu names%s\n", dir, (ull)(info.lastapplied > info.first ?
	    info.lastapplied : info.first), (ull)info.applied,
	    (ull)want.nnames, rc ? "; NOT COMPLETE, see above" : "");
	if (want.alarms)
		fprintf(stderr, "jscan: %llu alarms: the journal contradicts "
		    "itself\n", (ull)want.alarms);
	if (rc != 0)
		return 2;
	return want.alarms || opts.skipped ? 1 : 0;
}

static int
cmd_undo(const char *path, const char *dir)
{
	struct jtree_opts opts = { .verbose = verbose };
	struct jmodel live, want;
	struct jstate_info info;
	struct jfile jf;
	int fd, rc;

	if (!target.has_seq && !target.has_index && !target.has_time)
		usage();
	open_journal(path, &jf);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "jscan: %s: %s\n", dir, strerror(errno));
		return 2;
	}
	if (jtree_scan(fd, &live) != 0 || jtree_scan(fd, &want) != 0)
		return 2;
	want.alarm = print_alarm;
	if (jstate_undo(&jf, &target, &want, &info) != 0) {
		fprintf(stderr, "jscan: %s: %s\n", path, info.why);
		return jf.why[0] ? 3 : 2;
	}
	if (want.alarms > 0) {
		fprintf(stderr, "jscan: %s is not the tree that this journal "
		    "ends with (%llu alarms): nothing was changed\n", dir,
		    (ull)want.alarms);
		return 1;
	}
	if (dryrun) {
		printf("%llu operations would be undone\n", (ull)info.applied);
		return 0;
	}
	rc = jtree_apply(fd, &live, &want, &jf.src, &opts);
	printf("%s: %llu operations undone, %llu changes%s\n", dir,
	    (ull)info.applied, (ull)opts.changes,
	    rc ? "; NOT COMPLETE, see above" : "");
	return rc ? 2 : opts.skipped ? 1 : 0;
}

/* Where a journal ends: what mountctl needs to go on writing to it. */
static int
cmd_tail(const char *path)
{
	enum jfile_result r;
	struct jfile jf;
	struct jitem it;

	open_journal(path, &jf);
	while ((r = jfile_next(&jf, &it)) == JFILE_ITEM)
		;
	if (r == JFILE_BAD) {
		fprintf(stderr, "jscan: %s: %s\n", path, jf.why);
		return 3;
	}
	printf("offset %llu frame %llu operation %llu number %#llx\n",
	    (ull)jf.next, (ull)jf.index, (ull)jf.lastindex, (ull)jf.lastseq);
	tail_notice(path, jf.torn);
	return 0;
}

int
main(int argc, char **argv)
{
	enum { O_TO = 256, O_FROM, O_TIME, O_BEFORE, O_GAP, O_NODEV };
	static const struct option opts[] = {
		{ "to", 1, NULL, O_TO }, { "from", 1, NULL, O_FROM },
		{ "to-time", 1, NULL, O_TIME },
		{ "before", 0, NULL, O_BEFORE },
		{ "past-gap", 0, NULL, O_GAP },
		{ "no-devices", 0, NULL, O_NODEV },
		{ "dry-run", 0, NULL, 'n' }, { "verbose", 0, NULL, 'v' },
		{ NULL, 0, NULL, 0 }
	};
	const char *verb;
	int c;

	if (argc < 3)
		usage();
	verb = argv[1];
	argc--;
	argv++;
	while ((c = getopt_long(argc, argv, "nv", opts, NULL)) != -1)
		switch (c) {
		case O_TO: parse_seq(&target, optarg); break;
		case O_FROM: parse_seq(&from, optarg); break;
		case O_TIME: parse_time(&target, optarg); break;
		case O_BEFORE: target.before = true; break;
		case O_GAP: target.past_gap = true; break;
		case O_NODEV: nodev = true; break;
		case 'n': dryrun = true; break;
		case 'v': verbose = true; break;
		default: usage();
		}
	argc -= optind;
	argv += optind;
	if (strcmp(verb, "show") == 0 && argc == 1)
		return cmd_show(argv[0]);
	if (strcmp(verb, "verify") == 0 && argc == 1)
		return cmd_verify(argv[0]);
	if (strcmp(verb, "tail") == 0 && argc == 1)
		return cmd_tail(argv[0]);
	if (strcmp(verb, "restore") == 0 && argc == 2)
		return cmd_restore(argv[0], argv[1]);
	if (strcmp(verb, "undo") == 0 && argc == 2)
		return cmd_undo(argv[0], argv[1]);
	usage();
}
