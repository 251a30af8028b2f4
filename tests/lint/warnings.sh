#!/bin/sh
# warnings.sh CC: the library in both variants, at several levels of optimisation, and
# every C file of the tests, with all warnings as errors. LIB_FLAGS, TOOL_FLAGS, TEST_FLAGS and
# WARNING_FLAGS come from the Makefile.
set -eu
cc=$1
out=$(mktemp)
trap 'rm -f "$out"' EXIT
bad=0

# shellcheck disable=SC2086  # lists of flags
compile() { "$cc" "$@" $WARNING_FLAGS -Werror -c -o "$out" || bad=1; }

# shellcheck disable=SC2086
for level in -O0 -O2 -O3; do
    compile $LIB_FLAGS $level src/cmalloc.c
    compile $LIB_FLAGS $level -DCM_DEBUG=1 src/cmalloc.c
    compile $LIB_FLAGS $level -DCM_TINY=1 -DCM_DEBUG=1 src/cmalloc.c
done
# shellcheck disable=SC2086
for file in src/tools/*.c; do
    compile $TOOL_FLAGS -O2 "$file"
done
# shellcheck disable=SC2086
for file in $(find tests -name '*.c' | sort); do
    compile $TEST_FLAGS -O2 "$file"
done
exit $bad
