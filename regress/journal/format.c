/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal format and the state engine, without a kernel.
 *
 * Method: random operations run on an oracle and are encoded; then the stream
 * is built up to many prefixes and compared with what the oracle was then,
 * forward from the base image and backward from the end; onto a directory of
 * the host too.  Then the stream is cut, flipped, reordered and mutated.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <vfs/journal/jhash.h>
#include <vfs/journal/jrec.h>
#include "oracle.h"

static int failures;
static uint64_t seed;

static void
result(bool ok, const char *name)
{
	printf("%s - journal %s\n", ok ? "ok" : "not ok", name);
	failures += !ok;
}

struct history {
	struct oracle or;
	struct stream s;
	int	 nops;
	char	*dump[1000];
	uint64_t seq[1000], be_seq;
};

static void
make_history(struct history *h, int nops, int between)
{
	oracle_init(&h->or);
	stream_init(&h->s);
	for (int i = 0; i < 300; i++)
		oracle_step(&h->or, NULL);
	stream_attach(&h->s, JAF_BASELINE | JAF_UNDO);
	oracle_base(&h->or, &h->s, between);
	h->be_seq = h->s.seq;
	h->nops = nops;
	for (int i = 0; i < nops; i++) {
		oracle_step(&h->or, &h->s);
		h->dump[i] = oracle_dump(&h->or);
		h->seq[i] = h->s.seq;
	}
	stream_flush(&h->s);
}

static void
free_history(struct history *h)
{
	for (int i = 0; i < h->nops; i++)
		free(h->dump[i]);
	for (int i = 0; i < OR_MAXOBJ; i++)
		free(h->or.o[i].data);
	free(h->s.buf);
	free(h->s.frame);
}

static bool
same(const char *want, struct jmodel *m, const struct jsource *src,
    const char *what, int at)
{
	char *have = model_dump(m, src);
	bool ok = strcmp(want, have) == 0;

	if (!ok)
		printf("# %s differs after operation %d (seed %llu)\n", what,
		    at, (unsigned long long)seed);
	free(have);
	return ok;
}

static void
test_prefixes(int between, const char *name)
{
	static struct history h;
	struct jstate_info info;
	struct jsource src;
	struct jmodel m;
	struct jfile jf;
	bool ok = true;

	make_history(&h, 400, between);
	src = stream_source(&h.s);
	jfile_init(&jf, &src);
	for (int i = 0; ok && i < h.nops; i += 1 + or_below(9)) {
		struct jtarget t = { .has_seq = true, .seq = h.seq[i] };

		if (jstate_build(&jf, &t, &m, &info, NULL, NULL) != 0) {
			printf("# %s\n", info.why);
			ok = false;
		} else
			ok = same(h.dump[i], &m, &src, name, i) &&
			    m.alarms == 0;
		jm_done(&m);
	}
	result(ok, name);
	for (int i = 0; ok && i < h.nops; i += 1 + or_below(30)) {
		struct jtarget end = { 0 }, t = { .has_seq = true,
		    .seq = h.seq[i] };

		ok = jstate_build(&jf, &end, &m, &info, NULL, NULL) == 0 &&
		    same(h.dump[h.nops - 1], &m, &src, "the end", h.nops) &&
		    jstate_undo(&jf, &t, &m, &info) == 0 &&
		    m.alarms == 0 && m.lost == 0 &&
		    same(h.dump[i], &m, &src, "undo", i);
		jm_done(&m);
	}
	result(ok, "undo backward equals the oracle");
	jfile_done(&jf);
	free_history(&h);
}

/* Onto a directory of the host: forward, and then backward in place. */
static void
test_tree(void)
{
	static struct history h;
	char dir[] = "/tmp/jscan-test.XXXXXX", cmd[64];
	struct jtree_opts opts = { 0 };
	struct jstate_info info;
	struct jmodel want, live, now;
	struct jsource src;
	struct jfile jf;
	bool ok = mkdtemp(dir) != NULL;
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	make_history(&h, 300, 10);
	src = stream_source(&h.s);
	jfile_init(&jf, &src);
	jm_init(&live, 1);
	for (int round = 0; ok && round < 12; round++) {
		int i = or_below(h.nops);
		struct jtarget t = { .has_seq = true, .seq = h.seq[i] };
		char *a, *b;

		/* From any state to any other: apply is one algorithm. */
		ok = jstate_build(&jf, &t, &want, &info, NULL, NULL) == 0 &&
		    jtree_apply(fd, &live, &want, &src, &opts) == 0 &&
		    jtree_scan(fd, &now) == 0;
		if (ok) {
			/* What is on disk, by content; scan has live data. */
			for (size_t k = 0; k < now.objcap; k++)
				for (struct jm_obj *o = now.objs[k]; o;
				    o = o->hnext)
					jm_ex_free(&o->ex);
			a = model_dump(&want, &src);
			b = model_dump(&now, &src);
			ok = strlen(a) == strlen(b);
			if (!ok)
				printf("# %s\n---\n%s\n", a, b);
			free(a);
			free(b);
		}
		for (size_t k = 0; ok && k < want.objcap; k++)
			for (struct jm_obj *o = want.objs[k]; ok && o;
			    o = o->hnext) {
				char path[2048];
				uint8_t *x, *y;
				size_t n = o->attr.ja_size;
				int f;

				if (!o->links || !S_ISREG(o->attr.ja_mode) ||
				    !(o->mark & 1))
					continue;
				path[0] = '.';
				jm_path(&want, o, path + 1, sizeof(path) - 1);
				x = jl_alloc(n + 2);
				y = jl_alloc(n + 2);
				f = openat(fd, path, O_RDONLY);
				ok = f >= 0 && read(f, x, n + 1) ==
				    (ssize_t)n && jm_read(o, &src, y, n, 0) ==
				    0 && memcmp(x, y, n) == 0;
				if (!ok)
					printf("# %s differs\n", path);
				close(f);
				free(x);
				free(y);
			}
		jm_done(&now);
		jm_done(&live);
		live = want;		/* and its data is on disk now */
		for (size_t k = 0; k < live.objcap; k++)
			for (struct jm_obj *o = live.objs[k]; o; o = o->hnext)
				o->mark = 0;
	}
	jm_done(&live);
	result(ok, "restore onto a directory, and from state to state");
	close(fd);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	if (system(cmd) != 0)
		printf("# cannot remove %s\n", dir);
	jfile_done(&jf);
	free_history(&h);
}

static enum jfile_result
read_all(struct stream *s, uint64_t *torn, uint64_t *commits)
{
	struct jsource src = stream_source(s);
	enum jfile_result r;
	struct jfile jf;
	struct jitem it;

	*commits = 0;
	jfile_init(&jf, &src);
	while ((r = jfile_next(&jf, &it)) == JFILE_ITEM)
		*commits += it.rec->jr_type == JREC_COMMIT;
	*torn = jf.torn;
	jfile_done(&jf);
	return r;
}

static void
test_damage(void)
{
	static struct history h;
	uint64_t torn, commits, all, lastframe;
	struct stream s;
	bool ok;

	make_history(&h, 60, 10);
	lastframe = h.s.frames[h.s.index - 1];
	ok = read_all(&h.s, &torn, &all) == JFILE_END && torn == 0;
	result(ok, "a whole stream reads to its end");

	s = h.s;
	ok = true;
	for (int i = 0; ok && i < 300; i++) {
		uint64_t at = or_below(h.s.len);
		uint8_t bit = 1 << or_below(8);
		enum jfile_result r;

		s.buf[at] ^= bit;
		r = read_all(&s, &torn, &commits);
		s.buf[at] ^= bit;
		ok = at >= lastframe ? r == JFILE_END && torn > 0 :
		    r == JFILE_BAD;
		if (!ok)
			printf("# bit at %llu of %zu not found\n",
			    (unsigned long long)at, h.s.len);
	}
	result(ok, "every flipped bit is found");

	ok = true;
	for (int i = 0; ok && i < 300; i++) {
		s.len = 8 + or_below(h.s.len - 8);
		ok = s.len < h.s.frames[1] ?
		    read_all(&s, &torn, &commits) == JFILE_BAD :
		    read_all(&s, &torn, &commits) == JFILE_END &&
		    commits <= all;
	}
	result(ok, "a cut anywhere leaves a readable prefix");
	s.len = h.s.len;

	/* Take a frame out; exchange two. */
	ok = true;
	s.buf = jl_alloc(h.s.len);
	for (int i = 0; ok && i < 50; i++) {
		uint64_t k = 1 + or_below(h.s.index - 3);
		uint64_t a = h.s.frames[k], b = h.s.frames[k + 1];
		uint64_t c = h.s.frames[k + 2];

		memcpy(s.buf, h.s.buf, a);
		memcpy(s.buf + a, h.s.buf + b, h.s.len - b);
		s.len = h.s.len - (b - a);
		ok = read_all(&s, &torn, &commits) == JFILE_BAD;
		memcpy(s.buf + a, h.s.buf + b, c - b);
		memcpy(s.buf + a + (c - b), h.s.buf + a, b - a);
		memcpy(s.buf + c, h.s.buf + c, h.s.len - c);
		s.len = h.s.len;
		ok = ok && read_all(&s, &torn, &commits) == JFILE_BAD;
	}
	result(ok, "a missing frame and an exchanged one are found");

	/* Hostile: any bytes, but with right hashes. */
	ok = true;
	for (int i = 0; i < 400; i++) {
		struct jsource src;
		struct jstate_info info;
		struct jtarget t = { 0 };
		struct jmodel m;
		struct jfile jf;
		uint64_t prev = h.s.id;

		memcpy(s.buf, h.s.buf, h.s.len);
		for (int k = 0; k < 1 + (int)or_below(4); k++) {
			uint64_t fr = or_below(h.s.index);
			uint64_t from = h.s.frames[fr] +
			    sizeof(struct jfr_head);
			uint64_t end = fr + 1 < h.s.index ?
			    h.s.frames[fr + 1] : h.s.len;

			s.buf[from + or_below(or_below(2) ? 64 : end - from)]
			    = or_rand() >> 30;
		}
		for (uint64_t fr = 0; fr < h.s.index; fr++) {
			struct jfr_head *jf2 = (void *)(s.buf +
			    h.s.frames[fr]);

			prev = jframe_seal(jf2, jf2->jf_size, jf2->jf_nrecs,
			    h.s.id, fr, prev);
		}
		src = stream_source(&s);
		jfile_init(&jf, &src);
		if (jstate_build(&jf, &t, &m, &info, NULL, NULL) == 0)
			free(model_dump(&m, &src));
		jm_done(&m);
		jfile_done(&jf);
	}
	result(ok, "mutated records with right hashes do no harm");
	free(s.buf);
	free_history(&h);
}

static void
test_checks(void)
{
	static const char *const names[] = { "", ".", "..", "a/b", "../x" };
	uint64_t room[64];
	struct jrec_buf rb;
	bool ok = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct jrec_commit *jc;

		jrec_buf_init(&rb, room, sizeof(room));
		jc = jrec_begin(&rb, JREC_COMMIT, sizeof(*jc));
		jc->jc_seq = 1;
		jfact_add_name(&rb, 1, names[i], strlen(names[i]), 0, 2);
		ok = ok && jrec_check(room, jrec_end(&rb)) != NULL;
	}
	result(ok, "names that lead elsewhere are refused");
	result(jhash("abc", 3, 0) == 0x44bc2cf5ad770999ULL, "XXH64 is XXH64");
}

int
main(int argc, char **argv)
{
	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
	printf("# seed %llu\n", (unsigned long long)seed);
	or_seed(seed);
	test_checks();
	test_prefixes(0, "restore to any number, quiet base image");
	test_prefixes(3, "restore to any number, base image under load");
	test_tree();
	test_damage();
	return failures != 0;
}
