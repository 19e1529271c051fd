USER_PROGS += bench
bench_SRCS := regress/bench/bench.c
bench_DEST := /usr/bin/bench

$(B)/bench/count.so: regress/bench/count.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -Wall -Wextra -Werror -O2 -fPIC -shared -fvisibility=hidden -o $@ $<

.PHONY: bench
bench: deps
	$(MAKE) bench-run
bench-run: all $(B)/bench/count.so
	regress/bench/run $(PHASES)
