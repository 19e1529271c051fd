KERN_SRCS += sys/vm/vm_page.c sys/vm/vm_radix.c sys/vm/vm_object.c sys/vm/vm_lru.c
KERN_SRCS += sys/vm/vm_anon.c sys/vm/vm_map.c sys/vm/vm_fault.c sys/vm/vm_mmap.c
