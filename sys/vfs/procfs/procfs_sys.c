/* SPDX-License-Identifier: BSD-2-Clause */
/* Files about the whole system.  Forms are Linux's, see proc(5) there. */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/dev.h>
#include <sys/disk.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/proc.h>
#include <sys/sysinfo.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <vm/vm_page.h>
#include <platform/machdep.h>

#include "procfs.h"

#define UNUSED_P	struct proc *p __unused, const struct pfs_node *pn __unused

enum { CENTI_NS = 10000000 };		/* a clock tick of the ABI, 1/100 s */

int
pfs_meminfo(struct pfs_text *pt, UNUSED_P)
{
	uint64_t kb = PAGE_SIZE / 1024;
	uint64_t total = vm_pages_total * kb;
	uint64_t free = atomic_load_relaxed(&vm_pages_free) * kb;

	pfs_printf(pt, "MemTotal:       %8llu kB\nMemFree:        %8llu kB\n"
	    "MemAvailable:   %8llu kB\nBuffers:        %8d kB\n"
	    "Cached:         %8d kB\nSwapTotal:      %8d kB\n"
	    "SwapFree:       %8d kB\n", (unsigned long long)total,
	    (unsigned long long)free, (unsigned long long)free, 0, 0, 0, 0);
	return 0;
}

static uint64_t
idle_ticks(int cpu)
{
	return cpu_globaldata[cpu]->gd_idletime / CENTI_NS;
}

int
pfs_stat(struct pfs_text *pt, UNUSED_P)
{
	uint64_t up = clock_mono_ns() / CENTI_NS, idle = 0, switches = 0;
	nsec_t boot = clock_wall_ns() - clock_mono_ns();

	for (int i = 0; i < ncpus; i++) {
		idle += idle_ticks(i);
		switches += cpu_globaldata[i]->gd_switches;
	}
	pfs_printf(pt, "cpu  %llu 0 0 %llu 0 0 0 0 0 0\n", (unsigned long long)
	    (up * (uint64_t)ncpus - MIN(idle, up * (uint64_t)ncpus)),
	    (unsigned long long)idle);
	for (int i = 0; i < ncpus; i++)
		pfs_printf(pt, "cpu%d %llu 0 0 %llu 0 0 0 0 0 0\n", i,
		    (unsigned long long)(up - MIN(idle_ticks(i), up)),
		    (unsigned long long)idle_ticks(i));
	pfs_printf(pt, "intr 0\nctxt %llu\nbtime %llu\nprocesses %d\n"
	    "procs_running 1\nprocs_blocked 0\n", (unsigned long long)switches,
	    (unsigned long long)(boot / NSEC_PER_SEC), proc_count);
	return 0;
}

int
pfs_uptime(struct pfs_text *pt, UNUSED_P)
{
	uint64_t up = clock_mono_ns() / CENTI_NS, idle = 0;

	for (int i = 0; i < ncpus; i++)
		idle += idle_ticks(i);
	pfs_printf(pt, "%llu.%02llu %llu.%02llu\n",
	    (unsigned long long)up / 100, (unsigned long long)up % 100,
	    (unsigned long long)idle / 100, (unsigned long long)idle % 100);
	return 0;
}

int
pfs_cpuinfo(struct pfs_text *pt, UNUSED_P)
{
	for (int i = 0; i < ncpus; i++)
		pfs_printf(pt, "processor\t: %d\nvendor_id\t: unknown\n"
		    "model name\t: x86-64\n\n", i);
	return 0;
}

int
pfs_filesystems(struct pfs_text *pt, UNUSED_P)
{
	static const char *const names[] = { "hammer", "tmpfs", "devfs",
	    "proc" };

	for (size_t i = 0; i < nitems(names); i++) {
		struct vfsops *op = vfs_find(names[i]);

		if (op != NULL)
			pfs_printf(pt, "%s\t%s\n", op->vfc_flags & VFC_NODEV ?
			    "nodev" : "", op->vfc_name);
	}
	return 0;
}

int
pfs_version(struct pfs_text *pt, UNUSED_P)
{
	pfs_printf(pt, "%s (Linux interface %s)\n", ANAX_VERSION,
	    ANAX_OSRELEASE);
	return 0;
}

/* There is no load average yet; what runs now is told truly. */
int
pfs_loadavg(struct pfs_text *pt, UNUSED_P)
{
	pfs_printf(pt, "0.00 0.00 0.00 1/%d %d\n", proc_count,
	    curproc() != NULL ? curproc()->p_pid : 0);
	return 0;
}

int
pfs_cmdline(struct pfs_text *pt, UNUSED_P)
{
	pfs_printf(pt, "%s\n", md_cmdline());
	return 0;
}

int
pfs_mounts_link(struct pfs_text *pt, UNUSED_P)
{
	pfs_printf(pt, "self/mounts");
	return 0;
}

int
pfs_self(struct pfs_text *pt, UNUSED_P)
{
	if (curproc() == NULL)
		return ENOENT;
	pfs_printf(pt, "%d", curproc()->p_pid);
	return 0;
}

int
pfs_thread_self(struct pfs_text *pt, UNUSED_P)
{
	if (curproc() == NULL)
		return ENOENT;
	pfs_printf(pt, "%d/task/%d", curproc()->p_pid, curlwp()->lwp_tid);
	return 0;
}

int
pfs_hostname(struct pfs_text *pt, UNUSED_P)
{
	pfs_printf(pt, "%s\n", sys_hostname());
	return 0;
}

int
pfs_ostype(struct pfs_text *pt, UNUSED_P)
{
	pfs_printf(pt, "Linux\n");	/* the interface, see sysinfo.h */
	return 0;
}

int
pfs_osrelease(struct pfs_text *pt, UNUSED_P)
{
	pfs_printf(pt, "%s\n", ANAX_OSRELEASE);
	return 0;
}

int
pfs_pid_max(struct pfs_text *pt, UNUSED_P)
{
	pfs_printf(pt, "4194304\n");
	return 0;
}

int
pfs_ngroups_max(struct pfs_text *pt, UNUSED_P)
{
	pfs_printf(pt, "65536\n");
	return 0;
}

/* abi/linux is not linked into the hosted kernel. */
bool	linux_enosys(unsigned, const char **, uint64_t *)
	    __attribute__((__weak__));

/* System calls that programs wanted and did not get: name and how often. */
int
pfs_enosys(struct pfs_text *pt, UNUSED_P)
{
	const char *name;
	uint64_t count;

	if (linux_enosys == NULL)
		return 0;
	for (unsigned i = 0; linux_enosys(i, &name, &count); i++)
		if (count > 0)
			pfs_printf(pt, "%s %llu\n",
			    name != NULL ? name : "?",
			    (unsigned long long)count);
	return 0;
}

static void
kmalloc_line(const struct malloc_type *mt, void *arg)
{
	pfs_printf(arg, "%-24s %12lld bytes %9lld objects\n", mt->mt_name,
	    (long long)mt->mt_bytes, (long long)mt->mt_count);
}

int
pfs_kmalloc(struct pfs_text *pt, UNUSED_P)
{
	kmalloc_foreach(kmalloc_line, pt);
	return 0;
}

static int
disk_line(struct disk *dp, void *arg)
{
	pfs_printf(arg, "%4u %7u %s %llu 0 %llu 0 %llu 0 %llu 0 0 0 0 "
	    "0 0 0 0 %llu 0\n", dev_major(dp->d_dev), dev_minor(dp->d_dev),
	    dp->d_name, (unsigned long long)dp->d_reads,
	    (unsigned long long)dp->d_read_bytes / 512,
	    (unsigned long long)dp->d_writes,
	    (unsigned long long)dp->d_write_bytes / 512,
	    (unsigned long long)dp->d_flushes);
	return 0;
}

int
pfs_disks(struct pfs_text *pt, UNUSED_P)
{
	disk_foreach(disk_line, pt);
	return 0;
}

static int
partition_line(struct disk *dp, void *arg)
{
	pfs_printf(arg, "%4u %8u %10llu %s\n", dev_major(dp->d_dev),
	    dev_minor(dp->d_dev), (unsigned long long)dp->d_size / 1024,
	    dp->d_name);
	return 0;
}

int
pfs_partitions(struct pfs_text *pt, UNUSED_P)
{
	pfs_printf(pt, "major minor  #blocks  name\n\n");
	disk_foreach(partition_line, pt);
	return 0;
}

static void
device_line(struct cdev *cd, void *arg)
{
	if (S_ISCHR(cd->si_mode))
		pfs_printf(arg, "%3u:%u %s\n", dev_major(cd->si_dev),
		    dev_minor(cd->si_dev), cd->si_name);
}

int
pfs_devices(struct pfs_text *pt, UNUSED_P)
{
	pfs_printf(pt, "Character devices:\n");
	dev_foreach(device_line, pt);
	return 0;
}
