# Needs processes.
ifneq ($(wildcard sys/kern/kern_exit.c),)
KERN_SRCS += sys/vfs/procfs/procfs_tree.c sys/vfs/procfs/procfs_sys.c \
	sys/vfs/procfs/procfs_pid.c
endif
