/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The test harness on the hosted kernel.
 *
 * A test program is a list of cases and gets its main() from env_main.c:
 *
 *	static void t_order(void) { ENV_CHECK(1 + 1 == 2); }
 *	const struct env_test env_tests[] = {
 *		{ "order", t_order, 0 },
 *		ENV_END
 *	};
 *
 * In its folder's files.mk:  TESTS += area_thing
 *			      area_thing_SRCS := regress/area/thing.c
 * TSAN_TESTS += area_thing builds and runs it under TSan in threaded mode.
 *
 * Options of every test program: --seed N, --seeds N (run all cases for N
 * seeds, each in a process of its own), --cpus N, --mem MB, --threaded,
 * --slab (the real slab under ASan), --verbose (kprintf to the terminal), and
 * names of cases to run.  Without --seed the seed is taken from the clock;
 * it is printed.
 *
 * Each case runs in a kernel thread of one kernel per process.  A failed check
 * prints file, line and seed, marks the case `not ok', and the case goes on
 * (ENV_REQUIRE: ends it).  A crash or panic is a failure of the program.
 *
 * Tests are kernel code: they include kernel headers only.
 */
#ifndef _REGRESS_ENV_H_
#define _REGRESS_ENV_H_

#include <sys/types.h>
#include <platform/vkernel/vklib.h>

struct disk;

enum {					/* et_flags */
	ENV_DET_ONLY	= 1,		/* skip in threaded mode */
	ENV_THREADED_ONLY = 2,
};

struct env_test {
	const char	*et_name;
	void		(*et_fn)(void);
	int		et_flags;
};
#define ENV_END	{ NULL, NULL, 0 }
extern const struct env_test env_tests[];	/* the program's */
/* How many seeds to run when nobody says: the program may define it (1). */
extern const int env_default_seeds __attribute__((__weak__));

/* A check that prints and marks the case failed, and returns the value. */
bool	env_check(bool ok, const char *expr, const char *file, int line);
#define ENV_CHECK(e)	env_check((e) != 0, #e, __FILE__, __LINE__)
#define ENV_REQUIRE(e) \
	do { if (!ENV_CHECK(e)) return; } while (0)
/* Equal numbers; prints both. */
bool	env_check_eq(int64_t a, int64_t b, const char *ea, const char *eb,
	    const char *file, int line);
#define ENV_EQ(a, b) \
	env_check_eq((int64_t)(a), (int64_t)(b), #a, #b, __FILE__, __LINE__)
/* A remark on the output (always shown). */
void	env_printf(const char *fmt, ...) __printflike(1, 2);
/* This case cannot run here. */
void	env_skip(const char *why);

/* Start n threads, thread i on CPU i % ncpus calling fn(arg, i), and wait for
 * all of them. */
void	env_parallel(int n, void (*fn)(void *arg, int i), void *arg);
/* Wait until the condition holds; false after a long (virtual) time. */
bool	env_wait(bool (*cond)(void *), void *arg);
/* Seeded numbers: deterministic mode's own stream. */
uint64_t env_random(uint64_t n);

/*
 * The test disk: memory, with a volatile write cache.
 *
 * Every write gets a number, from 1, when it is submitted.  A write is durable
 * when a flush that was submitted after the write's completion completes.
 * When the power is cut at write n, what was durable is there; of every other
 * write up to and with n, each 512-byte sector is there or not, as the seed
 * says (many whole, many lost, some torn).  Completions come from a thread,
 * late and out of order.
 *
 * Injected errors: disk_inject() of sys/disk.h.
 */
struct env_disk;

enum {					/* env_disk_create flags */
	ED_SYNC		= 1,		/* complete inside bio_submit() */
	ED_INORDER	= 2,
	ED_TRACE	= 4,		/* keep a record of every request */
	ED_READONLY	= 8,
};

/* Registers as a disk of the kernel under this name; zeroed. NULL: name in
 * use.  At most 15 bytes of name. */
struct env_disk *env_disk_create(const char *name, uint64_t size, int flags);
struct disk *env_disk_disk(struct env_disk *);
void	env_disk_destroy(struct env_disk *);	/* unregisters; frees */

/* Cut the power when write number n is submitted (1: the next one if it is
 * the first; 0: never).  From then on every request fails with EIO. */
void	env_disk_cut_at(struct env_disk *, uint64_t n);
void	env_disk_cut_now(struct env_disk *);
bool	env_disk_is_cut(struct env_disk *);
uint64_t env_disk_writes(struct env_disk *);	/* writes submitted so far */
uint64_t env_disk_flushes(struct env_disk *);	/* flushes completed */
/* What survives if the power is cut now: a new disk with the same flags. The
 * same seed and state give the same image. */
struct env_disk *env_disk_survivor(struct env_disk *, const char *name,
	    uint64_t seed);
/* A copy of what a reader would see now. */
struct env_disk *env_disk_clone(struct env_disk *, const char *name);

/* Bytes as a reader sees them, without requests, for building and damaging
 * images.  A poke is durable at once. */
void	env_disk_peek(struct env_disk *, uint64_t off, void *buf, size_t len);
void	env_disk_poke(struct env_disk *, uint64_t off, const void *buf,
	    size_t len);
/* A file of the host, for other tools.  errno. */
int	env_disk_save(struct env_disk *, const char *path);
int	env_disk_load(struct env_disk *, const char *path);

struct env_trace {
	uint64_t	et_number;	/* of a write; 0 */
	int		et_cmd;		/* enum bio_cmd */
	uint64_t	et_offset, et_length;
};
/* The requests so far, in order of submission. */
size_t	env_disk_trace(struct env_disk *, const struct env_trace **);

/*
 * Crash children (deterministic mode): at every `every'-th write of the disk,
 * from write `first' on, the process forks.  In the child the power is cut at
 * that write and check(survivor, n, arg) runs in a new thread (of the same
 * kernel: the old filesystem is still mounted, on a dead disk, and the thread
 * that wrote stays where it is).  ENV_CHECKs that fail there fail the case in
 * the parent.  seeds survivors are checked per write, each in its own child.
 * every 0 ends it.  Returns at once; the parent waits for each child.
 */
void	env_disk_crash_children(struct env_disk *, uint64_t first,
	    uint64_t every, int seeds, void (*check)(struct env_disk *survivor,
	    uint64_t n, void *arg), void *arg);
/* Children so far. */
uint64_t env_disk_children(struct env_disk *);

#endif
