#!/bin/sh
# cppcheck.sh: cppcheck over the library, both variants, and the tour. (Not over the
# tests: it takes their checks for tests that may be false.)
set -eu
check()
{
    cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
        --suppress=missingIncludeSystem --suppress=legacyUninitvar --error-exitcode=1 \
        -Isrc -Iinclude "$@"
}
check src/cmalloc.c -DCM_TINY=0 -DCM_DEBUG=0 -D__x86_64__ -D__LP64__
check src/cmalloc.c -DCM_TINY=1 -DCM_DEBUG=1 -D__x86_64__ -D__LP64__
check tests/demo/heap.c
