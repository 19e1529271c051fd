/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VGA text screen, 80 by 25, if the firmware left the adapter in that
 * mode: a plain terminal that understands newline, return, backspace and
 * tab, and skips escape sequences.
 */
#include <sys/systm.h>
#include <machine/intr.h>
#include <cpu/cpufunc.h>

#include "cons.h"

enum { COLS = 80, ROWS = 25, ATTR = 0x0700 };
enum { VGA_GC = 0x3ce, VGA_CRTC = 0x3d4 };

static volatile uint16_t *screen;
static uint16_t shadow[ROWS * COLS];	/* reading video memory is slow */
static int pos, escape;

bool
vga_init(void)
{
	uint8_t misc;
	int i;

	outb(VGA_GC, 6);
	misc = inb(VGA_GC + 1);
	if ((misc & 1) != 0 || (misc & 0x0c) != 0x0c)
		return false;		/* graphics, or not at b8000 */
	screen = pmap_mapdev(0xb8000, sizeof(shadow));
	for (i = 0; i < ROWS * COLS; i++)
		screen[i] = shadow[i] = ATTR | ' ';
	return true;
}

static void
set_cell(int at, uint16_t v)
{
	if (shadow[at] != v)
		screen[at] = shadow[at] = v;
}

static void
scroll(void)
{
	int i;

	for (i = 0; i < (ROWS - 1) * COLS; i++)
		set_cell(i, shadow[i + COLS]);
	for (; i < ROWS * COLS; i++)
		set_cell(i, ATTR | ' ');
	pos -= COLS;
}

static void
show_cursor(void)
{
	outb(VGA_CRTC, 14);
	outb(VGA_CRTC + 1, (uint8_t)(pos >> 8));
	outb(VGA_CRTC, 15);
	outb(VGA_CRTC + 1, (uint8_t)pos);
}

/* ESC [ ... letter, or ESC and one character. */
static bool
in_escape(char c)
{
	if (c == '\033') {
		escape = 1;
		return true;
	}
	if (escape == 0)
		return false;
	if (escape == 1)
		escape = c == '[' ? 2 : 0;
	else if (c >= '@' && c <= '~')
		escape = 0;
	return true;
}

void
vga_putc(char c)
{
	if (in_escape(c))
		return;
	switch (c) {
	case '\n':
		pos += COLS - pos % COLS;
		break;
	case '\r':
		pos -= pos % COLS;
		break;
	case '\b':
		if (pos % COLS > 0)
			pos--;
		break;
	case '\t':
		pos += 8 - pos % 8;
		break;
	default:
		if ((uint8_t)c >= ' ')
			set_cell(pos++, (uint16_t)(ATTR | (uint8_t)c));
		break;
	}
	if (pos >= ROWS * COLS)
		scroll();
	if (c == '\n' || c == '\r' || (uint8_t)c >= ' ' || c == '\b')
		show_cursor();
}
