# Threads, messages, memory, time, devices.
KERN_SRCS += sys/kern/init_main.c
KERN_SRCS += sys/kern/kern_callout.c
KERN_SRCS += sys/kern/kern_clock.c
KERN_SRCS += sys/kern/kern_dev.c
KERN_SRCS += sys/kern/kern_epoch.c
KERN_SRCS += sys/kern/kern_lock.c
KERN_SRCS += sys/kern/kern_malloc.c
KERN_SRCS += sys/kern/kern_panic.c
KERN_SRCS += sys/kern/kern_printf.c
KERN_SRCS += sys/kern/kern_prot.c
KERN_SRCS += sys/kern/kern_random.c
KERN_SRCS += sys/kern/kern_sleep.c
KERN_SRCS += sys/kern/kern_spinlock.c
KERN_SRCS += sys/kern/lwkt_ipiq.c
KERN_SRCS += sys/kern/lwkt_msgport.c
KERN_SRCS += sys/kern/lwkt_sched.c
KERN_SRCS += sys/kern/lwkt_thread.c
KERN_SRCS += sys/kern/lwkt_token.c
KERN_SRCS += sys/kern/uio.c
# Processes and signals.  Programs run on the PC only; the part that does not
# touch a trap frame is built for the hosted kernel too.
KERN_SRCS += sys/kern/kern_ident.c sys/kern/kern_proc.c
KERN_SRCS += sys/kern/kern_sig.c sys/kern/kern_sigcalls.c
KERN_SRCS += sys/kern/kern_time.c sys/kern/kern_resource.c
KERN_SRCS += sys/kern/kern_usched.c sys/kern/kern_futex.c
KERN_SRCS += sys/kern/kern_fork.c sys/kern/kern_exit.c sys/kern/kern_exec.c
KERN_SRCS += sys/kern/tty.c sys/kern/tty_ioctl.c sys/kern/tty_pty.c
KERN_SRCS += sys/kern/tty_console.c sys/kern/kern_boot.c sys/kern/kern_initrd.c sys/kern/kern_oom.c
