KERN_SRCS += sys/vm/vm_page.c sys/vm/vm_radix.c sys/vm/vm_object.c sys/vm/vm_lru.c
