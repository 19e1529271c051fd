/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * (parent, name) to entry.  The hash is seeded with the parent's number, not
 * its address, so that a simulated run repeats itself.
 */
#include <sys/atomic.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/mount.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <vm/vm_page.h>

#include "nc.h"

static MALLOC_DEFINE(M_NCHASH, "namecache hash");

struct spinlock nc_rename_spin = SPINLOCK_INITIALIZER("ncrename");
static struct nc_bucket *buckets;
static uint32_t bucket_mask;

void
nc_hash_init(void)
{
	uint32_t n = 1024, i;

	while (n < vm_pages_total / 8 && n < 1u << 20)
		n *= 2;
	buckets = kmalloc(n * sizeof(*buckets), &M_NCHASH, M_WAITOK | M_ZERO);
	for (i = 0; i < n; i++)
		spin_init(&buckets[i].nb_spin, "nchash");
	bucket_mask = n - 1;
}

/*
 * A name as zero-padded words, and its hash below a parent.  The words are
 * what entries are compared by: a reader without locks compares whole words.
 */
void
nc_key_init(struct nc_key *key, const struct namecache *parent,
    const char *name, size_t len)
{
	uint64_t h = parent->nc_id * 0x9e3779b97f4a7c15ULL, w;
	size_t n = len, i = 0;

	for (; n >= 8; n -= 8, name += 8) {
		memcpy(&w, name, 8);
		key->nk_word[i++] = w;
		h = (h ^ w) * 0xff51afd7ed558ccdULL;
		h ^= h >> 32;
	}
	w = 0;
	while (n > 0)
		w = w << 8 | (unsigned char)name[--n];
	if ((len & 7) != 0)
		key->nk_word[i++] = w;	/* little-endian: as it lies there */
	h = (h ^ w ^ len << 57) * 0xc4ceb9fe1a85ec53ULL;
	key->nk_len = (uint16_t)len;
	key->nk_words = (uint16_t)i;
	key->nk_hash = (uint32_t)(h ^ (h >> 29) ^ (h >> 47));
}

struct nc_bucket *
nc_bucket(uint32_t hash)
{
	return &buckets[hash & bucket_mask];
}

/* In an epoch, or under the bucket's lock. */
static inline bool
entry_matches(const struct namecache *ncp, const struct namecache *parent,
    const struct nc_key *key)
{
	const uint64_t *text;
	int i;

	if (atomic_load_relaxed(&ncp->nc_hash) != key->nk_hash ||
	    atomic_load_relaxed(&ncp->nc_parent) != parent ||
	    atomic_load_relaxed(&ncp->nc_nlen) != key->nk_len)
		return false;
	text = (const uint64_t *)(const void *)
	    atomic_load_relaxed(&ncp->nc_name);
	/* A rename between the two loads must not lead us past the end. */
	if (key->nk_words > nitems(ncp->nc_inline) && text == ncp->nc_inline)
		return false;
	for (i = 0; i < key->nk_words; i++) {
		if (atomic_load_relaxed(&text[i]) != key->nk_word[i])
			return false;
	}
	return true;
}

/* Under the bucket's lock.  Takes a reference. */
static struct namecache *
bucket_find(struct nc_bucket *nb, const struct namecache *parent,
    const struct nc_key *key)
{
	struct namecache *ncp;

	for (ncp = nb->nb_first; ncp != NULL; ncp = ncp->nc_hnext) {
		if (entry_matches(ncp, parent, key) && nc_tryref(ncp))
			return ncp;
	}
	return NULL;
}

struct namecache *
nc_hash_find(struct namecache *parent, const struct nc_key *key)
{
	struct nc_bucket *nb = nc_bucket(key->nk_hash);
	struct namecache *ncp;

	spin_lock(&nb->nb_spin);
	ncp = bucket_find(nb, parent, key);
	spin_unlock(&nb->nb_spin);
	return ncp;
}

/*
 * In an epoch: find without lock or reference.  A rename may hide an entry
 * that is there; who does not find asks again under the lock.
 */
struct namecache *
nc_hash_peek(const struct namecache *parent, const struct nc_key *key)
{
	struct namecache *ncp;

	for (ncp = atomic_load_acq(&nc_bucket(key->nk_hash)->nb_first);
	    ncp != NULL; ncp = atomic_load_acq(&ncp->nc_hnext)) {
		if (entry_matches(ncp, parent, key))
			return ncp;
	}
	return NULL;
}

void
nc_bucket_insert(struct nc_bucket *nb, struct namecache *ncp)
{
	atomic_store_relaxed(&ncp->nc_hnext, nb->nb_first);
	atomic_fetch_or(&ncp->nc_flags, NCF_HASHED);
	atomic_store_rel(&nb->nb_first, ncp);
}

void
nc_bucket_remove(struct nc_bucket *nb, struct namecache *ncp)
{
	struct namecache **link;

	for (link = &nb->nb_first; *link != ncp; link = &(*link)->nc_hnext)
		KKASSERT(*link != NULL);
	atomic_store_rel(link, ncp->nc_hnext);
	atomic_fetch_and(&ncp->nc_flags, ~(uint32_t)NCF_HASHED);
}

struct namecache *
nc_hash_enter(struct namecache *ncp, struct namecache *parent,
    const struct nc_key *key, bool *dead)
{
	struct nc_bucket *nb = nc_bucket(key->nk_hash);
	struct namecache *other;

	*dead = false;
	spin_lock(&nb->nb_spin);
	other = bucket_find(nb, parent, key);
	if (other == NULL) {
		atomic_store_relaxed(&ncp->nc_hash, key->nk_hash);
		if (nc_link_parent(ncp, parent))
			nc_bucket_insert(nb, ncp);
		else
			*dead = true;
	}
	spin_unlock(&nb->nb_spin);
	return other;
}

/* Its hash may change by a rename until we hold the right bucket. */
void
nc_unhash(struct namecache *ncp)
{
	struct nc_bucket *nb;

	for (;;) {
		nb = nc_bucket(atomic_load_relaxed(&ncp->nc_hash));
		spin_lock(&nb->nb_spin);
		if (nb == nc_bucket(ncp->nc_hash)) {
			if (nc_flags_get(ncp) & NCF_HASHED)
				nc_bucket_remove(nb, ncp);
			spin_unlock(&nb->nb_spin);
			return;
		}
		spin_unlock(&nb->nb_spin);
	}
}

/* Find one unused entry of the mount in a bucket and take it out. */
static struct namecache *
bucket_evict(struct nc_bucket *nb, struct mount *mp)
{
	struct namecache *ncp;
	int32_t r;

	spin_lock(&nb->nb_spin);
	for (ncp = nb->nb_first; ncp != NULL; ncp = ncp->nc_hnext) {
		r = 0;
		if (ncp->nc_mount == mp &&
		    atomic_cmpset(&ncp->nc_refs, &r, 1)) {
			nc_bucket_remove(nb, ncp);
			break;
		}
	}
	spin_unlock(&nb->nb_spin);
	return ncp;
}

/* Free every unused entry of a mount: leaves first, until nothing moves. */
void
nc_hash_purge(struct mount *mp)
{
	struct namecache *ncp;
	bool progress;
	uint32_t i;

	do {
		progress = false;
		for (i = 0; i <= bucket_mask; i++) {
			while ((ncp = bucket_evict(&buckets[i], mp)) != NULL) {
				nc_unref(ncp);
				progress = true;
			}
		}
	} while (progress);
}
