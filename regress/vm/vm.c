/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces against an oracle.
 *
 * A few spaces (struct vm_map) are driven with random mmap, munmap, protect,
 * fork, discard, move, loads, stores, and writes to and truncations of the
 * files that they map; beside them runs a model that knows for every page of
 * every space what it must show.  Loads and stores go through vm_map_access,
 * that is the real vm_fault.  At the end all pages must have come back.
 *
 * The model: a file page is a byte; a space's page is unmapped, or a private
 * byte, or follows a file page (a private mapping of a file until it is
 * written, a shared one always).  Every page is filled with its byte.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>
#include <sys/vnode.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include "../env/env.h"

const int env_default_seeds = 5;

enum { SPACES = 4, PAGES = 48, FILES = 2, FPAGES = 16, STEPS = 3000 };
#define BASE	0x10000000ULL

struct mpage {				/* a page of a space, as it must be */
	bool	 mapped, shared;
	uint8_t	 prot;
	int	 file;			/* -1: anonymous */
	int	 fpage;
	bool	 own;			/* private and written: "byte" */
	uint8_t	 byte;
	int	 shm;			/* shared anonymous page, or -1 */
};

struct model {
	struct mpage	 pg[SPACES][PAGES];
	uint8_t		 file[FILES][FPAGES];
	int		 fsize[FILES];	/* pages */
	uint8_t		 shm[4096];
	int		 nshm;
	struct vm_map	*map[SPACES];
	struct vnode	*vp[FILES];
};

static struct model *md;

/* What a load of the page must give: 0, or the errno; *byte. */
static int
expect_load(const struct mpage *p, uint8_t *byte)
{
	if (!p->mapped || (p->prot & VM_PROT_READ) == 0)
		return EFAULT;
	if (p->shm >= 0) {
		*byte = md->shm[p->shm];
		return 0;
	}
	if (p->own || p->file < 0) {
		*byte = p->own ? p->byte : 0;
		return 0;
	}
	if (p->fpage >= md->fsize[p->file])
		return EFAULT;
	*byte = md->file[p->file][p->fpage];
	return 0;
}

static void
do_load(int s, int i)
{
	uint8_t buf[16], want = 0;
	uint64_t off = env_random(PAGE_SIZE - sizeof(buf));
	int error, expect = expect_load(&md->pg[s][i], &want);
	size_t k;

	error = vm_map_access(md->map[s], BASE + ptob(i) + off, buf,
	    sizeof(buf), false);
	if (!ENV_EQ(error, expect) || error)
		return;
	for (k = 0; k < sizeof(buf); k++)
		if (buf[k] != want)
			break;
	ENV_EQ(k, sizeof(buf));
}

static void
do_store(int s, int i)
{
	struct mpage *p = &md->pg[s][i];
	uint8_t page[PAGE_SIZE], byte = (uint8_t)(1 + env_random(255));
	bool ok = p->mapped && (p->prot & VM_PROT_WRITE) &&
	    (p->shm >= 0 || p->own || p->file < 0 ||
	    p->fpage < md->fsize[p->file]);
	int error;

	memset(page, byte, sizeof(page));
	error = vm_map_access(md->map[s], BASE + ptob(i), page, sizeof(page),
	    true);
	ENV_EQ(error, ok ? 0 : EFAULT);
	if (!ok)
		return;
	if (p->shm >= 0) {
		md->shm[p->shm] = byte;
	} else if (p->file >= 0 && p->shared) {
		md->file[p->file][p->fpage] = byte;
	} else {
		p->own = true;
		p->byte = byte;
	}
}

static void
do_map(int s)
{
	int i = (int)env_random(PAGES), n = 1 + (int)env_random(12), k;
	int file = (int)env_random(FILES + 1) - 1, fp = 0;
	bool shared = env_random(2);
	struct vm_object *obj = NULL;
	vm_offset_t va = BASE + ptob(i);
	int prot = env_random(4) ? 3 : 1;

	n = MIN(n, PAGES - i);
	if (file >= 0) {
		fp = (int)env_random(FPAGES / 2);
		n = MIN(n, FPAGES - fp);
		obj = md->vp[file]->v_object;
		vm_object_ref(obj);
	} else if (shared) {
		if (md->nshm + n > (int)sizeof(md->shm))
			return;
		obj = vm_object_alloc(OBJT_ANON, NULL);
	}
	ENV_EQ(vm_map_insert(md->map[s], &va, ptob(n), obj,
	    file >= 0 ? ptob(fp) : 0, prot, 7, shared ? VME_SHARED : 0, true),
	    0);
	for (k = 0; k < n; k++) {
		md->pg[s][i + k] = (struct mpage){
			.mapped = true, .shared = shared, .prot = (uint8_t)prot,
			.file = file, .fpage = fp + k, .shm = -1,
		};
		if (file < 0 && shared) {
			md->shm[md->nshm] = 0;
			md->pg[s][i + k].shm = md->nshm++;
		}
	}
}

static void
do_unmap(int s)
{
	int i = (int)env_random(PAGES), n = 1 + (int)env_random(6);

	n = MIN(n, PAGES - i);
	ENV_EQ(vm_map_remove(md->map[s], BASE + ptob(i), BASE + ptob(i + n)),
	    0);
	for (; n-- > 0; i++)
		md->pg[s][i].mapped = false;
}

static void
do_protect(int s)
{
	int i = (int)env_random(PAGES), n = 1 + (int)env_random(6), k;
	int prot = (int)env_random(4), expect = 0;

	n = MIN(n, PAGES - i);
	for (k = 0; k < n; k++)
		if (!md->pg[s][i + k].mapped)
			expect = ENOMEM;
	ENV_EQ(vm_map_protect(md->map[s], BASE + ptob(i), BASE + ptob(i + n),
	    prot), expect);
	for (k = 0; k < n && expect == 0; k++)
		md->pg[s][i + k].prot = (uint8_t)prot;
}

static void
do_discard(int s)
{
	struct vm_map *map = md->map[s];
	int i = (int)env_random(PAGES);
	struct mpage *p = &md->pg[s][i];
	struct vm_map_entry *e;

	if (!p->mapped || p->shared)
		return;
	lock_excl(&map->vm_lock);
	e = vm_map_lookup(map, BASE + ptob(i));
	vm_map_discard(map, e, BASE + ptob(i), BASE + ptob(i + 1));
	lock_release(&map->vm_lock);
	p->own = false;
}

static void
do_fork(int s)
{
	int t = (int)env_random(SPACES);

	if (t == s)
		return;
	vm_map_rele(md->map[t]);
	md->map[t] = vm_map_fork(md->map[s]);
	ENV_CHECK(md->map[t] != NULL);
	memcpy(md->pg[t], md->pg[s], sizeof(md->pg[t]));
}

static void
do_file_write(void)
{
	int f = (int)env_random(FILES), i = (int)env_random(FPAGES), k;
	uint8_t page[PAGE_SIZE], byte = (uint8_t)env_random(256);
	size_t done;
	off_t end;

	memset(page, byte, sizeof(page));
	ENV_EQ(vn_write(md->vp[f], page, sizeof(page), (off_t)ptob(i), 0,
	    kernel_cred, &done, &end), 0);
	for (k = md->fsize[f]; k < i; k++)
		md->file[f][k] = 0;
	md->file[f][i] = byte;
	md->fsize[f] = MAX(md->fsize[f], i + 1);
}

static void
do_truncate(void)
{
	int f = (int)env_random(FILES), n = (int)env_random(FPAGES + 1), k;
	struct vattr va = { .va_mask = VA_SIZE, .va_size = ptob(n) };

	ENV_EQ(vn_setattr(md->vp[f], &va, kernel_cred), 0);
	for (k = md->fsize[f]; k < n; k++)
		md->file[f][k] = 0;
	md->fsize[f] = n;
}

/* Files read back as the model says: stores reached them. */
static void
check_files(void)
{
	uint8_t page[PAGE_SIZE];
	size_t done, k;
	int f, i;

	for (f = 0; f < FILES; f++)
		for (i = 0; i < md->fsize[f]; i++) {
			ENV_EQ(vn_read(md->vp[f], page, sizeof(page),
			    (off_t)ptob(i), kernel_cred, &done), 0);
			for (k = 0; k < done && page[k] == md->file[f][i]; k++)
				;
			ENV_EQ(k, PAGE_SIZE);
		}
}

static void
step(void)
{
	int s = (int)env_random(SPACES), i = (int)env_random(PAGES);

	switch (env_random(32)) {
	case 0: case 1: case 2:
		do_map(s);
		break;
	case 3:
		do_unmap(s);
		break;
	case 4: case 5:
		do_protect(s);
		break;
	case 6:
		do_fork(s);
		break;
	case 7:
		do_discard(s);
		break;
	case 8: case 9:
		do_file_write();
		break;
	case 10:
		do_truncate();
		break;
	case 11: case 12: case 13: case 14: case 15: case 16: case 17:
	case 18: case 19: case 20:
		do_store(s, i);
		break;
	default:
		do_load(s, i);
		break;
	}
}

static void
t_random(void)
{
	static const char *const names[FILES] = { "/a", "/b" };
	struct mount *mp = NULL;
	struct kvfs kv;
	int i, s;

	ENV_REQUIRE(vfs_mount("tmpfs", NULL, NULL, 0, NULL, kernel_cred,
	    &mp) == 0);
	kvfs_init(&kv, mp);
	md = kmalloc(sizeof(*md), &M_TEMP, M_WAITOK | M_ZERO);
	for (i = 0; i < FILES; i++)
		ENV_EQ(kvfs_open(&kv, names[i], O_CREAT | O_RDWR, 0600, NULL,
		    &md->vp[i]), 0);
	for (s = 0; s < SPACES; s++)
		md->map[s] = vm_map_create();
	for (i = 0; i < STEPS; i++)
		step();
	check_files();
	for (s = 0; s < SPACES; s++)
		for (i = 0; i < PAGES; i++)
			do_load(s, i);
	for (s = 0; s < SPACES; s++)
		vm_map_rele(md->map[s]);
	for (i = 0; i < FILES; i++)
		kvfs_close(md->vp[i], O_RDWR, kernel_cred);
	kfree(md, &M_TEMP);
	kvfs_done(&kv);
	ENV_EQ(vfs_unmount(mp, false), 0);
	mount_rele(mp);
}

/* A page that only one space has left is written in place, not copied. */
static void
t_cow_count(void)
{
	struct vm_map *a = vm_map_create(), *b;
	vm_offset_t va = BASE;
	uint64_t before = vm_pages_free, n;
	char c = 1;
	int i;

	ENV_EQ(vm_map_insert(a, &va, ptob(64), NULL, 0, 3, 7, 0, true), 0);
	for (i = 0; i < 64; i++)
		ENV_EQ(vm_map_access(a, va + ptob(i), &c, 1, true), 0);
	ENV_EQ(a->vm_anon.va_count, 64);
	b = vm_map_fork(a);
	ENV_EQ(b->vm_anon.va_count, 64);
	n = vm_pages_free;
	for (i = 0; i < 64; i++)
		ENV_EQ(vm_map_access(b, va + ptob(i), &c, 1, false), 0);
	ENV_CHECK(n - vm_pages_free < 32);	/* reads copy nothing */
	n = vm_pages_free;
	for (i = 0; i < 64; i++)
		ENV_EQ(vm_map_access(b, va + ptob(i), &c, 1, true), 0);
	ENV_CHECK(n - vm_pages_free >= 64);
	vm_map_rele(b);
	n = vm_pages_free;
	for (i = 0; i < 64; i++)
		ENV_EQ(vm_map_access(a, va + ptob(i), &c, 1, true), 0);
	ENV_EQ(vm_pages_free, n);
	vm_map_rele(a);
	ENV_CHECK(vm_pages_free + 64 > before);
}

struct race {
	struct vm_map	*map;
	int32_t		 stop;
};

/* Threads fault and write the same shared-by-fork pages at once. */
static void
race_thread(void *arg, int t)
{
	struct race *r = arg;
	uint32_t v, w;
	int i;

	for (i = 0; i < 400; i++) {
		v = (uint32_t)(t * 1000 + i);
		ENV_EQ(vm_map_access(r->map, BASE + ptob(i % 16) +
		    (unsigned)t * 8, &v, 4, true), 0);
		ENV_EQ(vm_map_access(r->map, BASE + ptob(i % 16) +
		    (unsigned)t * 8, &w, 4, false), 0);
		ENV_EQ(v, w);
		if (t == 0 && i % 8 == 0)
			vm_map_rele(vm_map_fork(r->map));
		if (i % 16 == 0)
			lwkt_yield();
	}
}

static void
t_race(void)
{
	struct race r = { .map = vm_map_create() };
	vm_offset_t va = BASE;

	ENV_EQ(vm_map_insert(r.map, &va, ptob(16), NULL, 0, 3, 7, 0, true), 0);
	env_parallel(4, race_thread, &r);
	vm_map_rele(r.map);
}

static void
t_space(void)
{
	struct vm_map *m = vm_map_create();
	vm_offset_t a = 0, b = 0, c = 0;

	ENV_EQ(vm_map_insert(m, &a, ptob(4), NULL, 0, 3, 7, 0, false), 0);
	ENV_EQ(vm_map_insert(m, &b, ptob(4), NULL, 0, 1, 7, 0, false), 0);
	ENV_CHECK(b + ptob(4) == a);
	ENV_EQ(vm_map_remove(m, a, a + ptob(2)), 0);
	ENV_EQ(vm_map_insert(m, &c, ptob(2), NULL, 0, 3, 7, 0, false), 0);
	ENV_CHECK(c == a);		/* the highest hole that fits */
	c = ~0ULL << 12;
	ENV_EQ(vm_map_insert(m, &c, ptob(2), NULL, 0, 3, 7, 0, true), ENOMEM);
	c = 5;
	ENV_EQ(vm_map_insert(m, &c, ptob(2), NULL, 0, 3, 7, 0, true), EINVAL);
	m->vm_limit = m->vm_size + ptob(1);
	c = 0;
	ENV_EQ(vm_map_insert(m, &c, ptob(2), NULL, 0, 3, 7, 0, false), ENOMEM);
	ENV_EQ(vm_fault(m, 0, VM_PROT_READ), EFAULT);
	ENV_EQ(vm_fault(m, ~0ULL, VM_PROT_READ), EFAULT);
	ENV_EQ(vm_fault(m, b, VM_PROT_WRITE), EACCES);
	vm_map_rele(m);
}

const struct env_test env_tests[] = {
	{ "space", t_space, 0 },
	{ "cow_count", t_cow_count, 0 },
	{ "random", t_random, 0 },
	{ "race", t_race, 0 },
	ENV_END
};
