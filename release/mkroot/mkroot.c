/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mkroot IMAGE < MANIFEST: fill a fresh HAMMER volume with what the manifest
 * names (release/manifest), through the kernel itself in library mode.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <platform/vkernel/vklib.h>

#include "mkroot.h"

static void *
must(void *p)
{
	if (p == NULL) {
		fprintf(stderr, "mkroot: out of memory\n");
		exit(1);
	}
	return p;
}

static void
die(const char *what)
{
	fprintf(stderr, "mkroot: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
load(struct mkroot_item *it, const char *source)
{
	FILE *f = fopen(source, "rb");
	long size;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
		die(source);
	rewind(f);
	it->size = (size_t)size;
	it->data = must(malloc(it->size + 1));
	if (fread(it->data, 1, it->size, f) != it->size)
		die(source);
	fclose(f);
}

static void
parse(struct mkroot_job *job, char *line)
{
	char path[4096], rest[4096], dev;
	struct mkroot_item it = { 0 };

	if (sscanf(line, "dir %4095s %o", path, &it.mode) == 2) {
		it.kind = 'd';
	} else if (sscanf(line, "file %4095s %o %4095s", path, &it.mode,
	    rest) == 3) {
		it.kind = 'f';
		load(&it, rest);
	} else if (sscanf(line, "slink %4095s %4095s", path, rest) == 2) {
		it.kind = 'l';
		it.target = must(strdup(rest));
	} else if (sscanf(line, "nod %4095s %o %c %u %u", path, &it.mode, &dev,
	    &it.major, &it.minor) == 5) {
		it.kind = dev;
	} else {
		fprintf(stderr, "mkroot: cannot read the line: %s", line);
		exit(1);
	}
	it.path = must(strdup(path));
	job->items = must(realloc(job->items,
	    (job->n + 1) * sizeof(*job->items)));
	job->items[job->n++] = it;
}

int
main(int argc, char **argv)
{
	struct vk_opts o = { .vo_cpus = 1, .vo_mem = 512 << 20,
	    .vo_quiet = true, .vo_realclock = true };
	struct mkroot_job job = { 0 };
	char line[9000];
	int error;

	if (argc != 2) {
		fprintf(stderr, "usage: mkroot IMAGE < MANIFEST\n");
		return 2;
	}
	while (fgets(line, sizeof(line), stdin) != NULL)
		if (line[0] != '\n' && line[0] != '#')
			parse(&job, line);
	vk_boot(&o);
	error = vk_disk_attach("vbd0", argv[1], VKD_WRITE, 0);
	if (error != 0) {
		errno = error;
		die(argv[1]);
	}
	error = vk_run(mkroot_fill, &job);
	vk_shutdown();
	if (error != 0) {
		errno = error;
		die(job.failed);
	}
	printf("mkroot: %zu objects, %llu bytes\n", job.n,
	    (unsigned long long)job.bytes);
	return 0;
}
