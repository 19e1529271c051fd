/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of procfs: look-up, listing, reading, and the mount. */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vnode.h>
#include <sys/vop.h>

#include "procfs.h"

static MALLOC_DEFINE(M_PROCFS, "procfs");

enum { PROCFS_MAGIC = 0x9fa0, TEXT_MAX = 16 << 20 };

#define R	(S_IFREG | 0444)
#define RO	(S_IFREG | 0400)
#define D	(S_IFDIR | 0555)
#define L	(S_IFLNK | 0777)

const struct pfs_entry pfs_entries[] = {
	{ PD_ROOT, "cmdline", R, PD_NONE, pfs_cmdline },
	{ PD_ROOT, "cpuinfo", R, PD_NONE, pfs_cpuinfo },
	{ PD_ROOT, "devices", R, PD_NONE, pfs_devices },
	{ PD_ROOT, "diskstats", R, PD_NONE, pfs_disks },
	{ PD_ROOT, "filesystems", R, PD_NONE, pfs_filesystems },
	{ PD_ROOT, "loadavg", R, PD_NONE, pfs_loadavg },
	{ PD_ROOT, "meminfo", R, PD_NONE, pfs_meminfo },
	{ PD_ROOT, "mounts", L, PD_NONE, pfs_mounts_link },
	{ PD_ROOT, "partitions", R, PD_NONE, pfs_partitions },
	{ PD_ROOT, "self", L, PD_NONE, pfs_self },
	{ PD_ROOT, "stat", R, PD_NONE, pfs_stat },
	{ PD_ROOT, "thread-self", L, PD_NONE, pfs_thread_self },
	{ PD_ROOT, "uptime", R, PD_NONE, pfs_uptime },
	{ PD_ROOT, "version", R, PD_NONE, pfs_version },
	{ PD_ROOT, "sys", D, PD_SYS, NULL },
	{ PD_ROOT, "anax", D, PD_ANAX, NULL },
	{ PD_SYS, "kernel", D, PD_SYS_KERNEL, NULL },
	{ PD_SYS_KERNEL, "hostname", R, PD_NONE, pfs_hostname },
	{ PD_SYS_KERNEL, "ostype", R, PD_NONE, pfs_ostype },
	{ PD_SYS_KERNEL, "osrelease", R, PD_NONE, pfs_osrelease },
	{ PD_SYS_KERNEL, "pid_max", R, PD_NONE, pfs_pid_max },
	{ PD_SYS_KERNEL, "ngroups_max", R, PD_NONE, pfs_ngroups_max },
	{ PD_ANAX, "enosys", R, PD_NONE, pfs_enosys },
	{ PD_ANAX, "kmalloc", R, PD_NONE, pfs_kmalloc },
	{ PD_PID, "cmdline", R, PD_NONE, pfs_pid_cmdline },
	{ PD_PID, "comm", R, PD_NONE, pfs_pid_comm },
	{ PD_PID, "cwd", L, PD_NONE, pfs_pid_cwd },
	{ PD_PID, "environ", RO, PD_NONE, pfs_pid_environ },
	{ PD_PID, "exe", L, PD_NONE, pfs_pid_exe },
	{ PD_PID, "fd", S_IFDIR | 0500, PD_FD, NULL },
	{ PD_PID, "limits", R, PD_NONE, pfs_pid_limits },
	{ PD_PID, "maps", R, PD_NONE, pfs_pid_maps },
	{ PD_PID, "mountinfo", R, PD_NONE, pfs_pid_mountinfo },
	{ PD_PID, "mounts", R, PD_NONE, pfs_pid_mounts },
	{ PD_PID, "root", L, PD_NONE, pfs_pid_root },
	{ PD_PID, "stat", R, PD_NONE, pfs_pid_stat },
	{ PD_PID, "statm", R, PD_NONE, pfs_pid_statm },
	{ PD_PID, "status", R, PD_NONE, pfs_pid_status },
	{ PD_PID, "task", D, PD_TASK, NULL },
};
const size_t pfs_nentries = nitems(pfs_entries);

/* What a descriptor in /proc/N/fd is. */
static const struct pfs_entry fd_entry = { PD_FD, "", S_IFLNK | 0700, PD_NONE,
    pfs_pid_fd };

/* ---- text ---- */

static bool
text_room(struct pfs_text *pt, size_t more)
{
	size_t size = MAX(pt->pt_size * 2, (size_t)1024);

	if (pt->pt_size - pt->pt_len >= more)
		return true;
	while (size - pt->pt_len < more)
		size *= 2;
	if (size > TEXT_MAX)
		return false;
	pt->pt_buf = krealloc(pt->pt_buf, pt->pt_size, size, &M_PROCFS,
	    M_WAITOK);
	pt->pt_size = size;
	return true;
}

void
pfs_bytes(struct pfs_text *pt, const void *p, size_t len)
{
	if (!text_room(pt, len))
		return;
	memcpy(pt->pt_buf + pt->pt_len, p, len);
	pt->pt_len += len;
}

void
pfs_printf(struct pfs_text *pt, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !text_room(pt, (size_t)n + 1))
		return;
	va_start(ap, fmt);
	kvsnprintf(pt->pt_buf + pt->pt_len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	pt->pt_len += (size_t)n;
}

/* ---- nodes ---- */

static struct pfs_node *
node_of(struct vnode *vp)
{
	return vp->v_data;
}

static enum vtype
node_vtype(mode_t mode)
{
	return S_ISDIR(mode) ? VDIR : S_ISLNK(mode) ? VLNK : VREG;
}

/* A vnode of its own for this walk (N1). */
static int
node_vnode(struct mount *mp, const struct pfs_node *like, struct vnode **vpp)
{
	struct pfs_node *pn = kmalloc(sizeof(*pn), &M_PROCFS, M_WAITOK);
	int error;

	*pn = *like;
	error = vn_alloc(mp, node_vtype(pn->pn_mode), pn, vpp);
	if (error != 0)
		kfree(pn, &M_PROCFS);
	else
		vn_setflags(*vpp, VN_NOCACHE, 0);
	return error;
}

static ino_t
node_ino(pid_t pid, size_t index, int arg)
{
	return ((ino_t)(uint32_t)pid << 32) | ((ino_t)(index + 2) << 22) |
	    ((ino_t)(uint32_t)arg & 0x3fffff);
}

static struct pfs_node
node_entry(const struct pfs_entry *pe, pid_t pid, int arg)
{
	return (struct pfs_node){ pe, pe->pe_dir, pe->pe_mode, pid, arg,
	    node_ino(pid, pe == &fd_entry ? pfs_nentries + 1 :
	    (size_t)(pe - pfs_entries), arg) };
}

static struct pfs_node
node_process(pid_t pid, int tid)
{
	return (struct pfs_node){ NULL, PD_PID, D, pid, tid,
	    node_ino(pid, pfs_nentries, tid) };
}

/* Is pe to be seen in dn?  A thread's directory has no "task" of its own. */
static bool
entry_in(const struct pfs_entry *pe, const struct pfs_node *dn)
{
	return pe->pe_in == dn->pn_dir &&
	    !(pe->pe_dir == PD_TASK && dn->pn_arg != 0);
}

/* A decimal number without leading zeros, or -1. */
static int
number(const char *s, size_t len)
{
	int n = 0;

	if (len == 0 || len > 9 || (s[0] == '0' && len > 1))
		return -1;
	for (; len > 0; s++, len--) {
		if (*s < '0' || *s > '9')
			return -1;
		n = n * 10 + (*s - '0');
	}
	return n;
}

/* The node called name in directory dn.  ENOENT. */
static int
node_find(const struct pfs_node *dn, const char *name, size_t len,
    struct pfs_node *out)
{
	struct proc *p;
	int n;

	for (size_t i = 0; i < pfs_nentries; i++) {
		const struct pfs_entry *pe = &pfs_entries[i];

		if (entry_in(pe, dn) && strlen(pe->pe_name) == len &&
		    memcmp(pe->pe_name, name, len) == 0) {
			*out = node_entry(pe, dn->pn_pid, dn->pn_arg);
			return 0;
		}
	}
	n = number(name, len);
	if (n < 0)
		return ENOENT;
	if (dn->pn_dir == PD_ROOT) {
		p = proc_find(n);
		if (p == NULL)
			return ENOENT;
		*out = node_process(n, 0);
		proc_rele(p);
		return 0;
	}
	if (dn->pn_dir != PD_FD && dn->pn_dir != PD_TASK)
		return ENOENT;
	p = proc_find(dn->pn_pid);
	if (p == NULL)
		return ENOENT;
	if (dn->pn_dir == PD_FD) {
		*out = node_entry(&fd_entry, dn->pn_pid, n);
		n = pfs_fd_next(p, n) == n ? 0 : ENOENT;
	} else {
		*out = node_process(dn->pn_pid, n);
		n = pfs_task_next(p, n) == n ? 0 : ENOENT;
	}
	proc_rele(p);
	return n;
}

/* ---- operations ---- */

static int
procfs_nresolve(struct vop_msg *msg)
{
	struct pfs_node pn;
	struct vnode *vp;
	const char *name;
	size_t len;
	int error;

	name = nc_name(&msg->vm_nch, &len);
	error = node_find(node_of(msg->vm_dvp), name, len, &pn);
	if (error == 0)
		error = node_vnode(msg->vm_mount, &pn, &vp);
	if (error != 0)
		return error;
	nc_setvp(&msg->vm_nch, vp);
	vn_rele(vp);
	return 0;
}

static int
procfs_getattr(struct vop_msg *msg)
{
	struct pfs_node *pn = node_of(msg->vm_vp);
	struct vattr *va = msg->u.attr.vap;
	nsec_t now = clock_wall_ns();
	struct proc *p;

	memset(va, 0, sizeof(*va));
	if (pn->pn_pid != 0) {
		p = proc_find(pn->pn_pid);
		if (p == NULL)
			return ENOENT;
		va->va_uid = p->p_cred->cr_uid;
		va->va_gid = p->p_cred->cr_gid;
		proc_rele(p);
	}
	va->va_mode = pn->pn_mode;
	va->va_nlink = S_ISDIR(pn->pn_mode) ? 2 : 1;
	va->va_ino = pn->pn_ino;
	va->va_fsdev = msg->vm_mount->mnt_dev;
	va->va_blksize = 1024;
	va->va_mtime.tv_sec = (int64_t)(now / NSEC_PER_SEC);
	va->va_mtime.tv_nsec = (int64_t)(now % NSEC_PER_SEC);
	va->va_atime = va->va_ctime = va->va_mtime;
	return 0;
}

/* The text of a node; the caller frees pt_buf. */
static int
make(const struct pfs_node *pn, struct pfs_text *pt)
{
	struct proc *p = NULL;
	int error;

	memset(pt, 0, sizeof(*pt));
	if (pn->pn_pid != 0) {
		p = proc_find(pn->pn_pid);
		if (p == NULL)
			return ESRCH;
	}
	error = pn->pn_entry->pe_make(pt, p, pn);
	if (p != NULL)
		proc_rele(p);
	return error;
}

static int
procfs_read(struct vop_msg *msg)
{
	struct pfs_text pt;
	uint64_t off = (uint64_t)msg->u.io.off;
	int error;

	if (!S_ISREG(node_of(msg->vm_vp)->pn_mode))
		return EISDIR;
	error = make(node_of(msg->vm_vp), &pt);
	if (error == 0 && off < pt.pt_len) {
		msg->u.io.done = MIN(msg->u.io.len, pt.pt_len - (size_t)off);
		memcpy(msg->u.io.buf, pt.pt_buf + off, msg->u.io.done);
	}
	kfree(pt.pt_buf, &M_PROCFS);
	return error;
}

static int
procfs_readlink(struct vop_msg *msg)
{
	struct pfs_text pt;
	int error;

	if (!S_ISLNK(node_of(msg->vm_vp)->pn_mode))
		return EINVAL;
	error = make(node_of(msg->vm_vp), &pt);
	if (error == ESRCH)
		error = ENOENT;
	if (error == 0) {
		msg->u.readlink.len = MIN(pt.pt_len, msg->u.readlink.size);
		memcpy(msg->u.readlink.buf, pt.pt_buf, msg->u.readlink.len);
	}
	kfree(pt.pt_buf, &M_PROCFS);
	return error;
}

enum { COOKIE_NUMBERS = 1000 };		/* cookies of numbered names */

/* Names from the table, then the numbered ones, in order of their cookies. */
static int
procfs_readdir(struct vop_msg *msg)
{
	struct pfs_node *dn = node_of(msg->vm_vp), pn;
	off_t c = msg->u.readdir.cookie;
	struct proc *p = NULL;
	char name[16];
	int n;

	if (!S_ISDIR(dn->pn_mode))
		return ENOTDIR;
#define PUT(name, ino, type, next)					\
	do {								\
		if (!msg->u.readdir.fn(msg->u.readdir.arg, (name),	\
		    strlen(name), (ino), (type), (next)))		\
			goto out;					\
	} while (0)
	if (c == 0)
		PUT(".", dn->pn_ino, DT_DIR, 1);
	if (c <= 1)
		PUT("..", 1, DT_DIR, 2);
	for (size_t i = c > 2 ? (size_t)c - 2 : 0; i < pfs_nentries; i++) {
		if (!entry_in(&pfs_entries[i], dn))
			continue;
		pn = node_entry(&pfs_entries[i], dn->pn_pid, dn->pn_arg);
		PUT(pfs_entries[i].pe_name, pn.pn_ino,
		    (int)IFTODT(pn.pn_mode), (off_t)i + 3);
	}
	n = c > COOKIE_NUMBERS ? (int)(c - COOKIE_NUMBERS) : 0;
	if (dn->pn_dir == PD_FD || dn->pn_dir == PD_TASK)
		p = proc_find(dn->pn_pid);
	for (;; n++) {
		if (dn->pn_dir == PD_ROOT) {
			struct proc *q = proc_next(n > 0 ? n - 1 : 0);

			n = q != NULL ? q->p_pid : -1;
			if (q != NULL)
				proc_rele(q);
			pn = node_process(n, 0);
		} else if (p != NULL && dn->pn_dir == PD_FD) {
			n = pfs_fd_next(p, n);
			pn = node_entry(&fd_entry, dn->pn_pid, n);
		} else if (p != NULL) {
			n = pfs_task_next(p, n);
			pn = node_process(dn->pn_pid, n);
		} else {
			n = -1;
		}
		if (n < 0)
			break;
		ksnprintf(name, sizeof(name), "%d", n);
		PUT(name, pn.pn_ino, (int)IFTODT(pn.pn_mode),
		    (off_t)COOKIE_NUMBERS + n + 1);
	}
#undef PUT
	msg->u.readdir.eof = true;
out:
	if (p != NULL)
		proc_rele(p);
	return 0;
}

static int
procfs_inactive(struct vop_msg *msg __unused)
{
	return 0;
}

static int
procfs_reclaim(struct vop_msg *msg)
{
	kfree(msg->vm_vp->v_data, &M_PROCFS);
	msg->vm_vp->v_data = NULL;
	return 0;
}

static vop_fn_t *const procfs_vops[VOP_COUNT] = {
	[VOP_NRESOLVE] = procfs_nresolve,
	[VOP_GETATTR] = procfs_getattr,
	[VOP_READ] = procfs_read,
	[VOP_READDIR] = procfs_readdir,
	[VOP_READLINK] = procfs_readlink,
	[VOP_INACTIVE] = procfs_inactive,
	[VOP_RECLAIM] = procfs_reclaim,
};

static int
procfs_mount(struct mount *mp, const char *special __unused,
    const char *data __unused, struct ucred *cred __unused)
{
	struct pfs_node root = { NULL, PD_ROOT, D, 0, 0, 1 };

	mp->mnt_vops = procfs_vops;
	return node_vnode(mp, &root, &mp->mnt_root);
}

static int
procfs_unmount(struct mount *mp __unused, bool force __unused)
{
	return 0;			/* nothing is stored (N1) */
}

static int
procfs_statfs(struct mount *mp __unused, struct statfs_info *si)
{
	memset(si, 0, sizeof(*si));
	si->f_type = PROCFS_MAGIC;
	si->f_bsize = PAGE_SIZE;
	si->f_namelen = NAME_MAX;
	return 0;
}

static struct vfsops procfs_ops = {
	.vfc_name = "proc",
	.vfc_flags = VFC_MEMORY | VFC_NODEV | VFC_NONAMES,
	.vfs_mount = procfs_mount,
	.vfs_unmount = procfs_unmount,
	.vfs_statfs = procfs_statfs,
};

void
procfs_init(void)
{
	vfs_register(&procfs_ops);
}
