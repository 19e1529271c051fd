KERN_SRCS += sys/vfs/tmpfs/tmpfs_file.c sys/vfs/tmpfs/tmpfs_names.c \
	sys/vfs/tmpfs/tmpfs_node.c sys/vfs/tmpfs/tmpfs_rename.c \
	sys/vfs/tmpfs/tmpfs_vfsops.c
