# SPDX-License-Identifier: BSD-2-Clause
H	:= sys/vfs/hammer
# the core
KERN_SRCS += $(addprefix $H/, hammer_crc.c hammer_volume.c hammer_io.c \
	hammer_buffer.c hammer_fifo.c hammer_key.c hammer_node.c \
	hammer_btree_search.c hammer_btree_insert.c hammer_btree_delete.c \
	hammer_freemap.c hammer_trans.c hammer_cursor.c hammer_record.c \
	hammer_flusher.c hammer_recover.c hammer_mount.c)
# vnode operations and upkeep
KERN_SRCS += $(addprefix $H/, hammer_asof.c hammer_data.c hammer_dir.c \
	hammer_history.c hammer_inode.c hammer_ioctl.c hammer_orphan.c \
	hammer_pfs.c hammer_version.c hammer_vfsops.c hammer_vnops_attr.c \
	hammer_vnops_dir.c hammer_vnops_file.c hammer_vnops_name.c)
