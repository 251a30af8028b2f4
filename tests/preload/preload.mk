# preload.mk - real programs with the library preloaded, compared with a run without it.
#
#   make check-programs         the whole set; installs what it needs
#   make check-programs-quick   a few, briefly: part of make check-long
#   make check-programs-debug   the whole set on the debug variant

.PHONY: check-programs-quick check-programs-debug

check-programs: libcmalloc.so
	tests/preload/run.sh --install

check-programs-quick: libcmalloc.so
	tests/preload/run.sh --quick --install

check-programs-debug: build/tiny/libcmalloc.so
	tests/preload/run.sh --install --slow 4 --lib build/tiny/libcmalloc.so

CHECK_DEPS += libcmalloc.so build/tiny/libcmalloc.so
CHECK_RUN  += 'tests/preload/run.sh --quick --install perl gcc sqlite3 threads deepbind' \
              'tests/preload/run.sh --quick --install --slow 4 --lib build/tiny/libcmalloc.so perl threads deepbind'
LONG_RUN   += 'TEST_TIMEOUT=900 tests/preload/run.sh --quick --install'
