/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running a program: ELF images and #! scripts.
 *
 * The new address space is built completely, stack and all, beside the old
 * one; a failure up to there is an errno.  exec_commit() then swaps, and cannot
 * fail.  Segments are mapped from the page cache of the file and read when
 * they are touched.
 *
 *   stack_top -> | 16 zero bytes, path, environment, arguments, random |
 *                | auxv | envp 0 | argv 0 | argc |  <- rsp
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/exec_elf.h>
#include <sys/fdesc.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/proc.h>
#include <sys/syscall.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <sys/vnode.h>
#include <cpu/frame.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>

static MALLOC_DEFINE(M_EXEC, "exec");

enum {
	EXEC_HDR = 1024,		/* bytes looked at: header, #! line */
	EXEC_NEST = 5,			/* scripts run by scripts */
	EXEC_PAGES = 512,		/* 2 MB of strings */
	EXEC_MAXPH = 64,
};

/* Strings one after the other, each with its NUL, in pages. */
struct exec_strings {
	char		*es_page[EXEC_PAGES];
	size_t		 es_len;
	uint32_t	 es_count;
};

struct exec_file {
	struct vnode	*ef_vp;
	struct nchandle	 ef_nch;
	struct vattr	 ef_attr;
	uint8_t		 ef_hdr[EXEC_HDR];
	size_t		 ef_hdrlen;
};

struct exec {
	struct exec_file ex_file, ex_interp;
	char		*ex_path;	/* as the caller named it: AT_EXECFN */
	char		*ex_script;	/* interpreter and argument of #! */
	struct exec_strings ex_argv, ex_envp;
	struct vm_map	*ex_map;
	struct ucred	*ex_cred;	/* changed by set-id, or NULL */
	bool		 ex_secure;
	vm_offset_t	 ex_phdr, ex_base, ex_entry, ex_start;
	uint32_t	 ex_phnum;
	vm_offset_t	 ex_end;	/* of the program: the heap begins */
	vm_offset_t	 ex_sp;
	vm_offset_t	 ex_argstart, ex_argend, ex_envstart, ex_envend;
	vm_offset_t	 ex_auxv;
	size_t		 ex_auxvlen;
};

/* ---- strings ---- */

static void
strings_free(struct exec_strings *es)
{
	size_t i;

	for (i = 0; i < EXEC_PAGES && es->es_page[i] != NULL; i++)
		kfree(es->es_page[i], &M_EXEC);
}

/* Where the next byte goes, and how many fit there. */
static char *
strings_room(struct exec_strings *es, size_t *room)
{
	size_t i = es->es_len / PAGE_SIZE;

	if (i >= EXEC_PAGES)
		return NULL;
	if (es->es_page[i] == NULL)
		es->es_page[i] = kmalloc(PAGE_SIZE, &M_EXEC, M_WAITOK);
	*room = PAGE_SIZE - es->es_len % PAGE_SIZE;
	return es->es_page[i] + es->es_len % PAGE_SIZE;
}

static int
strings_add_kernel(struct exec_strings *es, const char *s)
{
	size_t left = strlen(s) + 1, room, n;
	char *to;

	for (; left > 0; left -= n, s += n) {
		if ((to = strings_room(es, &room)) == NULL)
			return E2BIG;
		n = MIN(left, room);
		memcpy(to, s, n);
		es->es_len += n;
	}
	es->es_count++;
	return 0;
}

static int
strings_add_user(struct exec_strings *es, vm_offset_t u)
{
	size_t room, n;
	char *to;
	int error;

	for (;;) {
		if ((to = strings_room(es, &room)) == NULL)
			return E2BIG;
		error = copyinstr(u, to, room, &n);
		if (error == ENAMETOOLONG) {
			es->es_len += room;
			u += room;
			continue;
		}
		if (error)
			return error;
		es->es_len += n;
		es->es_count++;
		return 0;
	}
}

/* A vector of pointers in user memory; NULL is an empty one. */
static int
strings_add_vector(struct exec_strings *es, vm_offset_t uvec, unsigned skip)
{
	uint64_t batch[32];
	size_t n, i;
	int error;

	if (uvec == 0)
		return 0;
	for (uvec += skip * 8;; uvec += n * 8) {
		/* Up to the end of a page: the vector may end there. */
		n = (PAGE_SIZE - (uvec & PAGE_MASK)) / 8;
		n = MIN(MAX(n, (size_t)1), nitems(batch));
		if ((error = copyin(uvec, batch, n * 8)) != 0)
			return error;
		for (i = 0; i < n; i++) {
			if (batch[i] == 0)
				return 0;
			if ((error = strings_add_user(es, batch[i])) != 0)
				return error;
		}
	}
}

static int
strings_put(struct vm_map *map, struct exec_strings *es, vm_offset_t va)
{
	size_t off, n;
	int error;

	for (off = 0; off < es->es_len; off += n) {
		n = MIN(es->es_len - off, (size_t)PAGE_SIZE);
		error = vm_map_access(map, va + off,
		    es->es_page[off / PAGE_SIZE], n, true);
		if (error)
			return error;
	}
	return 0;
}

/* ---- files ---- */

static bool
exec_permitted(const struct vattr *va, const struct ucred *cr)
{
	mode_t m = va->va_mode;

	if (cred_capable(cr, CAP_DAC_OVERRIDE))
		return (m & 0111) != 0;
	if (va->va_uid == cr->cr_fsuid)
		return m & 0100;
	if (cred_in_group(cr, va->va_gid))
		return m & 0010;
	return m & 0001;
}

static void
file_put(struct exec_file *ef)
{
	if (ef->ef_vp != NULL)
		vn_rele(ef->ef_vp);
	if (nc_isset(&ef->ef_nch))
		nc_drop(&ef->ef_nch);
	ef->ef_vp = NULL;
}

/* Look the path up and read the head of the file. */
static int
file_open(const char *path, struct exec_file *ef)
{
	struct ucred *cr = curcred();
	struct nlookup nl;
	int error;

	nlookup_init(&nl, NULL, NULL, cr, NLC_FOLLOW);
	error = nlookup(&nl, path);
	if (error == 0)
		error = nc_vnode(&nl.nl_nch, cr, &ef->ef_vp);
	if (error == 0)
		nc_copy(&nl.nl_nch, &ef->ef_nch);
	nlookup_done(&nl);
	if (error == 0)
		error = vn_getattr(ef->ef_vp, &ef->ef_attr, cr);
	if (error)
		return error;
	if (ef->ef_vp->v_type != VREG || ef->ef_vp->v_object == NULL ||
	    (ef->ef_nch.nch_mount->mnt_flags & MNT_NOEXEC) ||
	    !exec_permitted(&ef->ef_attr, cr))
		return EACCES;
	memset(ef->ef_hdr, 0, sizeof(ef->ef_hdr));
	return vn_read(ef->ef_vp, ef->ef_hdr, EXEC_HDR - 1, 0, cr,
	    &ef->ef_hdrlen);
}

/*
 * "#! interpreter [one argument]": the new argv is interpreter, argument,
 * path, and the old argv without its first.
 */
static int
script_parse(struct exec *ex, char **interp, char **arg)
{
	char *s = (char *)ex->ex_file.ef_hdr + 2, *nl = strchr(s, '\n'), *e;

	if (nl == NULL) {
		if (ex->ex_file.ef_hdrlen >= EXEC_HDR - 1)
			return ENOEXEC;
		nl = s + strlen(s);
	}
	*nl = '\0';
	while (*s == ' ' || *s == '\t')
		s++;
	if (*s == '\0')
		return ENOEXEC;
	kfree(ex->ex_script, &M_EXEC);
	ex->ex_script = s = kstrdup(s, &M_EXEC);
	for (e = s + strlen(s); e > s && (e[-1] == ' ' || e[-1] == '\t'); )
		*--e = '\0';
	*interp = s;
	while (*s != '\0' && *s != ' ' && *s != '\t')
		s++;
	if (*s != '\0')
		*s++ = '\0';
	while (*s == ' ' || *s == '\t')
		s++;
	*arg = *s != '\0' ? s : NULL;
	return 0;
}

/* ---- ELF ---- */

static int
elf_check(const struct exec_file *ef, const struct elf64_ehdr **ehp,
    const struct elf64_phdr **php)
{
	const struct elf64_ehdr *eh = (const void *)ef->ef_hdr;

	if (ef->ef_hdrlen < sizeof(*eh) || memcmp(eh->e_ident, "\177ELF", 4) ||
	    eh->e_ident[4] != 2 || eh->e_ident[5] != 1 ||
	    eh->e_machine != EM_X86_64 ||
	    (eh->e_type != ET_EXEC && eh->e_type != ET_DYN) ||
	    eh->e_phentsize != sizeof(**php) || eh->e_phnum == 0 ||
	    eh->e_phoff > ef->ef_hdrlen || (eh->e_phoff & 7) ||
	    eh->e_phnum * sizeof(**php) > ef->ef_hdrlen - eh->e_phoff)
		return ENOEXEC;
	*ehp = eh;
	*php = (const void *)(ef->ef_hdr + eh->e_phoff);
	return 0;
}

static int
elf_prot(uint32_t flags)
{
	return (flags & PF_R ? VM_PROT_READ : 0) |
	    (flags & PF_W ? VM_PROT_WRITE : 0) |
	    (flags & PF_X ? VM_PROT_EXEC : 0);
}

/* The span of the loadable segments, page aligned.  ENOEXEC. */
static int
elf_span(const struct elf64_phdr *ph, int n, vm_offset_t *lo, vm_offset_t *hi,
    uint64_t *align)
{
	vm_offset_t end;

	*lo = ~0ULL;
	*hi = 0;
	*align = PAGE_SIZE;
	for (; n-- > 0; ph++) {
		if (ph->p_type != PT_LOAD)
			continue;
		end = ph->p_vaddr + ph->p_memsz;
		if (ph->p_filesz > ph->p_memsz || end < ph->p_vaddr ||
		    end > VM_USER_MAX || ph->p_offset > (1ULL << 62) ||
		    ((ph->p_vaddr ^ ph->p_offset) & PAGE_MASK))
			return ENOEXEC;
		*lo = MIN(*lo, rounddown2(ph->p_vaddr, (uint64_t)PAGE_SIZE));
		*hi = MAX(*hi, roundup2(end, (uint64_t)PAGE_SIZE));
		if (ph->p_align > *align && ph->p_align <= (1 << 30) &&
		    (ph->p_align & (ph->p_align - 1)) == 0)
			*align = ph->p_align;
	}
	return *hi > *lo ? 0 : ENOEXEC;
}

static int
zero_tail(struct vm_map *map, vm_offset_t va)
{
	static const char zeroes[256];
	size_t n;
	int error;

	for (; va & PAGE_MASK; va += n) {
		n = MIN(sizeof(zeroes), PAGE_SIZE - (va & PAGE_MASK));
		error = vm_map_access(map, va, (void *)(uintptr_t)zeroes, n,
		    true);
		if (error)
			return error;
	}
	return 0;
}

static int
elf_map_segment(struct vm_map *map, struct vnode *vp,
    const struct elf64_phdr *ph, vm_offset_t bias)
{
	vm_offset_t va = bias + ph->p_vaddr, start, end, fend;
	uint64_t slack = va & PAGE_MASK;
	int prot = elf_prot(ph->p_flags), error;

	start = va - slack;
	fend = va + ph->p_filesz;
	end = roundup2(va + ph->p_memsz, (uint64_t)PAGE_SIZE);
	if (ph->p_filesz > 0) {
		vm_object_ref(vp->v_object);
		error = vm_map_insert(map, &start, ph->p_filesz + slack,
		    vp->v_object, ph->p_offset - slack, prot, 7, 0, true);
		if (error)
			return error;
		if (ph->p_memsz > ph->p_filesz && (prot & VM_PROT_WRITE) &&
		    (error = zero_tail(map, fend)) != 0)
			return error;
		start = roundup2(fend, (uint64_t)PAGE_SIZE);
	}
	if (start >= end)
		return 0;
	return vm_map_insert(map, &start, end - start, NULL, 0, prot, 7, 0,
	    true);
}

/*
 * Map all of it.  A position independent image goes to base (0: wherever
 * there is room).  *biasp: what was added to its addresses.
 */
static int
elf_map(struct exec *ex, struct exec_file *ef, vm_offset_t base,
    vm_offset_t *biasp, vm_offset_t *endp)
{
	const struct elf64_ehdr *eh;
	const struct elf64_phdr *ph;
	vm_offset_t lo, hi, at;
	uint64_t align;
	int error, i;

	if ((error = elf_check(ef, &eh, &ph)) != 0 ||
	    (error = elf_span(ph, eh->e_phnum, &lo, &hi, &align)) != 0)
		return error;
	*biasp = 0;
	if (eh->e_type == ET_DYN) {
		error = vm_map_find_space(ex->ex_map, hi - lo + align, base,
		    &at);
		if (error)
			return error;
		*biasp = roundup2(at, align) - lo;
	}
	for (i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		error = elf_map_segment(ex->ex_map, ef->ef_vp, &ph[i], *biasp);
		if (error)
			return error;
	}
	*endp = *biasp + hi;
	return 0;
}

static uint64_t
random_pages(int bits)
{
	uint64_t r;

	random_bytes(&r, sizeof(r));
	return (r & ((1ULL << bits) - 1)) << PAGE_SHIFT;
}

/* Where things lie in the new space. */
static int
exec_layout(struct exec *ex, struct proc *p)
{
	uint64_t stack = p->p_rlimit[RLIMIT_STACK][0], gap;
	struct vm_map *map;
	vm_offset_t va;

	if ((map = vm_map_create()) == NULL)
		return ENOMEM;
	ex->ex_map = map;
	map->vm_limit = p->p_rlimit[RLIMIT_AS][0];
	map->vm_stack_top = VM_USER_MAX - random_pages(20);
	map->vm_stacklimit = MAX(stack, 32ULL * PAGE_SIZE);
	gap = MIN(MAX(stack, 128ULL << 20), VM_USER_MAX / 6 * 5);
	map->vm_mmap_base = rounddown2(map->vm_stack_top - gap,
	    (uint64_t)PAGE_SIZE) - (1ULL << 20) - random_pages(26);
	va = map->vm_stack_top - 33 * PAGE_SIZE;
	return vm_map_insert(map, &va, 33 * PAGE_SIZE, NULL, 0,
	    VM_PROT_READ | VM_PROT_WRITE, 7, VME_GROWSDOWN | VME_STACK, true);
}

/* The interpreter that the image names, opened; none is fine. */
static int
elf_interp_open(struct exec *ex, const struct elf64_phdr *ph, int n)
{
	char path[256];
	size_t done;
	int error;

	for (; n-- > 0; ph++)
		if (ph->p_type == PT_INTERP)
			break;
	if (n < 0)
		return 0;
	if (ph->p_filesz < 2 || ph->p_filesz > sizeof(path))
		return ENOEXEC;
	error = vn_read(ex->ex_file.ef_vp, path, ph->p_filesz,
	    (off_t)ph->p_offset, curcred(), &done);
	if (error)
		return error;
	if (done != ph->p_filesz || path[done - 1] != '\0')
		return ENOEXEC;
	return file_open(path, &ex->ex_interp);
}

static int
elf_load(struct exec *ex)
{
	const struct elf64_ehdr *eh, *ieh;
	const struct elf64_phdr *ph, *iph;
	vm_offset_t bias, end, base;
	int error, i;

	if ((error = elf_check(&ex->ex_file, &eh, &ph)) != 0 ||
	    (error = elf_interp_open(ex, ph, eh->e_phnum)) != 0)
		return error;
	base = 0x555555554000ULL + random_pages(28);
	if ((error = elf_map(ex, &ex->ex_file, base, &bias, &end)) != 0)
		return error;
	ex->ex_end = end;
	ex->ex_entry = ex->ex_start = bias + eh->e_entry;
	ex->ex_phnum = eh->e_phnum;
	for (i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_PHDR)
			ex->ex_phdr = bias + ph[i].p_vaddr;
		else if (ph[i].p_type == PT_LOAD && ex->ex_phdr == 0 &&
		    eh->e_phoff >= ph[i].p_offset &&
		    eh->e_phoff < ph[i].p_offset + ph[i].p_filesz)
			ex->ex_phdr = bias + ph[i].p_vaddr +
			    (eh->e_phoff - ph[i].p_offset);
	}
	if (ex->ex_interp.ef_vp == NULL)
		return 0;
	if ((error = elf_check(&ex->ex_interp, &ieh, &iph)) != 0 ||
	    (error = elf_map(ex, &ex->ex_interp, 0, &bias, &end)) != 0)
		return error;
	ex->ex_base = bias;
	ex->ex_start = bias + ieh->e_entry;
	return 0;
}

/* ---- the stack ---- */

/* One word at *at, moving on. */
static int
put_word(struct vm_map *map, vm_offset_t *at, uint64_t w)
{
	int error = vm_map_access(map, *at, &w, 8, true);

	*at += 8;
	return error;
}

/* Pointers to es's strings, which lie from va on, and a NULL. */
static int
put_pointers(struct vm_map *map, vm_offset_t *at, struct exec_strings *es,
    vm_offset_t va)
{
	size_t off = 0, room, n;
	const char *s, *nul;
	uint32_t i;
	int error;

	for (i = 0; i < es->es_count; i++) {
		if ((error = put_word(map, at, va + off)) != 0)
			return error;
		do {			/* to the next string */
			s = es->es_page[off / PAGE_SIZE] + off % PAGE_SIZE;
			room = MIN(PAGE_SIZE - off % PAGE_SIZE,
			    es->es_len - off);
			nul = memchr(s, 0, room);
			n = nul ? (size_t)(nul - s) + 1 : room;
			off += n;
		} while (nul == NULL && off < es->es_len);
	}
	return put_word(map, at, 0);
}

static int
exec_stack(struct exec *ex)
{
	const struct ucred *cr = ex->ex_cred ? ex->ex_cred : curcred();
	struct vm_map *map = ex->ex_map;
	size_t pathlen = strlen(ex->ex_path) + 1, words;
	vm_offset_t va, upath, uplat, urandom;
	uint8_t random[16];
	int error;
	size_t i;

	va = map->vm_stack_top - 16 - pathlen;
	upath = va;
	ex->ex_envend = va;
	va = ex->ex_envstart = va - ex->ex_envp.es_len;
	ex->ex_argend = va;
	va = ex->ex_argstart = va - ex->ex_argv.es_len;
	va = uplat = rounddown2(va - 8, 16ULL);
	va = urandom = va - 16;
	random_bytes(random, sizeof(random));
	if (vm_map_access(map, upath, ex->ex_path, pathlen, true) != 0 ||
	    strings_put(map, &ex->ex_envp, ex->ex_envstart) != 0 ||
	    strings_put(map, &ex->ex_argv, ex->ex_argstart) != 0 ||
	    vm_map_access(map, uplat, (void *)(uintptr_t)"x86_64", 7, true) ||
	    vm_map_access(map, urandom, random, sizeof(random), true) != 0)
		return E2BIG;

	uint64_t aux[][2] = {
		{ AT_HWCAP, elf_hwcap() }, { AT_PAGESZ, PAGE_SIZE },
		{ AT_CLKTCK, 100 }, { AT_PHDR, ex->ex_phdr },
		{ AT_PHENT, sizeof(struct elf64_phdr) },
		{ AT_PHNUM, ex->ex_phnum }, { AT_BASE, ex->ex_base },
		{ AT_FLAGS, 0 }, { AT_ENTRY, ex->ex_entry },
		{ AT_UID, cr->cr_ruid }, { AT_EUID, cr->cr_uid },
		{ AT_GID, cr->cr_rgid }, { AT_EGID, cr->cr_gid },
		{ AT_SECURE, ex->ex_secure }, { AT_RANDOM, urandom },
		{ AT_MINSIGSTKSZ, md_fpu_frame_size() + 1024 },
		{ AT_EXECFN, upath }, { AT_PLATFORM, uplat }, { AT_NULL, 0 },
	};
	words = nitems(aux) * 2 + ex->ex_envp.es_count + 1 +
	    ex->ex_argv.es_count + 1 + 1;
	va = rounddown2(va - words * 8, 16ULL);
	ex->ex_sp = va;
	if ((error = put_word(map, &va, ex->ex_argv.es_count)) != 0 ||
	    (error = put_pointers(map, &va, &ex->ex_argv,
	    ex->ex_argstart)) != 0 ||
	    (error = put_pointers(map, &va, &ex->ex_envp,
	    ex->ex_envstart)) != 0)
		return E2BIG;
	ex->ex_auxv = va;
	ex->ex_auxvlen = sizeof(aux);
	for (i = 0; i < nitems(aux); i++)
		if (put_word(map, &va, aux[i][0]) != 0 ||
		    put_word(map, &va, aux[i][1]) != 0)
			return E2BIG;
	return 0;
}

/* Set-id bits of the program file; not of a script's interpreter's script. */
static void
exec_setid(struct exec *ex)
{
	const struct exec_file *ef = &ex->ex_file;
	const struct ucred *old = curcred();
	mode_t m = ef->ef_attr.va_mode;
	struct ucred *cr;

	ex->ex_secure = old->cr_uid != old->cr_ruid ||
	    old->cr_gid != old->cr_rgid;
	if (ef->ef_nch.nch_mount->mnt_flags & MNT_NOSUID)
		m &= ~(S_ISUID | S_ISGID);
	if ((m & (S_ISUID | S_ISGID)) == 0 && old->cr_svuid == old->cr_uid &&
	    old->cr_svgid == old->cr_gid)
		return;
	cr = cred_copy(old, old->cr_ngroups);
	if (m & S_ISUID)
		cr->cr_uid = ef->ef_attr.va_uid;
	if ((m & S_ISGID) && (m & 0010))
		cr->cr_gid = ef->ef_attr.va_gid;
	cr->cr_svuid = cr->cr_fsuid = cr->cr_uid;
	cr->cr_svgid = cr->cr_fsgid = cr->cr_gid;
	if (cr->cr_uid == 0)
		cr->cr_caps = CAP_ALL;
	else if (cr->cr_ruid != 0)
		cr->cr_caps = 0;
	if (cr->cr_uid != cr->cr_ruid || cr->cr_gid != cr->cr_rgid)
		ex->ex_secure = true;
	ex->ex_cred = cr;
}

/* No way back and no way to fail. */
static void
exec_commit(struct exec *ex, struct trapframe *tf)
{
	struct thread *td = curthread;
	struct lwp *lp = td->td_lwp;
	struct proc *p = lp->lwp_proc;
	struct vm_map *oldmap;
	struct vnode *oldexe;
	struct nchandle oldnch;
	struct filedesc *fd;
	struct ucred *oldcred = NULL;
	const char *name;

	futex_exit(lp);
	itimer_exec(p);
	ex->ex_map->vm_brk_start = ex->ex_map->vm_brk = ex->ex_end +
	    random_pages(13);
	if (filedesc_shared(p->p_fd)) {
		fd = filedesc_copy(p->p_fd);
		filedesc_rele(p->p_fd);
		p->p_fd = fd;
	}
	filedesc_exec(p->p_fd);
	sig_exec(p);
	name = strrchr(ex->ex_path, '/');
	name = name ? name + 1 : ex->ex_path;

	lock_excl(&p->p_lock);
	oldmap = p->p_vm;
	oldexe = p->p_exe;
	oldnch = p->p_exench;
	p->p_vm = ex->ex_map;
	p->p_exe = ex->ex_file.ef_vp;
	p->p_exench = ex->ex_file.ef_nch;
	spin_lock(&proc_spin);
	if (ex->ex_cred != NULL) {
		oldcred = p->p_cred;
		p->p_cred = ex->ex_cred;
	}
	atomic_fetch_or(&p->p_flags, PF_EXECED);
	if (ex->ex_secure)
		atomic_fetch_or(&p->p_flags, PF_SUGID);
	else
		atomic_fetch_and(&p->p_flags, ~PF_SUGID);
	spin_unlock(&proc_spin);
	kstrlcpy(p->p_comm, name, sizeof(p->p_comm));
	memcpy(lp->lwp_comm, p->p_comm, sizeof(lp->lwp_comm));
	kstrlcpy(td->td_name, name, sizeof(td->td_name));
	p->p_argstart = ex->ex_argstart;
	p->p_argend = ex->ex_argend;
	p->p_envstart = ex->ex_envstart;
	p->p_envend = ex->ex_envend;
	p->p_auxv = ex->ex_auxv;
	p->p_auxvlen = ex->ex_auxvlen;
	lock_release(&p->p_lock);

	ex->ex_map = NULL;
	ex->ex_cred = NULL;
	ex->ex_file.ef_vp = NULL;
	ex->ex_file.ef_nch = (struct nchandle){ NULL, NULL };
	pmap_activate(p->p_vm->vm_pmap);
	lp->lwp_sigstk_flags = SS_DISABLE;
	lp->lwp_sigstk_sp = lp->lwp_sigstk_size = 0;
	lp->lwp_clear_tid = lp->lwp_robust = 0;
	memset(tf, 0, sizeof(*tf));
	tf->tf_rip = ex->ex_start;
	tf->tf_rsp = ex->ex_sp;
	tf->tf_rflags = PSL_I;
	tf->tf_cs = SEL_UCODE;
	tf->tf_ss = SEL_UDATA;
	tf->tf_trapno = T_SYSCALL;
	md_set_fsbase(td, 0);
	md_set_gsbase(td, 0);
	md_fpu_init(td);
	proc_exec_vfork_done(p);
	vm_map_rele(oldmap);
	if (oldexe != NULL)
		vn_rele(oldexe);
	if (nc_isset(&oldnch))
		nc_drop(&oldnch);
	if (oldcred != NULL)
		cred_drop(oldcred);
	usched_exec();
}

static void
exec_free(struct exec *ex)
{
	strings_free(&ex->ex_argv);
	strings_free(&ex->ex_envp);
	file_put(&ex->ex_file);
	file_put(&ex->ex_interp);
	if (ex->ex_map != NULL)
		vm_map_rele(ex->ex_map);
	if (ex->ex_cred != NULL)
		cred_drop(ex->ex_cred);
	kfree(ex->ex_script, &M_EXEC);
	kfree(ex->ex_path, &M_EXEC);
	kfree(ex, &M_EXEC);
}

/*
 * Follow #! lines to an image, filling ex_argv on the way.  kargv or uargv
 * is the caller's vector.
 */
static int
exec_resolve(struct exec *ex, const char *const *kargv, vm_offset_t uargv)
{
	char *interp, *arg;
	const char *path = ex->ex_path;
	/* Words in front of the caller's arguments, last first. */
	char *front[EXEC_NEST * 2 + 1];
	int nfront = 0, depth, error;

	for (depth = 0;; depth++) {
		if ((error = file_open(path, &ex->ex_file)) != 0)
			goto out;
		if (memcmp(ex->ex_file.ef_hdr, "#!", 2) != 0)
			break;
		error = depth >= EXEC_NEST ? ELOOP :
		    script_parse(ex, &interp, &arg);
		if (error)
			goto out;
		front[nfront++] = kstrdup(path, &M_EXEC);
		if (arg != NULL)
			front[nfront++] = kstrdup(arg, &M_EXEC);
		path = interp;
		file_put(&ex->ex_file);
	}
	if (nfront > 0) {
		error = strings_add_kernel(&ex->ex_argv, path);
		while (error == 0 && nfront > 0) {
			error = strings_add_kernel(&ex->ex_argv,
			    front[--nfront]);
			kfree(front[nfront], &M_EXEC);
		}
		if (error == 0 && kargv != NULL && kargv[0] != NULL)
			kargv++;
		depth = 1;
	} else {
		depth = 0;
	}
	if (kargv != NULL) {
		for (; error == 0 && *kargv != NULL; kargv++)
			error = strings_add_kernel(&ex->ex_argv, *kargv);
	} else if (error == 0) {
		error = strings_add_vector(&ex->ex_argv, uargv, depth);
	}
out:
	while (nfront > 0)
		kfree(front[--nfront], &M_EXEC);
	return error;
}

int
proc_exec(const char *path, const char *const *kargv, vm_offset_t uargv,
    vm_offset_t uenvp, struct trapframe *tf)
{
	struct proc *p = curproc();
	struct exec *ex;
	int error;

	ex = kmalloc(sizeof(*ex), &M_EXEC, M_WAITOK | M_ZERO);
	ex->ex_path = kstrdup(path, &M_EXEC);
	if ((error = exec_resolve(ex, kargv, uargv)) != 0)
		goto out;
	if (ex->ex_argv.es_count == 0)	/* a program finds argv[0] */
		error = strings_add_kernel(&ex->ex_argv, "");
	if (error == 0 && kargv != NULL) {
		error = strings_add_kernel(&ex->ex_envp, "HOME=/");
		if (error == 0)
			error = strings_add_kernel(&ex->ex_envp,
			    "TERM=linux");
	} else if (error == 0) {
		error = strings_add_vector(&ex->ex_envp, uenvp, 0);
	}
	if (error)
		goto out;
	exec_setid(ex);
	if ((error = exec_layout(ex, p)) != 0 ||
	    (error = elf_load(ex)) != 0 || (error = exec_stack(ex)) != 0 ||
	    (error = proc_single(p)) != 0)
		goto out;
	exec_commit(ex, tf);
out:
	exec_free(ex);
	return error;
}

syscall_fn sys_execve;

int
sys_execve(struct syscall_args *sa)
{
	char *path = kmalloc(PATH_MAX, &M_EXEC, M_WAITOK);
	int error = copyinstr(sa->a[0], path, PATH_MAX, NULL);

	if (error == 0)
		error = proc_exec(path, NULL, sa->a[1], sa->a[2], sa->frame);
	kfree(path, &M_EXEC);
	return error;
}
