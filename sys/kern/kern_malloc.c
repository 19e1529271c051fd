/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel memory.  Small objects are chunks of a zone: 2^ZONE_ORDER pages that
 * belong to one CPU and hold chunks of one size.
 *
 *   zone:  | struct zone | chunk | chunk | ... never used yet |
 *                                             ^ z_frontier
 *
 * Larger ones are whole pages.  m_pindex of a page says which: a zone's
 * address, or (number of pages << 1 | 1) at the first page of a large object.
 *
 * Z1  A zone's lists are touched by its CPU only, in a critical section: the
 *     common allocation and free take no lock and send nothing.
 * Z2  Another CPU pushes the chunk on z_remote; who pushes on an empty one
 *     sends z_msg home.  The handler takes all of z_remote at once.  So at
 *     most one message per zone is under way.
 * Z3  A zone on kc_zones[] has a free chunk or frontier; a full one is on no
 *     list and comes back with its first free.  One zone without any object
 *     is kept per size, others go back to vm_page.c.
 *
 * Where the host has a checking malloc (AddressSanitizer), everything comes
 * from it instead.
 */
#include <sys/atomic.h>
#include <sys/malloc.h>
#include <sys/spinlock.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/vm_page.h>
#include <machine/malloc.h>

enum {
	ZONE_ORDER	= 3,
	ZONE_SIZE	= PAGE_SIZE << ZONE_ORDER,
	CHUNK_MAX	= 2048,		/* beyond: whole pages */
	NCLASSES	= 24,
};

struct chunk {
	struct chunk	*c_next;
};

struct zone {
	LIST_ENTRY(zone) z_list;
	struct chunk	*z_free;
	uint32_t	 z_size;	/* bytes of a chunk */
	uint32_t	 z_frontier;	/* offset of the first never used */
	uint32_t	 z_used;	/* chunks handed out */
	uint16_t	 z_class;
	uint16_t	 z_cpu;
	struct chunk	*z_remote;	/* [a] freed by other CPUs */
	struct ipi_msg	 z_msg;
};

LIST_HEAD(zone_list, zone);

struct kmem_cpu {
	struct zone_list kc_zones[NCLASSES];
	uint32_t	 kc_empty[NCLASSES];	/* zones without objects */
};

MALLOC_DEFINE(M_TEMP, "temp");

static const uint16_t class_size[NCLASSES] = {
	16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448,
	512, 640, 768, 896, 1024, 1280, 1536, 1792, 2048,
};
static uint8_t class_of[CHUNK_MAX / 16 + 1];	/* by size in 16 bytes */
static struct kmem_cpu kmem_cpus[MAXCPU];
static struct spinlock type_spin = SPINLOCK_INITIALIZER("malloctypes");
static struct malloc_type type_end = { .mt_name = "" };
static struct malloc_type *type_list = &type_end;	/* [type_spin] */

void
kmalloc_init(void)
{
	int i, c = 0;

	for (i = 1; i <= CHUNK_MAX / 16; i++) {
		while (class_size[c] < i * 16)
			c++;
		class_of[i] = (uint8_t)c;
	}
}

static void __attribute__((noinline))
type_register(struct malloc_type *mt)
{
	spin_lock(&type_spin);
	if (mt->mt_next == NULL) {
		atomic_store(&mt->mt_next, type_list);
		type_list = mt;
	}
	spin_unlock(&type_spin);
}

static inline void
type_count(struct malloc_type *mt, int64_t bytes, int64_t n)
{
	if (__builtin_expect(atomic_load_relaxed(&mt->mt_next) == NULL, 0))
		type_register(mt);
	__atomic_fetch_add(&mt->mt_bytes, bytes, __ATOMIC_RELAXED);
	__atomic_fetch_add(&mt->mt_count, n, __ATOMIC_RELAXED);
}

/* A new zone of this CPU, or NULL.  In a critical section. */
static struct zone *
zone_create(struct kmem_cpu *kc, int class)
{
	struct vm_page *m = vm_page_alloc_contig(ZONE_ORDER, VPA_NOWAIT);
	struct zone *z;
	uint32_t size = class_size[class], align;
	int i;

	if (m == NULL)
		return NULL;
	z = vm_page_kva(m);
	for (i = 0; i < 1 << ZONE_ORDER; i++)
		m[i].m_pindex = (uintptr_t)z;
	memset(z, 0, sizeof(*z));
	align = size & -size;
	z->z_size = size;
	z->z_class = (uint16_t)class;
	z->z_cpu = (uint16_t)mycpu->gd_cpuid;
	z->z_frontier = roundup2((uint32_t)sizeof(*z), align);
	LIST_INSERT_HEAD(&kc->kc_zones[class], z, z_list);
	kc->kc_empty[class]++;
	return z;
}

static void
zone_destroy(struct kmem_cpu *kc, struct zone *z)
{
	struct vm_page *m = vm_page_from_pa(kva_to_pa(z));
	int i;

	LIST_REMOVE(z, z_list);
	kc->kc_empty[z->z_class]--;
	for (i = 0; i < 1 << ZONE_ORDER; i++)
		m[i].m_pindex = 0;
	vm_page_free_contig(m, ZONE_ORDER);
}

static inline bool
zone_full(const struct zone *z)
{
	return z->z_free == NULL && z->z_frontier + z->z_size > ZONE_SIZE;
}

static void *
chunk_alloc(int class)
{
	struct kmem_cpu *kc;
	struct zone *z;
	struct chunk *c;

	crit_enter();
	kc = &kmem_cpus[mycpu->gd_cpuid];
	z = LIST_FIRST(&kc->kc_zones[class]);
	if (z == NULL && (z = zone_create(kc, class)) == NULL) {
		crit_exit();
		return NULL;
	}
	if ((c = z->z_free) != NULL)
		z->z_free = c->c_next;
	else {
		c = (struct chunk *)((char *)z + z->z_frontier);
		z->z_frontier += z->z_size;
	}
	if (z->z_used++ == 0)
		kc->kc_empty[class]--;
	if (zone_full(z))
		LIST_REMOVE(z, z_list);
	crit_exit();
	return c;
}

/* On the zone's CPU, in a critical section. */
static void
chunk_free_local(struct zone *z, struct chunk *c)
{
	struct kmem_cpu *kc = &kmem_cpus[z->z_cpu];

	if (zone_full(z))
		LIST_INSERT_HEAD(&kc->kc_zones[z->z_class], z, z_list);
	c->c_next = z->z_free;
	z->z_free = c;
	KKASSERT(z->z_used > 0);
	if (--z->z_used == 0 && kc->kc_empty[z->z_class]++ > 0)
		zone_destroy(kc, z);
}

/* Chunks that other CPUs freed have come home. */
static void
zone_remote(void *arg, void *unused __unused)
{
	struct zone *z = arg;
	struct chunk *c, *next;

	/* The last chunk may take the zone with it. */
	for (c = atomic_swap(&z->z_remote, NULL); c != NULL; c = next) {
		next = c->c_next;
		chunk_free_local(z, c);
	}
}

static void
chunk_free(struct zone *z, struct chunk *c)
{
	struct chunk *head;
	int home;

	crit_enter();
	if (z->z_cpu == mycpu->gd_cpuid) {
		chunk_free_local(z, c);
		crit_exit();
		return;
	}
	home = z->z_cpu;
	head = atomic_load_relaxed(&z->z_remote);
	do {
		c->c_next = head;
	} while (!atomic_cmpset(&z->z_remote, &head, c));
	if (head == NULL)
		lwkt_ipi_call(home, &z->z_msg, zone_remote, z, NULL);
	crit_exit();
}

static void *
pages_alloc(size_t size)
{
	uint64_t n = btop(size + PAGE_MASK);
	struct vm_page *m;
	int order = n == 1 ? 0 : 64 - __builtin_clzll(n - 1);

	m = vm_page_alloc_contig(order, VPA_NOWAIT);
	if (m == NULL)
		return NULL;
	if (n < 1ULL << order)
		vm_page_free_range(m + n, (1ULL << order) - n);
	m->m_pindex = n << 1 | 1;
	return vm_page_kva(m);
}

/* The alignment that sys/malloc.h promises. */
static size_t
host_align(size_t size)
{
	if (size >= PAGE_SIZE)
		return PAGE_SIZE;
	return size > 16 && (size & (size - 1)) == 0 ? size : 16;
}

void *
kmalloc(size_t size, struct malloc_type *mt, int flags)
{
	size_t bytes;
	void *p;

	KKASSERT(size > 0);
	for (;;) {
		if (md_hostmem()) {
			bytes = size;
			p = md_hostmem_alloc(size, host_align(size));
		} else if (size <= CHUNK_MAX) {
			int class = class_of[(size + 15) / 16];

			bytes = class_size[class];
			p = chunk_alloc(class);
		} else {
			bytes = roundup2(size, (size_t)PAGE_SIZE);
			p = pages_alloc(size);
		}
		if (p != NULL)
			break;
		if (flags & M_NOWAIT)
			return NULL;
		vm_page_wait_memory();
	}
	type_count(mt, (int64_t)bytes, 1);
	if (flags & M_ZERO)
		memset(p, 0, size);
	return p;
}

void
kfree(void *p, struct malloc_type *mt)
{
	struct vm_page *m;
	uint64_t n;
	struct zone *z;

	if (p == NULL)
		return;
	if (md_hostmem()) {
		type_count(mt, -(int64_t)md_hostmem_size(p), -1);
		md_hostmem_free(p);
		return;
	}
	m = vm_page_from_pa(kva_to_pa(p));
	KKASSERT(m != NULL && m->m_pindex != 0);
	if (m->m_pindex & 1) {
		n = m->m_pindex >> 1;
		KKASSERT(((uintptr_t)p & PAGE_MASK) == 0);
		type_count(mt, -(int64_t)ptob(n), -1);
		m->m_pindex = 0;
		if (n == 1)
			vm_page_free(m);
		else
			vm_page_free_range(m, n);
		return;
	}
	z = (struct zone *)(uintptr_t)m->m_pindex;
	type_count(mt, -(int64_t)z->z_size, -1);
	chunk_free(z, p);
}

void *
krealloc(void *p, size_t oldsize, size_t size, struct malloc_type *mt,
    int flags)
{
	void *new = kmalloc(size, mt, flags);

	if (new == NULL)
		return NULL;
	if (p != NULL) {
		memcpy(new, p, MIN(oldsize, size));
		kfree(p, mt);
	}
	return new;
}

char *
kstrdup(const char *s, struct malloc_type *mt)
{
	size_t len = strlen(s) + 1;

	return memcpy(kmalloc(len, mt, M_WAITOK), s, len);
}

void
kmalloc_foreach(void (*fn)(const struct malloc_type *, void *), void *arg)
{
	struct malloc_type *mt;

	spin_lock(&type_spin);
	mt = type_list;
	spin_unlock(&type_spin);
	for (; mt != &type_end; mt = mt->mt_next)
		fn(mt, arg);
}
