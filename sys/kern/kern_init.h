/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of sys/kern that only init_main.c calls. */
#ifndef _KERN_INIT_H_
#define _KERN_INIT_H_

void	sleep_init(void);
void	random_init(void);
void	callout_start(void);
void	epoch_start(void);
void	dev_init(void);

#endif
