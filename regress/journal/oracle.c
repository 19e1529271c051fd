/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfs/journal/jrec.h>
#include "oracle.h"

static uint64_t rng;

void
or_seed(uint64_t seed)
{
	rng = seed * 2 + 1;
}

uint64_t
or_rand(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng * 0x2545f4914f6cdd1dULL;
}

uint64_t
or_below(uint64_t n)
{
	return (or_rand() >> 11) % n;
}

/* ---- the stream ---- */

void
stream_init(struct stream *s)
{
	memset(s, 0, sizeof(*s));
	s->frame = jl_alloc(JFR_MAXSIZE);
	s->framelen = sizeof(struct jfr_head);
	s->id = s->prev = or_rand();
	s->seq = 1000000;
}

void
stream_flush(struct stream *s)
{
	if (s->nrecs == 0)
		return;
	s->frames[s->index % 4096] = s->len;
	s->prev = jframe_seal(s->frame, s->framelen, s->nrecs, s->id,
	    s->index++, s->prev);
	if (s->len + s->framelen > s->cap) {
		s->cap = (s->len + s->framelen) * 2;
		s->buf = jl_grow(s->buf, s->cap);
	}
	memcpy(s->buf + s->len, s->frame, s->framelen);
	s->len += s->framelen;
	s->framelen = sizeof(struct jfr_head);
	s->nrecs = 0;
}

void
stream_put(struct stream *s, const void *rec, size_t len)
{
	if (s->framelen + len > JFR_MAXSIZE || or_below(6) == 0)
		stream_flush(s);
	memcpy(s->frame + s->framelen, rec, len);
	s->framelen += len;
	s->nrecs++;
}

static int
mem_read(void *arg, void *buf, size_t len, uint64_t off)
{
	const struct stream *s = arg;

	if (off > s->len || len > s->len - off)
		return -1;
	memcpy(buf, s->buf + off, len);
	return 0;
}

struct jsource
stream_source(const struct stream *s)
{
	return (struct jsource){ mem_read, (void *)(uintptr_t)s, s->len };
}

void
stream_attach(struct stream *s, uint32_t flags)
{
	struct jrec_attach jt = { .h = { .jr_type = JREC_ATTACH,
	    .jr_size = sizeof(jt) }, .jt_seq = s->seq, .jt_root = 1,
	    .jt_flags = flags, .jt_fstype = "oracle", .jt_on = "/mnt" };

	if (!(flags & JAF_CONTINUE))
		s->lastseq = 0;
	stream_put(s, &jt, sizeof(jt));
}

/* ---- operations ---- */

struct op {
	struct jrec_buf rb;
	uint64_t op;
	uint32_t payloads;
	struct stream *s;
	uint8_t	 room[96 << 10];
};

static void
fill_attr(const struct oracle *or, uint64_t ino, struct jattr *ja)
{
	const struct or_obj *o = &or->o[ino];

	memset(ja, 0, sizeof(*ja));
	ja->ja_ino = ino;
	ja->ja_mode = o->mode;
	ja->ja_uid = o->uid;
	ja->ja_size = o->size;
	ja->ja_nlink = o->nlink;
	ja->ja_sec[JT_MTIME] = o->mtime;
}

static void
op_begin(struct op *p, struct stream *s, enum jop code)
{
	struct jrec_commit *jc;

	p->s = s;
	p->op = s ? ++s->op : 0;
	p->payloads = 0;
	jrec_buf_init(&p->rb, p->room, sizeof(p->room));
	jc = jrec_begin(&p->rb, JREC_COMMIT, sizeof(*jc));
	jc->jc_opcode = code;
	jc->h.jr_op = p->op;
}

static void
op_end(struct op *p)
{
	struct jrec_commit *jc = (void *)p->room;
	struct stream *s = p->s;
	size_t len = jrec_end(&p->rb);

	if (s == NULL)
		return;
	if (len == 0)
		abort();
	s->seq += 16 + 16 * or_below(3);
	jc->jc_seq = s->seq;
	jc->jc_prev = s->lastseq;
	jc->jc_index = ++s->opindex;
	jc->jc_wall = s->seq;
	s->lastseq = s->seq;
	stream_put(s, jc, len);
}

/* A data fact, inline or in chunks as chance has it. */
static void
op_data(struct op *p, enum jfact_type type, uint64_t ino, uint64_t off,
    uint64_t len, const uint8_t *bytes)
{
	struct jrec_chunk *jk;
	uint8_t rec[4096];
	uint64_t at = 0;

	if (len == 0)
		return;
	if (p->s == NULL || or_below(3) != 0) {
		jfact_add_data(&p->rb, type, ino, off, len, JSRC_INLINE, 0, 0,
		    bytes);
		return;
	}
	while (at < len) {
		size_t n = 1 + or_below(2000);
		struct jrec_buf rb;

		if (n > len - at)
			n = len - at;
		jrec_buf_init(&rb, rec, sizeof(rec));
		jk = jrec_begin(&rb, JREC_CHUNK, sizeof(*jk));
		jk->h.jr_op = p->op;
		jk->jk_payload = p->payloads;
		jk->jk_off = at;
		jk->jk_len = n;
		jrec_bytes(&rb, bytes + at, n);
		stream_put(p->s, rec, jrec_end(&rb));
		at += n;
	}
	jfact_add_data(&p->rb, type, ino, off, len, JSRC_CHUNKS, p->payloads++,
	    0, NULL);
}

static struct or_name *
find_name(struct oracle *or, uint64_t dir, const char *name)
{
	for (int i = 0; i < or->nnames; i++)
		if (or->n[i].dir == dir && strcmp(or->n[i].name, name) == 0)
			return &or->n[i];
	return NULL;
}

static bool
dir_empty(struct oracle *or, uint64_t dir)
{
	for (int i = 0; i < or->nnames; i++)
		if (or->n[i].dir == dir)
			return false;
	return true;
}

static bool
is_below(struct oracle *or, uint64_t dir, uint64_t top)
{
	while (dir != 1) {
		if (dir == top)
			return true;
		for (int i = 0; i < or->nnames; i++)
			if (or->n[i].ino == dir) {
				dir = or->n[i].dir;
				break;
			}
	}
	return dir == top;
}

static void
name_fact(struct oracle *or, struct op *p, uint64_t dir, const char *name,
    uint64_t ino)
{
	struct or_name *n = find_name(or, dir, name);

	jfact_add_name(&p->rb, dir, name, strlen(name), n ? n->ino : 0, ino);
	if (n != NULL && ino == 0) {
		*n = or->n[--or->nnames];
	} else if (n != NULL) {
		n->ino = ino;
	} else if (ino != 0) {
		n = &or->n[or->nnames++];
		n->dir = dir;
		n->ino = ino;
		snprintf(n->name, sizeof(n->name), "%s", name);
	}
}

/* A name of ino went: the last one ends the object. */
static void
drop_link(struct oracle *or, struct op *p, uint64_t ino)
{
	struct or_obj *o = &or->o[ino];
	struct jattr ja;

	if (--o->nlink > 0 && (o->mode & 0170000) != 0040000)
		return;
	fill_attr(or, ino, &ja);
	jfact_add_obj(&p->rb, ino, false, &ja, o->text, strlen(o->text));
	op_data(p, JFACT_OLDDATA, ino, 0, o->size, o->data);
	free(o->data);
	memset(o, 0, sizeof(*o));
}

static uint64_t
any_obj(struct oracle *or, uint32_t fmt)
{
	for (int tries = 0; tries < 50; tries++) {
		uint64_t ino = 1 + or_below(OR_MAXOBJ - 1);

		if (or->o[ino].used && (or->o[ino].mode & 0170000) == fmt)
			return ino;
	}
	return fmt == 0040000 ? 1 : 0;
}

static void
do_create(struct oracle *or, struct stream *s, uint64_t dir, const char *name)
{
	static const uint32_t fmts[] = { 0100000, 0100000, 0040000, 0120000,
	    0010000 };
	uint32_t fmt = fmts[or_below(5)];
	struct or_obj *o;
	struct jattr ja;
	struct op p;
	uint64_t ino;

	/* Numbers are used again on purpose. */
	for (ino = 2; ino < OR_MAXOBJ && or->o[ino].used; ino++)
		;
	if (ino == OR_MAXOBJ || or->nnames > OR_MAXNAME - 4)
		return;
	o = &or->o[ino];
	o->used = true;
	o->mode = fmt | (0700 + or_below(0100));
	o->nlink = 1;
	o->mtime = or_below(1000000);
	if (fmt == 0120000)
		snprintf(o->text, sizeof(o->text), "to/%llu",
		    (unsigned long long)or_below(1000));
	op_begin(&p, s, JOP_CREATE);
	fill_attr(or, ino, &ja);
	jfact_add_obj(&p.rb, ino, true, &ja, o->text, strlen(o->text));
	name_fact(or, &p, dir, name, ino);
	op_end(&p);
}

static void
do_rename(struct oracle *or, struct stream *s, uint64_t dir, const char *name)
{
	struct or_name from, *to = find_name(or, dir, name);
	uint64_t old = to ? to->ino : 0;
	struct op p;

	if (or->nnames == 0)
		return;
	from = or->n[or_below(or->nnames)];
	if (from.ino == old || or->nnames > OR_MAXNAME - 4)
		return;
	if ((or->o[from.ino].mode & 0170000) == 0040000) {
		if (is_below(or, dir, from.ino) || (old &&
		    ((or->o[old].mode & 0170000) != 0040000 ||
		    !dir_empty(or, old))))
			return;
	} else if (old && (or->o[old].mode & 0170000) == 0040000)
		return;
	op_begin(&p, s, JOP_RENAME);
	name_fact(or, &p, from.dir, from.name, 0);
	name_fact(or, &p, dir, name, from.ino);
	if (old)
		drop_link(or, &p, old);
	op_end(&p);
}

static void
do_unlink(struct oracle *or, struct stream *s)
{
	struct or_name n;
	struct op p;

	if (or->nnames == 0)
		return;
	n = or->n[or_below(or->nnames)];
	if ((or->o[n.ino].mode & 0170000) == 0040000 && !dir_empty(or, n.ino))
		return;
	op_begin(&p, s, JOP_UNLINK);
	name_fact(or, &p, n.dir, n.name, 0);
	drop_link(or, &p, n.ino);
	op_end(&p);
}

static void
do_link(struct oracle *or, struct stream *s, uint64_t dir, const char *name)
{
	uint64_t ino = any_obj(or, 0100000);
	struct op p;

	if (ino == 0 || find_name(or, dir, name) ||
	    or->nnames > OR_MAXNAME - 4)
		return;
	op_begin(&p, s, JOP_LINK);
	name_fact(or, &p, dir, name, ino);
	or->o[ino].nlink++;
	op_end(&p);
}

static void
resize(struct or_obj *o, uint64_t size)
{
	o->data = jl_grow(o->data, size + 1);
	if (size > o->size)
		memset(o->data + o->size, 0, size - o->size);
	o->size = size;
}

static void
do_write(struct oracle *or, struct stream *s)
{
	uint64_t ino = any_obj(or, 0100000), off, len, old;
	struct or_obj *o = &or->o[ino];
	struct op p;

	if (ino == 0)
		return;
	off = or_below(2) ? or_below(o->size + 1) : or_below(20000);
	len = 1 + or_below(or_below(4) ? 300 : 9000);
	old = o->size;
	op_begin(&p, s, JOP_WRITE);
	if (off < old)
		op_data(&p, JFACT_OLDDATA, ino, off, off + len < old ? len :
		    old - off, o->data + off);
	if (off + len > old) {
		resize(o, off + len);
		jfact_add_size(&p.rb, ino, old, o->size);
	}
	for (uint64_t i = 0; i < len; i++)
		o->data[off + i] = or_rand() >> 40;
	op_data(&p, JFACT_DATA, ino, off, len, o->data + off);
	op_end(&p);
}

static void
do_truncate(struct oracle *or, struct stream *s)
{
	uint64_t ino = any_obj(or, 0100000), size;
	struct or_obj *o = &or->o[ino];
	struct op p;

	if (ino == 0)
		return;
	size = or_below(2) ? or_below(o->size + 1) : or_below(20000);
	op_begin(&p, s, JOP_SETATTR);
	if (size < o->size)
		op_data(&p, JFACT_OLDDATA, ino, size, o->size - size,
		    o->data + size);
	jfact_add_size(&p.rb, ino, o->size, size);
	resize(o, size);
	op_end(&p);
}

static void
do_setattr(struct oracle *or, struct stream *s)
{
	uint64_t ino = 1 + or_below(OR_MAXOBJ - 1);
	struct jattr a, b;
	struct op p;

	if (!or->o[ino].used)
		return;
	fill_attr(or, ino, &a);
	or->o[ino].mode = (or->o[ino].mode & ~0777u) | 0700 | or_below(0100);
	or->o[ino].uid = or_below(100);
	or->o[ino].mtime = or_below(1000000);
	fill_attr(or, ino, &b);
	op_begin(&p, s, JOP_SETATTR);
	jfact_add_attr(&p.rb, ino, JA_MODE | JA_UID | JA_MTIME, &a, &b);
	op_end(&p);
}

void
oracle_step(struct oracle *or, struct stream *s)
{
	uint64_t dir = any_obj(or, 0040000);
	char name[16];

	snprintf(name, sizeof(name), "n%u", (unsigned)or_below(12));
	switch (or_below(12)) {
	case 0: case 1: case 2:
		if (find_name(or, dir, name) == NULL)
			do_create(or, s, dir, name);
		break;
	case 3: do_link(or, s, dir, name); break;
	case 4: case 5: do_unlink(or, s); break;
	case 6: do_rename(or, s, dir, name); break;
	case 7: do_truncate(or, s); break;
	case 8: do_setattr(or, s); break;
	default: do_write(or, s); break;
	}
}

void
oracle_init(struct oracle *or)
{
	memset(or, 0, sizeof(*or));
	or->o[1] = (struct or_obj){ .used = true, .mode = 0040755, .nlink = 1 };
}

/* ---- the base image ---- */

static void
base_obj(struct oracle *or, struct stream *s, uint64_t ino)
{
	const struct or_obj *o = &or->o[ino];
	struct jrec_base_obj *bo;
	uint64_t rec[64];
	struct jrec_buf rb;

	jrec_buf_init(&rb, rec, sizeof(rec));
	bo = jrec_begin(&rb, JREC_BASE_OBJ, sizeof(*bo));
	bo->bo_stamp = s->seq;
	bo->bo_textlen = strlen(o->text);
	fill_attr(or, ino, &bo->bo_attr);
	jrec_bytes(&rb, o->text, strlen(o->text));
	stream_put(s, rec, jrec_end(&rb));
}

static void
base_data(struct oracle *or, struct stream *s, uint64_t ino, uint64_t off)
{
	const struct or_obj *o = &or->o[ino];
	uint64_t rec[1024];
	struct jrec_base_data *bd;
	struct jrec_buf rb;

	if (off >= o->size)
		return;
	jrec_buf_init(&rb, rec, sizeof(rec));
	bd = jrec_begin(&rb, JREC_BASE_DATA, sizeof(*bd));
	bd->bd_stamp = s->seq;
	bd->bd_ino = ino;
	bd->bd_off = off;
	bd->bd_len = o->size - off < 4096 ? o->size - off : 4096;
	jrec_bytes(&rb, o->data + off, bd->bd_len);
	stream_put(s, rec, jrec_end(&rb));
}

/*
 * A crawl of a tree that changes meanwhile: by object and by name, each piece
 * at another moment.  What a real crawl could miss (an object renamed from
 * where it had not been to where it was already) cannot be missed here.
 */
void
oracle_base(struct oracle *or, struct stream *s, int between)
{
	struct jrec_base_begin bb = { .h = { .jr_type = JREC_BASE_BEGIN,
	    .jr_size = sizeof(bb) }, .bb_seq = s->seq,
	    .bb_method = JBM_CRAWL };
	struct jrec_base_end be = { .h = { .jr_type = JREC_BASE_END,
	    .jr_size = sizeof(be) } };

	stream_put(s, &bb, sizeof(bb));
	for (uint64_t ino = 1; ino < OR_MAXOBJ; ino++) {
		if (!or->o[ino].used)
			continue;
		base_obj(or, s, ino);
		for (uint64_t off = 0; off < or->o[ino].size; off += 4096) {
			if (between && or_below(between) == 0)
				oracle_step(or, s);
			base_data(or, s, ino, off);
		}
		for (int i = 0; i < or->nnames; i++) {
			struct jrec_base_name *bn;
			struct or_name *n = &or->n[i];
			struct jrec_buf rb;
			uint64_t rec[32];

			if (n->dir != ino)
				continue;
			jrec_buf_init(&rb, rec, sizeof(rec));
			bn = jrec_begin(&rb, JREC_BASE_NAME, sizeof(*bn));
			bn->bn_dir = n->dir;
			bn->bn_ino = n->ino;
			bn->bn_stamp = s->seq;
			bn->bn_namelen = strlen(n->name);
			jrec_bytes(&rb, n->name, strlen(n->name));
			stream_put(s, rec, jrec_end(&rb));
		}
		if (between && or_below(between) == 0)
			oracle_step(or, s);
	}
	be.be_seq = s->seq;
	stream_put(s, &be, sizeof(be));
}

/* ---- what a user sees ---- */

struct text {
	char	*buf;
	size_t	 len, cap;
};

static void __attribute__((__format__(__printf__, 2, 3)))
add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	if (t->cap - t->len < 512) {
		t->cap = t->cap * 2 + 4096;
		t->buf = jl_grow(t->buf, t->cap);
	}
	va_start(ap, fmt);
	t->len += vsnprintf(t->buf + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
}

static uint64_t
sum(const uint8_t *p, uint64_t n)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	while (n-- > 0)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h;
}

static int
by_name(const void *a, const void *b)
{
	const struct or_name *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void
dump_below(const struct oracle *or, struct text *t, uint64_t dir, int depth)
{
	const struct or_name *list[OR_MAXNAME];
	size_t n = 0;

	for (int i = 0; i < or->nnames; i++)
		if (or->n[i].dir == dir)
			list[n++] = &or->n[i];
	qsort(list, n, sizeof(list[0]), by_name);
	for (size_t i = 0; i < n; i++) {
		const struct or_obj *o = &or->o[list[i]->ino];

		add(t, "%*s%s %o %u %lld %llu %016llx %s\n", depth, "",
		    list[i]->name, o->mode, o->uid, (long long)o->mtime,
		    (unsigned long long)o->size,
		    (unsigned long long)sum(o->data, o->size), o->text);
		if ((o->mode & 0170000) == 0040000)
			dump_below(or, t, list[i]->ino, depth + 1);
	}
}

char *
oracle_dump(const struct oracle *or)
{
	struct text t = { 0 };

	add(&t, "/\n");
	dump_below(or, &t, 1, 1);
	return t.buf;
}

static int
by_jm_name(const void *a, const void *b)
{
	const struct jm_name *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void
dump_model(const struct jmodel *m, const struct jsource *src, struct text *t,
    const struct jm_obj *dir, int depth)
{
	const struct jm_name *list[OR_MAXNAME];
	size_t n = 0;

	if (depth > 300) {
		add(t, "a loop\n");
		return;
	}
	for (struct jm_name *c = dir->children; c && n < OR_MAXNAME; c =
	    c->snext)
		list[n++] = c;
	qsort(list, n, sizeof(list[0]), by_jm_name);
	for (size_t i = 0; i < n; i++) {
		const struct jm_obj *o = list[i]->obj;
		uint64_t size = o->attr.ja_size > (1 << 26) ? 0 :
		    o->attr.ja_size;
		uint8_t *data = jl_alloc(size + 1);
		bool bad = jm_read(o, src, data, size, 0) != 0;

		add(t, "%*s%s %o %u %lld %llu %016llx %s%s\n", depth, "",
		    list[i]->name, o->attr.ja_mode, o->attr.ja_uid,
		    (long long)o->attr.ja_sec[JT_MTIME],
		    (unsigned long long)o->attr.ja_size,
		    (unsigned long long)sum(data, size),
		    o->text ? o->text : "", bad ? " UNREADABLE" : "");
		free(data);
		if ((o->attr.ja_mode & 0170000) == 0040000)
			dump_model(m, src, t, o, depth + 1);
	}
}

char *
model_dump(const struct jmodel *m, const struct jsource *src)
{
	struct text t = { 0 };

	add(&t, "/\n");
	dump_model(m, src, &t, jm_find(m, m->root), 1);
	return t.buf;
}
