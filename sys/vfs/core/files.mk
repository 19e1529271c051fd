KERN_SRCS += sys/vfs/core/vfs_access.c sys/vfs/core/vfs_attr.c \
	sys/vfs/core/vfs_init.c sys/vfs/core/vfs_layer.c \
	sys/vfs/core/vfs_mount.c \
	sys/vfs/core/vfs_opcalls.c sys/vfs/core/vfs_pages.c \
	sys/vfs/core/vfs_syncer.c sys/vfs/core/vfs_vnode.c \
	sys/vfs/core/vfs_vop.c
