/* SPDX-License-Identifier: BSD-2-Clause */
/* The history questions, hammer_history.c; asked through hammer_ioctl.c. */
#ifndef _VFS_HAMMER_HISTORY_H_
#define _VFS_HAMMER_HISTORY_H_

#include "hammer_ioctl.h"
#include "hammer_vfs.h"

int	hammer_ioc_history(struct vop_msg *, struct hammer_ioc_history *);
int	hammer_ioc_dirhist(struct vop_msg *, struct hammer_ioc_dirhist *);
int	hammer_ioc_objhist(struct vop_msg *, struct hammer_ioc_objhist *);

#endif
