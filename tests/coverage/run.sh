#!/bin/sh
# run.sh TREE: sum up what gcov counted in TREE: for each file of src/, the lines and branches
# that some variant has reached. TREE/uncovered has the lines that none has, TREE/untaken the
# branches that none has taken; the status is 1 unless branches.txt has a reason for each of them.
set -eu
here=$PWD/tests/coverage
cd "$1"
find build -name '*.gcda' -exec gcov --json-format --stdout --branch-probabilities {} \; 2>build/gcov.err |
    python3 "$here/sum.py" uncovered untaken
python3 "$here/explain.py" "$here/branches.txt" <untaken
