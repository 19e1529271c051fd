/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory system calls: mmap and its family. */
#include <sys/errno.h>
#include <sys/file.h>
#include <sys/param.h>
#include <sys/proc.h>
#include <sys/syscall.h>
#include <sys/systm.h>
#include <sys/vnode.h>
#include <sys/vop.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

enum {
	MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_SHARED_VALIDATE = 3,
	MAP_TYPE = 15, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20,
	MAP_GROWSDOWN = 0x100, MAP_NORESERVE = 0x4000, MAP_POPULATE = 0x8000,
	MAP_STACK = 0x20000, MAP_FIXED_NOREPLACE = 0x100000,
};
enum { MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, MREMAP_DONTUNMAP = 4 };
enum { MS_ASYNC = 1, MS_INVALIDATE = 2, MS_SYNC = 4 };

syscall_fn sys_mmap, sys_munmap, sys_mprotect, sys_brk, sys_madvise,
    sys_mremap, sys_msync, sys_mincore, sys_mlock, sys_munlock, sys_mlockall,
    sys_munlockall, sys_mlock2;

static bool
bad_range(vm_offset_t addr, uint64_t len)
{
	return (addr & PAGE_MASK) || len > VM_USER_MAX ||
	    addr > VM_USER_MAX - len;
}

/* What is to be mapped for a descriptor, with a reference. */
static int
mmap_file(int fd, uint64_t off, uint64_t len, int prot, int flags,
    struct vm_object **obj, uint64_t *objoff, int *maxprot)
{
	struct file *fp;
	int error, acc;

	if ((error = fd_get(fd, &fp)) != 0)
		return error;
	acc = fp->f_flags & O_ACCMODE;
	*maxprot = 7;
	if (fp->f_ops->fo_mmap == NULL)
		error = ENODEV;
	else if (acc == O_WRONLY)
		error = EACCES;
	else if ((flags & MAP_SHARED) && acc != O_RDWR) {
		*maxprot = VM_PROT_READ | VM_PROT_EXEC;
		if (prot & VM_PROT_WRITE)
			error = EACCES;
	}
	*obj = NULL;
	if (error == 0)
		error = fp->f_ops->fo_mmap(fp, off, len, prot, flags, obj,
		    objoff);
	file_rele(fp);
	return error;
}

static void
populate(struct vm_map *map, vm_offset_t va, uint64_t len, int prot)
{
	vm_offset_t end = va + len;

	for (; va < end; va += PAGE_SIZE)
		if (vm_fault(map, va, prot & VM_PROT_WRITE ? VM_PROT_WRITE :
		    VM_PROT_READ) != 0)
			return;
}

int
sys_mmap(struct syscall_args *sa)
{
	struct vm_map *map = curproc()->p_vm;
	vm_offset_t addr = sa->a[0];
	uint64_t len = sa->a[1], off = sa->a[5], objoff = 0;
	int prot = (int)sa->a[2] & 7, flags = (int)sa->a[3], maxprot = 7;
	int meflags = 0, error;
	struct vm_object *obj = NULL;
	bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE), shared;
	vm_offset_t junk;

	if (len == 0 || (off & PAGE_MASK) || (sa->a[2] & ~7ULL & 0xffffff))
		return EINVAL;
	if ((flags & MAP_TYPE) == 0 || (flags & MAP_TYPE) > 3)
		return EINVAL;
	shared = (flags & MAP_TYPE) != MAP_PRIVATE;
	len = roundup2(len, (uint64_t)PAGE_SIZE);
	if (len == 0 || len > VM_USER_MAX)
		return ENOMEM;
	if (off + len < off)
		return EOVERFLOW;
	if (fixed && bad_range(addr, len))
		return addr & PAGE_MASK ? EINVAL : ENOMEM;
	if (!fixed)
		addr = rounddown2(addr, (uint64_t)PAGE_SIZE);
	if (fixed && addr < VM_USER_MIN)
		return EPERM;

	if ((flags & MAP_ANONYMOUS) == 0) {
		error = mmap_file((int)sa->a[4], off, len, prot,
		    shared ? MAP_SHARED : MAP_PRIVATE, &obj, &objoff,
		    &maxprot);
		if (error)
			return error;
		if (obj == NULL)	/* zeroes: /dev/zero, private */
			objoff = 0;
	}
	if (shared && obj == NULL)
		obj = vm_object_alloc(OBJT_ANON, NULL);
	if (shared)
		meflags |= VME_SHARED;
	if (flags & MAP_NORESERVE)
		meflags |= VME_NORESERVE;
	if ((flags & MAP_GROWSDOWN) && obj == NULL)
		meflags |= VME_GROWSDOWN;
	if (flags & MAP_FIXED_NOREPLACE && !(flags & MAP_FIXED)) {
		lock_shared(&map->vm_lock);
		error = vm_map_find_space(map, len, addr, &junk);
		lock_release(&map->vm_lock);
		if (error == 0 && junk != addr)
			error = EEXIST;
		if (error) {
			if (obj != NULL)
				vm_object_rele(obj);
			return error;
		}
	}
	error = vm_map_insert(map, &addr, len, obj, objoff, prot, maxprot,
	    meflags, fixed);
	if (error)
		return error;
	if ((flags & MAP_POPULATE) && prot != 0)
		populate(map, addr, len, prot);
	sa->result = (int64_t)addr;
	return 0;
}

int
sys_munmap(struct syscall_args *sa)
{
	uint64_t len = roundup2(sa->a[1], (uint64_t)PAGE_SIZE);

	if (sa->a[1] == 0 || len == 0 || bad_range(sa->a[0], len))
		return EINVAL;
	return vm_map_remove(curproc()->p_vm, sa->a[0], sa->a[0] + len);
}

int
sys_mprotect(struct syscall_args *sa)
{
	uint64_t len = roundup2(sa->a[1], (uint64_t)PAGE_SIZE);

	if (sa->a[0] & PAGE_MASK || (sa->a[2] & ~7ULL))
		return EINVAL;
	if (sa->a[1] == 0)
		return 0;
	if (len == 0 || bad_range(sa->a[0], len))
		return ENOMEM;
	return vm_map_protect(curproc()->p_vm, sa->a[0], sa->a[0] + len,
	    (int)sa->a[2]);
}

/* Returns the break, changed or not. */
int
sys_brk(struct syscall_args *sa)
{
	struct proc *p = curproc();

	if (sa->a[0] != 0)
		(void)vm_map_brk(p->p_vm, sa->a[0],
		    p->p_rlimit[RLIMIT_DATA][0]);
	sa->result = (int64_t)p->p_vm->vm_brk;
	return 0;
}

/* ---- advice ---- */

enum {
	MADV_NORMAL = 0, MADV_RANDOM = 1, MADV_SEQUENTIAL = 2,
	MADV_WILLNEED = 3, MADV_DONTNEED = 4, MADV_FREE = 8,
	MADV_DONTFORK = 10, MADV_DOFORK = 11, MADV_HUGEPAGE = 14,
	MADV_NOHUGEPAGE = 15, MADV_DONTDUMP = 16, MADV_DODUMP = 17,
	MADV_WIPEONFORK = 18, MADV_KEEPONFORK = 19,
};

static void
entry_advise(struct vm_map *map, struct vm_map_entry *e, int how)
{
	switch (how) {
	case MADV_DONTNEED:
	case MADV_FREE:
		vm_map_discard(map, e, e->me_start, e->me_end);
		break;
	case MADV_DONTFORK:
		e->me_flags |= VME_DONTFORK;
		break;
	case MADV_DOFORK:
		e->me_flags &= ~VME_DONTFORK;
		break;
	case MADV_WIPEONFORK:
		e->me_flags |= VME_WIPEONFORK;
		break;
	case MADV_KEEPONFORK:
		e->me_flags &= ~VME_WIPEONFORK;
		break;
	}
}

int
sys_madvise(struct syscall_args *sa)
{
	struct vm_map *map = curproc()->p_vm;
	uint64_t len = roundup2(sa->a[1], (uint64_t)PAGE_SIZE);
	vm_offset_t at = sa->a[0], end = at + len;
	struct vm_map_entry *e;
	int how = (int)sa->a[2], error = 0;

	switch (how) {
	case MADV_NORMAL: case MADV_RANDOM: case MADV_SEQUENTIAL:
	case MADV_WILLNEED: case MADV_HUGEPAGE: case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP: case MADV_DODUMP:
	case MADV_DONTNEED: case MADV_FREE: case MADV_DONTFORK:
	case MADV_DOFORK: case MADV_WIPEONFORK: case MADV_KEEPONFORK:
		break;
	default:
		return EINVAL;
	}
	if ((at & PAGE_MASK) || bad_range(at, len))
		return EINVAL;
	if (len == 0)
		return 0;
	lock_excl(&map->vm_lock);
	if (how >= MADV_DONTNEED) {
		vm_map_clip(map, at);
		vm_map_clip(map, end);
	}
	while (at < end) {
		e = vm_map_lookup_ge(map, at);
		if (e == NULL || e->me_start > at)
			error = ENOMEM;	/* a hole; the rest is still done */
		if (e == NULL || e->me_start >= end)
			break;
		entry_advise(map, e, how);
		at = e->me_end;
	}
	lock_release(&map->vm_lock);
	return error;
}

/* ---- moving ---- */

/*
 * Move [from, from + len) to a new place of newlen bytes.  The entries become
 * one there: the range lies within one entry.
 */
static int
mremap_move(struct vm_map *map, vm_offset_t from, uint64_t len,
    vm_offset_t to, uint64_t newlen, bool fixed, vm_offset_t *result)
{
	struct vm_map_entry *e;
	struct vm_object *obj;
	uint64_t off;
	int prot, maxprot, flags, error;

	lock_shared(&map->vm_lock);
	e = vm_map_lookup(map, from);
	if (e == NULL || e->me_end < from + len) {
		lock_release(&map->vm_lock);
		return EFAULT;
	}
	if ((obj = e->me_object) != NULL)
		vm_object_ref(obj);
	off = e->me_offset + (from - e->me_start);
	prot = e->me_prot;
	maxprot = e->me_maxprot;
	flags = e->me_flags & ~(VME_GROWSDOWN | VME_STACK | VME_HEAP);
	lock_release(&map->vm_lock);

	error = vm_map_insert(map, &to, newlen, obj, obj ? off : 0, prot,
	    maxprot, flags, fixed);
	if (error)
		return error;
	lock_excl(&map->vm_lock);
	pmap_remove(map->vm_pmap, from, from + len);
	error = vm_anon_move(&map->vm_anon, btop(from), btop(to), btop(len));
	lock_release(&map->vm_lock);
	if (error)
		return error;
	*result = to;
	return vm_map_remove(map, from, from + len);
}

int
sys_mremap(struct syscall_args *sa)
{
	struct vm_map *map = curproc()->p_vm;
	vm_offset_t from = sa->a[0], to = sa->a[4], at;
	uint64_t len = roundup2(sa->a[1], (uint64_t)PAGE_SIZE);
	uint64_t newlen = roundup2(sa->a[2], (uint64_t)PAGE_SIZE);
	uint64_t flags = sa->a[3];
	struct vm_map_entry *e;
	int error;

	if ((flags & ~3ULL) || newlen == 0 || len == 0 ||
	    bad_range(from, len) || newlen > VM_USER_MAX ||
	    ((flags & MREMAP_FIXED) && (!(flags & MREMAP_MAYMOVE) ||
	    bad_range(to, newlen) || to < VM_USER_MIN ||
	    (to < from + len && from < to + newlen))))
		return EINVAL;
	if (flags & MREMAP_FIXED) {
		if (newlen < len) {
			error = vm_map_remove(map, from + newlen, from + len);
			if (error)
				return error;
			len = newlen;
		}
		error = mremap_move(map, from, len, to, newlen, true, &at);
		sa->result = (int64_t)at;
		return error;
	}
	if (newlen <= len) {
		sa->result = (int64_t)from;
		return newlen == len ? 0 :
		    vm_map_remove(map, from + newlen, from + len);
	}
	lock_excl(&map->vm_lock);
	e = vm_map_lookup(map, from);
	if (e == NULL || e->me_end < from + len) {
		lock_release(&map->vm_lock);
		return EFAULT;
	}
	if (e->me_end == from + len && from + newlen <= map->vm_max &&
	    map->vm_size + (newlen - len) <= map->vm_limit &&
	    vm_map_find_space(map, newlen - len, e->me_end, &at) == 0 &&
	    at == e->me_end) {
		if (e->me_object != NULL)
			spin_lock(&e->me_object->vo_spin);
		e->me_end += newlen - len;
		if (e->me_object != NULL)
			spin_unlock(&e->me_object->vo_spin);
		map->vm_size += newlen - len;
		lock_release(&map->vm_lock);
		sa->result = (int64_t)from;
		return 0;
	}
	lock_release(&map->vm_lock);
	if ((flags & MREMAP_MAYMOVE) == 0)
		return ENOMEM;
	error = mremap_move(map, from, len, 0, newlen, false, &at);
	sa->result = (int64_t)at;
	return error;
}

/* ---- writing back ---- */

/* Shared file mappings of the range become durable. */
int
sys_msync(struct syscall_args *sa)
{
	struct vm_map *map = curproc()->p_vm;
	uint64_t len = roundup2(sa->a[1], (uint64_t)PAGE_SIZE);
	vm_offset_t at = sa->a[0], end = at + len;
	struct vm_map_entry *e;
	struct vm_object *obj;
	int flags = (int)sa->a[2], error = 0, hole = 0;

	if ((at & PAGE_MASK) || (flags & ~7) ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return EINVAL;
	if (bad_range(at, len))
		return ENOMEM;
	while (at < end && error == 0) {
		lock_shared(&map->vm_lock);
		e = vm_map_lookup_ge(map, at);
		if (e == NULL || e->me_start > at)
			hole = ENOMEM;
		if (e == NULL || e->me_start >= end) {
			lock_release(&map->vm_lock);
			break;
		}
		at = e->me_end;
		obj = e->me_flags & VME_SHARED ? e->me_object : NULL;
		if (obj != NULL && obj->vo_type != OBJT_VNODE)
			obj = NULL;
		if (obj != NULL)
			vm_object_ref(obj);
		lock_release(&map->vm_lock);
		if (obj == NULL)
			continue;
		if (flags & MS_SYNC)
			error = vop_fsync(obj->vo_vnode, true, true,
			    curcred());
		vm_object_rele(obj);
	}
	return error ? error : hole;
}

int
sys_mincore(struct syscall_args *sa)
{
	struct vm_map *map = curproc()->p_vm;
	uint64_t len = roundup2(sa->a[1], (uint64_t)PAGE_SIZE), n, i;
	vm_offset_t at = sa->a[0];
	uint8_t vec[256];
	vm_paddr_t pa;
	int error, prot;

	if (at & PAGE_MASK)
		return EINVAL;
	if (bad_range(at, len))
		return ENOMEM;
	for (; len > 0; len -= n * PAGE_SIZE, sa->a[2] += n) {
		n = MIN(btop(len), sizeof(vec));
		lock_shared(&map->vm_lock);
		for (i = 0; i < n; i++, at += PAGE_SIZE) {
			if (vm_map_lookup(map, at) == NULL) {
				lock_release(&map->vm_lock);
				return ENOMEM;
			}
			vec[i] = pmap_extract(map->vm_pmap, at, &pa, &prot) ||
			    vm_anon_lookup(&map->vm_anon, btop(at)) != NULL;
		}
		lock_release(&map->vm_lock);
		if ((error = copyout(vec, sa->a[2], n)) != 0)
			return error;
	}
	return 0;
}

/* Nothing is ever paged out to a disk, so what is touched stays. */
int
sys_mlock(struct syscall_args *sa)
{
	vm_offset_t at = rounddown2(sa->a[0], (uint64_t)PAGE_SIZE);
	uint64_t len = roundup2(sa->a[0] + sa->a[1] - at, (uint64_t)PAGE_SIZE);

	if (bad_range(at, len))
		return ENOMEM;
	for (; len > 0; len -= PAGE_SIZE, at += PAGE_SIZE)
		if (vm_fault(curproc()->p_vm, at, VM_PROT_READ) != 0)
			return ENOMEM;
	return 0;
}

int
sys_mlock2(struct syscall_args *sa)
{
	if (sa->a[2] & ~1ULL)
		return EINVAL;
	return sa->a[2] ? 0 : sys_mlock(sa);
}

int
sys_munlock(struct syscall_args *sa __unused)
{
	return 0;
}

int
sys_mlockall(struct syscall_args *sa)
{
	return sa->a[0] & ~7ULL || sa->a[0] == 0 ? EINVAL : 0;
}

int
sys_munlockall(struct syscall_args *sa __unused)
{
	return 0;
}
