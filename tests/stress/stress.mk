# stress.mk - programs that drive the whole library: chance, limits, threads, forks, signals.
#
# Each is built with the release and with the debug variant. make check runs them all at quick length;
# make check-long runs them once more with CM_LONG=1, which multiplies the work.

STRESS      := $(patsubst tests/stress/%.c,%,$(wildcard tests/stress/*.c))
STRESS_BINS := $(STRESS:%=build/stress/%) $(STRESS:%=build/tiny/stress/%)

$(STRESS:%=build/stress/%): build/cmalloc.o
$(STRESS:%=build/tiny/stress/%): build/tiny/cmalloc.o
$(STRESS:%=build/stress/%): build/stress/%: tests/stress/%.c
$(STRESS:%=build/tiny/stress/%): build/tiny/stress/%: tests/stress/%.c
$(STRESS_BINS): build/flags | build/need
	$(call say,CC)
	$(TEST_CC) tests/stress/$(@F).c $(OBJECT) $(TEST_LIBS) -o $@

# The debug variant again, with every n-th memory call of the kernel failing.
OS_FAIL := $(foreach n,2 3 7 20,'CMALLOC_OPTIONS=os_fail=$(n) OPS=10000 build/tiny/stress/model')

# And with pages larger than the kernel's: a few tests each time, all of them in the long run.
PAGES_64K  := $(foreach t,test_heap test_large test_family test_extensions test_walk, \
                'CMALLOC_OPTIONS=page_size=64k build/tiny/unit/$(t)') \
              'CMALLOC_OPTIONS=page_size=64k OPS=20000 build/tiny/stress/model' \
              'CMALLOC_OPTIONS=page_size=64k,os_fail=3 OPS=10000 build/tiny/stress/model'
PAGES_LONG := $(foreach s,16k 64k,$(foreach t,$(UNITS:%=unit/%) $(STRESS:%=stress/%), \
                'CMALLOC_OPTIONS=page_size=$(s) TEST_TIMEOUT=600 build/tiny/$(t)'))

CHECK_DEPS += $(STRESS_BINS)
CHECK_RUN  += $(STRESS_BINS:%='%') $(OS_FAIL) $(PAGES_64K)
LONG_RUN   += $(STRESS_BINS:%='CM_LONG=1 TEST_TIMEOUT=1800 %') $(PAGES_LONG)
