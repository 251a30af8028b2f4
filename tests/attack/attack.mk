# attack.mk - one program for each known way to turn a heap bug into a pointer.
#
# make check runs them against the library and its secure variant; make check-attack against
# the other allocators that are installed too, and prints the README's table.

.PHONY: check-attack

ATTACKS := $(patsubst tests/attack/%.c,build/attack/%,$(wildcard tests/attack/*.c))

$(ATTACKS): build/attack/%: tests/attack/%.c build/flags
	$(call say,CC)
	$(TEST_CC) $< $(LDFLAGS) -o $@

check-attack: all $(ATTACKS)
	@tests/attack/run.sh build/attack all

CHECK_DEPS += $(ATTACKS)
CHECK_RUN  += 'tests/attack/run.sh build/attack'
