/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes, directory entries, and the effects that describe their changes. */
#include <sys/clock.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <sys/vnode.h>
#include <vm/vm_object.h>

#include "tmpfs.h"

static MALLOC_DEFINE(M_TMPFS, "tmpfs nodes");
static MALLOC_DEFINE(M_TMPFSNAME, "tmpfs names");

struct tmpfs_mount *
tmpfs_of(struct mount *mp)
{
	return mp->mnt_data;
}

struct tmpfs_node *
tmpfs_node_of(struct vnode *vp)
{
	return vp->v_data;
}

static int
cmp_name(uint32_t ahash, const char *a, size_t alen,
    const struct tmpfs_dirent *b)
{
	if (ahash != b->td_hash)
		return ahash < b->td_hash ? -1 : 1;
	if (alen != b->td_nlen)
		return alen < b->td_nlen ? -1 : 1;
	return memcmp(a, b->td_name, alen);
}

static int
cmp_names(const struct rb_node *an, const struct rb_node *bn)
{
	const struct tmpfs_dirent *a =
	    container_of(an, struct tmpfs_dirent, td_name_node);
	const struct tmpfs_dirent *b =
	    container_of(bn, struct tmpfs_dirent, td_name_node);

	return cmp_name(a->td_hash, a->td_name, a->td_nlen, b);
}

static int
cmp_cookies(const struct rb_node *an, const struct rb_node *bn)
{
	off_t a = container_of(an, struct tmpfs_dirent,
	    td_cookie_node)->td_cookie;
	off_t b = container_of(bn, struct tmpfs_dirent,
	    td_cookie_node)->td_cookie;

	return a < b ? -1 : a > b;
}

static enum vtype
type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return VREG;
	case S_IFDIR:
		return VDIR;
	case S_IFLNK:
		return VLNK;
	case S_IFCHR:
		return VCHR;
	case S_IFBLK:
		return VBLK;
	case S_IFIFO:
		return VFIFO;
	default:
		return VSOCK;
	}
}

/* The vnode comes with the node's reference.  ENOSPC. */
int
tmpfs_node_alloc(struct tmpfs_mount *tm, const struct vattr *vap,
    const char *link, struct tmpfs_node **tnp)
{
	struct tmpfs_node *tn;

	if (atomic_fetch_add(&tm->tm_nodes, 1) >= tm->tm_maxnodes) {
		atomic_fetch_sub(&tm->tm_nodes, 1);
		return ENOSPC;
	}
	tn = kmalloc(sizeof(*tn), &M_TMPFS, M_WAITOK | M_ZERO);
	lock_init(&tn->tn_lock, "tmpfs");
	tn->tn_ino = atomic_fetch_add(&tm->tm_lastino, 1) + 1;
	tn->tn_attr.va_mode = vap->va_mode;
	tn->tn_attr.va_uid = vap->va_uid;
	tn->tn_attr.va_gid = vap->va_gid;
	tn->tn_attr.va_rdev = vap->va_rdev;
	tn->tn_attr.va_ino = tn->tn_ino;
	tn->tn_attr.va_fsdev = tm->tm_mount->mnt_dev;
	tn->tn_attr.va_blksize = PAGE_SIZE;
	tn->tn_attr.va_nlink = S_ISDIR(vap->va_mode) ? 2 : 1;
	tn->tn_attr.va_gen = 1;
	if (S_ISDIR(vap->va_mode)) {
		rb_init(&tn->tn_names, cmp_names);
		rb_init(&tn->tn_cookies, cmp_cookies);
		tn->tn_lastcookie = 2;
	}
	if (link != NULL) {
		tn->tn_link = kstrdup(link, &M_TMPFSNAME);
		tn->tn_attr.va_size = strlen(link);
	}
	vn_alloc(tm->tm_mount, type_of(vap->va_mode), tn, &tn->tn_vnode);
	if (tn->tn_vnode->v_object != NULL && S_ISREG(vap->va_mode))
		tn->tn_vnode->v_object->vo_charge = &tm->tm_pages;
	*tnp = tn;
	return 0;
}

void
tmpfs_node_free(struct tmpfs_mount *tm, struct tmpfs_node *tn)
{
	kfree(tn->tn_link, &M_TMPFSNAME);
	kfree(tn, &M_TMPFS);
	atomic_fetch_sub(&tm->tm_nodes, 1);
}

static uint32_t
hash_name(const char *name, size_t len)
{
	uint32_t h = 2166136261u;

	while (len-- > 0)
		h = (h ^ (unsigned char)*name++) * 16777619u;
	return h;
}

struct tmpfs_dirent *
tmpfs_dirent_alloc(const char *name, size_t len, struct tmpfs_node *tn)
{
	struct tmpfs_dirent *td;

	td = kmalloc(sizeof(*td) + len, &M_TMPFSNAME, M_WAITOK);
	td->td_node = tn;
	td->td_hash = hash_name(name, len);
	td->td_nlen = (uint16_t)len;
	memcpy(td->td_name, name, len);
	return td;
}

void
tmpfs_dirent_free(struct tmpfs_dirent *td)
{
	kfree(td, &M_TMPFSNAME);
}

struct name_key {
	const char	*name;
	size_t		 len;
	uint32_t	 hash;
};

static int
cmp_key(const void *key, const struct rb_node *node)
{
	const struct name_key *k = key;

	return cmp_name(k->hash, k->name, k->len,
	    container_of(node, struct tmpfs_dirent, td_name_node));
}

struct tmpfs_dirent *
tmpfs_find(struct tmpfs_node *dir, const char *name, size_t len)
{
	struct name_key k = { name, len, hash_name(name, len) };
	struct rb_node *n;

	n = rb_find(&dir->tn_names, &k, cmp_key);
	return n ? container_of(n, struct tmpfs_dirent, td_name_node) : NULL;
}

/* A new entry is the last in directory order. */
void
tmpfs_enter(struct tmpfs_node *dir, struct tmpfs_dirent *td)
{
	struct rb_node *there;

	td->td_cookie = ++dir->tn_lastcookie;
	there = rb_insert(&dir->tn_names, &td->td_name_node);
	KKASSERT(there == NULL);
	there = rb_insert(&dir->tn_cookies, &td->td_cookie_node);
	KKASSERT(there == NULL);
	dir->tn_nentries++;
}

void
tmpfs_leave(struct tmpfs_node *dir, struct tmpfs_dirent *td)
{
	rb_remove(&dir->tn_names, &td->td_name_node);
	rb_remove(&dir->tn_cookies, &td->td_cookie_node);
	dir->tn_nentries--;
}

void
tmpfs_lock_nodes(struct tmpfs_node **tns, int n)
{
	struct tmpfs_node *t;
	int i, j;

	for (i = 1; i < n; i++) {
		t = tns[i];
		for (j = i; j > 0 && (tns[j - 1] == NULL || (t != NULL &&
		    tns[j - 1]->tn_ino > t->tn_ino)); j--)
			tns[j] = tns[j - 1];
		tns[j] = t;
	}
	for (i = 0; i < n; i++) {
		if (tns[i] != NULL && (i == 0 || tns[i] != tns[i - 1]))
			lock_excl(&tns[i]->tn_lock);
	}
}

void
tmpfs_unlock_nodes(struct tmpfs_node **tns, int n)
{
	int i;

	for (i = n - 1; i >= 0; i--) {
		if (tns[i] != NULL && (i == 0 || tns[i] != tns[i - 1]))
			lock_release(&tns[i]->tn_lock);
	}
}

struct timespec
tmpfs_now(struct vop_msg *msg)
{
	struct timespec ts;

	vop_number(msg);
	ts.tv_sec = (int64_t)(msg->vm_wall / NSEC_PER_SEC);
	ts.tv_nsec = (int64_t)(msg->vm_wall % NSEC_PER_SEC);
	return ts;
}

/* The attributes as others see them.  tn_lock held. */
void
tmpfs_attr(struct tmpfs_node *tn, struct vattr *vap)
{
	*vap = tn->tn_attr;
	if (S_ISREG(vap->va_mode))
		vap->va_bytes = ptob(atomic_load_relaxed(
		    &tn->tn_vnode->v_object->vo_ndirty));
	else if (S_ISDIR(vap->va_mode))
		vap->va_size = 40 + 20 * tn->tn_nentries;
}

struct vop_effect *
tmpfs_eff(struct vop_effects *eff, enum vop_effect_kind kind,
    struct vnode *vp)
{
	struct vop_effect *ve = &eff->e[eff->n++];

	KKASSERT(eff->n <= VOP_MAXEFFECTS);
	ve->ve_kind = kind;
	ve->ve_dvp = NULL;
	ve->ve_nch = NULL;
	ve->ve_vp = vp;
	ve->ve_old = ve->ve_new = 0;
	ve->ve_off = 0;
	ve->ve_len = 0;
	ve->ve_mask = 0;
	return ve;
}

void
tmpfs_eff_name(struct vop_effects *eff, struct vnode *dvp,
    const struct nchandle *nch, ino_t was, struct tmpfs_node *now)
{
	struct vop_effect *ve;

	ve = tmpfs_eff(eff, EFF_NAME, now ? now->tn_vnode : NULL);
	ve->ve_dvp = dvp;
	ve->ve_nch = nch;
	ve->ve_old = was;
	ve->ve_new = now ? now->tn_ino : 0;
}

void
tmpfs_eff_attr(struct vop_effects *eff, struct tmpfs_node *tn,
    const struct vattr *was, uint32_t mask)
{
	struct vop_effect *ve = tmpfs_eff(eff, EFF_ATTR, tn->tn_vnode);

	ve->ve_mask = mask;
	tmpfs_attr(tn, &ve->ve_attr);
	ve->ve_oldattr = *was;
}
