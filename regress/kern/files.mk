TESTS += kern_boot kern_disk
TSAN_TESTS += kern_boot kern_disk
kern_boot_SRCS := regress/kern/boot.c
kern_disk_SRCS := regress/kern/disk.c
