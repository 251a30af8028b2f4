# leak.mk - the reachability scan: planted leaks, found by the program itself and from
# outside.
#
#   make check-leaks   the long runs: precision and recall, load, many threads, real
#                      programs, LeakSanitizer beside it
#   make bench-leaks   how long a search in a GiB holds a program up

.PHONY: check-leaks bench-leaks

LEAK_BINS := build/leak/plant build/leak/library.so build/leak/planter.so

build/leak/plant: tests/leak/plant.cc tests/leak/truth.h include/cmalloc.h build/flags
	$(call say,CXX)
	$(Q)$(CXX) $(CPPFLAGS) -std=c++17 -O1 -g -pthread -Wall -Wextra -Iinclude $(DEPENDS) \
	    $< $(LDFLAGS) -ldl -lrt -o $@

build/leak/%.so: tests/leak/%.c build/flags
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) -std=c11 -O1 -fPIC -shared $< $(LDFLAGS) -o $@

build/leak/pause: tests/leak/pause.c build/flags
	$(call say,CC)
	$(TEST_CC) $< $(TEST_LIBS) $(LDFLAGS) -o $@

$(LEAK_BINS) build/leak/pause: | build/need

PLANT     := build/leak/plant build/leak/truth
LEAK_TINY := LIB=build/tiny/libcmalloc.so TOOL=build/tiny/cmalloc

CHECK_DEPS += $(LEAK_BINS) build/cmalloc build/tiny/cmalloc
CHECK_RUN  += 'LD_PRELOAD=./libcmalloc.so $(PLANT) pin precise 3 no-pin load no-stop 1 collect' \
              'LD_PRELOAD=build/tiny/libcmalloc.so $(PLANT)_ pin precise 1 no-pin no-stop 1 collect' \
              'tests/leak/outside.sh' '$(LEAK_TINY) tests/leak/outside.sh'

LEAK_RUN := 'TEST_TIMEOUT=1200 tests/leak/planted.sh' 'tests/leak/programs.sh' \
            'QUICK=1 $(LEAK_TINY) tests/leak/planted.sh'

check-leaks: $(CHECK_DEPS)
	@tests/run.sh $(LEAK_RUN)

bench-leaks: all build/leak/pause
	@tests/leak/pause.sh

LONG_RUN += $(LEAK_RUN)
