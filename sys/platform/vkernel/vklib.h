/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel as a library of a Linux program: tools, FUSE, tests.
 *
 *	struct vk_opts o = { .vo_cpus = 1, .vo_mem = 256 << 20 };
 *	vk_boot(&o);
 *	vk_disk_attach("vbd0", "root.img", VKD_WRITE, 0);
 *	error = vk_run(fn, arg);	fn(arg) in a kernel thread
 *	vk_shutdown();
 *
 * This header can be included by host code and by kernel code.  A program
 * boots one kernel in its life.
 *
 * V1  Deterministic mode: everything runs on the host thread that called
 *     vk_boot(), while it is inside vk_run(); the clock is simulated, and all
 *     choices come from the seed.
 * V2  Threaded mode: one host thread per virtual CPU.  vk_run() may be called
 *     from any host thread, by several at once.
 * V3  Host code touches kernel structures inside vk_run() only.
 */
#ifndef _VKERNEL_VKLIB_H_
#define _VKERNEL_VKLIB_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vk_opts {
	int		vo_cpus;	/* 0: 1 */
	uint64_t	vo_mem;		/* bytes; 0: 256 MB */
	uint64_t	vo_seed;	/* deterministic mode */
	bool		vo_threaded;
	bool		vo_quiet;	/* kprintf to the message buffer only */
	bool		vo_slab;	/* the slab even under ASan */
	bool		vo_realclock;	/* wall clock of the host (always in
					 * threaded mode) */
	const char	*vo_cmdline;	/* NULL: "hosted" */
};

void	vk_boot(const struct vk_opts *);
/* Run fn(arg) in a kernel thread with its own stack; returns its result. */
int	vk_run(int (*fn)(void *), void *arg);
void	vk_shutdown(void);

enum { VKD_WRITE = 1 };
/* Attach a file as a disk; create_size != 0 makes or extends it.  Callable
 * from host code between vk_run()s. errno. */
int	vk_disk_attach(const char *name, const char *path, int flags,
	    uint64_t create_size);
int	vk_disk_detach(const char *name);

/* Deterministic mode's choices, for tests: a number below n from the seed. */
uint64_t vk_random(uint64_t n);
uint64_t vk_seed(void);
bool	vk_deterministic(void);

#endif
