PORTABLE_TOOLS += jscan
jscan_SRCS := sbin/jscan/jscan.c $(LIBJOURNAL_SRCS) $(JFORMAT_SRCS)
jscan_DEST := /sbin/jscan
HOST_SRCS += sbin/jscan/jscan.c
