# SPDX-License-Identifier: BSD-2-Clause
#
# The kernel of the PC, linked twice: the second pass holds the symbol table
# that was made from the first.

KERNEL	:= $(B)/pc64/anax.elf
KLINK	= ld -nostdlib -static -z max-page-size=4096 -z noexecstack \
	--no-warn-rwx-segments -T sys/platform/pc64/ldscript

$(B)/pc64/ksyms0.S: sys/platform/pc64/mksyms.py
	@mkdir -p $(@D)
	python3 $< < /dev/null > $@
$(B)/pc64/pass1.elf: $(PC64_OBJS) $(B)/pc64/ksyms0.S sys/platform/pc64/ldscript
	$(CC) -c $(B)/pc64/ksyms0.S -o $(B)/pc64/ksyms0.o
	$(KLINK) -o $@ $(PC64_OBJS) $(B)/pc64/ksyms0.o
$(B)/pc64/ksyms.o: $(B)/pc64/pass1.elf
	nm -n $< | python3 sys/platform/pc64/mksyms.py > $(B)/pc64/ksyms.S
	$(CC) -c $(B)/pc64/ksyms.S -o $@
$(KERNEL): $(B)/pc64/ksyms.o
	$(KLINK) -o $@ $(PC64_OBJS) $<

.PHONY: kernel
kernel: $(KERNEL)
