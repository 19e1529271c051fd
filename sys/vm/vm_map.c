/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces: entries, and what changes them.
 *
 * Faults are in vm_fault.c, the private pages in vm_anon.c.  The object side
 * (truncation, cleaning) comes in through the two hooks at the end: it finds
 * mappings under vo_spin, drops that lock, and then removes translations;
 * whatever was remapped in between just faults again (vm_map.h, M3).
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/param.h>
#include <sys/systm.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>

static MALLOC_DEFINE(M_VMMAP, "vm map");
static MALLOC_DEFINE(M_VMENTRY, "vm entry");

static struct vm_map_entry *
me_of(struct rb_node *n)
{
	return n ? container_of(n, struct vm_map_entry, me_node) : NULL;
}

static int
me_cmp(const struct rb_node *a, const struct rb_node *b)
{
	const struct vm_map_entry *x, *y;

	x = container_of(a, const struct vm_map_entry, me_node);
	y = container_of(b, const struct vm_map_entry, me_node);
	return x->me_start < y->me_start ? -1 : x->me_start > y->me_start;
}

static int
me_cmp_key(const void *key, const struct rb_node *n)
{
	const struct vm_map_entry *e;
	vm_offset_t va = *(const vm_offset_t *)key;

	e = container_of(n, const struct vm_map_entry, me_node);
	return va < e->me_start ? -1 : va > e->me_start;
}

struct vm_map *
vm_map_create(void)
{
	struct vm_map *map;

	map = kmalloc(sizeof(*map), &M_VMMAP, M_WAITOK | M_ZERO);
	map->vm_pmap = pmap_create();
	if (map->vm_pmap == NULL) {
		kfree(map, &M_VMMAP);
		return NULL;
	}
	lock_init(&map->vm_lock, "vmmap");
	rb_init(&map->vm_entries, me_cmp);
	vm_anon_init(&map->vm_anon);
	map->vm_refs = 1;
	map->vm_min = VM_USER_MIN;
	map->vm_max = VM_USER_MAX;
	map->vm_mmap_base = VM_USER_MAX - (1ULL << 30);
	map->vm_stack_top = VM_USER_MAX;
	map->vm_limit = map->vm_stacklimit = ~0ULL;
	return map;
}

void
vm_map_ref(struct vm_map *map)
{
	atomic_fetch_add(&map->vm_refs, 1);
}

/*
 * Unlink e from its object's list and drop what it holds.  The entry is
 * already out of the tree.  Blocks (an object may be the last user of a vnode).
 */
static void
entry_free(struct vm_map_entry *e)
{
	struct vm_object *obj = e->me_object;

	if (obj != NULL) {
		spin_lock(&obj->vo_spin);
		LIST_REMOVE(e, me_mapping);
		spin_unlock(&obj->vo_spin);
		vm_object_rele(obj);
	}
	kfree(e, &M_VMENTRY);
}

void
vm_map_rele(struct vm_map *map)
{
	struct vm_map_entry *e;
	struct rb_node *n;

	if (atomic_fetch_sub(&map->vm_refs, 1) != 1)
		return;
	/*
	 * The entries leave their objects' lists first: the hooks take a
	 * reference on the maps that they find there, and must not find a
	 * dead one.
	 */
	for (n = rb_first(&map->vm_entries); n != NULL; n = rb_next(n)) {
		e = me_of(n);
		if (e->me_object == NULL)
			continue;
		spin_lock(&e->me_object->vo_spin);
		LIST_REMOVE(e, me_mapping);
		spin_unlock(&e->me_object->vo_spin);
	}
	pmap_destroy(map->vm_pmap);
	vm_anon_free(&map->vm_anon);
	while ((e = me_of(rb_first(&map->vm_entries))) != NULL) {
		rb_remove(&map->vm_entries, &e->me_node);
		if (e->me_object != NULL)
			vm_object_rele(e->me_object);
		kfree(e, &M_VMENTRY);
	}
	kfree(map, &M_VMMAP);
}

/* The entry that holds va, or NULL.  Map lock held, either way. */
struct vm_map_entry *
vm_map_lookup(struct vm_map *map, vm_offset_t va)
{
	struct vm_map_entry *e = atomic_load_relaxed(&map->vm_hint);

	if (e != NULL && va >= e->me_start && va < e->me_end)
		return e;
	e = me_of(rb_find_le(&map->vm_entries, &va, me_cmp_key));
	if (e == NULL || va >= e->me_end)
		return NULL;
	atomic_store_relaxed(&map->vm_hint, e);
	return e;
}

/* The first entry that ends after va, or NULL. */
struct vm_map_entry *
vm_map_lookup_ge(struct vm_map *map, vm_offset_t va)
{
	struct vm_map_entry *e = vm_map_lookup(map, va);

	return e ? e : me_of(rb_find_ge(&map->vm_entries, &va, me_cmp_key));
}

static void
entry_link(struct vm_map *map, struct vm_map_entry *e)
{
	struct rb_node *old __unused;

	old = rb_insert(&map->vm_entries, &e->me_node);
	KKASSERT(old == NULL);
	if (e->me_object != NULL) {
		spin_lock(&e->me_object->vo_spin);
		LIST_INSERT_HEAD(&e->me_object->vo_mappings, e, me_mapping);
		spin_unlock(&e->me_object->vo_spin);
	}
}

/* Cut the entry that holds va in two there, if it does not begin there. */
int
vm_map_clip(struct vm_map *map, vm_offset_t va)
{
	struct vm_map_entry *e = vm_map_lookup(map, va), *tail;
	struct vm_object *obj;

	if (e == NULL || e->me_start == va)
		return 0;
	tail = kmalloc(sizeof(*tail), &M_VMENTRY, M_WAITOK);
	*tail = *e;
	tail->me_start = va;
	tail->me_offset += va - e->me_start;
	if ((obj = e->me_object) != NULL) {
		vm_object_ref(obj);
		spin_lock(&obj->vo_spin);
		e->me_end = va;
		spin_unlock(&obj->vo_spin);
	} else {
		e->me_end = va;
	}
	entry_link(map, tail);
	return 0;
}

/* Is [start, end) free? */
static bool
range_free(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *e = vm_map_lookup_ge(map, start);

	return e == NULL || e->me_start >= end;
}

/*
 * Space for len bytes: at hint if that is free, else the highest hole below
 * vm_mmap_base, else the lowest above it.
 */
int
vm_map_find_space(struct vm_map *map, uint64_t len, vm_offset_t hint,
    vm_offset_t *addr)
{
	struct vm_map_entry *e;
	vm_offset_t top, end;

	if (len == 0 || len > map->vm_max - map->vm_min)
		return ENOMEM;
	if (hint >= map->vm_min && hint <= map->vm_max - len &&
	    range_free(map, hint, hint + len)) {
		*addr = hint;
		return 0;
	}
	top = map->vm_mmap_base;
	e = me_of(rb_find_le(&map->vm_entries, &top, me_cmp_key));
	for (; top > map->vm_min; e = me_of(rb_prev(&e->me_node))) {
		end = e ? e->me_end : map->vm_min;
		if (end <= top && top - end >= len) {
			*addr = top - len;
			return 0;
		}
		if (e == NULL)
			break;
		top = e->me_start;
	}
	top = map->vm_mmap_base;
	for (e = vm_map_lookup_ge(map, top);; e = me_of(rb_next(&e->me_node))) {
		end = e ? e->me_start : map->vm_max;
		if (end >= top && end - top >= len) {
			*addr = top;
			return 0;
		}
		if (e == NULL)
			return ENOMEM;
		top = e->me_end;
	}
}

/* Unmap [start, end), clipped.  Map locked exclusively. */
static int
remove_locked(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	struct vm_map_entry *e, *next;

	if (range_free(map, start, end))
		return 0;
	vm_map_clip(map, start);
	vm_map_clip(map, end);
	atomic_store_relaxed(&map->vm_hint, NULL);
	pmap_remove(map->vm_pmap, start, end);
	vm_anon_remove(&map->vm_anon, btop(start), btop(end));
	for (e = vm_map_lookup_ge(map, start); e && e->me_start < end;
	    e = next) {
		next = me_of(rb_next(&e->me_node));
		rb_remove(&map->vm_entries, &e->me_node);
		map->vm_size -= e->me_end - e->me_start;
		atomic_store_relaxed(&map->vm_hint, NULL);
		entry_free(e);
	}
	return 0;
}

int
vm_map_remove(struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	int error;

	if (start >= end || end > map->vm_max || ((start | end) & PAGE_MASK))
		return EINVAL;
	lock_excl(&map->vm_lock);
	error = remove_locked(map, start, end);
	lock_release(&map->vm_lock);
	return error;
}

static bool
can_extend(const struct vm_map_entry *e, int prot, int maxprot, int flags)
{
	return e->me_object == NULL && e->me_prot == prot &&
	    e->me_maxprot == maxprot && e->me_flags == flags &&
	    !(flags & (VME_GROWSDOWN | VME_STACK));
}

/*
 * Locks:  none on entry.  Blocks.  The object's reference is consumed, also
 *         on error.
 * Errors: EINVAL, ENOMEM.
 */
int
vm_map_insert(struct vm_map *map, vm_offset_t *addr, uint64_t len,
    struct vm_object *obj, uint64_t offset, int prot, int maxprot, int flags,
    bool fixed)
{
	struct vm_map_entry *e, *prev;
	vm_offset_t va = *addr;
	int error = EINVAL;

	lock_excl(&map->vm_lock);
	len = roundup2(len, (uint64_t)PAGE_SIZE);
	if (len == 0 || ((va | offset) & PAGE_MASK))
		goto fail;
	error = ENOMEM;
	if (map->vm_size + len > map->vm_limit)
		goto fail;
	if (fixed) {
		if (va < map->vm_min || va > map->vm_max ||
		    len > map->vm_max - va)
			goto fail;
		if ((error = remove_locked(map, va, va + len)) != 0)
			goto fail;
	} else if ((error = vm_map_find_space(map, len, va, &va)) != 0) {
		goto fail;
	}
	*addr = va;
	map->vm_size += len;
	prev = va > 0 && obj == NULL ? vm_map_lookup(map, va - 1) : NULL;
	if (prev != NULL && can_extend(prev, prot, maxprot, flags)) {
		prev->me_end += len;
	} else {
		e = kmalloc(sizeof(*e), &M_VMENTRY, M_WAITOK | M_ZERO);
		e->me_map = map;
		e->me_start = va;
		e->me_end = va + len;
		e->me_object = obj;
		e->me_offset = offset;
		e->me_prot = prot;
		e->me_maxprot = maxprot;
		e->me_flags = flags;
		entry_link(map, e);
	}
	lock_release(&map->vm_lock);
	return 0;
fail:
	lock_release(&map->vm_lock);
	if (obj != NULL)
		vm_object_rele(obj);
	return error;
}

int
vm_map_protect(struct vm_map *map, vm_offset_t start, vm_offset_t end,
    int prot)
{
	struct vm_map_entry *e;
	vm_offset_t at;
	int error = 0;

	if (start > end || end > map->vm_max || ((start | end) & PAGE_MASK))
		return ENOMEM;
	if (start == end)
		return 0;
	lock_excl(&map->vm_lock);
	for (at = start; at < end; at = e->me_end) {	/* check */
		e = vm_map_lookup(map, at);
		if (e == NULL)
			error = ENOMEM;
		else if (prot & ~e->me_maxprot)
			error = EACCES;
		if (error)
			goto out;
	}
	vm_map_clip(map, start);			/* apply */
	vm_map_clip(map, end);
	for (at = start; at < end; at = e->me_end) {
		e = vm_map_lookup(map, at);
		if (e->me_prot & ~prot)
			pmap_protect(map->vm_pmap, e->me_start, e->me_end,
			    prot);
		e->me_prot = prot;
	}
out:
	lock_release(&map->vm_lock);
	return error;
}

void
vm_map_discard(struct vm_map *map, struct vm_map_entry *e, vm_offset_t start,
    vm_offset_t end)
{
	if (e->me_flags & VME_SHARED)
		return;
	pmap_remove(map->vm_pmap, start, end);
	vm_anon_remove(&map->vm_anon, btop(start), btop(end));
}

/* Grow or shrink the heap; vm_brk is exact, the entry in pages. */
int
vm_map_brk(struct vm_map *map, vm_offset_t newbrk, uint64_t datalimit)
{
	struct vm_map_entry *e;
	vm_offset_t oldend, newend, va;
	int error = 0;

	lock_excl(&map->vm_lock);
	if (newbrk < map->vm_brk_start || newbrk > map->vm_max ||
	    newbrk - map->vm_brk_start > datalimit) {
		lock_release(&map->vm_lock);
		return ENOMEM;
	}
	oldend = roundup2(map->vm_brk, (vm_offset_t)PAGE_SIZE);
	newend = roundup2(newbrk, (vm_offset_t)PAGE_SIZE);
	if (newend < oldend) {
		error = remove_locked(map, newend, oldend);
	} else if (newend > oldend) {
		if (!range_free(map, oldend, newend) ||
		    map->vm_size + (newend - oldend) > map->vm_limit) {
			error = ENOMEM;
		} else if ((e = vm_map_lookup(map, oldend - 1)) != NULL &&
		    can_extend(e, VM_PROT_READ | VM_PROT_WRITE, 7, VME_HEAP)) {
			e->me_end = newend;
			map->vm_size += newend - oldend;
		} else {
			lock_release(&map->vm_lock);
			va = oldend;
			error = vm_map_insert(map, &va, newend - oldend, NULL,
			    0, VM_PROT_READ | VM_PROT_WRITE, 7, VME_HEAP,
			    true);
			lock_excl(&map->vm_lock);
		}
	}
	if (error == 0)
		map->vm_brk = newbrk;
	lock_release(&map->vm_lock);
	return error;
}

/* A copy of e for another map, not linked. */
static struct vm_map_entry *
entry_copy(struct vm_map_entry *e, struct vm_map *to)
{
	struct vm_map_entry *ne;

	ne = kmalloc(sizeof(*ne), &M_VMENTRY, M_WAITOK);
	*ne = *e;
	ne->me_map = to;
	if (ne->me_object != NULL)
		vm_object_ref(ne->me_object);
	return ne;
}

/*
 * The parent's private pages become read-only in its pmap and shared by
 * count; the child gets no translations and faults them in: most children
 * exec after touching a few.
 */
struct vm_map *
vm_map_fork(struct vm_map *pm)
{
	struct vm_map *cm = vm_map_create();
	struct vm_map_entry *e;
	struct rb_node *n;

	if (cm == NULL)
		return NULL;
	lock_excl(&pm->vm_lock);
	cm->vm_brk_start = pm->vm_brk_start;
	cm->vm_brk = pm->vm_brk;
	cm->vm_mmap_base = pm->vm_mmap_base;
	cm->vm_stack_top = pm->vm_stack_top;
	cm->vm_limit = pm->vm_limit;
	cm->vm_stacklimit = pm->vm_stacklimit;
	for (n = rb_first(&pm->vm_entries); n != NULL; n = rb_next(n)) {
		e = me_of(n);
		if (e->me_flags & VME_DONTFORK)
			continue;
		cm->vm_size += e->me_end - e->me_start;
		entry_link(cm, entry_copy(e, cm));
		if (e->me_flags & (VME_SHARED | VME_WIPEONFORK))
			continue;
		if (e->me_prot & VM_PROT_WRITE)
			pmap_protect(pm->vm_pmap, e->me_start, e->me_end,
			    e->me_prot & ~VM_PROT_WRITE);
		if (vm_anon_share(&pm->vm_anon, &cm->vm_anon,
		    btop(e->me_start), btop(e->me_end)) != 0) {
			lock_release(&pm->vm_lock);
			vm_map_rele(cm);
			return NULL;
		}
	}
	lock_release(&pm->vm_lock);
	return cm;
}

/* ---- from the object side ---- */

enum { HOOK_BATCH = 16 };

/* A map with no reference is being torn down: nobody runs in it. */
static bool
map_tryref(struct vm_map *map)
{
	int32_t refs = atomic_load(&map->vm_refs);

	while (refs > 0)
		if (atomic_cmpset(&map->vm_refs, &refs, refs + 1))
			return true;
	return false;
}

/*
 * Do op on the translations of pages [start, end) in every map.  Maps are
 * collected in batches with a reference each; "skip" counts those done, so
 * mappings that come and go meanwhile may be done twice or not at all.  Not
 * at all is right for a new one: who maps now sees the object as it is, and
 * a fault in progress holds the page busy.
 */
static void
object_each_mapping(struct vm_object *obj, vm_pindex_t start, vm_pindex_t end,
    void (*op)(struct pmap *, vm_offset_t, vm_offset_t))
{
	struct { struct vm_map *map; vm_offset_t s, e; } hit[HOOK_BATCH];
	struct vm_map_entry *me;
	uint64_t first, last;
	int n, i, skip = 0, seen;

	do {
		n = seen = 0;
		spin_lock(&obj->vo_spin);
		LIST_FOREACH(me, &obj->vo_mappings, me_mapping) {
			if (seen++ < skip)
				continue;
			if (n == HOOK_BATCH)
				break;
			skip++;
			first = btop(me->me_offset);
			last = first + btop(me->me_end - me->me_start);
			if (last <= start || first >= end)
				continue;
			first = MAX(first, start);
			last = MIN(last, end);
			hit[n].map = me->me_map;
			hit[n].s = me->me_start + (ptob(first) - me->me_offset);
			hit[n].e = me->me_start + (ptob(last) - me->me_offset);
			if (map_tryref(me->me_map))
				n++;
		}
		spin_unlock(&obj->vo_spin);
		for (i = 0; i < n; i++) {
			op(hit[i].map->vm_pmap, hit[i].s, hit[i].e);
			vm_map_rele(hit[i].map);
		}
	} while (n == HOOK_BATCH);
}

static void
op_wrprotect(struct pmap *pmap, vm_offset_t s, vm_offset_t e)
{
	pmap_protect(pmap, s, e, VM_PROT_READ | VM_PROT_EXEC);
}

static void
map_unmap_hook(struct vm_object *obj, vm_pindex_t start, vm_pindex_t end)
{
	if (!LIST_EMPTY(&obj->vo_mappings))
		object_each_mapping(obj, start, end, pmap_remove);
}

static void
map_wrprotect_hook(struct vm_object *obj, vm_pindex_t start, vm_pindex_t end)
{
	if (!LIST_EMPTY(&obj->vo_mappings))
		object_each_mapping(obj, start, end, op_wrprotect);
}

void
vm_map_init(void)
{
	vm_object_unmap_hook = map_unmap_hook;
	vm_object_wrprotect_hook = map_wrprotect_hook;
}
