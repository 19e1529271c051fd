LIBHAMMER_DISK_SRCS := lib/libhammer_disk/hdisk.c lib/libhammer_disk/hmkfs.c \
	sys/vfs/hammer/hammer_crc.c
