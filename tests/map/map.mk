# map.mk - pictures of heaps.
#
#   make check-map    in a real browser, light and dark, a small heap and a huge one
#                     (CHUNKS=10000000); installs chromium where it may
.PHONY: check-map

build/map/heaps: tests/map/heaps.c build/flags
	$(call say,CC)
	$(TEST_CC) $< $(LDFLAGS) -o $@

CHECK_DEPS += build/map/heaps
CHECK_RUN  += 'tests/map/check.sh'

check-map: all build/map/heaps
	tests/map/browser.sh
