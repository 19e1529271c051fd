# SPDX-License-Identifier: BSD-2-Clause
H	:= sys/vfs/hammer
# the core
KERN_SRCS += $(addprefix $H/, hammer_crc.c)
# vnode operations and upkeep
