KERN_TESTS := boot callout disk ipi lock port slab sleep slices token
TESTS += $(KERN_TESTS:%=kern_%)
TSAN_TESTS += $(KERN_TESTS:%=kern_%)
kern_boot_SRCS := regress/kern/boot.c
kern_callout_SRCS := regress/kern/callout.c
kern_disk_SRCS := regress/kern/disk.c
kern_ipi_SRCS := regress/kern/ipi.c
kern_lock_SRCS := regress/kern/lock.c
kern_port_SRCS := regress/kern/port.c
kern_slab_SRCS := regress/kern/slab.c
kern_sleep_SRCS := regress/kern/sleep.c
kern_slices_SRCS := regress/kern/slices.c
kern_token_SRCS := regress/kern/token.c

# The same cases on the PC: each a kernel of its own that runs them and powers
# off, linked twice for its symbols like the real one (release/kernel.mk).
KERN_BOOTED := callout ipi lock port slab sleep token
KERN_BOOTED_ELFS := $(KERN_BOOTED:%=$(B)/pc64/test/kern_%.elf)
BOOT_TESTS += regress/kern/booted
test-run: $(KERN_BOOTED_ELFS)

$(B)/pc64/test/kern_%.elf: $(B)/pc64/regress/kern/%.c.o \
    $(B)/pc64/regress/env/env_pc64.c.o $(B)/pc64/regress/env/env_parallel.c.o \
    $(B)/pc64/anax.elf
	@mkdir -p $(@D)
	$(KLINK) -o $@.1 $(PC64_OBJS) $(filter %.o,$^) $(B)/pc64/ksyms0.o
	nm -n $@.1 | python3 sys/platform/pc64/mksyms.py > $@.S
	$(CC) -c $@.S -o $@.o
	$(KLINK) -o $@ $(PC64_OBJS) $(filter %.o,$^) $@.o
	@rm -f $@.1 $@.S $@.o
.PRECIOUS: $(B)/pc64/regress/%.o
