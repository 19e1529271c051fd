/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors and where a process stands: dup, fcntl, chdir, getcwd, umask. */
#include "sc.h"

int	sys_dup(struct syscall_args *);
int	sys_dup2(struct syscall_args *);
int	sys_dup3(struct syscall_args *);
int	sys_fcntl(struct syscall_args *);
int	sys_chdir(struct syscall_args *);
int	sys_fchdir(struct syscall_args *);
int	sys_chroot(struct syscall_args *);
int	sys_getcwd(struct syscall_args *);
int	sys_umask(struct syscall_args *);

int
sys_dup(struct syscall_args *sa)
{
	struct file *fp;
	int fd, error = fd_get((int)sa->a[0], &fp);

	if (error != 0)
		return error;
	error = fd_install(fp, 0, false, &fd);
	if (error != 0)
		file_rele(fp);
	sa->result = fd;
	return error;
}

static int
do_dup3(struct syscall_args *sa, int from, int to, bool cloexec)
{
	struct file *fp;
	int error = fd_get(from, &fp);

	if (error != 0)
		return error;
	error = fd_install_at(fp, to, cloexec);
	if (error != 0)
		file_rele(fp);
	sa->result = to;
	return error;
}

int
sys_dup2(struct syscall_args *sa)
{
	int from = (int)sa->a[0], to = (int)sa->a[1];

	if (from == to) {
		sa->result = to;
		return fd_cloexec(from, -1, NULL);
	}
	return do_dup3(sa, from, to, false);
}

int
sys_dup3(struct syscall_args *sa)
{
	int from = (int)sa->a[0], to = (int)sa->a[1];

	if (from == to || (sa->a[2] & ~(uint64_t)O_CLOEXEC) != 0)
		return EINVAL;
	return do_dup3(sa, from, to, (sa->a[2] & O_CLOEXEC) != 0);
}

enum {
	F_DUPFD = 0, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4,
	F_GETLK = 5, F_SETLK = 6, F_SETLKW = 7, F_SETOWN = 8, F_GETOWN = 9,
	F_OFD_GETLK = 36, F_OFD_SETLK = 37, F_OFD_SETLKW = 38,
	F_DUPFD_CLOEXEC = 1030, F_GETPIPE_SZ = 1032,
	SETFL_MAY = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME,
};

static void
set_status(struct file *fp, uint32_t flags)
{
	uint32_t old = __atomic_load_n(&fp->f_flags, __ATOMIC_SEQ_CST);

	while (!__atomic_compare_exchange_n(&fp->f_flags, &old,
	    (old & ~(uint32_t)SETFL_MAY) | (flags & SETFL_MAY), 0,
	    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

int
sys_fcntl(struct syscall_args *sa)
{
	int fd = (int)sa->a[0], cmd = (int)sa->a[1], newfd = 0;
	uint64_t arg = sa->a[2];
	struct file *fp;
	bool cloexec;
	int error = fd_get(fd, &fp);

	if (error != 0)
		return error;
	sa->result = 0;
	if ((fp->f_flags & O_PATH) && cmd != F_DUPFD && cmd != F_GETFD &&
	    cmd != F_SETFD && cmd != F_GETFL && cmd != F_DUPFD_CLOEXEC) {
		file_rele(fp);
		return EBADF;
	}
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		error = arg > INT32_MAX ? EINVAL : fd_install(fp, (int)arg,
		    cmd == F_DUPFD_CLOEXEC, &newfd);
		sa->result = newfd;
		if (error == 0)
			return 0;	/* the reference is the slot's now */
		break;
	case F_GETFD:
		error = fd_cloexec(fd, -1, &cloexec);
		sa->result = cloexec;
		break;
	case F_SETFD:
		error = fd_cloexec(fd, (int)(arg & 1), NULL);
		break;
	case F_GETFL:
		sa->result = (int64_t)(fp->f_flags |
		    ((fp->f_flags & O_PATH) ? 0 : O_LARGEFILE));
		break;
	case F_SETFL:
		set_status(fp, (uint32_t)arg);
		break;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		error = sc_fcntl_lock(fp, cmd, arg);
		break;
	case F_GETPIPE_SZ:
		if (fp->f_ops->fo_name[0] == 'p' ||
		    fp->f_ops->fo_name[0] == 'f')
			sa->result = 65536;
		else
			error = EBADF;
		break;
	default:
		error = EINVAL;
	}
	file_rele(fp);
	return error;
}

/* ---- places ---- */

/* Put a handle into the context; the old one is dropped. */
static void
place_set(struct nchandle *place, struct nchandle *nch)
{
	struct procfs_ctx *pf = curproc()->p_fs;
	struct nchandle old;

	spin_lock(&pf->pf_spin);
	old = *place;
	*place = *nch;
	spin_unlock(&pf->pf_spin);
	nc_drop(&old);
}

/* The directory a path names, searchable; nch gets a handle. */
static int
place_find(vm_offset_t upath, struct nchandle *nch)
{
	struct sc_path sp;
	struct vnode *vp;
	int error = sc_path(&sp, AT_FDCWD, upath, false);

	if (error == 0)
		error = kvfs_lookup(&sp.sp_kv, sp.sp_path, true, nch, &vp);
	if (error == 0) {
		error = vp->v_type != VDIR ? ENOTDIR :
		    vn_access(vp, VEXEC, sp.sp_kv.kv_cred);
		vn_rele(vp);
		if (error != 0)
			nc_drop(nch);
	}
	sc_done(&sp);
	return error;
}

int
sys_chdir(struct syscall_args *sa)
{
	struct nchandle nch;
	int error = place_find(sa->a[0], &nch);

	if (error == 0)
		place_set(&curproc()->p_fs->pf_cwd, &nch);
	sa->result = 0;
	return error;
}

int
sys_fchdir(struct syscall_args *sa)
{
	struct nchandle nch;
	struct vnode *vp;
	struct file *fp;
	int error = fd_get((int)sa->a[0], &fp);

	if (error != 0)
		return error;
	vp = file_vnode(fp);
	if (vp == NULL || vp->v_type != VDIR)
		error = ENOTDIR;
	else
		error = vn_access(vp, VEXEC, curcred());
	if (error == 0) {
		nc_copy(&fp->f_nch, &nch);
		place_set(&curproc()->p_fs->pf_cwd, &nch);
	}
	file_rele(fp);
	sa->result = 0;
	return error;
}

int
sys_chroot(struct syscall_args *sa)
{
	struct nchandle nch;
	int error;

	if (!cred_capable(curcred(), CAP_SYS_CHROOT))
		return EPERM;
	error = place_find(sa->a[0], &nch);
	if (error == 0)
		place_set(&curproc()->p_fs->pf_root, &nch);
	sa->result = 0;
	return error;
}

static MALLOC_DEFINE(M_CWD, "getcwd");

int
sys_getcwd(struct syscall_args *sa)
{
	struct nchandle root, cwd;
	char *buf = kmalloc(PATH_MAX, &M_CWD, M_WAITOK);
	size_t len;
	int error;

	proc_get_root(&root);
	proc_get_cwd(&cwd);
	error = nc_fullpath(&cwd, &root, buf, PATH_MAX);
	nc_drop(&root);
	nc_drop(&cwd);
	if (error == 0) {
		len = strlen(buf) + 1;
		error = len > sa->a[1] ? ERANGE : copyout(buf, sa->a[0], len);
		sa->result = (int64_t)len;
	}
	kfree(buf, &M_CWD);
	return error;
}

int
sys_umask(struct syscall_args *sa)
{
	struct procfs_ctx *pf = curproc()->p_fs;

	sa->result = (int64_t)__atomic_exchange_n(&pf->pf_umask,
	    (mode_t)sa->a[0] & 0777, __ATOMIC_SEQ_CST);
	return 0;
}
