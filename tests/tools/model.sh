#!/bin/bash
# model.sh [THREADS CHUNKS]... - statistics agree to the byte with a program that knows what
# it holds, whoever asks: the command on the process, on its core, the library itself. A
# core needs gdb; without it that part is left out. SEED= as elsewhere.
. tests/tools/lib.sh
SEED=${SEED:-$RANDOM}
echo "# SEED=$SEED"
[ $# -gt 0 ] || set -- 1 2000 8 3000

# one THREADS CHUNKS
one()
{
    local name="model, $1 threads" chunks bytes mem
    CMALLOC_OPTIONS=background=off start "$BIN/model" "$1" "$2" "$SEED"
    answer || { fail "$name: starts"; return; }
    is "$name: stats" 0 "$(status_of "$TOOL" stats "$pid" --json)"
    sums "$name, empty"
    local live0 count0
    live0=$(field live) count0=$(field live_count)
    for step in 1 2 3; do
        tell go
        answer || { fail "$name: step $step"; return; }
        read -r chunks bytes mem <<<"$REPLY"
        is "$name, step $step: stats" 0 "$(status_of "$TOOL" stats "$pid" --json)"
        is "$name, step $step: no complaint" '' "$(cat "$tmp/error")"
        is "$name, step $step: bytes" "$bytes" $(($(field live) - live0))
        is "$name, step $step: chunks" "$chunks" $(($(field live_count) - count0))
        sums "$name, step $step"
    done
    is "$name: find" 0 "$(status_of "$TOOL" find "$pid" "$(printf %x "$mem")")"
    has "$name: find says in use" 'in use.*, byte 0' "$tmp/text"
    is "$name: check" 0 "$(status_of "$TOOL" check "$pid")"
    is "$name: why" 0 "$(status_of "$TOOL" why "$pid")"
    core_of "$name"
    finish
    is "$name: ends as it should" 0 $status
}

core_of()
{
    local live
    live=$(status_of "$TOOL" stats "$pid" --json >/dev/null; field live)
    command -v gcore >/dev/null || { skip "$1: core" 'no gdb'; return; }
    gcore -o "$tmp/core" "$pid" >/dev/null 2>&1
    is "$1, core: stats" 0 "$(status_of "$TOOL" stats "$tmp/core.$pid" --json)"
    is "$1, core: bytes" "$live" "$(field live)"
    sums "$1, core"
    is "$1, core: check" 0 "$(status_of "$TOOL" check "$tmp/core.$pid")"
    rm -f "$tmp/core.$pid"
}

while [ $# -ge 2 ]; do
    one "$1" "$2"
    shift 2
done
exit $failed
