# The kernel as a Linux process.
VK_SRCS += sys/platform/vkernel/host.c
VK_SRCS += sys/platform/vkernel/vdisk.c
VK_SRCS += sys/platform/vkernel/vk_copy.c
VK_SRCS += sys/platform/vkernel/vk_cpu.c
VK_SRCS += sys/platform/vkernel/vk_fiber.c
VK_SRCS += sys/platform/vkernel/vk_main.c
VK_SRCS += sys/platform/vkernel/vk_pmap.c
VK_SRCS += sys/platform/vkernel/vk_run.c
VK_SRCS += sys/platform/vkernel/vk_user.c
VK_SRCS += sys/platform/vkernel/vk_switch.S
HOST_SRCS += sys/platform/vkernel/host.c
