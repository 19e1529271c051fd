# SPDX-License-Identifier: BSD-2-Clause
USER_PROGS += undo
undo_SRCS := $(addprefix usr.bin/undo/,undo.c history.c when.c restore.c)
undo_DEST := /usr/bin/undo
