# faults.mk - each system call of the library fails once.
#
#   make check          each one in each.c, which is short, on every variant, and with all that writes
#   make check-faults   MOST=400 of each unit test's, and of real programs; SOME=20 of each of those under
#                       stress, which make millions of calls, or take their time. MOST=100000: each one
#
# In x86_64 only, as fail.c is. test_check, test_arena and test_walk are not swept, nor is one test of test_large
# and of test_heap: they damage their heaps and mend them, and a test of theirs that ends early does not.

.PHONY: check-faults

MOST ?= 400
SOME ?= 20
SWEEP       := tests/faults/sweep.sh build/faults/fail.so
SWEEP_LIBS  := ./libcmalloc.so ./libcmalloc-secure.so build/tiny/libcmalloc.so build/tiny/libcmalloc-secure.so
FAULT_SKIPPED := a_forged_list_is_found a_damaged_length_of_the_break_is_found
FAULT_UNITS := $(filter-out %/test_check %/test_arena %/test_walk,$(UNIT_BINS))

build/faults/fail.so: tests/faults/fail.c build/flags
	$(call say,CC)
	$(TEST_CC) -fPIC -shared $< $(LDFLAGS) -o $@

build/faults/each: tests/faults/each.c build/flags libcmalloc.so
	$(call say,CC)
	$(TEST_CC) $< $(LDFLAGS) ./libcmalloc.so -o $@

# What make check needs is known when all fragments have been read.
.SECONDEXPANSION:
check-faults: $$(CHECK_DEPS)
	@MOST=$(MOST) OPS=2000 SKIP='$(FAULT_SKIPPED)' TEST_TIMEOUT=20000 tests/run.sh $(FAULT_UNITS:%='$(SWEEP) %') \
	    $(STRESS_BINS:%='MOST=$(SOME) LIMIT=600 $(SWEEP) %') 'tests/faults/programs.sh build/faults/fail.so'

ifeq ($(shell uname -m),x86_64)
CHECK_DEPS += build/faults/fail.so build/faults/each build/tiny/libcmalloc-secure.so
CHECK_RUN  += $(SWEEP_LIBS:%='MOST=10000 LIB=% $(SWEEP) build/faults/each') \
              'CMALLOC_OPTIONS=guard_sample=3,profile=2,profile_file=build/faults/profile,stats=exit,leaks=exit \
                  MOST=10000 LIB=./libcmalloc.so $(SWEEP) build/faults/each'
endif
