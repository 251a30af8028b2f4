#!/bin/bash
# damage.sh [CUTS] - heaps that were overrun, cores that end early or have other bytes in
# them, a process in the middle of malloc: named, walked round, and never followed. Needs
# gdb for its cores.
. tests/tools/lib.sh
cuts=${1:-12}
SEED=${SEED:-$RANDOM}
RANDOM=$SEED
echo "# SEED=$SEED"
if ! command -v gcore >/dev/null; then
    skip 'damage' 'no gdb'
    exit 0
fi

# spoiled WHAT WORDS
spoiled()
{
    local name="overrun, $1" mem
    start "$BIN/spoil" "$1"
    answer || { fail "$name: starts"; return; }
    mem=$REPLY
    is "$name: check" 1 "$(status_of "$TOOL" check "$pid")"
    has "$name: the fault is named" "^$2: $mem\$" "$tmp/text"
    has "$name: with the words around it" "^> 0x[0-9a-f]*  " "$tmp/text"
    has "$name: with a neighbour" "^  after " "$tmp/text"
    is "$name: stats" 0 "$(status_of "$TOOL" stats "$pid" --json)"
    sums "$name"
    is "$name: the others are there" yes "$([ "$(field live)" -gt 2900000 ] && echo yes)"
    is "$name: find" 0 "$(status_of "$TOOL" find "$pid" "$mem")"
    is "$name: it runs on" 0 "$(kill -0 "$pid"; echo $?)"
    gcore -o "$tmp/core" "$pid" >/dev/null 2>&1
    stop
    is "$name, core: check" 1 "$(status_of "$TOOL" check "$tmp/core.$pid")"
    has "$name, core: the fault is named" "^$2: $mem\$" "$tmp/text"
    mv "$tmp/core.$pid" "$tmp/spoiled.$1"
}

spoiled size 'invalid size'
spoiled footer 'size != next->prev_size'
spoiled links 'broken links'

# --- a core as abort() in the middle of malloc leaves it: the arena is locked, a chunk has been
# cut off another one and is in no bin yet ---

middle()
{
    yes | head -n 100 >"$tmp/lines"
    cat >"$tmp/gdb" <<-E
	set pagination off
	set breakpoint pending on
	set exec-wrapper env LD_PRELOAD=$LIB
	handle SIGABRT nostop noprint
	break main
	run 1 500 3 <$tmp/lines
	break bin_insert
	continue
	generate-core-file $tmp/middle
	kill
	quit
	E
    timeout 120 gdb -nx -batch -x "$tmp/gdb" --args "$BIN/model" </dev/null >"$tmp/log" 2>&1
    [ -s "$tmp/middle" ]
}

if middle; then
    is 'in the middle: stats' 0 "$(status_of "$TOOL" stats "$tmp/middle" --json)"
    sums 'in the middle'
    is 'in the middle: check' 1 "$(status_of "$TOOL" check "$tmp/middle")"
    has 'in the middle: the lock is named' '^arena [01] was in use' "$tmp/text"
    has 'in the middle: so is the chunk' '^free chunk in no bin: ' "$tmp/text"
    chunk=$(sed -n 's/^free chunk in no bin: //p' "$tmp/text" | head -n 1)
    is 'in the middle: why' 0 "$(status_of "$TOOL" why "$tmp/middle")"
    is 'in the middle: find' 0 "$(status_of "$TOOL" find "$tmp/middle" "$chunk")"
    has 'in the middle: find knows the chunk' "$chunk: free" "$tmp/text"
    is 'in the middle: leaks' yes "$([ "$(status_of "$TOOL" leaks "$tmp/middle")" -le 1 ] && echo yes)"
    is 'in the middle: map' 0 "$(status_of "$TOOL" map "$tmp/middle")"
    is 'in the middle: map, a page' 0 "$(status_of "$TOOL" map "$tmp/middle" -o "$tmp/middle.html")"
    has 'in the middle: the page is whole' '</html>' "$tmp/middle.html"
else
    fail 'in the middle: a core' "$(tail -n 5 "$tmp/log")"
fi

# --- cores that end early, or have been written over: any status but death ---

survives()
{
    local file=$1 name=$2 command s
    for command in stats check why 'find 7f0000000000'; do
        # shellcheck disable=SC2086 # a command and its arguments
        set -- $command
        s=$(status_of "$TOOL" "$1" "$file" ${2:+"$2"})
        [ "$s" -lt 11 ] || fail "$name: $command" "status $s" "$(tail -n 2 "$tmp/error")"
    done
}

core=$tmp/spoiled.links
size=$(stat -c %s "$core")
# Behind its segments a core has tables of sections, which nobody misses.
segments=0
while read -r kind offset _ _ bytes _; do
    if [ "$kind" = LOAD ] && [ $((offset + bytes)) -gt "$segments" ]; then
        segments=$((offset + bytes))
    fi
done < <(readelf -lW "$core")
refused=0
for i in $(seq "$cuts"); do
    at=$(((RANDOM * 32768 + RANDOM) % segments))
    head -c $at "$core" >"$tmp/cut"
    survives "$tmp/cut" "cut at $at"
    [ "$(status_of "$TOOL" stats "$tmp/cut")" = 6 ] && refused=$((refused + 1))
done
is 'cut cores are called so' "$cuts" $refused
for i in $(seq "$cuts"); do
    cp "$core" "$tmp/spoilt"
    for _ in $(seq 200); do
        at=$(((RANDOM * 32768 + RANDOM) % size))
        [ $((i % 3)) -ne 0 ] || at=$((at % 20000))
        printf %b "\\x$(printf %x $((RANDOM % 256)))" |
            dd of="$tmp/spoilt" bs=1 seek=$at conv=notrunc status=none
    done
    survives "$tmp/spoilt" "spoilt core $i"
done
pass 'damaged cores end no command'
exit $failed
