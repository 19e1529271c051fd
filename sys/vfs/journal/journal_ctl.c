/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mountctl(2): system call number 0x1000, see sys/mountctl.h.
 */
#include <sys/errno.h>
#include <sys/file.h>
#include <sys/namecache.h>
#include <sys/param.h>
#include <sys/proc.h>
#include <sys/syscall.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vnode.h>

#include "journal.h"

enum { STATUS_MAX = 64 };

/* The mount whose root the path names. */
static int
lookup_mount(const char *path, struct nchandle *nch)
{
	struct nchandle root, cwd;
	struct nlookup nl;
	int error;

	proc_get_root(&root);
	proc_get_cwd(&cwd);
	nlookup_init(&nl, &root, &cwd, curcred(), NLC_FOLLOW);
	error = nlookup(&nl, path);
	if (error == 0 &&
	    nl.nl_nch.nch_ncp != nl.nl_nch.nch_mount->mnt_rootnch.nch_ncp)
		error = EINVAL;		/* not a mount point */
	if (error == 0)
		nc_copy(&nl.nl_nch, nch);
	nlookup_done(&nl);
	nc_drop(&root);
	nc_drop(&cwd);
	return error;
}

static int
do_install(struct mount *mp, int op, int fd, const char *path,
    const struct mountctl_install *mi)
{
	struct file *fp;
	struct vnode *vp;
	int error;

	error = fd_get(fd, &fp);
	if (error != 0)
		return error;
	vp = file_vnode(fp);
	if ((fp->f_flags & O_ACCMODE) == O_RDONLY)
		error = EBADF;
	else if (vp == NULL)
		error = EOPNOTSUPP;
	else if (op == MOUNTCTL_INSTALL)
		error = journal_attach(mp, vp, fp->f_cred, mi, path);
	else
		error = journal_restart(mp, vp, fp->f_cred, mi, path);
	file_rele(fp);
	return error;
}

static int
do_status(struct mount *mp, uint64_t uout, uint32_t outlen, int64_t *result)
{
	struct mountctl_status *ms;
	size_t n, max = outlen / sizeof(*ms);
	int error;

	max = MIN(max, (size_t)STATUS_MAX);
	if (max == 0)
		return EINVAL;
	ms = kmalloc(max * sizeof(*ms), &M_JOURNAL, M_WAITOK | M_ZERO);
	error = journal_status(mp, ms, max, &n);
	n = MIN(n, max);
	if (error == 0)
		error = copyout(ms, uout, n * sizeof(*ms));
	if (error == 0)
		*result = (int64_t)(n * sizeof(*ms));
	kfree(ms, &M_JOURNAL);
	return error;
}

static int
control(struct mount *mp, struct syscall_args *sa, const char *path)
{
	uint32_t inlen = (uint32_t)sa->a[5], outlen = (uint32_t)(sa->a[5] >> 32);
	union {
		struct mountctl_install mi;
		struct mountctl_remove mr;
	} in;
	int op = (int)sa->a[1], fd = (int)sa->a[2], error;

	switch (op) {
	case MOUNTCTL_INSTALL:
	case MOUNTCTL_RESTART:
		if (inlen != sizeof(in.mi))
			return EINVAL;
		error = copyin(sa->a[3], &in.mi, sizeof(in.mi));
		return error ? error : do_install(mp, op, fd, path, &in.mi);
	case MOUNTCTL_REMOVE:
	case MOUNTCTL_FLUSH:
		if (inlen != sizeof(in.mr))
			return EINVAL;
		error = copyin(sa->a[3], &in.mr, sizeof(in.mr));
		if (error != 0)
			return error;
		in.mr.mr_tag[sizeof(in.mr.mr_tag) - 1] = '\0';
		if (op == MOUNTCTL_FLUSH)
			return journal_flush(mp, in.mr.mr_tag);
		return journal_detach(mp, in.mr.mr_tag, in.mr.mr_flags,
		    in.mr.mr_flags & MRF_ABORT ? JDW_GAP : JDW_CLEAN);
	case MOUNTCTL_STATUS:
		return do_status(mp, sa->a[4], outlen, &sa->result);
	default:
		return EOPNOTSUPP;
	}
}

int
sys_mountctl(struct syscall_args *sa)
{
	struct nchandle nch;
	char *path;
	int error;

	if (!cred_is_root(curcred()))
		return EPERM;
	path = kmalloc(PATH_MAX, &M_JOURNAL, M_WAITOK);
	error = copyinstr(sa->a[0], path, PATH_MAX, NULL);
	if (error == 0)
		error = lookup_mount(path, &nch);
	if (error == 0) {
		sa->result = 0;
		error = control(nch.nch_mount, sa, path);
		nc_drop(&nch);
	}
	kfree(path, &M_JOURNAL);
	return error;
}
