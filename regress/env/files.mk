ENV_SRCS += regress/env/env_main.c regress/env/env_disk.c \
	regress/env/env_parallel.c
