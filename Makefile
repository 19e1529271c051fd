# SPDX-License-Identifier: BSD-2-Clause
#
# One entry.  `make` builds everything, `make run` boots it, `make test` tests
# it.  Every folder lists its files in a files.mk:
#
#   KERN_SRCS    neutral kernel code, built for both platforms
#   PC64_SRCS    kernel code of the PC platform      VK_SRCS  of the hosted one
#   USER_PROGS   static musl programs:  NAME_SRCS    (installed as NAME_DEST)
#   HOST_TOOLS   programs for the Linux host, linked with the hosted kernel:
#                NAME_SRCS; they land in build/host/bin/
#   PORTABLE_TOOLS   plain C programs: as USER_PROGS, and for the Linux host
#                without the kernel, into build/host/bin/
#   TESTS        hosted test programs: NAME_SRCS, linked with the hosted kernel
#                under ASan and UBSan; TSAN_TESTS: built under TSan as well
#   UNIT_TESTS   the same, without the kernel (pure format code): NAME_SRCS
#   KERN_TEST_SRCS  sources of UNIT_TESTS that use kernel headers
#   BOOT_TESTS   programs that boot the system in QEMU and talk to its console
#   HOST_SRCS    hosted sources that use the host's headers: for them sys/ is
#                searched last, so that <sys/stat.h> is the host's and
#                <vfs/hammer/hammer_disk.h> is still found.  (User programs and
#                UNIT_TESTS are built that way too.)

B	:= build
# V=1 shows the commands.
Q	:= $(if $(V),,@)
CC	?= gcc
MUSL_CC	?= musl-gcc

all: iso root host

KERN_SRCS :=
PC64_SRCS :=
VK_SRCS :=
USER_PROGS :=
HOST_TOOLS :=
PORTABLE_TOOLS :=
TESTS :=
TSAN_TESTS :=
UNIT_TESTS :=
HOST_SRCS :=
BOOT_TESTS :=

include $(sort $(wildcard sys/*/files.mk sys/*/*/files.mk sys/*/*/*/files.mk))
include $(sort $(wildcard lib/*/files.mk sbin/files.mk sbin/*/files.mk usr.bin/*/files.mk))
include $(sort $(wildcard release/*/files.mk))
include $(sort $(wildcard regress/files.mk regress/*/files.mk))

WARN	:= -std=gnu11 -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes
INC	:= -Isys
KINC	:= -Isys/platform

PC64_CFLAGS := $(WARN) -O2 -g -ffreestanding -mcmodel=kernel -mno-red-zone \
	-mgeneral-regs-only -fno-pic -fno-pie -fstack-protector-strong \
	-mstack-protector-guard=global -fno-omit-frame-pointer \
	-fno-strict-aliasing -fno-asynchronous-unwind-tables \
	-Isys -Isys/platform -Isys/platform/pc64/include -Isys/cpu/x86_64/include \
	-I$(B)/gen

VK_BASE := $(WARN) -g -fno-strict-aliasing -fno-omit-frame-pointer -pthread
VK_INC	:= -Isys -Isys/platform -Isys/platform/vkernel/include \
	-Isys/cpu/x86_64/include
HOST_INC := $(subst -I,-idirafter ,$(VK_INC)) -idirafter lib
UNIT_SRCS = $(foreach t,$(UNIT_TESTS),$($(t)_SRCS))
vk_inc	= $(if $(filter $(1),$(HOST_SRCS) $(filter-out sys/% $(KERN_TEST_SRCS),$(UNIT_SRCS))),$(HOST_INC),$(VK_INC))
HOST_CFLAGS := $(VK_BASE) -O2
ASAN_CFLAGS := $(VK_BASE) -O1 -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
TSAN_CFLAGS := $(VK_BASE) -O1 -fsanitize=thread -Wno-tsan

-include $(shell find $(B)/pc64 $(B)/host $(B)/asan $(B)/tsan $(B)/user $(B)/tool -type f -name '*.d' 2>/dev/null)

# ---- kernel for the PC -------------------------------------------------
PC64_OBJS := $(patsubst %,$(B)/pc64/%.o,$(KERN_SRCS) $(PC64_SRCS))

$(B)/pc64/%.o: %
	@mkdir -p $(@D)
	$(Q)$(CC) $(PC64_CFLAGS) -MD -MP -c $< -o $@

FORCE:

# ---- hosted kernel, three ways -----------------------------------------
define hosted
$(1)_OBJS := $$(patsubst %,$(B)/$(1)/%.o,$$(KERN_SRCS) $$(VK_SRCS))
$(B)/$(1)/%.o: %
	@mkdir -p $$(@D)
	$(Q)$(CC) $$($(2)) $$(call vk_inc,$$<) -MD -MP -c $$< -o $$@
# The list is a prerequisite too: an object that went away must leave.
$(B)/$(1)/objs.list: FORCE
	@mkdir -p $$(@D); echo $$($(1)_OBJS) | cmp -s - $$@ || \
	    echo $$($(1)_OBJS) > $$@
$(B)/$(1)/libkernel.a: $$($(1)_OBJS) $(B)/$(1)/objs.list
	@rm -f $$@
	@ar rcs $$@ $$(filter %.o,$$^)
endef
$(eval $(call hosted,host,HOST_CFLAGS))
$(eval $(call hosted,asan,ASAN_CFLAGS))
$(eval $(call hosted,tsan,TSAN_CFLAGS))

# The whole kernel goes in, as on the PC: init_main.c's table refers to
# subsystems weakly, which would not pull them out of an archive.
whole	= -Wl,--whole-archive \
	$(B)/$(1)/libkernel.a -Wl,--no-whole-archive

define host_tool
$(B)/host/bin/$(1): $$(patsubst %,$(B)/host/%.o,$$($(1)_SRCS)) $(B)/host/libkernel.a
	@mkdir -p $$(@D)
	$(Q)$(CC) $$(HOST_CFLAGS) -o $$@ $$(filter-out %.a,$$^) $$(call whole,host) $$($(1)_LIBS)
endef
$(foreach t,$(HOST_TOOLS),$(eval $(call host_tool,$(t))))

define hosted_test
$(B)/$(2)/test/$(1): $$(patsubst %,$(B)/$(2)/%.o,$$($(1)_SRCS) $$(ENV_SRCS)) $(B)/$(2)/libkernel.a
	@mkdir -p $$(@D)
	$(Q)$(CC) $$($(3)) -o $$@ $$(filter-out %.a,$$^) $$(call whole,$(2)) $$($(1)_LIBS)
endef
$(foreach t,$(TESTS),$(eval $(call hosted_test,$(t),asan,ASAN_CFLAGS)))
$(foreach t,$(TSAN_TESTS),$(eval $(call hosted_test,$(t),tsan,TSAN_CFLAGS)))

define unit_test
$(B)/asan/test/$(1): $$(patsubst %,$(B)/asan/%.o,$$($(1)_SRCS))
	@mkdir -p $$(@D)
	$(Q)$(CC) $$(ASAN_CFLAGS) -o $$@ $$^ $$($(1)_LIBS)
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$(t))))

# ---- user programs -----------------------------------------------------
USER_CFLAGS := -std=gnu11 -Wall -Wextra -Werror -O2 -g -static \
	-idirafter sys -idirafter lib
define user_prog
$(B)/user/$(1): $$(patsubst %,$(B)/user/%.o,$$($(1)_SRCS))
	@mkdir -p $$(@D)
	$(Q)$(MUSL_CC) $$(USER_CFLAGS) -o $$@ $$^ $$($(1)_LIBS)
endef
$(B)/user/%.o: %
	@mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(USER_CFLAGS) -MD -MP -c $< -o $@
USER_PROGS += $(PORTABLE_TOOLS)
$(foreach t,$(USER_PROGS),$(eval $(call user_prog,$(t))))

# The same sources for the host.
define portable_tool
$(B)/host/bin/$(1): $$(patsubst %,$(B)/tool/%.o,$$($(1)_SRCS))
	@mkdir -p $$(@D)
	$(Q)$(CC) -o $$@ $$^ $$($(1)_LIBS)
endef
$(B)/tool/%.o: %
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -static,$(USER_CFLAGS)) -MD -MP -c $< -o $@
$(foreach t,$(PORTABLE_TOOLS),$(eval $(call portable_tool,$(t))))

host: $(patsubst %,$(B)/host/bin/%,$(HOST_TOOLS) $(PORTABLE_TOOLS))
user: $(patsubst %,$(B)/user/%,$(USER_PROGS))

include $(sort $(wildcard release/*.mk))

# ---- tests -------------------------------------------------------------
HOSTED_TEST_BINS := $(patsubst %,$(B)/asan/test/%,$(TESTS) $(UNIT_TESTS)) \
	$(patsubst %,$(B)/tsan/test/%,$(TSAN_TESTS))

.PHONY: all host user check test test-run clean quick
# Everything compiles on both platforms; what a landing needs at the least.
quick: $(PC64_OBJS) $(B)/host/libkernel.a

# Hosted tests only: what a developer runs before each commit.
check: $(HOSTED_TEST_BINS)
	regress/run --hosted regress/lint/lint $(HOSTED_TEST_BINS)

# Everything: hosted tests under sanitizers, then booted ones over the serial
# console.  BOOT_TESTS are programs listed by regress/*/files.mk.
test: deps
	$(MAKE) test-run
test-run: $(HOSTED_TEST_BINS) all $(B)/initrd.cpio
	regress/run --hosted regress/lint/lint $(HOSTED_TEST_BINS) --boot $(BOOT_TESTS)

clean:
	rm -rf $(B)
