/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot of the file system layer. */
#include <sys/systm.h>

#include "vfs_core.h"

void
vfs_init(void)
{
	vfs_vnode_init();
}
