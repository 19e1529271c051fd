/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cpio archive ("newc") from the boot loader, unpacked into the root.
 *
 * Header: magic 070701, then 13 fields of 8 hex digits; name and data follow,
 * each padded to 4 bytes.  The bytes are not ours: every length is checked
 * against what is left.  Several archives may follow each other, with zeroes
 * between them.
 */
#include <sys/errno.h>
#include <sys/initrd.h>
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/vfs_kern.h>

enum { CPIO_HDR = 110, CPIO_FIELDS = 13 };
enum { C_INO, C_MODE, C_UID, C_GID, C_NLINK, C_MTIME, C_SIZE, C_DEVMAJ,
       C_DEVMIN, C_RDEVMAJ, C_RDEVMIN, C_NAMESIZE, C_CHECK };

struct cpio {
	const uint8_t	*cp_at, *cp_end;
	uint32_t	 cp_f[CPIO_FIELDS];
	const char	*cp_name;
	const uint8_t	*cp_data;
};

static bool
hex8(const uint8_t *p, uint32_t *out)
{
	uint32_t v = 0, d;
	int i;

	for (i = 0; i < 8; i++) {
		if (p[i] >= '0' && p[i] <= '9')
			d = p[i] - '0';
		else if ((p[i] | 32) >= 'a' && (p[i] | 32) <= 'f')
			d = (p[i] | 32) - 'a' + 10;
		else
			return false;
		v = v << 4 | d;
	}
	*out = v;
	return true;
}

/* 0: one entry is described; ENOENT: the end; EINVAL: not an archive. */
static int
cpio_next(struct cpio *cp)
{
	size_t left, namelen, skip;
	int i;

	while (cp->cp_at < cp->cp_end && *cp->cp_at == 0)
		cp->cp_at++;
	left = (size_t)(cp->cp_end - cp->cp_at);
	if (left == 0)
		return ENOENT;
	if (left < CPIO_HDR || memcmp(cp->cp_at, "070701", 6) != 0)
		return EINVAL;
	for (i = 0; i < CPIO_FIELDS; i++)
		if (!hex8(cp->cp_at + 6 + i * 8, &cp->cp_f[i]))
			return EINVAL;
	namelen = cp->cp_f[C_NAMESIZE];
	skip = roundup2(CPIO_HDR + namelen, (size_t)4);
	if (namelen == 0 || namelen > PATH_MAX || skip > left ||
	    cp->cp_at[CPIO_HDR + namelen - 1] != '\0')
		return EINVAL;
	cp->cp_name = (const char *)cp->cp_at + CPIO_HDR;
	cp->cp_data = cp->cp_at + skip;
	if (cp->cp_f[C_SIZE] > left - skip)
		return EINVAL;
	skip += MIN(roundup2((size_t)cp->cp_f[C_SIZE], (size_t)4),
	    left - skip);
	cp->cp_at += skip;
	return 0;
}

static int
cpio_make(struct kvfs *kv, const struct cpio *cp)
{
	mode_t mode = cp->cp_f[C_MODE];
	const char *name = cp->cp_name;
	char target[PATH_MAX / 4];
	struct vattr va = {
		.va_mask = VA_UID | VA_GID,
		.va_uid = cp->cp_f[C_UID], .va_gid = cp->cp_f[C_GID],
	};
	int error;

	switch (mode & S_IFMT) {
	case S_IFDIR:
		error = kvfs_mkdir(kv, name, mode & 07777);
		if (error == EEXIST)
			return 0;
		break;
	case S_IFREG:
		error = kvfs_create(kv, name, mode & 07777);
		if (error == 0 && cp->cp_f[C_SIZE] != 0)
			error = kvfs_write(kv, name, cp->cp_data,
			    cp->cp_f[C_SIZE], 0);
		break;
	case S_IFLNK:
		if (cp->cp_f[C_SIZE] >= sizeof(target))
			return ENAMETOOLONG;
		memcpy(target, cp->cp_data, cp->cp_f[C_SIZE]);
		target[cp->cp_f[C_SIZE]] = '\0';
		return kvfs_symlink(kv, target, name);
	default:
		error = kvfs_mknod(kv, name, mode,
		    makedev(cp->cp_f[C_RDEVMAJ], cp->cp_f[C_RDEVMIN]));
		if (error == EEXIST)
			return 0;
		break;
	}
	if (error == 0 && (va.va_uid | va.va_gid) != 0)
		error = kvfs_setattr(kv, name, false, &va);
	return error;
}

void
initrd_unpack(const void *start, size_t len)
{
	struct cpio cp = { .cp_at = start,
	    .cp_end = (const uint8_t *)start + len };
	struct kvfs kv;
	int error, n = 0;

	if ((error = kvfs_init_root(&kv)) != 0) {
		kprintf("initrd: no root: error %d\n", error);
		return;
	}
	while ((error = cpio_next(&cp)) == 0) {
		if (strcmp(cp.cp_name, "TRAILER!!!") == 0)
			continue;
		if (strcmp(cp.cp_name, ".") == 0)
			continue;
		if ((error = cpio_make(&kv, &cp)) != 0)
			kprintf("initrd: %s: error %d\n", cp.cp_name, error);
		else
			n++;
	}
	if (error != ENOENT)
		kprintf("initrd: damaged after %d files\n", n);
	kvfs_done(&kv);
}
