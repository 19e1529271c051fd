/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs that ask a mounted filesystem. */
#ifndef _SBIN_HAMMER_ONLINE_H_
#define _SBIN_HAMMER_ONLINE_H_

#include <stdint.h>

#include <vfs/hammer/hammer_ioctl.h>

#include "hammer_tool.h"

int	online_open(const char *path);	/* prints; -1 */
int	online_ask(int fd, const char *path, uint64_t cmd, void *io);
uint64_t online_synctid(int fd, const char *path, int op);	/* 0: failed */
const char *online_time(uint64_t tid, uint32_t time32);
char	*online_root(const char *path);

#endif
