/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for one of several files: poll(2), select(2) and their kin.
 *
 * A thread puts one waiter on the queue of each object, looks at each once
 * more, and sleeps until one of them fires.  An object calls poll_wakeup()
 * after every change that may make it ready.
 *
 * Q1  pw_fired is set before the wakeup, and the sleeper looks at it between
 *     tsleep_interlock() and tsleep(): no event is lost.
 * Q2  A waiter is off its queue before its memory goes: poll_queue_remove()
 *     takes the queue's lock, which poll_wakeup() holds while it looks.
 */
#include <sys/atomic.h>
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/file.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/signal.h>
#include <sys/syscall.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/time.h>

static MALLOC_DEFINE(M_POLL, "poll");

int	sys_poll(struct syscall_args *);
int	sys_ppoll(struct syscall_args *);
int	sys_select(struct syscall_args *);
int	sys_pselect6(struct syscall_args *);

void
poll_queue_init(struct poll_queue *pq)
{
	spin_init(&pq->pq_spin, "poll queue");
	LIST_INIT(&pq->pq_list);
}

void
poll_queue_add(struct poll_queue *pq, struct poll_waiter *pw)
{
	spin_lock(&pq->pq_spin);
	pw->pw_queue = pq;
	LIST_INSERT_HEAD(&pq->pq_list, pw, pw_list);
	spin_unlock(&pq->pq_spin);
}

static void
poll_queue_remove(struct poll_waiter *pw)
{
	struct poll_queue *pq = pw->pw_queue;

	if (pq == NULL)
		return;
	spin_lock(&pq->pq_spin);
	LIST_REMOVE(pw, pw_list);
	spin_unlock(&pq->pq_spin);
	pw->pw_queue = NULL;
}

void
poll_wakeup(struct poll_queue *pq)
{
	struct poll_waiter *pw;

	/* The lock orders this look after the waiter's own look at the
	 * object, or the other way round: one of the two sees the other. */
	spin_lock(&pq->pq_spin);
	LIST_FOREACH(pw, &pq->pq_list, pw_list) {
		atomic_store(pw->pw_fired, 1);
		wakeup(pw->pw_ident);
	}
	spin_unlock(&pq->pq_spin);
}

struct pollfd {				/* the user's */
	int32_t		fd;
	int16_t		events;
	int16_t		revents;
};

struct poll_one {
	struct pollfd	 po_pfd;
	struct file	*po_file;
	struct poll_waiter po_pw;
};

/* Look at every file; queue the waiters the first time.  How many are ready. */
static int
poll_scan(struct poll_one *po, uint32_t n, bool queue)
{
	int ready = 0;

	for (uint32_t i = 0; i < n; i++, po++) {
		struct file *fp = po->po_file;
		int events = (uint16_t)po->po_pfd.events | POLLERR | POLLHUP;
		int r;

		if (po->po_pfd.fd < 0) {
			po->po_pfd.revents = 0;
			continue;
		}
		if (fp == NULL)
			r = POLLNVAL;
		else if (fp->f_ops->fo_poll == NULL)
			r = (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM) &
			    events;
		else
			r = fp->f_ops->fo_poll(fp, events,
			    queue && ready == 0 ? &po->po_pw : NULL);
		po->po_pfd.revents = (int16_t)(r & (events | POLLNVAL));
		if (po->po_pfd.revents != 0)
			ready++;
	}
	return ready;
}

/* deadline_ns mono, 0: none; past: only look.  0 with *ready, EINTR. */
static int
poll_wait(struct poll_one *po, uint32_t n, nsec_t deadline, bool noblock,
    int *ready)
{
	uint32_t fired = 0;
	bool queue = true;
	int error = 0;

	for (uint32_t i = 0; i < n; i++) {
		po[i].po_pw.pw_ident = &fired;
		po[i].po_pw.pw_fired = &fired;
		if (po[i].po_pfd.fd >= 0 &&
		    fd_get(po[i].po_pfd.fd, &po[i].po_file) != 0)
			po[i].po_file = NULL;
	}
	for (;;) {
		nsec_t now, left = 0;

		*ready = poll_scan(po, n, queue && !noblock);
		queue = false;
		if (*ready > 0 || noblock)
			break;
		if (deadline != 0) {
			now = clock_mono_ns();
			if (now >= deadline)
				break;
			left = deadline - now;
		}
		tsleep_interlock(&fired);
		if (atomic_load(&fired)) {
			tsleep_remove();
		} else {
			error = tsleep(&fired, PCATCH | PINTERLOCKED, "poll",
			    left);
			if (error == EWOULDBLOCK)
				error = 0;
			if (error != 0)
				break;
		}
		atomic_store(&fired, 0);
	}
	for (uint32_t i = 0; i < n; i++) {
		poll_queue_remove(&po[i].po_pw);
		if (po[i].po_file != NULL)
			file_rele(po[i].po_file);
	}
	return error == ERESTART ? EINTR : error;
}

static int
do_poll(struct syscall_args *sa, vm_offset_t ufds, uint64_t n, nsec_t deadline,
    bool noblock)
{
	struct poll_one *po;
	int error = 0, ready = 0;

	if (n > curproc()->p_rlimit[RLIMIT_NOFILE][0] || n > 1 << 20)
		return EINVAL;
	po = kmalloc((n + 1) * sizeof(*po), &M_POLL, M_WAITOK | M_ZERO);
	for (uint64_t i = 0; i < n && error == 0; i++)
		error = copyin(ufds + i * sizeof(struct pollfd), &po[i].po_pfd,
		    sizeof(struct pollfd));
	if (error == 0)
		error = poll_wait(po, (uint32_t)n, deadline, noblock, &ready);
	for (uint64_t i = 0; i < n && error == 0; i++)
		error = copyout(&po[i].po_pfd.revents, ufds +
		    i * sizeof(struct pollfd) +
		    offsetof(struct pollfd, revents), sizeof(int16_t));
	kfree(po, &M_POLL);
	sa->result = ready;
	return error;
}

int
sys_poll(struct syscall_args *sa)
{
	int32_t ms = (int32_t)sa->a[2];
	nsec_t deadline = ms > 0 ? clock_mono_ns() + (nsec_t)ms * 1000000 : 0;

	return do_poll(sa, sa->a[0], sa->a[1], deadline, ms == 0);
}

/* The timeout of ppoll and pselect6. */
static int
poll_timeout(vm_offset_t uts, nsec_t *deadline, bool *noblock)
{
	nsec_t ns;
	int error;

	*deadline = 0;
	*noblock = false;
	if (uts == 0)
		return 0;
	error = copyin_timespec(uts, &ns);
	if (error != 0)
		return error;
	*noblock = ns == 0;
	*deadline = clock_mono_ns() + ns;
	if (*deadline < ns)
		*deadline = 0;		/* for ever */
	return 0;
}

/* Put on the mask of ppoll: it lasts until the return to user mode, after the
 * handlers of signals that came meanwhile have been set up. */
static int
poll_mask(vm_offset_t uset, uint64_t setsize)
{
	uint64_t set;
	int error;

	if (uset == 0)
		return 0;
	if (setsize != sizeof(set))
		return EINVAL;
	error = copyin(uset, &set, sizeof(set));
	if (error == 0)
		sig_tempmask(set);
	return error;
}

int
sys_ppoll(struct syscall_args *sa)
{
	nsec_t deadline;
	bool noblock;
	int error;

	error = poll_timeout(sa->a[2], &deadline, &noblock);
	if (error == 0)
		error = poll_mask(sa->a[3], sa->a[4]);
	if (error != 0)
		return error;
	return do_poll(sa, sa->a[0], sa->a[1], deadline, noblock);
}

/* ---- select ---- */

enum { FDS_BITS = 64 };

static const int select_want[3] = {
	POLLIN | POLLRDNORM, POLLOUT | POLLWRNORM, POLLPRI };
static const int select_ready[3] = {
	POLLIN | POLLRDNORM | POLLHUP | POLLERR,
	POLLOUT | POLLWRNORM | POLLERR, POLLPRI };

static int
do_select(struct syscall_args *sa, nsec_t deadline, bool noblock)
{
	uint64_t nfds = sa->a[0], words, *set[3], *all;
	struct poll_one *po;
	uint32_t n = 0;
	int error = 0, ready = 0;

	if ((int64_t)nfds < 0)
		return EINVAL;
	nfds = MIN(nfds, (uint64_t)1 << 20);
	words = (nfds + FDS_BITS - 1) / FDS_BITS;
	all = kmalloc((3 * words + 1) * sizeof(*all), &M_POLL,
	    M_WAITOK | M_ZERO);
	for (int k = 0; k < 3 && error == 0; k++) {
		set[k] = all + (uint64_t)k * words;
		if (sa->a[1 + k] != 0)
			error = copyin(sa->a[1 + k], set[k],
			    words * sizeof(*all));
	}
	if (error != 0)
		goto out_sets;
	for (uint64_t i = 0; i < nfds; i++)
		n += ((set[0][i / FDS_BITS] | set[1][i / FDS_BITS] |
		    set[2][i / FDS_BITS]) >> (i % FDS_BITS)) & 1;
	po = kmalloc((n + 1) * sizeof(*po), &M_POLL, M_WAITOK | M_ZERO);
	n = 0;
	for (uint64_t i = 0; i < nfds; i++) {
		int want = 0;

		for (int k = 0; k < 3; k++)
			if (set[k][i / FDS_BITS] >> (i % FDS_BITS) & 1)
				want |= select_want[k];
		if (want == 0)
			continue;
		po[n].po_pfd.fd = (int32_t)i;
		po[n++].po_pfd.events = (int16_t)want;
	}
	error = poll_wait(po, n, deadline, noblock, &ready);
	memset(all, 0, 3 * words * sizeof(*all));
	ready = 0;
	for (uint32_t j = 0; j < n && error == 0; j++) {
		uint64_t i = (uint64_t)po[j].po_pfd.fd;

		if (po[j].po_pfd.revents & POLLNVAL)
			error = EBADF;
		for (int k = 0; k < 3; k++)
			if ((po[j].po_pfd.events & select_want[k]) &&
			    (po[j].po_pfd.revents & select_ready[k])) {
				set[k][i / FDS_BITS] |=
				    (uint64_t)1 << (i % FDS_BITS);
				ready++;
			}
	}
	for (int k = 0; k < 3 && error == 0; k++)
		if (sa->a[1 + k] != 0)
			error = copyout(set[k], sa->a[1 + k],
			    words * sizeof(*all));
	kfree(po, &M_POLL);
out_sets:
	kfree(all, &M_POLL);
	sa->result = ready;
	return error;
}

int
sys_select(struct syscall_args *sa)
{
	struct timeval tv;
	nsec_t deadline = 0;
	bool noblock = false;
	int error;

	if (sa->a[4] != 0) {
		error = copyin(sa->a[4], &tv, sizeof(tv));
		if (error != 0)
			return error;
		if (tv.tv_sec < 0 || tv.tv_usec < 0)
			return EINVAL;
		noblock = tv.tv_sec == 0 && tv.tv_usec == 0;
		if (tv.tv_sec < 1000000000)
			deadline = clock_mono_ns() +
			    (nsec_t)tv.tv_sec * NSEC_PER_SEC +
			    (nsec_t)tv.tv_usec * 1000;
	}
	return do_select(sa, deadline, noblock);
}

int
sys_pselect6(struct syscall_args *sa)
{
	struct { uint64_t set, size; } sig = { 0, 0 };
	nsec_t deadline;
	bool noblock;
	int error;

	error = poll_timeout(sa->a[4], &deadline, &noblock);
	if (error == 0 && sa->a[5] != 0)
		error = copyin(sa->a[5], &sig, sizeof(sig));
	if (error == 0)
		error = poll_mask(sig.set, sig.size);
	if (error != 0)
		return error;
	return do_select(sa, deadline, noblock);
}
