KERN_SRCS += sys/vfs/syscalls/vfs_files.c sys/vfs/syscalls/vfs_names.c \
	sys/vfs/syscalls/vfs_rename.c \
	sys/vfs/syscalls/vfs_root.c sys/vfs/syscalls/vfs_setattr.c
# Descriptors, and the system calls on files: they need processes.
ifneq ($(wildcard sys/kern/kern_exit.c),)
KERN_SRCS += sys/kern/kern_desc.c sys/kern/kern_pipe.c sys/kern/kern_poll.c \
	sys/vfs/syscalls/sc_device.c sys/vfs/syscalls/sc_fd.c \
	sys/vfs/syscalls/sc_fifo.c sys/vfs/syscalls/sc_file.c \
	sys/vfs/syscalls/sc_io.c sys/vfs/syscalls/sc_lock.c \
	sys/vfs/syscalls/sc_mount.c sys/vfs/syscalls/sc_names.c \
	sys/vfs/syscalls/sc_open.c sys/vfs/syscalls/sc_path.c \
	sys/vfs/syscalls/sc_stat.c
endif
