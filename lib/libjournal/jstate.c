/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state at a moment: which base image, which commits.
 *
 * A base image is taken while the tree changes, so its pieces are of
 * different moments.  That does no harm: every fact is absolute, so a cell
 * (a name, a field, a byte) that any commit of the session touched gets the
 * value of the last one, and a cell that none touched is the same in every
 * moment of the image.  Hence: the whole image first, then every commit from
 * the attachment on, in order; right from be_seq on (J6).
 *
 * A session that continues another shares its base image.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libjournal.h"

/* A base image and the commits that belong to it. */
struct epoch {
	uint64_t frompos;		/* of its ATTACH */
	uint64_t endpos;		/* of the next epoch's, or the end */
	uint64_t root;
	bool	 whole;			/* BASE_END was seen */
	uint64_t be_seq;
	uint64_t last;			/* largest number known to be covered */
	uint64_t firstindex, lastindex;
	uint64_t gap;			/* position of the first gap, or 0 */
	uint64_t firstwall, lastwall;
	bool	 any;
};

static int
fail(struct jstate_info *info, const char *what)
{
	snprintf(info->why, sizeof(info->why), "%s", what);
	return -1;
}

/* First pass: what is in the stream? */
static int
survey(struct jfile *jf, struct epoch **list, size_t *n,
    struct jstate_info *info)
{
	struct epoch *ep = NULL;
	enum jfile_result r;
	struct jitem it;

	*list = NULL;
	*n = 0;
	jfile_rewind(jf);
	while ((r = jfile_next(jf, &it)) == JFILE_ITEM) {
		const struct jrec_attach *jt = (const void *)it.rec;
		const struct jrec_commit *jc = (const void *)it.rec;
		const struct jrec_base_end *be = (const void *)it.rec;
		const struct jrec_detach *jd = (const void *)it.rec;

		switch (it.rec->jr_type) {
		case JREC_ATTACH:
			info->detached = false;
			if ((jt->jt_flags & JAF_CONTINUE) && ep != NULL)
				break;
			if (ep != NULL)
				ep->endpos = it.pos;
			*list = jl_grow(*list, (*n + 1) * sizeof(**list));
			ep = &(*list)[(*n)++];
			memset(ep, 0, sizeof(*ep));
			ep->frompos = it.pos;
			ep->root = jt->jt_root;
			break;
		case JREC_BASE_END:
			if (ep == NULL)
				break;
			ep->whole = true;
			ep->be_seq = be->be_seq;
			if (be->be_seq > ep->last)
				ep->last = be->be_seq;
			break;
		case JREC_COMMIT:
			if (ep == NULL)
				break;
			if (!ep->any) {
				ep->firstindex = jc->jc_index;
				ep->firstwall = jc->jc_wall;
			}
			ep->any = true;
			ep->lastindex = jc->jc_index;
			ep->lastwall = jc->jc_wall;
			if (jc->jc_seq > ep->last)
				ep->last = jc->jc_seq;
			break;
		case JREC_GAP:
			if (ep != NULL && ep->gap == 0)
				ep->gap = it.pos;
			break;
		case JREC_DETACH:
			info->detached = jd->jd_why != JDW_GAP;
			if (ep != NULL && jd->jd_mntseq > ep->last)
				ep->last = jd->jd_mntseq;
			break;
		}
	}
	info->torn = jf->torn;
	if (ep != NULL)
		ep->endpos = jf->next;
	if (r == JFILE_BAD)
		return fail(info, jf->why);
	if (*n == 0)
		return fail(info, "no attach record: nothing to restore");
	return 0;
}

/* Is the commit before the target?  wall is the running maximum. */
static bool
wanted(const struct jtarget *t, const struct jrec_commit *jc, uint64_t wall,
    bool *stop)
{
	if (t->has_seq && (t->before ? jc->jc_seq >= t->seq :
	    jc->jc_seq > t->seq))
		return false;
	if ((t->has_index && (t->before ? jc->jc_index >= t->index :
	    jc->jc_index > t->index)) || (t->has_time && wall > t->time)) {
		*stop = true;
		return false;
	}
	return true;
}

/* The epoch that the target lies in: the last that begins before it. */
static struct epoch *
choose(const struct jtarget *t, struct epoch *list, size_t n)
{
	struct epoch *ep = &list[n - 1];

	for (size_t i = n; i-- > 0; ) {
		ep = &list[i];
		if (!ep->whole && i > 0)
			continue;
		if ((t->has_seq && t->seq < ep->be_seq) ||
		    (t->has_index && ep->any && t->index < ep->firstindex) ||
		    (t->has_time && t->time < ep->firstwall))
			continue;
		break;
	}
	return ep;
}

static int
check_range(const struct jtarget *t, const struct epoch *ep,
    struct jstate_info *info)
{
	info->first = ep->be_seq;
	info->last = ep->last;
	if (!ep->whole)
		return fail(info, "the base image was not finished when the "
		    "journal ended: there is no complete state to restore");
	if (t->has_seq && t->seq < ep->be_seq) {
		snprintf(info->why, sizeof(info->why), "number %#llx is before "
		    "the first state of this journal, %#llx",
		    (unsigned long long)t->seq,
		    (unsigned long long)ep->be_seq);
		return -1;
	}
	if (t->has_seq && t->seq > ep->last) {
		snprintf(info->why, sizeof(info->why), "number %#llx is after "
		    "the last operation of this journal, %#llx",
		    (unsigned long long)t->seq, (unsigned long long)ep->last);
		return -1;
	}
	if (t->has_index && (!ep->any || t->index > ep->lastindex))
		return fail(info, "the journal has fewer operations than that");
	return 0;
}

int
jstate_build(struct jfile *jf, const struct jtarget *t, struct jmodel *m,
    struct jstate_info *info,
    void (*alarm)(void *, uint64_t, const char *), void *arg)
{
	struct epoch *list, ep;
	enum jfile_result r;
	struct jitem it;
	uint64_t wall = 0;
	bool stop = false;
	size_t n;

	memset(info, 0, sizeof(*info));
	memset(m, 0, sizeof(*m));
	if (survey(jf, &list, &n, info) != 0) {
		free(list);
		jm_init(m, 1);
		return -1;
	}
	ep = *choose(t, list, n);
	free(list);
	jm_init(m, ep.root);
	m->alarm = alarm;
	m->alarm_arg = arg;
	if (check_range(t, &ep, info) != 0)
		return -1;

	jfile_rewind(jf);
	while ((r = jfile_next(jf, &it)) == JFILE_ITEM && it.pos < ep.endpos)
		if (it.pos >= ep.frompos && it.rec->jr_type >= JREC_BASE_BEGIN)
			jm_base(m, &it);
	jfile_rewind(jf);
	while ((r = jfile_next(jf, &it)) == JFILE_ITEM && it.pos < ep.endpos) {
		const struct jrec_commit *jc = (const void *)it.rec;

		if (it.pos < ep.frompos)
			continue;
		if (it.rec->jr_type == JREC_GAP && !t->past_gap && !stop)
			return fail(info, "operations are missing in this "
			    "journal before that state (a recorded gap)");
		if (it.rec->jr_type != JREC_COMMIT)
			continue;
		if (jc->jc_wall > wall)
			wall = jc->jc_wall;
		if (stop || !wanted(t, jc, wall, &stop)) {
			if (jc->jc_seq > ep.be_seq)
				continue;
			return fail(info, "that is before the first complete "
			    "state of this journal: the base image was still "
			    "being taken");
		}
		m->strict = jc->jc_seq > ep.be_seq;
		jm_redo(m, &it);
		info->applied++;
		info->lastapplied = jc->jc_seq;
	}
	return 0;
}

struct undo_at {
	uint64_t pos;			/* of the record */
	uint32_t size;
	size_t	 ref, nrefs;
};

int
jstate_undo(struct jfile *jf, const struct jtarget *t, struct jmodel *m,
    struct jstate_info *info)
{
	struct undo_at *list = NULL;
	struct jref *refs = NULL;
	struct epoch *eps, ep;
	size_t n = 0, cap = 0, nrefs = 0, neps;
	enum jfile_result r;
	struct jitem it;
	uint64_t wall = 0;
	bool stop = false;
	int error = 0;
	void *rec;

	memset(info, 0, sizeof(*info));
	if (survey(jf, &eps, &neps, info) != 0) {
		free(eps);
		return -1;
	}
	ep = eps[neps - 1];
	free(eps);
	info->first = ep.be_seq;
	info->last = ep.last;
	if (m->root != ep.root) {
		snprintf(info->why, sizeof(info->why), "this directory is not "
		    "the root of the journalled mount (it is object %llu, the "
		    "root was %llu)", (unsigned long long)m->root,
		    (unsigned long long)ep.root);
		return -1;
	}
	jfile_rewind(jf);
	while ((r = jfile_next(jf, &it)) == JFILE_ITEM) {
		const struct jrec_commit *jc = (const void *)it.rec;

		if (it.pos < ep.frompos || it.rec->jr_type != JREC_COMMIT)
			continue;
		if (jc->jc_wall > wall)
			wall = jc->jc_wall;
		if (!stop && wanted(t, jc, wall, &stop))
			continue;
		if (n == cap) {
			cap = cap ? cap * 2 : 256;
			list = jl_grow(list, cap * sizeof(*list));
		}
		list[n++] = (struct undo_at){ it.pos, it.rec->jr_size, nrefs,
		    it.nrefs };
		if (it.nrefs > 0) {
			refs = jl_grow(refs, (nrefs + it.nrefs) *
			    sizeof(*refs));
			memcpy(refs + nrefs, it.refs, it.nrefs * sizeof(*refs));
			nrefs += it.nrefs;
		}
	}
	rec = jl_alloc(JREC_MAXSIZE);
	m->strict = true;
	while (n-- > 0 && error == 0) {
		if (jf->src.js_read(jf->src.js_arg, rec, list[n].size,
		    list[n].pos) != 0) {
			error = fail(info, "read error");
			break;
		}
		it = (struct jitem){ .rec = rec, .pos = list[n].pos,
		    .refs = refs + list[n].ref, .nrefs = list[n].nrefs };
		jm_undo(m, &it);
		info->applied++;
		info->lastapplied = ((struct jrec_commit *)rec)->jc_seq;
	}
	free(rec);
	free(list);
	free(refs);
	return error;
}
