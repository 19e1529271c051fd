/* SPDX-License-Identifier: BSD-2-Clause */
/* What the system tells programs about itself. */
#ifndef _SYS_SYSINFO_H_
#define _SYS_SYSINFO_H_

struct proc;

/* uname(2) says Linux and a version that libcs accept, because that is the
 * interface; the version text says who we are. */
#define ANAX_OSRELEASE	"6.1.0-anax"
#define ANAX_VERSION	"Anax 0.1"

const char *sys_hostname(void);
void	limits_init(struct proc *);
/* Sync and unmount everything, before the machine ends. */
void	proc_system_down(const char *why);

/* Counters of calls that do not exist, for /proc/anax/enosys: name and count
 * of the i-th number, false past the end.  abi/linux/linux_syscall.c. */
#include <sys/types.h>
bool	linux_enosys(unsigned i, const char **name, uint64_t *count);

#endif
