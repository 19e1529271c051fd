/* SPDX-License-Identifier: BSD-2-Clause */
/* Path arguments of system calls; see sc.h. */
#include "sc.h"

static MALLOC_DEFINE(M_SCPATH, "path arguments");

void
sc_context(struct kvfs *kv)
{
	struct proc *p = curproc();

	proc_get_root(&kv->kv_root);
	proc_get_cwd(&kv->kv_start);
	kv->kv_cred = curcred();
	kv->kv_umask = p != NULL ? p->p_fs->pf_umask : 0;
}

static int
copyin_path(vm_offset_t upath, char **pathp)
{
	char *path = kmalloc(PATH_MAX, &M_SCPATH, M_WAITOK);
	int error = copyinstr(upath, path, PATH_MAX, NULL);

	if (error != 0) {
		kfree(path, &M_SCPATH);
		path = NULL;
	}
	*pathp = path;
	return error;
}

int
sc_path(struct sc_path *sp, int dirfd, vm_offset_t upath, bool empty_ok)
{
	struct file *fp;
	int error;

	memset(sp, 0, sizeof(*sp));
	error = copyin_path(upath, &sp->sp_path);
	if (error != 0)
		return error;
	sc_context(&sp->sp_kv);
	sp->sp_set = true;
	if (sp->sp_path[0] == '\0' && !empty_ok)
		return ENOENT;
	if (sp->sp_path[0] == '/')
		return 0;
	if (dirfd == AT_FDCWD) {
		if (sp->sp_path[0] == '\0')	/* the cwd itself */
			kstrlcpy(sp->sp_path, ".", PATH_MAX);
		return 0;
	}
	error = fd_get(dirfd, &fp);
	if (error != 0)
		return error;
	if (sp->sp_path[0] == '\0') {
		sp->sp_file = fp;
		sp->sp_vp = file_vnode(fp);
		return 0;
	}
	if (!nc_isset(&fp->f_nch) || file_vnode(fp) == NULL ||
	    file_vnode(fp)->v_type != VDIR) {
		error = ENOTDIR;
	} else {
		nc_drop(&sp->sp_kv.kv_start);
		nc_copy(&fp->f_nch, &sp->sp_kv.kv_start);
	}
	file_rele(fp);
	return error;
}

void
sc_done(struct sc_path *sp)
{
	if (sp->sp_set) {
		nc_drop(&sp->sp_kv.kv_root);
		nc_drop(&sp->sp_kv.kv_start);
	}
	if (sp->sp_file != NULL)
		file_rele(sp->sp_file);
	kfree(sp->sp_path, &M_SCPATH);
}

int
sc_vnode_file(int fd, struct file **fpp, struct vnode **vpp)
{
	int error = fd_get(fd, fpp);

	if (error != 0)
		return error;
	*vpp = file_vnode(*fpp);
	if (*vpp == NULL) {
		file_rele(*fpp);
		return EINVAL;
	}
	return 0;
}
