/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot archive.  kern/kern_initrd.c. */
#ifndef _SYS_INITRD_H_
#define _SYS_INITRD_H_

#include <sys/types.h>

/* Unpack into the mounted root; what fails is reported and left out. */
void	initrd_unpack(const void *start, size_t len);

#endif
