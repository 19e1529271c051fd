PORTABLE_TOOLS += newfs_hammer
newfs_hammer_SRCS := sbin/newfs_hammer/newfs_hammer.c $(LIBHAMMER_DISK_SRCS)
newfs_hammer_DEST := /sbin/newfs_hammer
