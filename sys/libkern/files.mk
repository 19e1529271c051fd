KERN_SRCS += sys/libkern/rbtree.c
KERN_SRCS += sys/libkern/kstring.c
PC64_SRCS += sys/libkern/string.c
