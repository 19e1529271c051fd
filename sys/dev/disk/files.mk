KERN_SRCS += sys/dev/disk/disk.c sys/dev/disk/disk_dev.c \
	sys/dev/disk/disk_inject.c sys/dev/disk/disk_slice.c
