/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot, and the small services of the platform.
 *
 * Memory is one arena; its physical addresses begin at VK_PHYS.  Kernel
 * memory that comes from the host's malloc (under ASan) has its own address
 * as physical address, far above any arena.
 */
#include <sys/systm.h>
#include <vm/vm_page.h>
#include <machine/malloc.h>
#include <platform/machdep.h>
#include "vk.h"
#include "vk_main.h"
#include "vk_san.h"

enum { VK_PHYS = 16 << 20, ARENA_ALIGN = 16 << 20 };

struct vk_opts vk_opts;
static char *arena;
static uint64_t arena_size;
void (*console_input_hook)(int c);

void
vk_arena_init(void)
{
	arena_size = vk_opts.vo_mem & ~(uint64_t)PAGE_MASK;
	arena = host_map(arena_size, ARENA_ALIGN);
	vm_phys_add(VK_PHYS, VK_PHYS + arena_size);
}

vm_paddr_t
kva_to_pa(const void *kva)
{
	uint64_t off = (uint64_t)((const char *)kva - arena);

	return off < arena_size ? off + VK_PHYS : (uintptr_t)kva;
}

void *
pa_to_kva(vm_paddr_t pa)
{
	uint64_t off = pa - VK_PHYS;

	return off < arena_size ? arena + off : (void *)(uintptr_t)pa;
}

bool
md_hostmem(void)
{
	return VK_ASAN && !vk_opts.vo_slab;
}

void *
md_hostmem_alloc(size_t size, size_t align)
{
	return host_malloc(size, align);
}

size_t
md_hostmem_size(void *p)
{
	return host_malloc_size(p);
}

void
md_hostmem_free(void *p)
{
	host_free(p);
}

void
md_console_write(const char *buf, size_t len)
{
	if (!vk_opts.vo_quiet || kern_panicking())
		host_write(buf, len);
}

const char *
md_cmdline(void)
{
	return vk_opts.vo_cmdline != NULL ? vk_opts.vo_cmdline : "hosted";
}

void
md_poweroff(void)
{
	host_exit(0);
}

void
md_reboot(void)
{
	host_exit(0);
}

/* After a panic: a core and an exit status that no test takes for success. */
void
md_halt(void)
{
	host_abort();
}

int
md_backtrace(uintptr_t *pcs, int n)
{
	struct md_thread *md = &curthread->td_md;
	uintptr_t lo = (uintptr_t)md->md_stack, hi = lo + md->md_stacksize;
	uintptr_t *fp = __builtin_frame_address(0);
	int i;

	for (i = 0; i < n; i++) {
		if ((uintptr_t)fp < lo || (uintptr_t)fp > hi - 16 ||
		    ((uintptr_t)fp & 7) != 0 || fp[1] == 0)
			break;
		pcs[i] = fp[1];
		if (fp[0] <= (uintptr_t)fp) {
			i++;
			break;
		}
		fp = (uintptr_t *)fp[0];
	}
	return i;
}

void
md_symbol(uintptr_t pc, char *buf, size_t size)
{
	const char *name;
	uintptr_t off;

	/* A return address may be the first byte of the next function. */
	if (host_symbol(pc - 1, &name, &off))
		ksnprintf(buf, size, "%s+%#lx", name,
		    (unsigned long)off + 1);
	else
		ksnprintf(buf, size, "?");
}

void
md_run_interrupts(void)
{
	vk_run_interrupts();
}
