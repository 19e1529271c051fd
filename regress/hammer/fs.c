/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vnode operations of HAMMER on one volume: the smallest useful cases of
 * each, remounts between, and what as-of names and the history questions tell.
 */
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>
#include <sys/vnode.h>

#include "fx.h"
#include "vfs/hammer/hammer_ioctl.h"

enum { SIZE = 256 << 20 };

static bool
start(struct fx *fx)
{
	return fx_open(fx, SIZE, ED_SYNC | ED_INORDER);
}

static int
put(struct fx *fx, const char *path, const char *text)
{
	return fx_put(fx, path, text, strlen(text));
}

static void
t_mount(void)
{
	struct fx fx = { 0 };
	struct vattr va;
	struct statfs_info sf;

	if (!start(&fx))
		return;
	ENV_EQ(kvfs_stat(&fx.kv, "/", true, &va), 0);
	ENV_EQ(va.va_ino, 1);
	ENV_EQ(va.va_mode, S_IFDIR | 0755);
	ENV_EQ(fx_entries(&fx, "/"), 0);
	ENV_EQ(vfs_statfs(fx.mp, &sf), 0);
	ENV_CHECK(sf.f_blocks > 10000);
	fx_remount(&fx);
	fx_close(&fx);
}

static void
t_names(void)
{
	struct fx fx = { 0 };
	struct vattr va;
	char buf[128], longlink[100];
	size_t n;

	if (!start(&fx))
		return;
	ENV_EQ(kvfs_mkdir(&fx.kv, "/a", 0755), 0);
	ENV_EQ(kvfs_mkdir(&fx.kv, "/a", 0755), EEXIST);
	ENV_EQ(kvfs_mkdir(&fx.kv, "/a/b", 0700), 0);
	ENV_EQ(put(&fx, "/a/b/f", "hello"), 0);
	ENV_CHECK(fx_holds(&fx, "/a/b/f", "hello"));
	ENV_EQ(kvfs_link(&fx.kv, "/a/b/f", true, &fx.kv, "/g"), 0);
	ENV_EQ(kvfs_stat(&fx.kv, "/g", true, &va), 0);
	ENV_EQ(va.va_nlink, 2);
	ENV_EQ(va.va_size, 5);
	ENV_EQ(kvfs_symlink(&fx.kv, "b/f", "/a/l"), 0);
	ENV_CHECK(fx_holds(&fx, "/a/l", "hello"));
	memset(longlink, 'x', sizeof(longlink));
	longlink[99] = 0;
	ENV_EQ(kvfs_symlink(&fx.kv, longlink, "/ll"), 0);
	ENV_EQ(kvfs_mknod(&fx.kv, "/dev", S_IFBLK | 0600, makedev(8, 300)), 0);
	ENV_EQ(kvfs_mknod(&fx.kv, "/fifo", S_IFIFO | 0600, 0), 0);
	fx_remount(&fx);
	ENV_EQ(kvfs_readlink(&fx.kv, "/ll", buf, sizeof(buf), &n), 0);
	ENV_EQ(n, 99);
	ENV_CHECK(memcmp(buf, longlink, 99) == 0);
	ENV_EQ(kvfs_stat(&fx.kv, "/dev", true, &va), 0);
	ENV_EQ(va.va_rdev, makedev(8, 300));
	ENV_EQ(va.va_mode, S_IFBLK | 0600);
	ENV_CHECK(fx_holds(&fx, "/a/l", "hello"));
	ENV_EQ(fx_entries(&fx, "/"), 5);
	ENV_EQ(kvfs_rename(&fx.kv, "/a/b", &fx.kv, "/d", 0), 0);
	ENV_EQ(kvfs_stat(&fx.kv, "/a/b", true, &va), ENOENT);
	ENV_CHECK(fx_holds(&fx, "/d/f", "hello"));
	ENV_CHECK(fx_holds(&fx, "/d/../g", "hello"));
	ENV_EQ(kvfs_rmdir(&fx.kv, "/d"), ENOTEMPTY);
	ENV_EQ(put(&fx, "/h", "other"), 0);
	ENV_EQ(kvfs_rename(&fx.kv, "/h", &fx.kv, "/d/f", 0), 0);
	ENV_CHECK(fx_holds(&fx, "/d/f", "other"));
	ENV_EQ(kvfs_stat(&fx.kv, "/g", true, &va), 0);
	ENV_EQ(va.va_nlink, 1);
	ENV_EQ(kvfs_rename(&fx.kv, "/g", &fx.kv, "/d/f", RENAME_EXCHANGE), 0);
	ENV_CHECK(fx_holds(&fx, "/d/f", "hello"));
	ENV_CHECK(fx_holds(&fx, "/g", "other"));
	ENV_EQ(kvfs_rename(&fx.kv, "/g", &fx.kv, "/d/f", RENAME_NOREPLACE),
	    EEXIST);
	ENV_EQ(kvfs_unlink(&fx.kv, "/d/f"), 0);
	ENV_EQ(kvfs_rmdir(&fx.kv, "/d"), 0);
	ENV_EQ(put(&fx, "/x@@0x0000000000000001", "no"), EINVAL);
	ENV_EQ(put(&fx, "/x@@y", "yes"), 0);
	fx_remount(&fx);
	ENV_CHECK(fx_holds(&fx, "/x@@y", "yes"));
	ENV_EQ(fx_entries(&fx, "/"), 6);
	fx_close(&fx);
}

static void
t_data(void)
{
	static char big[3 << 20], back[3 << 20];
	struct fx fx = { 0 };
	struct vattr va;
	size_t n, i;

	if (!start(&fx))
		return;
	for (i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + (i >> 12));
	ENV_EQ(kvfs_create(&fx.kv, "/big", 0600), 0);
	ENV_EQ(kvfs_write(&fx.kv, "/big", big, sizeof(big), 0), 0);
	/* A hole, then one page; a patch across the 1 MB edge. */
	ENV_EQ(kvfs_create(&fx.kv, "/holes", 0600), 0);
	ENV_EQ(kvfs_write(&fx.kv, "/holes", "end", 3, 50 << 20), 0);
	fx_remount(&fx);
	ENV_EQ(kvfs_write(&fx.kv, "/big", "patch", 5, (1 << 20) - 2), 0);
	memcpy(big + (1 << 20) - 2, "patch", 5);
	fx_remount(&fx);
	ENV_EQ(kvfs_read(&fx.kv, "/big", back, sizeof(back), 0, &n), 0);
	ENV_EQ(n, sizeof(big));
	ENV_CHECK(memcmp(big, back, sizeof(big)) == 0);
	ENV_EQ(kvfs_stat(&fx.kv, "/holes", true, &va), 0);
	ENV_EQ(va.va_size, (50 << 20) + 3);
	ENV_EQ(kvfs_read(&fx.kv, "/holes", back, 100, (50 << 20) - 10, &n), 0);
	ENV_EQ(n, 13);
	ENV_CHECK(memcmp(back, "\0\0\0\0\0\0\0\0\0\0end", 13) == 0);
	/* Cut and grow: what was cut must not come back. */
	ENV_EQ(kvfs_truncate(&fx.kv, "/big", 100001), 0);
	ENV_EQ(kvfs_truncate(&fx.kv, "/big", 2000000), 0);
	memset(big + 100001, 0, sizeof(big) - 100001);
	ENV_EQ(kvfs_read(&fx.kv, "/big", back, sizeof(back), 0, &n), 0);
	ENV_EQ(n, 2000000);
	ENV_CHECK(memcmp(big, back, n) == 0);
	fx_remount(&fx);
	ENV_EQ(kvfs_read(&fx.kv, "/big", back, sizeof(back), 0, &n), 0);
	ENV_EQ(n, 2000000);
	ENV_CHECK(memcmp(big, back, n) == 0);
	ENV_EQ(kvfs_write(&fx.kv, "/big", "tail", 4, 1999990), 0);
	memcpy(big + 1999990, "tail", 4);
	fx_remount(&fx);
	ENV_EQ(kvfs_read(&fx.kv, "/big", back, sizeof(back), 0, &n), 0);
	ENV_CHECK(n == 2000000 && memcmp(big, back, n) == 0);
	fx_close(&fx);
}

static void
t_history(void)
{
	struct fx fx = { 0 };
	struct vattr va, dva;
	uint64_t t0, ta, tb, tr;

	if (!start(&fx))
		return;
	ENV_EQ(kvfs_mkdir(&fx.kv, "/d", 0755), 0);
	t0 = fx_last(&fx);
	ENV_EQ(put(&fx, "/d/plan", "plan A\n"), 0);
	ta = fx_last(&fx);
	ENV_EQ(put(&fx, "/d/plan", "plan B\n"), 0);
	tb = fx_last(&fx);
	ENV_EQ(kvfs_unlink(&fx.kv, "/d/plan"), 0);
	tr = fx_last(&fx);
	ENV_CHECK(t0 < ta && ta < tb && tb < tr);
	ENV_CHECK(fx_holds(&fx, fx_at("/d/plan", ta), "plan A\n"));
	ENV_CHECK(fx_holds(&fx, fx_at("/d/plan", tb), "plan B\n"));
	ENV_EQ(kvfs_stat(&fx.kv, fx_at("/d/plan", t0), true, &va), ENOENT);
	ENV_EQ(kvfs_stat(&fx.kv, fx_at("/d/plan", tr), true, &va), ENOENT);
	ENV_EQ(kvfs_stat(&fx.kv, fx_at("/d/plan", tr + 1000000000), true, &va),
	    EINVAL);
	fx_remount(&fx);
	ENV_CHECK(fx_holds(&fx, fx_at("/d/plan", ta), "plan A\n"));
	ENV_EQ(fx_entries(&fx, fx_at("/d", tb)), 1);
	ENV_EQ(fx_entries(&fx, fx_at("/d", t0)), 0);
	ENV_EQ(fx_entries(&fx, "/d"), 0);
	/* Down a tree of the past; the moment holds for all below. */
	{
		char path[300];

		ksnprintf(path, sizeof(path), "%s/plan", fx_at("/d", ta));
		ENV_CHECK(fx_holds(&fx, path, "plan A\n"));
		ENV_EQ(put(&fx, path, "x"), EROFS);
		ENV_EQ(kvfs_unlink(&fx.kv, path), EROFS);
		ksnprintf(path, sizeof(path), "/@@0x%016llx/d/plan",
		    (unsigned long long)tb);
		ENV_CHECK(fx_holds(&fx, path, "plan B\n"));
	}
	ENV_EQ(kvfs_stat(&fx.kv, fx_at("/d", ta), true, &va), 0);
	ENV_EQ(kvfs_stat(&fx.kv, "/d", true, &dva), 0);
	ENV_CHECK(va.va_fsdev != dva.va_fsdev);
	ENV_EQ(va.va_ino, dva.va_ino);
	fx_close(&fx);
}

/*
 * A log that grows by short appends with fsync, sometimes rewritten inside or
 * cut: every version reads as it was written, now and after a remount.
 */
static void
t_appends(void)
{
	enum { STEPS = 150, MAXLEN = 40000 };
	static char shadow[MAXLEN], got[MAXLEN], chunk[400];
	static struct { uint64_t tid, size; uint32_t sum; } at[STEPS];
	struct fx fx = { 0 };
	struct vnode *vp;
	uint64_t size = 0, off;
	size_t len, done;
	off_t end;
	uint32_t sum;
	int i, k, n = 0;

	if (!start(&fx))
		return;
	ENV_EQ(put(&fx, "/log", ""), 0);
	for (i = 0; i < STEPS; i++) {
		if (!ENV_EQ(kvfs_lookup(&fx.kv, "/log", true, NULL,
		    &vp), 0))
			break;
		len = 1 + env_random(env_random(4) == 0 ? 390 : 100);
		for (k = 0; k < (int)len; k++)
			chunk[k] = (char)('a' + (i + k) % 26);
		off = env_random(12) == 0 && size > 0 ? env_random(size) : size;
		if (env_random(20) == 0)
			off = size + env_random(3000);	/* a gap */
		if (off + len > MAXLEN)
			off = 0;
		if (env_random(25) == 0 && size > 0) {
			size = env_random(size);
			ENV_EQ(kvfs_truncate(&fx.kv, "/log", size), 0);
			memset(shadow + size, 0, MAXLEN - size);
			off = size;
		}
		ENV_EQ(vn_write(vp, chunk, len, (off_t)off, 0, fx.kv.kv_cred,
		    &done, &end), 0);
		memcpy(shadow + off, chunk, len);
		size = MAX(size, off + len);
		if (env_random(8) != 0) {
			ENV_EQ(kvfs_fsync(&fx.kv, "/log"), 0);
			at[n].tid = fx_last(&fx);
			at[n].size = size;
			for (sum = 0, k = 0; k < (int)size; k++)
				sum = sum * 31 + (uint8_t)shadow[k];
			at[n++].sum = sum;
		}
		vn_rele(vp);
		if (i == STEPS / 2)
			fx_remount(&fx);
	}
	fx_remount(&fx);
	for (i = 0; i < n; i++) {
		if (!ENV_EQ(kvfs_lookup(&fx.kv, fx_at("/log", at[i].tid), true,
		    NULL, &vp), 0))
			break;
		ENV_EQ(vn_read(vp, got, sizeof(got), 0, fx.kv.kv_cred, &done),
		    0);
		for (sum = 0, k = 0; k < (int)done; k++)
			sum = sum * 31 + (uint8_t)got[k];
		ENV_EQ(done, at[i].size);
		ENV_CHECK(sum == at[i].sum);
		vn_rele(vp);
	}
	fx_close(&fx);
}

static void
t_questions(void)
{
	static struct hammer_ioc_dirhist dh;
	static struct hammer_ioc_objhist oh;
	static struct hammer_ioc_history hi;
	struct hammer_ioc_synctid st;
	struct hammer_ioc_snapshot sn;
	const struct hammer_ioc_dirent *de;
	struct fx fx = { 0 };
	uint64_t ta, tb, tr;

	if (!start(&fx))
		return;
	ENV_EQ(put(&fx, "/plan", "A"), 0);
	ta = fx_last(&fx);
	ENV_EQ(put(&fx, "/plan", "BB"), 0);
	tb = fx_last(&fx);
	memset(&hi, 0, sizeof(hi));
	ENV_EQ(fx_ioctl(&fx, "/plan", HAMMERIOC_GETHISTORY, &hi,
	    sizeof(hi)), 0);
	ENV_EQ(hi.count, 4);		/* made, A, cut, BB */
	ENV_EQ(hi.hist[1].tid, ta);
	ENV_EQ(hi.hist[3].tid, tb);
	ENV_EQ(kvfs_unlink(&fx.kv, "/plan"), 0);
	tr = fx_last(&fx);
	memset(&dh, 0, sizeof(dh));
	dh.namelen = 4;
	memcpy(dh.name, "plan", 4);
	ENV_EQ(fx_ioctl(&fx, "/", HAMMERIOC_DIRHIST, &dh, sizeof(dh)), 0);
	ENV_CHECK(dh.head.flags & HAMMER_IOC_EOF);
	de = (const void *)dh.buf;
	ENV_EQ(dh.bytes, de->reclen);
	ENV_EQ(de->delete_tid, tr);
	memset(&oh, 0, sizeof(oh));
	oh.obj_id = de->obj_id;
	ENV_EQ(fx_ioctl(&fx, "/", HAMMERIOC_OBJHIST, &oh, sizeof(oh)), 0);
	ENV_EQ(oh.count, 4);
	ENV_EQ(oh.vers[0].size, 0);
	ENV_EQ(oh.vers[1].size, 1);
	ENV_EQ(oh.vers[1].create_tid, ta);
	ENV_EQ(oh.vers[2].size, 0);
	ENV_EQ(oh.vers[3].size, 2);
	ENV_EQ(oh.vers[3].delete_tid, tr);
	ENV_EQ(oh.vers[3].mode, S_IFREG | 0644);
	memset(&st, 0, sizeof(st));
	st.op = HAMMER_SYNCTID_SYNC2;
	ENV_EQ(fx_ioctl(&fx, "/", HAMMERIOC_SYNCTID, &st, sizeof(st)), 0);
	ENV_CHECK(st.tid >= tr && st.tid <= fx_last(&fx));
	memset(&sn, 0, sizeof(sn));
	sn.count = 1;
	sn.snaps[0].tid = st.tid;
	kstrlcpy(sn.snaps[0].label, "before", 64);
	ENV_EQ(fx_ioctl(&fx, "/", HAMMERIOC_ADD_SNAPSHOT, &sn, sizeof(sn)), 0);
	sn.index = 0;
	ENV_EQ(fx_ioctl(&fx, "/", HAMMERIOC_ADD_SNAPSHOT, &sn, sizeof(sn)),
	    EEXIST);
	memset(&sn, 0, sizeof(sn));
	ENV_EQ(fx_ioctl(&fx, "/", HAMMERIOC_GET_SNAPSHOT, &sn, sizeof(sn)), 0);
	ENV_EQ(sn.count, 1);
	ENV_EQ(sn.snaps[0].tid, st.tid);
	fx_close(&fx);
}

static void
t_unlinked_open(void)
{
	struct fx fx = { 0 };
	struct vnode *vp;
	char buf[8];
	size_t n;

	if (!start(&fx))
		return;
	ENV_EQ(kvfs_open(&fx.kv, "/t", O_RDWR | O_CREAT, 0600, NULL, &vp), 0);
	ENV_EQ(vn_write(vp, "data", 4, 0, 0, kernel_cred, &n, NULL), 0);
	ENV_EQ(kvfs_unlink(&fx.kv, "/t"), 0);
	ENV_EQ(vn_write(vp, "more", 4, 4, 0, kernel_cred, &n, NULL), 0);
	ENV_EQ(vop_fsync(vp, false, true, kernel_cred), 0);
	ENV_EQ(vn_read(vp, buf, 8, 0, kernel_cred, &n), 0);
	ENV_CHECK(n == 8 && memcmp(buf, "datamore", 8) == 0);
	kvfs_close(vp, O_RDWR, kernel_cred);
	fx_remount(&fx);
	ENV_EQ(fx_entries(&fx, "/"), 0);
	fx_close(&fx);
}

static void
t_attrs(void)
{
	struct fx fx = { 0 };
	struct vattr va;
	uint64_t t1;

	if (!start(&fx))
		return;
	ENV_EQ(put(&fx, "/f", "x"), 0);
	memset(&va, 0, sizeof(va));
	va.va_mask = VA_MTIME | VA_MODE | VA_UID | VA_GID;
	va.va_mode = 0123;
	va.va_uid = 70000;
	va.va_gid = 7;
	va.va_mtime.tv_sec = 1234567;
	va.va_mtime.tv_nsec = 89000;
	ENV_EQ(kvfs_setattr(&fx.kv, "/f", true, &va), 0);
	t1 = fx_last(&fx);
	ENV_EQ(kvfs_write(&fx.kv, "/f", "y", 1, 0), 0);
	fx_remount(&fx);
	ENV_EQ(kvfs_stat(&fx.kv, fx_at("/f", t1), true, &va), 0);
	ENV_EQ(va.va_mtime.tv_sec, 1234567);
	ENV_EQ(va.va_mtime.tv_nsec, 89000);
	ENV_EQ(va.va_mode, S_IFREG | 0123);
	ENV_EQ(va.va_uid, 70000);
	ENV_EQ(kvfs_stat(&fx.kv, "/f", true, &va), 0);
	ENV_CHECK(va.va_mtime.tv_sec > 1234567);
	fx_close(&fx);
}

static int64_t
inodes(struct fx *fx)
{
	static struct hammer_ioc_info io;

	ENV_EQ(fx_ioctl(fx, "/", HAMMERIOC_GET_INFO, &io, sizeof(io)), 0);
	return io.inodes;
}

static bool
one_inode(void *arg)
{
	return inodes(arg) == 1;
}

/* Open, without a name, when the power goes: the next mount frees it. */
static void
t_orphan(void)
{
	static char big[500000];
	struct fx fx = { 0 }, after = { 0 };
	struct vnode *vp;
	size_t n;

	if (!start(&fx))
		return;
	ENV_EQ(kvfs_open(&fx.kv, "/t", O_RDWR | O_CREAT, 0600, NULL, &vp), 0);
	ENV_EQ(vn_write(vp, big, sizeof(big), 0, 0, kernel_cred, &n, NULL), 0);
	ENV_EQ(kvfs_unlink(&fx.kv, "/t"), 0);
	ENV_EQ(vfs_sync(fx.mp, true), 0);
	after.name = "hd1";
	after.disk = env_disk_survivor(fx.disk, after.name, 1);
	if (fx_mount(&after)) {
		ENV_CHECK(env_wait(one_inode, &after));
		ENV_EQ(fx_entries(&after, "/"), 0);
		fx_close(&after);
	}
	ENV_EQ(inodes(&fx), 2);
	kvfs_close(vp, O_RDWR, kernel_cred);
	ENV_EQ(inodes(&fx), 1);
	fx_close(&fx);
}

/* A directory's mtime at each moment is what it was then. */
static void
t_dir_mtime(void)
{
	enum { N = 40 };
	struct { uint64_t tid; struct timespec mtime, ctime; } was[N];
	struct vattr va;
	struct fx fx = { 0 };
	char path[32];
	int i, round;

	if (!start(&fx))
		return;
	ENV_EQ(kvfs_mkdir(&fx.kv, "/d", 0755), 0);
	for (i = 0; i < N; i++) {
		ksnprintf(path, sizeof(path), "/d/f%d", (int)env_random(8));
		switch (env_random(5)) {
		case 0:
			kvfs_unlink(&fx.kv, path);
			break;
		case 1:
			kvfs_rename(&fx.kv, path, &fx.kv, "/d/moved", 0);
			break;
		case 2:
			memset(&va, 0, sizeof(va));
			va.va_mask = VA_MTIME;
			va.va_mtime.tv_sec = 1000000 + i;
			kvfs_setattr(&fx.kv, "/d", true, &va);
			break;
		default:
			put(&fx, path, "x");
			break;
		}
		ENV_EQ(kvfs_stat(&fx.kv, "/d", true, &va), 0);
		was[i].tid = fx_last(&fx);
		was[i].mtime = va.va_mtime;
	}
	for (round = 0; round < 2; round++) {
		for (i = 0; i < N; i++) {
			ENV_EQ(kvfs_stat(&fx.kv, fx_at("/d", was[i].tid), true,
			    &va), 0);
			ENV_EQ(va.va_mtime.tv_sec, was[i].mtime.tv_sec);
			ENV_EQ(va.va_mtime.tv_nsec, was[i].mtime.tv_nsec);
		}
		fx_remount(&fx);
	}
	fx_close(&fx);
}

/* Names that look like something else, and the longest there are. */
static void
t_hostile_names(void)
{
	static const char *const names[] = { "@@", "@@0x", "a@@-2",
	    "@@0x000000000000000g", "@@-1:0", "@@-1:000001", "@@-1@@",
	    "x@@0x00000000000000001", " ", "\n", "\xff\xfe", "a:00001",
	    "...", "@@PFS00000" };
	char longest[260], path[262], q[300];
	struct fx fx = { 0 };
	size_t i;

	if (!start(&fx))
		return;
	for (i = 0; i < nitems(names); i++) {
		ksnprintf(path, sizeof(path), "/%s", names[i]);
		ENV_EQ(put(&fx, path, names[i]), 0);
	}
	memset(longest, 'n', sizeof(longest));
	longest[255] = 0;
	ksnprintf(path, sizeof(path), "/%s", longest);
	ENV_EQ(put(&fx, path, "long"), 0);
	fx_remount(&fx);
	for (i = 0; i < nitems(names); i++) {
		ksnprintf(q, sizeof(q), "/%s", names[i]);
		ENV_CHECK(fx_holds(&fx, q, names[i]));
	}
	ENV_CHECK(fx_holds(&fx, path, "long"));
	ENV_EQ(fx_entries(&fx, "/"), (int)nitems(names) + 1);
	ENV_CHECK(fx_holds(&fx, "/@@-1/@@", "@@"));
	ENV_CHECK(fx_holds(&fx, "/@@-1:00000/@@", "@@"));
	ENV_EQ(put(&fx, "/x@@-1", "no"), EINVAL);
	fx_close(&fx);
}

/* Full is ENOSPC; then remove, and go on. */
static void
t_full(void)
{
	static char block[1 << 20];
	struct fx fx = { 0 };
	char path[32];
	int i, error = 0, made;

	if (!start(&fx))
		return;
	for (i = 0; i < 400 && error == 0; i++) {
		ksnprintf(path, sizeof(path), "/f%d", i);
		error = fx_put(&fx, path, block, sizeof(block));
	}
	made = i;
	ENV_EQ(error, ENOSPC);
	ENV_CHECK(made > 100);
	ENV_EQ(vfs_sync(fx.mp, true), 0);
	for (i = 0; i < made; i++) {
		ksnprintf(path, sizeof(path), "/f%d", i);
		error = kvfs_unlink(&fx.kv, path);
		ENV_CHECK(error == 0 || (error == ENOENT && i >= made - 1));
	}
	fx_remount(&fx);
	ENV_EQ(fx_entries(&fx, "/"), 0);
	fx_close(&fx);
}

/* More records than one transaction takes, cut at once and removed. */
static void
t_large(void)
{
	enum { PIECE = 1 << 20, PIECES = 40 };
	static char block[PIECE], back[1000];
	struct fx fx = { 0 };
	struct vattr va;
	uint64_t t;
	size_t n;
	int i;

	if (!start(&fx))
		return;
	ENV_EQ(kvfs_create(&fx.kv, "/big", 0600), 0);
	for (i = 0; i < PIECES; i++) {
		memset(block, 'a' + i % 26, sizeof(block));
		ENV_EQ(kvfs_write(&fx.kv, "/big", block, PIECE,
		    (off_t)i * PIECE), 0);
	}
	t = fx_last(&fx);
	ENV_EQ(kvfs_truncate(&fx.kv, "/big", 100), 0);
	ENV_EQ(kvfs_truncate(&fx.kv, "/big", PIECE * 30), 0);
	ENV_EQ(kvfs_read(&fx.kv, "/big", back, 1000, PIECE * 20, &n), 0);
	ENV_CHECK(n == 1000 && back[0] == 0 && back[999] == 0);
	fx_remount(&fx);
	ENV_EQ(kvfs_read(&fx.kv, "/big", back, 1000, 50, &n), 0);
	ENV_CHECK(n == 1000 && back[49] == 'a' && back[50] == 0);
	for (i = 0; i < PIECES; i++) {
		ENV_EQ(kvfs_read(&fx.kv, fx_at("/big", t), back, 1000,
		    (off_t)i * PIECE + 70000, &n), 0);
		ENV_CHECK(n == 1000 && back[0] == 'a' + i % 26 &&
		    back[999] == back[0]);
	}
	ENV_EQ(kvfs_unlink(&fx.kv, "/big"), 0);
	ENV_EQ(kvfs_stat(&fx.kv, fx_at("/big", t), true, &va), 0);
	ENV_EQ(va.va_size, PIECE * PIECES);
	ENV_EQ(inodes(&fx), 1);
	fx_close(&fx);
}

/* Without history the old goes at once, for a mount or for one file. */
static void
t_nohistory(void)
{
	struct fx fx = { .opts = "nohistory" };
	struct vattr va;
	uint64_t t, t2;

	if (!start(&fx))
		return;
	ENV_EQ(put(&fx, "/f", "one"), 0);
	t = fx_last(&fx);
	ENV_EQ(put(&fx, "/f", "two"), 0);
	ENV_EQ(kvfs_unlink(&fx.kv, "/f"), 0);
	ENV_EQ(kvfs_stat(&fx.kv, fx_at("/f", t), true, &va), ENOENT);
	fx.opts = NULL;
	fx_remount(&fx);
	ENV_EQ(put(&fx, "/g", "one"), 0);
	t = fx_last(&fx);
	memset(&va, 0, sizeof(va));
	va.va_mask = VA_FLAGS;
	va.va_flags = UF_NOHISTORY;
	ENV_EQ(kvfs_setattr(&fx.kv, "/g", true, &va), 0);
	t2 = fx_last(&fx);
	ENV_EQ(put(&fx, "/g", "two"), 0);
	ENV_CHECK(fx_holds(&fx, fx_at("/g", t), "one"));
	ENV_EQ(kvfs_stat(&fx.kv, fx_at("/g", t2), true, &va), ENOENT);
	fx_close(&fx);
}

/* Read-only, read-only as of a moment, and back to writing. */
static void
t_readonly(void)
{
	struct fx fx = { 0 };
	char opts[40];
	uint64_t t;

	if (!start(&fx))
		return;
	ENV_EQ(put(&fx, "/f", "one"), 0);
	t = fx_last(&fx);
	ENV_EQ(put(&fx, "/f", "two"), 0);
	fx.flags = MNT_RDONLY;
	fx_remount(&fx);
	ENV_CHECK(fx_holds(&fx, "/f", "two"));
	ENV_EQ(put(&fx, "/f", "three"), EROFS);
	fx.flags = 0;
	ksnprintf(opts, sizeof(opts), "tid=0x%llx", (unsigned long long)t);
	fx.opts = opts;
	fx_remount(&fx);
	ENV_CHECK(fx_holds(&fx, "/f", "one"));
	ENV_EQ(put(&fx, "/f", "three"), EROFS);
	fx.opts = NULL;
	fx_remount(&fx);
	ENV_EQ(put(&fx, "/f", "three"), 0);
	fx_close(&fx);
}

/* The disk dies: every call returns, and so does the unmount. */
static void
t_dead_disk(void)
{
	static char big[300000];
	struct vnode *vp, *dirty;
	struct fx fx = { 0 };
	char path[32];
	size_t n;
	int i;

	if (!fx_open(&fx, SIZE, 0))
		return;
	ENV_EQ(kvfs_mkdir(&fx.kv, "/d", 0755), 0);
	for (i = 0; i < 20; i++) {
		ksnprintf(path, sizeof(path), "/d/f%d", i);
		ENV_EQ(fx_put(&fx, path, big, (size_t)(i * 997)), 0);
	}
	ENV_EQ(kvfs_open(&fx.kv, "/open", O_RDWR | O_CREAT, 0600, NULL, &vp),
	    0);
	ENV_EQ(vn_write(vp, "x", 1, 0, 0, kernel_cred, &n, NULL), 0);
	ENV_EQ(kvfs_unlink(&fx.kv, "/open"), 0);
	ENV_EQ(kvfs_fsync(&fx.kv, "/d/f3"), 0);
	ENV_EQ(kvfs_open(&fx.kv, "/dirty", O_RDWR | O_CREAT, 0600, NULL,
	    &dirty), 0);
	ENV_EQ(vn_write(dirty, big, 30000, 0, 0, kernel_cred, &n, NULL), 0);
	env_disk_cut_now(fx.disk);
	ENV_CHECK(vop_fsync(dirty, false, true, kernel_cred) != 0);
	kvfs_close(dirty, O_RDWR, kernel_cred);
	for (i = 0; i < 60; i++) {
		ksnprintf(path, sizeof(path), "/d/f%d", i % 25);
		switch (env_random(8)) {
		case 0:
			fx_put(&fx, path, big, env_random(sizeof(big)));
			break;
		case 1:
			kvfs_unlink(&fx.kv, path);
			break;
		case 2:
			kvfs_rename(&fx.kv, path, &fx.kv, "/d/f24", 0);
			break;
		case 3:
			kvfs_mkdir(&fx.kv, path, 0755);
			break;
		case 4:
			kvfs_truncate(&fx.kv, path, env_random(1000));
			break;
		case 5:
			kvfs_link(&fx.kv, path, true, &fx.kv, "/l");
			break;
		case 6:
			kvfs_symlink(&fx.kv, big, "/s");
			break;
		default:
			kvfs_fsync(&fx.kv, path);
			break;
		}
	}
	vn_write(vp, big, sizeof(big), 0, 0, kernel_cred, &n, NULL);
	kvfs_close(vp, O_RDWR, kernel_cred);
	ENV_CHECK(vfs_sync(fx.mp, true) != 0);
	kvfs_done(&fx.kv);
	ENV_CHECK(vfs_unmount(fx.mp, true) != 0);
	mount_rele(fx.mp);
	env_disk_destroy(fx.disk);
}

static void
t_async(void)
{
	vop_force_async = true;
	t_names();
	t_data();
	t_history();
	t_unlinked_open();
	vop_force_async = false;
}

const struct env_test env_tests[] = {
	{ "mount", t_mount, 0 },
	{ "names", t_names, 0 },
	{ "data", t_data, 0 },
	{ "history", t_history, 0 },
	{ "appends", t_appends, 0 },
	{ "questions", t_questions, 0 },
	{ "unlinked_open", t_unlinked_open, 0 },
	{ "attrs", t_attrs, 0 },
	{ "orphan", t_orphan, 0 },
	{ "dir_mtime", t_dir_mtime, 0 },
	{ "hostile_names", t_hostile_names, 0 },
	{ "full", t_full, 0 },
	{ "large", t_large, 0 },
	{ "nohistory", t_nohistory, 0 },
	{ "readonly", t_readonly, 0 },
	{ "dead_disk", t_dead_disk, 0 },
	{ "async", t_async, 0 },
	ENV_END
};
