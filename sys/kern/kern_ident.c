/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who a process is: the calls that look at and change credentials.
 *
 * A credential is immutable once another can see it: a change makes a copy,
 * fills it, and swaps the process's pointer under p_lock and proc_spin, so
 * that either lets another process look.  Readers of their
 * own process's pointer may use it without a reference until they block in
 * one of these calls (other threads of the process may swap it, so the old
 * one is released at once only in a process of one thread: cred_swap()).
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/proc.h>
#include <sys/syscall.h>
#include <sys/systm.h>
#include <sys/ucred.h>

bool
cred_capable(const struct ucred *cr, int cap)
{
	return (cr->cr_caps >> cap) & 1;
}

struct ucred *
curcred(void)
{
	struct proc *p = curproc();

	return p ? p->p_cred : kernel_cred;
}

/*
 * Give p the new credential.  Threads of p that run in the kernel may still
 * use the old one through curcred(), so a process with several threads keeps
 * its old credentials until it exits or execs: changes of identity by
 * threaded programs are rare and small.
 */
static void
cred_swap(struct proc *p, struct ucred *new)
{
	struct ucred *old;

	lock_excl(&p->p_lock);
	spin_lock(&proc_spin);
	old = p->p_cred;
	p->p_cred = new;
	spin_unlock(&proc_spin);
	if (old->cr_uid != new->cr_uid || old->cr_gid != new->cr_gid)
		atomic_fetch_or(&p->p_flags, PF_SUGID);
	lock_release(&p->p_lock);
	if (p->p_nlwps == 1)
		cred_drop(old);
}

/* Linux: losing the last root uid loses the capabilities; becoming effective
 * root gains them. */
static void
cred_fix_caps(const struct ucred *old, struct ucred *cr)
{
	bool was = old->cr_uid == 0 || old->cr_ruid == 0 || old->cr_svuid == 0;
	bool is = cr->cr_uid == 0 || cr->cr_ruid == 0 || cr->cr_svuid == 0;

	if ((was && !is) || (old->cr_uid == 0 && cr->cr_uid != 0))
		cr->cr_caps = 0;
	else if (old->cr_uid != 0 && cr->cr_uid == 0)
		cr->cr_caps = CAP_ALL;
}

syscall_fn sys_getuid, sys_geteuid, sys_getgid, sys_getegid, sys_setuid,
    sys_setgid, sys_setreuid, sys_setregid, sys_setresuid, sys_setresgid,
    sys_getresuid, sys_getresgid, sys_setfsuid, sys_setfsgid, sys_getgroups,
    sys_setgroups, sys_capget, sys_capset;

int
sys_getuid(struct syscall_args *sa)
{
	sa->result = curcred()->cr_ruid;
	return 0;
}

int
sys_geteuid(struct syscall_args *sa)
{
	sa->result = curcred()->cr_uid;
	return 0;
}

int
sys_getgid(struct syscall_args *sa)
{
	sa->result = curcred()->cr_rgid;
	return 0;
}

int
sys_getegid(struct syscall_args *sa)
{
	sa->result = curcred()->cr_gid;
	return 0;
}

/* May old become id, which must be one of its three otherwise? */
static bool
uid_ok(const struct ucred *old, uid_t id)
{
	return id == (uid_t)-1 || id == old->cr_uid || id == old->cr_ruid ||
	    id == old->cr_svuid || cred_capable(old, CAP_SETUID);
}

static bool
gid_ok(const struct ucred *old, gid_t id)
{
	return id == (gid_t)-1 || id == old->cr_gid || id == old->cr_rgid ||
	    id == old->cr_svgid || cred_capable(old, CAP_SETGID);
}

static int
set_uids(uid_t r, uid_t e, uid_t s)
{
	struct proc *p = curproc();
	struct ucred *old = p->p_cred, *cr;

	if (!uid_ok(old, r) || !uid_ok(old, e) || !uid_ok(old, s))
		return EPERM;
	cr = cred_copy(old, old->cr_ngroups);
	if (r != (uid_t)-1)
		cr->cr_ruid = r;
	if (e != (uid_t)-1)
		cr->cr_uid = e;
	if (s != (uid_t)-1)
		cr->cr_svuid = s;
	cr->cr_fsuid = cr->cr_uid;
	cred_fix_caps(old, cr);
	cred_swap(p, cr);
	return 0;
}

static int
set_gids(gid_t r, gid_t e, gid_t s)
{
	struct proc *p = curproc();
	struct ucred *old = p->p_cred, *cr;

	if (!gid_ok(old, r) || !gid_ok(old, e) || !gid_ok(old, s))
		return EPERM;
	cr = cred_copy(old, old->cr_ngroups);
	if (r != (gid_t)-1)
		cr->cr_rgid = r;
	if (e != (gid_t)-1)
		cr->cr_gid = e;
	if (s != (gid_t)-1)
		cr->cr_svgid = s;
	cr->cr_fsgid = cr->cr_gid;
	cred_swap(p, cr);
	return 0;
}

int
sys_setuid(struct syscall_args *sa)
{
	uid_t id = (uid_t)sa->a[0];

	if (id == (uid_t)-1)
		return EINVAL;
	if (cred_capable(curcred(), CAP_SETUID))
		return set_uids(id, id, id);
	return set_uids(-1, id, -1);
}

int
sys_setgid(struct syscall_args *sa)
{
	gid_t id = (gid_t)sa->a[0];

	if (id == (gid_t)-1)
		return EINVAL;
	if (cred_capable(curcred(), CAP_SETGID))
		return set_gids(id, id, id);
	return set_gids(-1, id, -1);
}

/* The saved id follows the effective one if the real is set, or the
 * effective is set to something that is not the old real one. */
int
sys_setreuid(struct syscall_args *sa)
{
	uid_t r = (uid_t)sa->a[0], e = (uid_t)sa->a[1], s = -1;
	const struct ucred *old = curcred();

	if (r != (uid_t)-1 || (e != (uid_t)-1 && e != old->cr_ruid))
		s = e != (uid_t)-1 ? e : old->cr_uid;
	return set_uids(r, e, s);
}

int
sys_setregid(struct syscall_args *sa)
{
	gid_t r = (gid_t)sa->a[0], e = (gid_t)sa->a[1], s = -1;
	const struct ucred *old = curcred();

	if (r != (gid_t)-1 || (e != (gid_t)-1 && e != old->cr_rgid))
		s = e != (gid_t)-1 ? e : old->cr_gid;
	return set_gids(r, e, s);
}

int
sys_setresuid(struct syscall_args *sa)
{
	return set_uids((uid_t)sa->a[0], (uid_t)sa->a[1], (uid_t)sa->a[2]);
}

int
sys_setresgid(struct syscall_args *sa)
{
	return set_gids((gid_t)sa->a[0], (gid_t)sa->a[1], (gid_t)sa->a[2]);
}

static int
copyout_ids(struct syscall_args *sa, uint32_t r, uint32_t e, uint32_t s)
{
	int error;

	if ((error = copyout(&r, sa->a[0], 4)) != 0 ||
	    (error = copyout(&e, sa->a[1], 4)) != 0)
		return error;
	return copyout(&s, sa->a[2], 4);
}

int
sys_getresuid(struct syscall_args *sa)
{
	const struct ucred *cr = curcred();

	return copyout_ids(sa, cr->cr_ruid, cr->cr_uid, cr->cr_svuid);
}

int
sys_getresgid(struct syscall_args *sa)
{
	const struct ucred *cr = curcred();

	return copyout_ids(sa, cr->cr_rgid, cr->cr_gid, cr->cr_svgid);
}

/* Both return the old id, whatever happens. */
int
sys_setfsuid(struct syscall_args *sa)
{
	struct proc *p = curproc();
	struct ucred *old = p->p_cred, *cr;
	uid_t id = (uid_t)sa->a[0];

	sa->result = old->cr_fsuid;
	if (id == (uid_t)-1 || !(id == old->cr_fsuid || uid_ok(old, id)))
		return 0;
	cr = cred_copy(old, old->cr_ngroups);
	cr->cr_fsuid = id;
	cred_swap(p, cr);
	return 0;
}

int
sys_setfsgid(struct syscall_args *sa)
{
	struct proc *p = curproc();
	struct ucred *old = p->p_cred, *cr;
	gid_t id = (gid_t)sa->a[0];

	sa->result = old->cr_fsgid;
	if (id == (gid_t)-1 || !(id == old->cr_fsgid || gid_ok(old, id)))
		return 0;
	cr = cred_copy(old, old->cr_ngroups);
	cr->cr_fsgid = id;
	cred_swap(p, cr);
	return 0;
}

int
sys_getgroups(struct syscall_args *sa)
{
	const struct ucred *cr = curcred();
	int n = (int)sa->a[0];

	if (n < 0)
		return EINVAL;
	sa->result = cr->cr_ngroups;
	if (n == 0)
		return 0;
	if ((uint32_t)n < cr->cr_ngroups)
		return EINVAL;
	return copyout(cr->cr_groups, sa->a[1],
	    cr->cr_ngroups * sizeof(gid_t));
}

int
sys_setgroups(struct syscall_args *sa)
{
	struct proc *p = curproc();
	struct ucred *cr;
	uint64_t n = sa->a[0];
	int error;

	if (!cred_capable(p->p_cred, CAP_SETGID))
		return EPERM;
	if (n > 65536)
		return EINVAL;
	cr = cred_copy(p->p_cred, (uint32_t)n);
	error = n ? copyin(sa->a[1], cr->cr_groups, n * sizeof(gid_t)) : 0;
	if (error) {
		cred_drop(cr);
		return error;
	}
	cred_swap(p, cr);
	return 0;
}

/* Versions of the capability header: 32 bits in one part, 64 in two. */
#define CAP_V1	0x19980330u
#define CAP_V2	0x20071026u
#define CAP_V3	0x20080522u

struct cap_header { uint32_t version; int32_t pid; };
struct cap_data { uint32_t effective, permitted, inheritable; };

static int
cap_parts(vm_offset_t uhdr, struct cap_header *h, int *parts)
{
	int error = copyin(uhdr, h, sizeof(*h));
	uint32_t best = CAP_V3;

	if (error)
		return error;
	*parts = h->version == CAP_V1 ? 1 : 2;
	if (h->version == CAP_V1 || h->version == CAP_V2 ||
	    h->version == CAP_V3)
		return 0;
	error = copyout(&best, uhdr, sizeof(best));
	return error ? error : EINVAL;
}

int
sys_capget(struct syscall_args *sa)
{
	struct cap_header h;
	struct cap_data d[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
	struct proc *p;
	uint64_t caps;
	int error, parts;

	if ((error = cap_parts(sa->a[0], &h, &parts)) != 0)
		return error == EINVAL && sa->a[1] == 0 ? 0 : error;
	if (h.pid < 0)
		return EINVAL;
	caps = curcred()->cr_caps;
	if (h.pid != 0 && h.pid != curproc()->p_pid) {
		p = proc_find(h.pid);
		if (p == NULL)
			return ESRCH;
		lock_shared(&p->p_lock);
		caps = p->p_cred->cr_caps;
		lock_release(&p->p_lock);
		proc_rele(p);
	}
	d[0].effective = d[0].permitted = (uint32_t)caps;
	d[1].effective = d[1].permitted = (uint32_t)(caps >> 32);
	return sa->a[1] ? copyout(d, sa->a[1], parts * sizeof(d[0])) : 0;
}

/* Capabilities can be given up, not gained. */
int
sys_capset(struct syscall_args *sa)
{
	struct cap_header h;
	struct cap_data d[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
	struct proc *p = curproc();
	struct ucred *cr;
	uint64_t caps;
	int error, parts;

	if ((error = cap_parts(sa->a[0], &h, &parts)) != 0)
		return error;
	if (h.pid != 0 && h.pid != p->p_pid)
		return EPERM;
	if ((error = copyin(sa->a[1], d, parts * sizeof(d[0]))) != 0)
		return error;
	caps = d[0].effective | ((uint64_t)d[1].effective << 32);
	if (caps & ~p->p_cred->cr_caps)
		return EPERM;
	cr = cred_copy(p->p_cred, p->p_cred->cr_ngroups);
	cr->cr_caps = caps;
	cred_swap(p, cr);
	return 0;
}
