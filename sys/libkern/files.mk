KERN_SRCS += sys/libkern/rbtree.c sys/libkern/kstring.c \
	sys/libkern/crc32.c
# The host's C library has these.
PC64_SRCS += sys/libkern/string.c
