USER_PROGS += mountctl
mountctl_SRCS := sbin/mountctl/mountctl.c $(LIBANAX_SRCS) $(LIBJOURNAL_SRCS) \
	$(JFORMAT_SRCS)
mountctl_DEST := /sbin/mountctl
