TESTS += vm_maps
TSAN_TESTS += vm_maps
vm_maps_SRCS := regress/vm/vm.c
