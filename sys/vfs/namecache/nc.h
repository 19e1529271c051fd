/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the namecache: the entry, and who may touch which field.
 *
 * I immutable   L name lock (the operation's)   B spinlock of its bucket
 * S nc_spin     P nc_spin of the parent         a atomic
 *
 * N1  nc_parent, nc_name, nc_hash change under nc_rename_spin, both buckets
 *     and S; so any one of those keeps them.
 * N2  nc_vp and the state flags change under S, by the holder of L.
 * N3  Order: nc_rename_spin, buckets, one nc_spin, v_spin.  Two nc_spins at
 *     once only under nc_rename_spin.
 * N4  A child holds a reference of its parent.  An entry with references < 0 is
 *     being freed: who finds it treats it as absent.
 * N5  Name locks: child before parent.
 */
#ifndef _NC_H_
#define _NC_H_

#include <sys/atomic.h>
#include <sys/epoch.h>
#include <sys/lock.h>
#include <sys/namecache.h>
#include <sys/queue.h>
#include <sys/spinlock.h>
#include <sys/types.h>

enum {					/* nc_flags */
	NCF_RESOLVED	= 0x01,	/* nc_vp tells: object, or NULL = negative */
	NCF_DESTROYED	= 0x02,	/* the name is gone; the entry lives for holders */
	NCF_HASHED	= 0x04,
	NCF_MOUNTPT	= 0x08,	/* a mount may cover it */
	NCF_ROOT	= 0x10,	/* root of a mount: no parent, no name */
	NCF_DIR		= 0x20,
	NCF_SYMLINK	= 0x40,
	NCF_VREF	= 0x80,	/* DESTROYED directory: nc_vp is a reference */
	NCF_ONLRU	= 0x100, /* [lru spin] */
	NCF_NEGATIVE	= 0x200, /* RESOLVED to nothing */
};

enum { NC_INLINE = 40 };

LIST_HEAD(nc_children, namecache);

struct namecache {
	struct namecache *nc_hnext;	/* [B] */
	struct namecache *nc_parent;	/* N1 */
	struct mount	*nc_mount;	/* I no reference */
	struct mount	*nc_covering;	/* [a] the mount on it: a hint */
	struct vnode	*nc_vp;		/* N2 a hold */
	char		*nc_name;	/* N1 nc_inline, or allocated; whole
					 * words, padded with zeroes */
	uint32_t	 nc_hash;	/* N1 */
	uint16_t	 nc_nlen;	/* N1 */
	int32_t		 nc_refs;	/* [a] */
	uint32_t	 nc_flags;	/* [S] read without it where a hint does */
	uint64_t	 nc_id;		/* I unique: seeds the children's hash */
	struct spinlock	 nc_spin;
	struct lock	 nc_lock;
	struct nc_children nc_kids;	/* [S] */
	LIST_ENTRY(namecache) nc_sibling;	/* [P] */
	TAILQ_ENTRY(namecache) nc_vnlist;	/* [v_spin] */
	TAILQ_ENTRY(namecache) nc_lru;	/* [lru spin] */
	struct epoch_item nc_epoch;	/* after it was freed */
	uint64_t	 nc_inline[NC_INLINE / 8];
};

static inline uint32_t
nc_flags_get(const struct namecache *ncp)
{
	return atomic_load_relaxed(&ncp->nc_flags);
}

struct nc_bucket {
	struct spinlock	 nb_spin;
	struct namecache *nb_first;	/* [nb_spin] */
};

/* nc_entry.c */
extern uint64_t nc_count, nc_negatives;		/* [a] */
struct namecache *nc_alloc(struct mount *, const char *name, size_t len);
bool	nc_tryref(struct namecache *);
void	nc_ref(struct namecache *);
void	nc_unref(struct namecache *);		/* may block: see NCF_VREF */
bool	nc_link_parent(struct namecache *, struct namecache *parent);
void	nc_attach(struct namecache *, struct vnode *);	/* unresolved before */
void	nc_detach(struct namecache *);		/* now unresolved */
void	nc_destroy(struct namecache *);
uint64_t nc_trim(uint64_t n);

/* nc_hash.c */
extern struct spinlock nc_rename_spin;
void	nc_hash_init(void);
struct nc_key {
	uint32_t	 nk_hash;
	uint16_t	 nk_len, nk_words;
	uint64_t	 nk_word[32];
};
void	nc_key_init(struct nc_key *, const struct namecache *parent,
	    const char *, size_t);
struct nc_bucket *nc_bucket(uint32_t hash);
struct namecache *nc_hash_find(struct namecache *parent,
	    const struct nc_key *);
struct namecache *nc_hash_peek(const struct namecache *parent,
	    const struct nc_key *);
/* Enter, unless the name is there (returned referenced) or the parent is
 * destroyed (*dead).  NULL: entered. */
struct namecache *nc_hash_enter(struct namecache *, struct namecache *parent,
	    const struct nc_key *, bool *dead);
void	nc_unhash(struct namecache *);
void	nc_bucket_insert(struct nc_bucket *, struct namecache *);
void	nc_bucket_remove(struct nc_bucket *, struct namecache *);
void	nc_hash_purge(struct mount *);

/* nc_resolve.c */
int	nc_resolve_entry(struct mount *, struct namecache *, struct ucred *);
int	nc_entry_vnode(struct namecache *, struct ucred *, struct vnode **);

/* nc_change.c */
extern uint32_t nc_rename_seq;			/* [a] odd: rename at work */
void	nc_init(void);

#endif
