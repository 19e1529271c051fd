/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Journal records: how they are built and what a well formed one is.
 *
 * Checking is strict, because a stream may come from anywhere: every length
 * is compared with the room that is left before it is used, and a name that
 * could lead out of a directory ("..", or one with a slash) is refused here,
 * once for all readers.
 */
#include "jhash.h"
#include "jrec.h"

static size_t
pad8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

void
jrec_buf_init(struct jrec_buf *rb, void *data, size_t size)
{
	rb->rb_data = data;
	rb->rb_size = size & ~(size_t)7;
	rb->rb_len = 0;
	rb->rb_nfacts = 0;
	rb->rb_full = false;
}

/* Room for n more bytes, zeroed only in the padding. */
static void *
take(struct jrec_buf *rb, size_t n)
{
	size_t padded = pad8(n);
	uint8_t *p = rb->rb_data + rb->rb_len;

	if (rb->rb_full || padded < n || padded > rb->rb_size - rb->rb_len) {
		rb->rb_full = true;
		return NULL;
	}
	if (padded > n)
		__builtin_memset(p + n, 0, padded - n);
	rb->rb_len += padded;
	return p;
}

static void *
take_fact(struct jrec_buf *rb, enum jfact_type type, size_t fixed,
    size_t bytes)
{
	struct jfact *x = take(rb, fixed + bytes);

	if (x == NULL)
		return NULL;
	__builtin_memset(x, 0, fixed);
	x->jx_type = type;
	x->jx_size = pad8(fixed + bytes);
	rb->rb_nfacts++;
	return x;
}

void *
jrec_begin(struct jrec_buf *rb, enum jrec_type type, size_t fixed)
{
	struct jrec_head *h = take(rb, fixed);

	if (h == NULL)
		return NULL;
	__builtin_memset(h, 0, fixed);
	h->jr_type = type;
	return h;
}

void
jrec_bytes(struct jrec_buf *rb, const void *bytes, size_t len)
{
	void *p = take(rb, len);

	if (p != NULL && len > 0)
		__builtin_memcpy(p, bytes, len);
}

size_t
jrec_end(struct jrec_buf *rb)
{
	struct jrec_head *h = (struct jrec_head *)rb->rb_data;

	if (rb->rb_full)
		return 0;
	h->jr_size = rb->rb_len;
	if (h->jr_type == JREC_COMMIT)
		((struct jrec_commit *)h)->jc_nfacts = rb->rb_nfacts;
	return rb->rb_len;
}

void
jfact_add_name(struct jrec_buf *rb, uint64_t dir, const char *name,
    size_t namelen, uint64_t old, uint64_t new)
{
	struct jfact_name *xn;

	xn = take_fact(rb, JFACT_NAME, sizeof(*xn), namelen);
	if (xn == NULL)
		return;
	xn->xn_dir = dir;
	xn->xn_old = old;
	xn->xn_new = new;
	xn->xn_namelen = namelen;
	__builtin_memcpy(xn + 1, name, namelen);
}

void
jfact_add_obj(struct jrec_buf *rb, uint64_t ino, bool after,
    const struct jattr *ja, const char *text, size_t textlen)
{
	struct jfact_obj *xo;

	xo = take_fact(rb, JFACT_OBJ, sizeof(*xo), textlen);
	if (xo == NULL)
		return;
	xo->xo_ino = ino;
	xo->xo_after = after;
	xo->xo_textlen = textlen;
	xo->xo_attr = *ja;
	if (textlen > 0)
		__builtin_memcpy(xo + 1, text, textlen);
}

void
jfact_add_attr(struct jrec_buf *rb, uint64_t ino, uint32_t mask,
    const struct jattr *old, const struct jattr *new)
{
	struct jfact_attr *xa;

	xa = take_fact(rb, JFACT_ATTR, sizeof(*xa), 0);
	if (xa == NULL)
		return;
	xa->xa_ino = ino;
	xa->xa_mask = mask & JA_ALL & ~(uint32_t)JA_SIZE;
	xa->xa_old = *old;
	xa->xa_new = *new;
}

void
jfact_add_size(struct jrec_buf *rb, uint64_t ino, uint64_t old, uint64_t new)
{
	struct jfact_size *xs;

	xs = take_fact(rb, JFACT_SIZE, sizeof(*xs), 0);
	if (xs == NULL)
		return;
	xs->xs_ino = ino;
	xs->xs_old = old;
	xs->xs_new = new;
}

void *
jfact_add_data(struct jrec_buf *rb, enum jfact_type type, uint64_t ino,
    uint64_t off, uint64_t len, enum jdata_src src, uint32_t payload,
    uint64_t ref, const void *bytes)
{
	struct jfact_data *xd;
	size_t inl = src == JSRC_INLINE ? len : 0;

	xd = take_fact(rb, type, sizeof(*xd), inl);
	if (xd == NULL)
		return NULL;
	xd->xd_ino = ino;
	xd->xd_off = off;
	xd->xd_len = len;
	xd->xd_src = src;
	xd->xd_payload = payload;
	xd->xd_ref = ref;
	if (inl > 0 && bytes != NULL)
		__builtin_memcpy(xd + 1, bytes, inl);
	return xd + 1;
}

void
jfact_add_path(struct jrec_buf *rb, const char *path, size_t len)
{
	struct jfact_path *xp;

	xp = take_fact(rb, JFACT_PATH, sizeof(*xp), len);
	if (xp == NULL)
		return;
	xp->xp_len = len;
	__builtin_memcpy(xp + 1, path, len);
}

const struct jfact *
jfact_next(const struct jrec_commit *jc, const struct jfact *x)
{
	const uint8_t *end = (const uint8_t *)jc + jc->h.jr_size;
	const uint8_t *p;

	p = x ? (const uint8_t *)x + x->jx_size : (const uint8_t *)(jc + 1);
	return p < end ? (const struct jfact *)p : NULL;
}

/* ---- checking ---- */

static bool
name_ok(const char *name, size_t len)
{
	if (len == 0 || len > JNAME_MAX)
		return false;
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] == '/' || name[i] == '\0')
			return false;
	return true;
}

static bool
text_ok(const char *text, size_t len)
{
	if (len >= JTEXT_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0')
			return false;
	return true;
}

static bool
range_ok(uint64_t off, uint64_t len)
{
	return off <= INT64_MAX && len <= (uint64_t)INT64_MAX - off;
}

/* Does a thing of this size hold a fixed part and exactly these bytes? */
static bool
holds(size_t size, size_t fixed, size_t bytes)
{
	return size >= fixed && bytes <= size && size == pad8(fixed + bytes);
}

static const char *
check_attr(const struct jattr *ja)
{
	uint32_t fmt = ja->ja_mode & 0170000;

	if (fmt != 0100000 && fmt != 0040000 && fmt != 0120000 &&
	    fmt != 0020000 && fmt != 0060000 && fmt != 0010000 &&
	    fmt != 0140000)
		return "an object of unknown type";
	if (ja->ja_size > INT64_MAX)
		return "an impossible file size";
	for (int i = 0; i < 4; i++)
		if (ja->ja_nsec[i] >= 1000000000)
			return "an impossible time";
	return NULL;
}

static const char *
check_data(const struct jfact_data *xd)
{
	uint64_t inl = xd->xd_src == JSRC_INLINE ? xd->xd_len : 0;

	if (xd->xd_ino == 0 || !range_ok(xd->xd_off, xd->xd_len))
		return "a data fact with an impossible range";
	if (xd->xd_src < JSRC_INLINE || xd->xd_src > JSRC_ZERO ||
	    (xd->x.jx_type == JFACT_DATA && (xd->xd_src == JSRC_REF ||
	    xd->xd_src == JSRC_NONE)))
		return "a data fact with an unknown source";
	if (inl > JREC_MAXSIZE || !holds(xd->x.jx_size, sizeof(*xd), inl))
		return "a data fact of the wrong size";
	return NULL;
}

static const char *
check_fact(const struct jfact *x, size_t room)
{
	union {
		const struct jfact *x;
		const struct jfact_name *name;
		const struct jfact_obj *obj;
		const struct jfact_attr *attr;
		const struct jfact_size *size;
		const struct jfact_data *data;
		const struct jfact_path *path;
	} f = { x };
	static const uint16_t fixed[] = {
		[JFACT_NAME] = sizeof(*f.name), [JFACT_OBJ] = sizeof(*f.obj),
		[JFACT_ATTR] = sizeof(*f.attr), [JFACT_SIZE] = sizeof(*f.size),
		[JFACT_DATA] = sizeof(*f.data), [JFACT_PATH] = sizeof(*f.path),
		[JFACT_OLDDATA] = sizeof(*f.data),
	};
	const char *why;

	if (room < sizeof(*x) || x->jx_size < sizeof(*x) ||
	    x->jx_size > room || (x->jx_size & 7) != 0)
		return "a fact that does not fit its record";
	if (x->jx_type < JFACT_NAME || x->jx_type > JFACT_PATH)
		return "a fact of unknown type";
	if (x->jx_size < fixed[x->jx_type])
		return "a fact that is too short";
	switch (x->jx_type) {
	case JFACT_NAME:
		if (!holds(x->jx_size, sizeof(*f.name), f.name->xn_namelen))
			return "a name fact of the wrong size";
		if (f.name->xn_dir == 0 || !name_ok((const char *)
		    (f.name + 1), f.name->xn_namelen))
			return "a name that no directory may hold";
		return NULL;
	case JFACT_OBJ:
		if (!holds(x->jx_size, sizeof(*f.obj), f.obj->xo_textlen))
			return "an object fact of the wrong size";
		why = check_attr(&f.obj->xo_attr);
		if (why == NULL && (f.obj->xo_ino == 0 || f.obj->xo_after > 1))
			why = "an object fact without an object";
		if (why == NULL && !text_ok((const char *)(f.obj + 1),
		    f.obj->xo_textlen))
			why = "an impossible symlink text";
		return why;
	case JFACT_ATTR:
		if (x->jx_size != sizeof(*f.attr) || f.attr->xa_ino == 0 ||
		    (f.attr->xa_mask & ~(uint32_t)JA_ALL) != 0)
			return "a malformed attribute fact";
		why = check_attr(&f.attr->xa_new);
		return why ? why : check_attr(&f.attr->xa_old);
	case JFACT_SIZE:
		if (x->jx_size != sizeof(*f.size) || f.size->xs_ino == 0 ||
		    f.size->xs_old > INT64_MAX || f.size->xs_new > INT64_MAX)
			return "a malformed size fact";
		return NULL;
	case JFACT_DATA:
	case JFACT_OLDDATA:
		return check_data(f.data);
	case JFACT_PATH:
		if (!holds(x->jx_size, sizeof(*f.path), f.path->xp_len) ||
		    !text_ok((const char *)(f.path + 1), f.path->xp_len))
			return "a malformed path hint";
		return NULL;
	}
	return NULL;
}

static const char *
check_commit(const struct jrec_commit *jc)
{
	const uint8_t *p = (const uint8_t *)(jc + 1);
	size_t room = jc->h.jr_size - sizeof(*jc);
	const char *why;
	uint32_t n = 0;

	if (jc->jc_seq == 0)
		return "a commit without a number";
	for (; room > 0; n++) {
		const struct jfact *x = (const struct jfact *)p;

		why = check_fact(x, room);
		if (why != NULL)
			return why;
		room -= x->jx_size;
		p += x->jx_size;
	}
	return n == jc->jc_nfacts ? NULL :
	    "a commit with a wrong number of facts";
}

const char *
jrec_check(const void *p, size_t room)
{
	union {
		const void *p;
		const struct jrec_head *h;
		const struct jrec_chunk *chunk;
		const struct jrec_base_obj *obj;
		const struct jrec_base_name *name;
		const struct jrec_base_data *data;
	} r = { p };
	static const uint16_t fixed[] = {
		[JREC_ATTACH] = sizeof(struct jrec_attach),
		[JREC_DETACH] = sizeof(struct jrec_detach),
		[JREC_GAP] = sizeof(struct jrec_gap),
		[JREC_CHUNK] = sizeof(struct jrec_chunk),
		[JREC_COMMIT] = sizeof(struct jrec_commit),
		[JREC_BASE_BEGIN] = sizeof(struct jrec_base_begin),
		[JREC_BASE_OBJ] = sizeof(struct jrec_base_obj),
		[JREC_BASE_NAME] = sizeof(struct jrec_base_name),
		[JREC_BASE_DATA] = sizeof(struct jrec_base_data),
		[JREC_BASE_END] = sizeof(struct jrec_base_end),
	};
	const char *why;
	size_t size;

	if (room < sizeof(*r.h))
		return "a record cut off by the end of its frame";
	size = r.h->jr_size;
	if (size < sizeof(*r.h) || size > room || size > JREC_MAXSIZE ||
	    (size & 7) != 0)
		return "a record with an impossible size";
	if (r.h->jr_type >= sizeof(fixed) / sizeof(fixed[0]) ||
	    fixed[r.h->jr_type] == 0)
		return "a record of unknown type";
	if (size < fixed[r.h->jr_type])
		return "a record that is too short";
	switch (r.h->jr_type) {
	case JREC_COMMIT:
		return check_commit(r.p);
	case JREC_CHUNK:
		if (r.chunk->jk_len == 0 || r.chunk->jk_len > JCHUNK_MAX ||
		    !range_ok(r.chunk->jk_off, r.chunk->jk_len) ||
		    !holds(size, sizeof(*r.chunk), r.chunk->jk_len))
			return "a malformed chunk";
		return NULL;
	case JREC_BASE_OBJ:
		why = check_attr(&r.obj->bo_attr);
		if (why == NULL && r.obj->bo_attr.ja_ino == 0)
			why = "a base object without an id";
		if (why == NULL && (!holds(size, sizeof(*r.obj),
		    r.obj->bo_textlen) || !text_ok((const char *)(r.obj + 1),
		    r.obj->bo_textlen)))
			why = "an impossible symlink text";
		return why;
	case JREC_BASE_NAME:
		if (!holds(size, sizeof(*r.name), r.name->bn_namelen) ||
		    r.name->bn_dir == 0 || r.name->bn_ino == 0 ||
		    !name_ok((const char *)(r.name + 1), r.name->bn_namelen))
			return "a base name that no directory may hold";
		return NULL;
	case JREC_BASE_DATA:
		if (r.data->bd_ino == 0 || r.data->bd_len == 0 ||
		    r.data->bd_len > JCHUNK_MAX ||
		    !range_ok(r.data->bd_off, r.data->bd_len) ||
		    !holds(size, sizeof(*r.data), r.data->bd_len))
			return "malformed base data";
		return NULL;
	default:
		return size == fixed[r.h->jr_type] ? NULL :
		    "a record of the wrong size";
	}
}

/* ---- frames ---- */

/* The hash of a frame as if jf_hash were zero, without writing to it. */
static uint64_t
frame_hash(const void *frame, size_t size)
{
	struct jfr_head head = *(const struct jfr_head *)frame;
	const uint8_t *body = (const uint8_t *)frame + sizeof(head);
	uint64_t h;

	head.jf_hash = 0;
	h = jhash(&head, sizeof(head), head.jf_stream);
	return jhash(body, size - sizeof(head), h);
}

uint64_t
jframe_seal(void *frame, size_t size, uint32_t nrecs, uint64_t stream,
    uint64_t index, uint64_t prev)
{
	struct jfr_head *jf = frame;

	jf->jf_magic = JFR_MAGIC;
	jf->jf_version = JFR_VERSION;
	jf->jf_flags = 0;
	jf->jf_size = size;
	jf->jf_nrecs = nrecs;
	jf->jf_stream = stream;
	jf->jf_index = index;
	jf->jf_prev = prev;
	jf->jf_hash = 0;
	jf->jf_hash = frame_hash(frame, size);
	return jf->jf_hash;
}

const char *
jframe_check_head(const struct jfr_head *jf)
{
	if (jf->jf_magic != JFR_MAGIC)
		return "this is not a journal frame";
	if (jf->jf_version != JFR_VERSION)
		return "a frame of a version that this program does not know";
	if (jf->jf_size < sizeof(*jf) + sizeof(struct jrec_head) ||
	    jf->jf_size > JFR_MAXSIZE || (jf->jf_size & 7) != 0)
		return "a frame with an impossible size";
	return NULL;
}

const char *
jframe_check(const void *p)
{
	const struct jfr_head *jf = p;
	const uint8_t *rec = (const uint8_t *)(jf + 1);
	size_t room = jf->jf_size - sizeof(*jf);
	const char *why;
	uint32_t n = 0;

	if (frame_hash(p, jf->jf_size) != jf->jf_hash)
		return "the hash does not match";
	for (; room > 0; n++) {
		why = jrec_check(rec, room);
		if (why != NULL)
			return why;
		room -= ((const struct jrec_head *)rec)->jr_size;
		rec += ((const struct jrec_head *)rec)->jr_size;
	}
	return n == jf->jf_nrecs ? NULL :
	    "a frame with a wrong number of records";
}
