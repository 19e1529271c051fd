/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The base image: the whole tree into the stream, while it changes.
 *
 *   a filesystem with a past   sync, take the number L, walk the tree as of L
 *   any other                  walk the live tree
 *
 * The log records from before the walk begins, so each piece may be of any
 * later moment (see lib/libjournal/jstate.c for why that is enough).  What a
 * walk of a changing tree could miss is an object that moves from where the
 * walk has not been to where it was already; so every name that a link or a
 * rename makes during the walk is walked too (jm_found).
 *
 * B1  jm_crawling is set before the first directory is read; it is cleared
 *     under jm_spin together with seeing that jm_found is empty.
 * B2  Each object is written once, by id.
 * B3  Blocks of zeros are left out: they read as holes.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/namecache.h>
#include <sys/signal.h>
#include <sys/stat.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vnode.h>

#include "journal.h"

enum { NAMES_SIZE = 32768, READ_SIZE = 32000, ZERO_BLOCK = 4096 - 96 };

struct todo {
	STAILQ_ENTRY(todo) td_link;
	struct nchandle	 td_nch;	/* a directory, held */
};

struct names {				/* one batch of a directory */
	char	*nm_buf;		/* length byte, name; ... */
	size_t	 nm_len;
	off_t	 nm_next;
};

struct crawl {
	struct journal	*cr_j;
	struct jmount	*cr_jm;
	STAILQ_HEAD(, todo) cr_todo;
	uint64_t	*cr_seen;	/* open hash of ids */
	size_t		 cr_nseen, cr_cap;
	uint64_t	 cr_objects, cr_bytes;
	uint64_t	 cr_stamp;
	uint8_t		*cr_buf;	/* READ_SIZE */
};

/* True if it was not there. */
static bool
seen_add(struct crawl *cr, uint64_t ino)
{
	size_t i, k, cap;
	uint64_t *old = cr->cr_seen;

	if (cr->cr_nseen * 2 >= cr->cr_cap) {
		cap = cr->cr_cap;
		cr->cr_cap = cap ? cap * 2 : 1024;
		cr->cr_seen = kmalloc(cr->cr_cap * sizeof(ino), &M_JOURNAL,
		    M_WAITOK | M_ZERO);
		cr->cr_nseen = 0;
		for (i = 0; i < cap; i++)
			if (old[i] != 0)
				(void)seen_add(cr, old[i]);
		kfree(old, &M_JOURNAL);
	}
	k = (ino * 0x9e3779b97f4a7c15ULL) >> 20;
	for (;; k++) {
		k &= cr->cr_cap - 1;
		if (cr->cr_seen[k] == ino)
			return false;
		if (cr->cr_seen[k] == 0)
			break;
	}
	cr->cr_seen[k] = ino;
	cr->cr_nseen++;
	return true;
}

/* ---- records ---- */

static void *
begin(struct crawl *cr, enum jrec_type type, size_t fixed, size_t bytes,
    struct jstage **jrp)
{
	struct jstage *jr;

	jr = jlog_stage(cr->cr_jm, fixed + roundup2(bytes, 8), 0, false);
	jr->jr_only = cr->cr_j;
	*jrp = jr;
	return jrec_begin(&jr->jr_rec, type, fixed);
}

static int
end(struct crawl *cr, struct jstage *jr)
{
	jrec_end(&jr->jr_rec);
	KKASSERT(!jr->jr_rec.rb_full);
	if (jlog_publish(cr->cr_jm, jr))
		return 0;
	jlog_free(cr->cr_jm, jr);
	return cr->cr_j->j_error ? cr->cr_j->j_error : ECANCELED;
}

static int
put_name(struct crawl *cr, uint64_t dir, const char *name, size_t len,
    uint64_t ino)
{
	struct jrec_base_name *bn;
	struct jstage *jr;

	bn = begin(cr, JREC_BASE_NAME, sizeof(*bn), len, &jr);
	bn->bn_stamp = cr->cr_stamp;
	bn->bn_dir = dir;
	bn->bn_ino = ino;
	bn->bn_namelen = (uint32_t)len;
	jrec_bytes(&jr->jr_rec, name, len);
	return end(cr, jr);
}

static int
put_data(struct crawl *cr, uint64_t ino, uint64_t off, const uint8_t *bytes,
    size_t len)
{
	struct jrec_base_data *bd;
	struct jstage *jr;

	bd = begin(cr, JREC_BASE_DATA, sizeof(*bd), len, &jr);
	bd->bd_stamp = cr->cr_stamp;
	bd->bd_ino = ino;
	bd->bd_off = off;
	bd->bd_len = (uint32_t)len;
	jrec_bytes(&jr->jr_rec, bytes, len);
	cr->cr_bytes += len;
	return end(cr, jr);
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* B3: runs of blocks that hold something. */
static int
put_runs(struct crawl *cr, uint64_t ino, uint64_t off, size_t len)
{
	size_t from, at = 0, n;
	int error = 0;

	while (at < len && error == 0) {
		n = MIN(len - at, (size_t)ZERO_BLOCK);
		if (all_zero(cr->cr_buf + at, n)) {
			at += n;
			continue;
		}
		for (from = at; at < len; at += n) {
			n = MIN(len - at, (size_t)ZERO_BLOCK);
			if (all_zero(cr->cr_buf + at, n))
				break;
		}
		error = put_data(cr, ino, off + from, cr->cr_buf + from,
		    at - from);
	}
	return error;
}

static int
put_file(struct crawl *cr, struct vnode *vp, uint64_t ino)
{
	uint64_t off = 0;
	size_t done;
	int error = 0;

	if (vp == cr->cr_j->j_vp)
		return 0;		/* the journal does not hold itself */
	for (;;) {
		if (sig_pending_error() != 0)
			return EINTR;
		error = vn_read(vp, cr->cr_buf, READ_SIZE, (off_t)off,
		    kernel_cred, &done);
		if (error != 0) {
			kprintf("journal %s: base image: object %llu at byte "
			    "%llu cannot be read (error %d)\n",
			    cr->cr_j->j_tag, (unsigned long long)ino,
			    (unsigned long long)off, error);
			return error;
		}
		if (done == 0)
			return 0;
		error = put_runs(cr, ino, off, done);
		if (error != 0)
			return error;
		off += done;
	}
}

/* An object and what is in it (not: below it).  B2. */
static int
put_object(struct crawl *cr, struct vnode *vp, const struct vattr *va)
{
	struct jrec_base_obj *bo;
	struct jstage *jr;
	size_t len = 0;
	char *text = NULL;
	int error = 0;

	if (vp->v_type == VLNK) {
		text = kmalloc(JTEXT_MAX, &M_JOURNAL, M_WAITOK);
		error = vop_readlink(vp, text, JTEXT_MAX - 1, &len,
		    kernel_cred);
	}
	if (error == 0) {
		bo = begin(cr, JREC_BASE_OBJ, sizeof(*bo), len, &jr);
		bo->bo_stamp = cr->cr_stamp;
		bo->bo_textlen = (uint32_t)len;
		jattr_from_vattr(&bo->bo_attr, va);
		jrec_bytes(&jr->jr_rec, text, len);
		cr->cr_objects++;
		error = end(cr, jr);
	}
	kfree(text, &M_JOURNAL);
	if (error == 0 && vp->v_type == VREG)
		error = put_file(cr, vp, va->va_ino);
	return error;
}

/* ---- the walk ---- */

static void
todo_add(struct crawl *cr, const struct nchandle *nch)
{
	struct todo *td;

	td = kmalloc(sizeof(*td), &M_JOURNAL, M_WAITOK);
	nc_copy(nch, &td->td_nch);
	STAILQ_INSERT_TAIL(&cr->cr_todo, td, td_link);
}

/* What a handle names now; *inop 0 if it names nothing any more. */
static int
visit(struct crawl *cr, const struct nchandle *nch, uint64_t *inop)
{
	struct vnode *vp;
	struct vattr va;
	int error;

	*inop = 0;
	error = nc_vnode(nch, kernel_cred, &vp);
	if (error != 0)
		return error == ENOENT || error == ESTALE ? 0 : error;
	error = vn_getattr(vp, &va, kernel_cred);
	if (error == 0 && vp->v_mount == cr->cr_jm->jm_mp &&
	    va.va_nlink > 0) {
		*inop = va.va_ino;
		if (seen_add(cr, va.va_ino)) {
			error = put_object(cr, vp, &va);
			if (error == 0 && vp->v_type == VDIR)
				todo_add(cr, nch);
		}
	}
	vn_rele(vp);
	return error;
}

static bool
take_name(void *arg, const char *name, size_t len, ino_t ino __unused,
    int dtype __unused, off_t next)
{
	struct names *nm = arg;

	if (nm->nm_len + len + 1 > NAMES_SIZE)
		return false;
	nm->nm_next = next;
	if (len <= 2 && name[0] == '.' && name[len - 1] == '.')
		return true;
	nm->nm_buf[nm->nm_len] = (char)len;
	memcpy(nm->nm_buf + nm->nm_len + 1, name, len);
	nm->nm_len += len + 1;
	return true;
}

static int
walk_name(struct crawl *cr, const struct nchandle *dir, uint64_t dirino,
    const char *name, size_t len)
{
	char text[NAME_MAX + 1];
	struct nlookup nl;
	uint64_t ino = 0;
	int error;

	if (sig_pending_error() != 0)
		return EINTR;
	memcpy(text, name, len);
	text[len] = '\0';
	nlookup_init(&nl, &cr->cr_jm->jm_mp->mnt_rootnch, dir, kernel_cred,
	    NLC_NOCROSS);
	error = nlookup(&nl, text);
	if (error == 0)
		error = visit(cr, &nl.nl_nch, &ino);
	else if (error == ENOENT)
		error = 0;		/* removed meanwhile */
	nlookup_done(&nl);
	if (error == 0 && ino != 0)
		error = put_name(cr, dirino, name, len, ino);
	return error;
}

static int
walk_dir(struct crawl *cr, const struct nchandle *dir)
{
	struct names nm = { .nm_next = 0 };
	struct vnode *vp;
	struct vattr va;
	bool eof = false;
	size_t at, len;
	int error;

	error = nc_vnode(dir, kernel_cred, &vp);
	if (error != 0)
		return error == ENOENT || error == ESTALE ? 0 : error;
	error = vn_getattr(vp, &va, kernel_cred);
	nm.nm_buf = kmalloc(NAMES_SIZE, &M_JOURNAL, M_WAITOK);
	while (error == 0 && !eof) {
		off_t from = nm.nm_next;

		nm.nm_len = 0;
		error = vop_readdir(vp, from, take_name, &nm, &eof,
		    kernel_cred);
		for (at = 0; at < nm.nm_len && error == 0; at += len + 1) {
			len = (uint8_t)nm.nm_buf[at];
			error = walk_name(cr, dir, va.va_ino,
			    nm.nm_buf + at + 1, len);
		}
		if (error == ENOENT)
			error = 0;	/* the directory was removed */
		if (nm.nm_next == from)
			break;
	}
	kfree(nm.nm_buf, &M_JOURNAL);
	vn_rele(vp);
	return error;
}

/* Take the next found name; none: the crawl is over (B1). */
static struct jfound *
next_found(struct jmount *jm, bool *over)
{
	struct jfound *jf;

	spin_lock(&jm->jm_spin);
	jf = STAILQ_FIRST(&jm->jm_found);
	if (jf != NULL)
		STAILQ_REMOVE_HEAD(&jm->jm_found, jf_link);
	else
		atomic_fetch_sub(&jm->jm_crawling, 1);
	spin_unlock(&jm->jm_spin);
	*over = jf == NULL;
	return jf;
}

static int
walk_all(struct crawl *cr, const struct nchandle *root, bool live)
{
	struct jfound *jf;
	struct todo *td;
	uint64_t ino;
	bool over = false;
	int error, i;

	error = visit(cr, root, &ino);
	if (error == 0 && ino == 0)
		error = ENOENT;
	while (!over) {
		while ((td = STAILQ_FIRST(&cr->cr_todo)) != NULL) {
			STAILQ_REMOVE_HEAD(&cr->cr_todo, td_link);
			if (error == 0)
				error = walk_dir(cr, &td->td_nch);
			nc_drop(&td->td_nch);
			kfree(td, &M_JOURNAL);
		}
		if (!live)
			break;
		jf = next_found(cr->cr_jm, &over);
		for (i = 0; jf != NULL && i < 2; i++)
			if (error == 0 && nc_isset(&jf->jf_nch[i]))
				error = visit(cr, &jf->jf_nch[i], &ino);
		if (jf != NULL)
			jfound_free(jf);
	}
	return error;
}

/* The root as of a number: the filesystem's own name for it. */
static int
asof_root(struct mount *mp, uint64_t number, struct nchandle *root)
{
	struct nlookup nl;
	char name[32];
	int error;

	ksnprintf(name, sizeof(name), "@@0x%016llx",
	    (unsigned long long)number);
	nlookup_init(&nl, &mp->mnt_rootnch, &mp->mnt_rootnch, kernel_cred,
	    NLC_NOCROSS);
	error = nlookup(&nl, name);
	if (error == 0)
		nc_copy(&nl.nl_nch, root);
	nlookup_done(&nl);
	return error;
}

static int
put_begin(struct crawl *cr, enum jbase_method method)
{
	struct jrec_base_begin *bb;
	struct jstage *jr;

	bb = begin(cr, JREC_BASE_BEGIN, sizeof(*bb), 0, &jr);
	bb->bb_seq = cr->cr_stamp;
	bb->bb_method = method;
	return end(cr, jr);
}

static int
put_end(struct crawl *cr, uint64_t seq)
{
	struct jrec_base_end *be;
	struct jstage *jr;

	be = begin(cr, JREC_BASE_END, sizeof(*be), 0, &jr);
	be->be_seq = seq;
	be->be_objects = cr->cr_objects;
	be->be_bytes = cr->cr_bytes;
	spin_lock(&cr->cr_jm->jm_spin);
	cr->cr_j->j_baseseq = seq;
	spin_unlock(&cr->cr_jm->jm_spin);
	return end(cr, jr);
}

int
jbase_run(struct journal *j)
{
	struct jmount *jm = j->j_mount;
	struct mount *mp = jm->jm_mp;
	struct crawl cr = { .cr_j = j, .cr_jm = jm };
	struct nchandle root = { NULL, NULL };
	bool live = true;
	int error;

	STAILQ_INIT(&cr.cr_todo);
	cr.cr_buf = kmalloc(READ_SIZE, &M_JOURNAL, M_WAITOK);
	if (jm->jm_asof && vfs_sync(mp, true) == 0) {
		cr.cr_stamp = journal_number(mp);
		live = asof_root(mp, cr.cr_stamp, &root) != 0;
	}
	if (live) {
		nc_copy(&mp->mnt_rootnch, &root);
		cr.cr_stamp = journal_number(mp);
		atomic_fetch_add(&jm->jm_crawling, 1);
	}
	/* Whatever was under way when the log opened, or when jm_crawling was
	 * set, has ended when this returns. */
	journal_barrier(jm);
	error = put_begin(&cr, live ? JBM_CRAWL : JBM_ASOF);
	if (error == 0)
		error = walk_all(&cr, &root, live);
	else if (live)
		atomic_fetch_sub(&jm->jm_crawling, 1);
	nc_drop(&root);
	if (error == 0)
		error = put_end(&cr, live ? journal_number(mp) :
		    cr.cr_stamp);
	kfree(cr.cr_seen, &M_JOURNAL);
	kfree(cr.cr_buf, &M_JOURNAL);
	return error;
}
