KERN_SRCS += sys/vfs/journal/jhash.c sys/vfs/journal/jrec.c \
	sys/vfs/journal/jlog.c sys/vfs/journal/jtarget.c \
	sys/vfs/journal/jmapped.c sys/vfs/journal/journal_layer.c \
	sys/vfs/journal/jbase.c sys/vfs/journal/journal.c \
	sys/vfs/journal/journal_ctl.c

# jhash.c alone includes a header of the build machine (xxhash.h).
JHASH_INC := -Isys/vfs/journal/freestanding -idirafter /usr/include
$(B)/pc64/sys/vfs/journal/jhash.c.o: PC64_CFLAGS += $(JHASH_INC)
$(B)/host/sys/vfs/journal/jhash.c.o: HOST_CFLAGS += $(JHASH_INC)
$(B)/asan/sys/vfs/journal/jhash.c.o: ASAN_CFLAGS += $(JHASH_INC)
$(B)/tsan/sys/vfs/journal/jhash.c.o: TSAN_CFLAGS += $(JHASH_INC)
$(B)/user/sys/vfs/journal/jhash.c.o: USER_CFLAGS += $(JHASH_INC)
