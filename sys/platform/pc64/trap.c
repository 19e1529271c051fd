/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions, the way back to user mode, and user memory.
 *
 * A page fault of the kernel on a user address is allowed only inside
 * cpu/x86_64/copy.S; it is resolved by vm_fault() as if the user had made it.
 * Anything else that the kernel trips over is a panic.
 */
#include <sys/errno.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <vm/vm_map.h>
#include <platform/machdep.h>
#include <cpu/cpufunc.h>
#include <cpu/frame.h>

#include "pc64.h"

static const char *const trap_names[] = {
	"divide error", "debug trap", "NMI", "breakpoint", "overflow",
	"bound", "invalid instruction", "no FPU", "double fault", "(9)",
	"bad TSS", "segment not present", "stack fault",
	"general protection fault", "page fault", "(15)", "FPU error",
	"alignment check", "machine check", "SIMD error",
};

/* Without kprintf()'s lock, which the code that we interrupted may hold. */
static void __printflike(1, 2)
trap_printf(const char *fmt, ...)
{
	char line[160];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	md_console_write(line, MIN((size_t)n, sizeof(line) - 1));
}

static void
trap_print(const struct trapframe *tf, uint64_t addr)
{
	static uint32_t busy;
	char sym[64];
	uint64_t pc, fp, *frame;
	int i;

	/* All CPUs may be here at once; none may be kept for ever. */
	for (i = 0; i < 100000000 && atomic_swap(&busy, 1) != 0; i++)
		cpu_pause();

	trap_printf("\nCPU %d: trap %lu err %lx addr %lx\n", mycpu->gd_cpuid,
	    tf->tf_trapno, tf->tf_err, addr);
	trap_printf("rip %04lx:%016lx rsp %016lx fl %08lx\n", tf->tf_cs, tf->tf_rip,
	    tf->tf_rsp, tf->tf_rflags);
	trap_printf("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", tf->tf_rax,
	    tf->tf_rbx, tf->tf_rcx, tf->tf_rdx);
	trap_printf("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", tf->tf_rsi,
	    tf->tf_rdi, tf->tf_rbp, tf->tf_r8);
	trap_printf("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", tf->tf_r9,
	    tf->tf_r10, tf->tf_r11, tf->tf_r12);
	trap_printf("r13 %016lx r14 %016lx r15 %016lx cr3 %016lx\n", tf->tf_r13,
	    tf->tf_r14, tf->tf_r15, rcr3());
	pc = tf->tf_rip;
	fp = tf->tf_rbp;
	for (i = 0; i < 20; i++) {
		md_symbol(pc, sym, sizeof(sym));
		trap_printf("  %s\n", sym);
		if (fp < DMAP_BASE || (fp & 7) != 0)
			break;
		frame = (uint64_t *)fp;
		pc = frame[1];
		if (frame[0] <= fp || pc < KERNBASE)
			break;
		fp = frame[0];
	}
	atomic_store_rel(&busy, 0);
}

static void
trap_fatal(const struct trapframe *tf, uint64_t addr)
{
	char sym[64];

	md_panicking = true;
	trap_print(tf, addr);
	md_symbol(tf->tf_rip, sym, sizeof(sym));
	panic("%s at %s, address %lx", tf->tf_trapno < nitems(trap_names) ?
	    trap_names[tf->tf_trapno] : "trap", sym, addr);
}

/* The kernel faulted on user memory in copy.S.  0 if it can go on. */
static int
trap_copy_fault(struct trapframe *tf, uint64_t addr)
{
	struct proc *p = curproc();
	int error, prot;

	if (p == NULL || p->p_vm == NULL || addr >= USER_VA_MAX)
		return EFAULT;
	prot = tf->tf_err & PGEX_W ? VM_PROT_WRITE : VM_PROT_READ;
	intr_enable();
	error = vm_fault(p->p_vm, addr, prot);
	intr_disable();
	return error;
}

static void
trap_kernel(struct trapframe *tf)
{
	uint64_t addr = tf->tf_trapno == T_PAGEFLT ? rcr2() : 0;
	uint64_t resume = 0;

	if (tf->tf_rip >= (uint64_t)cpu_copy_begin &&
	    tf->tf_rip < (uint64_t)cpu_copy_end)
		resume = (uint64_t)cpu_copy_fault;
	else if (tf->tf_rip >= (uint64_t)cpu_copy_bulk &&
	    tf->tf_rip < (uint64_t)cpu_copy_bulk_end)
		resume = (uint64_t)cpu_copy_bulk_fault;
	if (resume != 0 && tf->tf_trapno == T_PAGEFLT) {
		if (trap_copy_fault(tf, addr) != 0)
			tf->tf_rip = resume;
		return;
	}
	if (tf->tf_trapno == T_BREAKPOINT) {
		trap_print(tf, 0);
		return;
	}
	trap_fatal(tf, addr);
}

void
trap(struct trapframe *tf)
{
	uint64_t addr;

	if ((tf->tf_cs & 3) == 0) {
		trap_kernel(tf);
		return;
	}
	addr = tf->tf_trapno == T_PAGEFLT ? rcr2() : tf->tf_rip;
	intr_enable();
	user_trap(tf, (int)tf->tf_trapno, tf->tf_err, addr);
	intr_disable();
}

/* NMI (another CPU panics, or somebody asks), double fault, machine check.
 * In any state. */
void
trap_paranoid(struct trapframe *tf)
{
	if (tf->tf_trapno == T_NMI) {
		while (md_panicking)
			__asm__ volatile("cli; hlt");
		/* The button, or QEMU's inject-nmi: where are we? */
		trap_print(tf, 0);
		return;
	}
	trap_fatal(tf, rcr2());
}

/*
 * Last stop before user mode, interrupts off: work that is pending, then
 * values that a user may not have (frame.h, F2).
 */
void
user_return_work(struct trapframe *tf)
{
	struct globaldata *gd = mycpu;
	uint32_t flags;

	while ((flags = atomic_load_relaxed(&gd->gd_reqflags)) != 0) {
		intr_enable();
		if (flags & (RQF_IPI | RQF_TIMER | RQF_INTR))
			splz();
		if (flags & (RQF_AST | RQF_RESCHED))
			user_ast(tf);
		intr_disable();
		gd = mycpu;
	}
	tf->tf_cs = SEL_UCODE;
	tf->tf_ss = SEL_UDATA;
	tf->tf_rflags = (tf->tf_rflags & PSL_USERSET) | PSL_I | 2;
	/* iret to an address that is not canonical would fault in here. */
	if (tf->tf_rip > USER_VA_MAX)
		tf->tf_rip = USER_VA_MAX;
}

/* A kernel thread has no user memory, whatever tables it happens to run on. */
static inline bool
user_range(vm_offset_t uaddr, size_t len)
{
	return uaddr <= USER_VA_MAX && len <= USER_VA_MAX - uaddr &&
	    curthread->td_lwp != NULL;
}

int
copyin(vm_offset_t uaddr, void *kaddr, size_t len)
{
	if (!user_range(uaddr, len) ||
	    cpu_copy_user(kaddr, (const void *)uaddr, len) != 0)
		return EFAULT;
	return 0;
}

int
copyout(const void *kaddr, vm_offset_t uaddr, size_t len)
{
	if (!user_range(uaddr, len) ||
	    cpu_copy_user((void *)uaddr, kaddr, len) != 0)
		return EFAULT;
	return 0;
}

int
copyinstr(vm_offset_t uaddr, char *kaddr, size_t max, size_t *lenp)
{
	size_t room;
	int64_t n;

	if (uaddr >= USER_VA_MAX || !user_range(uaddr, 0))
		return EFAULT;
	room = MIN(max, USER_VA_MAX - uaddr);
	n = cpu_copy_user_str(kaddr, (const char *)uaddr, room);
	if (n < 0)
		return EFAULT;
	if (n == 0)
		return room < max ? EFAULT : ENAMETOOLONG;
	if (lenp != NULL)
		*lenp = (size_t)n;
	return 0;
}
