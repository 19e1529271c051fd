# PCI devices and MSI-X.
PC64_SRCS += sys/dev/pci/pci.c
