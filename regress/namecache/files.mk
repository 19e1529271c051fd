TESTS += nc_stress
TSAN_TESTS += nc_stress
nc_stress_SRCS := regress/namecache/stress.c
