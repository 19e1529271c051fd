TESTS += vfs_smoke
vfs_smoke_SRCS := regress/vfs/smoke.c
