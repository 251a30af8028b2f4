#!/bin/sh
# format.sh: every C file looks as make format would make it. Prints the names of those
# that do not.
set -u
bad=0
for file in $(find src include tests -name '*.[ch]' | sort); do
    clang-format "$file" | cmp -s - "$file" && continue
    echo "$file: run make format"
    bad=1
done
exit $bad
