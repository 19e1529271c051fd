LIBJOURNAL_PURE := lib/libjournal/jfile.c lib/libjournal/jmodel.c \
	lib/libjournal/jextent.c lib/libjournal/jstate.c
LIBJOURNAL_SRCS := $(LIBJOURNAL_PURE) lib/libjournal/jtree.c \
	lib/libjournal/jshow.c
JFORMAT_SRCS := sys/vfs/journal/jrec.c sys/vfs/journal/jhash.c
HOST_SRCS += $(LIBJOURNAL_SRCS)
