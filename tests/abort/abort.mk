# abort.mk - one program for each misuse, each of which must end in its own line and abort.
# run.sh says how. Built once; both variants of the library are preloaded.

ABORTS := $(patsubst tests/abort/%.c,build/abort/%,$(wildcard tests/abort/*.c))

$(ABORTS): build/abort/%: tests/abort/%.c build/flags
	$(call say,CC)
	$(TEST_CC) $< $(LDFLAGS) -o $@

CHECK_DEPS += $(ABORTS)
CHECK_RUN  += 'tests/abort/run.sh build/abort libcmalloc.so' \
              'tests/abort/run.sh build/abort build/tiny/libcmalloc.so'
