# The Linux system call interface.  The table is made from syscalls.tbl.
PC64_SRCS += sys/abi/linux/linux_syscall.c
PC64_SRCS += sys/abi/linux/linux_trap.c
PC64_SRCS += sys/abi/linux/linux_sigframe.c

$(B)/gen/linux_syscalls.h: sys/abi/linux/syscalls.tbl sys/abi/linux/gen.py
	@mkdir -p $(@D)
	python3 sys/abi/linux/gen.py $< > $@.tmp && mv $@.tmp $@

$(B)/pc64/sys/abi/linux/linux_syscall.c.o: $(B)/gen/linux_syscalls.h
