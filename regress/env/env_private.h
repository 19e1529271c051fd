/* SPDX-License-Identifier: BSD-2-Clause */
/* What the harness's own files share. */
#ifndef _REGRESS_ENV_PRIVATE_H_
#define _REGRESS_ENV_PRIVATE_H_

#include <sys/types.h>

extern bool env_case_failed;		/* [a] of the case that runs */

/* A build under TSan runs threaded. */
static inline bool
env_default_threaded(void)
{
#ifdef __SANITIZE_THREAD__
	return true;
#else
	return false;
#endif
}

#endif
