#!/bin/sh
# tidy.sh: clang-tidy over the library, both variants, and, with fewer checks, over the
# tests. LIB_FLAGS and TEST_FLAGS come from the Makefile. The library is one translation
# unit, so its .c files count as headers of cmalloc.c.
set -u
bad=0

# Tests do on purpose what a program should not: they write past ends, use what they
# freed, ask for the size of a pointer.
tests='-readability-function-size,-bugprone-sizeof-expression'
tests=$tests,'-bugprone-narrowing-conversions,-bugprone-posix-return,-cert-err34-c'
tests=$tests,'-clang-analyzer-security.insecureAPI.*,-clang-analyzer-unix.Malloc'

# $1: checks to take off; $2: file; the rest: flags. What goes to stderr is a count of
# warnings not shown.
tidy()
{
    checks=$1 file=$2
    shift 2
    clang-tidy --quiet --checks="$checks" "$file" -- "$@" 2>/dev/null || bad=1
}

# shellcheck disable=SC2086  # lists of flags
{
    tidy '' src/cmalloc.c $LIB_FLAGS
    tidy '' src/cmalloc.c $LIB_FLAGS -DCM_TINY=1 -DCM_DEBUG=1
    for file in $(find tests -name '*.c' | sort); do
        tidy "$tests" "$file" $TEST_FLAGS
    done
}
exit $bad
