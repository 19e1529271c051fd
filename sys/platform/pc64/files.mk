# The x86-64 PC.
pc64 := sys/platform/pc64
PC64_SRCS += $(pc64)/locore.S
PC64_SRCS += $(pc64)/exception.S
PC64_SRCS += $(pc64)/mpboot.S
PC64_SRCS += $(pc64)/acpi_tables.c
PC64_SRCS += $(pc64)/bootinfo.c
PC64_SRCS += $(pc64)/cpu.c
PC64_SRCS += $(pc64)/entropy.c
PC64_SRCS += $(pc64)/fpu.c
PC64_SRCS += $(pc64)/fwcfg.c
PC64_SRCS += $(pc64)/init.c
PC64_SRCS += $(pc64)/intr.c
PC64_SRCS += $(pc64)/ioapic.c
PC64_SRCS += $(pc64)/lapic.c
PC64_SRCS += $(pc64)/mp.c
PC64_SRCS += $(pc64)/pmap.c
PC64_SRCS += $(pc64)/pmap_boot.c
PC64_SRCS += $(pc64)/power.c
PC64_SRCS += $(pc64)/stackprot.c
PC64_SRCS += $(pc64)/symbol.c
PC64_SRCS += $(pc64)/systimer.c
PC64_SRCS += $(pc64)/thread.c
PC64_SRCS += $(pc64)/trap.c

# Structure offsets for exception.S.
$(B)/pc64/assym.h: $(pc64)/assym.c sys/sys/globaldata.h sys/sys/thread.h \
    $(pc64)/include/machine/cpu.h sys/cpu/x86_64/include/cpu/frame.h
	@mkdir -p $(@D)
	$(CC) $(PC64_CFLAGS) -S -o $@.s $<
	awk '/^@ASSYM/ { print "#define", $$2, $$3 }' $@.s > $@
$(B)/pc64/$(pc64)/exception.S.o: $(B)/pc64/assym.h
$(B)/pc64/$(pc64)/exception.S.o: PC64_CFLAGS += -I$(B)/pc64
