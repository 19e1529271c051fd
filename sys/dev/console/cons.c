/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: output to the serial port and the VGA text screen, input from
 * the serial port and the keyboard.
 *
 * Output is polled and takes no lock: it works in any context, in a panic
 * too, and kprintf() keeps lines apart.
 */
#include <sys/systm.h>
#include <platform/machdep.h>

#include "cons.h"

void (*console_input_hook)(int c);
static bool vga_on;
static char last_char;

void	md_console_early(void);

/* Serial output, before anything else works. */
void
md_console_early(void)
{
	uart_init();
}

void
md_console_write(const char *buf, size_t len)
{
	for (; len > 0; len--, buf++) {
		if (*buf == '\n' && last_char != '\r')
			uart_putc('\r');
		uart_putc(*buf);
		if (vga_on)
			vga_putc(*buf);
		last_char = *buf;
	}
}

void
cons_input(int c)
{
	if (console_input_hook != NULL)
		console_input_hook(c);
}

void	md_console_screen(void);
void	md_console_intr(void);

/* The screen, once device memory can be mapped. */
void
md_console_screen(void)
{
	vga_on = vga_init();
}

/* Input, once interrupts can be routed. */
void
md_console_intr(void)
{
	uart_intr_init();
	kbd_init();
}
