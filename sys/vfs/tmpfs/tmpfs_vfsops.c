/* SPDX-License-Identifier: BSD-2-Clause */
/* Mount, unmount, options, statfs. */
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <sys/vnode.h>
#include <vm/vm_page.h>

#include "tmpfs.h"

static MALLOC_DEFINE(M_TMPFSMNT, "tmpfs mounts");

enum { TMPFS_MAGIC = 0x01021994 };

static vop_fn_t *const tmpfs_vops[VOP_COUNT] = {
	[VOP_NRESOLVE] = tmpfs_nresolve,
	[VOP_NLOOKUPDOTDOT] = tmpfs_nlookupdotdot,
	[VOP_NCREATE] = tmpfs_create,
	[VOP_NMKDIR] = tmpfs_create,
	[VOP_NMKNOD] = tmpfs_create,
	[VOP_NSYMLINK] = tmpfs_create,
	[VOP_NLINK] = tmpfs_nlink,
	[VOP_NREMOVE] = tmpfs_remove,
	[VOP_NRMDIR] = tmpfs_remove,
	[VOP_NRENAME] = tmpfs_nrename,
	[VOP_GETATTR] = tmpfs_getattr,
	[VOP_SETATTR] = tmpfs_setattr,
	[VOP_WRITE] = tmpfs_write,
	[VOP_READDIR] = tmpfs_readdir,
	[VOP_READLINK] = tmpfs_readlink,
	[VOP_GETPAGES] = tmpfs_getpages,
	[VOP_MKWRITE] = tmpfs_mkwrite,
	[VOP_ALLOCATE] = tmpfs_allocate,
	[VOP_INACTIVE] = tmpfs_inactive,
	[VOP_RECLAIM] = tmpfs_reclaim,
};

/* "64m", "50%", "4096".  False: not a size. */
static bool
parse_size(const char *s, uint64_t whole, uint64_t *out)
{
	char *end;
	uint64_t n = kstrtou64(s, &end, 10);

	if (end == s)
		return false;
	switch (*end) {
	case 'g': case 'G':
		n <<= 10;
		/* FALLTHROUGH */
	case 'm': case 'M':
		n <<= 10;
		/* FALLTHROUGH */
	case 'k': case 'K':
		n <<= 10;
		end++;
		break;
	case '%':
		n = whole / 100 * n;
		end++;
		break;
	}
	*out = n;
	return *end == '\0' || *end == ',';
}

struct options {
	uint64_t	size, inodes, mode, uid, gid;
};

/* "size=64m,mode=1777"; what is not ours (ro, noatime) was taken above. */
static int
parse_options(const char *data, struct options *o)
{
	static const struct {
		const char *name;
		size_t offset;
		int base;
	} table[] = {
		{ "mode=", offsetof(struct options, mode), 8 },
		{ "uid=", offsetof(struct options, uid), 10 },
		{ "gid=", offsetof(struct options, gid), 10 },
	};
	uint64_t whole = ptob(vm_pages_total);
	char *end;
	size_t i;

	for (; data != NULL && *data != '\0';
	    data = strchr(data, ','), data += data != NULL) {
		if (strncmp(data, "size=", 5) == 0) {
			if (!parse_size(data + 5, whole, &o->size))
				return EINVAL;
		} else if (strncmp(data, "nr_inodes=", 10) == 0) {
			if (!parse_size(data + 10, whole, &o->inodes))
				return EINVAL;
		}
		for (i = 0; i < nitems(table); i++) {
			size_t n = strlen(table[i].name);

			if (strncmp(data, table[i].name, n) != 0)
				continue;
			*(uint64_t *)((char *)o + table[i].offset) =
			    kstrtou64(data + n, &end, table[i].base);
			if (end == data + n || (*end != '\0' && *end != ','))
				return EINVAL;
		}
		if (strchr(data, ',') == NULL)
			break;
	}
	return 0;
}

static void
apply_limits(struct tmpfs_mount *tm, const struct options *o)
{
	int64_t pages = (int64_t)btop(o->size + PAGE_MASK);

	atomic_store(&tm->tm_maxpages, o->size ? pages :
	    (int64_t)(vm_pages_total / 2));
	atomic_store(&tm->tm_maxnodes, o->inodes ? (int64_t)o->inodes :
	    (int64_t)(vm_pages_total / 2));
}

static int
tmpfs_mount(struct mount *mp, const char *special __unused, const char *data,
    struct ucred *cred)
{
	struct options o = { 0, 0, 01777, cred->cr_fsuid, cred->cr_fsgid };
	nsec_t now = clock_wall_ns();
	struct timespec ts = { (int64_t)(now / NSEC_PER_SEC),
	    (int64_t)(now % NSEC_PER_SEC) };
	struct tmpfs_mount *tm;
	struct tmpfs_node *root;
	struct vattr va;
	int error;

	error = parse_options(data, &o);
	if (error != 0)
		return error;
	tm = kmalloc(sizeof(*tm), &M_TMPFSMNT, M_WAITOK | M_ZERO);
	tm->tm_mount = mp;
	apply_limits(tm, &o);
	mp->mnt_data = tm;
	mp->mnt_vops = tmpfs_vops;
	memset(&va, 0, sizeof(va));
	va.va_mode = S_IFDIR | (o.mode & 07777);
	va.va_uid = (uid_t)o.uid;
	va.va_gid = (gid_t)o.gid;
	error = tmpfs_node_alloc(tm, &va, NULL, &root);
	if (error != 0) {
		kfree(tm, &M_TMPFSMNT);
		return error;
	}
	root->tn_attr.va_atime = root->tn_attr.va_mtime = ts;
	root->tn_attr.va_ctime = root->tn_attr.va_btime = ts;
	tm->tm_root = root;
	mp->mnt_root = root->tn_vnode;
	vn_ref(mp->mnt_root);
	return 0;
}

static int
tmpfs_remount(struct mount *mp, uint32_t flags __unused, const char *data)
{
	struct options o = { 0, 0, 0, 0, 0 };
	int error;

	error = parse_options(data, &o);
	if (error == 0 && (o.size != 0 || o.inodes != 0))
		apply_limits(tmpfs_of(mp), &o);
	return error;
}

/* Every node goes, leaves first; nobody else has references. */
static void
tear_down(struct tmpfs_node *tn)
{
	struct tmpfs_node *dir = tn, *up;
	struct tmpfs_dirent *td;
	struct rb_node *n;

	while (dir != NULL) {
		n = S_ISDIR(dir->tn_attr.va_mode) ?
		    rb_first(&dir->tn_cookies) : NULL;
		if (n != NULL) {
			td = container_of(n, struct tmpfs_dirent,
			    td_cookie_node);
			if (S_ISDIR(td->td_node->tn_attr.va_mode) &&
			    td->td_node->tn_nentries > 0) {
				dir = td->td_node;
				continue;
			}
			tmpfs_leave(dir, td);
			if (S_ISDIR(td->td_node->tn_attr.va_mode))
				td->td_node->tn_attr.va_nlink = 0;
			else
				td->td_node->tn_attr.va_nlink--;
			if (td->td_node->tn_attr.va_nlink == 0) {
				vn_setflags(td->td_node->tn_vnode,
				    VN_UNLINKED, 0);
				vn_rele(td->td_node->tn_vnode);
			}
			tmpfs_dirent_free(td);
			continue;
		}
		up = dir == tn ? NULL : dir->tn_parent;
		dir = up;
	}
	vn_setflags(tn->tn_vnode, VN_UNLINKED, 0);
	vn_rele(tn->tn_vnode);
}

static int
tmpfs_unmount(struct mount *mp, bool force __unused)
{
	struct tmpfs_mount *tm = tmpfs_of(mp);

	tear_down(tm->tm_root);
	KKASSERT(tm->tm_nodes == 0);
	KKASSERT(tm->tm_pages == 0);
	mp->mnt_data = NULL;
	kfree(tm, &M_TMPFSMNT);
	return 0;
}

static int
tmpfs_statfs(struct mount *mp, struct statfs_info *sf)
{
	struct tmpfs_mount *tm = tmpfs_of(mp);
	int64_t max = atomic_load(&tm->tm_maxpages);
	int64_t used = atomic_load(&tm->tm_pages);

	sf->f_type = TMPFS_MAGIC;
	sf->f_bsize = PAGE_SIZE;
	sf->f_blocks = (uint64_t)max;
	sf->f_bfree = sf->f_bavail = used < max ? (uint64_t)(max - used) : 0;
	sf->f_files = (uint64_t)tm->tm_maxnodes;
	sf->f_ffree = (uint64_t)MAX(tm->tm_maxnodes -
	    (int64_t)atomic_load_relaxed(&tm->tm_nodes),
	    (int64_t)0);
	sf->f_namelen = NAME_MAX;
	return 0;
}

static struct vfsops tmpfs_ops = {
	.vfc_name = "tmpfs",
	.vfc_flags = VFC_MEMORY | VFC_NODEV,
	.vfs_mount = tmpfs_mount,
	.vfs_remount = tmpfs_remount,
	.vfs_unmount = tmpfs_unmount,
	.vfs_statfs = tmpfs_statfs,
};

void
tmpfs_init(void)
{
	vfs_register(&tmpfs_ops);
}
