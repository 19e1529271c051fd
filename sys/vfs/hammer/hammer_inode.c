/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inodes in memory: the table, loading, and the INODE records of an object.
 *
 *   absent -> loading   [iget puts it in the table, hi_vp NULL]
 *   loading -> present  [iget: record read, vnode made]
 *   loading -> absent   [iget: ENOENT, EIO]
 *   present -> absent   [ireclaim]
 *
 * N1  While an object is not in the table nobody can change it, so what is
 *     read between "loading" and "present" is not old.
 * N2  A directory's mtime is written in place, at every change of an entry.
 *     What it was earlier is told by the TIDs of the entries themselves; so it
 *     is done only while mtime >= ctime in the record, that is, while the
 *     mtime comes from an entry or from the record's own birth.  Otherwise
 *     (utimes, chmod) the record is rolled once first.  See hammer_asof.c.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>

#include "hammer_vfs.h"

MALLOC_DEFINE(M_HAMMERFS, "hammer inode");

struct inode_key {
	int64_t		obj_id;
	uint32_t	loc;
	hammer_tid_t	asof;
};

static int
key_order(const struct inode_key *a, const struct inode_key *b)
{
	if (a->obj_id != b->obj_id)
		return a->obj_id < b->obj_id ? -1 : 1;
	if (a->loc != b->loc)
		return a->loc < b->loc ? -1 : 1;
	if (a->asof != b->asof)
		return a->asof < b->asof ? -1 : 1;
	return 0;
}

static struct inode_key
key_of(const struct hammer_inode *ip)
{
	return (struct inode_key){ ip->hi_obj_id, ip->hi_loc, ip->hi_asof };
}

static int
inode_cmp(const struct rb_node *a, const struct rb_node *b)
{
	struct inode_key ka, kb;

	ka = key_of(container_of(a, struct hammer_inode, hi_node));
	kb = key_of(container_of(b, struct hammer_inode, hi_node));
	return key_order(&ka, &kb);
}

static int
inode_cmp_key(const void *key, const struct rb_node *n)
{
	struct inode_key k;

	k = key_of(container_of(n, struct hammer_inode, hi_node));
	return key_order(key, &k);
}

static struct hammer_bucket *
bucket_of(struct hammer_fs *fs, const struct inode_key *k)
{
	uint64_t h = (uint64_t)k->obj_id ^ k->loc ^ k->asof * 3;

	h *= 0x9e3779b97f4a7c15ULL;
	return &fs->hf_bucket[(h >> 40) % HAMMER_BUCKETS];
}

void
hammer_inodes_init(struct hammer_fs *fs)
{
	int i;

	for (i = 0; i < HAMMER_BUCKETS; i++) {
		spin_init(&fs->hf_bucket[i].hb_spin, "hammer inodes");
		rb_init(&fs->hf_bucket[i].hb_tree, inode_cmp);
	}
}

enum vtype
hammer_vtype(uint8_t obj_type)
{
	static const enum vtype types[] = {
		[HAMMER_OBJTYPE_DIRECTORY] = VDIR,
		[HAMMER_OBJTYPE_REGFILE] = VREG,
		[HAMMER_OBJTYPE_DBFILE] = VREG,
		[HAMMER_OBJTYPE_FIFO] = VFIFO,
		[HAMMER_OBJTYPE_CDEV] = VCHR,
		[HAMMER_OBJTYPE_BDEV] = VBLK,
		[HAMMER_OBJTYPE_SOFTLINK] = VLNK,
		[HAMMER_OBJTYPE_PSEUDOFS] = VDIR,
		[HAMMER_OBJTYPE_SOCKET] = VSOCK,
	};

	return obj_type < nitems(types) ? types[obj_type] : VNON;
}

uint8_t
hammer_objtype(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return HAMMER_OBJTYPE_DIRECTORY;
	case S_IFIFO:
		return HAMMER_OBJTYPE_FIFO;
	case S_IFCHR:
		return HAMMER_OBJTYPE_CDEV;
	case S_IFBLK:
		return HAMMER_OBJTYPE_BDEV;
	case S_IFLNK:
		return HAMMER_OBJTYPE_SOFTLINK;
	case S_IFSOCK:
		return HAMMER_OBJTYPE_SOCKET;
	default:
		return HAMMER_OBJTYPE_REGFILE;
	}
}

mode_t
hammer_typemode(uint8_t obj_type)
{
	static const mode_t modes[] = {
		[VNON] = 0, [VREG] = S_IFREG, [VDIR] = S_IFDIR,
		[VBLK] = S_IFBLK, [VCHR] = S_IFCHR, [VLNK] = S_IFLNK,
		[VSOCK] = S_IFSOCK, [VFIFO] = S_IFIFO,
	};

	return modes[hammer_vtype(obj_type)];
}

static struct timespec
time_us(uint64_t us)
{
	return (struct timespec){ (int64_t)(us / 1000000),
	    (int64_t)(us % 1000000) * 1000 };
}

void
hammer_iattr(const struct hammer_inode *ip, const struct hammer_inode_data *d,
    struct vattr *va)
{
	uint64_t ctime = d->ctime;

	/* N2: an entry's change is a change of status as well. */
	if (d->obj_type == HAMMER_OBJTYPE_DIRECTORY && d->mtime > ctime)
		ctime = d->mtime;
	memset(va, 0, sizeof(*va));
	va->va_mode = hammer_typemode(d->obj_type) | (d->mode & 07777);
	va->va_uid = hammer_uuid_to_id(&d->uid);
	va->va_gid = hammer_uuid_to_id(&d->gid);
	va->va_blksize = HAMMER_BUFSIZE;
	va->va_flags = d->uflags;
	va->va_nlink = d->nlinks;
	va->va_ino = (ino_t)ip->hi_obj_id;
	va->va_fsdev = hammer_is_asof(ip) || ip->hi_loc != 0 ?
	    hammer_asof_dev(ip) : ip->hi_fs->hf_mp->mnt_dev;
	va->va_rdev = makedev(d->rmajor, d->rminor);
	va->va_size = d->size;
	va->va_bytes = (d->size + 511) & ~511ULL;
	va->va_atime = time_us(d->atime);
	va->va_mtime = time_us(d->mtime);
	va->va_ctime = time_us(ctime);
	/* Our object ids begin as the TID of their birth. */
	if (ip->hi_obj_id > (int64_t)1 << 60)
		va->va_btime = time_us((uint64_t)ip->hi_obj_id / 1000);
	else
		va->va_btime = va->va_ctime;
}

void
hammer_iset(struct hammer_inode *ip, const struct hammer_inode_data *nd)
{
	spin_lock(&ip->hi_spin);
	ip->hi_data = *nd;
	spin_unlock(&ip->hi_spin);
}

static struct hammer_inode *
inode_alloc(struct hammer_fs *fs, uint32_t loc, int64_t obj_id,
    hammer_tid_t asof)
{
	struct hammer_inode *ip;

	ip = kmalloc(sizeof(*ip), &M_HAMMERFS, M_WAITOK | M_ZERO);
	spin_init(&ip->hi_spin, "hammer inode");
	ip->hi_fs = fs;
	ip->hi_loc = loc;
	ip->hi_obj_id = obj_id;
	ip->hi_asof = asof;
	return ip;
}

void
hammer_inohistory(struct hammer_inode *ip, hammer_tid_t tid)
{
	bool own = ip->hi_data.uflags & (UF_NOHISTORY | SF_NOHISTORY);

	ip->hi_flags &= ~(uint32_t)HIF_NOHISTORY;
	if (!own && !ip->hi_fs->hf_nohistory)
		return;
	ip->hi_flags |= HIF_NOHISTORY;
	ip->hi_nohist = own ? tid : ip->hi_fs->hf_mounttid;
}

/*
 * Since when has the object been without history?  The record in which the
 * flag is new ended the last one that is kept.
 */
static hammer_tid_t
nohistory_since(const struct hammer_inode *ip, hammer_tid_t alive)
{
	struct hammer_cursor cur;
	hammer_tid_t tid = 0;

	hammer_cursor_init(&cur, ip->hi_fs->hf_hmp);
	hammer_cursor_key(&cur, ip->hi_loc | HAMMER_LOCALIZE_INODE,
	    ip->hi_obj_id, HAMMER_RECTYPE_INODE, 0);
	cur.hc_flags = HAMMER_CURSOR_ALL;
	cur.hc_end.create_tid = alive - 1;
	if (hammer_btree_last(&cur) == 0)
		tid = cur.hc_leaf.base.delete_tid;
	hammer_cursor_done(&cur);
	return tid;
}

/* Read the INODE record.  ENOENT: no such object (at that time). */
static int
inode_load(struct hammer_inode *ip)
{
	struct hammer_mount *hmp = ip->hi_fs->hf_hmp;
	struct hammer_cursor cur;
	const void *data;
	uint32_t len;
	int error;

	hammer_read_begin(hmp);
	hammer_cursor_init(&cur, hmp);
	hammer_cursor_key(&cur, ip->hi_loc | HAMMER_LOCALIZE_INODE,
	    ip->hi_obj_id, HAMMER_RECTYPE_INODE, 0);
	hammer_cursor_view(&cur, ip);
	error = hammer_btree_lookup(&cur);
	if (error == 0)
		error = hammer_cursor_data(&cur, &data, &len);
	if (error == 0 && len != sizeof(ip->hi_data)) {
		kprintf("hammer: inode %llx: record of %u bytes\n",
		    (unsigned long long)ip->hi_obj_id, len);
		error = EIO;
	}
	if (error == 0) {
		memcpy(&ip->hi_data, data, sizeof(ip->hi_data));
		ip->hi_rectid = cur.hc_leaf.base.create_tid;
		ip->hi_recsize = ip->hi_data.size;
		ip->hi_lasttid = ip->hi_rectid;
		if (hammer_is_asof(ip))
			error = hammer_asof_mtime(ip);
		else if (ip->hi_data.uflags & (UF_NOHISTORY | SF_NOHISTORY))
			ip->hi_nohist = nohistory_since(ip, ip->hi_rectid);
	}
	hammer_cursor_done(&cur);
	hammer_read_end(hmp);
	if (error == 0 && (hammer_vtype(ip->hi_data.obj_type) == VNON ||
	    (int64_t)ip->hi_data.size < 0)) {
		kprintf("hammer: inode %llx: type %d, size %llx\n",
		    (unsigned long long)ip->hi_obj_id, ip->hi_data.obj_type,
		    (unsigned long long)ip->hi_data.size);
		error = EIO;
	}
	return error;
}

/* Give a loaded inode its vnode; attributes are cached before it is seen. */
static int
inode_vnode(struct hammer_inode *ip, struct vnode **vpp)
{
	struct vattr va;
	struct vnode *vp;
	int error;

	hammer_inohistory(ip, ip->hi_nohist);
	error = vn_alloc(ip->hi_fs->hf_mp, hammer_vtype(ip->hi_data.obj_type),
	    ip, &vp);
	if (error)
		return error;
	hammer_iattr(ip, &ip->hi_data, &va);
	vn_attr_set(vp, &va);
	if (hammer_is_asof(ip))
		vn_setflags(vp, VN_ASOF, 0);
	else if (ip->hi_data.nlinks == 0)
		vn_setflags(vp, VN_UNLINKED, 0);
	*vpp = vp;
	return 0;
}

static void
bucket_wake(struct hammer_bucket *b)
{
	bool wake;

	spin_lock(&b->hb_spin);
	wake = b->hb_waiters != 0;
	b->hb_waiters = 0;
	spin_unlock(&b->hb_spin);
	if (wake)
		wakeup(b);
}

/* Wait for a change in the bucket, whose spinlock is held; it is released. */
static void
bucket_wait(struct hammer_bucket *b)
{
	b->hb_waiters++;
	ssleep(b, &b->hb_spin, 0, "hamino", 0);
}

static void
bucket_remove(struct hammer_bucket *b, struct hammer_inode *ip)
{
	spin_lock(&b->hb_spin);
	rb_remove(&b->hb_tree, &ip->hi_node);
	ip->hi_flags &= ~(uint32_t)HIF_HASHED;
	spin_unlock(&b->hb_spin);
	bucket_wake(b);
}

/* 0: *vpp is it.  EAGAIN: look again.  ENOENT: *fresh is now in the table. */
static int
bucket_find(struct hammer_bucket *b, const struct inode_key *k,
    struct hammer_inode *fresh, struct vnode **vpp)
{
	struct hammer_inode *ip;
	struct rb_node *n;
	struct vnode *vp;
	int error;

	spin_lock(&b->hb_spin);
	n = rb_find(&b->hb_tree, k, inode_cmp_key);
	if (n == NULL) {
		if (fresh != NULL) {
			fresh->hi_flags |= HIF_HASHED;
			rb_insert(&b->hb_tree, &fresh->hi_node);
		}
		spin_unlock(&b->hb_spin);
		return ENOENT;
	}
	ip = container_of(n, struct hammer_inode, hi_node);
	vp = ip->hi_vp;
	if (vp == NULL) {
		bucket_wait(b);
		return EAGAIN;
	}
	vn_hold(vp);
	spin_unlock(&b->hb_spin);
	error = vn_get(vp);
	vn_drop(vp);
	if (error)			/* reclaimed: its entry is gone */
		return EAGAIN;
	*vpp = vp;
	return 0;
}

int
hammer_iget(struct hammer_fs *fs, uint32_t loc, int64_t obj_id,
    hammer_tid_t asof, struct vnode **vpp)
{
	struct inode_key k = { obj_id, loc, asof };
	struct hammer_bucket *b = bucket_of(fs, &k);
	struct hammer_inode *ip = NULL;
	struct vnode *vp;
	int error;

	for (;;) {
		error = bucket_find(b, &k, ip, vpp);
		if (error == 0) {
			kfree(ip, &M_HAMMERFS);
			return 0;
		}
		if (error == ENOENT) {
			if (ip != NULL)
				break;
			ip = inode_alloc(fs, loc, obj_id, asof);
		}
	}
	error = inode_load(ip);
	if (error == 0)
		error = inode_vnode(ip, &vp);
	if (error) {
		bucket_remove(b, ip);
		kfree(ip, &M_HAMMERFS);
		return error;
	}
	spin_lock(&b->hb_spin);
	ip->hi_vp = vp;
	spin_unlock(&b->hb_spin);
	bucket_wake(b);
	*vpp = vp;
	return 0;
}

int
hammer_inew(struct hammer_fs *fs, uint32_t loc,
    const struct hammer_inode_data *data, struct vnode **vpp)
{
	struct hammer_inode *ip;
	int error;

	ip = inode_alloc(fs, loc, 0, HAMMER_MAX_TID);
	ip->hi_data = *data;
	ip->hi_flags = HIF_NEW;
	hammer_inohistory(ip, 0);
	error = vn_alloc(fs->hf_mp, hammer_vtype(data->obj_type), ip, vpp);
	if (error)
		kfree(ip, &M_HAMMERFS);
	return error;
}

void
hammer_ihash(struct hammer_inode *ip, struct vnode *vp)
{
	struct inode_key k = key_of(ip);
	struct hammer_bucket *b = bucket_of(ip->hi_fs, &k);
	struct rb_node *n;

	spin_lock(&b->hb_spin);
	ip->hi_vp = vp;
	ip->hi_flags |= HIF_HASHED;
	ip->hi_flags &= ~(uint32_t)HIF_NEW;
	n = rb_insert(&b->hb_tree, &ip->hi_node);
	spin_unlock(&b->hb_spin);
	KKASSERT(n == NULL);		/* object ids are never used twice */
}

void
hammer_idiscard(struct vnode *vp)
{
	hammer_ip(vp)->hi_flags |= HIF_GONE;
	vn_setflags(vp, VN_UNLINKED, 0);
	vn_rele(vp);
}

int
hammer_ireclaim(struct vnode *vp)
{
	struct hammer_inode *ip = hammer_ip(vp);
	struct inode_key k = key_of(ip);

	KKASSERT((ip->hi_flags & HIF_DIRTY) == 0 ||
	    (ip->hi_flags & HIF_GONE));
	if (ip->hi_dirtybytes)
		__atomic_fetch_sub(&ip->hi_fs->hf_dirtybytes,
		    (int64_t)ip->hi_dirtybytes, __ATOMIC_RELAXED);
	if (ip->hi_flags & HIF_HASHED)
		bucket_remove(bucket_of(ip->hi_fs, &k), ip);
	kfree(ip, &M_HAMMERFS);
	return 0;
}

static void
inode_cursor(struct hammer_cursor *cur, const struct hammer_inode *ip)
{
	hammer_cursor_init(cur, ip->hi_fs->hf_hmp);
	hammer_cursor_key(cur, ip->hi_loc | HAMMER_LOCALIZE_INODE,
	    ip->hi_obj_id, HAMMER_RECTYPE_INODE, 0);
}

int
hammer_inode_insert(struct hammer_trans *tr, struct hammer_inode *ip,
    const struct hammer_inode_data *nd)
{
	struct hammer_leaf_elm leaf;
	int error;

	memset(&leaf, 0, sizeof(leaf));
	leaf.base.obj_id = ip->hi_obj_id;
	leaf.base.rec_type = HAMMER_RECTYPE_INODE;
	leaf.base.obj_type = nd->obj_type;
	leaf.base.localization = ip->hi_loc | HAMMER_LOCALIZE_INODE;
	error = hammer_record_insert(tr, &leaf, nd, sizeof(*nd));
	if (error == 0) {
		ip->hi_rectid = tr->tid;
		ip->hi_lasttid = tr->tid;
	}
	return error;
}

int
hammer_inode_roll(struct hammer_trans *tr, struct hammer_inode *ip,
    const struct hammer_inode_data *nd)
{
	struct hammer_cursor cur;
	int error;

	inode_cursor(&cur, ip);
	error = hammer_btree_lookup(&cur);
	if (error == 0)
		error = hammer_record_delete(tr, &cur,
		    hammer_delete_flags(ip, cur.hc_leaf.base.create_tid));
	hammer_cursor_done(&cur);
	if (error == 0)
		error = hammer_inode_insert(tr, ip, nd);
	return error == ENOENT ? EIO : error;
}

int
hammer_inode_delete(struct hammer_trans *tr, struct hammer_inode *ip)
{
	struct hammer_cursor cur;
	int error;

	inode_cursor(&cur, ip);
	error = hammer_btree_lookup(&cur);
	if (error == 0)
		error = hammer_record_delete(tr, &cur,
		    hammer_delete_flags(ip, cur.hc_leaf.base.create_tid));
	hammer_cursor_done(&cur);
	if (error)
		return error == ENOENT ? EIO : error;
	hammer_inode_count(tr, -1);
	return 0;
}

int
hammer_inode_touch(struct hammer_trans *tr, struct hammer_inode *ip,
    struct hammer_inode_data *nd)
{
	struct hammer_cursor cur;
	uint64_t us = tr->tid / 1000;
	int error;

	*nd = ip->hi_data;
	if (nd->mtime < nd->ctime) {		/* N2 */
		nd->mtime = nd->ctime = us;
		return hammer_inode_roll(tr, ip, nd);
	}
	nd->mtime = us;
	inode_cursor(&cur, ip);
	error = hammer_btree_lookup(&cur);
	if (error == 0)
		error = hammer_record_modify_data(tr, &cur,
		    offsetof(struct hammer_inode_data, mtime), &nd->mtime,
		    sizeof(nd->mtime));
	hammer_cursor_done(&cur);
	return error == ENOENT ? EIO : error;
}
