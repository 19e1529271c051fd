# Booted tests of the machine itself.
BOOT_TESTS += regress/boot/matrix
BOOT_TESTS += regress/boot/stress

BOOT_TESTS += regress/boot/tour-small regress/boot/tour-large
BOOT_TESTS += regress/boot/vfs
.PHONY: tour
tour: deps
	$(MAKE) all
	regress/boot/tour --show
