PORTABLE_TOOLS += hammer
HAMMER_CMDS := cmd_blockmap cmd_checkmap cmd_namekey cmd_show cmd_show_undo \
	online cmd_config cmd_history cmd_info cmd_snapshot cmd_synctid
hammer_SRCS := sbin/hammer/hammer.c sbin/hammer/volumes.c \
	$(patsubst %,sbin/hammer/%.c,$(HAMMER_CMDS)) $(LIBHAMMER_DISK_SRCS)
hammer_DEST := /sbin/hammer
