HOST_TOOLS += mkroot
mkroot_SRCS := release/mkroot/mkroot.c release/mkroot/mkroot_fill.c
HOST_SRCS += release/mkroot/mkroot.c
