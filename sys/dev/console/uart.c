/* SPDX-License-Identifier: BSD-2-Clause */
/* The 16550 at the place of COM1: 115200 8N1, FIFOs on. */
#include <sys/systm.h>
#include <machine/intr.h>
#include <cpu/cpufunc.h>

#include "cons.h"

enum { COM1 = 0x3f8, COM1_IRQ = 4 };
enum { UART_DATA = 0, UART_IER = 1, UART_FCR = 2, UART_LCR = 3, UART_MCR = 4,
       UART_LSR = 5, UART_SCRATCH = 7 };
enum { LSR_DATA = 0x01, LSR_THRE = 0x20 };
enum { TX_SPINS = 100000 };

static bool uart_there;

void
uart_init(void)
{
	outb(COM1 + UART_SCRATCH, 0x5a);
	if (inb(COM1 + UART_SCRATCH) != 0x5a)
		return;
	outb(COM1 + UART_IER, 0);
	outb(COM1 + UART_LCR, 0x80);		/* divisor: 1 */
	outb(COM1 + UART_DATA, 1);
	outb(COM1 + UART_IER, 0);
	outb(COM1 + UART_LCR, 0x03);
	outb(COM1 + UART_FCR, 0x07);
	outb(COM1 + UART_MCR, 0x0b);		/* DTR RTS OUT2 */
	uart_there = true;
}

void
uart_putc(char c)
{
	int i;

	if (!uart_there)
		return;
	/* A port that never gets ready loses characters, not the kernel. */
	for (i = 0; i < TX_SPINS && !(inb(COM1 + UART_LSR) & LSR_THRE); i++)
		__builtin_ia32_pause();
	outb(COM1 + UART_DATA, (uint8_t)c);
}

static void
uart_intr(void *arg __unused)
{
	while (inb(COM1 + UART_LSR) & LSR_DATA)
		cons_input(inb(COM1 + UART_DATA));
}

void
uart_intr_init(void)
{
	if (!uart_there ||
	    intr_establish_isa(COM1_IRQ, uart_intr, NULL) != 0)
		return;
	outb(COM1 + UART_IER, 1);
	/* What came before is no edge any more. */
	uart_intr(NULL);
}
