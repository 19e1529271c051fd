/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mount_hammer [-u] [-o options] [-T tid] special ... node
 *
 * Several volumes are given one by one or joined by ':'.  Options: ro, rw,
 * nosuid, nodev, noexec, noatime, sync, nohistory; the rest goes to the
 * filesystem, which refuses what it does not know.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static const struct {
	const char	*name;
	unsigned long	 set, clear;
} known[] = {
	{ "ro", MS_RDONLY, 0 }, { "rw", 0, MS_RDONLY },
	{ "nosuid", MS_NOSUID, 0 }, { "suid", 0, MS_NOSUID },
	{ "nodev", MS_NODEV, 0 }, { "dev", 0, MS_NODEV },
	{ "noexec", MS_NOEXEC, 0 }, { "exec", 0, MS_NOEXEC },
	{ "noatime", MS_NOATIME, 0 }, { "sync", MS_SYNCHRONOUS, 0 },
	{ "remount", MS_REMOUNT, 0 }, { "defaults", 0, 0 },
};

static unsigned long flags;
static char data[256];

static void
add_data(const char *s)
{
	if (strlen(data) + strlen(s) + 2 > sizeof(data)) {
		fprintf(stderr, "mount_hammer: too many options\n");
		exit(1);
	}
	if (data[0])
		strcat(data, ",");
	strcat(data, s);
}

static void
options(char *s)
{
	size_t i;

	for (s = strtok(s, ","); s != NULL; s = strtok(NULL, ",")) {
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (strcmp(s, known[i].name) == 0)
				break;
		if (i == sizeof(known) / sizeof(known[0])) {
			add_data(s);
			continue;
		}
		flags = (flags | known[i].set) & ~known[i].clear;
	}
}

int
main(int argc, char **argv)
{
	char special[1024] = "", buf[40], *end;
	int c;

	while ((c = getopt(argc, argv, "o:T:u")) != -1)
		switch (c) {
		case 'o':
			options(optarg);
			break;
		case 'T':
			if (strtoull(optarg, &end, 16) == 0 || *end) {
				fprintf(stderr, "mount_hammer: %s: not a "
				    "TID\n", optarg);
				return 1;
			}
			snprintf(buf, sizeof(buf), "tid=0x%llx",
			    strtoull(optarg, NULL, 16));
			add_data(buf);
			flags |= MS_RDONLY;
			break;
		case 'u':
			flags |= MS_REMOUNT;
			break;
		default:
			goto usage;
		}
	if (argc - optind < ((flags & MS_REMOUNT) ? 1 : 2))
		goto usage;
	for (; optind < argc - 1; optind++) {
		if (strlen(special) + strlen(argv[optind]) + 2 >
		    sizeof(special))
			goto usage;
		if (special[0])
			strcat(special, ":");
		strcat(special, argv[optind]);
	}
	if (mount(special[0] ? special : "none", argv[argc - 1], "hammer",
	    flags, data) != 0) {
		fprintf(stderr, "mount_hammer: %s on %s: %s\n", special,
		    argv[argc - 1], errno == EINVAL ?
		    "not a HAMMER filesystem, or a bad option" :
		    strerror(errno));
		return 1;
	}
	return 0;
usage:
	fprintf(stderr, "usage: mount_hammer [-u] [-o options] [-T tid] "
	    "special ... node\n");
	return 2;
}
