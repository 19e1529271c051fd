/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hammer show: print the B-Tree and check it on the way.  The first column of
 * each line is G, or B for what is bad.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libhammer_disk/hdisk.h>

#include "hammer_tool.h"

static struct hd_fs *fs;
static int errors;
static bool limited;		/* to one localization, perhaps one object */
static uint32_t only_loc;
static bool only_obj_set;
static int64_t only_obj;

static int
cmp(const struct hammer_base_elm *a, const struct hammer_base_elm *b)
{
	if (a->localization != b->localization)
		return a->localization < b->localization ? -1 : 1;
	if (a->obj_id != b->obj_id)
		return a->obj_id < b->obj_id ? -1 : 1;
	if (a->rec_type != b->rec_type)
		return a->rec_type < b->rec_type ? -1 : 1;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (a->create_tid != b->create_tid)
		return a->create_tid - 1 < b->create_tid - 1 ? -1 : 1;
	return 0;
}

static bool
wanted(const struct hammer_base_elm *e)
{
	return !limited || (e->localization == only_loc &&
	    (!only_obj_set || e->obj_id == only_obj));
}

/* May the range from e[0] to e[1] hold something wanted? */
static bool
wanted_range(const union hammer_btree_elm *e)
{
	if (!limited)
		return true;
	if (e[1].base.localization < only_loc ||
	    e[0].base.localization > only_loc)
		return false;
	if (!only_obj_set)
		return true;
	return !(e[1].base.localization == only_loc &&
	    e[1].base.obj_id < only_obj) &&
	    !(e[0].base.localization == only_loc &&
	    e[0].base.obj_id > only_obj);
}

static const char *
when(uint64_t sec)
{
	static char buf[40];
	time_t t = (time_t)sec;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(buf, sizeof(buf), "%llu", (unsigned long long)sec);
	return buf;
}

static void
print_text(const char *p, size_t len)
{
	size_t i;

	putchar('"');
	for (i = 0; i < len; i++)
		putchar(p[i] >= 32 && p[i] < 127 ? p[i] : '.');
	putchar('"');
}

static void
print_data(const struct hammer_leaf_elm *leaf, const void *data)
{
	const struct hammer_inode_data *ino = data;
	const struct hammer_direntry_data *ent = data;
	const struct hammer_pseudofs_data *pfs = data;
	uint32_t len = (uint32_t)leaf->data_len;

	switch (leaf->base.rec_type) {
	case HAMMER_RECTYPE_INODE:
		if (len != sizeof(*ino))
			return;
		printf("\t         size=%llu nlinks=%llu mode=%05o uid=%u "
		    "gid=%u parent=%016llx", (unsigned long long)ino->size,
		    (unsigned long long)ino->nlinks, ino->mode,
		    hammer_uuid_to_id(&ino->uid), hammer_uuid_to_id(&ino->gid),
		    (unsigned long long)ino->parent_obj_id);
		printf(" mtime=%s", when(ino->mtime / 1000000));
		printf(" ctime=%s", when(ino->ctime / 1000000));
		if (ino->obj_type == HAMMER_OBJTYPE_SOFTLINK &&
		    ino->size <= HAMMER_INODE_BASESYMLEN) {
			printf(" symlink=");
			print_text(ino->symlink, (size_t)ino->size);
		}
		break;
	case HAMMER_RECTYPE_DIRENTRY:
		if (len < HAMMER_DIRENTRY_SIZE(0))
			return;
		printf("\t         dir-entry ino=%016llx lo=%08x name=",
		    (unsigned long long)ent->obj_id, ent->localization);
		print_text(ent->name, len - HAMMER_DIRENTRY_SIZE(0));
		break;
	case HAMMER_RECTYPE_FIX:
		printf("\t         symlink=");
		print_text(data, len);
		break;
	case HAMMER_RECTYPE_PFS:
		if (len != sizeof(*pfs))
			return;
		printf("\t         pfs sync_beg=%016llx sync_end=%016llx "
		    "flags=%08x shared=%s label=",
		    (unsigned long long)pfs->sync_beg_tid,
		    (unsigned long long)pfs->sync_end_tid, pfs->mirror_flags,
		    hd_uuidstr(&pfs->shared_uuid));
		print_text(pfs->label, strnlen(pfs->label, 64));
		break;
	case HAMMER_RECTYPE_SNAPSHOT:
		printf("\t         snapshot tid=%016llx",
		    (unsigned long long)leaf->base.key);
		break;
	default:
		return;
	}
	printf("\n");
}

static void
show_leaf(const struct hammer_leaf_elm *leaf, int i, bool inside)
{
	static char data[1 << 20];
	bool dok = true, lok;

	lok = leaf->base.btype == HAMMER_BTREE_TYPE_RECORD &&
	    leaf->data_len >= 0 && (size_t)leaf->data_len <= sizeof(data);
	if (lok && leaf->data_len > 0)
		dok = hammer_off_zone(leaf->data_offset) == hd_zone_of(leaf) &&
		    hd_data(fs, leaf, data) &&
		    hammer_crc_test_data(fs->hf_version, leaf, data);
	if (!lok || !dok || !inside)
		errors++;
	if (opts.quiet > 1 && lok && dok && inside)
		return;
	printf("%c%c%c\tELM %2d %c lo=%08x obj=%016llx rt=%02x key=%016llx "
	    "ot=%02x\n", lok && dok && inside ? 'G' : 'B', dok ? '-' : 'D',
	    inside ? '-' : 'O', i, leaf->base.btype ? leaf->base.btype : '?',
	    leaf->base.localization, (unsigned long long)leaf->base.obj_id,
	    leaf->base.rec_type, (unsigned long long)leaf->base.key,
	    leaf->base.obj_type);
	printf("\t       %c tids %016llx:%016llx", leaf->base.delete_tid ?
	    'd' : ' ', (unsigned long long)leaf->base.create_tid,
	    (unsigned long long)leaf->base.delete_tid);
	printf(" %s", when(leaf->create_ts));
	if (leaf->base.delete_tid != 0)
		printf(" - %s", when(leaf->delete_ts));
	printf("\n");
	if (opts.quiet)
		return;
	printf("\t         dataoff=%016llx/%d crc=%08x\n",
	    (unsigned long long)leaf->data_offset, leaf->data_len,
	    leaf->data_crc);
	if (lok && dok && leaf->data_len > 0)
		print_data(leaf, data);
}

static void
show_node(hammer_off_t off, hammer_off_t parent,
    const union hammer_btree_elm *bound, int depth)
{
	struct hammer_node_ondisk node;
	const union hammer_btree_elm *e;
	const void *p = hd_get(fs, off, HAMMER_NODE_SIZE);
	bool internal, inside;
	char c = 'G', m = '-', l = '-';
	int i;

	if (p == NULL || depth > 20) {
		printf("BI\tNODE %016llx (unreadable)\n",
		    (unsigned long long)off);
		errors++;
		return;
	}
	memcpy(&node, p, sizeof(node));
	internal = node.type == HAMMER_BTREE_TYPE_INTERNAL;
	if (!hammer_crc_test_node(fs->hf_version, &node) ||
	    (!internal && node.type != HAMMER_BTREE_TYPE_LEAF) ||
	    node.count < 0 || node.count > HAMMER_BTREE_LEAF_ELMS - internal)
		c = 'B';
	if (bound != NULL && bound->internal.mirror_tid != node.mirror_tid)
		c = 'B', m = 'M';
	if (node.parent != parent)
		c = 'B', l = 'L';
	errors += c == 'B';
	if (!(opts.quiet > 1 && c == 'G'))
		printf("%c%c%c\tNODE %016llx cnt=%02d p=%016llx type=%c "
		    "depth=%d mirror=%016llx {\n", c, m, l,
		    (unsigned long long)off, node.count,
		    (unsigned long long)node.parent,
		    node.type ? node.type : '?', depth,
		    (unsigned long long)node.mirror_tid);
	if (c == 'B' && m == '-' && l == '-')
		return;
	for (i = 0; i < node.count + internal; i++) {
		e = &node.elms[i];
		inside = (i == 0 || cmp(&node.elms[i - 1].base, &e->base) < 0) &&
		    (bound == NULL || (cmp(&e->base, &bound[0].base) >= 0 &&
		    cmp(&e->base, &bound[1].base) < (i == node.count)));
		if (!internal) {
			if (wanted(&e->base))
				show_leaf(&e->leaf, i, inside);
			continue;
		}
		errors += !inside;
		if (inside && (opts.quiet || !(wanted(&e->base) ||
		    opts.verbose)))
			continue;
		printf("%c\t%s %2d %c lo=%08x obj=%016llx rt=%02x key=%016llx "
		    "tid=%016llx", inside ? 'G' : 'B',
		    i == node.count ? "RBN" : "ELM", i,
		    e->base.btype ? e->base.btype : '?', e->base.localization,
		    (unsigned long long)e->base.obj_id, e->base.rec_type,
		    (unsigned long long)e->base.key,
		    (unsigned long long)e->base.create_tid);
		if (i < node.count)
			printf(" suboff=%016llx mirror=%016llx",
			    (unsigned long long)e->internal.subtree_offset,
			    (unsigned long long)e->internal.mirror_tid);
		printf("\n");
	}
	if (!(opts.quiet > 1 && c == 'G'))
		printf("     \t}\n");
	for (i = 0; internal && i < node.count; i++) {
		if (wanted_range(&node.elms[i]))
			show_node(node.elms[i].internal.subtree_offset, off,
			    &node.elms[i], depth + 1);
	}
}

int
cmd_show(int argc, char **argv)
{
	char *end;

	if (argc > 1 && strcmp(argv[1], "filter") != 0 &&
	    strcmp(argv[1], "nofilter") != 0) {
		limited = true;
		only_loc = (uint32_t)strtoul(argv[1], &end, 16);
		if (*end == ':') {
			only_obj_set = true;
			only_obj = (int64_t)strtoull(end + 1, &end, 16);
		}
		if (*end != 0)
			hd_fatal("hammer: show: bad localization[:object_id]: "
			    "%s", argv[1]);
	}
	fs = tool_volumes();
	if (opts.quiet < 3)
		tool_header(fs);
	show_node(fs->hf_root->vol0_btree_root, 0, NULL, 0);
	printf("%d errors\n", errors);
	hd_close(fs);
	return errors == 0 ? 0 : 1;
}
