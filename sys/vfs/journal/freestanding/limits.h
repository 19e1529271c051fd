/* SPDX-License-Identifier: BSD-2-Clause */
/* For xxhash.h only: nothing of it is needed. */
