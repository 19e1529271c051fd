# SPDX-License-Identifier: BSD-2-Clause
#
# The root filesystem: its manifest, the HAMMER image, and a cpio of the same
# things for fast test boots.

USER_DESTS = $(foreach t,$(USER_PROGS),$(t)=$(or $($(t)_DEST),/bin/$(t)))

# make deps: install what is missing; a stamp keeps it out of the way after.
.PHONY: deps
deps:
	release/deps
$(B)/.deps: release/packages release/deps
	release/deps

$(B)/root.manifest: $(B)/.deps release/manifest $(patsubst %,$(B)/user/%,$(USER_PROGS)) \
    $(shell find etc share/man -type f 2>/dev/null)
	release/manifest $(USER_DESTS) > $@.tmp
	mv $@.tmp $@

$(B)/initrd.cpio: $(B)/root.manifest release/mkcpio
	release/mkcpio $@.tmp < $<
	mv $@.tmp $@

# The root image: our newfs, then the kernel itself in library mode copies the
# manifest in.  ROOT_SIZE holds the system and a good deal of its past.
ROOT_SIZE ?= 2G
.PHONY: root
root: $(B)/root.img
$(B)/root.img: $(B)/root.manifest $(B)/host/bin/newfs_hammer $(B)/host/bin/mkroot
	rm -f $@.tmp
	truncate -s $(ROOT_SIZE) $@.tmp
	$(B)/host/bin/newfs_hammer -L ROOT $@.tmp > $(B)/newfs.log
	$(B)/host/bin/mkroot $@.tmp < $(B)/root.manifest
	mv $@.tmp $@
