/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sanitizers must be told when stacks change.  The conditionals are
 * on the compiler's own flags and stay in this header.
 */
#ifndef _VKERNEL_VK_SAN_H_
#define _VKERNEL_VK_SAN_H_

#include <stdbool.h>
#include <stddef.h>

#ifdef __SANITIZE_ADDRESS__
void	__sanitizer_start_switch_fiber(void **save, const void *lo, size_t);
void	__sanitizer_finish_switch_fiber(void *save, const void **lo, size_t *);
void	__asan_unpoison_memory_region(const void volatile *, size_t);
enum { VK_ASAN = 1 };
#define asan_start_switch(save, lo, size) \
	__sanitizer_start_switch_fiber((save), (lo), (size))
#define asan_finish_switch(save) \
	__sanitizer_finish_switch_fiber((save), NULL, NULL)
#define asan_unpoison(p, size)	__asan_unpoison_memory_region((p), (size))
#else
enum { VK_ASAN = 0 };
#define asan_start_switch(save, lo, size) \
	((void)(save), (void)(lo), (void)(size))
#define asan_finish_switch(save)	((void)(save))
#define asan_unpoison(p, size)		((void)(p), (void)(size))
#endif

#ifdef __SANITIZE_THREAD__
void	*__tsan_get_current_fiber(void);
void	*__tsan_create_fiber(unsigned flags);
void	__tsan_destroy_fiber(void *);
void	__tsan_switch_to_fiber(void *, unsigned flags);
enum { VK_TSAN = 1 };
#define tsan_fiber_self()	__tsan_get_current_fiber()
#define tsan_fiber_new()	__tsan_create_fiber(0)
#define tsan_fiber_free(f)	__tsan_destroy_fiber(f)
#define tsan_fiber_switch(f)	__tsan_switch_to_fiber((f), 0)
#else
enum { VK_TSAN = 0 };
#define tsan_fiber_self()	NULL
#define tsan_fiber_new()	NULL
#define tsan_fiber_free(f)	((void)(f))
#define tsan_fiber_switch(f)	((void)(f))
#endif

#endif
