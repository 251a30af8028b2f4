# soak.mk - for hours.
#
#   make soak   six programs under load at once, SOAK_SECONDS=3600

.PHONY: soak

SOAK_SECONDS ?= 3600

build/soak/soak: tests/soak/soak.c build/flags | build/need
	$(call say,CC)
	$(TEST_CC) $< $(TEST_LIBS) $(LDFLAGS) -o $@

soak: all debug libcmalloc-secure.so build/soak/soak
	@tests/soak/soak.sh $(SOAK_SECONDS)
