#!/bin/sh
# run.sh FOLDER PROGRAM...: run the programs, then sum up what gcov counted in FOLDER: for
# each file of src/, the lines and branches that some variant has reached. Tests that fail
# are named; their counts stand.
#
# dump.c has children write their counters. What the shell tests reach, with the command and
# with libraries that are preloaded, is not counted. FOLDER/uncovered has the lines.
set -eu
folder=$1
shift
find "$folder" -name '*.gcda' -delete
for program; do
    TEST_TIMEOUT=300 timeout 300 "$program" >"$program.log" 2>&1 || echo "# failed: $program"
done
find "$folder" -name 'cmalloc.gcda' | while read -r counts; do
    gcov --json-format --stdout --branch-probabilities "$counts" 2>/dev/null
done | python3 tests/coverage/sum.py "$folder/uncovered"
