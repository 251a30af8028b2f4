#!/bin/sh
# sweep.sh PROGRAM ARGS...: run it (debug variant) with the first call of the kernel for
# memory failing, then with the second, and so on, until a run has fewer calls. Each run
# has to do what it does without: every function of the family may fail, and whoever asked
# must get NULL and a sound heap.
#
#   MOST   calls at most (2000)
set -u
most=${MOST:-2000}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
k=1
while [ $k -le "$most" ]; do
    CMALLOC_OPTIONS=os_fail_at=$k timeout 120 "$@" >"$log" 2>&1
    status=$?
    if [ $status -ne 0 ]; then
        echo "not ok $1: status $status with the call number $k failing"
        tail -n 20 "$log" | sed 's/^/# /'
        exit 1
    fi
    grep -q '^cmalloc: os_fail_at: ' "$log" || break
    k=$((k + 1))
done
echo "ok $1: each of its $((k - 1)) calls for memory has failed once"
