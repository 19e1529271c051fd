/* SPDX-License-Identifier: BSD-2-Clause */
/* hammer namekey1, namekey2, namekey32: hashes of a name. */
#include <string.h>

#include <libhammer_disk/hdisk.h>

#include "hammer_tool.h"

int
cmd_namekey(int argc, char **argv)
{
	const char *name = argv[1];
	uint32_t max;

	(void)argc;
	if (strcmp(argv[0], "namekey32") == 0)
		printf("0x%08x\n", hammer_crc32(name, strlen(name)));
	else
		printf("0x%016llx\n", (unsigned long long)hammer_dirhash(
		    strcmp(argv[0], "namekey1") == 0 ?
		    HAMMER_INODE_CAP_DIRHASH_ALG0 :
		    HAMMER_INODE_CAP_DIRHASH_ALG1, name, strlen(name), &max));
	return 0;
}
