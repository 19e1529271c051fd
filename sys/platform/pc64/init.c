/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the loader to kern_main(): the order in which this machine comes up.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <vm/vm_page.h>
#include <platform/machdep.h>
#include <cpu/cpufunc.h>
#include <dev/pci/pci.h>

#include "pc64.h"

static struct globaldata globaldata0;

/* dev/console */
void	md_console_early(void);
void	md_console_screen(void);
void	md_console_intr(void);
/* dev/virtio */
void	virtio_blk_init(void);

const char *
md_cmdline(void)
{
	return bootinfo.bi_cmdline;
}

/* The first MiB stays with the firmware.  Bytes that the kernel may use. */
static uint64_t
memory_report(void)
{
	struct bootinfo *bi = &bootinfo;
	uint64_t start, end, sum = 0;
	int i;

	for (i = 0; i < bi->bi_nmap; i++) {
		start = MAX(bi->bi_map[i].mr_start, 1ULL << 20);
		end = bi->bi_map[i].mr_end;
		if (bi->bi_map[i].mr_type == MEM_USABLE && start < end) {
			vm_phys_add(start, end);
			sum += end - start;
		}
	}
	return sum;
}

void
pc64_init(uint32_t magic, uint32_t info)
{
	struct globaldata *gd = &globaldata0;
	uint64_t memory;

	md_console_early();
	cpu_identify();
	__stack_chk_guard ^= md_entropy() & ~0xffULL;	/* keeps its NUL */
	cpu_setup(gd);
	kern_cpu_setup(gd, 0);
	bootinfo_read(magic, info);
	pmap_bootstrap();
	md_console_screen();
	fpu_init();
	acpi_tables_init();
	lapic_init();
	lapic_cpu_init();
	gd->gd_md.md_apicid = lapic_id();
	ioapic_init();
	systimer_init();
	mp_init();
	memory = memory_report();
	kprintf("Anax on %d CPU%s, %lu MB of memory\n", mp_ncpus_found,
	    mp_ncpus_found == 1 ? "" : "s", (memory + (1 << 19)) >> 20);
	intr_enable();
	kern_main();
}

/* From kern's boot table. */
void	md_drivers_init(void);

void
md_drivers_init(void)
{
	md_console_intr();
	pci_init();
	virtio_blk_init();
}

void	md_late_init(void);

void
md_late_init(void)
{
	if (strstr(md_cmdline(), "root=") == NULL)
		kprintf("The kernel is up; nothing to run without root= "
		    "on its command line.\n");
}
