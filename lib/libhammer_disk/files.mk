LIBHAMMER_DISK_PURE := lib/libhammer_disk/hdisk.c lib/libhammer_disk/hmkfs.c \
	lib/libhammer_disk/hcheck.c
LIBHAMMER_DISK_SRCS := $(LIBHAMMER_DISK_PURE) sys/vfs/hammer/hammer_crc.c
HOST_SRCS += $(LIBHAMMER_DISK_PURE)
