/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Version points: what is dirty in a file becomes media and history.
 *
 *   gather   outside any transaction: dirty pages, wired, cleaned, write
 *            protected, grouped by block
 *   write    one transaction: for each block end the old records and insert
 *            the new one; roll the inode with size and times
 *   settle   unwire; after an error the pages are dirty again
 *
 * P1  A version point is an operation of its own; v_lock is held exclusively
 *     from gather to settle, so only stores by mapping can come between: they
 *     make the page dirty again and belong to the next one.
 * P2  One transaction takes at most MAX_BLOCKS blocks.  More is several
 *     version points in order of offset; a file that grows has, at each of
 *     them, the size up to which its data is there.
 * P3  A block is written from its pages if all of them (up to the end of the
 *     file) are dirty or at least cached.  Otherwise the bytes of the records
 *     that it replaces are kept around the dirty ones.
 * P4  What was only appended, and does not fill its block, becomes a record of
 *     its own behind the ones that are there; filling the block makes them one
 *     again.  So a short append and fsync writes little, and its history is
 *     little.
 */
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <vm/vm_object.h>

#include "hammer_data.h"

enum {
	BLOCK_PAGES = HAMMER_XBUFSIZE / PAGE_SIZE,
	MAX_BLOCKS = 150,
	FEW_BLOCKS = 4,			/* fit in the stack and in SMALL */
	SOME_BLOCKS = 19,		/* fit in DATA */
	MAX_RANGES = 4,			/* effects for mapped stores */
};

struct vblock {
	uint64_t	 vb_off;	/* where the block begins */
	uint32_t	 vb_len;	/* its whole size */
	uint32_t	 vb_npages;	/* wired ones */
	uint32_t	 vb_dirty;	/* bit by place: was dirty */
	struct vm_page	*vb_pages[BLOCK_PAGES];	/* by place, wired, or NULL */
};

struct vset {
	struct vblock	*vs_blocks;
	int		 vs_count, vs_max;
	uint64_t	 vs_stop;	/* file offset after the last page */
	bool		 vs_mapped;	/* some may hold mapped stores */
};

static uint64_t
block_start(uint64_t off)
{
	return rounddown2(off, (uint64_t)hammer_file_blocksize(off));
}

static int
gather_page(struct vnode *vp, struct vm_page *pg, void *arg)
{
	struct vset *vs = arg;
	uint64_t off = ptob(pg->m_pindex), size = vp->v_size;
	struct vblock *vb = NULL;

	if (off >= size)
		return 0;		/* cut off meanwhile: not data */
	if (off + PAGE_SIZE > size) {	/* stored behind the end by mapping */
		uint64_t end = roundup2(size, (uint64_t)16);

		memset((char *)vm_page_kva(pg) + (size - off), 0, end - size);
	}
	if (vs->vs_count > 0)
		vb = &vs->vs_blocks[vs->vs_count - 1];
	if (vb == NULL || off >= vb->vb_off + vb->vb_len) {
		if (vs->vs_count == vs->vs_max)
			return EAGAIN;
		vb = &vs->vs_blocks[vs->vs_count++];
		memset(vb, 0, sizeof(*vb));
		vb->vb_off = block_start(off);
		vb->vb_len = hammer_file_blocksize(off);
	}
	vm_page_wire(pg);
	vb->vb_pages[btop(off - vb->vb_off)] = pg;
	vb->vb_dirty |= 1u << btop(off - vb->vb_off);
	vb->vb_npages++;
	vs->vs_stop = off + PAGE_SIZE;
	if (pg->m_flags & VMP_MAPPED)
		vs->vs_mapped = true;
	return 0;
}

static void
settle_pages(struct vnode *vp, struct vset *vs, bool failed)
{
	struct vblock *vb;
	struct vm_page *pg;
	uint32_t i;

	for (vb = vs->vs_blocks; vb < vs->vs_blocks + vs->vs_count; vb++) {
		for (i = 0; i < btop(vb->vb_len); i++) {
			if (vb->vb_pages[i] == NULL)
				continue;
			if (failed && (vb->vb_dirty >> i & 1)) {
				pg = vm_object_lookup_busy(vp->v_object,
				    vb->vb_pages[i]->m_pindex);
				if (pg != NULL) {
					vm_object_mark_dirty(vp->v_object, pg);
					vm_page_unbusy(pg);
				}
			}
			vm_page_unwire(vb->vb_pages[i]);
		}
	}
}

/* P3: the clean pages of the blocks that are cached, wired as well. */
static void
gather_clean(struct vnode *vp, struct vset *vs)
{
	struct vblock *vb;
	uint64_t end, off;
	uint32_t i;

	for (vb = vs->vs_blocks; vb < vs->vs_blocks + vs->vs_count; vb++) {
		end = MIN(vb->vb_off + vb->vb_len, vp->v_size);
		for (i = 0, off = vb->vb_off; off < end;
		    i++, off += PAGE_SIZE) {
			if (vb->vb_pages[i] != NULL)
				continue;
			vb->vb_pages[i] = vm_object_get_valid(vp->v_object,
			    btop(off));
			if (vb->vb_pages[i] == NULL)
				break;	/* not covered: no use going on */
			vb->vb_npages++;
		}
	}
}

/* Do the pages cover [vb_off, end)? */
static bool
block_covered(const struct vblock *vb, uint64_t end)
{
	return (uint64_t)vb->vb_npages >= btop(end - vb->vb_off + PAGE_MASK);
}

/* All of the block from its pages. */
static int
block_from_pages(struct hammer_trans *tr, struct hammer_inode *ip,
    const struct vblock *vb, uint32_t len)
{
	struct hammer_seg segs[BLOCK_PAGES];
	struct hammer_leaf_elm leaf;
	uint32_t i, left = len;

	for (i = 0; left > 0; i++) {
		segs[i].hs_data = vm_page_kva(vb->vb_pages[i]);
		segs[i].hs_len = MIN(left, (uint32_t)PAGE_SIZE);
		left -= segs[i].hs_len;
	}
	hammer_data_leaf(&leaf, ip, vb->vb_off + len);
	if (i == 1)
		return hammer_record_insert(tr, &leaf, segs[0].hs_data, len);
	return hammer_record_insert_bulk(tr, &leaf, segs, (int)i);
}

/* Zero what of the page at `at` is outside the old bytes [lo, hi). */
static void
zero_gap(char *page, uint64_t at, uint64_t lo, uint64_t hi)
{
	uint64_t a = MAX(at, lo), b = MIN(at + PAGE_SIZE, hi);

	if (a >= b) {
		memset(page, 0, PAGE_SIZE);
		return;
	}
	memset(page, 0, a - at);
	memset(page + (b - at), 0, at + PAGE_SIZE - b);
}

/*
 * P4: the only block, appended to since the last version point, not full.
 * Returns where the new bytes begin, or 0.
 */
static uint64_t
append_start(const struct hammer_inode *ip, const struct vset *vs,
    uint64_t filesize)
{
	const struct vblock *vb = vs->vs_blocks;

	if (vs->vs_count != 1 || vs->vs_mapped ||
	    !(ip->hi_flags & HIF_DIRTY) || ip->hi_lowdirty < ip->hi_recsize ||
	    ip->hi_recsize <= vb->vb_off || ip->hi_recsize >= filesize ||
	    filesize >= vb->vb_off + vb->vb_len ||
	    !block_covered(vb, filesize))
		return 0;
	return ip->hi_recsize;
}

static int
block_append(struct hammer_trans *tr, struct hammer_inode *ip,
    const struct vblock *vb, uint64_t from, uint64_t filesize)
{
	struct hammer_seg segs[BLOCK_PAGES];
	struct hammer_leaf_elm leaf;
	uint64_t at, n;
	int error, i = 0;

	/* The rounding of the last record, and what a crash left (D2). */
	error = hammer_data_clear(tr, ip, from, vb->vb_off + vb->vb_len, NULL,
	    &at, &n);
	if (error)
		return error;
	for (at = from; at < filesize; at += n) {
		n = MIN(PAGE_SIZE - (at & PAGE_MASK), filesize - at);
		segs[i].hs_data = (char *)vm_page_kva(
		    vb->vb_pages[btop(at - vb->vb_off)]) + (at & PAGE_MASK);
		segs[i++].hs_len = (uint32_t)n;
	}
	hammer_data_leaf(&leaf, ip, filesize);
	return hammer_record_insert_bulk(tr, &leaf, segs, i);
}

/*
 * P3 for one block.  filesize: where the file ends (rounded up to 16, D2).
 * tmp: room for a block to put things together in.
 */
static int
block_write(struct hammer_trans *tr, struct hammer_inode *ip,
    const struct vblock *vb, uint64_t filesize, char *tmp)
{
	uint64_t bend = vb->vb_off + vb->vb_len, end, lo, hi, at, olo, ohi;
	bool covered;
	uint32_t i;
	int error;

	end = MIN(bend, roundup2(filesize, (uint64_t)16));
	covered = block_covered(vb, end);
	olo = bend;
	ohi = vb->vb_off;
	error = hammer_data_clear(tr, ip, vb->vb_off, bend,
	    covered ? NULL : tmp, &olo, &ohi);
	if (error)
		return error;
	if (covered)
		return block_from_pages(tr, ip, vb,
		    (uint32_t)(end - vb->vb_off));
	lo = olo;
	hi = ohi;
	for (i = 0; i < btop(vb->vb_len); i++) {
		if (!(vb->vb_dirty >> i & 1))
			continue;
		lo = MIN(lo, vb->vb_off + ptob(i));
		hi = MAX(hi, vb->vb_off + ptob(i) + PAGE_SIZE);
	}
	hi = MIN(hi, end);
	if (lo >= hi)
		return 0;
	for (at = rounddown2(lo, (uint64_t)PAGE_SIZE); at < hi;
	    at += PAGE_SIZE) {
		i = (uint32_t)btop(at - vb->vb_off);
		if (vb->vb_dirty >> i & 1)
			memcpy(tmp + ptob(i), vm_page_kva(vb->vb_pages[i]),
			    PAGE_SIZE);
		else
			zero_gap(tmp + ptob(i), at, olo, ohi);
	}
	return hammer_data_insert(tr, ip, lo, tmp + (lo - vb->vb_off),
	    (uint32_t)(hi - lo));
}

/* Mapped stores are made known here (contract, 7): a few hulls of them. */
static void
mapped_effects(struct vop_effects *eff, struct vnode *vp,
    const struct vset *vs)
{
	const struct vblock *vb;
	struct vop_effect *e = NULL;
	uint64_t off;
	uint32_t i;

	for (vb = vs->vs_blocks; vb < vs->vs_blocks + vs->vs_count; vb++) {
		for (i = 0; i < btop(vb->vb_len); i++) {
			if (vb->vb_pages[i] == NULL ||
			    !(vb->vb_dirty >> i & 1) ||
			    !(vb->vb_pages[i]->m_flags & VMP_MAPPED))
				continue;
			off = vb->vb_off + ptob(i);
			if (e == NULL || (eff->n < MAX_RANGES &&
			    off != (uint64_t)e->ve_off + e->ve_len)) {
				e = hammer_effect(eff, EFF_DATA, vp);
				e->ve_off = (off_t)off;
			}
			e->ve_len = MIN(off + PAGE_SIZE, vp->v_size) -
			    (uint64_t)e->ve_off;
		}
	}
}

static int
credit_for(int blocks)
{
	if (blocks <= FEW_BLOCKS)
		return HAMMER_CREDIT_SMALL;
	return blocks <= SOME_BLOCKS ? HAMMER_CREDIT_DATA :
	    HAMMER_CREDIT_LARGE;
}

/* The write step.  last: nothing else is dirty. */
static int
version_write(struct vnode *vp, struct vset *vs, bool last, char *tmp)
{
	struct hammer_inode *ip = hammer_ip(vp);
	struct hammer_fs *fs = ip->hi_fs;
	struct hammer_inode_data nd = ip->hi_data;
	struct vop_effects eff = { .n = 0 };
	uint64_t size = nd.size, from;
	struct hammer_trans tr;
	struct vop_msg msg;
	bool more = false;
	int i, error;

	if (!last && size > ip->hi_recsize)		/* P2 */
		size = MAX(ip->hi_recsize, MIN(size, vs->vs_stop));
	vop_internal_init(&msg, fs->hf_mp, VOP_FSYNC, vp);
	error = hammer_trans_begin(fs->hf_hmp, &tr, credit_for(vs->vs_count));
	if (error)
		return error;
	tr.tid = vop_number(&msg);
	if ((ip->hi_flags & HIF_DIRTY) == 0)	/* by mapping only */
		nd.mtime = nd.ctime = msg.vm_wall / 1000;
	if (size > ip->hi_recsize && (vs->vs_count == 0 ||
	    vs->vs_blocks[0].vb_off > ip->hi_recsize))	/* D2 */
		error = hammer_data_delete(&tr, ip,
		    roundup2(ip->hi_recsize, (uint64_t)16), 4, &more);
	if (more)
		error = EAGAIN;
	from = append_start(ip, vs, size);
	if (from != 0 && error == 0)
		error = block_append(&tr, ip, vs->vs_blocks, from, size);
	for (i = 0; i < vs->vs_count && error == 0 && from == 0; i++)
		error = block_write(&tr, ip, &vs->vs_blocks[i],
		    MAX(size, ip->hi_recsize), tmp);
	if (error == 0) {
		struct hammer_inode_data rec = nd;

		rec.size = size;
		error = hammer_inode_roll(&tr, ip, &rec);
	}
	if (error) {
		hammer_trans_abort(&tr);
		return error;
	}
	if (vs->vs_mapped)
		mapped_effects(&eff, vp, vs);
	if (nd.mtime != ip->hi_data.mtime)
		hammer_effect_attr(&eff, vp, &nd, VA_MTIME | VA_CTIME);
	atomic_store_relaxed(&ip->hi_recsize, size);
	hammer_iset(ip, &nd);
	vop_commit(&msg, &eff);
	hammer_trans_end(&tr);
	return 0;
}

/* Records behind the end that a crash left (D2), in pieces. */
static int
clear_stale(struct hammer_inode *ip)
{
	struct hammer_fs *fs = ip->hi_fs;
	struct hammer_trans tr;
	struct vop_msg msg;
	bool more;
	int error;

	do {
		vop_internal_init(&msg, fs->hf_mp, VOP_FSYNC, ip->hi_vp);
		error = hammer_trans_begin(fs->hf_hmp, &tr,
		    HAMMER_CREDIT_LARGE | HAMMER_CREDIT_FREE);
		if (error)
			return error;
		tr.tid = vop_number(&msg);
		error = hammer_data_delete(&tr, ip,
		    roundup2(ip->hi_recsize, (uint64_t)16), 400, &more);
		if (error) {
			hammer_trans_abort(&tr);
			return error;
		}
		vop_commit(&msg, &(struct vop_effects){ .n = 0 });
		hammer_trans_end(&tr);
	} while (more);
	return 0;
}

static void
uncharge(struct hammer_inode *ip)
{
	__atomic_fetch_sub(&ip->hi_fs->hf_dirtybytes,
	    (int64_t)ip->hi_dirtybytes, __ATOMIC_RELAXED);
	ip->hi_dirtybytes = 0;
}

static bool
needs_tmp(const struct vset *vs, uint64_t size)
{
	const struct vblock *vb;

	for (vb = vs->vs_blocks; vb < vs->vs_blocks + vs->vs_count; vb++)
		if (!block_covered(vb, MIN(vb->vb_off + vb->vb_len, size)))
			return true;
	return false;
}

/* One piece (P2).  *again: more is dirty. */
static int
version_piece(struct vnode *vp, bool *again)
{
	struct vblock few[FEW_BLOCKS];
	struct vset vs = { .vs_blocks = few, .vs_max = FEW_BLOCKS };
	struct hammer_inode *ip = hammer_ip(vp);
	char *tmp = NULL;
	int error;

	if (vp->v_object->vo_ndirty > FEW_BLOCKS) {
		vs.vs_max = (int)MIN(vp->v_object->vo_ndirty,
		    (uint64_t)MAX_BLOCKS);
		vs.vs_blocks = kmalloc((size_t)vs.vs_max *
		    sizeof(struct vblock), &M_TEMP, M_WAITOK);
	}
	*again = vn_pages_flush(vp, 0, UINT64_MAX, gather_page, &vs) == EAGAIN;
	gather_clean(vp, &vs);
	error = 0;
	if (vs.vs_count > 0 || (ip->hi_flags & HIF_DIRTY)) {
		if (needs_tmp(&vs, vp->v_size))
			tmp = kmalloc(HAMMER_XBUFSIZE, &M_TEMP, M_WAITOK);
		error = version_write(vp, &vs, !*again, tmp);
		if (error == EAGAIN) {
			error = clear_stale(ip);
			if (error == 0)
				error = version_write(vp, &vs, !*again, tmp);
		}
		kfree(tmp, &M_TEMP);
	}
	settle_pages(vp, &vs, error != 0);
	if (vs.vs_blocks != few)
		kfree(vs.vs_blocks, &M_TEMP);
	return error;
}

int
hammer_version_point(struct vnode *vp, bool wait)
{
	struct hammer_inode *ip = hammer_ip(vp);
	bool again = true;
	int error = 0;

	KKASSERT(lock_held_excl(&vp->v_lock));
	if (vp->v_type == VREG && !hammer_is_asof(ip) &&
	    !(ip->hi_flags & HIF_GONE) &&
	    ((ip->hi_flags & HIF_DIRTY) || vn_pages_dirty(vp))) {
		hammer_throttle(ip->hi_fs->hf_hmp);
		vn_mark_clean(vp);
		while (again && error == 0)
			error = version_piece(vp, &again);
		if (error) {
			vn_mark_dirty(vp);
			return error;
		}
		ip->hi_flags &= ~(uint32_t)HIF_DIRTY;
		uncharge(ip);
	} else {
		vn_mark_clean(vp);
	}
	if (wait)
		error = hammer_group_wait(ip->hi_fs->hf_hmp,
		    atomic_load(&ip->hi_lasttid));
	return error;
}

/* The mount is going away and this cannot be written: say so, let it go. */
static int
discard_page(struct vnode *vp __unused, struct vm_page *pg __unused,
    void *arg __unused)
{
	return 0;
}

static void
discard_dirty(struct vnode *vp, int error)
{
	struct hammer_inode *ip = hammer_ip(vp);

	kprintf("hammer: %s: inode %llx: what was not written is lost, "
	    "error %d\n", vp->v_mount->mnt_from,
	    (unsigned long long)ip->hi_obj_id, error);
	vn_pages_flush(vp, 0, UINT64_MAX, discard_page, NULL);
	vn_mark_clean(vp);
	ip->hi_flags &= ~(uint32_t)HIF_DIRTY;
	uncharge(ip);
}

int
hammer_fsync(struct vnode *vp, bool wait)
{
	int error;

	if (vp->v_mount->mnt_flags & MNT_RDONLY || hammer_is_asof(
	    hammer_ip(vp)))
		return 0;
	lock_excl(&vp->v_lock);
	error = hammer_version_point(vp, false);
	if (error != 0 && vp->v_mount->mnt_unmounting) {
		discard_dirty(vp, error);
		error = 0;
		wait = false;
	}
	lock_release(&vp->v_lock);
	if (error == 0 && wait && !vp->v_mount->mnt_unmounting)
		error = hammer_group_wait(hammer_ip(vp)->hi_fs->hf_hmp,
		    atomic_load(&hammer_ip(vp)->hi_lasttid));
	return error;
}

/*
 * Will bytes more of data find room at the version point?  What is dirty now
 * counts, and what trees and inodes need around it.
 */
int
hammer_space_check(struct hammer_fs *fs, uint64_t bytes)
{
	struct hammer_space hs;
	int64_t need;

	hammer_space(fs->hf_hmp, &hs);
	need = atomic_load_relaxed(&fs->hf_dirtybytes) + (int64_t)bytes;
	need += need / 16 + 65536;
	return need > 0 && (uint64_t)need > hs.hs_avail ? ENOSPC : 0;
}
