/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files about one process.  Forms are Linux's, see proc(5) there.  The process
 * is referenced by the caller; it may be a zombie, which has no memory, files
 * or names any more.
 */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/fdesc.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vnode.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

#include "procfs.h"

static MALLOC_DEFINE(M_PFSPATH, "procfs paths");

enum { CENTI_NS = 10000000, ARGS_MAX = 1 << 20 };

/* Only the owner and root look into a process. */
static int
may_look(const struct proc *p)
{
	const struct ucred *me = curcred();

	return me->cr_uid == 0 || me->cr_uid == p->p_cred->cr_uid ? 0 : EACCES;
}

/* What a process looks like from outside, taken under proc_spin. */
struct look {
	char	 comm[17];
	char	 state;
	pid_t	 ppid, pgrp, session;
	int	 nthreads, nice, exitsig;
	uint64_t sigpend, sigmask;
	struct rusage_sum ru, cru;
};

static void
look_at(struct proc *p, struct look *l)
{
	struct lwp *lp;

	memset(l, 0, sizeof(*l));
	spin_lock(&proc_spin);
	kstrlcpy(l->comm, p->p_comm, sizeof(l->comm));
	l->state = p->p_state == PS_ZOMBIE ? 'Z' :
	    p->p_state == PS_STOPPED ? 'T' : 'S';
	l->ppid = p->p_parent != NULL ? p->p_parent->p_pid : 0;
	if (p->p_pgrp != NULL) {
		l->pgrp = p->p_pgrp->pg_id;
		l->session = p->p_pgrp->pg_session->s_sid;
	}
	l->nthreads = p->p_nlwps;
	l->nice = p->p_nice;
	l->exitsig = p->p_exitsig;
	l->sigpend = p->p_sigpend;
	lp = LIST_FIRST(&p->p_lwps);
	if (lp != NULL) {
		l->sigmask = lp->lwp_sigmask;
		if (l->state == 'S' && lp->lwp_thread != NULL &&
		    lp->lwp_thread->td_wchan == NULL)
			l->state = 'R';
	}
	rusage_proc_locked(p, &l->ru);
	l->cru = p->p_cru;
	spin_unlock(&proc_spin);
}

struct sizes { uint64_t virt, rss, text, data; };

static void
memory_sizes(struct proc *p, struct sizes *s)
{
	struct vm_map *map = proc_vm_hold(p);
	struct rb_node *n;

	memset(s, 0, sizeof(*s));
	if (map == NULL)
		return;
	lock_shared(&map->vm_lock);
	for (n = rb_first(&map->vm_entries); n != NULL; n = rb_next(n)) {
		struct vm_map_entry *me = container_of(n,
		    struct vm_map_entry, me_node);
		uint64_t len = me->me_end - me->me_start;

		s->virt += len;
		if (me->me_prot & VM_PROT_EXEC)
			s->text += len;
		else if (me->me_prot & VM_PROT_WRITE)
			s->data += len;
	}
	s->rss = map->vm_anon.va_count;
	lock_release(&map->vm_lock);
	vm_map_rele(map);
}

int
pfs_pid_stat(struct pfs_text *pt, struct proc *p,
    const struct pfs_node *pn __unused)
{
	struct sizes s;
	struct look l;

	look_at(p, &l);
	memory_sizes(p, &s);
	pfs_printf(pt, "%d (%s) %c %d %d %d 0 -1 0 %llu 0 %llu 0 "
	    "%llu %llu %llu %llu 20 %d %d 0 %llu %llu %llu "
	    "18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 %d 0 0 0 0 0 0 "
	    "0 0 0 0 0 0 0 0\n", p->p_pid, l.comm, l.state, l.ppid, l.pgrp,
	    l.session, (unsigned long long)l.ru.ru_minflt,
	    (unsigned long long)l.ru.ru_majflt,
	    (unsigned long long)l.ru.ru_utime / CENTI_NS,
	    (unsigned long long)l.ru.ru_stime / CENTI_NS,
	    (unsigned long long)l.cru.ru_utime / CENTI_NS,
	    (unsigned long long)l.cru.ru_stime / CENTI_NS,
	    l.nice, l.nthreads, (unsigned long long)p->p_start / CENTI_NS,
	    (unsigned long long)s.virt, (unsigned long long)s.rss, l.exitsig);
	return 0;
}

int
pfs_pid_status(struct pfs_text *pt, struct proc *p,
    const struct pfs_node *pn __unused)
{
	const struct ucred *cr = p->p_cred;
	struct sizes s;
	struct look l;

	look_at(p, &l);
	memory_sizes(p, &s);
	pfs_printf(pt, "Name:\t%s\nState:\t%c\nTgid:\t%d\nPid:\t%d\n"
	    "PPid:\t%d\nUid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n",
	    l.comm, l.state, p->p_pid, p->p_pid, l.ppid, cr->cr_ruid,
	    cr->cr_uid, cr->cr_svuid, cr->cr_fsuid, cr->cr_rgid, cr->cr_gid,
	    cr->cr_svgid, cr->cr_fsgid);
	pfs_printf(pt, "VmSize:\t%8llu kB\nVmRSS:\t%8llu kB\n"
	    "VmData:\t%8llu kB\nVmExe:\t%8llu kB\nThreads:\t%d\n"
	    "SigPnd:\t%016llx\nSigBlk:\t%016llx\nCapEff:\t%016llx\n",
	    (unsigned long long)s.virt / 1024,
	    (unsigned long long)s.rss * (PAGE_SIZE / 1024),
	    (unsigned long long)s.data / 1024,
	    (unsigned long long)s.text / 1024, l.nthreads,
	    (unsigned long long)l.sigpend, (unsigned long long)l.sigmask,
	    (unsigned long long)cr->cr_caps);
	return 0;
}

int
pfs_pid_statm(struct pfs_text *pt, struct proc *p,
    const struct pfs_node *pn __unused)
{
	struct sizes s;

	memory_sizes(p, &s);
	pfs_printf(pt, "%llu %llu 0 %llu 0 %llu 0\n",
	    (unsigned long long)btop(s.virt), (unsigned long long)s.rss,
	    (unsigned long long)btop(s.text),
	    (unsigned long long)btop(s.data));
	return 0;
}

/* The strings between two addresses of the process. */
static int
memory_text(struct pfs_text *pt, struct proc *p, vm_offset_t start,
    vm_offset_t end)
{
	struct vm_map *map = proc_vm_hold(p);
	size_t len = MIN((size_t)(end - start), (size_t)ARGS_MAX);
	char *buf;

	if (map == NULL)
		return 0;
	if (end > start) {
		buf = kmalloc(len, &M_PFSPATH, M_WAITOK);
		if (vm_map_access(map, start, buf, len, false) == 0)
			pfs_bytes(pt, buf, len);
		kfree(buf, &M_PFSPATH);
	}
	vm_map_rele(map);
	return 0;
}

int
pfs_pid_cmdline(struct pfs_text *pt, struct proc *p,
    const struct pfs_node *pn __unused)
{
	return memory_text(pt, p, p->p_argstart, p->p_argend);
}

int
pfs_pid_environ(struct pfs_text *pt, struct proc *p,
    const struct pfs_node *pn __unused)
{
	int error = may_look(p);

	return error != 0 ? error :
	    memory_text(pt, p, p->p_envstart, p->p_envend);
}

int
pfs_pid_comm(struct pfs_text *pt, struct proc *p,
    const struct pfs_node *pn __unused)
{
	struct look l;

	look_at(p, &l);
	pfs_printf(pt, "%s\n", l.comm);
	return 0;
}

/* ---- names ---- */

/* The path of a handle as the caller sees it, into the text. */
static int
path_text(struct pfs_text *pt, struct nchandle *nch)
{
	struct nchandle root;
	char *buf = kmalloc(PATH_MAX, &M_PFSPATH, M_WAITOK);
	int error;

	proc_get_root(&root);
	error = nc_fullpath(nch, &root, buf, PATH_MAX);
	nc_drop(&root);
	if (error == 0)
		pfs_printf(pt, "%s", buf);
	kfree(buf, &M_PFSPATH);
	return error;
}

int
pfs_pid_exe(struct pfs_text *pt, struct proc *p,
    const struct pfs_node *pn __unused)
{
	struct nchandle nch = { NULL, NULL };
	int error = may_look(p);

	if (error != 0)
		return error;
	lock_shared(&p->p_lock);
	if (nc_isset(&p->p_exench))
		nc_copy(&p->p_exench, &nch);
	lock_release(&p->p_lock);
	if (!nc_isset(&nch))
		return ENOENT;
	error = path_text(pt, &nch);
	nc_drop(&nch);
	return error;
}

/* A copy of the process's cwd or root. */
static int
place_text(struct pfs_text *pt, struct proc *p, bool cwd)
{
	struct nchandle nch = { NULL, NULL };
	struct procfs_ctx *pf;
	int error = may_look(p);

	if (error != 0)
		return error;
	lock_shared(&p->p_lock);
	pf = p->p_state == PS_ZOMBIE ? NULL : p->p_fs;
	if (pf != NULL) {
		spin_lock(&pf->pf_spin);
		nc_copy(cwd ? &pf->pf_cwd : &pf->pf_root, &nch);
		spin_unlock(&pf->pf_spin);
	}
	lock_release(&p->p_lock);
	if (!nc_isset(&nch))
		return ENOENT;
	error = path_text(pt, &nch);
	nc_drop(&nch);
	return error;
}

int
pfs_pid_cwd(struct pfs_text *pt, struct proc *p,
    const struct pfs_node *pn __unused)
{
	return place_text(pt, p, true);
}

int
pfs_pid_root(struct pfs_text *pt, struct proc *p,
    const struct pfs_node *pn __unused)
{
	return place_text(pt, p, false);
}

/* ---- descriptors and threads ---- */

/* The process's table, held so that it stays while we look. */
static struct filedesc *
table_hold(struct proc *p)
{
	struct filedesc *fd = NULL;

	lock_shared(&p->p_lock);
	if (p->p_state != PS_ZOMBIE && p->p_fd != NULL)
		fd = filedesc_share(p->p_fd);
	lock_release(&p->p_lock);
	return fd;
}

int
pfs_fd_next(struct proc *p, int from)
{
	struct filedesc *fd = table_hold(p);
	int n = -1;

	if (fd != NULL) {
		n = fd_next(fd, from, NULL);
		filedesc_rele(fd);
	}
	return n;
}

int
pfs_pid_fd(struct pfs_text *pt, struct proc *p, const struct pfs_node *pn)
{
	struct filedesc *fd;
	struct file *fp = NULL;
	struct vattr va;
	int error = may_look(p);

	if (error != 0)
		return error;
	fd = table_hold(p);
	if (fd == NULL)
		return ENOENT;
	if (fd_next(fd, pn->pn_arg, &fp) != pn->pn_arg) {
		error = ENOENT;
	} else if (nc_isset(&fp->f_nch)) {
		error = path_text(pt, &fp->f_nch);
	} else {
		if (fp->f_ops->fo_stat == NULL ||
		    fp->f_ops->fo_stat(fp, &va) != 0)
			va.va_ino = 0;
		pfs_printf(pt, "%s:[%llu]", fp->f_ops->fo_name,
		    (unsigned long long)va.va_ino);
	}
	if (fp != NULL)
		file_rele(fp);
	filedesc_rele(fd);
	return error;
}

pid_t
pfs_task_next(struct proc *p, pid_t from)
{
	struct lwp *lp;
	pid_t best = -1;

	spin_lock(&proc_spin);
	LIST_FOREACH(lp, &p->p_lwps, lwp_list)
		if (lp->lwp_tid >= from && (best < 0 || lp->lwp_tid < best))
			best = lp->lwp_tid;
	spin_unlock(&proc_spin);
	return best;
}

/* ---- memory ---- */

int
pfs_pid_maps(struct pfs_text *pt, struct proc *p,
    const struct pfs_node *pn __unused)
{
	struct vm_map *map;
	struct rb_node *n;
	struct vattr va;
	int error = may_look(p);

	if (error != 0)
		return error;
	map = proc_vm_hold(p);
	if (map == NULL)
		return 0;
	lock_shared(&map->vm_lock);
	for (n = rb_first(&map->vm_entries); n != NULL; n = rb_next(n)) {
		struct vm_map_entry *me = container_of(n,
		    struct vm_map_entry, me_node);
		struct vnode *vp = me->me_object != NULL ?
		    me->me_object->vo_vnode : NULL;

		memset(&va, 0, sizeof(va));
		if (vp != NULL)
			va = vp->v_attr;
		pfs_printf(pt, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu"
		    "%s\n", (unsigned long long)me->me_start,
		    (unsigned long long)me->me_end,
		    me->me_prot & VM_PROT_READ ? 'r' : '-',
		    me->me_prot & VM_PROT_WRITE ? 'w' : '-',
		    me->me_prot & VM_PROT_EXEC ? 'x' : '-',
		    me->me_flags & VME_SHARED ? 's' : 'p',
		    (unsigned long long)(vp != NULL ? me->me_offset : 0),
		    dev_major(va.va_fsdev), dev_minor(va.va_fsdev),
		    (unsigned long long)va.va_ino,
		    me->me_flags & VME_STACK ? " [stack]" :
		    me->me_flags & VME_HEAP ? " [heap]" : "");
	}
	lock_release(&map->vm_lock);
	vm_map_rele(map);
	return 0;
}

int
pfs_pid_limits(struct pfs_text *pt, struct proc *p,
    const struct pfs_node *pn __unused)
{
	static const char *const names[RLIM_NLIMITS] = { "cpu time",
	    "file size", "data size", "stack size", "core file size",
	    "resident set", "processes", "open files", "locked memory",
	    "address space", "file locks", "pending signals",
	    "msgqueue size", "nice priority", "realtime priority",
	    "realtime timeout" };

	pfs_printf(pt, "%-26s%-21s%-21s\n", "Limit", "Soft Limit",
	    "Hard Limit");
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		pfs_printf(pt, "Max %-22s", names[i]);
		for (int k = 0; k < 2; k++)
			if (p->p_rlimit[i][k] == RLIM_INFINITY)
				pfs_printf(pt, "%-21s", "unlimited");
			else
				pfs_printf(pt, "%-21llu", (unsigned long long)
				    p->p_rlimit[i][k]);
		pfs_printf(pt, "\n");
	}
	return 0;
}

/* ---- mounts ---- */

struct mount_text {
	struct pfs_text	*pt;
	char		*path;
	bool		 info;		/* the form of mountinfo */
};

static const char *
mount_options(const struct mount *mp)
{
	return mp->mnt_flags & MNT_RDONLY ? "ro" : "rw";
}

static int
mount_line(struct mount *mp, void *arg)
{
	struct mount_text *mt = arg;
	struct nchandle root;
	struct statfs_info si;
	const char *extra = mp->mnt_flags & MNT_NOSUID ? ",nosuid" : "";
	const char *extra2 = mp->mnt_flags & MNT_NODEV ? ",nodev" : "";
	int error;

	memset(&si, 0, sizeof(si));
	proc_get_root(&root);
	error = nc_fullpath(&mp->mnt_rootnch, &root, mt->path, PATH_MAX);
	nc_drop(&root);
	if (error != 0)
		return 0;		/* not below our root */
	if (mt->info)
		pfs_printf(mt->pt, "%llu 0 %u:%u / %s %s%s%s - %s %s %s\n",
		    (unsigned long long)mp->mnt_id, dev_major(mp->mnt_dev),
		    dev_minor(mp->mnt_dev), mt->path, mount_options(mp),
		    extra, extra2, mp->mnt_op->vfc_name, mp->mnt_from[0] ?
		    mp->mnt_from : mp->mnt_op->vfc_name, mount_options(mp));
	else
		pfs_printf(mt->pt, "%s %s %s %s%s%s 0 0\n", mp->mnt_from[0] ?
		    mp->mnt_from : mp->mnt_op->vfc_name, mt->path,
		    mp->mnt_op->vfc_name, mount_options(mp), extra, extra2);
	return 0;
}

static int
mounts_text(struct pfs_text *pt, bool info)
{
	struct mount_text mt = { pt, NULL, info };

	mt.path = kmalloc(PATH_MAX, &M_PFSPATH, M_WAITOK);
	mount_foreach(mount_line, &mt);
	kfree(mt.path, &M_PFSPATH);
	return 0;
}

int
pfs_pid_mounts(struct pfs_text *pt, struct proc *p __unused,
    const struct pfs_node *pn __unused)
{
	return mounts_text(pt, false);
}

int
pfs_pid_mountinfo(struct pfs_text *pt, struct proc *p __unused,
    const struct pfs_node *pn __unused)
{
	return mounts_text(pt, true);
}
