# virtio 1.0 on PCI.
PC64_SRCS += sys/dev/virtio/virtio_blk.c
PC64_SRCS += sys/dev/virtio/virtio_pci.c
PC64_SRCS += sys/dev/virtio/virtqueue.c
