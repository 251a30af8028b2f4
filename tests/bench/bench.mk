# The benchmark. `make bench` builds the workloads into build/bench/ and runs
# tests/bench/run.py, which says what it measures and how. `make bench-deps` installs the
# peers and the programs that it compares with.
#
#   make bench QUICK=1     under five minutes
#   make bench ONLY='larson|churn' RUNS=9 ALLOCATORS=cmalloc,mimalloc
#   make bench PEERS="new=/opt/new.so old=/opt/old.so"

.PHONY: bench-build bench-deps

BENCH_PARTS := main common small trees powerlaw large resident returned threads
# Not $(CODE): its -fno-builtin would turn each memcpy of a word into a call. The family
# itself must stay calls, else the compiler takes pairs of malloc and free away.
BENCH_FLAGS := -std=c11 -O2 -g -pthread -fno-builtin-malloc -fno-builtin-free \
               -fno-builtin-calloc -fno-builtin-realloc -fno-builtin-aligned_alloc
BENCH_PEERS := libjemalloc2 libmimalloc2.0 libtcmalloc-minimal4 libtbbmalloc2
BENCH_PROGRAMS := redis-server redis-tools python3 g++ sqlite3 lua5.4 perl z3 \
                  ghostscript librsvg2-bin

build/bench/bench: $(BENCH_PARTS:%=tests/bench/%.c) tests/bench/bench.h build/flags
	$(call say,CC)
	$(Q)$(CC) $(BENCH_FLAGS) $(WARNINGS) $(filter %.c,$^) -o $@

build/bench/launch: tests/bench/launch.c build/flags
	$(call say,CC)
	$(Q)$(CC) $(BENCH_FLAGS) $(WARNINGS) $< -o $@

bench-build: build/bench/bench build/bench/launch

bench: libcmalloc.so bench-build
	$(Q)QUICK='$(QUICK)' ONLY='$(ONLY)' RUNS='$(RUNS)' ALLOCATORS='$(ALLOCATORS)' \
	    PEERS='$(PEERS)' python3 tests/bench/run.py

bench-deps:
	apt-get install -y --no-install-recommends $(BENCH_PEERS) $(BENCH_PROGRAMS)
