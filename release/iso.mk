# SPDX-License-Identifier: BSD-2-Clause
#
# The boot medium, and running it.
#
#   make iso     build/anax.iso: GRUB (BIOS) and the kernel, nothing else
#   make run     boot it: build/root.img is vbd0, DISK (build/disk.img) is vbd1,
#		 DISK3, if given, is vbd2.  The console is this terminal; ^C goes
#		 to the guest, ^A x ends QEMU.
#		 APPEND="words for the kernel" SMP=4 MEM=1G DISK=file DISK3=file QEMU_FLAGS="..."

ISO	:= $(B)/anax.iso
SMP	?= 2
MEM	?= 512M
DISK	?= $(B)/disk.img
DISK3	?=
QEMU	?= qemu-system-x86_64
QEMU_FLAGS ?=

GRUB_MODULES := multiboot2 normal configfile boot iso9660 biosdisk \
	part_msdos serial terminal minicmd

iso: $(ISO)
$(ISO): $(B)/pc64/anax.elf release/boot/grub.cfg
	rm -rf $(B)/iso
	mkdir -p $(B)/iso/boot/grub
	cp release/boot/grub.cfg $(B)/iso/boot/grub/grub.cfg
	strip -g -o $(B)/iso/boot/anax.elf $<
	grub-mkrescue -d /usr/lib/grub/i386-pc -o $@.tmp \
	    --install-modules="$(GRUB_MODULES)" \
	    --locales= --themes= --fonts= $(B)/iso \
	    > $(B)/iso.log 2>&1 || { cat $(B)/iso.log; rm -f $@.tmp; exit 1; }
	mv $@.tmp $@

# The user's own disk: made once, 4 GB without holding them, and kept.
$(B)/disk.img:
	@mkdir -p $(@D)
	truncate -s 4G $@

qemu_disk = -drive file=$(1),format=raw,if=none,id=$(2),cache=writeback,discard=unmap \
	-device virtio-blk-pci,drive=$(2)

.PHONY: iso run run-qemu
run: deps
	@$(MAKE) all
	@$(MAKE) run-qemu
run-qemu: $(ISO) $(DISK)
	size=$$(stty size 2>/dev/null | tr ' ' x); \
	$(QEMU) -accel tcg -machine q35 -cpu max -smp $(SMP) -m $(MEM) \
	    -fw_cfg "name=opt/anax/cmdline,string=winsize=$${size:-25x80} $(APPEND)" \
	    -cdrom $(ISO) -boot d -display none -serial mon:stdio -nic none \
	    -no-reboot \
	    $(if $(wildcard $(B)/root.img),$(call qemu_disk,$(B)/root.img,root)) \
	    $(call qemu_disk,$(DISK),disk) \
	    $(if $(DISK3),$(call qemu_disk,$(DISK3),disk3)) \
	    $(QEMU_FLAGS)
