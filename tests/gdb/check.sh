#!/bin/sh
# check.sh: gdb finds cmalloc-gdb.py by the library's name, and what it says about a live
# process and about its core is what the program and the command `cmalloc` say.
set -u
# shellcheck source=tests/map/lib.sh
. "$(dirname "$0")/../map/lib.sh"
tests/need.sh gdb || exit 1

lib=$(realpath libcmalloc.so)
mkdir -p "$tmp/auto-load$(dirname "$lib")"
cp src/tools/cmalloc-gdb.py "$tmp/auto-load$lib-gdb.py"
cp src/tools/cmalloc-gdb.py "$tmp/auto-load${lib%.so}-secure.so-gdb.py"

# gdb as a user has it, but for where scripts are installed.
debug()
{
    timeout 120 gdb -nx -batch -iex "add-auto-load-scripts-directory $tmp/auto-load" \
        -iex "add-auto-load-safe-path $tmp/auto-load" -iex 'set debuginfod enabled off' \
        -ex 'set width 0' "$@" </dev/null 2>"$tmp/err"
}

# The figure of a kind in the last lines of cm-heap: chunks or bytes.
figure() { sed -n "s/^$2  *\([0-9]*\) chunks  *\([0-9]*\) bytes/\\$3/p" "$tmp/$1"; }

# $1: live or core. Holds for both.
look()
{
    check "$1: as many bytes in use as cmalloc stats has" \
        [ $(($(figure "$1" 'in use' 2) + $(figure "$1" mapped 2) + before_mapped)) -eq \
        $(($(total live) + $(total overhead))) ]
    check "$1: as many chunks in use" \
        [ $(($(figure "$1" 'in use' 1) + $(figure "$1" mapped 1))) -eq "$(total live_count)" ]
    check "$1: cached" [ "$(figure "$1" cached 2)" -eq "$(total cached)" ]
    check "$1: free and top" [ $(($(figure "$1" free 2) + $(figure "$1" top 2))) -eq \
        $(($(total free_resident) + $(total free_purged))) ]
    check "$1: three arenas" [ "$(grep -c '^arena [012]$' "$tmp/$1")" -eq 3 ]
    check "$1: an address is found" \
        grep -q "^$held_at: in use, byte 0; arena [0-9], heap 0x" "$tmp/$1"
    check "$1: its chunk is shown" \
        grep -qE "^  chunk   $held_at +$((0x$held_size)) bytes  [A-]-P  in use\$" "$tmp/$1"
    check "$1: a byte inside of it" grep -q "^$(printf '%#x' $((held_at + 100))): in use, byte 100;" "$tmp/$1"
    check "$1: no chunk" grep -q '^0x10: in no chunk' "$tmp/$1"
    check "$1: a chunk is printed" \
        grep -qE "^.1 = chunk of $((0x$held_size)) bytes, [A-]-P = " "$tmp/$1"
    check "$1: and where its payload is" grep -q "mem = $held_at" "$tmp/$1"
}

total() { sed -n 's/.*"total".*"'"$1"'": \([0-9]*\),.*/\1/p' "$tmp/stats"; }

start_heap 3000 2
$cmalloc stats "$pid" --json >"$tmp/stats"
# What lies in a mapping before its chunk is overhead, and no chunk's.
before_mapped=$(($(total mmapped) - $($cmalloc map "$pid" -o "$tmp/a.snap" &&
    awk '$1 == "s" { mapped = $2 == 1 } mapped && $1 == "c" && $5 == 0 { print "0x" $3 }' "$tmp/a.snap" |
    while read -r size; do echo $((size)); done | awk '{ n += $1 } END { print n }')))
debug -p "$pid" -ex cm-heap -ex "cm-find $held_at" -ex "cm-find $held_at + 100" \
    -ex 'cm-find 0x10' -ex "p *(chunk_t *)($held_at - 16)" -ex 'cm-find' \
    -ex "generate-core-file $tmp/core" >"$tmp/live"
look live
check 'live: cm-find needs an address' grep -q 'Usage: cm-find ADDRESS' "$tmp/err"
stop_heap
debug build/map/heaps "$tmp/core" -ex cm-heap -ex "cm-find $held_at" \
    -ex "cm-find $held_at + 100" -ex 'cm-find 0x10' -ex "p *(chunk_t *)($held_at - 16)" >"$tmp/core.txt"
mv "$tmp/core.txt" "$tmp/dead"
look dead

# Sealed headers are read, too.
LIB=libcmalloc-secure.so
start_heap 3000 2
$cmalloc stats "$pid" --json >"$tmp/stats"
debug -p "$pid" -ex cm-heap >"$tmp/sealed"
check 'sealed: as many chunks in use' \
    [ $(($(figure sealed 'in use' 1) + $(figure sealed mapped 1))) -eq "$(total live_count)" ]
check 'sealed: cached' [ "$(figure sealed cached 2)" -eq "$(total cached)" ]

debug -ex "source src/tools/cmalloc-gdb.py" -ex cm-heap /bin/true >"$tmp/none"
check 'another program' grep -q 'cmalloc: not in this program' "$tmp/err"
end
