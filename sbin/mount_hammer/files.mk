# SPDX-License-Identifier: BSD-2-Clause
USER_PROGS += mount_hammer
mount_hammer_SRCS := sbin/mount_hammer/mount_hammer.c
mount_hammer_DEST := /sbin/mount_hammer
