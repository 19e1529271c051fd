# The console of a PC: serial port, VGA text, PS/2 keyboard.
PC64_SRCS += sys/dev/console/cons.c
PC64_SRCS += sys/dev/console/kbd.c
PC64_SRCS += sys/dev/console/uart.c
PC64_SRCS += sys/dev/console/vga.c
