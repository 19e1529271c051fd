/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other CPUs: numbered in MADT order, the boot CPU first, started one
 * after another through one trampoline page.
 *
 * Each gets its globaldata and its first stack from the page allocator; that
 * stack is its idle thread's until kern_cpu_setup() says otherwise.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <vm/vm_page.h>
#include <platform/machdep.h>
#include <cpu/cpufunc.h>

#include "pc64.h"

struct mp_param {
	uint32_t	cr3, efer;
	uint64_t	stack, entry, arg;
};

extern const char mp_trampoline[], mp_trampoline_end[], mp_param[];

uint32_t mp_apicids[MAXCPU];
int	mp_ncpus_found = 1;
bool	md_panicking;

static uint64_t trampoline_pa, trampoline_root;
static uint32_t mp_arrived;		/* [a] CPU number that is up */

/* Number the CPUs, find a trampoline page: before memory is handed out. */
void
mp_init(void)
{
	struct acpi_info *ai = &acpi_info;
	uint32_t self = lapic_id();
	int i;

	mp_apicids[0] = self;
	if (ai->ai_ncpus > MAXCPU) {
		kprintf("mp: %d CPUs present, %d used\n", ai->ai_ncpus, MAXCPU);
		ai->ai_ncpus = MAXCPU;
	}
	for (i = 0; i < ai->ai_ncpus; i++)
		if (ai->ai_apicids[i] != self && mp_ncpus_found < MAXCPU)
			mp_apicids[mp_ncpus_found++] = ai->ai_apicids[i];
	trampoline_pa = bootinfo_alloc_page(0xa0000);
	if (trampoline_pa == 0 || trampoline_pa >= 0xa0000) {
		kprintf("mp: no memory below 1 MiB, one CPU is used\n");
		mp_ncpus_found = 1;
		return;
	}
	/* Now, because it must lie below 4 GiB. */
	if (mp_ncpus_found > 1)
		trampoline_root = pmap_trampoline_root(trampoline_pa);
}

static void
mp_cpu_entry(struct globaldata *gd)
{
	pmap_cpu_init();
	cpu_setup(gd);
	fpu_cpu_init();
	lapic_cpu_init();
	intr_enable();
	atomic_store(&mp_arrived, (uint32_t)gd->gd_cpuid);
	kern_cpu_main(gd->gd_cpuid);
}

static struct globaldata *
mp_cpu_alloc(int cpu)
{
	struct globaldata *gd;
	struct vm_page *m;
	int order = 0;

	while ((size_t)PAGE_SIZE << order < sizeof(*gd))
		order++;
	m = vm_page_alloc_contig(order, 0);
	if (m == NULL)
		return NULL;
	gd = memset(vm_page_kva(m), 0, sizeof(*gd));
	gd->gd_self = gd;
	gd->gd_cpuid = cpu;
	gd->gd_md.md_apicid = mp_apicids[cpu];
	gd->gd_md.md_tss = cpu_tables_alloc();
	return gd->gd_md.md_tss == NULL ? NULL : gd;
}

static void *
mp_stack_alloc(void)
{
	int order = 0;
	struct vm_page *m;

	while (PAGE_SIZE << order < KSTACK_SIZE)
		order++;
	m = vm_page_alloc_contig(order, 0);
	return m == NULL ? NULL : vm_page_kva(m);
}

static bool
mp_start(int cpu, struct mp_param *param)
{
	struct globaldata *gd = mp_cpu_alloc(cpu);
	char *stack = mp_stack_alloc();
	nsec_t end;

	if (gd == NULL || stack == NULL)
		return false;
	kern_cpu_setup(gd, cpu);
	param->stack = (uint64_t)stack + KSTACK_SIZE;
	param->entry = (uint64_t)mp_cpu_entry;
	param->arg = (uint64_t)gd;
	atomic_fence();
	lapic_startup(mp_apicids[cpu], trampoline_pa);
	end = md_mono_ns() + 1000000000ULL;
	while (atomic_load(&mp_arrived) != (uint32_t)cpu) {
		if (md_mono_ns() > end)
			return false;
		cpu_pause();
	}
	return true;
}

void
md_cpu_start_all(void)
{
	struct mp_param *param;
	char *page;
	int cpu;

	if (mp_ncpus_found == 1)
		return;
	page = pa_to_kva(trampoline_pa);
	memcpy(page, mp_trampoline, (size_t)(mp_trampoline_end - mp_trampoline));
	param = (struct mp_param *)(page + (mp_param - mp_trampoline));
	param->cr3 = (uint32_t)trampoline_root;
	param->efer = EFER_LME | (cpu_has_nx ? EFER_NXE : 0);
	for (cpu = 1; cpu < mp_ncpus_found; cpu++)
		if (!mp_start(cpu, param)) {
			kprintf("mp: CPU with APIC id %u does not start\n",
			    mp_apicids[cpu]);
			break;
		}
	mp_ncpus_found = ncpus = cpu;
}

void
md_ipi_poke(int cpu)
{
	lapic_ipi(mp_apicids[cpu], VEC_POKE);
}

void
md_stop_others(void)
{
	md_panicking = true;
	if (mp_ncpus_found > 1)
		lapic_nmi_others();
}

void
md_cpu_idle(void)
{
	intr_disable();
	if (atomic_load_relaxed(&mycpu->gd_reqflags) != 0)
		intr_enable();
	else
		cpu_halt_once();
}

void
md_spin_wait(void)
{
	cpu_pause();
}
