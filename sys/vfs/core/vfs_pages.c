/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File data in pages of the vnode's object: the one cache under read, write
 * and mapped files.
 *
 * F1  A cached read wires the valid page, copies, unwires: no lock of the
 *     vnode, no message.  It sees each page either before or after a write.
 * F2  A miss busies the pages and asks VOP_GETPAGES; a truncation waits for
 *     busy pages and removes them after it has committed the new size, so what
 *     a slow getpages brings from before never stays.
 * F3  Bytes of the last page behind the end of the file are zero whenever the
 *     file grows (a mapping may have written there).
 * F4  Pages are busied in rising order; while one is held only NOWAIT grabs.
 */
#include <sys/errno.h>
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/ucred.h>
#include <sys/uio.h>
#include <vm/vm_object.h>

#include "vfs_core.h"

enum {
	CLUSTER_MAX = 16,		/* pages of one read-ahead: 64 KB */
	CLUSTER_RANDOM = 4,
	WRITE_MAX = 1 << 20,		/* bytes in one VOP_WRITE */
};

static inline uint64_t
vn_size(const struct vnode *vp)
{
	return atomic_load_relaxed(&vp->v_size);
}

/* How many pages to bring with idx: sequential readers get more. */
static int
cluster_size(struct vnode *vp, vm_pindex_t idx)
{
	vm_pindex_t end = btop(vn_size(vp) + PAGE_MASK);
	struct vm_page *pg = NULL;
	int n = CLUSTER_RANDOM - (int)(idx % CLUSTER_RANDOM);

	if (idx > 0)
		pg = vm_object_get_valid(vp->v_object, idx - 1);
	if (pg != NULL)
		vm_page_unwire(pg);
	if (idx == 0 || pg != NULL)
		n = CLUSTER_MAX;
	if (idx + n > end)
		n = end > idx ? (int)(end - idx) : 1;
	return n;
}

/* Invalid pages of a failed read must not stay. */
static void
pages_discard(struct vm_object *vo, struct vm_page **pages, int n)
{
	while (n-- > 0)
		vm_object_remove(vo, pages[n]);
}

/* pages[0] busy and invalid: read it, and its neighbours if there are any.
 * On success all are valid and only pages[0] is still busy; on error pages[0]
 * is gone. */
static int
fill_cluster(struct vnode *vp, struct vm_page **pages, int want)
{
	struct vm_object *vo = vp->v_object;
	struct vm_page *pg;
	int n, i, error;

	for (n = 1; n < want; n++) {
		pg = vm_object_grab(vo, pages[0]->m_pindex + n, VPA_NOWAIT);
		if (pg == NULL)
			break;
		if (vm_page_flags(pg) & VMP_VALID) {
			vm_page_unbusy(pg);
			break;
		}
		pages[n] = pg;
	}
	error = vop_getpages(vp, pages, n);
	if (error != 0 && n > 1) {
		/* The damage may be in a page that nobody asked for. */
		pages_discard(vo, pages + 1, n - 1);
		n = 1;
		error = vop_getpages(vp, pages, 1);
	}
	if (error != 0) {
		pages_discard(vo, pages, 1);
		return error;
	}
	for (i = 1; i < n; i++)
		vm_page_unbusy(pages[i]);
	return 0;
}

int
vn_page_get(struct vnode *vp, vm_pindex_t idx, struct vm_page **pgp)
{
	struct vm_page *pages[CLUSTER_MAX];
	int error;

	*pgp = vm_object_get_valid(vp->v_object, idx);
	if (*pgp != NULL)
		return 0;
	pages[0] = vm_object_grab(vp->v_object, idx, 0);
	if ((vm_page_flags(pages[0]) & VMP_VALID) == 0) {
		error = fill_cluster(vp, pages, cluster_size(vp, idx));
		if (error != 0)
			return error;
	}
	vm_page_wire(pages[0]);
	vm_page_unbusy(pages[0]);
	*pgp = pages[0];
	return 0;
}

int
vn_uio_read(struct vnode *vp, struct uio *uio)
{
	struct vm_page *pg;
	uint64_t size, before;
	size_t n, in;
	int error = 0;

	while (uio->uio_resid > 0) {
		size = vn_size(vp);
		if ((uint64_t)uio->uio_offset >= size)
			break;
		in = (size_t)(uio->uio_offset & PAGE_MASK);
		n = MIN((uint64_t)PAGE_SIZE - in, uio->uio_resid);
		n = MIN(n, size - (uint64_t)uio->uio_offset);
		error = vn_page_get(vp, btop(uio->uio_offset), &pg);
		if (error != 0)
			break;
		before = uio->uio_resid;
		error = uiomove((char *)vm_page_kva(pg) + in, n, uio);
		vm_page_unwire(pg);
		if (error != 0 || uio->uio_resid == before)
			break;
	}
	return error;
}

int
vn_read(struct vnode *vp, void *buf, size_t len, off_t off,
    struct ucred *cred, size_t *done)
{
	struct vm_page *pg;
	uint64_t size;
	size_t n, in, total = 0;
	int error = 0;

	*done = 0;
	if (off < 0)
		return EINVAL;
	if (vp->v_object == NULL)
		return vop_read(vp, buf, len, off, cred, done);
	while (total < len) {
		size = vn_size(vp);
		if ((uint64_t)off >= size)
			break;
		in = (size_t)(off & PAGE_MASK);
		n = MIN((size_t)PAGE_SIZE - in, len - total);
		n = MIN(n, size - (uint64_t)off);
		error = vn_page_get(vp, btop(off), &pg);
		if (error != 0)
			break;
		memcpy((char *)buf + total, (char *)vm_page_kva(pg) + in, n);
		vm_page_unwire(pg);
		total += n;
		off += (off_t)n;
	}
	*done = total;
	return total > 0 ? 0 : error;
}

/*
 * Pieces of at most WRITE_MAX bytes, each an operation of its own.  A short
 * write (*done > 0) is no error.
 */
int
vn_write(struct vnode *vp, const void *buf, size_t len, off_t off,
    int ioflags, struct ucred *cred, size_t *done, off_t *endoff)
{
	size_t n, piece;
	int error = 0;

	*done = 0;
	if (off < 0 || len > (size_t)INT64_MAX - (size_t)off)
		return EINVAL;
	while (*done < len && error == 0) {
		n = MIN(len - *done, (size_t)WRITE_MAX);
		error = vop_write(vp, (const char *)buf + *done, n, &off,
		    ioflags, cred, &piece);
		*done += piece;
		off += (off_t)piece;
		if (piece < n)
			break;
	}
	if (endoff != NULL)
		*endoff = off;
	return *done > 0 ? 0 : error;
}

/* Zero [from, to) of the cached page that holds them; both in one page. */
static void
zero_cached(struct vnode *vp, uint64_t from, uint64_t to)
{
	struct vm_page *pg;

	pg = vm_object_lookup_busy(vp->v_object, btop(from));
	if (pg == NULL)
		return;
	if (vm_page_flags(pg) & VMP_VALID)
		memset((char *)vm_page_kva(pg) + (from & PAGE_MASK), 0,
		    to - from);
	vm_page_unbusy(pg);
}

/* Get one page busy and ready to be overwritten in [in, in + n). */
static int
page_for_write(struct vnode *vp, vm_pindex_t idx, size_t in, size_t n,
    struct vm_page **pgp)
{
	uint64_t size = vn_size(vp);
	struct vm_page *pg;
	int error;

	pg = vm_object_grab(vp->v_object, idx, 0);
	*pgp = pg;
	if (vm_page_flags(pg) & VMP_VALID)
		return 0;
	if (ptob(idx) >= size) {
		if (in > 0)
			memset(vm_page_kva(pg), 0, in);
		if (in + n < PAGE_SIZE)
			memset((char *)vm_page_kva(pg) + in + n, 0,
			    PAGE_SIZE - in - n);
		return 0;
	}
	if (in == 0 && (n == PAGE_SIZE || ptob(idx) + n >= size)) {
		memset((char *)vm_page_kva(pg) + n, 0, PAGE_SIZE - n);
		return 0;
	}
	error = vop_getpages(vp, &pg, 1);
	if (error != 0)
		vm_object_remove(vp->v_object, pg);
	return error;
}

int
vn_pages_write(struct vnode *vp, const void *buf, size_t len, off_t off)
{
	struct vm_object *vo = vp->v_object;
	const char *src = buf;
	uint64_t size = vn_size(vp);
	struct vm_page *pg;
	size_t in, n;
	int error;

	KKASSERT(lock_held_excl(&vp->v_lock));
	if ((uint64_t)off > size && (size & PAGE_MASK) != 0)
		zero_cached(vp, size,
		    MIN(roundup2(size, (uint64_t)PAGE_SIZE), (uint64_t)off));
	while (len > 0) {
		in = (size_t)(off & PAGE_MASK);
		n = MIN((size_t)PAGE_SIZE - in, len);
		error = page_for_write(vp, btop(off), in, n, &pg);
		if (error != 0)
			return error;
		memcpy((char *)vm_page_kva(pg) + in, src, n);
		vm_page_setflags(pg, VMP_VALID | VMP_ACTIVE, 0);
		vm_object_mark_dirty(vo, pg);
		vm_page_unbusy(pg);
		src += n;
		off += (off_t)n;
		len -= n;
	}
	vn_mark_dirty(vp);
	return 0;
}

/*
 * After the new size is decided, in either direction: a file that shrinks
 * loses its pages, one that grows gets the tail of its last page zeroed.
 */
void
vn_pages_truncate(struct vnode *vp, uint64_t newsize)
{
	uint64_t size = vn_size(vp), edge = MIN(size, newsize);

	KKASSERT(lock_held_excl(&vp->v_lock));
	if (vp->v_object == NULL)
		return;
	vm_object_truncate(vp->v_object, btop(newsize + PAGE_MASK));
	if ((edge & PAGE_MASK) != 0)
		zero_cached(vp, edge, roundup2(edge, (uint64_t)PAGE_SIZE));
	if ((newsize & PAGE_MASK) != 0 && newsize != edge)
		zero_cached(vp, newsize,
		    roundup2(newsize, (uint64_t)PAGE_SIZE));
}

bool
vn_pages_dirty(struct vnode *vp)
{
	return vp->v_object != NULL &&
	    atomic_load_relaxed(&vp->v_object->vo_ndirty) != 0;
}

int
vn_pages_flush(struct vnode *vp, uint64_t start, uint64_t end,
    int (*fn)(struct vnode *, struct vm_page *, void *), void *arg)
{
	struct vm_object *vo = vp->v_object;
	vm_pindex_t idx = btop(start), last;
	struct vm_page *pg;
	int error;

	KKASSERT(lock_held_excl(&vp->v_lock));
	if (vo == NULL)
		return 0;
	last = end > UINT64_MAX - PAGE_MASK ? btop(UINT64_MAX) :
	    btop(end + PAGE_MASK);
	while ((pg = vm_object_next_dirty(vo, idx, last)) != NULL) {
		idx = pg->m_pindex;
		if ((vm_page_flags(pg) & VMP_MAPPED) &&
		    vm_object_wrprotect_hook != NULL)
			vm_object_wrprotect_hook(vo, idx, idx + 1);
		vm_object_mark_clean(vo, pg);
		vm_page_setflags(pg, VMP_WRITEBACK, 0);
		error = fn(vp, pg, arg);
		vm_page_setflags(pg, 0, VMP_WRITEBACK);
		if (error != 0)
			vm_object_mark_dirty(vo, pg);
		vm_page_unbusy(pg);
		if (error != 0)
			return error;
		idx++;
	}
	return 0;
}
