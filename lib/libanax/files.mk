LIBANAX_SRCS := lib/libanax/mountctl.c
