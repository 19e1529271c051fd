# Booted tests of the machine itself.
BOOT_TESTS += regress/boot/matrix
