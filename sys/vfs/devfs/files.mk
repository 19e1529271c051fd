KERN_SRCS += sys/vfs/devfs/devfs.c sys/vfs/devfs/devfs_mem.c
