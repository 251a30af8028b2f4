# tools.mk - the command `cmalloc`, on processes and cores.
#
#   make check-tools   the long runs: 64 threads, real programs, many damaged cores
#   make bench-tools   how long it takes to add up ten million chunks of another process

.PHONY: check-tools bench-tools

TOOL_TESTS := $(addprefix build/tools/,model spoil idle busy profiled guarded static)

build/tools/model build/tools/spoil build/tools/idle build/tools/busy build/tools/profiled build/tools/guarded: build/tools/%: tests/tools/%.c build/flags
	$(call say,CC)
	$(TEST_CC) $< $(LDFLAGS) -o $@

# Nothing by which the library could be found but what it has in memory.
build/tools/static: tests/tools/idle.c libcmalloc.a build/flags
	$(call say,CC)
	$(TEST_CC) -static $< libcmalloc.a $(LDFLAGS) -s -o $@

CHECK_DEPS += $(TOOL_TESTS) build/cmalloc build/tiny/cmalloc
CHECK_RUN  += 'tests/tools/statuses.sh' 'tests/tools/model.sh' 'tests/tools/outside.sh' \
              'tests/tools/edges.sh' 'tests/tools/damage.sh 6' \
              'tests/tools/profile.sh' 'tests/tools/guard.sh' \
              'LIB=build/tiny/libcmalloc.so TOOL=build/tiny/cmalloc tests/tools/model.sh' \
              'LIB=./libcmalloc-secure.so tests/tools/model.sh 2 1000' \
              'LIB=./libcmalloc-secure.so tests/tools/guard.sh'

TOOL_RUN := 'tests/tools/model.sh 64 2000' 'TEST_TIMEOUT=900 tests/tools/damage.sh 60' \
            'TEST_TIMEOUT=900 tests/tools/programs.sh'

check-tools: $(CHECK_DEPS)
	@tests/run.sh 'tests/tools/statuses.sh' 'tests/tools/outside.sh' $(TOOL_RUN)

bench-tools: all build/tools/model
	@tests/tools/time.sh

LONG_RUN += $(TOOL_RUN)
