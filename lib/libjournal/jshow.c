/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records as text.  One line says what happened, to which path, by whom; the
 * lines under it are the facts, before and after.
 *
 * Names come from the journal and may hold anything: what is not printable
 * is shown as \xNN, so that a terminal cannot be driven by a file name.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <vfs/journal/jrec.h>
#include "libjournal.h"

typedef unsigned long long ull;

static const char *const op_names[JOP_COUNT] = {
	"other", "create", "mkdir", "mknod", "link", "symlink", "unlink",
	"rmdir", "rename", "setattr", "write", "mapwrite", "allocate",
	"setxattr", "inactive", "fsync",
};

static void
put_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = s[i];

		if (c < 0x20 || c == 0x7f || c == '\\')
			printf("\\x%02x", c);
		else
			putchar(c);
	}
}

size_t
jshow_time(char *buf, size_t size, uint64_t wall)
{
	time_t sec = wall / 1000000000;
	struct tm tm;
	size_t n;

	if (gmtime_r(&sec, &tm) == NULL)
		return snprintf(buf, size, "(no time)");
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return n + snprintf(buf + n, size - n, ".%09lluZ",
	    (ull)(wall % 1000000000));
}

static void
put_id(uint64_t ino)
{
	if (ino == 0)
		printf("none");
	else
		printf("%llu", (ull)ino);
}

static const char *
type_name(uint32_t mode)
{
	switch (mode & 0170000) {
	case 0040000: return "directory";
	case 0120000: return "symlink";
	case 0020000: return "character device";
	case 0060000: return "block device";
	case 0010000: return "fifo";
	case 0140000: return "socket";
	default: return "file";
	}
}

static void
put_attrs(const struct jfact_attr *xa)
{
	static const char *const times[] = { "atime", "mtime", "ctime" };
	const struct jattr *a = &xa->xa_old, *b = &xa->xa_new;

	printf("object %llu:", (ull)xa->xa_ino);
	if (xa->xa_mask & JA_MODE)
		printf(" mode %04o -> %04o", a->ja_mode & 07777,
		    b->ja_mode & 07777);
	if (xa->xa_mask & JA_UID)
		printf(" uid %u -> %u", a->ja_uid, b->ja_uid);
	if (xa->xa_mask & JA_GID)
		printf(" gid %u -> %u", a->ja_gid, b->ja_gid);
	if (xa->xa_mask & JA_FLAGS)
		printf(" flags %#x -> %#x", a->ja_flags, b->ja_flags);
	if (xa->xa_mask & JA_RDEV)
		printf(" rdev %#llx -> %#llx", (ull)a->ja_rdev,
		    (ull)b->ja_rdev);
	for (int i = 0; i < 3; i++)
		if (xa->xa_mask & (JA_ATIME << i))
			printf(" %s %lld.%09u -> %lld.%09u", times[i],
			    (long long)a->ja_sec[i], a->ja_nsec[i],
			    (long long)b->ja_sec[i], b->ja_nsec[i]);
	putchar('\n');
}

static void
put_fact(const struct jfact *x)
{
	static const char *const srcs[] = { "?", "kept here", "kept in chunks",
	    "kept by the filesystem", "not kept", "all zero" };
	const struct jfact_name *xn = (const void *)x;
	const struct jfact_obj *xo = (const void *)x;
	const struct jfact_size *xs = (const void *)x;
	const struct jfact_data *xd = (const void *)x;

	printf("\t");
	switch (x->jx_type) {
	case JFACT_NAME:
		printf("name (%llu, \"", (ull)xn->xn_dir);
		put_text((const char *)(xn + 1), xn->xn_namelen);
		printf("\"): ");
		put_id(xn->xn_old);
		printf(" -> ");
		put_id(xn->xn_new);
		putchar('\n');
		break;
	case JFACT_OBJ:
		printf("object %llu: %s %s, mode %04o, uid %u, gid %u",
		    (ull)xo->xo_ino, xo->xo_after ? "new" : "end of",
		    type_name(xo->xo_attr.ja_mode),
		    xo->xo_attr.ja_mode & 07777, xo->xo_attr.ja_uid,
		    xo->xo_attr.ja_gid);
		if (xo->xo_textlen > 0) {
			printf(", to \"");
			put_text((const char *)(xo + 1), xo->xo_textlen);
			putchar('"');
		}
		putchar('\n');
		break;
	case JFACT_ATTR:
		put_attrs((const void *)x);
		break;
	case JFACT_SIZE:
		printf("size %llu: %llu -> %llu\n", (ull)xs->xs_ino,
		    (ull)xs->xs_old, (ull)xs->xs_new);
		break;
	case JFACT_DATA:
	case JFACT_OLDDATA:
		printf("%s %llu: [%llu, %llu) %s\n", x->jx_type == JFACT_DATA ?
		    "bytes" : "old bytes", (ull)xd->xd_ino, (ull)xd->xd_off,
		    (ull)(xd->xd_off + xd->xd_len), srcs[xd->xd_src]);
		break;
	default:
		printf("hint\n");
	}
}

/* "/a -> /b" for a rename, from the two hints; else the first. */
static void
put_hints(const struct jrec_commit *jc)
{
	const char *sep = " ";

	for (const struct jfact *x = NULL; (x = jfact_next(jc, x)) != NULL; ) {
		const struct jfact_path *xp = (const void *)x;

		if (x->jx_type != JFACT_PATH)
			continue;
		printf("%s", sep);
		put_text((const char *)(xp + 1), xp->xp_len);
		sep = " -> ";
	}
}

/* The object that an operation on an object is about. */
static uint64_t
subject(const struct jrec_commit *jc)
{
	for (const struct jfact *x = NULL; (x = jfact_next(jc, x)) != NULL; )
		switch (x->jx_type) {
		case JFACT_ATTR:
			return ((const struct jfact_attr *)x)->xa_ino;
		case JFACT_SIZE:
			return ((const struct jfact_size *)x)->xs_ino;
		case JFACT_DATA:
		case JFACT_OLDDATA:
			return ((const struct jfact_data *)x)->xd_ino;
		}
	return 0;
}

static void
put_subject(const struct jshow *js, const struct jrec_commit *jc)
{
	uint64_t ino = subject(jc);
	const struct jm_obj *o = NULL;
	char path[1024];

	if (ino == 0)
		return;
	if (js->paths != NULL)
		o = jm_find(js->paths, ino);
	if (o != NULL && (o->links != NULL || ino == js->paths->root)) {
		jm_path(js->paths, o, path, sizeof(path));
		putchar(' ');
		put_text(path, strlen(path));
	} else
		printf(" object %llu", (ull)ino);
}

/* What the operation did, in short. */
static void
put_summary(const struct jrec_commit *jc)
{
	for (const struct jfact *x = NULL; (x = jfact_next(jc, x)) != NULL; ) {
		const struct jfact_data *xd = (const void *)x;
		const struct jfact_size *xs = (const void *)x;
		const struct jfact_attr *xa = (const void *)x;

		if (x->jx_type == JFACT_DATA)
			printf(" [%llu, %llu)", (ull)xd->xd_off,
			    (ull)(xd->xd_off + xd->xd_len));
		else if (x->jx_type == JFACT_SIZE)
			printf(" size %llu -> %llu", (ull)xs->xs_old,
			    (ull)xs->xs_new);
		else if (x->jx_type == JFACT_ATTR &&
		    jc->jc_opcode == JOP_SETATTR) {
			if (xa->xa_mask & JA_MODE)
				printf(" mode %04o -> %04o",
				    xa->xa_old.ja_mode & 07777,
				    xa->xa_new.ja_mode & 07777);
			if (xa->xa_mask & JA_UID)
				printf(" uid %u -> %u", xa->xa_old.ja_uid,
				    xa->xa_new.ja_uid);
			if (xa->xa_mask & JA_GID)
				printf(" gid %u -> %u", xa->xa_old.ja_gid,
				    xa->xa_new.ja_gid);
			if (xa->xa_mask & JA_MTIME)
				printf(" times");
		}
	}
}

static bool
has_hint(const struct jrec_commit *jc)
{
	for (const struct jfact *x = NULL; (x = jfact_next(jc, x)) != NULL; )
		if (x->jx_type == JFACT_PATH)
			return true;
	return false;
}

static void
show_commit(const struct jshow *js, const struct jrec_commit *jc)
{
	char when[64];

	jshow_time(when, sizeof(when), jc->jc_wall);
	printf("#%llu %#llx %s uid %u pid %d ", (ull)jc->jc_index,
	    (ull)jc->jc_seq, when, jc->jc_uid, jc->jc_pid);
	put_text(jc->jc_comm, strnlen(jc->jc_comm, sizeof(jc->jc_comm)));
	printf("%s%s", jc->jc_comm[0] ? ": " : "", jc->jc_opcode < JOP_COUNT ?
	    op_names[jc->jc_opcode] : "?");
	put_hints(jc);
	if (!has_hint(jc))
		put_subject(js, jc);
	put_summary(jc);
	putchar('\n');
	if (!js->facts)
		return;
	for (const struct jfact *x = NULL; (x = jfact_next(jc, x)) != NULL; )
		if (x->jx_type != JFACT_PATH)
			put_fact(x);
}

void
jshow_item(const struct jshow *js, const struct jitem *it)
{
	const struct jrec_attach *jt = (const void *)it->rec;
	const struct jrec_detach *jd = (const void *)it->rec;
	const struct jrec_gap *jg = (const void *)it->rec;
	const struct jrec_base_begin *bb = (const void *)it->rec;
	const struct jrec_base_end *be = (const void *)it->rec;
	const struct jrec_base_obj *bo = (const void *)it->rec;
	const struct jrec_base_name *bn = (const void *)it->rec;
	const struct jrec_base_data *bd = (const void *)it->rec;
	char when[64];

	switch (it->rec->jr_type) {
	case JREC_ATTACH:
		jshow_time(when, sizeof(when), jt->jt_wall);
		printf("== attach %s to ", when);
		put_text(jt->jt_on, strnlen(jt->jt_on, sizeof(jt->jt_on)));
		printf(" (%.16s", jt->jt_fstype);
		if (jt->jt_from[0]) {
			printf(" on ");
			put_text(jt->jt_from, strnlen(jt->jt_from,
			    sizeof(jt->jt_from)));
		}
		printf("), after number %#llx%s%s\n", (ull)jt->jt_seq,
		    jt->jt_flags & JAF_CONTINUE ? ", continues" : "",
		    jt->jt_flags & JAF_UNDO ? ", reversible" : "");
		break;
	case JREC_DETACH:
		jshow_time(when, sizeof(when), jd->jd_wall);
		printf("== detach %s, last number %#llx (%s)\n", when,
		    (ull)jd->jd_seq, jd->jd_why == JDW_CLEAN ? "clean" :
		    jd->jd_why == JDW_UNMOUNT ? "unmounted" : "with a gap");
		break;
	case JREC_GAP:
		printf("== GAP: %llu operations were lost here, numbers %#llx "
		    "to %#llx\n", (ull)jg->jg_count, (ull)jg->jg_first,
		    (ull)jg->jg_last);
		break;
	case JREC_COMMIT:
		show_commit(js, (const void *)it->rec);
		break;
	case JREC_BASE_BEGIN:
		printf("== base image begins: %s\n", bb->bb_method == JBM_ASOF ?
		    "the tree as of one number" : "a crawl of the live tree");
		break;
	case JREC_BASE_END:
		printf("== base image ends: %llu objects, %llu bytes; "
		    "restorable from %#llx on\n", (ull)be->be_objects,
		    (ull)be->be_bytes, (ull)be->be_seq);
		break;
	case JREC_BASE_OBJ:
		if (js->facts)
			printf("\tbase object %llu: %s, mode %04o, uid %u, "
			    "size %llu\n", (ull)bo->bo_attr.ja_ino,
			    type_name(bo->bo_attr.ja_mode),
			    bo->bo_attr.ja_mode & 07777, bo->bo_attr.ja_uid,
			    (ull)bo->bo_attr.ja_size);
		break;
	case JREC_BASE_NAME:
		if (js->facts) {
			printf("\tbase name (%llu, \"", (ull)bn->bn_dir);
			put_text((const char *)(bn + 1), bn->bn_namelen);
			printf("\"): %llu\n", (ull)bn->bn_ino);
		}
		break;
	case JREC_BASE_DATA:
		if (js->facts)
			printf("\tbase bytes %llu: [%llu, %llu)\n",
			    (ull)bd->bd_ino, (ull)bd->bd_off,
			    (ull)(bd->bd_off + bd->bd_len));
		break;
	}
}
