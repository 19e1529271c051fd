/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intrusive lists.  LIST: doubly linked, head is one pointer.  STAILQ: singly
 * linked with a tail.  TAILQ: doubly linked with a tail.  The names and
 * meanings are the traditional BSD ones.
 */
#ifndef _SYS_QUEUE_H_
#define _SYS_QUEUE_H_

#define LIST_HEAD(name, type)	struct name { struct type *lh_first; }
#define LIST_HEAD_INITIALIZER	{ NULL }
#define LIST_ENTRY(type)	struct { struct type *le_next, **le_prev; }
#define LIST_INIT(h)		((h)->lh_first = NULL)
#define LIST_EMPTY(h)		((h)->lh_first == NULL)
#define LIST_FIRST(h)		((h)->lh_first)
#define LIST_NEXT(e, f)		((e)->f.le_next)
#define LIST_FOREACH(v, h, f) \
	for ((v) = LIST_FIRST(h); (v); (v) = LIST_NEXT(v, f))
#define LIST_FOREACH_SAFE(v, h, f, t) \
	for ((v) = LIST_FIRST(h); (v) && ((t) = LIST_NEXT(v, f), 1); (v) = (t))
#define LIST_INSERT_HEAD(h, e, f) do {					\
	if (((e)->f.le_next = (h)->lh_first) != NULL)			\
		(h)->lh_first->f.le_prev = &(e)->f.le_next;		\
	(h)->lh_first = (e);						\
	(e)->f.le_prev = &(h)->lh_first;				\
} while (0)
#define LIST_REMOVE(e, f) do {						\
	if ((e)->f.le_next != NULL)					\
		(e)->f.le_next->f.le_prev = (e)->f.le_prev;		\
	*(e)->f.le_prev = (e)->f.le_next;				\
} while (0)

#define STAILQ_HEAD(name, type) \
	struct name { struct type *sq_first, **sq_last; }
#define STAILQ_HEAD_INITIALIZER(h) { NULL, &(h).sq_first }
#define STAILQ_ENTRY(type)	struct { struct type *sq_next; }
#define STAILQ_INIT(h) \
	((h)->sq_first = NULL, (h)->sq_last = &(h)->sq_first)
#define STAILQ_EMPTY(h)		((h)->sq_first == NULL)
#define STAILQ_FIRST(h)		((h)->sq_first)
#define STAILQ_NEXT(e, f)	((e)->f.sq_next)
#define STAILQ_FOREACH(v, h, f) \
	for ((v) = STAILQ_FIRST(h); (v); (v) = STAILQ_NEXT(v, f))
#define STAILQ_INSERT_TAIL(h, e, f) do {				\
	(e)->f.sq_next = NULL;						\
	*(h)->sq_last = (e);						\
	(h)->sq_last = &(e)->f.sq_next;					\
} while (0)
#define STAILQ_INSERT_HEAD(h, e, f) do {				\
	if (((e)->f.sq_next = (h)->sq_first) == NULL)			\
		(h)->sq_last = &(e)->f.sq_next;				\
	(h)->sq_first = (e);						\
} while (0)
#define STAILQ_REMOVE_HEAD(h, f) do {					\
	if (((h)->sq_first = (h)->sq_first->f.sq_next) == NULL)		\
		(h)->sq_last = &(h)->sq_first;				\
} while (0)
#define STAILQ_CONCAT(a, b) do {					\
	if (!STAILQ_EMPTY(b)) {						\
		*(a)->sq_last = (b)->sq_first;				\
		(a)->sq_last = (b)->sq_last;				\
		STAILQ_INIT(b);						\
	}								\
} while (0)

#define TAILQ_HEAD(name, type) \
	struct name { struct type *tq_first, **tq_last; }
#define TAILQ_HEAD_INITIALIZER(h) { NULL, &(h).tq_first }
#define TAILQ_ENTRY(type)	struct { struct type *tq_next, **tq_prev; }
#define TAILQ_INIT(h) \
	((h)->tq_first = NULL, (h)->tq_last = &(h)->tq_first)
#define TAILQ_EMPTY(h)		((h)->tq_first == NULL)
#define TAILQ_FIRST(h)		((h)->tq_first)
#define TAILQ_NEXT(e, f)	((e)->f.tq_next)
/* A head and an entry have the same layout, which LAST and PREV rely on. */
#define TAILQ_LAST(h, name) \
	(*(((struct name *)((h)->tq_last))->tq_last))
#define TAILQ_PREV(e, name, f) \
	(*(((struct name *)((e)->f.tq_prev))->tq_last))
#define TAILQ_FOREACH(v, h, f) \
	for ((v) = TAILQ_FIRST(h); (v); (v) = TAILQ_NEXT(v, f))
#define TAILQ_FOREACH_SAFE(v, h, f, t) \
	for ((v) = TAILQ_FIRST(h); (v) && ((t) = TAILQ_NEXT(v, f), 1); (v) = (t))
#define TAILQ_FOREACH_REVERSE(v, h, name, f) \
	for ((v) = TAILQ_LAST(h, name); (v); (v) = TAILQ_PREV(v, name, f))
#define TAILQ_INSERT_HEAD(h, e, f) do {					\
	if (((e)->f.tq_next = (h)->tq_first) != NULL)			\
		(h)->tq_first->f.tq_prev = &(e)->f.tq_next;		\
	else								\
		(h)->tq_last = &(e)->f.tq_next;				\
	(h)->tq_first = (e);						\
	(e)->f.tq_prev = &(h)->tq_first;				\
} while (0)
#define TAILQ_INSERT_TAIL(h, e, f) do {					\
	(e)->f.tq_next = NULL;						\
	(e)->f.tq_prev = (h)->tq_last;					\
	*(h)->tq_last = (e);						\
	(h)->tq_last = &(e)->f.tq_next;					\
} while (0)
#define TAILQ_INSERT_AFTER(h, at, e, f) do {				\
	if (((e)->f.tq_next = (at)->f.tq_next) != NULL)			\
		(e)->f.tq_next->f.tq_prev = &(e)->f.tq_next;		\
	else								\
		(h)->tq_last = &(e)->f.tq_next;				\
	(at)->f.tq_next = (e);						\
	(e)->f.tq_prev = &(at)->f.tq_next;				\
} while (0)
#define TAILQ_INSERT_BEFORE(at, e, f) do {				\
	(e)->f.tq_prev = (at)->f.tq_prev;				\
	(e)->f.tq_next = (at);						\
	*(at)->f.tq_prev = (e);						\
	(at)->f.tq_prev = &(e)->f.tq_next;				\
} while (0)
#define TAILQ_REMOVE(h, e, f) do {					\
	if ((e)->f.tq_next != NULL)					\
		(e)->f.tq_next->f.tq_prev = (e)->f.tq_prev;		\
	else								\
		(h)->tq_last = (e)->f.tq_prev;				\
	*(e)->f.tq_prev = (e)->f.tq_next;				\
} while (0)

#endif
