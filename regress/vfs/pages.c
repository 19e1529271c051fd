/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page cache, vnode cache and layers, on a filesystem made up for it: "patfs"
 * has any number of read-only files whose bytes follow from inode and offset,
 * so whatever the caches do can be checked.  A page can be made to fail.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>
#include <sys/vnode.h>
#include <sys/vop.h>
#include <vm/vm_object.h>
#include "../../sys/vfs/core/vfs_core.h"
#include "../env/env.h"

enum { NFILES = 40000, ROOT_INO = 1 };

static struct lock table_lock;
static struct vnode *table[NFILES + 2];		/* [table_lock] by ino */
static uint64_t file_pages = 20;
static vm_pindex_t bad_page = ~0ULL;
static uint64_t pages_read, reclaims;		/* [a] */

static void
fill_attr(struct vnode *vp, struct vattr *va)
{
	ino_t ino = (ino_t)(uintptr_t)vp->v_data;

	memset(va, 0, sizeof(*va));
	va->va_ino = ino;
	va->va_mode = ino == ROOT_INO ? S_IFDIR | 0755 : S_IFREG | 0644;
	va->va_nlink = 1;
	va->va_size = ino == ROOT_INO ? 0 : ptob(file_pages) - 100;
}

/* The vnode of an inode, referenced: from the table, or new. */
static struct vnode *
pat_get(struct mount *mp, ino_t ino)
{
	struct vnode *vp;
	struct vattr va;

	for (;;) {
		lock_excl(&table_lock);
		vp = table[ino];
		if (vp == NULL)
			break;
		vn_hold(vp);
		lock_release(&table_lock);
		if (vn_get(vp) == 0) {
			vn_drop(vp);
			return vp;
		}
		vn_drop(vp);
	}
	vn_alloc(mp, ino == ROOT_INO ? VDIR : VREG, (void *)(uintptr_t)ino,
	    &vp);
	fill_attr(vp, &va);
	vn_attr_set(vp, &va);
	table[ino] = vp;
	lock_release(&table_lock);
	return vp;
}

static int
pat_nresolve(struct vop_msg *msg)
{
	const char *name;
	char text[16], *end;
	struct vnode *vp;
	uint64_t n;
	size_t len;

	name = nc_name(&msg->vm_nch, &len);
	if (len >= sizeof(text))
		goto missing;
	memcpy(text, name, len);
	text[len] = '\0';
	n = kstrtou64(text, &end, 10);
	if (*end != '\0' || n >= NFILES)
		goto missing;
	vp = pat_get(msg->vm_mount, n + 2);
	nc_setvp(&msg->vm_nch, vp);
	vn_rele(vp);
	return 0;
missing:
	nc_setvp(&msg->vm_nch, NULL);
	return ENOENT;
}

static int
pat_getattr(struct vop_msg *msg)
{
	fill_attr(msg->vm_vp, msg->u.attr.vap);
	return 0;
}

static uint64_t
pattern(ino_t ino, uint64_t off)
{
	return (ino * 0x9e3779b97f4a7c15ULL) ^ (off * 0xff51afd7ed558ccdULL);
}

static int
pat_getpages(struct vop_msg *msg)
{
	ino_t ino = (ino_t)(uintptr_t)msg->vm_vp->v_data;
	struct vm_page *pg;
	uint64_t *w;
	int i, j;

	for (i = 0; i < msg->u.pages.count; i++) {
		pg = msg->u.pages.pages[i];
		if (pg->m_pindex == bad_page)
			return EIO;
		w = vm_page_kva(pg);
		for (j = 0; j < PAGE_SIZE / 8; j++)
			w[j] = pattern(ino, ptob(pg->m_pindex) + 8 * j);
	}
	atomic_fetch_add(&pages_read, msg->u.pages.count);
	return 0;
}

static int
pat_reclaim(struct vop_msg *msg)
{
	ino_t ino = (ino_t)(uintptr_t)msg->vm_vp->v_data;

	lock_excl(&table_lock);
	ENV_CHECK(table[ino] == msg->vm_vp);
	table[ino] = NULL;
	lock_release(&table_lock);
	atomic_fetch_add(&reclaims, 1);
	return 0;
}

static vop_fn_t *const pat_vops[VOP_COUNT] = {
	[VOP_NRESOLVE] = pat_nresolve,
	[VOP_GETATTR] = pat_getattr,
	[VOP_GETPAGES] = pat_getpages,
	[VOP_RECLAIM] = pat_reclaim,
};

static int
pat_mount(struct mount *mp, const char *special __unused,
    const char *data __unused, struct ucred *cred __unused)
{
	mp->mnt_vops = pat_vops;
	mp->mnt_root = pat_get(mp, ROOT_INO);
	return 0;
}

static int
pat_unmount(struct mount *mp __unused, bool force __unused)
{
	return 0;
}

static struct vfsops pat_ops = {
	.vfc_name = "patfs",
	.vfs_mount = pat_mount,
	.vfs_unmount = pat_unmount,
};

static struct mount *mp;
static struct kvfs kv;

static void
begin(void)
{
	static bool registered;

	if (!registered) {
		lock_init(&table_lock, "patfs");
		vfs_register(&pat_ops);
		registered = true;
	}
	ENV_EQ(vfs_mount("patfs", NULL, NULL, 0, NULL, kernel_cred, &mp), 0);
	kvfs_init(&kv, mp);
}

static void
end(void)
{
	kvfs_done(&kv);
	ENV_EQ(vfs_unmount(mp, false), 0);
	ENV_CHECK(table[ROOT_INO] == NULL);
	mount_rele(mp);
}

/* Read and check; off a multiple of 8. */
static bool
check_read(unsigned file, uint64_t off, size_t len, size_t want)
{
	static uint64_t buf[8192];
	char path[16];
	size_t n, i;

	ksnprintf(path, sizeof(path), "%u", file);
	if (!ENV_EQ(kvfs_read(&kv, path, buf, len, (off_t)off, &n), 0) ||
	    !ENV_EQ(n, want))
		return false;
	for (i = 0; i < n / 8; i++) {
		if (buf[i] != pattern(file + 2, off + 8 * i))
			return ENV_CHECK(!"the file's bytes");
	}
	return true;
}

static void
t_read(void)
{
	uint64_t size, off;
	size_t len;
	int i;

	begin();
	size = ptob(file_pages) - 100;
	for (i = 0; i < 2000; i++) {
		off = env_random(size / 8 + 20) * 8;
		len = 1 + env_random(60000);
		if (!check_read((unsigned)env_random(10), off, len,
		    off >= size ? 0 : MIN(len, size - off)))
			break;
	}
	/* Each page came once. */
	ENV_EQ(pages_read, 10 * file_pages);
	end();
}

static void
t_eio(void)
{
	char buf[16];
	size_t n;

	begin();
	bad_page = 5;
	ENV_CHECK(check_read(3, 0, 5 * 4096, 5 * 4096));
	ENV_EQ(kvfs_read(&kv, "3", buf, 16, 5 * 4096 + 8, &n), EIO);
	ENV_CHECK(check_read(3, 6 * 4096, 4096, 4096));
	/* Bytes before the damage are given, then the error. */
	ENV_EQ(kvfs_read(&kv, "3", buf, 16, 5 * 4096 - 8, &n), 0);
	ENV_EQ(n, 8);
	bad_page = ~0ULL;
	ENV_CHECK(check_read(3, 5 * 4096, 4096, 4096));
	end();
}

/* More data than memory: pages are given back, and come again. */
static void
t_reclaim(void)
{
	uint64_t old = file_pages, i;

	begin();
	file_pages = vm_pages_total + vm_pages_total / 4;
	for (i = 0; i + 16 <= file_pages - 1; i += 16) {
		if (!check_read(7, ptob(i), ptob(16), ptob(16)))
			break;
	}
	ENV_CHECK(check_read(7, 0, 4096, 4096));
	file_pages = old;
	end();
}

/* More files than the vnode cache may hold. */
static void
look_at_files(void *arg __unused, int who)
{
	struct vattr va;
	char path[16];
	unsigned i, f;

	for (i = 0; i < 12000; i++) {
		f = (i * 7 + (unsigned)who * 3001) % NFILES;
		ksnprintf(path, sizeof(path), "%u", f);
		if (!ENV_EQ(kvfs_stat(&kv, path, true, &va), 0) ||
		    !ENV_EQ(va.va_ino, f + 2))
			break;
		lwkt_yield_if_needed();
	}
}

static bool
few_vnodes(void *arg __unused)
{
	return atomic_load(&vfs_nvnodes) <= vm_pages_total / 8;
}

static void
t_vnodes(void)
{
	uint64_t before = atomic_load(&reclaims);

	begin();
	env_parallel(4, look_at_files, NULL);
	ENV_CHECK(env_wait(few_vnodes, NULL));
	if (vm_pages_total / 8 < 12000)
		ENV_CHECK(atomic_load(&reclaims) > before);
	end();
}

/* ---- layers that come and go under load ---- */

struct counting {
	struct vop_layer vl;
	int64_t		inside, seen, done_ok, commits;	/* [a] */
	bool		attached;
};
static struct counting layers[2];
static uint32_t stop;

static int
count_down(struct vop_layer *vl, struct vop_msg *msg)
{
	struct counting *c = vl->vl_private;
	int error;

	atomic_fetch_add(&c->inside, 1);
	ENV_CHECK(atomic_load(&c->attached));
	error = vop_next(msg);
	if (error == 0 && (msg->vm_flags & VMF_COMMITTED))
		atomic_fetch_add(&c->done_ok, 1);
	atomic_fetch_add(&c->seen, 1);
	atomic_fetch_sub(&c->inside, 1);
	return error;
}

static void
count_commit(struct vop_layer *vl, struct vop_msg *msg,
    const struct vop_effects *eff __unused)
{
	struct counting *c = vl->vl_private;

	ENV_CHECK(msg->vm_number != 0);
	atomic_fetch_add(&c->commits, 1);
}

static void
work_or_attach(void *arg __unused, int who)
{
	struct counting *c;
	char path[16];
	int i;

	if (who < 2) {
		c = &layers[who];
		c->vl.vl_name = "count";
		c->vl.vl_down = count_down;
		c->vl.vl_commit = count_commit;
		c->vl.vl_private = c;
		for (i = 0; i < 60 || atomic_load(&c->commits) == 0; i++) {
			atomic_store(&c->attached, true);
			ENV_EQ(mount_layer_attach(mp, &c->vl), 0);
			lwkt_yield();
			lwkt_yield();
			mount_layer_detach(mp, &c->vl);
			ENV_EQ(atomic_load(&c->inside), 0);
			ENV_EQ(atomic_load(&c->commits),
			    atomic_load(&c->done_ok));
			atomic_store(&c->attached, false);
			lwkt_yield();
		}
		atomic_fetch_add(&stop, 1);
		return;
	}
	ksnprintf(path, sizeof(path), "f%d", who);
	while (atomic_load(&stop) < 2) {
		ENV_EQ(kvfs_create(&kv, path, 0644), 0);
		ENV_EQ(kvfs_write(&kv, path, "x", 1, 0), 0);
		ENV_EQ(kvfs_unlink(&kv, path), 0);
		lwkt_yield();
	}
}

static void
t_layers(void)
{
	stop = 0;
	memset(layers, 0, sizeof(layers));
	ENV_EQ(vfs_mount("tmpfs", NULL, NULL, 0, NULL, kernel_cred, &mp), 0);
	kvfs_init(&kv, mp);
	env_parallel(4, work_or_attach, NULL);
	ENV_CHECK(layers[0].commits > 0 && layers[1].commits > 0);
	kvfs_done(&kv);
	ENV_EQ(vfs_unmount(mp, false), 0);
	mount_rele(mp);
}

static void
t_layers_async(void)
{
	vop_force_async = true;
	t_layers();
	vop_force_async = false;
}

const struct env_test env_tests[] = {
	{ "page_read", t_read, 0 },
	{ "page_eio", t_eio, 0 },
	{ "page_reclaim", t_reclaim, 0 },
	{ "vnode_reclaim", t_vnodes, 0 },
	{ "layers", t_layers, 0 },
	{ "layers_async", t_layers_async, 0 },
	ENV_END
};
