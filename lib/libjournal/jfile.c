/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stream as checked records.
 *
 * A frame that does not check is either the torn end of the stream (the
 * machine stopped while it was written) or damage.  It is damage if anywhere
 * behind it a frame of this stream still checks; only then is it an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfs/journal/jrec.h>
#include "libjournal.h"

void *
jl_alloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (p == NULL) {
		fprintf(stderr, "journal: out of memory\n");
		exit(2);
	}
	return p;
}

void *
jl_grow(void *p, size_t bytes)
{
	p = realloc(p, bytes);
	if (p == NULL) {
		fprintf(stderr, "journal: out of memory\n");
		exit(2);
	}
	return p;
}

void
jfile_init(struct jfile *jf, const struct jsource *src)
{
	memset(jf, 0, sizeof(*jf));
	jf->src = *src;
	jf->buf = jl_alloc(JFR_MAXSIZE);
}

void
jfile_rewind(struct jfile *jf)
{
	jf->pos = jf->next = 0;
	jf->recoff = 0;
	jf->stream = jf->hash = jf->index = 0;
	jf->lastseq = jf->lastindex = 0;
	jf->insession = false;
	jf->npend = jf->ncur = 0;
	jf->torn = 0;
	jf->why[0] = '\0';
}

void
jfile_done(struct jfile *jf)
{
	free(jf->buf);
	free(jf->pend);
	free(jf->cur);
	memset(jf, 0, sizeof(*jf));
}

static enum jfile_result
bad(struct jfile *jf, uint64_t pos, const char *what)
{
	snprintf(jf->why, sizeof(jf->why), "at byte %llu (frame %llu): %s",
	    (unsigned long long)pos, (unsigned long long)jf->index, what);
	return JFILE_BAD;
}

/* Is there a good frame of this stream at pos?  It is read into buf. */
static bool
good_frame_at(struct jfile *jf, uint64_t pos)
{
	const struct jfr_head *head = (const struct jfr_head *)jf->buf;

	if (jf->src.js_size - pos < sizeof(*head) ||
	    jf->src.js_read(jf->src.js_arg, jf->buf, sizeof(*head), pos) != 0 ||
	    jframe_check_head(head) != NULL ||
	    (jf->index > 0 && head->jf_stream != jf->stream) ||
	    head->jf_size > jf->src.js_size - pos ||
	    jf->src.js_read(jf->src.js_arg, jf->buf, head->jf_size, pos) != 0)
		return false;
	return jframe_check(jf->buf) == NULL;
}

/* Look for a good frame behind a bad one. */
static bool
good_frame_behind(struct jfile *jf, uint64_t pos)
{
	enum { STEP = 64 << 10 };
	uint8_t *window = jl_alloc(STEP);
	uint64_t size = jf->src.js_size;
	uint32_t magic;
	bool found = false;

	for (pos += 8; !found && pos < size; ) {
		size_t n = size - pos < STEP ? size - pos : STEP;

		if (jf->src.js_read(jf->src.js_arg, window, n, pos) != 0)
			break;
		for (size_t i = 0; !found && i + sizeof(magic) <= n; i += 8) {
			memcpy(&magic, window + i, sizeof(magic));
			if (magic == JFR_MAGIC)
				found = good_frame_at(jf, pos + i);
		}
		pos += n;
	}
	free(window);
	return found;
}

/* The frame at jf->next does not check. */
static enum jfile_result
bad_frame(struct jfile *jf, const char *what)
{
	char text[120];

	snprintf(text, sizeof(text), "%s", what);
	if (jf->next == 0)
		return bad(jf, 0, text);
	if (good_frame_behind(jf, jf->next))
		return bad(jf, jf->next, text);
	jf->torn = jf->src.js_size - jf->next;
	return JFILE_END;
}

static enum jfile_result
next_frame(struct jfile *jf)
{
	const struct jfr_head *head = (const struct jfr_head *)jf->buf;
	uint64_t left = jf->src.js_size - jf->next;
	const char *why;

	if (left == 0 && jf->next > 0)
		return JFILE_END;
	if (left < sizeof(*head))
		return bad_frame(jf, jf->next ? "a frame that is cut off" :
		    "the file is too short to be a journal");
	if (jf->src.js_read(jf->src.js_arg, jf->buf, sizeof(*head), jf->next))
		return bad(jf, jf->next, "read error");
	why = jframe_check_head(head);
	if (why != NULL)
		return bad_frame(jf, why);
	if (head->jf_size > left)
		return bad_frame(jf, "a frame that is cut off");
	if (jf->src.js_read(jf->src.js_arg, jf->buf, head->jf_size, jf->next))
		return bad(jf, jf->next, "read error");
	why = jframe_check(jf->buf);
	if (why != NULL)
		return bad_frame(jf, why);
	if (jf->index == 0) {
		jf->stream = head->jf_stream;
		jf->hash = jf->stream;
	}
	if (head->jf_stream != jf->stream)
		return bad(jf, jf->next, "a frame of another stream");
	if (head->jf_index != jf->index)
		return bad(jf, jf->next, head->jf_index > jf->index ?
		    "frames are missing before this one" :
		    "a frame that was here before: repeated or reordered");
	if (head->jf_prev != jf->hash)
		return bad(jf, jf->next,
		    "the hash chain is broken: a frame was exchanged");
	jf->hash = head->jf_hash;
	jf->index++;
	jf->pos = jf->next;
	jf->next += head->jf_size;
	jf->recoff = sizeof(*head);
	return JFILE_ITEM;
}

static void
ref_append(struct jref **list, size_t *n, size_t *cap, const struct jref *ref)
{
	if (*n == *cap) {
		*cap = *cap ? *cap * 2 : 64;
		*list = jl_grow(*list, *cap * sizeof(**list));
	}
	(*list)[(*n)++] = *ref;
}

/* Take the chunks of this operation off the waiting list. */
static void
collect_chunks(struct jfile *jf, uint64_t op)
{
	size_t kept = 0;

	jf->ncur = 0;
	for (size_t i = 0; i < jf->npend; i++) {
		if (jf->pend[i].op == op)
			ref_append(&jf->cur, &jf->ncur, &jf->curcap,
			    &jf->pend[i]);
		else
			jf->pend[kept++] = jf->pend[i];
	}
	jf->npend = kept;
}

/* Every payload that a fact names must be there, whole and in order. */
static const char *
check_payloads(const struct jfile *jf, const struct jrec_commit *jc)
{
	for (const struct jfact *x = NULL; (x = jfact_next(jc, x)) != NULL; ) {
		const struct jfact_data *xd = (const struct jfact_data *)x;
		uint64_t have = 0;

		if ((x->jx_type != JFACT_DATA && x->jx_type != JFACT_OLDDATA) ||
		    xd->xd_src != JSRC_CHUNKS)
			continue;
		for (size_t i = 0; i < jf->ncur; i++) {
			if (jf->cur[i].payload != xd->xd_payload)
				continue;
			if (jf->cur[i].off != have)
				return "a payload with a hole in it";
			have += jf->cur[i].len;
		}
		if (have != xd->xd_len)
			return "a payload that is not whole";
	}
	return NULL;
}

static enum jfile_result
see_commit(struct jfile *jf, const struct jrec_commit *jc, uint64_t pos)
{
	const char *why;

	if (!jf->insession)
		return bad(jf, pos, "an operation outside of a session");
	if (jc->jc_index != jf->lastindex + 1)
		return bad(jf, pos, "operations are missing: the count jumps");
	if (jc->jc_prev != jf->lastseq)
		return bad(jf, pos, "operations are missing: the number before "
		    "this one is not the last one here");
	jf->lastindex = jc->jc_index;
	jf->lastseq = jc->jc_seq;
	collect_chunks(jf, jc->h.jr_op);
	why = check_payloads(jf, jc);
	return why ? bad(jf, pos, why) : JFILE_ITEM;
}

static enum jfile_result
see_attach(struct jfile *jf, const struct jrec_attach *jt, uint64_t pos)
{
	if (jf->insession && (jt->jt_flags & JAF_CONTINUE))
		return bad(jf, pos, "a session that goes on from one that did "
		    "not end");
	if (!(jt->jt_flags & JAF_CONTINUE))
		jf->lastseq = 0;
	else if (jf->lastindex == 0 && jf->index <= 1)
		return bad(jf, pos, "a session that goes on from nothing");
	jf->insession = true;
	jf->npend = 0;
	return JFILE_ITEM;
}

enum jfile_result
jfile_next(struct jfile *jf, struct jitem *it)
{
	const struct jfr_head *head = (const struct jfr_head *)jf->buf;
	const struct jrec_chunk *jk;
	enum jfile_result r = JFILE_ITEM;
	struct jref ref;

	if (jf->recoff == 0 || jf->recoff == head->jf_size) {
		r = next_frame(jf);
		if (r != JFILE_ITEM) {
			jf->recoff = 0;
			return r;
		}
	}
	it->rec = (const struct jrec_head *)(jf->buf + jf->recoff);
	it->pos = jf->pos + jf->recoff;
	it->frame = jf->index - 1;
	it->refs = NULL;
	it->nrefs = 0;
	jf->recoff += it->rec->jr_size;
	if (jf->index == 1 && it->pos == sizeof(*head) &&
	    it->rec->jr_type != JREC_ATTACH)
		return bad(jf, it->pos, "the stream does not begin with an "
		    "attach record");
	switch (it->rec->jr_type) {
	case JREC_ATTACH:
		r = see_attach(jf, (const void *)it->rec, it->pos);
		break;
	case JREC_DETACH:
		jf->insession = false;
		break;
	case JREC_CHUNK:
		jk = (const void *)it->rec;
		ref = (struct jref){ .op = jk->h.jr_op, .len = jk->jk_len,
		    .payload = jk->jk_payload, .off = jk->jk_off,
		    .pos = it->pos + sizeof(*jk) };
		ref_append(&jf->pend, &jf->npend, &jf->pendcap, &ref);
		break;
	case JREC_COMMIT:
		r = see_commit(jf, (const void *)it->rec, it->pos);
		it->refs = jf->cur;
		it->nrefs = jf->ncur;
		break;
	}
	return r;
}
