#!/bin/bash
# sweep.sh FAIL.SO PROGRAM ARGS...: run it with one system call of the library failing, the first, then
# another, and so on: all of them, or MOST (60) that are evenly spread. The program may find that it did
# not get what it asked for, and say so; it may not crash, hang, or be ended by the library.
# LIB=FILE.so: preload this library.
set -u
fail=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# run K: with call K failing; its status.
run()
{
    FAIL_AT=$1 LD_PRELOAD="${LIB:+$LIB }$fail" timeout -k 5 "${LIMIT:-120}" "${@:2}" >"$log" 2>&1 </dev/null
}

run 0 "$@"
calls=$(sed -n 's/^fail: \([0-9]*\) calls$/\1/p' "$log" | tail -n 1)
if [ -z "$calls" ] || [ "$calls" -eq 0 ]; then
    echo "not ok $*: its calls could not be counted"
    tail -n 20 "$log" | sed 's/^/# /'
    exit 1
fi
step=$(((calls + ${MOST:-60} - 1) / ${MOST:-60}))
passed=0 said=0
for ((k = 1; k <= calls; k += step)); do
    run "$k" "$@"
    status=$?
    [ $status -ne 134 ] || ! grep -q ': CHECK failed: ' "$log" || status=1
    if [ $status -ge 124 ] || grep -q 'with exception: ' "$log"; then
        echo "not ok $*: status $status with call number $k failing"
        tail -n 30 "$log" | sed 's/^/# /'
        exit 1
    fi
    if [ $status -eq 0 ]; then passed=$((passed + 1)); else said=$((said + 1)); fi
done
echo "ok $*: of $calls system calls $((passed + said)) have failed once; it passed $passed times, and told $said times"
