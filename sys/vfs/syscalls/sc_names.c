/* SPDX-License-Identifier: BSD-2-Clause */
/* Making, removing and moving names; attributes by name and by descriptor. */
#include <sys/time.h>

#include "sc.h"

int	sys_mkdir(struct syscall_args *);
int	sys_mkdirat(struct syscall_args *);
int	sys_mknod(struct syscall_args *);
int	sys_mknodat(struct syscall_args *);
int	sys_unlink(struct syscall_args *);
int	sys_unlinkat(struct syscall_args *);
int	sys_rmdir(struct syscall_args *);
int	sys_symlink(struct syscall_args *);
int	sys_symlinkat(struct syscall_args *);
int	sys_link(struct syscall_args *);
int	sys_linkat(struct syscall_args *);
int	sys_rename(struct syscall_args *);
int	sys_renameat(struct syscall_args *);
int	sys_renameat2(struct syscall_args *);
int	sys_chmod(struct syscall_args *);
int	sys_fchmod(struct syscall_args *);
int	sys_fchmodat(struct syscall_args *);
int	sys_chown(struct syscall_args *);
int	sys_lchown(struct syscall_args *);
int	sys_fchown(struct syscall_args *);
int	sys_fchownat(struct syscall_args *);
int	sys_truncate(struct syscall_args *);
int	sys_utimensat(struct syscall_args *);
int	sys_utimes(struct syscall_args *);
int	sys_futimesat(struct syscall_args *);
int	sys_utime(struct syscall_args *);

static int
do_mkdir(struct syscall_args *sa, int dirfd, vm_offset_t upath, mode_t mode)
{
	struct sc_path sp;
	int error = sc_path(&sp, dirfd, upath, false);

	if (error == 0)
		error = kvfs_mkdir(&sp.sp_kv, sp.sp_path, mode & 01777);
	sc_done(&sp);
	sa->result = 0;
	return error;
}

int
sys_mkdir(struct syscall_args *sa)
{
	return do_mkdir(sa, AT_FDCWD, sa->a[0], (mode_t)sa->a[1]);
}

int
sys_mkdirat(struct syscall_args *sa)
{
	return do_mkdir(sa, (int)sa->a[0], sa->a[1], (mode_t)sa->a[2]);
}

static int
do_mknod(struct syscall_args *sa, int dirfd, vm_offset_t upath, mode_t mode,
    dev_t rdev)
{
	struct sc_path sp;
	int error;

	switch (mode & S_IFMT) {
	case 0:
		mode |= S_IFREG;
		/* FALLTHROUGH */
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		rdev = 0;
		break;
	case S_IFCHR:
	case S_IFBLK:
		if (!cred_is_root(curcred()))
			return EPERM;
		break;
	case S_IFDIR:
		return EPERM;
	default:
		return EINVAL;
	}
	error = sc_path(&sp, dirfd, upath, false);
	if (error == 0)
		error = kvfs_mknod(&sp.sp_kv, sp.sp_path, mode, rdev);
	sc_done(&sp);
	sa->result = 0;
	return error;
}

int
sys_mknod(struct syscall_args *sa)
{
	return do_mknod(sa, AT_FDCWD, sa->a[0], (mode_t)sa->a[1],
	    (dev_t)sa->a[2]);
}

int
sys_mknodat(struct syscall_args *sa)
{
	return do_mknod(sa, (int)sa->a[0], sa->a[1], (mode_t)sa->a[2],
	    (dev_t)sa->a[3]);
}

static int
do_unlink(struct syscall_args *sa, int dirfd, vm_offset_t upath, bool dir)
{
	struct sc_path sp;
	int error = sc_path(&sp, dirfd, upath, false);

	if (error == 0)
		error = dir ? kvfs_rmdir(&sp.sp_kv, sp.sp_path) :
		    kvfs_unlink(&sp.sp_kv, sp.sp_path);
	sc_done(&sp);
	sa->result = 0;
	return error;
}

int
sys_unlink(struct syscall_args *sa)
{
	return do_unlink(sa, AT_FDCWD, sa->a[0], false);
}

int
sys_rmdir(struct syscall_args *sa)
{
	return do_unlink(sa, AT_FDCWD, sa->a[0], true);
}

int
sys_unlinkat(struct syscall_args *sa)
{
	if (sa->a[2] & ~(uint64_t)AT_REMOVEDIR)
		return EINVAL;
	return do_unlink(sa, (int)sa->a[0], sa->a[1],
	    (sa->a[2] & AT_REMOVEDIR) != 0);
}

static int
do_symlink(struct syscall_args *sa, vm_offset_t utarget, int dirfd,
    vm_offset_t upath)
{
	struct sc_path target, sp;
	int error = sc_path(&target, AT_FDCWD, utarget, false);

	if (error == 0) {
		error = sc_path(&sp, dirfd, upath, false);
		if (error == 0)
			error = kvfs_symlink(&sp.sp_kv, target.sp_path,
			    sp.sp_path);
		sc_done(&sp);
	}
	sc_done(&target);
	sa->result = 0;
	return error;
}

int
sys_symlink(struct syscall_args *sa)
{
	return do_symlink(sa, sa->a[0], AT_FDCWD, sa->a[1]);
}

int
sys_symlinkat(struct syscall_args *sa)
{
	return do_symlink(sa, sa->a[0], (int)sa->a[1], sa->a[2]);
}

static int
do_link(struct syscall_args *sa, int fromfd, vm_offset_t ufrom, int tofd,
    vm_offset_t uto, int flags)
{
	struct sc_path from, to;
	int error;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return EINVAL;
	error = sc_path(&from, fromfd, ufrom, (flags & AT_EMPTY_PATH) != 0);
	if (error == 0) {
		error = sc_path(&to, tofd, uto, false);
		if (error == 0 && from.sp_file != NULL)
			error = from.sp_vp == NULL ? EXDEV :
			    kvfs_link_vnode(from.sp_vp, &to.sp_kv, to.sp_path);
		else if (error == 0)
			error = kvfs_link(&from.sp_kv, from.sp_path,
			    (flags & AT_SYMLINK_FOLLOW) != 0, &to.sp_kv,
			    to.sp_path);
		sc_done(&to);
	}
	sc_done(&from);
	sa->result = 0;
	return error;
}

int
sys_link(struct syscall_args *sa)
{
	return do_link(sa, AT_FDCWD, sa->a[0], AT_FDCWD, sa->a[1], 0);
}

int
sys_linkat(struct syscall_args *sa)
{
	return do_link(sa, (int)sa->a[0], sa->a[1], (int)sa->a[2], sa->a[3],
	    (int)sa->a[4]);
}

static int
do_rename(struct syscall_args *sa, int fromfd, vm_offset_t ufrom, int tofd,
    vm_offset_t uto, uint32_t flags)
{
	struct sc_path from, to;
	int error;

	if ((flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0 ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return EINVAL;
	error = sc_path(&from, fromfd, ufrom, false);
	if (error == 0) {
		error = sc_path(&to, tofd, uto, false);
		if (error == 0)
			error = kvfs_rename(&from.sp_kv, from.sp_path,
			    &to.sp_kv, to.sp_path, (int)flags);
		sc_done(&to);
	}
	sc_done(&from);
	sa->result = 0;
	return error;
}

int
sys_rename(struct syscall_args *sa)
{
	return do_rename(sa, AT_FDCWD, sa->a[0], AT_FDCWD, sa->a[1], 0);
}

int
sys_renameat(struct syscall_args *sa)
{
	return do_rename(sa, (int)sa->a[0], sa->a[1], (int)sa->a[2], sa->a[3],
	    0);
}

int
sys_renameat2(struct syscall_args *sa)
{
	return do_rename(sa, (int)sa->a[0], sa->a[1], (int)sa->a[2], sa->a[3],
	    (uint32_t)sa->a[4]);
}

/* ---- attributes ---- */

static int
setattr_at(struct syscall_args *sa, int dirfd, vm_offset_t upath, int flags,
    const struct vattr *va)
{
	struct sc_path sp;
	int error;

	error = sc_path(&sp, dirfd, upath, (flags & AT_EMPTY_PATH) != 0);
	if (error == 0 && sp.sp_file != NULL)
		error = sp.sp_vp == NULL ? EINVAL : vn_setattr(sp.sp_vp, va,
		    sp.sp_kv.kv_cred);
	else if (error == 0)
		error = kvfs_setattr(&sp.sp_kv, sp.sp_path,
		    (flags & AT_SYMLINK_NOFOLLOW) == 0, va);
	sc_done(&sp);
	sa->result = 0;
	return error;
}

static int
setattr_fd(struct syscall_args *sa, int fd, const struct vattr *va)
{
	struct vnode *vp;
	struct file *fp;
	int error = fd_get(fd, &fp);

	if (error != 0)
		return error;
	vp = file_vnode(fp);
	if (fp->f_flags & O_PATH) {
		error = EBADF;
	} else if (vp != NULL) {
		error = vn_setattr(vp, va, curcred());
	} else if (nc_isset(&fp->f_nch)) {	/* a device's or FIFO's node */
		error = nc_vnode(&fp->f_nch, curcred(), &vp);
		if (error == 0) {
			error = vn_setattr(vp, va, curcred());
			vn_rele(vp);
		}
	} else {
		error = EPERM;
	}
	file_rele(fp);
	sa->result = 0;
	return error;
}

static struct vattr
va_mode(uint64_t mode)
{
	return (struct vattr){ .va_mask = VA_MODE,
	    .va_mode = (mode_t)mode & 07777 };
}

static struct vattr
va_owner(uint64_t uid, uint64_t gid)
{
	struct vattr va = { .va_uid = (uid_t)uid, .va_gid = (gid_t)gid };

	if ((uid_t)uid != (uid_t)-1)
		va.va_mask |= VA_UID;
	if ((gid_t)gid != (gid_t)-1)
		va.va_mask |= VA_GID;
	return va;
}

int
sys_chmod(struct syscall_args *sa)
{
	struct vattr va = va_mode(sa->a[1]);

	return setattr_at(sa, AT_FDCWD, sa->a[0], 0, &va);
}

int
sys_fchmod(struct syscall_args *sa)
{
	struct vattr va = va_mode(sa->a[1]);

	return setattr_fd(sa, (int)sa->a[0], &va);
}

int
sys_fchmodat(struct syscall_args *sa)
{
	struct vattr va = va_mode(sa->a[2]);

	return setattr_at(sa, (int)sa->a[0], sa->a[1], 0, &va);
}

int
sys_chown(struct syscall_args *sa)
{
	struct vattr va = va_owner(sa->a[1], sa->a[2]);

	return setattr_at(sa, AT_FDCWD, sa->a[0], 0, &va);
}

int
sys_lchown(struct syscall_args *sa)
{
	struct vattr va = va_owner(sa->a[1], sa->a[2]);

	return setattr_at(sa, AT_FDCWD, sa->a[0], AT_SYMLINK_NOFOLLOW, &va);
}

int
sys_fchown(struct syscall_args *sa)
{
	struct vattr va = va_owner(sa->a[1], sa->a[2]);

	return setattr_fd(sa, (int)sa->a[0], &va);
}

int
sys_fchownat(struct syscall_args *sa)
{
	struct vattr va = va_owner(sa->a[2], sa->a[3]);

	if (sa->a[4] & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return EINVAL;
	return setattr_at(sa, (int)sa->a[0], sa->a[1], (int)sa->a[4], &va);
}

int
sys_truncate(struct syscall_args *sa)
{
	uint64_t none = 0;
	struct sc_path sp;
	int error;

	if ((int64_t)sa->a[1] < 0)
		return EINVAL;
	error = sc_path(&sp, AT_FDCWD, sa->a[0], false);
	if (error == 0)
		error = sc_fsize_limit(sa->a[1], &none);
	if (error == 0)
		error = kvfs_truncate(&sp.sp_kv, sp.sp_path, sa->a[1]);
	sc_done(&sp);
	sa->result = 0;
	return error;
}

/* ---- times ---- */

enum { UTIME_NOW = 0x3fffffff, UTIME_OMIT = 0x3ffffffe };

static int
time_one(const struct timespec *ts, uint32_t set, uint32_t now,
    struct timespec *out, uint32_t *mask)
{
	if (ts->tv_nsec == UTIME_OMIT)
		return 0;
	if (ts->tv_nsec == UTIME_NOW) {
		*mask |= set | now;
		return 0;
	}
	if (ts->tv_nsec < 0 || ts->tv_nsec >= 1000000000)
		return EINVAL;
	*out = *ts;
	*mask |= set;
	return 0;
}

static int
do_utimens(struct syscall_args *sa, int dirfd, vm_offset_t upath,
    const struct timespec *ts, int flags)
{
	struct vattr va = { .va_mask = 0 };
	int error;

	error = time_one(&ts[0], VA_ATIME, VA_ATIME_NOW, &va.va_atime,
	    &va.va_mask);
	if (error == 0)
		error = time_one(&ts[1], VA_MTIME, VA_MTIME_NOW, &va.va_mtime,
		    &va.va_mask);
	sa->result = 0;
	if (error != 0 || va.va_mask == 0)
		return error;
	if (upath == 0)			/* futimens(3) */
		return setattr_fd(sa, dirfd, &va);
	return setattr_at(sa, dirfd, upath, flags, &va);
}

static const struct timespec times_now[2] = {
	{ 0, UTIME_NOW }, { 0, UTIME_NOW } };

int
sys_utimensat(struct syscall_args *sa)
{
	struct timespec ts[2] = { times_now[0], times_now[1] };
	int error;

	if (sa->a[3] & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return EINVAL;
	if (sa->a[2] != 0) {
		error = copyin(sa->a[2], ts, sizeof(ts));
		if (error != 0)
			return error;
	}
	return do_utimens(sa, (int)sa->a[0], sa->a[1], ts, (int)sa->a[3]);
}

static int
utimes_at(struct syscall_args *sa, int dirfd, vm_offset_t upath,
    vm_offset_t utv)
{
	struct timespec ts[2] = { times_now[0], times_now[1] };
	struct timeval tv[2];
	int error;

	if (utv != 0) {
		error = copyin(utv, tv, sizeof(tv));
		if (error != 0)
			return error;
		for (int i = 0; i < 2; i++) {
			if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000)
				return EINVAL;
			ts[i].tv_sec = tv[i].tv_sec;
			ts[i].tv_nsec = tv[i].tv_usec * 1000;
		}
	}
	if (upath == 0)
		return EFAULT;
	return do_utimens(sa, dirfd, upath, ts, 0);
}

int
sys_utimes(struct syscall_args *sa)
{
	return utimes_at(sa, AT_FDCWD, sa->a[0], sa->a[1]);
}

int
sys_futimesat(struct syscall_args *sa)
{
	return utimes_at(sa, (int)sa->a[0], sa->a[1], sa->a[2]);
}

int
sys_utime(struct syscall_args *sa)
{
	struct timespec ts[2] = { times_now[0], times_now[1] };
	int64_t t[2];
	int error;

	if (sa->a[1] != 0) {
		error = copyin(sa->a[1], t, sizeof(t));
		if (error != 0)
			return error;
		ts[0] = (struct timespec){ t[0], 0 };
		ts[1] = (struct timespec){ t[1], 0 };
	}
	if (sa->a[0] == 0)
		return EFAULT;
	return do_utimens(sa, AT_FDCWD, sa->a[0], ts, 0);
}
