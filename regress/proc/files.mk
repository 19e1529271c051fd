# A program for the guest (and for Linux, its oracle).
USER_PROGS += ptest
ptest_SRCS := regress/proc/ptest.c
ptest_DEST := /usr/libexec/ptest
BOOT_TESTS += regress/proc/boot
USER_PROGS += pfuzz
pfuzz_SRCS := regress/proc/pfuzz.c
pfuzz_DEST := /usr/libexec/pfuzz
