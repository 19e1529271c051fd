/* SPDX-License-Identifier: BSD-2-Clause */
/* mount(2), umount2(2), sync(2), syncfs(2). */
#include "sc.h"

int	sys_mount(struct syscall_args *);
int	sys_umount2(struct syscall_args *);
int	sys_sync(struct syscall_args *);
int	sys_syncfs(struct syscall_args *);

static MALLOC_DEFINE(M_SCMOUNT, "mount arguments");

enum {					/* mount(2) flags, Linux numbers */
	MS_REMOUNT = 32, MS_BIND = 4096, MS_MOVE = 8192, MS_SILENT = 32768,
	MS_UNBINDABLE = 1 << 17, MS_PRIVATE = 1 << 18, MS_SLAVE = 1 << 19,
	MS_SHARED = 1 << 20, MS_RELATIME = 1 << 21, MS_STRICTATIME = 1 << 24,
	MS_KEPT = MNT_RDONLY | MNT_NOSUID | MNT_NODEV | MNT_NOEXEC |
	    MNT_SYNC | MNT_NOATIME,
	DATA_MAX = 4096,
};

/* An optional string of the user; NULL stays NULL. */
static int
string_in(vm_offset_t uaddr, size_t max, char **out)
{
	int error = 0;

	*out = NULL;
	if (uaddr != 0) {
		*out = kmalloc(max, &M_SCMOUNT, M_WAITOK);
		error = copyinstr(uaddr, *out, max, NULL);
	}
	return error;
}

static int
do_remount(struct sc_path *sp, uint32_t flags, const char *data)
{
	struct nchandle nch = { NULL, NULL };
	struct vnode *vp;
	struct mount *mp;
	int error = kvfs_lookup(&sp->sp_kv, sp->sp_path, true, &nch, &vp);

	if (error != 0)
		return error;
	vn_rele(vp);
	mp = nch.nch_mount;
	if (nch.nch_ncp != mp->mnt_rootnch.nch_ncp)
		error = EINVAL;
	else
		error = vfs_remount(mp, flags & MS_KEPT, data);
	nc_drop(&nch);
	return error;
}

int
sys_mount(struct syscall_args *sa)
{
	uint64_t flags = sa->a[3];
	char *from = NULL, *type = NULL, *data = NULL;
	struct sc_path sp;
	int error;

	if (!cred_capable(curcred(), CAP_SYS_ADMIN))
		return EPERM;
	if ((flags & 0xffff0000u) == 0xc0ed0000u)
		flags &= 0xffff;	/* the old magic number */
	sa->result = 0;
	error = sc_path(&sp, AT_FDCWD, sa->a[1], false);
	if (error == 0)
		error = string_in(sa->a[0], PATH_MAX, &from);
	if (error == 0)
		error = string_in(sa->a[2], NAME_MAX + 1, &type);
	if (error == 0)
		error = string_in(sa->a[4], DATA_MAX, &data);
	if (error != 0)
		goto out;
	if (flags & (MS_BIND | MS_MOVE)) {
		error = EOPNOTSUPP;	/* null mounts: README, status */
	} else if (flags & (MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE |
	    MS_SHARED)) {
		/* There is one namespace: private is what it is. */
		error = flags & MS_PRIVATE ? 0 : EINVAL;
	} else if (flags & MS_REMOUNT) {
		error = do_remount(&sp, (uint32_t)flags, data);
	} else if (type == NULL) {
		error = EINVAL;
	} else {
		error = kvfs_mount(&sp.sp_kv, type, from, sp.sp_path,
		    (uint32_t)(flags & MS_KEPT), data);
	}
out:
	kfree(from, &M_SCMOUNT);
	kfree(type, &M_SCMOUNT);
	kfree(data, &M_SCMOUNT);
	sc_done(&sp);
	return error;
}

int
sys_umount2(struct syscall_args *sa)
{
	enum { MNT_FORCE = 1, MNT_DETACH = 2, UMOUNT_NOFOLLOW = 8 };
	struct sc_path sp;
	int error;

	if (!cred_capable(curcred(), CAP_SYS_ADMIN))
		return EPERM;
	if (sa->a[1] & ~(uint64_t)(MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW))
		return EINVAL;
	error = sc_path(&sp, AT_FDCWD, sa->a[0], false);
	if (error == 0)
		error = kvfs_umount(&sp.sp_kv, sp.sp_path,
		    (sa->a[1] & (MNT_FORCE | MNT_DETACH)) != 0);
	sc_done(&sp);
	sa->result = 0;
	return error;
}

int
sys_sync(struct syscall_args *sa)
{
	sa->result = 0;
	vfs_sync_all(true);	/* sync(2) has no way to say that it failed */
	return 0;
}

int
sys_syncfs(struct syscall_args *sa)
{
	struct file *fp;
	int error = fd_get((int)sa->a[0], &fp);

	if (error != 0)
		return error;
	sa->result = 0;
	error = nc_isset(&fp->f_nch) ? vfs_sync(fp->f_nch.nch_mount, true) :
	    EBADF;
	file_rele(fp);
	return error;
}
