/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Futexes: sleeping on a word of user memory.
 *
 * A waiter is keyed by (address space, address), or for a word in a shared
 * mapping by (object, offset), so that processes meet.  Buckets have a
 * sleeping lock: the word is read with copyin, which may fault, while the
 * bucket is locked, so a waker that changed the word before is never missed.
 */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/proc.h>
#include <sys/syscall.h>
#include <sys/systm.h>
#include <sys/time.h>
#include <vm/vm_map.h>

enum {
	FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_REQUEUE = 3,
	FUTEX_CMP_REQUEUE = 4, FUTEX_WAKE_OP = 5, FUTEX_WAIT_BITSET = 9,
	FUTEX_WAKE_BITSET = 10, FUTEX_PRIVATE = 128,
	FUTEX_CLOCK_REALTIME = 256,
};
#define FUTEX_WAITERS		0x80000000u
#define FUTEX_OWNER_DIED	0x40000000u
#define FUTEX_TID_MASK		0x3fffffffu

enum { FUTEX_HASH = 256, ROBUST_MAX = 2048 };

struct futex_key {
	const void	*fk_space;
	uint64_t	 fk_off;
};

struct futex_waiter {
	TAILQ_ENTRY(futex_waiter) fw_list;	/* [bucket] */
	struct futex_key fw_key;		/* [bucket] */
	struct futex_bucket *fw_bucket;		/* [bucket] */
	uint32_t	 fw_bits;
	uint32_t	 fw_woken;		/* [a] */
};

struct futex_bucket {
	struct lock	 fb_lock;
	TAILQ_HEAD(, futex_waiter) fb_waiters;
};

static struct futex_bucket futex_hash[FUTEX_HASH];

void
futex_init(void)
{
	int i;

	for (i = 0; i < FUTEX_HASH; i++) {
		lock_init(&futex_hash[i].fb_lock, "futex");
		TAILQ_INIT(&futex_hash[i].fb_waiters);
	}
}

static struct futex_bucket *
bucket_of(const struct futex_key *k)
{
	uint64_t h = (uintptr_t)k->fk_space ^ k->fk_off;

	h = (h ^ (h >> 16)) * 0x9e3779b97f4a7c15ULL;
	return &futex_hash[h >> 56];
}

static bool
key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->fk_space == b->fk_space && a->fk_off == b->fk_off;
}

static int
futex_key(vm_offset_t uaddr, bool private, struct futex_key *k)
{
	struct vm_map *map = curproc()->p_vm;
	struct vm_map_entry *e;

	if (uaddr & 3)
		return EINVAL;
	k->fk_space = map;
	k->fk_off = uaddr;
	if (private)
		return 0;
	lock_shared(&map->vm_lock);
	e = vm_map_lookup(map, uaddr);
	if (e != NULL && (e->me_flags & VME_SHARED) && e->me_object) {
		k->fk_space = e->me_object;
		k->fk_off = e->me_offset + (uaddr - e->me_start);
	}
	lock_release(&map->vm_lock);
	return e ? 0 : EFAULT;
}

/*
 * ERESTART is for the caller to turn into what fits the operation.
 */
static int
futex_wait(vm_offset_t uaddr, uint32_t val, uint32_t bits, nsec_t deadline,
    bool private)
{
	struct futex_waiter fw = { .fw_bits = bits };
	struct futex_bucket *fb;
	uint32_t cur;
	nsec_t now, timo = 0;
	int error;

	if (bits == 0)
		return EINVAL;
	if ((error = futex_key(uaddr, private, &fw.fw_key)) != 0)
		return error;
	fb = bucket_of(&fw.fw_key);
	lock_excl(&fb->fb_lock);
	error = copyin(uaddr, &cur, sizeof(cur));
	if (error == 0 && cur != val)
		error = EAGAIN;
	if (error) {
		lock_release(&fb->fb_lock);
		return error;
	}
	fw.fw_bucket = fb;
	TAILQ_INSERT_TAIL(&fb->fb_waiters, &fw, fw_list);
	lock_release(&fb->fb_lock);

	while (atomic_load(&fw.fw_woken) == 0) {
		tsleep_interlock(&fw);
		if (atomic_load(&fw.fw_woken) != 0) {
			tsleep_remove();
			break;
		}
		if (deadline != 0) {
			now = clock_mono_ns();
			if (now >= deadline) {
				tsleep_remove();
				error = ETIMEDOUT;
				break;
			}
			timo = deadline - now;
		}
		error = tsleep(&fw, PCATCH | PINTERLOCKED, "futex", timo);
		if (error == EWOULDBLOCK)
			error = 0;
		if (error)
			break;
	}
	/* Off the list: a waker or a requeue may have it in hand. */
	for (;;) {
		fb = atomic_load(&fw.fw_bucket);
		if (fb == NULL)
			break;
		lock_excl(&fb->fb_lock);
		if (fw.fw_bucket == fb) {
			TAILQ_REMOVE(&fb->fb_waiters, &fw, fw_list);
			fw.fw_bucket = NULL;
		}
		lock_release(&fb->fb_lock);
	}
	/* The waker still holds the bucket while it calls wakeup(). */
	fb = bucket_of(&fw.fw_key);
	lock_excl(&fb->fb_lock);
	lock_release(&fb->fb_lock);
	return fw.fw_woken ? 0 : error;
}

/* Bucket locked. */
static void
wake_one(struct futex_bucket *fb, struct futex_waiter *fw)
{
	TAILQ_REMOVE(&fb->fb_waiters, fw, fw_list);
	atomic_store(&fw->fw_bucket, NULL);
	atomic_store(&fw->fw_woken, 1);
	wakeup(fw);
}

static int
futex_wake(vm_offset_t uaddr, int n, uint32_t bits, bool private, int *count)
{
	struct futex_key k;
	struct futex_bucket *fb;
	struct futex_waiter *fw, *next;
	int error;

	*count = 0;
	if (bits == 0)
		return EINVAL;
	if ((error = futex_key(uaddr, private, &k)) != 0)
		return error;
	fb = bucket_of(&k);
	lock_excl(&fb->fb_lock);
	TAILQ_FOREACH_SAFE(fw, &fb->fb_waiters, fw_list, next) {
		if (*count >= n)
			break;
		if (!key_equal(&fw->fw_key, &k) || !(fw->fw_bits & bits))
			continue;
		wake_one(fb, fw);
		(*count)++;
	}
	lock_release(&fb->fb_lock);
	return 0;
}

/* Both buckets, in order of address; they may be the same. */
static void
lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	lock_excl(a < b ? &a->fb_lock : &b->fb_lock);
	if (a != b)
		lock_excl(a < b ? &b->fb_lock : &a->fb_lock);
}

static void
unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	lock_release(&a->fb_lock);
	if (a != b)
		lock_release(&b->fb_lock);
}

static int
futex_requeue(vm_offset_t uaddr, int nwake, int nmove, vm_offset_t uaddr2,
    const uint32_t *cmp, bool private, int *count)
{
	struct futex_key k, k2;
	struct futex_bucket *fb, *fb2;
	struct futex_waiter *fw, *next;
	uint32_t cur;
	int error, moved = 0;

	*count = 0;
	if (nwake < 0 || nmove < 0)
		return EINVAL;
	if ((error = futex_key(uaddr, private, &k)) != 0 ||
	    (error = futex_key(uaddr2, private, &k2)) != 0)
		return error;
	fb = bucket_of(&k);
	fb2 = bucket_of(&k2);
	lock_two(fb, fb2);
	if (cmp != NULL) {
		error = copyin(uaddr, &cur, sizeof(cur));
		if (error == 0 && cur != *cmp)
			error = EAGAIN;
		if (error)
			goto out;
	}
	TAILQ_FOREACH_SAFE(fw, &fb->fb_waiters, fw_list, next) {
		if (!key_equal(&fw->fw_key, &k))
			continue;
		if (*count < nwake) {
			wake_one(fb, fw);
			(*count)++;
		} else if (moved < nmove) {
			fw->fw_key = k2;
			if (fb2 != fb) {
				TAILQ_REMOVE(&fb->fb_waiters, fw, fw_list);
				atomic_store(&fw->fw_bucket, fb2);
				TAILQ_INSERT_TAIL(&fb2->fb_waiters, fw,
				    fw_list);
			}
			moved++;
		} else {
			break;
		}
	}
	*count += moved;
out:
	unlock_two(fb, fb2);
	return error;
}

/*
 * Change *uaddr2, wake n on uaddr, and n2 on uaddr2 if the old value passes.
 * The word changes by an ordinary read and write: other threads use this call
 * (serialised by the bucket) or atomics on it, and glibc no longer uses it.
 */
static int
futex_wake_op(vm_offset_t uaddr, int n, vm_offset_t uaddr2, int n2,
    uint32_t op, bool private, int *count)
{
	struct futex_key k;
	struct futex_bucket *fb;
	int32_t oparg = (int32_t)(op << 8) >> 20;
	int32_t cmparg = (int32_t)(op << 20) >> 20;
	int32_t old, new;
	bool pass;
	int error, more;

	if (op & (8u << 28))
		oparg = 1 << (oparg & 31);
	if ((error = futex_key(uaddr2, private, &k)) != 0)
		return error;
	fb = bucket_of(&k);
	lock_excl(&fb->fb_lock);
	error = copyin(uaddr2, &old, 4);
	switch ((op >> 28) & 7) {
	case 0: new = oparg; break;
	case 1: new = (int32_t)((uint32_t)old + (uint32_t)oparg); break;
	case 2: new = old | oparg; break;
	case 3: new = old & ~oparg; break;
	case 4: new = old ^ oparg; break;
	default: new = 0; error = error ? error : ENOSYS; break;
	}
	if (error == 0)
		error = copyout(&new, uaddr2, 4);
	lock_release(&fb->fb_lock);
	if (error)
		return error;
	switch ((op >> 24) & 15) {
	case 0: pass = old == cmparg; break;
	case 1: pass = old != cmparg; break;
	case 2: pass = old < cmparg; break;
	case 3: pass = old <= cmparg; break;
	case 4: pass = old > cmparg; break;
	case 5: pass = old >= cmparg; break;
	default: return ENOSYS;
	}
	error = futex_wake(uaddr, n, ~0u, private, count);
	if (error == 0 && pass) {
		error = futex_wake(uaddr2, n2, ~0u, private, &more);
		*count += more;
	}
	return error;
}

void
futex_wake_addr(vm_offset_t uaddr, int n)
{
	int count;

	(void)futex_wake(uaddr, n, ~0u, false, &count);
	(void)futex_wake(uaddr, n, ~0u, true, &count);
}

static int
wait_deadline(vm_offset_t utimo, int op, bool absolute, nsec_t *deadline)
{
	nsec_t ns, base;
	int error;

	*deadline = 0;
	if (utimo == 0)
		return 0;
	if ((error = copyin_timespec(utimo, &ns)) != 0)
		return error;
	if (absolute) {
		base = op & FUTEX_CLOCK_REALTIME ? clock_wall_ns() :
		    clock_mono_ns();
		ns = ns > base ? ns - base : 0;
	}
	*deadline = clock_mono_ns() + ns;
	return 0;
}

syscall_fn sys_futex, sys_set_robust_list, sys_get_robust_list;

int
sys_futex(struct syscall_args *sa)
{
	struct lwp *lp = curlwp();
	vm_offset_t uaddr = sa->a[0], uaddr2 = sa->a[4];
	uint32_t op = (uint32_t)sa->a[1], val = (uint32_t)sa->a[2];
	uint32_t val3 = (uint32_t)sa->a[5], bits = ~0u;
	bool private = op & FUTEX_PRIVATE, absolute = false;
	nsec_t deadline;
	int error, n = 0;

	switch (op & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME)) {
	case FUTEX_WAIT_BITSET:
		bits = val3;
		absolute = true;
		/* FALLTHROUGH */
	case FUTEX_WAIT:
		error = wait_deadline(sa->a[3], (int)op, absolute, &deadline);
		if (error)
			return error;
		if (lp->lwp_flags & LWPF_RESUME) {
			atomic_fetch_and(&lp->lwp_flags, ~LWPF_RESUME);
			deadline = lp->lwp_deadline;
		}
		error = futex_wait(uaddr, val, bits, deadline, private);
		if (error == ERESTART && deadline != 0) {
			lp->lwp_deadline = deadline;
			atomic_fetch_or(&lp->lwp_flags, LWPF_RESUME);
			error = ERESTARTNOHAND;
		}
		return error;
	case FUTEX_WAKE_BITSET:
		bits = val3;
		/* FALLTHROUGH */
	case FUTEX_WAKE:
		error = futex_wake(uaddr, (int)val, bits, private, &n);
		break;
	case FUTEX_REQUEUE:
		error = futex_requeue(uaddr, (int)val, (int)sa->a[3], uaddr2,
		    NULL, private, &n);
		break;
	case FUTEX_CMP_REQUEUE:
		error = futex_requeue(uaddr, (int)val, (int)sa->a[3], uaddr2,
		    &val3, private, &n);
		break;
	case FUTEX_WAKE_OP:
		error = futex_wake_op(uaddr, (int)val, uaddr2, (int)sa->a[3],
		    val3, private, &n);
		break;
	default:
		return ENOSYS;
	}
	sa->result = n;
	return error;
}

int
sys_set_robust_list(struct syscall_args *sa)
{
	if (sa->a[1] != 24)
		return EINVAL;
	curlwp()->lwp_robust = sa->a[0];
	return 0;
}

int
sys_get_robust_list(struct syscall_args *sa)
{
	uint64_t len = 24, head = curlwp()->lwp_robust;
	int error;

	if ((int)sa->a[0] != 0 && (int)sa->a[0] != curlwp()->lwp_tid)
		return EPERM;
	error = copyout(&head, sa->a[1], 8);
	return error ? error : copyout(&len, sa->a[2], 8);
}

/* A lock word that the dying thread held: mark it and wake one. */
static void
robust_release(vm_offset_t uaddr, pid_t tid)
{
	uint32_t w, n;
	int count;

	if ((uaddr & 3) || copyin(uaddr, &w, 4) != 0 ||
	    (w & FUTEX_TID_MASK) != (uint32_t)tid)
		return;
	n = (w & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
	if (copyout(&n, uaddr, 4) == 0 && (w & FUTEX_WAITERS))
		(void)futex_wake(uaddr, 1, ~0u, false, &count);
}

/* Walk the list; it is the user's, so it may be anything. */
static void
robust_walk(struct lwp *lp)
{
	uint64_t head[3], e, next;	/* next, offset, pending */
	int i;

	if (copyin(lp->lwp_robust, head, sizeof(head)) != 0)
		return;
	for (e = head[0], i = 0; e != lp->lwp_robust && i < ROBUST_MAX;
	    e = next, i++) {
		if (copyin(e & ~1ULL, &next, 8) != 0)
			return;
		if (e != head[2])
			robust_release((e & ~1ULL) + head[1], lp->lwp_tid);
	}
	if (head[2] != 0)
		robust_release((head[2] & ~1ULL) + head[1], lp->lwp_tid);
}

/* The thread leaves its address space (exit, exec). */
void
futex_exit(struct lwp *lp)
{
	uint32_t zero = 0;

	if (lp->lwp_proc->p_vm == NULL)
		return;
	if (lp->lwp_robust != 0)
		robust_walk(lp);
	lp->lwp_robust = 0;
	if (lp->lwp_clear_tid != 0 && (lp->lwp_proc->p_nlwps > 1 ||
	    atomic_load(&lp->lwp_proc->p_vm->vm_refs) > 1) &&
	    copyout(&zero, lp->lwp_clear_tid, 4) == 0)
		futex_wake_addr(lp->lwp_clear_tid, 1);
	lp->lwp_clear_tid = 0;
}
