UNIT_TESTS += journal_format
journal_format_SRCS := regress/journal/format.c regress/journal/oracle.c \
	$(LIBJOURNAL_SRCS) $(JFORMAT_SRCS)
