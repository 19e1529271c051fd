/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order in which the kernel comes to life: one table.
 *
 * The first part runs on the boot CPU's idle thread and must not block.  The
 * second runs in the thread "init", with all CPUs there.  A subsystem adds its
 * line, and declares its function weak: one that is not linked is passed over.
 *
 * I1  Lines marked BOOT start what a booted system has and a hosted kernel
 *     that somebody else drives has not: they run if the command line names a
 *     root file system.
 */
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/vm_page.h>
#include <platform/machdep.h>
#include "kern_init.h"
#include "lwkt.h"

#define WEAK	__attribute__((__weak__))

/* dev/disk */
void	disk_init(void) WEAK;
/* proc */
void	proc_init(void) WEAK;
void	vm_map_init(void) WEAK;
void	tty_init(void) WEAK;
void	linux_abi_init(void) WEAK;
void	proc_start_init(void) WEAK;	/* run /sbin/init */
/* vfs */
void	vfs_init(void) WEAK;
void	nc_init(void) WEAK;
void	vm_object_init(void) WEAK;
void	file_init(void) WEAK;
void	pipe_init(void) WEAK;
void	vfs_syscalls_init(void) WEAK;
void	tmpfs_init(void) WEAK;
void	devfs_init(void) WEAK;
void	procfs_init(void) WEAK;
void	hammer_init(void) WEAK;
void	journal_init(void) WEAK;
void	vfs_mountroot(void) WEAK;
/* platform */
void	md_console_init(void) WEAK;	/* nodes of the console */
void	md_drivers_init(void) WEAK;	/* buses and what is on them */
void	md_late_init(void) WEAK;	/* the kernel is up */
/* regress */
void	kern_selftest(void) WEAK;	/* linked into kernels that test */

enum { BOOT = 1 };

struct init_line {
	const char	*il_name;
	void		(*il_fn)(void);
	int		il_flags;
};

static const struct init_line early_lines[] = {
	{ "pages",		vm_page_init,		0 },
	{ "kmalloc",		kmalloc_init,		0 },
	{ "sleep",		sleep_init,		0 },
	{ "random",		random_init,		0 },
};

static const struct init_line lines[] = {
	{ "callouts",		callout_start,		0 },
	{ "epochs",		epoch_start,		0 },
	{ "reclaim",		vm_reclaim_start,	0 },
	{ "devices",		dev_init,		0 },
	{ "disks",		disk_init,		0 },
	{ "console nodes",	md_console_init,	0 },
	{ "vm objects",		vm_object_init,		0 },
	{ "vm maps",		vm_map_init,		0 },
	{ "files",		file_init,		0 },
	{ "pipes",		pipe_init,		0 },
	{ "processes",		proc_init,		0 },
	{ "terminals",		tty_init,		0 },
	{ "vfs",		vfs_init,		0 },
	{ "namecache",		nc_init,		0 },
	{ "vfs system calls",	vfs_syscalls_init,	0 },
	{ "tmpfs",		tmpfs_init,		0 },
	{ "devfs",		devfs_init,		0 },
	{ "procfs",		procfs_init,		0 },
	{ "hammer",		hammer_init,		0 },
	{ "journal",		journal_init,		0 },
	{ "linux abi",		linux_abi_init,		0 },
	{ "drivers",		md_drivers_init,	0 },
	{ "root",		vfs_mountroot,		BOOT },
	{ "init",		proc_start_init,	BOOT },
	{ "self test",		kern_selftest,		0 },
	{ "late",		md_late_init,		0 },
};

int ncpus = 1;
struct globaldata *cpu_globaldata[MAXCPU];
const char *init_stage = "start";	/* for a debugger */

static void
init_run(const struct init_line *il, size_t n, int flags)
{
	for (; n-- > 0; il++) {
		if (il->il_fn == NULL || (il->il_flags & ~flags) != 0)
			continue;
		init_stage = il->il_name;
		il->il_fn();
	}
}

static void
init_thread(void *unused __unused)
{
	bool boot = strstr(md_cmdline(), "root=") != NULL;

	init_run(lines, nitems(lines), boot ? BOOT : 0);
	init_stage = "done";
}

void
kern_cpu_setup(struct globaldata *gd, int cpuid)
{
	int i;

	gd->gd_self = gd;
	gd->gd_cpuid = cpuid;
	for (i = 0; i <= TDPRI_MAX; i++)
		TAILQ_INIT(&gd->gd_runq[i]);
	TAILQ_INIT(&gd->gd_dead);
	lwkt_idle_init(gd, cpuid);
	callout_cpu_init(gd);
	cpu_globaldata[cpuid] = gd;
}

static void __noreturn
cpu_run(void)
{
	mycpu->gd_switchtime = md_mono_ns();
	crit_exit();			/* from lwkt_idle_init() */
	lwkt_idle_loop();
}

void
kern_cpu_main(int cpuid)
{
	KKASSERT(mycpu == cpu_globaldata[cpuid]);
	cpu_run();
}

void
kern_main(void)
{
	struct thread *td;

	init_run(early_lines, nitems(early_lines), 0);
	md_cpu_start_all();
	lwkt_create(init_thread, NULL, &td, TDPRI_KERN, 0, "init");
	lwkt_schedule(td);
	cpu_run();
}
