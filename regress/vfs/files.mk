# Random operations against the model, for any filesystem's tests.
FSOPS_SRCS := regress/vfs/fsops.c regress/model/model.c \
	regress/model/model_check.c

TESTS += vfs_smoke vfs_model_tmpfs
vfs_smoke_SRCS := regress/vfs/smoke.c
vfs_model_tmpfs_SRCS := regress/vfs/model_tmpfs.c $(FSOPS_SRCS)

TESTS += vfs_pages
TSAN_TESTS += vfs_pages
vfs_pages_SRCS := regress/vfs/pages.c
