/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomic operations by compiler builtins.  Plain names are sequentially
 * consistent; _relaxed, _acq and _rel say otherwise.  They work on any
 * naturally aligned integer or pointer.
 */
#ifndef _SYS_ATOMIC_H_
#define _SYS_ATOMIC_H_

#define atomic_load(p)		__atomic_load_n((p), __ATOMIC_SEQ_CST)
#define atomic_load_acq(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define atomic_load_relaxed(p)	__atomic_load_n((p), __ATOMIC_RELAXED)
#define atomic_store(p, v)	__atomic_store_n((p), (v), __ATOMIC_SEQ_CST)
#define atomic_store_rel(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define atomic_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define atomic_swap(p, v)	__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
/* These five return the value from before. */
#define atomic_fetch_add(p, v)	__atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_sub(p, v)	__atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_or(p, v)	__atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_and(p, v)	__atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
/* Compare *p with *expected and set it to want; true if it was done. */
#define atomic_cmpset(p, expected, want)				\
	__atomic_compare_exchange_n((p), (expected), (want), 0,		\
	    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define atomic_fence()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define compiler_fence()	__atomic_signal_fence(__ATOMIC_SEQ_CST)

#endif
