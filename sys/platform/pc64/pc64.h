/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this folder tell each other. */
#ifndef _PC64_PC64_H_
#define _PC64_PC64_H_

#include <sys/globaldata.h>
#include <sys/spinlock.h>
#include <sys/types.h>

struct trapframe;

#define KERNBASE	0xffffffff80000000ULL
#define DMAP_BASE	0xffff800000000000ULL	/* all memory, 64 TB at most */
#define DMAP_END	0xffffc00000000000ULL
#define MAPDEV_BASE	0xffffc00000000000ULL	/* device registers, tables */

/* Vectors.  Device vectors are bits of md_intr_pending. */
enum {
	VEC_DEVICE	= 0x40,
	VEC_DEVICE_N	= 64,
	VEC_TIMER	= 0xf0,
	VEC_POKE	= 0xf1,
	VEC_SHOOT	= 0xf2,
	VEC_SPURIOUS	= 0xff,
};

/* locore.S, ldscript, exception.S, mpboot.S */
extern char	ktext_start[], ktext_end[], krodata_end[], kernel_end[];
extern char	boot_stack[], boot_stack_end[];
extern char	vector_entries[];
void	syscall_entry(void);
void	user_return_to(struct trapframe *) __noreturn;

/* stackprot.c */
extern uint64_t	__stack_chk_guard;

/* init.c */
void	pc64_init(uint32_t magic, uint32_t info) __noreturn;

/* bootinfo.c: what the loader told us. */
enum { MEM_USABLE = 1, MEM_RESERVED = 2, MEM_ACPI = 3 };
struct memrange {
	uint64_t	mr_start, mr_end;
	uint32_t	mr_type;
};
struct bootinfo {
	char		bi_cmdline[2048];
	struct memrange	bi_map[256];		/* sorted, not overlapping */
	int		bi_nmap;
	struct memrange	bi_modules[16];
	int		bi_nmodules;
	uint8_t		bi_rsdp[36];		/* zero: look for it */
};
extern struct bootinfo bootinfo;
void	bootinfo_read(uint32_t magic, uint32_t info);
/* Take a piece out of usable memory; false if it is not there. */
bool	bootinfo_reserve(uint64_t start, uint64_t end);
/* One page below limit, before the page allocator runs; 0 if none. */
uint64_t bootinfo_alloc_page(uint64_t limit);

/* fwcfg.c: append to the command line what QEMU was told to. */
void	fwcfg_cmdline(char *cmdline, size_t size);

/* cpu.c: features, descriptor tables. */
extern uint8_t	cpu_has_smap;
extern bool	cpu_has_nx, cpu_has_x2apic, cpu_has_1g, cpu_has_xsave;
void	cpu_identify(void);
void	cpu_setup(struct globaldata *);		/* on each CPU, first thing */
void	*cpu_tables_alloc(void);		/* for md_tss of another CPU */
void	cpu_set_kstack(struct globaldata *, uint64_t top);

/* pmap_boot.c, pmap.c */
extern uint64_t	kernel_pml4_pa;
void	pmap_bootstrap(void);
void	pmap_cpu_init(void);			/* load the kernel's tables */
void	*pmap_map_tables(uint64_t pa, uint64_t size);	/* cached */
uint64_t pmap_trampoline_root(uint64_t pa);	/* tables that show pa at pa */
void	pmap_shoot_intr(void);
extern bool	md_panicking;

/* trap.c */
void	trap(struct trapframe *);
void	trap_paranoid(struct trapframe *);
void	user_return_work(struct trapframe *);

/* intr.c */
void	intr_dispatch(struct trapframe *);

/* lapic.c */
void	lapic_init(void);			/* once; maps, decides the mode */
void	lapic_cpu_init(void);
uint32_t lapic_id(void);
void	lapic_eoi(void);
void	lapic_ipi(uint32_t apicid, int vector);
void	lapic_nmi_others(void);
void	lapic_startup(uint32_t apicid, uint64_t page);
void	lapic_timer_oneshot(uint64_t ns);
void	lapic_timer_calibrate_begin(void);
void	lapic_timer_calibrate_end(uint64_t ns);

/* ioapic.c */
void	ioapic_init(void);
int	ioapic_route_isa(int irq, int vector, uint32_t apicid);

/* mp.c */
void	mp_init(void);
extern uint32_t	mp_apicids[MAXCPU];		/* by CPU number */
extern int	mp_ncpus_found;

/* systimer.c */
void	systimer_init(void);
void	md_delay_us(uint64_t us);

/* acpi_tables.c */
struct acpi_info {
	uint64_t	ai_lapic_pa;
	uint32_t	ai_apicids[MAXCPU];
	int		ai_ncpus;
	struct { uint64_t pa; uint32_t gsi; } ai_ioapic[8];
	int		ai_nioapics;
	struct { uint32_t gsi; uint16_t flags; } ai_isa[16];
	uint64_t	ai_hpet_pa;
	uint32_t	ai_pm_timer;		/* port, or 0 */
	uint32_t	ai_pm1a, ai_pm1b;	/* control ports, or 0 */
	uint16_t	ai_s5a, ai_s5b;		/* SLP_TYP of S5, shifted */
	bool		ai_has_s5;
	uint32_t	ai_smi_cmd;
	uint8_t		ai_acpi_enable;
	uint8_t		ai_reset_space;		/* 0xff: none */
	uint64_t	ai_reset_addr;
	uint8_t		ai_reset_value;
};
extern struct acpi_info acpi_info;
void	acpi_tables_init(void);

/* fpu.c, thread.c */
void	fpu_init(void);				/* once */
void	fpu_cpu_init(void);
void	fpu_save(void *area);
void	fpu_load(const void *area);

/* ../../cpu/x86_64 */
struct thread *cpu_switch_stack(uint64_t *save, uint64_t next,
	    struct thread *from);
void	cpu_thread_start(void);
extern char	cpu_copy_begin[], cpu_copy_end[], cpu_copy_fault[];
extern char	cpu_copy_bulk[], cpu_copy_bulk_end[], cpu_copy_bulk_fault[];
int	cpu_copy_user(void *dst, const void *src, size_t len);
int64_t	cpu_copy_user_str(char *dst, const char *src, size_t max);

#endif
