KERN_SRCS += sys/vfs/syscalls/vfs_files.c sys/vfs/syscalls/vfs_names.c \
	sys/vfs/syscalls/vfs_rename.c \
	sys/vfs/syscalls/vfs_root.c sys/vfs/syscalls/vfs_setattr.c
