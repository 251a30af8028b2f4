#!/bin/sh
# keep.sh TREE: every twenty seconds what gcov has counted of the library, as TREE/build/kept.N. A process
# that is killed while it writes its counts takes along all that were in the file.
set -eu
cd "$1"
n=0
while sleep 20; do
    n=$((n + 1))
    find build -name cmalloc.gcda -exec gcov --json-format --stdout --branch-probabilities {} \; \
        >build/kept.$n 2>/dev/null
done
