/* SPDX-License-Identifier: BSD-2-Clause */
/* Times that cross the system call boundary.  kern/kern_time.c. */
#ifndef _SYS_TIME_H_
#define _SYS_TIME_H_

#include <sys/types.h>

struct timeval {
	int64_t		tv_sec;
	int64_t		tv_usec;
};

/* A timespec from user memory as ns.  EFAULT; EINVAL if it is not one. */
int	copyin_timespec(vm_offset_t uaddr, nsec_t *ns);
int	copyout_timespec(nsec_t ns, vm_offset_t uaddr);

static inline struct timeval
ns_to_timeval(nsec_t ns)
{
	return (struct timeval){ (int64_t)(ns / 1000000000),
	    (int64_t)(ns % 1000000000) / 1000 };
}

#endif
