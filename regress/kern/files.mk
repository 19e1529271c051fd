TESTS += kern_boot
kern_boot_SRCS := regress/kern/boot.c
TSAN_TESTS += kern_boot
