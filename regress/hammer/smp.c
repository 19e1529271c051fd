/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several threads at once: each works in a directory of its own and keeps the
 * truth about it, all of them rename and link in one they share, and one looks
 * at the past of another while that goes on.  Also under TSan.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>

#include "fx.h"

enum { SIZE = 256 << 20, WORKERS = 4, FILES = 8, ROUNDS = 60 };

struct worker {
	uint8_t		have[FILES];	/* 0: no such file; else its byte */
	uint32_t	len[FILES];
	uint32_t	rnd;
	uint64_t	tid;		/* a moment when one file was ... */
	int		file;
	uint8_t		byte;
};

static struct fx fx;
static struct worker workers[WORKERS];

static uint32_t
next(struct worker *w)
{
	w->rnd = w->rnd * 1103515245 + 12345;
	return w->rnd >> 8;
}

static bool
check_file(const char *path, uint8_t byte, uint32_t len)
{
	char buf[512];
	size_t n, i;
	int error;

	error = kvfs_read(&fx.kv, path, buf, sizeof(buf), 0, &n);
	if (error != 0 || n != MIN((size_t)len, sizeof(buf)))
		goto bad;
	for (i = 0; i < n; i++)
		if ((uint8_t)buf[i] != byte)
			goto bad;
	return true;
bad:
	env_printf("%s: error %d, %zu bytes\n", path, error, n);
	return ENV_CHECK(!"the file is what its worker made");
}

static void
work(void *arg __unused, int id)
{
	struct worker *w = &workers[id];
	char path[64], other[64], buf[9000];
	int r, f, g;

	for (r = 0; r < ROUNDS; r++) {
		f = (int)(next(w) % FILES);
		g = (int)(next(w) % FILES);
		ksnprintf(path, sizeof(path), "/w%d/f%d", id, f);
		ksnprintf(other, sizeof(other), "/w%d/f%d", id, g);
		switch (next(w) % 6) {
		case 0:
			if (kvfs_unlink(&fx.kv, path) == 0)
				ENV_CHECK(w->have[f] != 0);
			w->have[f] = 0;
			break;
		case 1:
			if (w->have[f] == 0 || f == g)
				break;
			ENV_EQ(kvfs_rename(&fx.kv, path, &fx.kv, other, 0), 0);
			w->have[g] = w->have[f];
			w->len[g] = w->len[f];
			w->have[f] = 0;
			break;
		case 2:
			if (w->have[f] != 0)
				check_file(path, w->have[f], w->len[f]);
			break;
		case 3:
			ksnprintf(other, sizeof(other), "/shared/l%d-%d", id,
			    r);
			if (w->have[f] != 0) {
				ENV_EQ(kvfs_link(&fx.kv, path, true, &fx.kv,
				    other), 0);
				ENV_EQ(kvfs_unlink(&fx.kv, other), 0);
			}
			break;
		case 4:
			if (w->tid != 0)
				break;
			/* Nobody else changes this file. */
			for (f = 0; f < FILES && w->have[f] == 0; f++)
				;
			if (f == FILES)
				break;
			w->file = f;
			w->byte = w->have[f];
			atomic_store(&w->tid, atomic_load(&fx.mp->mnt_number));
			break;
		default:
			w->have[f] = (uint8_t)(1 + next(w) % 255);
			w->len[f] = 1 + next(w) % sizeof(buf);
			memset(buf, w->have[f], w->len[f]);
			ENV_EQ(fx_put(&fx, path, buf, w->len[f]), 0);
			if (next(w) % 8 == 0)
				ENV_EQ(kvfs_fsync(&fx.kv, path), 0);
			break;
		}
		lwkt_yield();
	}
}

/* The last thread looks back, the others work. */
static void
work_or_look(void *arg, int id)
{
	struct worker *w;
	char path[64];
	size_t n;
	char byte;
	int r;

	if (id < WORKERS) {
		work(arg, id);
		return;
	}
	for (r = 0; r < ROUNDS * 4; r++) {
		w = &workers[r % WORKERS];
		if (atomic_load(&w->tid) != 0) {
			ksnprintf(path, sizeof(path), "/@@0x%016llx/w%d/f%d",
			    (unsigned long long)w->tid, r % WORKERS, w->file);
			if (ENV_EQ(kvfs_read(&fx.kv, path, &byte, 1, 0, &n),
			    0))
				ENV_EQ((uint8_t)byte, w->byte);
		}
		lwkt_yield();
	}
}

static void
t_smp(void)
{
	char path[64];
	int i, f;

	if (!fx_open(&fx, SIZE, 0))
		return;
	memset(workers, 0, sizeof(workers));
	ENV_EQ(kvfs_mkdir(&fx.kv, "/shared", 0755), 0);
	for (i = 0; i < WORKERS; i++) {
		workers[i].rnd = (uint32_t)env_random(1u << 30);
		ksnprintf(path, sizeof(path), "/w%d", i);
		ENV_EQ(kvfs_mkdir(&fx.kv, path, 0755), 0);
	}
	env_parallel(WORKERS + 1, work_or_look, NULL);
	fx_remount(&fx);
	for (i = 0; i < WORKERS; i++) {
		for (f = 0; f < FILES; f++) {
			ksnprintf(path, sizeof(path), "/w%d/f%d", i, f);
			if (workers[i].have[f] != 0)
				check_file(path, workers[i].have[f],
				    workers[i].len[f]);
		}
	}
	ENV_EQ(fx_entries(&fx, "/shared"), 0);
	fx_close(&fx);
}

const struct env_test env_tests[] = {
	{ "smp", t_smp, 0 },
	ENV_END
};
