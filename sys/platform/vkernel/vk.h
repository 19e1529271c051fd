/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the hosted platform share. */
#ifndef _VKERNEL_VK_H_
#define _VKERNEL_VK_H_

#include <sys/thread.h>
#include "host.h"
#include "vklib.h"

struct vcpu {
	struct globaldata vc_gd;
	uint64_t	vc_deadline;	/* [a] UINT64_MAX: none */
	uint32_t	vc_wake;	/* [a] futex word, counts pokes */
	uint32_t	vc_asleep;	/* [a] in md_cpu_idle() */
	uint32_t	vc_up;		/* [a] it runs */
} __attribute__((__aligned__(64)));

extern struct vcpu vcpus[MAXCPU];
extern struct vk_opts vk_opts;
extern bool vk_det;			/* deterministic mode */

/* vk_fiber.c */
void	vk_fiber_init(struct thread *, void (*fn)(void *), void *arg);
void	vk_fiber_adopt(struct thread *);	/* the host thread's own stack */
void	vk_fiber_switch(struct thread *from, struct thread *to);
void	vk_ctx_switch(void **save_sp, void *sp);
void	vk_ctx_entry(void);
void	vk_fiber_main(void);

/* vk_cpu.c */
void	vk_set_cpu(struct vcpu *);	/* of this host thread */
void	vk_clock_start(void);
void	vk_timer_thread(void *);

/* vk_run.c */
void	vk_run_interrupts(void);

#endif
