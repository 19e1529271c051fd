/* SPDX-License-Identifier: BSD-2-Clause */
/* Machine part of a CPU: hosted. */
#ifndef _MACHINE_CPU_H_
#define _MACHINE_CPU_H_

struct globaldata;

struct md_globaldata {
	void	*md_host;	/* host.c's */
};

/* Current CPU.  Behind a call so that the compiler cannot keep the address
 * of a thread-local across a switch to another host thread. */
struct globaldata *vk_mycpu(void);
#define mycpu	(vk_mycpu())

static inline void
cpu_pause(void)
{
	__builtin_ia32_pause();
}

/* In deterministic mode: let the seeded chooser run another virtual CPU. */
void	cpu_poll(void);

#endif
