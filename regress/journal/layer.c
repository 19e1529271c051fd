/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journaling layer on the hosted kernel.
 *
 * Method: threads do random operations on a mount; a journal is attached in
 * the middle of it; now and then everybody stops, and the whole tree is
 * written down as text with the mount's number.  At the end the journal alone
 * must give each of these texts for its number (forward), and backward from
 * the end as well; no operation is missing or twice (the stream's own counts
 * and before-facts say so: no alarm).
 */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>
#include <sys/vnode.h>
#include <vfs/journal/journal.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

#include "../../lib/libjournal/libjournal.h"
#include "../env/env.h"
#include "../hammer/fx.h"

enum { MAXPOINTS = 40, MAXNAMES = 64 };

struct point {
	uint64_t number;
	char	*text;
};

struct world {
	struct mount *mp, *tmp;		/* journalled; holds the journal */
	struct kvfs kv, tkv;
	bool	 hammer;
	struct fx fx;
	int	 steps, threads;
	struct point points[MAXPOINTS];
	int	 npoints;
	int32_t	 arrived, round;	/* [a] */
	bool	 attach_error;
};

/* ---- the tree as text ---- */

struct text {
	char	*buf;
	size_t	 len, cap;
};

static void __printflike(2, 3)
add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	if (t->cap - t->len < 1024) {
		t->buf = krealloc(t->buf, t->cap, t->cap * 2 + 8192, &M_TEMP,
		    M_WAITOK);
		t->cap = t->cap * 2 + 8192;
	}
	va_start(ap, fmt);
	t->len += (size_t)kvsnprintf(t->buf + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
}

static uint64_t
sum(uint64_t h, const uint8_t *p, size_t n)
{
	while (n-- > 0)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h;
}

struct listing {
	int	 n;
	char	 name[MAXNAMES][32];
};

static bool
list_one(void *arg, const char *name, size_t len, ino_t ino __unused,
    int dtype __unused, off_t next __unused)
{
	struct listing *l = arg;
	char text[32] = "";
	int i;

	if (name[0] == '.')
		return true;
	KKASSERT(l->n < MAXNAMES && len < sizeof(text));
	memcpy(text, name, len);
	for (i = l->n++; i > 0 && strcmp(l->name[i - 1], text) > 0; i--)
		memcpy(l->name[i], l->name[i - 1], sizeof(text));
	memcpy(l->name[i], text, sizeof(text));
	return true;
}

static void
line(struct text *t, int depth, const char *name, uint32_t mode, uint32_t uid,
    int64_t sec, int64_t nsec, uint64_t size, uint64_t hash, const char *link)
{
	add(t, "%d %s %o %u %lld.%09lld %llu %016llx %s\n", depth, name, mode,
	    uid, (long long)sec, (long long)nsec, (unsigned long long)size,
	    (unsigned long long)hash, link);
}

static void
dump_live(struct kvfs *kv, struct text *t, const char *path, int depth)
{
	struct listing *l;
	char child[512], link[128];
	static uint8_t buf[8192];
	struct vattr va;
	uint64_t hash, off;
	size_t n;
	int i;

	l = kmalloc(sizeof(*l), &M_TEMP, M_WAITOK | M_ZERO);
	ENV_EQ(kvfs_readdir(kv, path, list_one, l), 0);
	for (i = 0; i < l->n; i++) {
		ksnprintf(child, sizeof(child), "%s/%s",
		    path[1] ? path : "", l->name[i]);
		if (!ENV_EQ(kvfs_stat(kv, child, false, &va), 0))
			continue;
		hash = 0;
		link[0] = '\0';
		if (S_ISREG(va.va_mode))
			for (off = 0; off < va.va_size; off += n) {
				ENV_EQ(kvfs_read(kv, child, buf, sizeof(buf),
				    (off_t)off, &n), 0);
				if (n == 0)
					break;
				hash = sum(hash, buf, n);
			}
		if (S_ISLNK(va.va_mode) && kvfs_readlink(kv, child, link,
		    sizeof(link) - 1, &n) == 0)
			link[n] = '\0';
		line(t, depth, l->name[i], va.va_mode, va.va_uid,
		    va.va_mtime.tv_sec, va.va_mtime.tv_nsec,
		    S_ISREG(va.va_mode) ? va.va_size : 0, hash, link);
		if (S_ISDIR(va.va_mode))
			dump_live(kv, t, child, depth + 1);
	}
	kfree(l, &M_TEMP);
}

static void
dump_model(struct text *t, struct jmodel *m, const struct jsource *src,
    struct jm_obj *dir, int depth)
{
	struct jm_name *list[MAXNAMES], *c;
	static uint8_t buf[8192];
	uint64_t off, hash;
	size_t take;
	int n = 0, i;

	for (c = dir->children; c != NULL; c = c->snext) {
		KKASSERT(n < MAXNAMES);
		for (i = n++; i > 0 && strcmp(list[i - 1]->name, c->name) > 0;
		    i--)
			list[i] = list[i - 1];
		list[i] = c;
	}
	for (i = 0; i < n; i++) {
		struct jm_obj *o = list[i]->obj;
		const struct jattr *ja = &o->attr;

		hash = 0;
		for (off = 0; off < ja->ja_size && S_ISREG(ja->ja_mode);
		    off += take) {
			take = MIN(sizeof(buf), ja->ja_size - off);
			if (jm_read(o, src, buf, take, off) != 0)
				add(t, "UNREADABLE\n");
			hash = sum(hash, buf, take);
		}
		line(t, depth, list[i]->name, ja->ja_mode, ja->ja_uid,
		    ja->ja_sec[JT_MTIME], ja->ja_nsec[JT_MTIME],
		    S_ISREG(ja->ja_mode) ? ja->ja_size : 0, hash,
		    o->text ? o->text : "");
		if (S_ISDIR(ja->ja_mode))
			dump_model(t, m, src, o, depth + 1);
	}
}

static void
first_difference(const char *a, const char *b)
{
	const char *as = a, *bs = b;
	size_t i;

	for (i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == '\n') {
			as = a + i + 1;
			bs = b + i + 1;
		}
	env_printf("want: %.150s\nhave: %.150s\n", as, bs);
}

/* ---- operations ---- */

static void
some_path(char *buf, size_t size, int maxdepth)
{
	int depth = 1 + (int)env_random((uint64_t)maxdepth), i;
	size_t len = 0;

	for (i = 0; i < depth; i++)
		len += (size_t)ksnprintf(buf + len, size - len, "/%c%llu",
		    i + 1 < depth ? 'd' : 'f',
		    (unsigned long long)env_random(i + 1 < depth ? 3 : 9));
	if (env_random(3) == 0)
		buf[len - 2] = 'd';
}

static void
do_write(struct kvfs *kv, const char *path)
{
	size_t len = 1 + env_random(env_random(8) ? 600 : 60000);
	off_t off = (off_t)env_random(env_random(3) ? 3000 : 100000);
	uint8_t *buf = kmalloc(len, &M_TEMP, M_WAITOK);
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = (uint8_t)env_random(256);
	(void)kvfs_write(kv, path, buf, len, off);
	kfree(buf, &M_TEMP);
}

static void
one_step(struct world *w)
{
	struct kvfs *kv = &w->kv;
	struct vattr va = { .va_mask = 0 };
	char a[128], b[128];

	some_path(a, sizeof(a), 3);
	some_path(b, sizeof(b), 3);
	switch (env_random(16)) {
	case 0: case 1:
		(void)kvfs_create(kv, a, (mode_t)(0600 + env_random(0100)));
		break;
	case 2: case 3:
		(void)kvfs_mkdir(kv, a, 0755);
		break;
	case 4:
		(void)kvfs_symlink(kv, b, a);
		break;
	case 5:
		(void)kvfs_link(kv, a, false, kv, b);
		break;
	case 6: case 7:
		(void)kvfs_rename(kv, a, kv, b, env_random(8) ? 0 :
		    RENAME_EXCHANGE);
		break;
	case 8:
		(void)kvfs_unlink(kv, a);
		break;
	case 9:
		(void)kvfs_rmdir(kv, a);
		break;
	case 10:
		(void)kvfs_truncate(kv, a, env_random(50000));
		break;
	case 11:
		va.va_mask = VA_MODE | VA_UID;
		va.va_mode = (mode_t)(0700 + env_random(0100));
		va.va_uid = (uid_t)env_random(50);
		(void)kvfs_setattr(kv, a, false, &va);
		break;
	case 12:
		(void)kvfs_mknod(kv, a, S_IFIFO | 0640, 0);
		break;
	default:
		do_write(kv, a);
		break;
	}
}

/* Everybody is here: true for the last one, who works for all. */
static bool
meet(struct world *w)
{
	int round = atomic_load(&w->round);

	if (atomic_fetch_add(&w->arrived, 1) + 1 == w->threads)
		return true;
	while (atomic_load(&w->round) == round)
		tsleep(w, 0, "meet", 1000000);
	return false;
}

static void
go_on(struct world *w)
{
	atomic_store(&w->arrived, 0);
	atomic_fetch_add(&w->round, 1);
	wakeup(w);
}

static void
take_point(struct world *w)
{
	struct text t = { NULL, 0, 0 };

	if (w->npoints == MAXPOINTS)
		return;
	add(&t, "%s", "");
	dump_live(&w->kv, &t, "/", 0);
	w->points[w->npoints].number = atomic_load(&w->mp->mnt_number);
	w->points[w->npoints++].text = t.buf;
}

static struct vnode *
open_target(struct world *w, const char *path)
{
	struct vnode *vp = NULL;

	ENV_EQ(kvfs_open(&w->tkv, path, O_RDWR | O_CREAT, 0600, NULL, &vp), 0);
	return vp;
}

static int
attach(struct world *w, const char *path, const char *tag, uint32_t flags)
{
	struct mountctl_install mi;
	struct vnode *vp = open_target(w, path);
	int error;

	memset(&mi, 0, sizeof(mi));
	kstrlcpy(mi.mi_tag, tag, sizeof(mi.mi_tag));
	mi.mi_flags = flags;
	error = journal_attach(w->mp, vp, kernel_cred, &mi, "/mnt");
	kvfs_close(vp, O_RDWR, kernel_cred);
	return error;
}

static void
worker(void *arg, int i)
{
	struct world *w = arg;
	int s;

	for (s = 0; s < w->steps; s++) {
		if (i == 0 && s == w->steps / 6)
			ENV_EQ(attach(w, "/j1", "j1", MIF_UNDO), 0);
		if (s % (w->steps / 12) == 0 && meet(w)) {
			if (s > w->steps / 6 + 1)
				take_point(w);
			go_on(w);
		}
		one_step(w);
	}
}

/* ---- the journal ---- */

struct jread {
	struct world *w;
	const char *path;
};

static int
kread(void *arg, void *buf, size_t len, uint64_t off)
{
	struct jread *jr = arg;
	size_t n;

	return kvfs_read(&jr->w->tkv, jr->path, buf, len, (off_t)off, &n) != 0 ||
	    n != len ? -1 : 0;
}

static void
alarm_print(void *arg __unused, uint64_t seq, const char *text)
{
	env_printf("alarm at %llu: %s\n", (unsigned long long)seq, text);
}

static void
open_jfile(struct world *w, struct jread *jr, const char *path,
    struct jfile *jf)
{
	struct jsource src = { kread, jr, 0 };
	struct vattr va;

	jr->w = w;
	jr->path = path;
	ENV_EQ(kvfs_stat(&w->tkv, path, true, &va), 0);
	src.js_size = va.va_size;
	jfile_init(jf, &src);
}

static bool
same_text(struct point *p, struct jmodel *m, struct jfile *jf, const char *what)
{
	struct text t = { NULL, 0, 0 };
	bool ok;

	add(&t, "%s", "");
	dump_model(&t, m, &jf->src, jm_find(m, m->root), 0);
	ok = strcmp(p->text, t.buf) == 0;
	if (!ok) {
		env_printf("%s: state at %llu differs\n", what,
		    (unsigned long long)p->number);
		first_difference(p->text, t.buf);
	}
	kfree(t.buf, &M_TEMP);
	return ok;
}

/* A filesystem with a past gives its base image as of one moment. */
static void
check_method(struct world *w, struct jfile *jf)
{
	uint64_t last = 0, disorder = 0;
	struct jitem it;

	while (jfile_next(jf, &it) == JFILE_ITEM) {
		const struct jrec_base_begin *bb = (const void *)it.rec;

		if (it.rec->jr_type == JREC_BASE_BEGIN)
			ENV_EQ(bb->bb_method, w->hammer ? JBM_ASOF :
			    JBM_CRAWL);
		if (it.rec->jr_type == JREC_COMMIT) {
			const struct jrec_commit *jc = (const void *)it.rec;

			disorder += jc->jc_seq < last;
			last = jc->jc_seq;
		}
	}
	/* A host thread may lose its CPU between number and commit. */
	if (vk_deterministic())
		ENV_EQ(disorder, 0);
	else if (disorder != 0)
		env_printf("%llu out of order\n",
		    (unsigned long long)disorder);
}

static void
check_points(struct world *w, const char *path, bool undo)
{
	struct jstate_info info;
	struct jmodel m;
	struct jread jr;
	struct jfile jf;
	int i, checked = 0;

	open_jfile(w, &jr, path, &jf);
	check_method(w, &jf);
	for (i = 0; i < w->npoints; i++) {
		struct jtarget t = { .has_seq = true,
		    .seq = w->points[i].number };

		memset(&info, 0, sizeof(info));
		if (jstate_build(&jf, &t, &m, &info, alarm_print, NULL) != 0) {
			/* Before the base image, or nothing came after. */
			if (w->points[i].number >= info.first &&
			    w->points[i].number <= info.last)
				env_printf("%s\n", info.why);
			ENV_CHECK(w->points[i].number < info.first ||
			    w->points[i].number > info.last);
			jm_done(&m);
			continue;
		}
		checked++;
		ENV_EQ(m.alarms, 0);
		ENV_CHECK(same_text(&w->points[i], &m, &jf, "forward"));
		jm_done(&m);
		if (!undo)
			continue;
		t.has_seq = false;
		ENV_EQ(jstate_build(&jf, &t, &m, &info, NULL, NULL), 0);
		t.has_seq = true;
		ENV_EQ(jstate_undo(&jf, &t, &m, &info), 0);
		ENV_EQ(m.alarms, 0);
		ENV_EQ(m.lost, 0);
		ENV_CHECK(same_text(&w->points[i], &m, &jf, "backward"));
		jm_done(&m);
	}
	ENV_CHECK(checked >= 2);
	jfile_done(&jf);
}

static void
world_init(struct world *w, bool hammer)
{
	memset(w, 0, sizeof(*w));
	w->hammer = hammer;
	if (hammer) {
		fx_open(&w->fx, 256 << 20, 0);
		w->mp = w->fx.mp;
	} else
		ENV_EQ(vfs_mount("tmpfs", NULL, NULL, 0, NULL, kernel_cred,
		    &w->mp), 0);
	ENV_EQ(vfs_mount("tmpfs", NULL, NULL, 0, NULL, kernel_cred, &w->tmp),
	    0);
	kvfs_init(&w->kv, w->mp);
	kvfs_init(&w->tkv, w->tmp);
}

static void
world_done(struct world *w)
{
	int i;

	for (i = 0; i < w->npoints; i++)
		kfree(w->points[i].text, &M_TEMP);
	kvfs_done(&w->kv);
	if (w->hammer) {
		fx_close(&w->fx);
	} else {
		ENV_EQ(vfs_unmount(w->mp, false), 0);
		mount_rele(w->mp);
	}
	kvfs_done(&w->tkv);
	ENV_EQ(vfs_unmount(w->tmp, false), 0);
	mount_rele(w->tmp);
}

static void
run_random(bool hammer, int threads, int steps)
{
	static struct world w;

	world_init(&w, hammer);
	w.threads = threads;
	w.steps = steps;
	env_parallel(threads, worker, &w);
	take_point(&w);
	ENV_EQ(journal_detach(w.mp, "j1", 0, JDW_CLEAN), 0);
	/* HAMMER keeps the bytes of what was removed itself: not backward here. */
	check_points(&w, "/j1", !hammer);
	world_done(&w);
}

static void
t_one(void)
{
	run_random(false, 1, 600);
}

static void
t_four(void)
{
	run_random(false, 4, 300);
}

static void
t_async(void)
{
	vop_force_async = true;
	run_random(false, 2, 300);
	vop_force_async = false;
}

static void
t_hammer_one(void)
{
	run_random(true, 1, 600);
}

static void
t_hammer_four(void)
{
	run_random(true, 4, 300);
}

/* ---- mapped stores ---- */

enum { MAP_PAGES = 8 };

/* A store as the hardware does it.  False: SIGBUS. */
static bool
ustore(struct vm_map *map, vm_offset_t va, uint8_t byte)
{
	vm_paddr_t pa;
	int prot;

	while (!pmap_extract(map->vm_pmap, va, &pa, &prot) ||
	    (prot & VM_PROT_WRITE) == 0)
		if (vm_fault(map, va, VM_PROT_WRITE) != 0)
			return false;
	*(uint8_t *)pa_to_kva(pa) = byte;
	return true;
}

static void
run_mapped(bool hammer)
{
	static struct world w;
	struct mountctl_status ms;
	struct vm_map *map;
	struct vnode *vp = NULL;
	vm_offset_t va = 0;
	char bytes[300];
	size_t n, got;
	int i, k;

	world_init(&w, hammer);
	ENV_EQ(kvfs_open(&w.kv, "/m", O_RDWR | O_CREAT, 0600, NULL, &vp), 0);
	ENV_EQ(kvfs_truncate(&w.kv, "/m", MAP_PAGES * PAGE_SIZE - 100), 0);
	map = vm_map_create();
	vm_object_ref(vp->v_object);
	ENV_EQ(vm_map_insert(map, &va, MAP_PAGES * PAGE_SIZE, vp->v_object, 0,
	    VM_PROT_READ | VM_PROT_WRITE, VM_PROT_READ | VM_PROT_WRITE,
	    VME_SHARED, false), 0);
	/* Writable before the journal comes: it must ask again. */
	ENV_CHECK(ustore(map, va + 10, 1));
	ENV_EQ(attach(&w, "/j1", "j1", MIF_UNDO), 0);
	for (i = 0; i < 200; i++) {
		switch (env_random(8)) {
		case 0:
			memset(bytes, (int)env_random(256), sizeof(bytes));
			ENV_EQ(vn_write(vp, bytes, 1 + env_random(299),
			    (off_t)env_random(MAP_PAGES * PAGE_SIZE), 0,
			    kernel_cred, &got, NULL), 0);
			break;
		case 1:
			ENV_EQ(kvfs_truncate(&w.kv, "/m",
			    env_random(MAP_PAGES * PAGE_SIZE)), 0);
			break;
		case 2:
			ENV_EQ(vop_fsync(vp, false, true, kernel_cred), 0);
			break;
		default:
			for (k = 0; k < 20; k++)
				(void)ustore(map, va +
				    env_random(MAP_PAGES * PAGE_SIZE),
				    (uint8_t)env_random(256));
			break;
		}
		if (i % 20 == 19) {
			ENV_EQ(journal_flush(w.mp, "j1"), 0);
			take_point(&w);
		}
	}
	ENV_EQ(journal_status(w.mp, &ms, 1, &n), 0);
	ENV_CHECK(ms.ms_mapwrites > 20);
	ENV_EQ(journal_detach(w.mp, "j1", 0, JDW_CLEAN), 0);
	vm_map_rele(map);
	kvfs_close(vp, O_RDWR, kernel_cred);
	check_points(&w, "/j1", true);
	world_done(&w);
}

static void
t_mapped(void)
{
	run_mapped(false);
}

static void
t_hammer_mapped(void)
{
	run_mapped(true);
}

/* The target fills up: operations wait for so long and no longer, then the
 * journal has failed, visibly; what was written is a good journal. */
static void
t_full_target(void)
{
	static struct world w;
	struct mountctl_install mi;
	struct mountctl_status ms;
	struct jstate_info info;
	static char block[60000];
	struct vnode *vp;
	struct jmodel m;
	struct jread jr;
	struct jfile jf;
	char name[32];
	size_t n;
	int i;

	world_init(&w, false);
	kvfs_done(&w.tkv);
	ENV_EQ(vfs_unmount(w.tmp, false), 0);
	mount_rele(w.tmp);
	ENV_EQ(vfs_mount("tmpfs", NULL, NULL, 0, "size=1m", kernel_cred,
	    &w.tmp), 0);
	kvfs_init(&w.tkv, w.tmp);
	vp = open_target(&w, "/j");
	memset(&mi, 0, sizeof(mi));
	kstrlcpy(mi.mi_tag, "j", sizeof(mi.mi_tag));
	mi.mi_flags = MIF_UNDO;
	mi.mi_wait_ms = 700;
	mi.mi_memfifo = 256 << 10;
	ENV_EQ(journal_attach(w.mp, vp, kernel_cred, &mi, "/mnt"), 0);
	kvfs_close(vp, O_RDWR, kernel_cred);
	for (i = 0; i < 60; i++) {
		ksnprintf(name, sizeof(name), "/f%d", i);
		ENV_EQ(kvfs_create(&w.kv, name, 0600), 0);
		ENV_EQ(kvfs_write(&w.kv, name, block, sizeof(block), 0), 0);
	}
	ENV_EQ(journal_status(w.mp, &ms, 1, &n), 0);
	ENV_EQ(ms.ms_state, MJS_FAILED);
	ENV_CHECK(ms.ms_error != 0);
	ENV_CHECK(ms.ms_lost > 0);
	ENV_CHECK(ms.ms_stalls > 0);
	ENV_EQ(journal_detach(w.mp, "j", 0, JDW_CLEAN), 0);
	open_jfile(&w, &jr, "/j", &jf);
	ENV_EQ(jstate_build(&jf, &(struct jtarget){ .has_seq = false }, &m,
	    &info, alarm_print, NULL), 0);
	ENV_CHECK(!info.detached);
	ENV_CHECK(info.applied > 10 && info.applied < 120);
	ENV_EQ(m.alarms, 0);
	jm_done(&m);
	jfile_done(&jf);
	world_done(&w);
}

/* The target on the mount itself, when it is asked for. */
static void
t_same_mount(void)
{
	static struct world w;
	struct mountctl_install mi;
	struct mountctl_status ms;
	struct vnode *vp = NULL;
	size_t n;
	int i;

	world_init(&w, false);
	memset(&mi, 0, sizeof(mi));
	kstrlcpy(mi.mi_tag, "own", sizeof(mi.mi_tag));
	mi.mi_flags = MIF_SAMEFS;
	ENV_EQ(kvfs_open(&w.kv, "/own", O_RDWR | O_CREAT, 0600, NULL, &vp), 0);
	ENV_EQ(journal_attach(w.mp, vp, kernel_cred, &mi, "/mnt"), 0);
	kvfs_close(vp, O_RDWR, kernel_cred);
	for (i = 0; i < 50; i++)
		ENV_EQ(kvfs_create(&w.kv, i % 2 ? "/x" : "/y", 0600) == EEXIST,
		    i > 1);
	ENV_EQ(journal_flush(w.mp, "own"), 0);
	ENV_EQ(journal_status(w.mp, &ms, 1, &n), 0);
	ENV_EQ(ms.ms_ops, 2);		/* and none of its own */
	ENV_EQ(ms.ms_state, MJS_LIVE);
	ENV_EQ(journal_detach(w.mp, "own", 0, JDW_CLEAN), 0);
	world_done(&w);
}

/* The rules of attaching. */
static void
t_rules(void)
{
	static struct world w;
	struct mountctl_status ms[4];
	struct vnode *vp = NULL;
	struct mountctl_install mi;
	size_t n;

	world_init(&w, false);
	memset(&mi, 0, sizeof(mi));
	kstrlcpy(mi.mi_tag, "own", sizeof(mi.mi_tag));
	ENV_EQ(kvfs_open(&w.kv, "/own", O_RDWR | O_CREAT, 0600, NULL, &vp), 0);
	ENV_EQ(journal_attach(w.mp, vp, kernel_cred, &mi, "/mnt"), EDEADLK);
	kvfs_close(vp, O_RDWR, kernel_cred);
	ENV_EQ(journal_status(w.mp, ms, 4, &n), ENOENT);
	ENV_EQ(attach(&w, "/a", "", 0), EINVAL);
	ENV_EQ(attach(&w, "/a", "a", MIF_TWOWAY), EOPNOTSUPP);
	ENV_EQ(attach(&w, "/a", "a", 0), 0);
	ENV_EQ(attach(&w, "/b", "a", 0), EEXIST);
	ENV_EQ(attach(&w, "/b", "b", 0), 0);
	ENV_EQ(journal_status(w.mp, ms, 4, &n), 0);
	ENV_EQ(n, 2);
	ENV_EQ(ms[0].ms_state, MJS_LIVE);
	ENV_EQ(kvfs_create(&w.kv, "/x", 0600), 0);
	ENV_EQ(journal_flush(w.mp, "a"), 0);
	ENV_EQ(journal_status(w.mp, ms, 4, &n), 0);
	ENV_EQ(ms[0].ms_lag_bytes, 0);
	ENV_EQ(ms[0].ms_ops, 1);
	ENV_EQ(journal_detach(w.mp, "nobody", 0, JDW_CLEAN), ENOENT);
	/* The mount of a target stays. */
	kvfs_done(&w.tkv);
	ENV_EQ(vfs_unmount(w.tmp, false), EBUSY);
	kvfs_init(&w.tkv, w.tmp);
	/* An unmount takes the journals off. */
	world_done(&w);
}

/* Detach and attach again: goes on if nothing happened, else anew. */
static void
t_again(void)
{
	static struct world w;
	struct mountctl_install mi;
	struct jstate_info info;
	enum jfile_result r;
	struct jmodel m;
	struct jread jr;
	struct jfile jf;
	struct jitem it;
	int round, attaches = 0, continues = 0;

	world_init(&w, false);
	ENV_EQ(kvfs_mkdir(&w.kv, "/d0", 0700), 0);
	do_write(&w.kv, "/d0/x");
	memset(&mi, 0, sizeof(mi));
	for (round = 0; round < 4; round++) {
		struct vnode *vp = open_target(&w, "/j");

		kstrlcpy(mi.mi_tag, "j", sizeof(mi.mi_tag));
		mi.mi_flags = MIF_UNDO;
		ENV_EQ(journal_attach(w.mp, vp, kernel_cred, &mi, "/mnt"), 0);
		ENV_EQ(kvfs_create(&w.kv, round == 0 ? "/a" : round == 1 ?
		    "/b" : round == 2 ? "/c" : "/d", 0600), 0);
		do_write(&w.kv, "/a");
		ENV_EQ(journal_detach(w.mp, "j", 0, JDW_CLEAN), 0);
		kvfs_close(vp, O_RDWR, kernel_cred);
		if (round == 1)
			ENV_EQ(kvfs_create(&w.kv, "/unseen", 0600), 0);
		open_jfile(&w, &jr, "/j", &jf);
		while ((r = jfile_next(&jf, &it)) == JFILE_ITEM) {
			const struct jrec_attach *jt = (const void *)it.rec;
			const struct jrec_detach *jd = (const void *)it.rec;

			if (it.rec->jr_type == JREC_ATTACH) {
				attaches++;
				continues += jt->jt_flags & JAF_CONTINUE;
				mi.mi_fsid = jt->jt_fsid;
			}
			if (it.rec->jr_type == JREC_DETACH)
				mi.mi_mntseq = jd->jd_mntseq;
		}
		ENV_EQ(r, JFILE_END);
		if (r != JFILE_END)
			env_printf("%s\n", jf.why);
		mi.mi_offset = jf.next;
		mi.mi_stream = jf.stream;
		mi.mi_frame = jf.index;
		mi.mi_hash = jf.hash;
		mi.mi_opindex = jf.lastindex;
		mi.mi_lastseq = jf.lastseq;
		jfile_done(&jf);
	}
	ENV_EQ(attaches, 1 + 2 + 3 + 4);
	ENV_EQ(continues, 1 + 1 + 2);
	take_point(&w);
	open_jfile(&w, &jr, "/j", &jf);
	ENV_EQ(jstate_build(&jf, &(struct jtarget){ .has_seq = false }, &m,
	    &info, alarm_print, NULL), 0);
	ENV_EQ(m.alarms, 0);
	ENV_CHECK(same_text(&w.points[0], &m, &jf, "end"));
	jm_done(&m);
	jfile_done(&jf);
	world_done(&w);
}

const struct env_test env_tests[] = {
	{ "journal rules", t_rules, 0 },
	{ "journal random operations, one thread", t_one, 0 },
	{ "journal random operations, four threads", t_four, 0 },
	{ "journal with every operation asynchronous", t_async, 0 },
	{ "journal detach and attach again", t_again, 0 },
	{ "journal of mapped stores", t_mapped, ENV_DET_ONLY },
	{ "journal whose target fills up", t_full_target, 0 },
	{ "journal on the mount itself", t_same_mount, 0 },
	{ "journal of mapped stores on hammer", t_hammer_mapped,
	    ENV_DET_ONLY },
	{ "journal of hammer, one thread", t_hammer_one, 0 },
	{ "journal of hammer, four threads", t_hammer_four, 0 },
	ENV_END
};
