#!/bin/bash
# sweep.sh FAIL.SO PROGRAM ARGS...: run it with one system call of the library failing, the first, then
# another, and so on: all of them, or MOST (60) that are evenly spread. A program of cmocka's runs so with each
# of its tests alone. It may find that it did not get what it asked for, and say so; it may not crash, hang, or
# be ended by the library.
# LIB=FILE.so: preload this library. SKIP='TEST...': not with these tests.
set -u
fail=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# run K TEST PROGRAM...: with call K failing, this test or all; its status.
run()
{
    { env FAIL_AT="$1" ${2:+TEST="$2"} LD_PRELOAD="${LIB:+$LIB }$fail" \
        timeout -k 5 "${LIMIT:-120}" "${@:3}" >"$log" 2>&1 </dev/null; } 2>/dev/null
}

# bad WHAT: the program's name and what it did, and what it wrote.
bad()
{
    echo "not ok $program: $1"
    tail -n 30 "$log" | sed 's/^/# /'
    exit 1
}

# sweep TEST PROGRAM...: TEST may be empty.
sweep()
{
    local k step status all
    run 0 "$@"
    all=$(sed -n 's/^fail: \([0-9]*\) calls$/\1/p' "$log" | tail -n 1)
    [ "${all:-0}" -gt 0 ] || bad "its calls could not be counted${1:+ in $1}"
    calls=$((calls + all))
    step=$(((all + ${MOST:-60} - 1) / ${MOST:-60}))
    for ((k = 1; k <= all; k += step)); do
        run "$k" "$@"
        status=$?
        [ $status -ne 134 ] || ! grep -q ': CHECK failed: ' "$log" || status=1
        if [ $status -ge 124 ] || grep -q 'with exception: ' "$log"; then
            bad "status $status with call number $k failing${1:+ in $1}"
        fi
        if [ $status -eq 0 ]; then passed=$((passed + 1)); else said=$((said + 1)); fi
    done
}

program=$*
calls=0 passed=0 said=0
run -1 '' "$@"
mapfile -t tests < <(sed -n 's/^\[ RUN  *\] \([A-Za-z0-9_]*\)$/\1/p' "$log")
for name in "${tests[@]:-}"; do
    [ -n "$name" ] && [[ " ${SKIP:-} " == *" $name "* ]] || sweep "$name" "$@"
done
echo "ok $program: of $calls system calls $((passed + said)) have failed once; it passed $passed times, and told $said times"
