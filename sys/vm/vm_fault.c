/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page faults: from an address and a wish to a translation.
 *
 * F1  The map lock is held shared throughout, so entries stand still.
 * F2  A translation is entered while its page is busy.  An object page is
 *     entered below a private mapping only while the anonymous slot is seen
 *     empty with the object page busy; a copy is put into the slot with the
 *     object page busy too.  So the two cannot cross.
 * F3  Shared file pages become writable by a fault only: VOP_MKWRITE is asked
 *     and the page marked dirty first.  Cleaning takes the right away again
 *     (wrprotect hook), so every store after a flush is seen.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/vnode.h>
#include <sys/vop.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

enum { FAULT_CLUSTER = 16, FAULT_AROUND = 16, FAULT_AHEAD = 8 };

struct fault {
	struct vm_map	*map;
	struct vm_map_entry *e;
	vm_offset_t	 va;		/* page aligned */
	int		 prot;		/* wanted */
	void		*buf;		/* vm_map_access: copy, or NULL */
	size_t		 len;
	uint32_t	 off;
	bool		 write;
};

/* Enter m (busy) and let it go. */
static int
fault_enter(struct fault *f, struct vm_page *m, int prot)
{
	char *kva;
	int error;

	error = pmap_enter(f->map->vm_pmap, f->va, vm_page_pa(m), prot);
	if (f->buf != NULL && error == 0) {
		kva = (char *)vm_page_kva(m) + f->off;
		if (f->write)
			memcpy(kva, f->buf, f->len);
		else
			memcpy(f->buf, kva, f->len);
	}
	vm_page_unbusy(m);
	return error;
}

/* Programs leave alone what the kernel's own allocations may wait for. */
static struct vm_page *
fault_try(int flags)
{
	if (__builtin_expect(atomic_load_relaxed(&vm_pages_free) <
	    vm_pages_total / 48 + 64, 0))
		return NULL;
	return vm_page_alloc(flags | VPA_NOWAIT);
}

/*
 * A page of anonymous memory.  When memory is short the reclaimer is given a
 * fifth of a second to find some; then the largest process has to go, and what
 * it leaves is waited for.  NULL: we are to end ourselves, or nothing helped.
 */
static struct vm_page *
fault_alloc(int flags)
{
	struct vm_page *m = fault_try(flags);
	int i;

	for (i = 0; m == NULL && i < 500; i++) {
		if (i % 20 == 19 && vm_oom_hook != NULL)
			vm_oom_hook();
		if (tsleep(&vm_pages_free, PCATCH, "lowmem",
		    10 * 1000 * 1000) == ERESTART && i >= 20)
			break;
		m = fault_try(flags);
	}
	if (m != NULL) {
		m->m_refs = 1;
		vm_page_trybusy(m);
	}
	return m;
}

/* Put a private page, busied and filled, where old was, and enter it.
 * EEXIST: look again. */
static int
fault_private(struct fault *f, struct vm_page *old, struct vm_page *m)
{
	int error;

	error = vm_anon_set(&f->map->vm_anon, btop(f->va), old, m);
	if (error) {
		vm_page_unbusy(m);
		vm_page_free(m);
		return error;
	}
	return fault_enter(f, m, f->e->me_prot);
}

/*
 * Whoever fills memory from bottom to top gets the next pages with this one:
 * up to half of what he has touched in a row.
 */
static void
fault_zero_ahead(struct fault *f)
{
	struct vm_map *map = f->map;
	struct vm_page *m[FAULT_AHEAD];
	vm_paddr_t pa[FAULT_AHEAD];
	int n, i, room;

	n = (int)vm_anon_run(&map->vm_anon, btop(f->va)) / 2;
	n = MIN(n, FAULT_AHEAD);
	room = (int)MIN(btop(f->e->me_end - f->va) - 1, (uint64_t)n);
	for (i = 0; i < room; i++) {
		m[i] = vm_page_alloc(VPA_ZERO | VPA_NOWAIT);
		if (m[i] == NULL)
			break;
		m[i]->m_refs = 1;
		vm_page_trybusy(m[i]);
		pa[i] = vm_page_pa(m[i]);
	}
	room = i;
	n = vm_anon_fill(&map->vm_anon, btop(f->va) + 1, m, room);
	pmap_enter_run(map->vm_pmap, f->va + PAGE_SIZE, pa, n, f->e->me_prot);
	for (i = 0; i < room; i++) {
		vm_page_unbusy(m[i]);
		if (i >= n)
			vm_page_free(m[i]);
	}
}

static int
fault_zero(struct fault *f)
{
	struct vm_page *m = fault_alloc(VPA_ZERO);
	int error;

	if (m == NULL)
		return ENOMEM;
	error = fault_private(f, NULL, m);
	if (error == 0 && (f->e->me_flags & VME_STACK) == 0 &&
	    atomic_load_relaxed(&vm_pages_free) > 4096)
		fault_zero_ahead(f);
	return error;
}

/* The slot holds m, busied. */
static int
fault_anon(struct fault *f, struct vm_page *m)
{
	struct vm_page *copy;
	int error;

	if (atomic_load(&m->m_refs) == 1)
		return fault_enter(f, m, f->e->me_prot);
	if ((f->prot & VM_PROT_WRITE) == 0)
		return fault_enter(f, m, f->e->me_prot & ~VM_PROT_WRITE);
	copy = fault_alloc(0);
	if (copy == NULL) {
		vm_page_unbusy(m);
		return ENOMEM;
	}
	memcpy(vm_page_kva(copy), vm_page_kva(m), PAGE_SIZE);
	error = fault_private(f, m, copy);
	vm_page_unbusy(m);
	if (error == 0)
		vm_anon_page_drop(m);
	return error;
}

/* Fill the invalid page m (busy) of a file, and some after it. */
static int
fault_read(struct vm_object *obj, struct vm_page *m, vm_pindex_t limit)
{
	struct vm_page *run[FAULT_CLUSTER];
	int n = 1, i, error;

	for (run[0] = m; n < FAULT_CLUSTER && m->m_pindex + n < limit; n++) {
		run[n] = vm_object_grab(obj, m->m_pindex + n, VPA_NOWAIT);
		if (run[n] == NULL)
			break;
		if (run[n]->m_flags & VMP_VALID) {
			vm_page_unbusy(run[n]);
			break;
		}
	}
	error = vop_getpages(obj->vo_vnode, run, n);
	for (i = 1; i < n; i++) {
		if (run[i]->m_flags & VMP_VALID)
			vm_page_unbusy(run[i]);
		else
			vm_object_remove(obj, run[i]);
	}
	if (error == 0 && (m->m_flags & VMP_VALID) == 0)
		error = EIO;
	return error;
}

/*
 * The page of the entry's object at f->va, busied and valid.
 * Errors: EIO (past the end of the file, or unreadable), ENOMEM.
 */
static int
fault_object_page(struct fault *f, struct vm_page **mp)
{
	struct vm_map_entry *e = f->e;
	struct vm_object *obj = e->me_object;
	vm_pindex_t idx, limit = ~0ULL;
	struct vm_page *m;
	int error;

	idx = btop(e->me_offset + (f->va - e->me_start));
	if (obj->vo_type == OBJT_VNODE) {
		limit = btop(atomic_load(&obj->vo_vnode->v_size) + PAGE_MASK);
		if (idx >= limit)
			return EIO;
	}
	m = vm_object_grab(obj, idx, 0);
	if (m == NULL)
		return ENOMEM;
	if ((m->m_flags & VMP_VALID) == 0) {
		if (obj->vo_type == OBJT_VNODE) {
			error = fault_read(obj, m, limit);
		} else {
			memset(vm_page_kva(m), 0, PAGE_SIZE);
			vm_page_setflags(m, VMP_VALID, 0);
			vm_object_mark_dirty(obj, m);
			error = 0;
		}
		if (error) {
			vm_object_remove(obj, m);
			return error;
		}
	}
	/* Truncated while we waited?  Then nobody else will throw it out. */
	if (obj->vo_type == OBJT_VNODE &&
	    idx >= btop(atomic_load(&obj->vo_vnode->v_size) + PAGE_MASK)) {
		vm_object_remove(obj, m);
		return EIO;
	}
	if ((m->m_flags & VMP_MAPPED) == 0)
		vm_page_setflags(m, VMP_MAPPED, 0);
	*mp = m;
	return 0;
}

/*
 * Enter neighbours of va that are in memory already, read-only: programs
 * are mapped from the cache with one fault per window instead of one each.
 */
static void
fault_around(struct fault *f)
{
	struct vm_map_entry *e = f->e;
	struct vm_object *obj = e->me_object;
	struct vm_page *got[FAULT_AROUND], *m;
	vm_paddr_t pa[FAULT_AROUND] = { 0 };
	vm_offset_t start, end, va;
	bool private = (e->me_flags & VME_SHARED) == 0;
	int n, i;

	start = rounddown2(f->va, (vm_offset_t)FAULT_AROUND * PAGE_SIZE);
	end = MIN(start + FAULT_AROUND * PAGE_SIZE, e->me_end);
	start = MAX(start, e->me_start);
	for (n = 0, va = start; va < end; va += PAGE_SIZE, n++) {
		got[n] = NULL;
		pa[n] = 0;
		if (va == f->va)
			continue;
		m = vm_object_get_valid(obj,
		    btop(e->me_offset + (va - e->me_start)));
		if (m == NULL)
			continue;
		if (!vm_page_trybusy(m)) {
			vm_page_unwire(m);
			continue;
		}
		got[n] = m;
		if (m->m_object != obj || (m->m_flags & VMP_VALID) == 0 ||
		    (private && vm_anon_lookup(&f->map->vm_anon, btop(va))))
			continue;
		if ((m->m_flags & VMP_MAPPED) == 0)
			vm_page_setflags(m, VMP_MAPPED, 0);
		pa[n] = vm_page_pa(m);
	}
	pmap_enter_run(f->map->vm_pmap, start, pa, n,
	    e->me_prot & ~VM_PROT_WRITE);
	for (i = 0; i < n; i++) {
		if (got[i] == NULL)
			continue;
		vm_page_unbusy(got[i]);
		vm_page_unwire(got[i]);
	}
}

/* A private mapping of a file, and no private page yet. */
static int
fault_private_object(struct fault *f)
{
	struct vm_page *m, *copy;
	int error;

	if ((error = fault_object_page(f, &m)) != 0)
		return error;
	if (vm_anon_lookup(&f->map->vm_anon, btop(f->va)) != NULL) {
		vm_page_unbusy(m);
		return EEXIST;
	}
	if ((f->prot & VM_PROT_WRITE) == 0) {
		error = fault_enter(f, m, f->e->me_prot & ~VM_PROT_WRITE);
		if (error == 0 && f->buf == NULL)
			fault_around(f);
		return error;
	}
	copy = fault_alloc(0);
	if (copy == NULL) {
		vm_page_unbusy(m);
		return ENOMEM;
	}
	memcpy(vm_page_kva(copy), vm_page_kva(m), PAGE_SIZE);
	error = fault_private(f, NULL, copy);
	vm_page_unbusy(m);
	return error;
}

static int
fault_shared(struct fault *f)
{
	struct vm_object *obj = f->e->me_object;
	struct vm_page *m;
	int error, prot = f->e->me_prot;

	if ((error = fault_object_page(f, &m)) != 0)
		return error;
	if (obj->vo_type != OBJT_VNODE)
		return fault_enter(f, m, prot);
	if ((f->prot & VM_PROT_WRITE) == 0) {
		error = fault_enter(f, m, prot & ~VM_PROT_WRITE);
		if (error == 0 && f->buf == NULL)
			fault_around(f);
		return error;
	}
	error = vop_mkwrite(obj->vo_vnode, m);
	if (error) {
		vm_page_unbusy(m);
		return error;
	}
	vm_object_mark_dirty(obj, m);
	vn_mark_dirty(obj->vo_vnode);
	return fault_enter(f, m, prot);
}

/*
 * The stack reaches down to addr if that is within its limit and a guard
 * distance away from what lies below.  The map lock is taken exclusively.
 */
static bool
fault_grow_stack(struct vm_map *map, vm_offset_t addr)
{
	struct vm_map_entry *e, *below;
	vm_offset_t start;
	bool ok = false;

	lock_excl(&map->vm_lock);
	e = vm_map_lookup_ge(map, addr);
	if (e == NULL)
		goto out;
	ok = e->me_start <= addr;
	if (ok || (e->me_flags & VME_GROWSDOWN) == 0)
		goto out;
	start = rounddown2(addr, (vm_offset_t)PAGE_SIZE);
	if (e->me_end - start > map->vm_stacklimit ||
	    map->vm_size + (e->me_start - start) > map->vm_limit)
		goto out;
	/* A guard of 256 pages. */
	below = vm_map_lookup_ge(map, start > map->vm_min + 256 * PAGE_SIZE ?
	    start - 256 * PAGE_SIZE : map->vm_min);
	if (below != e)
		goto out;
	/* Growing down keeps the order of the tree: nothing is between. */
	map->vm_size += e->me_start - start;
	e->me_start = start;
	ok = true;
out:
	lock_release(&map->vm_lock);
	return ok;
}

/* One page.  Retries while others change what we looked at. */
static int
fault_page(struct fault *f)
{
	struct vm_map *map = f->map;
	struct vm_map_entry *e;
	struct vm_page *m;
	int error;

again:
	lock_shared(&map->vm_lock);
	e = vm_map_lookup(map, f->va);
	if (__builtin_expect(e == NULL, 0)) {
		lock_release(&map->vm_lock);
		return fault_grow_stack(map, f->va) ? EEXIST : EFAULT;
	}
	f->e = e;
	if (__builtin_expect((f->prot & e->me_prot) != f->prot, 0)) {
		lock_release(&map->vm_lock);
		return EACCES;
	}
	if (e->me_flags & VME_SHARED)
		error = e->me_object ? fault_shared(f) : EFAULT;
	else if ((m = vm_anon_busy(&map->vm_anon, btop(f->va))) != NULL)
		error = fault_anon(f, m);
	else if (e->me_object == NULL)
		error = fault_zero(f);
	else
		error = fault_private_object(f);
	lock_release(&map->vm_lock);
	if (error == EEXIST)
		goto again;
	return error;
}

int
vm_fault(struct vm_map *map, vm_offset_t addr, int prot)
{
	struct fault f = {
		.map = map, .prot = prot,
		.va = rounddown2(addr, (vm_offset_t)PAGE_SIZE),
	};
	int error;

	if (addr < map->vm_min || addr >= map->vm_max)
		return EFAULT;
	while ((error = fault_page(&f)) == EEXIST)
		;
	return error;
}

/*
 * Copy to or from an address space that need not be the current one.
 * Locks: none held.  Blocks.  EFAULT for any part that cannot be had.
 */
int
vm_map_access(struct vm_map *map, vm_offset_t addr, void *buf, size_t len,
    bool write)
{
	struct fault f = { .map = map, .write = write };
	size_t n;
	int error;

	f.prot = write ? VM_PROT_WRITE : VM_PROT_READ;
	for (; len > 0; len -= n, addr += n, buf = (char *)buf + n) {
		if (addr < map->vm_min || addr >= map->vm_max)
			return EFAULT;
		f.off = addr & PAGE_MASK;
		f.va = addr - f.off;
		f.buf = buf;
		f.len = n = MIN(len, (size_t)PAGE_SIZE - f.off);
		while ((error = fault_page(&f)) == EEXIST)
			;
		if (error)
			return EFAULT;
	}
	return 0;
}
