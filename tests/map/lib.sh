# shellcheck shell=sh disable=SC2034  # variables for who sources this
# lib.sh - a process with a heap to draw, for the scripts here. To be sourced.
cd "$(dirname "$0")/../.." || exit 1
tmp=$(mktemp -d) || exit 1
pid=
trap 'stop_heap; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
cmalloc=build/cmalloc
passed=0 failed=0

ok() { passed=$((passed + 1)); echo "ok $*"; }
fault() { failed=$((failed + 1)); echo "not ok $*"; }

# $1: what; then a command that is true or not.
check()
{
    what=$1
    shift
    if "$@"; then ok "$what"; else fault "$what: $*"; fi
}

# Wait until the heap has said "ready" $1 times, two minutes at most.
await()
{
    left=${AWAIT:-1200}
    while [ "$(grep -c '^ready' "$tmp/ready")" -lt "$1" ] && [ $left -gt 0 ]; do
        sleep 0.1
        left=$((left - 1))
    done
    [ $left -gt 0 ]
}

# $1: chunks; $2: threads. Sets pid, and what it says: its sums, and an address. It
# stands still: nothing is purged.
start_heap()
{
    mkfifo "$tmp/in"
    : >"$tmp/ready"
    CMALLOC_OPTIONS=background=off,purge_age=off,arena_max=3 LD_PRELOAD=$PWD/${LIB:-libcmalloc.so} \
        build/map/heaps "$1" "$2" <"$tmp/in" >"$tmp/ready" &
    pid=$!
    exec 3>"$tmp/in"
    await 1 || fault 'the heap is not ready'
    read -r _ held_count held_bytes held_at held_size <"$tmp/ready"
}

stop_heap()
{
    [ -z "$pid" ] || kill "$pid" 2>/dev/null
    [ -z "$pid" ] || wait "$pid" 2>/dev/null
    pid=
    rm -f "$tmp/in"
}

end()
{
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ]
}
