# Facts of the instruction set.
PC64_SRCS += sys/cpu/x86_64/bulk.S
PC64_SRCS += sys/cpu/x86_64/compiler.c
PC64_SRCS += sys/cpu/x86_64/copy.S
PC64_SRCS += sys/cpu/x86_64/switch.S
