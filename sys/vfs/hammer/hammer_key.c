/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Order of B-Tree keys, and separators.
 *
 * K1  Order: localization, obj_id, rec_type, key, create_tid.  delete_tid is
 *     no part of it.  create_tid 0, met in separators of other systems only,
 *     is above all others.
 * K2  A separator lies above the left key and not above the right one.
 */
#include "hammer_core.h"

const struct hammer_base_elm hammer_key_min = {
	.obj_id = HAMMER_MIN_OBJID, .key = HAMMER_MIN_KEY,
	.create_tid = 1, .delete_tid = 1,
};

const struct hammer_base_elm hammer_key_max = {
	.obj_id = HAMMER_MAX_OBJID, .key = HAMMER_MAX_KEY,
	.create_tid = HAMMER_MAX_TID, .delete_tid = 0,
	.rec_type = HAMMER_RECTYPE_MAX, .localization = 0xffffffffU,
};

/* Midpoint in (a, b], rounded up; a < b as unsigned differences. */
static uint64_t
mid64(uint64_t a, uint64_t b)
{
	uint64_t d = b - a;

	return a + (d >> 1) + (d & 1);
}

void
hammer_key_separator(const struct hammer_base_elm *l,
    const struct hammer_base_elm *r, struct hammer_base_elm *sep)
{
	memset(sep, 0, sizeof(*sep));
	sep->localization = r->localization;
	sep->obj_id = r->obj_id;
	sep->rec_type = r->rec_type;
	sep->key = r->key;
	sep->create_tid = r->create_tid;
	if (l->localization != r->localization)
		sep->localization = (uint32_t)mid64(l->localization,
		    r->localization);
	else if (l->obj_id != r->obj_id)
		sep->obj_id = (int64_t)mid64((uint64_t)l->obj_id,
		    (uint64_t)r->obj_id);
	else if (l->rec_type != r->rec_type)
		sep->rec_type = (uint16_t)mid64(l->rec_type, r->rec_type);
	else if (l->key != r->key)
		sep->key = (int64_t)mid64((uint64_t)l->key, (uint64_t)r->key);
}
