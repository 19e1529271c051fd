/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mountctl: attach, list, restart and detach journals.  See mountctl.8.
 *
 * Every option of DragonFly's mountctl parses.  What this kernel does not do
 * is answered with an error that names it; nothing pretends.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libanax/anax.h>
#include <libjournal/libjournal.h>
#include "../../sys/sys/mountctl.h"

typedef unsigned long long ull;

static char verb;			/* l a r d m */
static char modify;			/* F Z S C A */
static bool everything, twoway, samefs;
static const char *path_opt, *fd_opt;
static struct mountctl_install mi = { .mi_flags = MIF_UNDO };
static char mnt[4096], tag[MOUNTCTL_TAGLEN];

static void __attribute__((__noreturn__))
usage(void)
{
	fprintf(stderr,
	    "usage: mountctl -l [tag | mountpt | mountpt:tag]\n"
	    "       mountctl -a [-2] [-w|-W path | -x|-X fd] [-o option,...] "
	    "mountpt:tag\n"
	    "       mountctl -r [-2] [-w|-W path | -x|-X fd] mountpt:tag\n"
	    "       mountctl -d [-f] [tag | mountpt | mountpt:tag]\n"
	    "       mountctl -m [-f] [-o option,...] target\n"
	    "       mountctl -FZSCA target\n");
	exit(2);
}

static void __attribute__((__noreturn__, __format__(__printf__, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "mountctl: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	exit(1);
}

static void __attribute__((__noreturn__))
absent(const char *what)
{
	die("%s: not implemented in this version", what);
}

static void
set_verb(char v)
{
	if (verb != 0 && verb != v)
		usage();
	verb = v;
}

/* "mountpt", "mountpt:tag" or "tag": mount points begin with a slash. */
static void
parse_target(const char *s)
{
	const char *colon = strrchr(s, ':');

	if (s[0] != '/') {
		colon = s - 1;
	} else {
		size_t n = colon ? (size_t)(colon - s) : strlen(s);

		if (n >= sizeof(mnt))
			die("%s: path too long", s);
		memcpy(mnt, s, n);
		mnt[n] = '\0';
		if (colon == NULL)
			return;
	}
	if (strlen(colon + 1) >= sizeof(tag))
		die("%s: tag longer than %d bytes", colon + 1,
		    MOUNTCTL_TAGLEN - 1);
	strcpy(tag, colon + 1);
}

static uint64_t
parse_size(const char *word, const char *s)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(s, &end, 0);
	if (end == s || *s == '-' || errno != 0)
		die("%s=%s: not a size", word, s);
	switch (*end) {
	case 'g': case 'G': n <<= 10;	/* FALLTHROUGH */
	case 'm': case 'M': n <<= 10;	/* FALLTHROUGH */
	case 'k': case 'K': n <<= 10; end++; break;
	}
	if (*end != '\0')
		die("%s=%s: not a size", word, s);
	return n;
}

/* One word of -o; "no" or "non" before it negates. */
static void
parse_option(char *word)
{
	bool neg = strncmp(word, "no", 2) == 0 && strcmp(word, "no") != 0;
	char *name = neg ? word + 2 + (word[2] == 'n') : word;
	char *value = strchr(name, '=');

	if (value != NULL)
		*value++ = '\0';
	if (strcmp(name, "reversable") == 0 || strcmp(name, "reversible") == 0
	    || strcmp(name, "undo") == 0) {
		mi.mi_flags = neg ? mi.mi_flags & ~(uint32_t)MIF_UNDO :
		    mi.mi_flags | MIF_UNDO;
	} else if (strcmp(name, "twoway") == 0) {
		twoway = !neg;
	} else if (strcmp(name, "sync") == 0) {
		mi.mi_flags = neg ? mi.mi_flags & ~(uint32_t)MIF_SYNC :
		    mi.mi_flags | MIF_SYNC;
	} else if (strcmp(name, "memfifo") == 0 && value != NULL) {
		mi.mi_memfifo = parse_size(name, value);
		if (mi.mi_memfifo < 64 << 10 || mi.mi_memfifo > 128 << 20)
			die("memfifo: between 64k and 128m");
	} else if (strcmp(name, "wait") == 0 && value != NULL) {
		mi.mi_wait_ms = (uint32_t)(strtod(value, NULL) * 1000);
		if (mi.mi_wait_ms == 0)
			die("wait=%s: seconds, more than 0", value);
	} else if (strcmp(name, "swapfifo") == 0 && value != NULL) {
		(void)parse_size(name, value);
		absent("swapfifo (a spool file)");
	} else if (strcmp(name, "path") == 0 && value != NULL) {
		path_opt = value;
	} else if (strcmp(name, "fd") == 0 && value != NULL) {
		fd_opt = value;
	} else if (strcmp(name, "freeze") == 0 || strcmp(name, "stop") == 0) {
		modify = 'Z';
	} else if (strcmp(name, "start") == 0) {
		modify = 'S';
	} else if (strcmp(name, "close") == 0) {
		modify = 'C';
	} else if (strcmp(name, "abort") == 0) {
		modify = 'A';
	} else if (strcmp(name, "flush") == 0) {
		modify = 'F';
	} else
		die("-o %s: no such option", word);
}

static void
parse_options(char *list)
{
	for (char *w = strtok(list, ","); w != NULL; w = strtok(NULL, ","))
		parse_option(w);
}

/* ---- the target ---- */

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

/* A file that is a journal already is gone on with: find its end. */
static void
find_end(int fd, const char *name)
{
	struct jsource src = { read_at, &fd, 0 };
	enum jfile_result r;
	struct jfile jf;
	struct jitem it;
	struct stat st;

	if (fstat(fd, &st) != 0)
		die("%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		die("%s: not a regular file: other targets are not "
		    "implemented in this version", name);
	if (st.st_size == 0)
		return;
	src.js_size = st.st_size;
	jfile_init(&jf, &src);
	while ((r = jfile_next(&jf, &it)) == JFILE_ITEM) {
		const struct jrec_attach *jt = (const void *)it.rec;
		const struct jrec_detach *jd = (const void *)it.rec;

		if (it.rec->jr_type == JREC_ATTACH)
			mi.mi_fsid = jt->jt_fsid;
		mi.mi_mntseq = it.rec->jr_type == JREC_DETACH ?
		    jd->jd_mntseq : 0;
	}
	if (r == JFILE_BAD)
		die("%s: not a journal, or damaged (%s): nothing was changed",
		    name, jf.why);
	if (jf.torn > 0) {
		fprintf(stderr, "mountctl: %s: the last %llu bytes are a frame "
		    "that was not finished: cut off\n", name, (ull)jf.torn);
		if (ftruncate(fd, jf.next) != 0)
			die("%s: %s", name, strerror(errno));
	}
	mi.mi_offset = jf.next;
	mi.mi_stream = jf.stream;
	mi.mi_frame = jf.index;
	mi.mi_hash = jf.hash;
	mi.mi_opindex = jf.lastindex;
	mi.mi_lastseq = jf.lastseq;
	jfile_done(&jf);
}

static int
open_target(const char **name)
{
	int fd;

	if (path_opt != NULL) {
		*name = path_opt;
		fd = open(path_opt, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	} else {
		*name = "standard output";
		fd = STDOUT_FILENO;
		if (fd_opt != NULL) {
			*name = fd_opt;
			fd = atoi(fd_opt);
		}
		if (fcntl(fd, F_GETFL) < 0)
			fd = -1;
	}
	if (fd < 0)
		die("%s: %s", *name, strerror(errno));
	return fd;
}

static const char *
explain(const char *name)
{
	static char text[512];

	switch (errno) {
	case EDEADLK:
		snprintf(text, sizeof(text), "%s is on the journalled mount "
		    "itself, or leads back to it through another journal "
		    "(-W and -X allow the first)", name);
		return text;
	case EINVAL:
		return "not a mount point, or a bad tag";
	case EEXIST:
		return "a journal with this tag is attached already";
	case ENOENT:
		return "no such journal";
	case EBUSY:
		return "its base image is still being taken";
	case EOPNOTSUPP:
		return "such a filesystem, or such a target, cannot be used "
		    "in this version";
	case EINTR:
		return "interrupted: the journal is not attached; the file is "
		    "not restorable";
	case ENOSYS:
		return "this kernel has no mountctl(2)";
	default:
		return strerror(errno);
	}
}

static int
cmd_install(int op)
{
	const char *name;
	int fd;

	if (mnt[0] == '\0' || tag[0] == '\0')
		usage();
	if (twoway)
		absent("two-way streams (-2, twoway)");
	if (modify == 'Z')
		absent("starting frozen");
	fd = open_target(&name);
	find_end(fd, name);
	strcpy(mi.mi_tag, tag);
	if (samefs)
		mi.mi_flags |= MIF_SAMEFS;
	if (mountctl(mnt, op, fd, &mi, sizeof(mi), NULL, 0) < 0)
		die("%s:%s: %s", mnt, tag, explain(name));
	return 0;
}

/* ---- every mount that matches ---- */

static const char *const states[] = {
	"?", "taking its base image", "live", "target stalled", "FAILED",
};

static void
show(const char *on, const struct mountctl_status *ms)
{
	printf("%s:%s %s\n", on, ms->ms_tag, ms->ms_state < 5 ?
	    states[ms->ms_state] : "?");
	printf("\tlag %llu bytes, %llu.%03llu s; memory %llu of %llu\n",
	    (ull)ms->ms_lag_bytes, (ull)(ms->ms_lag_ns / 1000000000),
	    (ull)(ms->ms_lag_ns / 1000000 % 1000), (ull)ms->ms_memused,
	    (ull)ms->ms_memfifo);
	printf("\toperations %llu, bytes written %llu, mapped flushes %llu, "
	    "stalls %llu\n", (ull)ms->ms_ops, (ull)ms->ms_bytes,
	    (ull)ms->ms_mapwrites, (ull)ms->ms_stalls);
	printf("\tnumbers: head %#llx, written %#llx, restorable from %#llx%s%s"
	    "\n", (ull)ms->ms_seq_head, (ull)ms->ms_seq_acked,
	    (ull)ms->ms_base_seq, ms->ms_flags & MIF_UNDO ? ", reversible" : "",
	    ms->ms_flags & MIF_SYNC ? ", sync" : "");
	if (ms->ms_error != 0 || ms->ms_lost != 0)
		printf("\tERROR of the target: %s; operations lost: %llu\n",
		    strerror(ms->ms_error), (ull)ms->ms_lost);
}

static int
on_mount(const char *on, int *matches)
{
	struct mountctl_status ms[64];
	struct mountctl_remove mr = { .mr_flags = 0 };
	long n;

	n = mountctl(on, MOUNTCTL_STATUS, -1, NULL, 0, ms, sizeof(ms));
	if (n < 0)
		return errno == ENOENT || (errno == EINVAL && !mnt[0]) ? 0 : -1;
	for (size_t i = 0; i < (size_t)n / sizeof(ms[0]); i++) {
		if (tag[0] != '\0' && strcmp(tag, ms[i].ms_tag) != 0)
			continue;
		++*matches;
		memcpy(mr.mr_tag, ms[i].ms_tag, sizeof(mr.mr_tag));
		mr.mr_flags = modify == 'A' ? MRF_ABORT : 0;
		if (verb == 'l') {
			show(on, &ms[i]);
		} else if (mountctl(on, verb == 'm' && modify == 'F' ?
		    MOUNTCTL_FLUSH : MOUNTCTL_REMOVE, -1, &mr, sizeof(mr),
		    NULL, 0) < 0) {
			fprintf(stderr, "mountctl: %s:%s: %s\n", on,
			    ms[i].ms_tag, explain(""));
			return -1;
		}
	}
	return 0;
}

static int
on_all(void)
{
	int matches = 0, error = 0;
	struct mntent *me;
	FILE *f;

	if (mnt[0] != '\0') {
		if (on_mount(mnt, &matches) != 0)
			die("%s: %s", mnt, explain(""));
	} else {
		f = setmntent("/proc/mounts", "r");
		if (f == NULL)
			die("/proc/mounts: %s", strerror(errno));
		while ((me = getmntent(f)) != NULL)
			error |= on_mount(me->mnt_dir, &matches);
		endmntent(f);
	}
	if (error != 0)
		return 1;
	if (matches == 0) {
		if (verb == 'l' && tag[0] == '\0' && mnt[0] == '\0')
			return 0;
		fprintf(stderr, "mountctl: no journal %s%s%s\n", mnt,
		    mnt[0] && tag[0] ? ":" : "", tag);
		return 1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "2adflrmo:w:x:W:X:FZSCA")) != -1)
		switch (c) {
		case '2': twoway = true; break;
		case 'a': case 'd': case 'l': case 'r': case 'm':
			set_verb((char)c);
			break;
		case 'f': everything = true; break;
		case 'o': parse_options(optarg); break;
		case 'W': samefs = true;	/* FALLTHROUGH */
		case 'w': path_opt = optarg; break;
		case 'X': samefs = true;	/* FALLTHROUGH */
		case 'x': fd_opt = optarg; break;
		case 'F': case 'Z': case 'S': case 'C': case 'A':
			set_verb('m');
			modify = (char)c;
			break;
		default: usage();
		}
	if (argc - optind > 1 || verb == 0)
		usage();
	if (argc > optind)
		parse_target(argv[optind]);
	switch (verb) {
	case 'a':
		return cmd_install(MOUNTCTL_INSTALL);
	case 'r':
		return cmd_install(MOUNTCTL_RESTART);
	case 'l':
		return on_all();
	case 'm':
		if (modify == 'Z')
			absent("-Z (freeze)");
		if (modify == 'S')
			absent("-S (start)");
		if (modify == 0)
			absent("-m with these options");
		/* close and abort are a removal, with and without the mark */
		break;
	}
	if (mnt[0] == '\0' && tag[0] == '\0' && !everything)
		die("neither a tag nor a mount point (-f: all of them)");
	return on_all();
}
