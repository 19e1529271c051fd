/* SPDX-License-Identifier: BSD-2-Clause */
/* hammer(8): options, and the table of verbs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libhammer_disk/hdisk.h>

#include "hammer_tool.h"

struct hammer_opts opts = {
	.delay = 5, .memlimit = 1ULL << 30, .splitsize = 4ULL << 30,
};

static const struct hammer_verb verbs[] = {
	/* volumes that are not mounted, named by -f */
	{ "blockmap", 0, 0, "", cmd_blockmap },
	{ "checkmap", 0, 0, "", cmd_checkmap },
	{ "show", 0, 2, "[localization[:object_id]] [filter|nofilter]",
	    cmd_show },
	{ "show-undo", 0, 0, "", cmd_show_undo },
	/* no volume at all */
	{ "namekey1", 1, 1, "name", cmd_namekey },
	{ "namekey2", 1, 1, "name", cmd_namekey },
	{ "namekey32", 1, 1, "name", cmd_namekey },
	/* mounted filesystems */
	{ "config", 0, 2, "[fs [file]]", cmd_config },
	{ "history", 1, -1, "path ...  (history@offset[,len]: of a block)",
	    cmd_history },
	{ "info", 0, -1, "[path ...]", cmd_info },
	{ "snap", 1, 2, "path [note]", cmd_snap },
	{ "snaplo", 1, 2, "path [note]", cmd_snap },
	{ "snapls", 0, -1, "[path ...]", cmd_snapls },
	{ "snapq", 1, 2, "dir [note]", cmd_snap },
	{ "snaprm", 1, -1, "path ... | tid ... | fs tid ...", cmd_snaprm },
	{ "snapshot", 1, 3, "[fs] snapdir [note]", cmd_snapshot },
	{ "synctid", 1, 2, "fs [quick]", cmd_synctid },
	{ "version", 1, 1, "fs", cmd_version },
	{ "viconfig", 0, 1, "[fs]", cmd_viconfig },
	{ NULL, 0, 0, NULL, NULL }
};

static void
usage(int code)
{
	const struct hammer_verb *v;
	FILE *out = code == 0 ? stdout : stderr;

	fprintf(out, "usage: hammer [-2AFqvy] [-b bandwidth] [-c cyclefile] "
	    "[-f blkdevs]\n              [-i delay] [-m memlimit] "
	    "[-S splitsize] [-t seconds] command ...\n");
	for (v = verbs; v->hv_name != NULL; v++)
		fprintf(out, "       hammer %s%s %s\n",
		    v->hv_fn == cmd_show || v->hv_fn == cmd_blockmap ||
		    v->hv_fn == cmd_checkmap || v->hv_fn == cmd_show_undo ?
		    "-f blkdevs " : "", v->hv_name, v->hv_args);
	exit(code);
}

static uint64_t
size_arg(const char *s)
{
	uint64_t n;

	if (!hd_parse_size(s, &n))
		hd_fatal("hammer: not a size: %s", s);
	return n;
}

int
main(int argc, char **argv)
{
	const struct hammer_verb *v;
	size_t len;
	int ch;

	while ((ch = getopt(argc, argv, "+2Ab:C:c:Ff:hi:m:qS:t:vy")) != -1) {
		switch (ch) {
		case '2': opts.twoway = true; break;
		case 'A': opts.all = true; break;
		case 'b': opts.bandwidth = size_arg(optarg); break;
		case 'C': break;	/* cache size: not needed */
		case 'c': opts.cyclefile = optarg; break;
		case 'F': opts.force = true; break;
		case 'f': opts.blkdevs = optarg; break;
		case 'h': usage(0); break;
		case 'i': opts.delay = atoi(optarg); break;
		case 'm': opts.memlimit = size_arg(optarg); break;
		case 'q': opts.quiet++; break;
		case 'S': opts.splitsize = size_arg(optarg); break;
		case 't': opts.timeout = atoi(optarg); break;
		case 'v': opts.verbose++; break;
		case 'y': opts.yes = true; break;
		default: usage(1);
		}
	}
	argc -= optind;
	argv += optind;
	if (argc < 1)
		usage(1);
	len = strcspn(argv[0], "@");	/* history@offset */
	for (v = verbs; v->hv_name != NULL; v++) {
		if (strncmp(v->hv_name, argv[0], len) == 0 &&
		    v->hv_name[len] == 0)
			break;
	}
	if (v->hv_name == NULL) {
		fprintf(stderr, "hammer: unknown command: %s\n", argv[0]);
		usage(1);
	}
	if (argc - 1 < v->hv_minargs ||
	    (v->hv_maxargs >= 0 && argc - 1 > v->hv_maxargs)) {
		fprintf(stderr, "usage: hammer %s %s\n", v->hv_name,
		    v->hv_args);
		return 1;
	}
	return v->hv_fn(argc, argv);
}
