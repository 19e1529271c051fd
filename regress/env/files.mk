ENV_SRCS += regress/env/env_main.c
