/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a kernel that found itself wrong: stop the other CPUs, say what
 * happened and where, and halt.
 */
#include <sys/atomic.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <platform/machdep.h>
#include "lwkt.h"

enum { PANIC_FRAMES = 32 };

bool lwkt_panicking;
static uint32_t panic_once;
void (*panic_hook)(void);

bool
kern_panicking(void)
{
	return lwkt_panicking;
}

void
backtrace_print(void)
{
	uintptr_t pcs[PANIC_FRAMES];
	char name[96];
	int i, n = md_backtrace(pcs, PANIC_FRAMES);

	for (i = 0; i < n; i++) {
		md_symbol(pcs[i], name, sizeof(name));
		kprintf("  #%-2d %#018lx %s\n", i, (unsigned long)pcs[i], name);
	}
}

void
panic(const char *fmt, ...)
{
	struct thread *td = curthread;
	va_list ap;

	td->td_critcount++;
	if (atomic_swap(&panic_once, 1) != 0) {
		if (!lwkt_panicking)
			for (;;)	/* another CPU panics; it stops us */
				md_spin_wait();
		md_halt();		/* a panic in the panic */
	}
	md_stop_others();
	lwkt_panicking = true;
	kprintf("panic: ");
	va_start(ap, fmt);
	kvprintf(fmt, ap);
	va_end(ap);
	kprintf("\ncpu %d, thread %s\n", mycpu->gd_cpuid, td->td_name);
	backtrace_print();
	if (panic_hook != NULL)
		panic_hook();
	md_halt();
}

void
kassert_fail(const char *expr, const char *file, int line)
{
	panic("assertion failed: %s, %s:%d", expr, file, line);
}
