/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vnode operations as messages.  vfs/core/vfs_vop.c.
 *
 *   caller -> vop_*() -> mnt_port -> layers -> mnt_vops[op](msg)
 *
 * O1  An operation's locks belong to vm_xid, so any thread can finish it.
 * O2  A modifying operation that succeeds has called vop_commit() exactly
 *     once, with the locks that order it held, without blocking inside.
 * O3  Messages carry kernel memory, vnodes, handles and credentials only;
 *     never user addresses, never curproc.
 * O4  A filesystem function returns an errno, or EASYNC and later
 *     lwkt_replymsg(&msg->vm_msg, error).
 */
#ifndef _SYS_VOP_H_
#define _SYS_VOP_H_

#include <sys/mount.h>
#include <sys/msgport.h>
#include <sys/namecache.h>
#include <sys/stat.h>
#include <sys/types.h>

struct ucred;
struct vm_page;
struct vnode;

enum vop_op {
	/* names: handles locked exclusively, dvp referenced and unlocked */
	VOP_NRESOLVE, VOP_NLOOKUPDOTDOT, VOP_NCREATE, VOP_NMKDIR, VOP_NMKNOD,
	VOP_NLINK, VOP_NSYMLINK, VOP_NREMOVE, VOP_NRMDIR, VOP_NRENAME,
	/* objects: vp referenced */
	VOP_OPEN, VOP_CLOSE, VOP_GETATTR, VOP_SETATTR, VOP_READ, VOP_WRITE,
	VOP_READDIR, VOP_READLINK, VOP_GETPAGES, VOP_MKWRITE, VOP_FSYNC,
	VOP_IOCTL, VOP_POLL, VOP_ALLOCATE, VOP_GETXATTR, VOP_SETXATTR,
	VOP_LISTXATTR, VOP_INACTIVE, VOP_RECLAIM,
	VOP_COUNT
};

enum { RENAME_NOREPLACE = 1, RENAME_EXCHANGE = 2, RENAME_WHITEOUT = 4 };

/* readdir hands entries to this; returns false when the buffer is full. */
typedef bool vop_dirent_fn(void *arg, const char *name, size_t namelen,
    ino_t ino, int dtype, off_t nextcookie);

struct vop_msg {
	struct lwkt_msg	 vm_msg;	/* first */
	enum vop_op	 vm_op;
	uint32_t	 vm_flags;	/* VMF_* */
	xid_t		 vm_xid;
	struct mount	*vm_mount;
	struct ucred	*vm_cred;
	struct vop_stack *vm_stack;	/* layers it passes, fixed at the start */
	int		 vm_depth;	/* how many of them it has entered */
	int		 vm_gateidx;	/* vfs_layer.c */
	int64_t		*vm_gate;
	uint64_t	 vm_number;	/* drawn by vop_number/vop_commit */
	nsec_t		 vm_wall;	/* wall time of the operation, ns */
	pid_t		 vm_pid;	/* who, for journals */
	void		*vm_stage;	/* the journal's staged record */
	struct vnode	*vm_vp;		/* object operations */
	struct vnode	*vm_dvp;	/* name operations: directory */
	struct nchandle	 vm_nch;	/* name operations: the name */
	union {
		struct {		/* NCREATE NMKDIR NMKNOD NSYMLINK */
			const struct vattr *vap;	/* mode uid gid rdev */
			const char	*target;	/* NSYMLINK, terminated */
			struct vnode	*vp;		/* out: referenced */
		} create;
		struct {		/* NLINK: vm_nch new name of vp */
			struct vnode	*vp;
		} link;
		struct {		/* NREMOVE NRMDIR */
			struct vnode	*vp;	/* the object, referenced */
		} remove;
		struct {		/* NRENAME: vm_nch/vm_dvp is from */
			struct nchandle	 tnch;
			struct vnode	*tdvp;
			struct vnode	*fvp;	/* moved, referenced */
			struct vnode	*tvp;	/* replaced, or NULL */
			int		 flags;	/* RENAME_* */
		} rename;
		struct {		/* NLOOKUPDOTDOT: vm_dvp */
			struct vnode	*vp;	/* out */
		} dotdot;
		struct { int fflags; } open;	/* OPEN CLOSE: O_* */
		struct { struct vattr *vap; } attr;	/* GETATTR out, SETATTR in */
		struct {		/* READ WRITE: kernel memory */
			void		*buf;	/* const for WRITE */
			size_t		 len;
			off_t		 off;	/* WRITE+IO_APPEND: out, start */
			int		 ioflags;
			size_t		 done;	/* out */
		} io;
		struct {		/* READDIR */
			off_t		 cookie;	/* 0: from the start */
			vop_dirent_fn	*fn;
			void		*arg;
			bool		 eof;	/* out */
		} readdir;
		struct {		/* READLINK */
			char		*buf;
			size_t		 size;
			size_t		 len;	/* out, no NUL */
		} readlink;
		struct {		/* GETPAGES: busied, invalid; made valid.
					 * MKWRITE: pages[0] is to be dirtied by
					 * a mapped store: reserve, or fail */
			struct vm_page	**pages;
			int		 count;	/* consecutive pages */
		} pages;
		struct {		/* FSYNC: vm_vp */
			bool		 datasync;
			bool		 wait;	/* false: start, syncer */
		} fsync;
		struct {		/* IOCTL: data is kernel memory */
			uint64_t	 cmd;
			void		*data;
			size_t		 len;
			int		 fflags;
			int64_t		 result;	/* out */
		} ioctl;
		struct { int events, revents; } poll;
		struct { int mode; off_t off; uint64_t len; } alloc;
		struct {		/* xattrs */
			const char	*name;
			void		*buf;
			size_t		 len;
			int		 flags;
			size_t		 done;
		} xattr;
	} u;
};

enum {					/* vm_flags */
	VMF_COMMITTED	= 0x1,		/* vop_commit was called */
	VMF_NUMBERED	= 0x2,
	VMF_NOFS	= 0x4,		/* memory reclaim: do not allocate */
	VMF_INTERNAL	= 0x8,		/* vop_internal_init() */
};

/*
 * What an operation changed: facts before and after.  The core applies them
 * to the namecache and attribute cache, layers record them.
 */
enum vop_effect_kind {
	EFF_NAME,	/* (ve_dvp, ve_nch): object ve_old -> ve_new, ve_vp */
	EFF_ATTR,	/* ve_vp: ve_attr is the new whole, ve_mask changed */
	EFF_DATA,	/* ve_vp: bytes [ve_off, ve_off+ve_len) written */
	EFF_SIZE,	/* ve_vp: size ve_old -> ve_new */
	EFF_OBJECT,	/* ve_vp: created (ve_new = 1) or gone (ve_new = 0) */
};

struct vop_effect {
	enum vop_effect_kind ve_kind;
	struct vnode	*ve_dvp;
	const struct nchandle *ve_nch;
	struct vnode	*ve_vp;		/* NAME: what it names now; NULL: none */
	uint64_t	 ve_old, ve_new;	/* object ids; 0 none */
	off_t		 ve_off;
	uint64_t	 ve_len;
	uint32_t	 ve_mask;	/* VA_* */
	struct vattr	 ve_attr;
	struct vattr	 ve_oldattr;	/* ATTR: before */
};

enum { VOP_MAXEFFECTS = 8 };

struct vop_effects {
	int		 n;
	struct vop_effect e[VOP_MAXEFFECTS];
};

/*
 * Draw the number of the operation (idempotent): max(wall clock ns, last +
 * mnt_numstep), low 4 bits from the mount's master id.  Call it with the locks
 * that order the operation held, and keep them until vop_commit().
 */
uint64_t vop_number(struct vop_msg *);
/* The linearisation point.  Applies effects, tells the layers.  No blocking.*/
void	vop_commit(struct vop_msg *, const struct vop_effects *);
/* A version point and other work of the filesystem's own is an operation too:
 * a message with no caller, only to be committed. */
void	vop_internal_init(struct vop_msg *, struct mount *, enum vop_op,
	    struct vnode *);

/* For layers: pass the message to the next one below and return its result. */
int	vop_next(struct vop_msg *);

/* The callers' side.  Locks and errors: see each in vfs_vop.c. */
int	vop_nresolve(const struct nchandle *, struct vnode *dvp, struct ucred *);
int	vop_nlookupdotdot(struct vnode *dvp, struct vnode **vpp, struct ucred *);
int	vop_ncreate(const struct nchandle *, struct vnode *dvp,
	    const struct vattr *, struct vnode **vpp, struct ucred *);
int	vop_nmkdir(const struct nchandle *, struct vnode *dvp,
	    const struct vattr *, struct vnode **vpp, struct ucred *);
int	vop_nmknod(const struct nchandle *, struct vnode *dvp,
	    const struct vattr *, struct vnode **vpp, struct ucred *);
int	vop_nsymlink(const struct nchandle *, struct vnode *dvp,
	    const struct vattr *, const char *target, struct vnode **vpp,
	    struct ucred *);
int	vop_nlink(const struct nchandle *, struct vnode *dvp, struct vnode *vp,
	    struct ucred *);
int	vop_nremove(const struct nchandle *, struct vnode *dvp,
	    struct vnode *vp, struct ucred *);
int	vop_nrmdir(const struct nchandle *, struct vnode *dvp,
	    struct vnode *vp, struct ucred *);
int	vop_nrename(const struct nchandle *fnch, struct vnode *fdvp,
	    struct vnode *fvp, const struct nchandle *tnch, struct vnode *tdvp,
	    struct vnode *tvp, int flags, struct ucred *);
int	vop_open(struct vnode *, int fflags, struct ucred *);
int	vop_close(struct vnode *, int fflags, struct ucred *);
int	vop_getattr(struct vnode *, struct vattr *, struct ucred *);
int	vop_setattr(struct vnode *, const struct vattr *, struct ucred *);
int	vop_write(struct vnode *, const void *, size_t, off_t *off, int ioflags,
	    struct ucred *, size_t *done);
int	vop_read(struct vnode *, void *, size_t, off_t, struct ucred *,
	    size_t *done);		/* no page cache: procfs, devices */
int	vop_readdir(struct vnode *, off_t cookie, vop_dirent_fn *, void *arg,
	    bool *eof, struct ucred *);
int	vop_readlink(struct vnode *, char *, size_t size, size_t *len,
	    struct ucred *);
int	vop_getpages(struct vnode *, struct vm_page **, int count);
int	vop_mkwrite(struct vnode *, struct vm_page *);
int	vop_fsync(struct vnode *, bool datasync, bool wait, struct ucred *);
int	vop_ioctl(struct vnode *, uint64_t cmd, void *data, size_t len,
	    int fflags, int64_t *result, struct ucred *);
int	vop_allocate(struct vnode *, int mode, off_t off, uint64_t len,
	    struct ucred *);
int	vop_inactive(struct vnode *);
int	vop_reclaim(struct vnode *);

/* make test's mode: every operation is answered from another thread. */
extern bool vop_force_async;

#endif
