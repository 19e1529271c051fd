/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The platform interface: everything that the kernel asks of a machine, apart
 * from vm/pmap.h, sys/clock.h's counters and copyin/copyout in sys/systm.h,
 * which platforms implement too.
 */
#ifndef _PLATFORM_MACHDEP_H_
#define _PLATFORM_MACHDEP_H_

#include <sys/types.h>

struct thread;
struct globaldata;

/*
 * CPUs.  md_cpu_start_all() makes every other CPU call
 * kern_cpu_main(cpuid) on its idle thread; it returns when all are there.
 */
void	md_cpu_start_all(void);
/* Poke a CPU so that it looks at gd_reqflags soon.  Any context. */
void	md_ipi_poke(int cpu);
/* Stop the others for good (panic). */
void	md_stop_others(void);
/* Nothing to run: wait until gd_reqflags may be non-zero.  Called by the idle
 * thread; returns at once if a flag is already set. */
void	md_cpu_idle(void);
/* Called where waiting makes sense in a spin (deterministic mode switches
 * to another virtual CPU here). */
void	md_spin_wait(void);

/* Threads: prepare td so that the first switch to it calls fn(arg). */
void	md_thread_init(struct thread *, void (*fn)(void *), void *arg);
void	md_thread_free(struct thread *);
/* Switch stacks; returns, in the new thread, the one that ran before. */
struct thread *md_switch(struct thread *from, struct thread *to);

/* Run machine interrupt work flagged RQF_INTR (from splz). */
void	md_run_interrupts(void);

/* Counters.  Monotonic ns since boot, the same on all CPUs to 1 us. */
nsec_t	md_mono_ns(void);
nsec_t	md_wall_boot_ns(void);		/* wall clock at mono 0, from the RTC */
/* One-shot timer of this CPU: set RQF_TIMER at or soon after the deadline. */
void	md_timer_arm(nsec_t mono_deadline);

/* Console.  Output never blocks and works in a panic.  Input characters go to
 * console_input(c), in a thread or IPI-like context. */
void	md_console_write(const char *buf, size_t len);
extern void (*console_input_hook)(int c);	/* kern side sets it */

uint64_t md_entropy(void);		/* hardware randomness, mixed later */

/* The end. */
void	md_poweroff(void) __noreturn;
void	md_reboot(void) __noreturn;
void	md_halt(void) __noreturn;

/* Backtrace of the current stack, up to n return addresses. */
int	md_backtrace(uintptr_t *pcs, int n);
/* Name of a kernel address: "func+0x12" into buf. */
void	md_symbol(uintptr_t pc, char *buf, size_t size);

/* Boot command line ("root=/dev/vbd0 smp=2 ..."), and arguments of it. */
const char *md_cmdline(void);

/* The archive that the loader brought, or false.  Stays in memory. */
bool	md_initrd(const void **start, size_t *len);

/* The kernel's side, called by platforms. */
void	kern_main(void) __noreturn;	/* boot CPU, after vm_phys_add() */
void	kern_cpu_main(int cpuid) __noreturn;
void	kern_cpu_setup(struct globaldata *, int cpuid);	/* before its use */

#endif
