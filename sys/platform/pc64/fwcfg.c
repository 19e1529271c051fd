/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * More words for the command line from QEMU's firmware configuration device,
 * file opt/anax/cmdline: so that one ISO can be started in different ways
 * (make run passes the size of the terminal).
 */
#include <sys/systm.h>
#include <cpu/cpufunc.h>

#include "pc64.h"

enum { FW_SELECT = 0x510, FW_DATA = 0x511 };
enum { FW_SIGNATURE = 0, FW_DIRECTORY = 0x19 };

struct fw_file {
	uint32_t	size;		/* big endian, as the next */
	uint16_t	select, zero;
	char		name[56];
};
_Static_assert(sizeof(struct fw_file) == 64, "device layout");

static void
fw_read(void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len-- > 0)
		*p++ = inb(FW_DATA);
}

void
fwcfg_cmdline(char *cmdline, size_t size)
{
	struct fw_file f;
	uint32_t r[4], n;
	size_t len = strlen(cmdline), room;

	cpuid(1, 0, r);
	if ((r[2] & 1u << 31) == 0)
		return;			/* not a virtual machine */
	outw(FW_SELECT, FW_SIGNATURE);
	fw_read(r, 4);
	if (memcmp(r, "QEMU", 4) != 0)
		return;
	outw(FW_SELECT, FW_DIRECTORY);
	fw_read(&n, sizeof(n));
	for (n = __builtin_bswap32(n); n > 0 && n < 1000; n--) {
		fw_read(&f, sizeof(f));
		f.name[sizeof(f.name) - 1] = '\0';
		if (strcmp(f.name, "opt/anax/cmdline") != 0)
			continue;
		room = size - len - 1;
		if (room < 2)
			return;
		cmdline[len++] = ' ';
		room = MIN(room - 1, __builtin_bswap32(f.size));
		outw(FW_SELECT, __builtin_bswap16(f.select));
		fw_read(cmdline + len, room);
		cmdline[len + room] = '\0';
		return;
	}
}
