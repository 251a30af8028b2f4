# leak.mk - the reachability scan: planted leaks, found by the program itself and from outside.
#
#   make check-leaks   the long runs: precision and recall, load, real programs, LeakSanitizer

.PHONY: check-leaks

LEAK_BINS := build/leak/plant build/leak/library.so

build/leak/plant: tests/leak/plant.cc tests/leak/truth.h include/cmalloc.h build/flags
	$(call say,CXX)
	$(Q)$(CXX) $(CPPFLAGS) -std=c++17 -O1 -g -pthread -Wall -Wextra -Iinclude $(DEPENDS) \
	    $< $(LDFLAGS) -ldl -lrt -o $@

build/leak/library.so: tests/leak/library.c build/flags
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) -std=c11 -O1 -fPIC -shared $< $(LDFLAGS) -o $@

$(LEAK_BINS): | build/need

PLANT := build/leak/plant build/leak/truth

CHECK_DEPS += $(LEAK_BINS)
CHECK_RUN  += 'LD_PRELOAD=./libcmalloc.so $(PLANT) pin precise 3 no-pin load no-stop 1 collect' \
              'LD_PRELOAD=build/tiny/libcmalloc.so $(PLANT) pin precise 1 no-pin no-stop 1 collect'

check-leaks: all debug $(LEAK_BINS)
	@tests/run.sh 'TEST_TIMEOUT=1200 tests/leak/planted.sh'
