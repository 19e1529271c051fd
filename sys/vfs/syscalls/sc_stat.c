/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking: stat and its kin, access, readlink, getdents, statfs. */
#include "sc.h"

int	sys_stat(struct syscall_args *);
int	sys_lstat(struct syscall_args *);
int	sys_fstat(struct syscall_args *);
int	sys_newfstatat(struct syscall_args *);
int	sys_statx(struct syscall_args *);
int	sys_access(struct syscall_args *);
int	sys_faccessat(struct syscall_args *);
int	sys_faccessat2(struct syscall_args *);
int	sys_readlink(struct syscall_args *);
int	sys_readlinkat(struct syscall_args *);
int	sys_getdents64(struct syscall_args *);
int	sys_statfs(struct syscall_args *);
int	sys_fstatfs(struct syscall_args *);

static MALLOC_DEFINE(M_SCSTAT, "stat buffers");

struct linux_stat {
	uint64_t	st_dev, st_ino, st_nlink;
	uint32_t	st_mode, st_uid, st_gid, st_pad0;
	uint64_t	st_rdev;
	int64_t		st_size, st_blksize, st_blocks;
	struct timespec	st_atim, st_mtim, st_ctim;
	int64_t		st_unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat");

int
sc_copyout_stat(const struct vattr *va, vm_offset_t ubuf)
{
	struct linux_stat st = {
		.st_dev = va->va_fsdev, .st_ino = va->va_ino,
		.st_nlink = va->va_nlink, .st_mode = va->va_mode,
		.st_uid = va->va_uid, .st_gid = va->va_gid,
		.st_rdev = va->va_rdev, .st_size = (int64_t)va->va_size,
		.st_blksize = va->va_blksize,
		.st_blocks = (int64_t)((va->va_bytes + 511) / 512),
		.st_atim = va->va_atime, .st_mtim = va->va_mtime,
		.st_ctim = va->va_ctime,
	};

	return copyout(&st, ubuf, sizeof(st));
}

static int
file_getattr(struct file *fp, struct vattr *va)
{
	return fp->f_ops->fo_stat == NULL ? EBADF : fp->f_ops->fo_stat(fp, va);
}

/* The attributes of what (dirfd, path, flags) names. */
static int
stat_at(int dirfd, vm_offset_t upath, int flags, struct vattr *va)
{
	struct sc_path sp;
	int error;

	error = sc_path(&sp, dirfd, upath, (flags & AT_EMPTY_PATH) != 0);
	if (error == 0)
		error = sp.sp_file != NULL ? file_getattr(sp.sp_file, va) :
		    kvfs_stat(&sp.sp_kv, sp.sp_path,
		    (flags & AT_SYMLINK_NOFOLLOW) == 0, va);
	sc_done(&sp);
	return error;
}

static int
do_stat(struct syscall_args *sa, int dirfd, vm_offset_t upath,
    vm_offset_t ubuf, int flags)
{
	struct vattr va;
	int error = stat_at(dirfd, upath, flags, &va);

	sa->result = 0;
	return error != 0 ? error : sc_copyout_stat(&va, ubuf);
}

int
sys_stat(struct syscall_args *sa)
{
	return do_stat(sa, AT_FDCWD, sa->a[0], sa->a[1], 0);
}

int
sys_lstat(struct syscall_args *sa)
{
	return do_stat(sa, AT_FDCWD, sa->a[0], sa->a[1], AT_SYMLINK_NOFOLLOW);
}

int
sys_newfstatat(struct syscall_args *sa)
{
	if (sa->a[3] & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT |
	    AT_EMPTY_PATH))
		return EINVAL;
	return do_stat(sa, (int)sa->a[0], sa->a[1], sa->a[2], (int)sa->a[3]);
}

int
sys_fstat(struct syscall_args *sa)
{
	struct vattr va;
	struct file *fp;
	int error = fd_get((int)sa->a[0], &fp);

	if (error != 0)
		return error;
	error = file_getattr(fp, &va);
	file_rele(fp);
	sa->result = 0;
	return error != 0 ? error : sc_copyout_stat(&va, sa->a[1]);
}

struct statx_time { int64_t tv_sec; uint32_t tv_nsec; int32_t pad; };
struct linux_statx {
	uint32_t	mask, blksize;
	uint64_t	attributes;
	uint32_t	nlink, uid, gid;
	uint16_t	mode, pad1;
	uint64_t	ino, size, blocks, attributes_mask;
	struct statx_time atime, btime, ctime, mtime;
	uint32_t	rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t	spare[14];
};
_Static_assert(sizeof(struct linux_statx) == 256, "struct statx");

static struct statx_time
statx_time(struct timespec ts)
{
	return (struct statx_time){ ts.tv_sec, (uint32_t)ts.tv_nsec, 0 };
}

int
sys_statx(struct syscall_args *sa)
{
	struct linux_statx stx;
	struct vattr va;
	int error;

	if ((sa->a[2] & ~(uint64_t)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT |
	    AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)) != 0 ||
	    (sa->a[3] & 0x80000000u) != 0)
		return EINVAL;
	error = stat_at((int)sa->a[0], sa->a[1], (int)sa->a[2], &va);
	if (error != 0)
		return error;
	memset(&stx, 0, sizeof(stx));
	stx.mask = 0x7ff;		/* STATX_BASIC_STATS */
	if (va.va_btime.tv_sec != 0) {
		stx.mask |= 0x800;	/* STATX_BTIME */
		stx.btime = statx_time(va.va_btime);
	}
	stx.blksize = va.va_blksize;
	stx.nlink = (uint32_t)va.va_nlink;
	stx.uid = va.va_uid;
	stx.gid = va.va_gid;
	stx.mode = (uint16_t)va.va_mode;
	stx.ino = va.va_ino;
	stx.size = va.va_size;
	stx.blocks = (va.va_bytes + 511) / 512;
	stx.atime = statx_time(va.va_atime);
	stx.ctime = statx_time(va.va_ctime);
	stx.mtime = statx_time(va.va_mtime);
	stx.rdev_major = dev_major(va.va_rdev);
	stx.rdev_minor = dev_minor(va.va_rdev);
	stx.dev_major = dev_major(va.va_fsdev);
	stx.dev_minor = dev_minor(va.va_fsdev);
	sa->result = 0;
	return copyout(&stx, sa->a[4], sizeof(stx));
}

static int
do_access(struct syscall_args *sa, int dirfd, vm_offset_t upath, int mode,
    int flags)
{
	struct vnode *vp = NULL;
	struct ucred *cred = NULL;
	struct sc_path sp;
	int error;

	if ((mode & ~7) != 0 || (flags & ~(AT_EACCESS | AT_EMPTY_PATH |
	    AT_SYMLINK_NOFOLLOW)) != 0)
		return EINVAL;
	error = sc_path(&sp, dirfd, upath, (flags & AT_EMPTY_PATH) != 0);
	if (error != 0)
		goto out;
	/* access(2) asks for the real ids. */
	if ((flags & AT_EACCESS) == 0 && (sp.sp_kv.kv_cred->cr_ruid !=
	    sp.sp_kv.kv_cred->cr_fsuid || sp.sp_kv.kv_cred->cr_rgid !=
	    sp.sp_kv.kv_cred->cr_fsgid)) {
		cred = cred_copy(sp.sp_kv.kv_cred,
		    sp.sp_kv.kv_cred->cr_ngroups);
		cred->cr_fsuid = cred->cr_uid = cred->cr_ruid;
		cred->cr_fsgid = cred->cr_gid = cred->cr_rgid;
		sp.sp_kv.kv_cred = cred;
	}
	if (sp.sp_file != NULL) {
		vp = sp.sp_vp;
		if (vp == NULL)
			goto out;	/* a pipe: all is allowed */
		vn_ref(vp);
	} else {
		error = kvfs_lookup(&sp.sp_kv, sp.sp_path,
		    (flags & AT_SYMLINK_NOFOLLOW) == 0, NULL, &vp);
	}
	if (error == 0 && mode != 0)
		error = vn_access(vp, ((mode & 4) ? VREAD : 0) |
		    ((mode & 2) ? VWRITE : 0) | ((mode & 1) ? VEXEC : 0),
		    sp.sp_kv.kv_cred);
	if (vp != NULL)
		vn_rele(vp);
out:
	if (cred != NULL)
		cred_drop(cred);
	sc_done(&sp);
	sa->result = 0;
	return error;
}

int
sys_access(struct syscall_args *sa)
{
	return do_access(sa, AT_FDCWD, sa->a[0], (int)sa->a[1], 0);
}

int
sys_faccessat(struct syscall_args *sa)
{
	return do_access(sa, (int)sa->a[0], sa->a[1], (int)sa->a[2], 0);
}

int
sys_faccessat2(struct syscall_args *sa)
{
	return do_access(sa, (int)sa->a[0], sa->a[1], (int)sa->a[2],
	    (int)sa->a[3]);
}

static int
do_readlink(struct syscall_args *sa, int dirfd, vm_offset_t upath,
    vm_offset_t ubuf, int64_t size)
{
	struct sc_path sp;
	size_t len = 0;
	char *buf;
	int error;

	if (size <= 0)
		return EINVAL;
	buf = kmalloc(PATH_MAX, &M_SCSTAT, M_WAITOK);
	error = sc_path(&sp, dirfd, upath, true);
	if (error == 0 && sp.sp_file != NULL)
		error = sp.sp_vp == NULL || sp.sp_vp->v_type != VLNK ? ENOENT :
		    vop_readlink(sp.sp_vp, buf, PATH_MAX, &len,
		    sp.sp_kv.kv_cred);
	else if (error == 0)
		error = kvfs_readlink(&sp.sp_kv, sp.sp_path, buf, PATH_MAX,
		    &len);
	sc_done(&sp);
	len = MIN(len, (size_t)size);
	if (error == 0)
		error = copyout(buf, ubuf, len);
	kfree(buf, &M_SCSTAT);
	sa->result = (int64_t)len;
	return error;
}

int
sys_readlink(struct syscall_args *sa)
{
	return do_readlink(sa, AT_FDCWD, sa->a[0], sa->a[1],
	    (int64_t)sa->a[2]);
}

int
sys_readlinkat(struct syscall_args *sa)
{
	return do_readlink(sa, (int)sa->a[0], sa->a[1], sa->a[2],
	    (int64_t)sa->a[3]);
}

/* ---- getdents64 ---- */

enum { DENTS_CHUNK = 32768, DENT_HEAD = 19 };

struct dents {
	char	*buf;
	size_t	 size, used;
	off_t	 next;			/* cookie after the last one taken */
	bool	 full;
};

static bool
dents_add(void *arg, const char *name, size_t namelen, ino_t ino, int dtype,
    off_t nextcookie)
{
	struct dents *d = arg;
	size_t reclen = roundup2(DENT_HEAD + namelen + 1, (size_t)8);
	char *p = d->buf + d->used;
	uint16_t reclen16 = (uint16_t)reclen;

	if (reclen > d->size - d->used) {
		d->full = true;
		return false;
	}
	memset(p, 0, reclen);
	memcpy(p, &ino, 8);
	memcpy(p + 8, &nextcookie, 8);
	memcpy(p + 16, &reclen16, 2);
	p[18] = (char)dtype;
	memcpy(p + DENT_HEAD, name, namelen);
	d->used += reclen;
	d->next = nextcookie;
	return true;
}

int
sys_getdents64(struct syscall_args *sa)
{
	struct dents d;
	struct vnode *vp;
	struct file *fp;
	int error;

	error = fd_get((int)sa->a[0], &fp);
	if (error != 0)
		return error;
	vp = file_vnode(fp);
	if (vp == NULL || vp->v_type != VDIR) {
		file_rele(fp);
		return ENOTDIR;
	}
	memset(&d, 0, sizeof(d));
	d.size = MIN((size_t)(uint32_t)sa->a[2], (size_t)DENTS_CHUNK);
	d.buf = kmalloc(d.size + 1, &M_SCSTAT, M_WAITOK);
	lock_excl(&fp->f_offlock);
	d.next = fp->f_offset;
	error = vop_readdir(vp, fp->f_offset, dents_add, &d, NULL, fp->f_cred);
	if (error == 0 && d.used == 0 && d.full)
		error = EINVAL;		/* the buffer holds not even one */
	if (error == 0)
		error = copyout(d.buf, sa->a[1], d.used);
	if (error == 0)
		fp->f_offset = d.next;
	lock_release(&fp->f_offlock);
	kfree(d.buf, &M_SCSTAT);
	file_rele(fp);
	sa->result = (int64_t)d.used;
	return error;
}

/* ---- statfs ---- */

struct linux_statfs {
	uint64_t f_type, f_bsize, f_blocks, f_bfree, f_bavail, f_files,
		 f_ffree, f_fsid, f_namelen, f_frsize, f_flags, f_spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs");

static int
statfs_out(struct mount *mp, vm_offset_t ubuf)
{
	struct linux_statfs out;
	struct statfs_info si;
	int error = vfs_statfs(mp, &si);

	if (error != 0)
		return error;
	memset(&out, 0, sizeof(out));
	out.f_type = si.f_type;
	out.f_bsize = out.f_frsize = si.f_bsize;
	out.f_blocks = si.f_blocks;
	out.f_bfree = si.f_bfree;
	out.f_bavail = si.f_bavail;
	out.f_files = si.f_files;
	out.f_ffree = si.f_ffree;
	out.f_fsid = si.f_fsid;
	out.f_namelen = si.f_namelen;
	out.f_flags = si.f_flags | 0x20;	/* ST_VALID */
	return copyout(&out, ubuf, sizeof(out));
}

int
sys_statfs(struct syscall_args *sa)
{
	struct nchandle nch = { NULL, NULL };
	struct sc_path sp;
	struct vnode *vp;
	int error;

	error = sc_path(&sp, AT_FDCWD, sa->a[0], false);
	if (error == 0)
		error = kvfs_lookup(&sp.sp_kv, sp.sp_path, true, &nch, &vp);
	sc_done(&sp);
	if (error != 0)
		return error;
	vn_rele(vp);
	error = statfs_out(nch.nch_mount, sa->a[1]);
	nc_drop(&nch);
	sa->result = 0;
	return error;
}

int
sys_fstatfs(struct syscall_args *sa)
{
	struct file *fp;
	int error = fd_get((int)sa->a[0], &fp);

	if (error != 0)
		return error;
	error = nc_isset(&fp->f_nch) ? statfs_out(fp->f_nch.nch_mount,
	    sa->a[1]) : ENOSYS;		/* a pipe is on no file system */
	file_rele(fp);
	sa->result = 0;
	return error;
}
