# coverage.mk - `make coverage`: lines and branches of src/ that make check reaches, by gcov.
#
# make check in a tree of its own (tests/port/port.mk), with counters in all that is built,
# which other users may write, and with two of the sweeps of tests/faults; UBSan's traps would
# be branches that nobody takes. The tests that fail there do so since the counters write files
# and take time; the counts stand. Nothing is inlined: so a branch is counted once, and not
# with each caller. Ends in an error unless each branch that is not taken has its reason in
# branches.txt.

.PHONY: coverage

COVERAGE_FLAGS := -O0 -g --coverage -fprofile-update=atomic -Dalways_inline=unused
COVERAGE_LINK  := $(CURDIR)/build/port/coverage/dump.o \
                  $(foreach f,_exit abort syscall execvp sigaction,-Wl,--wrap=$f) --coverage

coverage:
	@rm -rf build/port/coverage && $(call tree,coverage)
	$(Q)$(CC) -O1 -g -fPIC -ftls-model=initial-exec -c tests/coverage/dump.c -o build/port/coverage/dump.o
	+@python3 tests/coverage/keep.py build/port/coverage & keep=$$!; umask 0; \
	    TEST_TIMEOUT=900 $(MAKE) --no-print-directory -C build/port/coverage CI= WERROR= \
	    CFLAGS='$(COVERAGE_FLAGS)' TINY='$(COVERAGE_FLAGS)' FUZZ_FLAGS='$(COVERAGE_FLAGS)' FUZZ_SANITIZER= \
	    SWEEP_LIBS='./libcmalloc.so ./libcmalloc-secure.so' LDFLAGS='$(COVERAGE_LINK)' check; \
	    kill $$keep || :
	@tests/coverage/run.sh build/port/coverage
