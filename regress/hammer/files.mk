HAMMER_TEST_SRCS := regress/hammer/mkimg.c regress/hammer/oracle.c \
	$(LIBHAMMER_DISK_PURE)
HOST_SRCS += regress/hammer/mkimg.c
TESTS += hammer_core hammer_crash
TSAN_TESTS += hammer_core
hammer_core_SRCS := regress/hammer/core.c $(HAMMER_TEST_SRCS)
hammer_crash_SRCS := regress/hammer/crash.c $(HAMMER_TEST_SRCS)
# vnode operations
HAMMER_FX_SRCS := regress/hammer/fx.c regress/hammer/mkimg.c \
	$(LIBHAMMER_DISK_PURE)
TESTS += hammer_fs
hammer_fs_SRCS := regress/hammer/fs.c $(HAMMER_FX_SRCS)
TESTS += hammer_model
hammer_model_SRCS = regress/hammer/model.c $(HAMMER_FX_SRCS) $(FSOPS_SRCS)
# the tools' code alone
UNIT_TESTS += hammer_newfs
hammer_newfs_SRCS := regress/hammer/newfs.c regress/hammer/mkimg.c \
	$(LIBHAMMER_DISK_SRCS)
TESTS += hammer_smp
TSAN_TESTS += hammer_smp
hammer_smp_SRCS := regress/hammer/smp.c $(HAMMER_FX_SRCS)
