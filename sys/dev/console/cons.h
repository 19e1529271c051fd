/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices of which the console consists. */
#ifndef _DEV_CONSOLE_CONS_H_
#define _DEV_CONSOLE_CONS_H_

#include <stdbool.h>

void	uart_init(void);		/* polled output works from here on */
void	uart_putc(char c);
void	uart_intr_init(void);		/* input, once interrupts work */
bool	vga_init(void);			/* false: no text mode */
void	vga_putc(char c);
void	kbd_init(void);
void	cons_input(int c);		/* from the drivers */

#endif
