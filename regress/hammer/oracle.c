/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oracle of the B-Tree tests, and the random work that both get.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>

#include "../env/env.h"
#include "oracle.h"

void (*oracle_before_end)(struct oracle *, hammer_tid_t);

static const uint16_t types[] = { HAMMER_RECTYPE_INODE,
	HAMMER_RECTYPE_DATA, HAMMER_RECTYPE_DIRENTRY };

void
oracle_free(struct oracle *o)
{
	kfree(o->r, &M_TEMP);
	memset(o, 0, sizeof(*o));
}

void
oracle_copy(struct oracle *dst, const struct oracle *src)
{
	kfree(dst->r, &M_TEMP);
	*dst = *src;
	dst->r = kmalloc(sizeof(*dst->r) * (size_t)MAX(src->max, 1), &M_TEMP,
	    M_ZERO);
	if (src->n > 0)
		memcpy(dst->r, src->r, sizeof(*dst->r) * (size_t)src->n);
}

void
oracle_add(struct oracle *o, const struct oracle_rec *rec)
{
	struct oracle_rec *r;

	if (o->n == o->max) {
		o->max = MAX(64, o->max * 2);
		r = kmalloc(sizeof(*r) * (size_t)o->max, &M_TEMP, M_ZERO);
		if (o->n > 0)
			memcpy(r, o->r, sizeof(*r) * (size_t)o->n);
		kfree(o->r, &M_TEMP);
		o->r = r;
	}
	o->r[o->n++] = *rec;
}

void
oracle_remove(struct oracle *o, struct oracle_rec *r)
{
	*r = o->r[--o->n];
}

struct oracle_rec *
oracle_find(struct oracle *o, uint32_t loc, int64_t obj, uint16_t type,
    int64_t key, hammer_tid_t t)
{
	struct oracle_rec *r;
	int i;

	for (i = 0; i < o->n; i++) {
		r = &o->r[i];
		if (r->loc != loc || r->obj != obj || r->type != type ||
		    r->key != key)
			continue;
		if (t == HAMMER_MAX_TID ? r->del == 0 :
		    r->create <= t && (r->del == 0 || t < r->del))
			return r;
	}
	return NULL;
}

void
oracle_bytes(uint32_t seed, void *buf, uint32_t len)
{
	uint8_t *p = buf;
	uint32_t i, x = seed * 2654435761u + 1;

	for (i = 0; i < len; i++) {
		x = x * 1664525u + 1013904223u;
		p[i] = (uint8_t)(x >> 24);
	}
}

static uint32_t
random_len(uint16_t type, uint32_t maxlen)
{
	if (type == HAMMER_RECTYPE_INODE)
		return sizeof(struct hammer_inode_data);
	if (type == HAMMER_RECTYPE_DIRENTRY)
		return 17 + (uint32_t)env_random(60);
	return 1 + (uint32_t)env_random(env_random(4) == 0 ? maxlen :
	    MIN(maxlen, 600u));
}

static void
random_key(struct oracle_rec *k)
{
	memset(k, 0, sizeof(*k));
	k->loc = env_random(2) ? HAMMER_LOCALIZE_INODE : HAMMER_LOCALIZE_MISC;
	k->obj = 100 + (int64_t)env_random(40);
	k->type = types[env_random(3)];
	k->key = k->type == HAMMER_RECTYPE_INODE ? 0 :
	    (int64_t)env_random(60) - 5;
}

static int
change(struct hammer_trans *trans, struct oracle *o, bool nohistory,
    uint32_t maxlen)
{
	struct hammer_cursor c;
	struct hammer_leaf_elm leaf;
	struct oracle_rec k, *r;
	void *data;
	int error = 0;

	random_key(&k);
	r = oracle_find(o, k.loc, k.obj, k.type, k.key, HAMMER_MAX_TID);
	if (r != NULL && r->create == trans->tid && env_random(2) == 0)
		return 0;
	if (r != NULL) {
		hammer_cursor_init(&c, trans->hmp);
		hammer_cursor_key(&c, k.loc, k.obj, k.type, k.key);
		error = hammer_btree_lookup(&c);
		ENV_EQ(error, 0);
		if (error == 0) {
			ENV_CHECK(c.hc_leaf.base.create_tid == r->create);
			error = hammer_record_delete(trans, &c,
			    nohistory ? HAMMER_DELETE_DESTROY : 0);
			ENV_EQ(error, 0);
		}
		hammer_cursor_done(&c);
		if (error != 0)
			return error;
		if (nohistory || r->create == trans->tid)
			oracle_remove(o, r);
		else
			r->del = trans->tid;
		if (env_random(3) == 0)
			return 0;	/* else a new version at once */
	}
	k.len = random_len(k.type, maxlen);
	k.seed = (uint32_t)env_random(1u << 30);
	k.create = trans->tid;
	data = kmalloc(MAX(k.len, 1u), &M_TEMP, 0);
	oracle_bytes(k.seed, data, k.len);
	memset(&leaf, 0, sizeof(leaf));
	leaf.base.localization = k.loc;
	leaf.base.obj_id = k.obj;
	leaf.base.rec_type = k.type;
	leaf.base.key = k.key;
	error = hammer_record_insert(trans, &leaf, data, k.len);
	kfree(data, &M_TEMP);
	ENV_EQ(error, 0);
	if (error == 0)
		oracle_add(o, &k);
	return error;
}

int
oracle_trans(struct hammer_mount *hmp, struct oracle *o, hammer_tid_t tid,
    int ops, bool nohistory, uint32_t maxlen)
{
	struct hammer_trans trans;
	struct oracle before = { NULL, 0, 0 };
	bool abort = env_random(8) == 0;
	int error, i;

	error = hammer_trans_begin(hmp, &trans, HAMMER_CREDIT_DATA);
	if (error != 0)
		return error;
	trans.tid = tid;
	if (abort)
		oracle_copy(&before, o);
	for (i = 0; i < ops && error == 0; i++)
		error = change(&trans, o, nohistory, maxlen);
	if (abort) {
		kfree(o->r, &M_TEMP);
		*o = before;
	}
	if (oracle_before_end != NULL)
		oracle_before_end(o, tid);
	if (abort || error != 0)
		hammer_trans_abort(&trans);
	else
		hammer_trans_end(&trans);
	return error;
}

static int
order(const struct oracle_rec *a, const struct hammer_base_elm *e)
{
	if (a->loc != e->localization)
		return a->loc < e->localization ? -1 : 1;
	if (a->obj != e->obj_id)
		return a->obj < e->obj_id ? -1 : 1;
	if (a->type != e->rec_type)
		return a->type < e->rec_type ? -1 : 1;
	if (a->key != e->key)
		return a->key < e->key ? -1 : 1;
	if (a->create != e->create_tid)
		return a->create < e->create_tid ? -1 : 1;
	return 0;
}

/* The oracle's entry for an element that a cursor returned. */
static struct oracle_rec *
match(struct oracle *o, const struct hammer_leaf_elm *leaf)
{
	int i;

	for (i = 0; i < o->n; i++) {
		if (order(&o->r[i], &leaf->base) == 0)
			return &o->r[i];
	}
	return NULL;
}

static bool
same(struct hammer_cursor *c, struct oracle_rec *r)
{
	const void *data;
	uint32_t len;
	void *want;
	bool ok;

	if (!ENV_CHECK(r != NULL))
		return false;
	ok = ENV_CHECK(c->hc_leaf.base.delete_tid == r->del) &&
	    ENV_EQ(c->hc_leaf.data_len, r->len) &&
	    ENV_EQ(hammer_cursor_data(c, &data, &len), 0);
	if (!ok)
		return false;
	want = kmalloc(MAX(len, 1u), &M_TEMP, 0);
	oracle_bytes(r->seed, want, len);
	ok = ENV_CHECK(memcmp(want, data, len) == 0);
	kfree(want, &M_TEMP);
	return ok;
}

static void
everything(struct hammer_cursor *c, struct hammer_mount *hmp)
{
	hammer_cursor_init(c, hmp);
	hammer_cursor_key(c, HAMMER_LOCALIZE_INODE, 100, 0, HAMMER_MIN_KEY);
	c->hc_end.localization = HAMMER_LOCALIZE_MISC;
	c->hc_end.obj_id = 1000;
	c->hc_end.rec_type = HAMMER_RECTYPE_MAX;
	c->hc_end.key = HAMMER_MAX_KEY;
}

/* Visible entries at t that lie in the range of everything(). */
static int
count(struct oracle *o, hammer_tid_t t)
{
	int i, n = 0;

	for (i = 0; i < o->n; i++) {
		if (t == HAMMER_MAX_TID ? o->r[i].del == 0 :
		    o->r[i].create <= t &&
		    (o->r[i].del == 0 || t < o->r[i].del))
			n++;
	}
	return n;
}

static bool
scan(struct hammer_mount *hmp, struct oracle *o, uint32_t flags,
    hammer_tid_t t, bool up, bool data)
{
	struct hammer_cursor c;
	struct hammer_base_elm last;
	int n = 0, error;
	bool ok = true;

	everything(&c, hmp);
	c.hc_flags = flags;
	c.hc_asof = t;
	error = up ? hammer_btree_first(&c) : hammer_btree_last(&c);
	while (error == 0 && ok) {
		if (c.hc_leaf.base.obj_id == HAMMER_OBJID_ROOT) {
			/* The record of PFS 0 lies between. */
			error = up ? hammer_btree_next(&c) :
			    hammer_btree_prev(&c);
			continue;
		}
		if (n++ > 0)
			ok = ENV_CHECK(memcmp(&last, &c.hc_leaf.base,
			    sizeof(last)) != 0);
		last = c.hc_leaf.base;
		if (data)
			ok = ok && same(&c, match(o, &c.hc_leaf));
		error = up ? hammer_btree_next(&c) : hammer_btree_prev(&c);
	}
	hammer_cursor_done(&c);
	return ok && ENV_EQ(error, ENOENT) && ENV_EQ(n,
	    (flags & HAMMER_CURSOR_ALL) ? o->n :
	    count(o, (flags & HAMMER_CURSOR_ASOF) ? t : HAMMER_MAX_TID));
}

bool
oracle_compare(struct hammer_mount *hmp, struct oracle *o, int probes)
{
	struct hammer_cursor c;
	struct oracle_rec k, *r;
	hammer_tid_t t;
	bool ok;
	int i, error;

	hammer_read_begin(hmp);
	ok = scan(hmp, o, HAMMER_CURSOR_ALL, 0, true, true) &&
	    scan(hmp, o, HAMMER_CURSOR_ALL, 0, false, false) &&
	    scan(hmp, o, 0, 0, true, false) &&
	    scan(hmp, o, 0, 0, false, false);
	for (i = 0; i < probes && ok && o->n > 0; i++) {
		t = o->r[env_random((uint64_t)o->n)].create +
		    (hammer_tid_t)env_random(3) - 1;
		random_key(&k);
		hammer_cursor_init(&c, hmp);
		hammer_cursor_key(&c, k.loc, k.obj, k.type, k.key);
		c.hc_flags = HAMMER_CURSOR_ASOF;
		c.hc_asof = t;
		error = hammer_btree_lookup(&c);
		r = oracle_find(o, k.loc, k.obj, k.type, k.key, t);
		ok = ENV_EQ(error, r == NULL ? ENOENT : 0);
		if (ok && r != NULL)
			ok = ENV_CHECK(c.hc_leaf.base.create_tid ==
			    r->create) && same(&c, r);
		hammer_cursor_done(&c);
		if (ok && i % 16 == 0)
			ok = scan(hmp, o, HAMMER_CURSOR_ASOF, t, i % 32 == 0,
			    false);
	}
	hammer_read_end(hmp);
	return ok;
}
