#!/bin/sh
# outside.sh: `cmalloc leaks` and `cmalloc who` on the planted program, while it runs and
# in its core, held against the truth. LIB and TOOL name another variant.
set -u
# shellcheck source=tests/leak/lib.sh
. tests/leak/lib.sh

start_program build/leak/plant "$work/truth" pin ready
wait_for_line ready || exit 1
pid=$(sed -n 's/^ready //p' "$work/out")

leaks()
{
    "$tool" leaks "$@" --json >"$work/json" 2>"$work/log"
    status=$?
    grep -v '^cmalloc: \(stopped\|since\)' "$work/log"
    return $status
}

# address KIND: of a live object of it.
address()
{
    awk -v kind="$1" '$1 == "live" && $2 == kind { print substr($3, 2); exit }' \
        "$work/truth" | tr 0123456789abcdef fedcba9876543210
}

# shows PATTERN OPTION...: what `who` says matches.
shows()
{
    pattern=$1
    shift
    "$tool" who "$pid" "$@" >"$work/who" || return 1
    grep -q "$pattern" "$work/who" || { sed 's/^/# /' "$work/who"; return 1; }
}

leaks "$pid" --precise --unaligned
expect "leaks are found: status 1" [ $? -eq 1 ]
expect "stopped: all leaks, no live object" good_report "$work/truth" "$work/json"

leaks "$pid" --precise --unaligned --save "$work/first" --rows 1
leaks "$pid" --precise --unaligned --since "$work/first"
expect "nothing new since the last report: status 0" [ $? -eq 0 ]

expect "who: a static variable, by its name" shows 'plant statics+0x' "$(address tree)"
# One path is shown: a stale word in a live object may come before the register.
expect "who: a register" shows 'reached through' "$(address register)" --precise
expect "who: epoll" shows 'a word in the kernel' "$(address epoll)"

if command -v gcore >/dev/null; then
    gcore -o "$work/core" "$pid" >/dev/null 2>&1
    # What only the kernel holds is not in a core, nor is shared memory by default.
    leaks "$work/core.$pid" --unaligned
    judge "$work/truth" "$work/json" >"$work/verdict"
    sed 's/^/# /' "$work/verdict"
    expect "core: all leaks; of live objects, at most the twenty of kernel and shared memory" \
        grep -Eq '^found (99.|1000) false (1?[0-9]|20) ' "$work/verdict"
else
    echo "ok - core # SKIP no gcore"
fi

# A tool that dies in the middle leaves nothing behind.
for n in 1 2 3 4 5 6 7 8 9 10; do
    timeout -s KILL "0.00$n" "$tool" leaks "$pid" --precise >/dev/null 2>&1
done
sleep 0.1
grep -l '^State:.[tT]' /proc/"$pid"/task/*/status >"$work/still"
expect "the program runs on after the tool was killed" [ ! -s "$work/still" ]

expect "the program ends well" end_program
finish
