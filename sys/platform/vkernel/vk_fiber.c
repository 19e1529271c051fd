/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks of the hosted kernel's threads.
 *
 * The same switch serves two purposes: md_switch() goes to another thread of
 * the same virtual CPU; in deterministic mode vk_cpu.c goes to the current
 * thread of another virtual CPU.
 *
 * Stacks are large, because sanitizers and host calls need much more than the
 * kernel does, are mapped on demand with a guard page below, and are kept for
 * the next thread.
 */
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <platform/machdep.h>
#include "vk.h"
#include "vk_san.h"

enum { STACK_SIZE = 512 * 1024, GUARD = 4096 };

/* A free stack's link lies in the stack itself, at its low end. */
struct free_stack {
	struct free_stack *fs_next;
};

static struct free_stack *free_stacks;
static struct spinlock stack_spin = SPINLOCK_INITIALIZER("vkstacks");

static void *
stack_get(void)
{
	struct free_stack *fs = NULL;
	char *p;

	if (cpu_globaldata[0] != NULL && mycpu != NULL) {
		spin_lock(&stack_spin);
		if ((fs = free_stacks) != NULL)
			free_stacks = fs->fs_next;
		spin_unlock(&stack_spin);
	}
	if (fs != NULL)
		return fs;
	p = host_map(STACK_SIZE + GUARD, GUARD);
	host_guard(p, GUARD);
	return p + GUARD;
}

static void
stack_put(void *stack)
{
	struct free_stack *fs = stack;

	asan_unpoison(stack, STACK_SIZE);
	spin_lock(&stack_spin);
	fs->fs_next = free_stacks;
	free_stacks = fs;
	spin_unlock(&stack_spin);
}

void
vk_fiber_init(struct thread *td, void (*fn)(void *), void *arg)
{
	struct md_thread *md = &td->td_md;
	uintptr_t *sp;

	md->md_stack = stack_get();
	md->md_stacksize = STACK_SIZE;
	md->md_fn = fn;
	md->md_arg = arg;
	md->md_tsan_fiber = tsan_fiber_new();
	sp = (uintptr_t *)((char *)md->md_stack + STACK_SIZE);
	*--sp = 0;
	*--sp = 0;			/* keeps 16-byte alignment */
	*--sp = (uintptr_t)vk_ctx_entry;
	for (int i = 0; i < 6; i++)
		*--sp = 0;
	md->md_sp = sp;
}

void
vk_fiber_adopt(struct thread *td)
{
	host_thread_stack(&td->td_md.md_stack, &td->td_md.md_stacksize);
	td->td_md.md_tsan_fiber = tsan_fiber_self();
}

void
vk_fiber_switch(struct thread *from, struct thread *to)
{
	asan_start_switch(&from->td_md.md_fake_stack, to->td_md.md_stack,
	    to->td_md.md_stacksize);
	tsan_fiber_switch(to->td_md.md_tsan_fiber);
	vk_ctx_switch(&from->td_md.md_sp, to->td_md.md_sp);
	asan_finish_switch(from->td_md.md_fake_stack);
}

/* First C code on a new stack. */
void
vk_fiber_main(void)
{
	struct thread *td;

	asan_finish_switch(NULL);
	td = curthread;
	td->td_md.md_fn(td->td_md.md_arg);
	panic("a thread's first function returned: %s", td->td_name);
}

void
md_thread_init(struct thread *td, void (*fn)(void *), void *arg)
{
	vk_fiber_init(td, fn, arg);
}

void
md_thread_free(struct thread *td)
{
	tsan_fiber_free(td->td_md.md_tsan_fiber);
	stack_put(td->td_md.md_stack);
	td->td_md.md_stack = NULL;
}

struct thread *
md_switch(struct thread *from, struct thread *to)
{
	vk_fiber_switch(from, to);
	return mycpu->gd_switchfrom;
}
