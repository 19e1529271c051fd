/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside devfs. */
#ifndef _DEVFS_H_
#define _DEVFS_H_

void	devfs_init(void);
void	devfs_mem_init(void);

#endif
