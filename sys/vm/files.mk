KERN_SRCS += sys/vm/vm_page.c
