/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * procfs: the system and its processes as text.
 *
 * N1  Nothing is stored: a file's text is made at each read(2), names are
 *     looked up anew at each walk (VFC_NONAMES), so a vnode is one walk's;
 *     idle ones go when the vnode limit asks for them.
 * N2  A node of a process names it by number; when the process is gone, what
 *     is asked of the node answers ESRCH or ENOENT.
 */
#ifndef _VFS_PROCFS_H_
#define _VFS_PROCFS_H_

#include <sys/stat.h>
#include <sys/types.h>

struct proc;
struct lwp;
struct vop_msg;

/* Text that grows as it is made; fails by getting no longer. */
struct pfs_text {
	char	*pt_buf;
	size_t	 pt_len, pt_size;
};
void	pfs_printf(struct pfs_text *, const char *fmt, ...)
	    __attribute__((__format__(__printf__, 2, 3)));
void	pfs_bytes(struct pfs_text *, const void *, size_t);

enum pfs_dir {
	PD_NONE, PD_ROOT, PD_SYS, PD_SYS_KERNEL, PD_ANAX, PD_PID, PD_FD,
	PD_TASK,
};

struct pfs_node {
	const struct pfs_entry *pn_entry;	/* NULL: a made-up one */
	enum pfs_dir	 pn_dir;	/* what it lists, if it is a directory */
	mode_t		 pn_mode;
	pid_t		 pn_pid;	/* 0: of the system */
	int		 pn_arg;	/* descriptor or thread */
	ino_t		 pn_ino;
};

struct pfs_entry {
	enum pfs_dir	 pe_in;		/* the directory it is in */
	const char	*pe_name;
	mode_t		 pe_mode;
	enum pfs_dir	 pe_dir;	/* S_IFDIR */
	/* The text of a file, or the target of a symlink.  p is NULL for
	 * nodes of the system.  errno.  Blocks. */
	int		(*pe_make)(struct pfs_text *, struct proc *p,
			    const struct pfs_node *);
};

extern const struct pfs_entry pfs_entries[];
extern const size_t pfs_nentries;

/* procfs_sys.c, procfs_pid.c: the makers that the table names. */
typedef int pfs_make(struct pfs_text *, struct proc *,
    const struct pfs_node *);
pfs_make pfs_meminfo, pfs_stat, pfs_uptime, pfs_cpuinfo, pfs_filesystems,
    pfs_version, pfs_loadavg, pfs_cmdline, pfs_mounts, pfs_self, pfs_mounts_link,
    pfs_hostname, pfs_ostype, pfs_osrelease, pfs_pid_max, pfs_ngroups_max,
    pfs_enosys, pfs_kmalloc, pfs_disks, pfs_partitions, pfs_devices,
    pfs_threads, pfs_thread_self;
pfs_make pfs_pid_stat, pfs_pid_status, pfs_pid_statm, pfs_pid_cmdline,
    pfs_pid_environ, pfs_pid_maps, pfs_pid_comm, pfs_pid_exe, pfs_pid_cwd,
    pfs_pid_root, pfs_pid_mounts, pfs_pid_mountinfo, pfs_pid_fd, pfs_pid_limits;

/* Is the descriptor open?  For look-up and listing: the first >= fd, or -1. */
int	pfs_fd_next(struct proc *, int fd);
/* The first thread with a tid >= tid, or -1. */
pid_t	pfs_task_next(struct proc *, pid_t tid);

void	procfs_init(void);		/* init_main.c */

#endif
