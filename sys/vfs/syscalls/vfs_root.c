/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first mounts, from the boot command line:
 *
 *	root=/dev/vbd0 rootfstype=hammer rootflags=... [ro]
 *	root=tmpfs
 *
 * then devfs on /dev and procfs on /proc, if the root has those directories
 * or lets them be made.
 */
#include <sys/errno.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vfs_kern.h>
#include <platform/machdep.h>

#include "vfs_calls.h"

/* Processes begin at the root of all, too. */
void	proc_set_system_root(const struct nchandle *)
	    __attribute__((__weak__));

/* The word after "key" on the command line; false if there is none. */
static bool
boot_arg(const char *key, char *buf, size_t size)
{
	const char *p = md_cmdline(), *end;
	size_t klen = strlen(key), n;

	while (*p != '\0') {
		while (*p == ' ')
			p++;
		for (end = p; *end != '\0' && *end != ' '; end++)
			;
		n = (size_t)(end - p);
		if (n >= klen && strncmp(p, key, klen) == 0) {
			n = MIN(n - klen, size - 1);
			memcpy(buf, p + klen, n);
			buf[n] = '\0';
			return true;
		}
		p = end;
	}
	return false;
}

/* Is the word there? */
static bool
boot_flag(const char *word)
{
	const char *p = md_cmdline();
	size_t n = strlen(word);

	for (; (p = strstr(p, word)) != NULL; p += n) {
		if ((p == md_cmdline() || p[-1] == ' ') &&
		    (p[n] == ' ' || p[n] == '\0'))
			return true;
	}
	return false;
}

static int
try_root(const char *type, const char *special, uint32_t flags,
    const char *data)
{
	struct mount *mp;
	int error;

	error = vfs_mount(type, special, NULL, flags, data, kernel_cred, &mp);
	if (error != 0) {
		kprintf("root: %s on %s: error %d\n",
		    special != NULL ? special : "nothing", type, error);
		return error;
	}
	nc_copy(&mp->mnt_rootnch, &vfs_rootnch);
	kprintf("root: %s on %s\n", type, mp->mnt_from);
	mount_rele(mp);
	return 0;
}

static void
mount_below(struct kvfs *kv, const char *type, const char *path)
{
	int error;

	if (vfs_find(type) == NULL)
		return;
	kvfs_mkdir(kv, path, 0755);
	error = kvfs_mount(kv, type, NULL, path, 0, NULL);
	if (error != 0)
		kprintf("root: %s on %s: error %d\n", type, path, error);
}

void
vfs_mountroot(void)
{
	char special[128] = "/dev/vbd0", type[32] = "hammer", data[128] = "";
	uint32_t flags = 0;
	struct kvfs kv;

	boot_arg("root=", special, sizeof(special));
	boot_arg("rootfstype=", type, sizeof(type));
	boot_arg("rootflags=", data, sizeof(data));
	if (boot_flag("ro"))
		flags |= MNT_RDONLY;
	if (strcmp(special, "tmpfs") == 0 ||
	    try_root(type, special, flags, data) != 0) {
		if (try_root("tmpfs", NULL, 0, NULL) != 0)
			panic("no root file system");
	}
	if (proc_set_system_root != NULL)
		proc_set_system_root(&vfs_rootnch);
	if (kvfs_init_root(&kv) != 0)
		return;
	mount_below(&kv, "devfs", "/dev");
	mount_below(&kv, vfs_find("procfs") != NULL ? "procfs" : "proc",
	    "/proc");
	kvfs_done(&kv);
}
