UNIT_TESTS += journal_format
journal_format_SRCS := regress/journal/format.c regress/journal/oracle.c \
	$(LIBJOURNAL_SRCS) $(JFORMAT_SRCS)

TESTS += journal_layer
TSAN_TESTS += journal_layer
journal_layer_SRCS = regress/journal/layer.c $(LIBJOURNAL_PURE) \
	$(HAMMER_FX_SRCS)
BOOT_TESTS += regress/boot/journal
