KERN_TESTS := boot callout disk ipi lock port slab sleep slices token
TESTS += $(KERN_TESTS:%=kern_%)
TSAN_TESTS += $(KERN_TESTS:%=kern_%)
kern_boot_SRCS := regress/kern/boot.c
kern_callout_SRCS := regress/kern/callout.c
kern_disk_SRCS := regress/kern/disk.c
kern_ipi_SRCS := regress/kern/ipi.c
kern_lock_SRCS := regress/kern/lock.c
kern_port_SRCS := regress/kern/port.c
kern_slab_SRCS := regress/kern/slab.c
kern_sleep_SRCS := regress/kern/sleep.c
kern_slices_SRCS := regress/kern/slices.c
kern_token_SRCS := regress/kern/token.c
