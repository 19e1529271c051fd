/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory locks: flock(2), and record locks by fcntl(2), owned by a process
 * (POSIX) or by an open file (OFD).
 *
 * All locks of a vnode hang on v_locks, guarded by lock_guard, a sleeping
 * lock: there are few of them and they are taken rarely.
 *
 * L1  The records of one owner do not overlap; a new one cuts those below it.
 * L2  Waiters sleep on the vnode's lock head and look again after every
 *     release: no fairness beyond that.
 * L3  Before a process waits for another's record lock, the chain of who waits
 *     for whom is followed; a way back to itself is EDEADLK.
 */
#include <sys/atomic.h>
#include <sys/queue.h>
#include <sys/thread.h>

#include "sc.h"

int	sys_flock(struct syscall_args *);

static MALLOC_DEFINE(M_ALOCK, "advisory locks");

static struct lock lock_guard;

struct arange {
	LIST_ENTRY(arange) ar_list;
	const void	*ar_owner;	/* proc or file */
	pid_t		 ar_pid;	/* for F_GETLK; -1 OFD */
	bool		 ar_flock;	/* flock(2): another world than records */
	bool		 ar_write;
	int64_t		 ar_start, ar_end;	/* inclusive; end INT64_MAX: EOF */
};

LIST_HEAD(arange_list, arange);

struct alock_head {			/* v_locks */
	struct arange_list ah_list;
	int		 ah_users;	/* [lock_guard] ranges and waiters */
};

/* Who waits for whom, for L3. */
struct await {
	LIST_ENTRY(await) aw_list;
	const void	*aw_waiter, *aw_holder;
};
static LIST_HEAD(, await) awaits = LIST_HEAD_INITIALIZER;

static struct alock_head *
head_get(struct vnode *vp)
{
	struct alock_head *ah = vp->v_locks;

	if (ah == NULL) {
		ah = kmalloc(sizeof(*ah), &M_ALOCK, M_WAITOK | M_ZERO);
		LIST_INIT(&ah->ah_list);
		vp->v_locks = ah;
	}
	ah->ah_users++;
	return ah;
}

static void
head_put(struct vnode *vp, struct alock_head *ah)
{
	if (--ah->ah_users == 0) {
		vp->v_locks = NULL;
		kfree(ah, &M_ALOCK);
	}
}

static struct arange *
conflict(struct alock_head *ah, const struct arange *want)
{
	struct arange *ar;

	LIST_FOREACH(ar, &ah->ah_list, ar_list)
		if (ar->ar_flock == want->ar_flock &&
		    ar->ar_owner != want->ar_owner &&
		    (ar->ar_write || want->ar_write) &&
		    ar->ar_start <= want->ar_end &&
		    want->ar_start <= ar->ar_end)
			return ar;
	return NULL;
}

static void
range_add(struct alock_head *ah, const struct arange *like, int64_t start,
    int64_t end)
{
	struct arange *ar = kmalloc(sizeof(*ar), &M_ALOCK, M_WAITOK);

	*ar = *like;
	ar->ar_start = start;
	ar->ar_end = end;
	LIST_INSERT_HEAD(&ah->ah_list, ar, ar_list);
	ah->ah_users++;
}

/* Take [start, end] away from the owner: L1. */
static void
range_cut(struct alock_head *ah, const struct arange *by)
{
	struct arange *ar, *next;
	bool again;

	do {
		again = false;
		LIST_FOREACH_SAFE(ar, &ah->ah_list, ar_list, next) {
			struct arange old = *ar;

			if (ar->ar_owner != by->ar_owner ||
			    ar->ar_flock != by->ar_flock ||
			    ar->ar_start > by->ar_end ||
			    by->ar_start > ar->ar_end)
				continue;
			LIST_REMOVE(ar, ar_list);
			kfree(ar, &M_ALOCK);
			ah->ah_users--;
			if (old.ar_start < by->ar_start)
				range_add(ah, &old, old.ar_start,
				    by->ar_start - 1);
			if (old.ar_end > by->ar_end)
				range_add(ah, &old, by->ar_end + 1,
				    old.ar_end);
			again = true;
			break;
		}
	} while (again);
}

/* Would waiting for holder close a circle back to waiter? */
static bool
deadlock(const void *waiter, const void *holder)
{
	struct await *aw;

	for (int steps = 0; steps < 1000; steps++) {
		if (holder == waiter)
			return true;
		LIST_FOREACH(aw, &awaits, aw_list)
			if (aw->aw_waiter == holder)
				break;
		if (aw == NULL)
			return false;
		holder = aw->aw_holder;
	}
	return false;
}

/* Take a lock, or with unlock give the range up. */
static int
range_set(struct vnode *vp, const struct arange *want, bool unlock, bool wait)
{
	struct alock_head *ah;
	struct arange *ar;
	struct await aw;
	int error = 0;

	lock_excl(&lock_guard);
	ah = head_get(vp);
	while (!unlock && (ar = conflict(ah, want)) != NULL) {
		if (!wait) {
			error = EAGAIN;
			break;
		}
		aw.aw_waiter = want->ar_owner;
		aw.aw_holder = ar->ar_owner;
		if (!want->ar_flock && want->ar_pid != -1) {
			if (deadlock(aw.aw_waiter, aw.aw_holder)) {
				error = EDEADLK;
				break;
			}
		}
		LIST_INSERT_HEAD(&awaits, &aw, aw_list);
		tsleep_interlock(ah);
		lock_release(&lock_guard);
		error = tsleep(ah, PCATCH | PINTERLOCKED, "advlock", 0);
		lock_excl(&lock_guard);
		LIST_REMOVE(&aw, aw_list);
		if (error != 0)
			break;
	}
	if (error == 0) {
		range_cut(ah, want);
		if (!unlock)
			range_add(ah, want, want->ar_start, want->ar_end);
		wakeup(ah);
	}
	head_put(vp, ah);
	lock_release(&lock_guard);
	return error;
}

int
sys_flock(struct syscall_args *sa)
{
	int op = (int)sa->a[1] & ~4, error;	/* LOCK_NB */
	struct arange want = { .ar_flock = true, .ar_end = INT64_MAX };
	struct vnode *vp;
	struct file *fp;

	if (op != 1 && op != 2 && op != 8)	/* SH EX UN */
		return EINVAL;
	error = sc_vnode_file((int)sa->a[0], &fp, &vp);
	if (error != 0)
		return error == EINVAL ? EBADF : error;
	want.ar_owner = fp;
	want.ar_write = op == 2;
	error = range_set(vp, &want, op == 8, ((int)sa->a[1] & 4) == 0);
	file_rele(fp);
	sa->result = 0;
	return error;
}

struct linux_flock {
	int16_t	l_type, l_whence;
	int64_t	l_start, l_len;
	int32_t	l_pid;
};

/* From the user's form to [start, end]. */
static int
flock_range(struct file *fp, struct vnode *vp, const struct linux_flock *fl,
    struct arange *ar)
{
	int64_t base = 0, start, end;

	if (fl->l_whence == 1)
		base = fp->f_offset;
	else if (fl->l_whence == 2)
		base = (int64_t)vp->v_size;
	else if (fl->l_whence != 0)
		return EINVAL;
	if (__builtin_add_overflow(base, fl->l_start, &start))
		return EOVERFLOW;
	if (fl->l_len == 0) {
		end = INT64_MAX;
	} else if (fl->l_len > 0) {
		if (__builtin_add_overflow(start, fl->l_len - 1, &end))
			return EOVERFLOW;
	} else {
		end = start - 1;
		start += fl->l_len;
	}
	if (start < 0)
		return EINVAL;
	ar->ar_start = start;
	ar->ar_end = end;
	return 0;
}

int
sc_fcntl_lock(struct file *fp, int cmd, vm_offset_t uflock)
{
	enum { GETLK = 5, SETLKW = 7, OFD_GETLK = 36, OFD_SETLKW = 38 };
	enum { RDLCK, WRLCK, UNLCK };
	bool ofd = cmd >= OFD_GETLK;
	struct arange want = { .ar_flock = false };
	struct vnode *vp = file_vnode(fp);
	struct linux_flock fl;
	struct alock_head *ah;
	struct arange *ar;
	int error, mode = (int)fp->f_flags & O_ACCMODE;

	error = copyin(uflock, &fl, sizeof(fl));
	if (error != 0)
		return error;
	if (vp == NULL)
		return EBADF;
	if (fl.l_type < RDLCK || fl.l_type > UNLCK)
		return EINVAL;
	error = flock_range(fp, vp, &fl, &want);
	if (error != 0)
		return error;
	want.ar_owner = ofd ? (const void *)fp : (const void *)curproc();
	want.ar_pid = ofd ? -1 : curproc()->p_pid;
	want.ar_write = fl.l_type == WRLCK;
	if (cmd != GETLK && cmd != OFD_GETLK) {
		if ((fl.l_type == RDLCK && mode == O_WRONLY) ||
		    (fl.l_type == WRLCK && mode == O_RDONLY))
			return EBADF;
		return range_set(vp, &want, fl.l_type == UNLCK,
		    cmd == SETLKW || cmd == OFD_SETLKW);
	}
	lock_excl(&lock_guard);
	ah = vp->v_locks;
	ar = ah != NULL && fl.l_type != UNLCK ? conflict(ah, &want) : NULL;
	fl.l_type = UNLCK;
	if (ar != NULL) {
		fl.l_type = ar->ar_write ? WRLCK : RDLCK;
		fl.l_whence = 0;
		fl.l_start = ar->ar_start;
		fl.l_len = ar->ar_end == INT64_MAX ? 0 :
		    ar->ar_end - ar->ar_start + 1;
		fl.l_pid = ar->ar_pid;
	}
	lock_release(&lock_guard);
	return copyout(&fl, uflock, sizeof(fl));
}

static void
owner_gone(struct vnode *vp, const void *owner)
{
	struct arange all = { .ar_owner = owner, .ar_end = INT64_MAX };
	struct alock_head *ah;

	if (atomic_load(&vp->v_locks) == NULL)
		return;
	lock_excl(&lock_guard);
	if (vp->v_locks != NULL) {
		ah = head_get(vp);
		range_cut(ah, &all);
		all.ar_flock = true;
		range_cut(ah, &all);
		wakeup(ah);
		head_put(vp, ah);
	}
	lock_release(&lock_guard);
}

void
sc_lock_file_gone(struct file *fp, struct vnode *vp)
{
	owner_gone(vp, fp);
}

/* POSIX: any close of the file by a process ends its record locks on it. */
int
sc_lock_closing(struct file *fp)
{
	struct vnode *vp = file_vnode(fp);

	if (vp != NULL && curproc() != NULL)
		owner_gone(vp, curproc());
	return 0;
}

void
vfs_syscalls_init(void)
{
	lock_init(&lock_guard, "advisory locks");
	file_closing_hook = sc_lock_closing;
}
