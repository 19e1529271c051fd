UNIT_TESTS += libkern_test
libkern_test_SRCS := regress/libkern/libkern_test.c sys/libkern/rbtree.c \
	sys/libkern/crc32.c
KERN_TEST_SRCS += regress/libkern/libkern_test.c
