# coverage.mk - `make coverage`: lines and branches of src/ that the tests reach, by gcov.
#
# The library and the unit and stress tests once more in build/coverage/, release and tiny,
# with counters; run.sh sums up, since the library is one translation unit of many files.

.PHONY: coverage

COVERAGE_TESTS := $(UNITS:%=unit/%) $(patsubst tests/stress/%.c,stress/%,$(wildcard tests/stress/*.c))
COVERAGE_SECURE := secure/harden unit/test_family stress/model stress/threads
COVERAGE_BINS  := $(foreach v,release tiny,$(COVERAGE_TESTS:%=build/coverage/$v/%)) \
                  $(COVERAGE_SECURE:%=build/coverage/secure/%)
COVERAGE_DEFS   = $(if $(findstring /tiny/,$@),$(TINY_DEFS)) $(if $(findstring /secure/,$@),-DCM_SECURE=1)

define COVERAGE_RULES
build/coverage/$(1)/cmalloc.o: src/cmalloc.c build/flags
$(2:%=build/coverage/$(1)/%): build/coverage/$(1)/%: tests/%.c build/coverage/$(1)/cmalloc.o
endef
$(eval $(call COVERAGE_RULES,release,$(COVERAGE_TESTS)))
$(eval $(call COVERAGE_RULES,tiny,$(COVERAGE_TESTS)))
$(eval $(call COVERAGE_RULES,secure,$(COVERAGE_SECURE)))

build/coverage/dump.o: tests/coverage/dump.c build/flags
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) -O1 -g $(TEST) -c $< -o $@

$(COVERAGE_BINS): build/coverage/dump.o

build/coverage/release/cmalloc.o build/coverage/tiny/cmalloc.o build/coverage/secure/cmalloc.o:
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) -O0 -g $(LIB) $(COVERAGE_DEFS) --coverage -fprofile-update=atomic -c $< -o $@

$(COVERAGE_BINS): | build/need
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) -O0 -g $(TEST) $(COVERAGE_DEFS) $(filter %.c,$^) $(filter %.o,$^) \
	    $(TEST_LIBS) --coverage -o $@

coverage: $(COVERAGE_BINS)
	@tests/coverage/run.sh build/coverage $(COVERAGE_BINS)
