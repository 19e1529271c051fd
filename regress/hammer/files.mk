HAMMER_TEST_SRCS := regress/hammer/mkimg.c regress/hammer/oracle.c \
	$(LIBHAMMER_DISK_PURE)
HOST_SRCS += regress/hammer/mkimg.c
TESTS += hammer_core
hammer_core_SRCS := regress/hammer/core.c $(HAMMER_TEST_SRCS)
