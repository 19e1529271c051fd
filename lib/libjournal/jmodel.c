/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A filesystem tree in memory, moved forward and backward by commits.
 *
 * Objects are found by id, names by (directory, name).  Facts are applied as
 * facts: "after" is set whatever was there (J3), and a "before" that differs
 * is an alarm, once the model is strict.
 *
 * M1  A name entry exists only while it names an object.
 * M2  An object that nothing names stays: it may be open, or be named again.
 * M3  No extent lies behind the size of its object.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfs/journal/jrec.h>
#include "libjournal.h"

static uint64_t
mix(uint64_t x)
{
	x ^= x >> 32;
	x *= 0x9e3779b97f4a7c15ULL;
	return x ^ x >> 29;
}

static uint64_t
name_hash(uint64_t dir, const char *name, size_t len)
{
	uint64_t h = mix(dir);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * 0x100000001b3ULL;
	return mix(h);
}

void
jm_init(struct jmodel *m, uint64_t root)
{
	memset(m, 0, sizeof(*m));
	m->objcap = m->namecap = 256;
	m->objs = jl_alloc(m->objcap * sizeof(*m->objs));
	m->names = jl_alloc(m->namecap * sizeof(*m->names));
	m->root = root;
	if (root != 0)
		jm_get(m, root)->attr.ja_mode = 0040755;
}

void
jm_done(struct jmodel *m)
{
	for (size_t i = 0; i < m->namecap && m->names; i++)
		for (struct jm_name *n = m->names[i], *next; n; n = next) {
			next = n->hnext;
			free(n);
		}
	for (size_t i = 0; i < m->objcap && m->objs; i++)
		for (struct jm_obj *o = m->objs[i], *next; o; o = next) {
			next = o->hnext;
			free(o->text);
			free(o->refpath);
			jm_ex_free(&o->ex);
			free(o);
		}
	free(m->names);
	free(m->objs);
	memset(m, 0, sizeof(*m));
}

struct jm_obj *
jm_find(const struct jmodel *m, uint64_t ino)
{
	struct jm_obj *o;

	for (o = m->objs[mix(ino) & (m->objcap - 1)]; o; o = o->hnext)
		if (o->ino == ino)
			return o;
	return NULL;
}

struct jm_obj *
jm_get(struct jmodel *m, uint64_t ino)
{
	struct jm_obj *o = jm_find(m, ino), **slot;

	if (o != NULL)
		return o;
	if (m->nobjs >= m->objcap) {
		size_t cap = m->objcap * 2;
		struct jm_obj **objs = jl_alloc(cap * sizeof(*objs));

		for (size_t i = 0; i < m->objcap; i++)
			while ((o = m->objs[i]) != NULL) {
				m->objs[i] = o->hnext;
				slot = &objs[mix(o->ino) & (cap - 1)];
				o->hnext = *slot;
				*slot = o;
			}
		free(m->objs);
		m->objs = objs;
		m->objcap = cap;
	}
	o = jl_alloc(sizeof(*o));
	o->ino = o->attr.ja_ino = ino;
	slot = &m->objs[mix(ino) & (m->objcap - 1)];
	o->hnext = *slot;
	*slot = o;
	m->nobjs++;
	return o;
}

static struct jm_name **
name_slot(const struct jmodel *m, uint64_t dir, const char *name, size_t len)
{
	struct jm_name **np;

	np = &m->names[name_hash(dir, name, len) & (m->namecap - 1)];
	for (; *np != NULL; np = &(*np)->hnext)
		if ((*np)->dir->ino == dir && (*np)->len == len &&
		    memcmp((*np)->name, name, len) == 0)
			break;
	return np;
}

struct jm_name *
jm_lookup(const struct jmodel *m, const struct jm_obj *dir, const char *name,
    size_t len)
{
	return dir ? *name_slot(m, dir->ino, name, len) : NULL;
}

static void
names_grow(struct jmodel *m)
{
	size_t cap = m->namecap * 2;
	struct jm_name **names = jl_alloc(cap * sizeof(*names)), *n, **slot;

	for (size_t i = 0; i < m->namecap; i++)
		while ((n = m->names[i]) != NULL) {
			m->names[i] = n->hnext;
			slot = &names[name_hash(n->dir->ino, n->name, n->len) &
			    (cap - 1)];
			n->hnext = *slot;
			*slot = n;
		}
	free(m->names);
	m->names = names;
	m->namecap = cap;
}

static void
link_obj(struct jm_name *n, struct jm_obj *obj)
{
	n->obj = obj;
	n->lnext = obj->links;
	n->lprev = &obj->links;
	if (n->lnext != NULL)
		n->lnext->lprev = &n->lnext;
	obj->links = n;
}

static void
unlink_obj(struct jm_name *n)
{
	*n->lprev = n->lnext;
	if (n->lnext != NULL)
		n->lnext->lprev = n->lprev;
}

void
jm_set_name(struct jmodel *m, struct jm_obj *dir, const char *name, size_t len,
    struct jm_obj *obj)
{
	struct jm_name **np = name_slot(m, dir->ino, name, len), *n = *np;

	if (n == NULL && obj == NULL)
		return;
	if (n != NULL) {
		unlink_obj(n);
		if (obj != NULL) {
			link_obj(n, obj);
			return;
		}
		*np = n->hnext;
		*n->sprev = n->snext;
		if (n->snext != NULL)
			n->snext->sprev = n->sprev;
		free(n);
		m->nnames--;
		return;
	}
	if (m->nnames >= m->namecap) {
		names_grow(m);
		np = name_slot(m, dir->ino, name, len);
	}
	n = jl_alloc(sizeof(*n) + len + 1);
	memcpy(n->name, name, len);
	n->len = len;
	n->dir = dir;
	*np = n;
	n->snext = dir->children;
	n->sprev = &dir->children;
	if (n->snext != NULL)
		n->snext->sprev = &n->snext;
	dir->children = n;
	link_obj(n, obj);
	m->nnames++;
}

void
jm_set_size(struct jm_obj *o, uint64_t size)
{
	if (size < o->attr.ja_size)
		jm_ex_clear(&o->ex, size, INT64_MAX - size);
	o->attr.ja_size = size;
	o->dirty = true;
}

void
jm_set_text(struct jm_obj *o, const char *text, size_t len)
{
	free(o->text);
	o->text = NULL;
	if (len > 0) {
		o->text = jl_alloc(len + 1);
		memcpy(o->text, text, len);
	}
}

size_t
jm_path(const struct jmodel *m, const struct jm_obj *o, char *buf, size_t size)
{
	const struct jm_name *chain[256];
	size_t n = 0, len = 0;
	const char *head = "";

	for (; o != NULL && o->ino != m->root; o = chain[n++]->dir) {
		if (o->links == NULL || n == 256) {
			head = "?";
			break;
		}
		chain[n] = o->links;
	}
	len = snprintf(buf, size, "%s%s", head, n == 0 && !*head ? "/" : "");
	while (n-- > 0 && len < size)
		len += snprintf(buf + len, size - len, "/%s", chain[n]->name);
	return len < size ? len : size - 1;
}

/* ---- records ---- */

static void
alarm_at(struct jmodel *m, uint64_t seq, const char *what, uint64_t ino,
    uint64_t want, uint64_t have)
{
	char text[200];

	if (!m->strict)
		return;
	m->alarms++;
	if (m->alarm == NULL)
		return;
	snprintf(text, sizeof(text), "%s of object %llu: the record says %llu "
	    "before, the state says %llu", what, (unsigned long long)ino,
	    (unsigned long long)want, (unsigned long long)have);
	m->alarm(m->alarm_arg, seq, text);
}

void
jm_base(struct jmodel *m, const struct jitem *it)
{
	const struct jrec_base_obj *bo = (const void *)it->rec;
	const struct jrec_base_name *bn = (const void *)it->rec;
	const struct jrec_base_data *bd = (const void *)it->rec;
	struct jm_obj *o;
	uint64_t len;

	switch (it->rec->jr_type) {
	case JREC_BASE_OBJ:
		o = jm_get(m, bo->bo_attr.ja_ino);
		o->attr = bo->bo_attr;
		jm_ex_clear(&o->ex, o->attr.ja_size,
		    INT64_MAX - o->attr.ja_size);
		o->known = true;
		jm_set_text(o, (const char *)(bo + 1), bo->bo_textlen);
		break;
	case JREC_BASE_NAME:
		jm_set_name(m, jm_get(m, bn->bn_dir), (const char *)(bn + 1),
		    bn->bn_namelen, jm_get(m, bn->bn_ino));
		break;
	case JREC_BASE_DATA:
		/* What is behind the size was written after the size was
		 * looked at: the commit that wrote it comes too. */
		o = jm_get(m, bd->bd_ino);
		len = bd->bd_len;
		if (o->known && bd->bd_off + len > o->attr.ja_size)
			len = bd->bd_off < o->attr.ja_size ?
			    o->attr.ja_size - bd->bd_off : 0;
		jm_ex_set(&o->ex, bd->bd_off, len, JM_STREAM,
		    it->pos + sizeof(*bd));
		break;
	}
}

/* Set the fields of mask. */
static void
merge_attr(struct jm_obj *o, const struct jattr *from, uint32_t mask)
{
	struct jattr *to = &o->attr;

	if (mask & JA_MODE)
		to->ja_mode = from->ja_mode;
	if (mask & JA_UID)
		to->ja_uid = from->ja_uid;
	if (mask & JA_GID)
		to->ja_gid = from->ja_gid;
	if (mask & JA_FLAGS)
		to->ja_flags = from->ja_flags;
	if (mask & JA_RDEV)
		to->ja_rdev = from->ja_rdev;
	for (int i = 0; i < 3; i++)
		if (mask & (JA_ATIME << i)) {
			to->ja_sec[i] = from->ja_sec[i];
			to->ja_nsec[i] = from->ja_nsec[i];
		}
	o->dirty = true;
}

static void
set_obj(struct jmodel *m, uint64_t ino, const struct jfact_obj *xo)
{
	struct jm_obj *o = jm_get(m, ino);

	jm_ex_free(&o->ex);
	o->attr = xo->xo_attr;
	o->attr.ja_ino = ino;
	o->known = true;
	o->dirty = true;
	jm_set_text(o, (const char *)(xo + 1), xo->xo_textlen);
}

/* The hint of the operation that ended an object: the name that went, which is
 * the second one of a rename. */
static void
keep_refpath(struct jm_obj *o, const struct jitem *it)
{
	const struct jrec_commit *jc = (const void *)it->rec;

	for (const struct jfact *x = NULL; (x = jfact_next(jc, x)) != NULL; ) {
		const struct jfact_path *xp = (const void *)x;

		if (x->jx_type != JFACT_PATH)
			continue;
		free(o->refpath);
		o->refpath = jl_alloc(xp->xp_len + 1);
		memcpy(o->refpath, xp + 1, xp->xp_len);
	}
}

/* Lay the bytes of a data fact over the object. */
static void
set_data(struct jmodel *m, const struct jitem *it, const struct jfact_data *xd)
{
	struct jm_obj *o = jm_get(m, xd->xd_ino);
	uint64_t off = xd->xd_off, len = xd->xd_len;

	o->dirty = true;
	switch (xd->xd_src) {
	case JSRC_INLINE:
		jm_ex_set(&o->ex, off, len, JM_STREAM, it->pos +
		    ((const uint8_t *)(xd + 1) - (const uint8_t *)it->rec));
		break;
	case JSRC_CHUNKS:
		for (size_t i = 0; i < it->nrefs; i++)
			if (it->refs[i].payload == xd->xd_payload)
				jm_ex_set(&o->ex, off + it->refs[i].off,
				    it->refs[i].len, JM_STREAM,
				    it->refs[i].pos);
		break;
	case JSRC_ZERO:
		jm_ex_clear(&o->ex, off, len);
		break;
	case JSRC_REF:
		jm_ex_set(&o->ex, off, len, JM_REF, xd->xd_ref);
		keep_refpath(o, it);
		break;
	default:
		jm_ex_set(&o->ex, off, len, JM_LOST, 0);
		m->lost++;
		break;
	}
	if (off + len > o->attr.ja_size)
		o->attr.ja_size = off + len;
}

static void
redo_fact(struct jmodel *m, const struct jitem *it, uint64_t seq,
    const struct jfact *x)
{
	const struct jfact_name *xn = (const void *)x;
	const struct jfact_obj *xo = (const void *)x;
	const struct jfact_attr *xa = (const void *)x;
	const struct jfact_size *xs = (const void *)x;
	struct jm_obj *o;
	struct jm_name *n;
	const char *name;
	uint64_t have;

	switch (x->jx_type) {
	case JFACT_NAME:
		o = jm_get(m, xn->xn_dir);
		name = (const char *)(xn + 1);
		n = jm_lookup(m, o, name, xn->xn_namelen);
		have = n ? n->obj->ino : 0;
		if (have != xn->xn_old)
			alarm_at(m, seq, "a name", xn->xn_dir, xn->xn_old,
			    have);
		jm_set_name(m, o, name, xn->xn_namelen,
		    xn->xn_new ? jm_get(m, xn->xn_new) : NULL);
		break;
	case JFACT_OBJ:
		/* One that lost its last name may still be open and change;
		 * its number comes again with a new OBJ fact. */
		if (xo->xo_after)
			set_obj(m, xo->xo_ino, xo);
		break;
	case JFACT_ATTR:
		o = jm_get(m, xa->xa_ino);
		if (o->known && (xa->xa_mask & JA_MODE) &&
		    o->attr.ja_mode != xa->xa_old.ja_mode)
			alarm_at(m, seq, "the mode", o->ino,
			    xa->xa_old.ja_mode, o->attr.ja_mode);
		merge_attr(o, &xa->xa_new, xa->xa_mask);
		break;
	case JFACT_SIZE:
		o = jm_get(m, xs->xs_ino);
		if (o->known && o->attr.ja_size != xs->xs_old)
			alarm_at(m, seq, "the size", o->ino, xs->xs_old,
			    o->attr.ja_size);
		jm_set_size(o, xs->xs_new);
		break;
	case JFACT_DATA:
		set_data(m, it, (const void *)x);
		break;
	}
}

void
jm_redo(struct jmodel *m, const struct jitem *it)
{
	const struct jrec_commit *jc = (const void *)it->rec;

	/* Sizes first: a write that grew the file has its data inside. */
	for (const struct jfact *x = NULL; (x = jfact_next(jc, x)) != NULL; )
		if (x->jx_type != JFACT_DATA)
			redo_fact(m, it, jc->jc_seq, x);
	for (const struct jfact *x = NULL; (x = jfact_next(jc, x)) != NULL; )
		if (x->jx_type == JFACT_DATA)
			redo_fact(m, it, jc->jc_seq, x);
}

static void
undo_fact(struct jmodel *m, uint64_t seq, const struct jfact *x)
{
	const struct jfact_name *xn = (const void *)x;
	const struct jfact_obj *xo = (const void *)x;
	const struct jfact_attr *xa = (const void *)x;
	const struct jfact_size *xs = (const void *)x;
	struct jm_obj *o;
	struct jm_name *n;
	const char *name;
	uint64_t have;

	switch (x->jx_type) {
	case JFACT_NAME:
		o = jm_get(m, xn->xn_dir);
		name = (const char *)(xn + 1);
		n = jm_lookup(m, o, name, xn->xn_namelen);
		have = n ? n->obj->ino : 0;
		if (have != xn->xn_new)
			alarm_at(m, seq, "undoing a name", xn->xn_dir,
			    xn->xn_new, have);
		jm_set_name(m, o, name, xn->xn_namelen,
		    xn->xn_old ? jm_get(m, xn->xn_old) : NULL);
		break;
	case JFACT_OBJ:
		if (xo->xo_after)
			jm_get(m, xo->xo_ino)->known = false;
		else
			set_obj(m, xo->xo_ino, xo);
		break;
	case JFACT_ATTR:
		o = jm_get(m, xa->xa_ino);
		merge_attr(o, &xa->xa_old, xa->xa_mask);
		break;
	case JFACT_SIZE:
		o = jm_get(m, xs->xs_ino);
		if (o->known && o->attr.ja_size != xs->xs_new)
			alarm_at(m, seq, "undoing the size", o->ino,
			    xs->xs_new, o->attr.ja_size);
		jm_set_size(o, xs->xs_old);
		break;
	}
}

void
jm_undo(struct jmodel *m, const struct jitem *it)
{
	const struct jrec_commit *jc = (const void *)it->rec;
	const struct jfact **list = jl_alloc((jc->jc_nfacts + 1) *
	    sizeof(*list));
	size_t n = 0;

	for (const struct jfact *x = NULL; (x = jfact_next(jc, x)) != NULL; )
		list[n++] = x;
	while (n-- > 0)
		undo_fact(m, jc->jc_seq, list[n]);
	/* Old bytes go over the sizes as they were. */
	for (const struct jfact *x = NULL; (x = jfact_next(jc, x)) != NULL; )
		if (x->jx_type == JFACT_OLDDATA)
			set_data(m, it, (const void *)x);
	free(list);
}
