/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls that Linux lacks.  Each returns -1 and sets errno on error. */
#ifndef _ANAX_H_
#define _ANAX_H_

#include <stddef.h>

/* See sys/mountctl.h and mountctl(8).  fd -1 where there is none.  Returns
 * the bytes written to out. */
long	mountctl(const char *path, int op, int fd, const void *in, size_t inlen,
	    void *out, size_t outlen);

#endif
