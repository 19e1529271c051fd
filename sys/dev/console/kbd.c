/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PS/2 keyboard, scan code set 1 (the controller translates), US layout.
 * Cursor keys become the escape sequences that terminals send.
 */
#include <sys/systm.h>
#include <machine/intr.h>
#include <cpu/cpufunc.h>

#include "cons.h"

enum { KBD_DATA = 0x60, KBD_STATUS = 0x64, KBD_IRQ = 1 };
enum { ST_OUT = 0x01, ST_IN = 0x02, ST_AUX = 0x20 };
enum { SC_CTRL = 0x1d, SC_LSHIFT = 0x2a, SC_RSHIFT = 0x36, SC_ALT = 0x38,
       SC_CAPS = 0x3a, SC_EXT = 0xe0 };

static const char plain[0x3a + 1] =
    "\0\0331234567890-=\x7f\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[0x3a + 1] =
    "\0\033!@#$%^&*()_+\x7f\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static bool shift, ctrl, alt, caps, extended;

static void
send(const char *s)
{
	while (*s != '\0')
		cons_input((uint8_t)*s++);
}

static void
key_extended(uint8_t code)
{
	switch (code) {
	case 0x48: send("\033[A"); break;
	case 0x50: send("\033[B"); break;
	case 0x4d: send("\033[C"); break;
	case 0x4b: send("\033[D"); break;
	case 0x47: send("\033[H"); break;
	case 0x4f: send("\033[F"); break;
	case 0x49: send("\033[5~"); break;
	case 0x51: send("\033[6~"); break;
	case 0x53: send("\033[3~"); break;
	case 0x1c: send("\r"); break;
	case 0x35: send("/"); break;
	}
}

static void
key(uint8_t sc)
{
	bool down = (sc & 0x80) == 0;
	uint8_t code = sc & 0x7f;
	char c;

	if (sc == SC_EXT) {
		extended = true;
		return;
	}
	switch (code) {
	case SC_CTRL:
		ctrl = down;
		extended = false;
		return;
	case SC_ALT:
		alt = down;
		extended = false;
		return;
	case SC_LSHIFT:
	case SC_RSHIFT:
		if (!extended)		/* else a fake one around cursor keys */
			shift = down;
		extended = false;
		return;
	}
	if (!down) {
		extended = false;
		return;
	}
	if (extended) {
		extended = false;
		key_extended(code);
		return;
	}
	if (code == SC_CAPS) {
		caps = !caps;
		return;
	}
	if (code >= sizeof(plain))
		return;
	c = (shift ? shifted : plain)[code];
	if (caps && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
		c ^= 0x20;
	if (c == '\0')
		return;
	if (ctrl)
		c &= 0x1f;
	if (alt)
		cons_input('\033');
	cons_input((uint8_t)c);
}

static void
kbd_intr(void *arg __unused)
{
	uint8_t st;

	while ((st = inb(KBD_STATUS)) & ST_OUT) {
		uint8_t sc = inb(KBD_DATA);

		if ((st & ST_AUX) == 0)
			key(sc);
	}
}

static void
kbd_command(uint8_t cmd)
{
	int i;

	for (i = 0; i < 10000 && (inb(KBD_STATUS) & ST_IN); i++)
		__builtin_ia32_pause();
	outb(KBD_STATUS, cmd);
}

void
kbd_init(void)
{
	uint8_t config;
	int i;

	if (inb(KBD_STATUS) == 0xff)
		return;				/* no controller */
	for (i = 0; i < 100 && (inb(KBD_STATUS) & ST_OUT); i++)
		inb(KBD_DATA);
	kbd_command(0x20);			/* read the configuration */
	for (i = 0; i < 10000 && !(inb(KBD_STATUS) & ST_OUT); i++)
		__builtin_ia32_pause();
	config = inb(KBD_DATA);
	if (intr_establish_isa(KBD_IRQ, kbd_intr, NULL) != 0)
		return;
	kbd_command(0x60);			/* interrupt on, translation on */
	for (i = 0; i < 10000 && (inb(KBD_STATUS) & ST_IN); i++)
		__builtin_ia32_pause();
	outb(KBD_DATA, (config | 0x41) & ~0x10);
	kbd_intr(NULL);
}
