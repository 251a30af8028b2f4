# tsan.mk - the layers below the API under ThreadSanitizer, and under AddressSanitizer
# with UndefinedBehaviorSanitizer: `make check-tsan`.
#
# CC chooses whose sanitizers; both variants are run. clang wants llvm-symbolizer.

.PHONY: check-tsan

SANITIZED := build/sanitize/thread build/tiny/sanitize/thread \
             build/sanitize/address build/tiny/sanitize/address
comma     := ,
SANITIZE   = $(if $(filter thread,$(@F)),-fsanitize=thread, \
                  -fsanitize=address$(comma)undefined -fno-sanitize-recover=all)

$(SANITIZED): tests/tsan/internals.c build/flags
	$(call say,CC)
	$(TEST_CC) -g -fno-omit-frame-pointer $(SANITIZE) $< -o $@

check-tsan: export TSAN_OPTIONS := suppressions=tests/tsan/tsan.supp history_size=5
# The purger's thread is the kernel's, and no sanitizer knows it.
check-tsan: export CMALLOC_OPTIONS := background=off
check-tsan: export ASAN_OPTIONS := detect_leaks=0
check-tsan: export UBSAN_OPTIONS := print_stacktrace=1
check-tsan: $(SANITIZED)
	@TEST_TAIL=100 tests/run.sh $(SANITIZED:%='%')
