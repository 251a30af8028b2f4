#!/bin/sh
# run.sh 'command' ...: run each command, count its results, end with "N passed, N failed".
#
# A command's results are, in this order of preference: the last line of its output that
# reads "N passed, N failed"; its TAP lines (ok, not ok); its cmocka lines; or its exit
# status, as one result. A command that ends badly without having reported a failure
# counts as one failure more. What was skipped did not pass: it is told apart, so that
# nobody takes it for a success.
#
#   JOBS          commands at a time (as many as there are processors)
#   TEST_TIMEOUT  seconds for one command (300); a command may begin with its own
#   TEST_TAIL     lines to show of the output of a command that failed (40)
set -u

# Prints "passed failed skipped" of the log $1.
count()
{
    awk '
        /^[0-9]+ passed, [0-9]+ failed/ {
            total = 1; tp = $1; tf = $3; ts = ($6 ~ /^skipped/) ? $5 : 0
        }
        /^(not )?ok( |$)/           { tap = 1 }
        /^ok.*# *[Ss][Kk][Ii][Pp]/  { as++; next }
        /^ok( |$)/                  { ap++ }
        /^not ok( |$)/              { af++ }
        /^\[ RUN      \]/           { runs++ }
        /^\[       OK \]/           { cp++ }
        /^\[  SKIPPED \] [^0-9].*$/ { skip[$4] = 1 }
        END {
            if (total) { print tp + 0, tf + 0, ts + 0; exit }
            if (tap) { print ap + 0, af + 0, as + 0; exit }
            for (s in skip) cs++
            print cp + 0, runs - cp - cs, cs + 0
        }' "$1"
}

explain()
{
    case $status in
    124 | 137) echo "      | stopped after $timeout s (TEST_TIMEOUT)" ;;
    *) echo "      | exit status $status; the end of $log:" ;;
    esac
    tail -n "${TEST_TAIL:-40}" "$log" | sed 's/^/      | /'
}

# $1: the command. Prints one line, or for a failure a few, and adds its counts to totals.
run()
{
    log=$logs/$(printf '%s' "$1" | tr -c 'A-Za-z0-9_.\n-' '_').log
    begin=$(date +%s)
    timeout=${TEST_TIMEOUT:-300}
    case " $1" in
    *" TEST_TIMEOUT="*) timeout=${1#*TEST_TIMEOUT=} timeout=${timeout%% *} ;;
    esac
    timeout -k 10 "$timeout" sh -c "$1" >"$log" 2>&1 </dev/null
    status=$?
    seconds=$(($(date +%s) - begin))
    # shellcheck disable=SC2046  # three numbers
    set -- "$1" $(count "$log")
    p=$2 f=$3 s=$4
    if [ $status -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
    elif [ $status -eq 0 ] && [ $((p + f + s)) -eq 0 ]; then
        p=1
    fi
    echo "$p $f $s" >>"$totals"
    word=ok note=
    [ "$f" -eq 0 ] || word=FAIL
    [ "$s" -eq 0 ] || note=", $s skipped"
    printf '%-4s  %4d passed, %d failed%s  %3ds  %s\n' \
        $word "$p" "$f" "$note" "$seconds" "$1"
    [ "$f" -eq 0 ] || explain
}

# Called by ourselves, below: one of several at a time. Its lines come out together.
if [ "${1:-}" = --one ]; then
    logs=$2 totals=$3
    lines=$(run "$4")
    printf '%s\n' "$lines"
    exit 0
fi

logs=build/log
mkdir -p "$logs"
totals=$(mktemp)
trap 'rm -f "$totals"' EXIT
trap 'exit 130' INT TERM
printf '%s\0' "$@" | xargs -0 -n 1 -P "${JOBS:-$(nproc)}" "$0" --one "$logs" "$totals"
ended=$?
awk -v started=$# -v ended=$ended '
    { p += $1; f += $2; s += $3 }
    END {
        f += started - NR # a command that left no count
        printf "%d passed, %d failed%s\n", p, f, s ? ", " s " skipped" : ""
        exit f > 0 || ended != 0
    }' "$totals"
