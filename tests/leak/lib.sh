# lib.sh - for the scripts of this directory: results as TAP lines, a program on the
# library, and reports held against the truth that plant.cc has written.
# shellcheck shell=sh

lib=${LIB:-./libcmalloc.so}
# shellcheck disable=SC2034  # for those who read this
tool=${TOOL:-build/cmalloc}
work=$(mktemp -d)
program=
failures=0

cleanup()
{
    [ -z "$program" ] || kill "$program" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ok() { echo "ok - $*"; }

not_ok()
{
    echo "not ok - $*"
    failures=$((failures + 1))
}

# expect WHAT COMMAND...: the command succeeds.
expect()
{
    what=$1
    shift
    if "$@"; then ok "$what"; else not_ok "$what"; fi
}

finish() { [ "$failures" -eq 0 ]; }

# start_program COMMAND...: on the library, in the background; $program is its id, its
# output $work/out. It reads from a pipe that stays open until end_program.
start_program()
{
    rm -f "$work/in" "$work/out"
    mkfifo "$work/in"
    : >"$work/out"
    env LD_PRELOAD="$lib" "$@" <"$work/in" >"$work/out" 2>"$work/err" &
    program=$!
    exec 3>"$work/in"
}

# Its output has a line that matches $1, within half a minute.
wait_for_line()
{
    for _ in $(seq 600); do
        grep -q "$1" "$work/out" && return
        sleep 0.05
    done
    not_ok "a line '$1' in the output"
    return 1
}

# Let it go on to its end; its exit status.
end_program()
{
    echo >&3
    exec 3>&-
    wait "$program"
    status=$?
    program=
    return $status
}

# judge TRUTH JSON: "found F false L hidden H others O". Addresses in the truth are
# complemented, digit by digit.
judge()
{
    awk '
        BEGIN {
            digits = "0123456789abcdef"
            for (i = 1; i <= 16; i++)
                opposite[substr(digits, i, 1)] = substr(digits, 17 - i, 1)
        }
        function complement(hex,   i, out)
        {
            for (i = 1; i <= length(hex); i++)
                out = out opposite[substr(hex, i, 1)]
            sub(/^0+/, "", out)
            return "0x" out
        }
        FNR == NR { fate[complement(substr($3, 2))] = $1; next }
        match($0, /"address":"0x[0-9a-f]+"/) {
            count[fate[substr($0, RSTART + 11, RLENGTH - 12)]]++
        }
        END {
            printf "found %d false %d hidden %d others %d\n", count["leak"],
                count["live"], count["hidden"], count[""]
        }' "$1" "$2"
}

# good_report TRUTH JSON: no live object, at least 99 of 100 leaks, nothing unknown.
good_report()
{
    verdict=$(judge "$1" "$2")
    echo "# $verdict"
    # shellcheck disable=SC2086  # words
    set -- $verdict
    [ "$2" -ge 990 ] && [ "$4" -eq 0 ] && [ "$8" -eq 0 ]
}
