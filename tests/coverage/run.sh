#!/bin/sh
# run.sh TREE: sum up what gcov counted in TREE: for each file of src/, the lines and branches
# that some variant has reached. TREE/uncovered has the lines that none has. The fuzz targets, built
# with optimisation, count otherwise.
set -eu
here=$PWD
cd "$1"
find build -name '*.gcda' ! -path 'build/replay/*' -exec gcov --json-format --stdout --branch-probabilities {} \; 2>build/gcov.err |
    python3 "$here/tests/coverage/sum.py" uncovered
