/* SPDX-License-Identifier: BSD-2-Clause */
/* vk_main.c's part in booting. */
#ifndef _VKERNEL_VK_MAIN_H_
#define _VKERNEL_VK_MAIN_H_

void	vk_arena_init(void);
void	md_late_init(void);

#endif
