/* SPDX-License-Identifier: BSD-2-Clause */
/* hammer checkmap: compare the freemap with what is referenced. */
#include <libhammer_disk/hdisk.h>

#include "hammer_tool.h"

int
cmd_checkmap(int argc, char **argv)
{
	struct hd_fs *fs = tool_volumes();
	int n;

	(void)argc;
	(void)argv;
	if (!opts.quiet)
		tool_header(fs);
	n = hd_check(fs, stdout);
	if (n != 0 || !opts.quiet)
		printf("%d errors\n", n);
	hd_close(fs);
	return n == 0 ? 0 : 1;
}
