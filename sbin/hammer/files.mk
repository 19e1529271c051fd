PORTABLE_TOOLS += hammer
HAMMER_CMDS := cmd_blockmap cmd_checkmap cmd_namekey cmd_show cmd_show_undo
hammer_SRCS := sbin/hammer/hammer.c sbin/hammer/volumes.c \
	$(patsubst %,sbin/hammer/%.c,$(HAMMER_CMDS)) $(LIBHAMMER_DISK_SRCS)
hammer_DEST := /sbin/hammer
