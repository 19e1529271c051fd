/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names under many hands: threads on every CPU create, remove, rename, list
 * and look up in one small tree, while another takes entries out of the cache.
 *
 * What must hold: only the errors that races allow; a name that is only ever
 * replaced is never missing; a directory that moves takes its contents along;
 * and at the end every name that the filesystem lists resolves, and the mount
 * can be unmounted, which asserts that no reference was lost.
 */
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>
#include <sys/vnode.h>
#include <sys/vop.h>
#include "../../sys/vfs/namecache/nc.h"
#include "../env/env.h"

enum { THREADS = 4 };

static struct mount *mp;
static struct kvfs kv;
static unsigned rounds = 1500;

struct rnd {
	uint64_t s;
};

static uint64_t
rnd(struct rnd *r, uint64_t n)
{
	r->s ^= r->s << 13;
	r->s ^= r->s >> 7;
	r->s ^= r->s << 17;
	return r->s % n;
}

static bool
allowed(int error, const int *list)
{
	for (; *list >= 0; list++) {
		if (*list == error)
			return true;
	}
	return false;
}

static void
pick_path(struct rnd *r, char *path, size_t size)
{
	static const char *const dirs[] = { "", "/a", "/a/b", "/c", "/a/b/d" };

	ksnprintf(path, size, "%s/%c", dirs[rnd(r, nitems(dirs))],
	    (char)('a' + rnd(r, 6)));
}

static bool
ignore_entry(void *arg __unused, const char *name __unused,
    size_t len __unused, ino_t ino __unused, int dtype __unused,
    off_t next __unused)
{
	return true;
}

static void
mess_once(struct rnd *r, int op)
{
	static const int any[] = { 0, ENOENT, EEXIST, ENOTDIR, EISDIR,
	    ENOTEMPTY, EINVAL, -1 };
	char p[64], q[64], buf[16];
	struct vattr va;
	size_t n;
	int error = 0;

	pick_path(r, p, sizeof(p));
	pick_path(r, q, sizeof(q));
	switch (op) {
	case 0:
	case 1:
		error = kvfs_mkdir(&kv, p, 0755);
		break;
	case 2:
	case 3:
		error = kvfs_create(&kv, p, 0644);
		break;
	case 4:
		error = kvfs_unlink(&kv, p);
		break;
	case 5:
		error = kvfs_rmdir(&kv, p);
		break;
	case 6:
	case 7:
		error = kvfs_rename(&kv, p, &kv, q, 0);
		break;
	case 8:
		error = kvfs_rename(&kv, p, &kv, q, RENAME_EXCHANGE);
		break;
	case 9:
		error = kvfs_link(&kv, p, false, &kv, q);
		if (error == EPERM)
			error = 0;
		break;
	case 10:
		error = kvfs_write(&kv, p, "abc", 3, (off_t)rnd(r, 9000));
		break;
	case 11:
		error = kvfs_read(&kv, p, buf, sizeof(buf),
		    (off_t)rnd(r, 9000), &n);
		break;
	case 12:
		error = kvfs_readdir(&kv, p, ignore_entry, NULL);
		break;
	default:
		error = kvfs_stat(&kv, p, true, &va);
		break;
	}
	if (!allowed(error, any)) {
		env_printf("op %d %s %s: %d\n", op, p, q, error);
		ENV_CHECK(!"an allowed error");
	}
}

static void
mess(void *arg __unused, int who)
{
	struct rnd r = { env_random(1000000) * 8 + 1 + (uint64_t)who };
	unsigned i;

	for (i = 0; i < rounds; i++) {
		mess_once(&r, (int)rnd(&r, 16));
		if (who == 0 && i % 64 == 0)
			nc_trim(20);
		lwkt_yield_if_needed();
	}
}

static bool
check_entry(void *arg, const char *name, size_t len, ino_t ino,
    int dtype __unused, off_t next __unused)
{
	char path[512];
	struct vattr va;

	if (name[0] == '.')
		return true;
	ksnprintf(path, sizeof(path), "%s/%.*s", (char *)arg, (int)len,
	    name);
	ENV_EQ(kvfs_stat(&kv, path, false, &va), 0);
	ENV_EQ(va.va_ino, ino);
	if (S_ISDIR(va.va_mode) && strlen(path) < 400)
		ENV_EQ(kvfs_readdir(&kv, path, check_entry, path), 0);
	return true;
}

static void
begin(void)
{
	ENV_EQ(vfs_mount("tmpfs", NULL, NULL, 0, NULL, kernel_cred, &mp), 0);
	kvfs_init(&kv, mp);
}

static void
end(void)
{
	kvfs_done(&kv);
	ENV_EQ(vfs_unmount(mp, false), 0);
	mount_rele(mp);
}

static void
t_mess(void)
{
	begin();
	kvfs_mkdir(&kv, "/a", 0755);
	kvfs_mkdir(&kv, "/a/b", 0755);
	kvfs_mkdir(&kv, "/c", 0755);
	env_parallel(THREADS, mess, NULL);
	ENV_EQ(kvfs_readdir(&kv, "/", check_entry, ""), 0);
	end();
}

static void
t_mess_async(void)
{
	unsigned old = rounds;

	rounds /= 5;
	vop_force_async = true;
	t_mess();
	vop_force_async = false;
	rounds = old;
}

/* Threads 0 and 1 replace /t for ever; the others must always find it. */
static void
replace_or_look(void *arg __unused, int who)
{
	char mine[8];
	struct vattr va;
	unsigned i;
	int error, missing = 0;

	ksnprintf(mine, sizeof(mine), "/m%d", who);
	for (i = 0; i < rounds; i++) {
		if (who < 2) {
			ENV_EQ(kvfs_create(&kv, mine, 0644), 0);
			ENV_EQ(kvfs_rename(&kv, mine, &kv, "/t", 0), 0);
		} else {
			error = kvfs_stat(&kv, "/t", true, &va);
			if (error != 0)
				missing++;
		}
		lwkt_yield_if_needed();
	}
	ENV_EQ(missing, 0);
}

static void
t_replace(void)
{
	begin();
	ENV_EQ(kvfs_create(&kv, "/t", 0644), 0);
	env_parallel(THREADS, replace_or_look, NULL);
	end();
}

/* /x/d and /y/d exchange places again and again; the file below one of them
 * is always under exactly one of the two paths. */
static void
move_or_look(void *arg __unused, int who)
{
	struct vattr va;
	unsigned i;
	int a, b, both = 0;

	for (i = 0; i < rounds; i++) {
		if (who == 0) {
			ENV_EQ(kvfs_rename(&kv, "/x/d", &kv, "/y/d",
			    RENAME_EXCHANGE), 0);
		} else {
			a = kvfs_stat(&kv, "/x/d/f", true, &va);
			b = kvfs_stat(&kv, "/x/d", true, &va);
			if ((a != 0 && a != ENOENT) || b != 0)
				both++;
		}
		lwkt_yield_if_needed();
	}
	ENV_EQ(both, 0);
}

static void
t_exchange(void)
{
	begin();
	ENV_EQ(kvfs_mkdir(&kv, "/x", 0755), 0);
	ENV_EQ(kvfs_mkdir(&kv, "/y", 0755), 0);
	ENV_EQ(kvfs_mkdir(&kv, "/x/d", 0755), 0);
	ENV_EQ(kvfs_mkdir(&kv, "/y/d", 0755), 0);
	ENV_EQ(kvfs_create(&kv, "/x/d/f", 0644), 0);
	env_parallel(THREADS, move_or_look, NULL);
	end();
}

/* Creators in a directory against those who remove it. */
static void
fill_or_remove(void *arg __unused, int who)
{
	char path[16];
	unsigned i;
	int error;

	for (i = 0; i < rounds; i++) {
		ksnprintf(path, sizeof(path), "/dir/f%d", who);
		if (who & 1) {
			error = kvfs_create(&kv, path, 0644);
			ENV_CHECK(error == 0 || error == ENOENT);
			if (error == 0)
				ENV_EQ(kvfs_unlink(&kv, path), 0);
		} else {
			error = kvfs_rmdir(&kv, "/dir");
			ENV_CHECK(error == 0 || error == ENOTEMPTY ||
			    error == ENOENT);
			error = kvfs_mkdir(&kv, "/dir", 0755);
			ENV_CHECK(error == 0 || error == EEXIST);
		}
		lwkt_yield_if_needed();
	}
}

static void
t_rmdir_race(void)
{
	begin();
	env_parallel(THREADS, fill_or_remove, NULL);
	end();
}

/* The cache stays within its bounds however many names go by. */
static void
t_bounds(void)
{
	char path[32];
	struct vattr va;
	uint64_t before;
	unsigned i;

	begin();
	ENV_EQ(kvfs_mkdir(&kv, "/d", 0755), 0);
	before = nc_count;
	for (i = 0; i < 3000; i++) {
		ksnprintf(path, sizeof(path), "/d/x%u", i);
		ENV_EQ(kvfs_create(&kv, path, 0644), 0);
		ENV_EQ(kvfs_rename(&kv, path, &kv, "/d/t", 0), 0);
	}
	/* Replaced entries leave the cache at once. */
	ENV_CHECK(nc_count < before + 100);
	for (i = 0; i < 100; i++) {
		ksnprintf(path, sizeof(path), "/d/no%u", i);
		ENV_EQ(kvfs_stat(&kv, path, true, &va), ENOENT);
	}
	ENV_CHECK(nc_count >= before + 90);
	nc_trim(10000);
	ENV_CHECK(nc_count <= before + 4);
	end();
}

const struct env_test env_tests[] = {
	{ "nc_mess", t_mess, 0 },
	{ "nc_replace", t_replace, 0 },
	{ "nc_exchange", t_exchange, 0 },
	{ "nc_rmdir_race", t_rmdir_race, 0 },
	{ "nc_bounds", t_bounds, 0 },
	{ "nc_mess_async", t_mess_async, 0 },
	ENV_END
};
