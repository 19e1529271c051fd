/* SPDX-License-Identifier: BSD-2-Clause */
/* Images for tests, made and checked by the tools' own code (host side). */
#ifndef _REGRESS_HAMMER_MKIMG_H_
#define _REGRESS_HAMMER_MKIMG_H_

#include <stdint.h>

/* A fresh one-volume filesystem in a file of the host; 0 or -1. */
int	mkimg_create(const char *path, uint64_t size);
/* The same over several volumes. */
int	mkimg_create_n(char *const *paths, const uint64_t *sizes, int n);
int	mkimg_check_n(char *const *paths, int n, int verbose);
/* Errors that `hammer checkmap' and `hammer show' would report; -1: not even
 * readable.  Prints them when verbose. */
int	mkimg_check(const char *path, int verbose);
void	mkimg_remove(const char *path);
/* A name for a temporary file. */
void	mkimg_name(char *buf, unsigned long size);

#endif
