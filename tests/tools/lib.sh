# shellcheck shell=bash disable=SC2034 # set here, used by those who read this
# lib.sh - what the tests of the command share. Each ends in a TAP line.
#
#   LIB    the library (./libcmalloc.so)
#   TOOL   the command of the same variant (build/cmalloc)
#   BIN    the test programs (build/tools)
set -u
LIB=${LIB:-./libcmalloc.so}
TOOL=${TOOL:-build/cmalloc}
BIN=${BIN:-build/tools}
case $LIB in /*) ;; *) LIB=$PWD/$LIB ;; esac
tmp=$(mktemp -d)
failed=0
started=

# Processes of ours, and no others, are ended.
end_started()
{
    local pid
    for pid in $started; do kill -KILL "$pid" 2>/dev/null; done
    started=
}
trap 'end_started; rm -rf "$tmp"' EXIT

pass() { echo "ok $1"; }
skip() { echo "ok $1 # SKIP $2"; }
fail()
{
    echo "not ok $1"
    shift
    printf '# %s\n' "$@"
    failed=1
}

# is NAME EXPECTED FOUND
is()
{
    if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "expected: $2" "found: $3"; fi
}

# has NAME PATTERN FILE
has()
{
    if grep -q -e "$2" "$3"; then pass "$1"; else fail "$1" "no '$2' in:" "$(head -n 20 "$3")"; fi
}

# start COMMAND...: preloaded, with pipes: its answers are read with `answer`, lines are
# written to it with `tell`. Sets pid.
start()
{
    rm -f "$tmp/in" "$tmp/out"
    mkfifo "$tmp/in" "$tmp/out"
    LD_PRELOAD=$LIB "$@" <"$tmp/in" >"$tmp/out" 2>"$tmp/err" &
    pid=$!
    started="$started $pid"
    exec 7>"$tmp/in" 8<"$tmp/out"
}
tell() { echo "$1" >&7; }
answer() { read -r -t 60 REPLY <&8; }

# Let it end. Sets status.
finish()
{
    exec 7>&-
    status=0
    wait "$pid" || status=$?
    exec 8<&-
    started=${started% *}
}

# The end of one that waits for ever.
stop()
{
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    exec 7>&- 8<&-
    started=${started% *}
}

# status_of COMMAND...: its exit status; output to $tmp/text, errors to $tmp/error.
status_of()
{
    local s=0
    timeout 120 "$@" >"$tmp/text" 2>"$tmp/error" || s=$?
    echo $s
}

# field NAME: a figure of the total in the JSON of $tmp/text.
field() { sed -n "s/.*\"total\": {.*\"$1\": \([0-9]*\).*/\1/p" "$tmp/text"; }

# sums NAME: in the JSON of $tmp/text the parts add up, in every arena and in all.
sums()
{
    local wrong
    wrong=$(tr '}' '\n' <"$tmp/text" | awk '
        function value(name) {
            if (!match($0, "\"" name "\": [0-9]+")) { print "no " name; return 0 }
            return substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 4) + 0
        }
        /"mapped"/ {
            objects++
            parts = value("live") + value("overhead") + value("cached")
            parts += value("free_resident") + value("free_purged")
            parts += value("metadata") + value("damaged")
            if (parts != value("mapped")) print "mapped " value("mapped") ", parts " parts
            parts = value("binned") + value("top") + value("kept")
            if (value("free_resident") + value("free_purged") != parts) print "free: " $0
        }
        END { if (objects < 2) print "no sums" }' || echo "no awk")
    is "$1: the sums add up" '' "$wrong"
}
