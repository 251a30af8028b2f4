#!/bin/bash
# checkers.sh: programs on cmalloc below other checkers. Those that are built with a sanitizer keep its
# allocator, however cmalloc comes to them; valgrind's memcheck sees what is allocated, with its own malloc in
# the place of ours, and with ours. TAP lines.
. tests/tools/lib.sh
source=tests/port/mistakes.c
ln -s "$LIB" "$tmp/libcmalloc.so.0"
ln -s "$LIB" "$tmp/libcmalloc.so"

# fine NAME COMMAND...: the program says so.
fine()
{
    local name=$1
    shift
    is "$name" '0 fine' "$(status_of "$@") $(cat "$tmp/text")"
}

# ---- sanitizers --------------------------------------------------------------------------

# with COMPILER SANITIZER: preloaded (gcc's own stands first, or it refuses), linked with, and by the command.
with()
{
    local cc=$1 sanitizer=$2 name="$1 $2" first=
    "$cc" -g -O0 -w -fsanitize="$sanitizer" "$source" -o "$tmp/alone" -pthread 2>"$tmp/error" || {
        skip "$name" 'no such sanitizer'
        return
    }
    "$cc" -g -O0 -w -fsanitize="$sanitizer" "$source" -o "$tmp/linked" -pthread -L"$tmp" -lcmalloc -Wl,-rpath,"$tmp"
    [ "$cc" != gcc ] || case $sanitizer in
    address) first=$(gcc -print-file-name=libasan.so): ;;
    thread) first=$(gcc -print-file-name=libtsan.so): ;;
    esac
    fine "$name: preloaded" env LD_PRELOAD="$first$LIB" "$tmp/alone"
    fine "$name: linked" "$tmp/linked"
    case $sanitizer in
    address)
        status_of env LD_PRELOAD="$first$LIB" "$tmp/alone" x >/dev/null
        has "$name: it has its allocator" 'AddressSanitizer: heap-buffer-overflow' "$tmp/error"
        status_of "$tmp/linked" x >/dev/null
        has "$name: linked, too" 'AddressSanitizer: heap-buffer-overflow' "$tmp/error"
        is "$name: cmalloc run" 9 "$(status_of "$TOOL" run -l "$LIB" "$tmp/alone")"
        ;;
    thread) is "$name: cmalloc run" 9 "$(status_of "$TOOL" run -l "$LIB" "$tmp/alone")" ;;
    undefined) fine "$name: cmalloc run" "$TOOL" run -l "$LIB" "$tmp/alone" ;;
    esac
}

for compiler in gcc clang; do
    command -v $compiler >/dev/null || { skip $compiler 'not here'; continue; }
    for sanitizer in address undefined thread; do with $compiler $sanitizer; done
done

# ---- valgrind ----------------------------------------------------------------------------

# memcheck NAME [OPTION...]: on libcmalloc, with and without mistakes.
memcheck()
{
    local name=$1
    shift
    fine "$name" env LD_PRELOAD="$LIB" valgrind "$@" "$tmp/plain"
    has "$name: nothing is wrong" 'ERROR SUMMARY: 0 errors' "$tmp/error"
    has "$name: nothing is left" 'in use at exit: 0 bytes\|All heap blocks were freed' "$tmp/error"
    status_of env LD_PRELOAD="$LIB" valgrind --leak-check=full "$@" "$tmp/plain" x >/dev/null
    has "$name: overflow" 'is 0 bytes after a .*block of size 10 alloc' "$tmp/error"
    has "$name: unwritten" 'Conditional jump or move depends on uninitialised' "$tmp/error"
    has "$name: use after free" 'Invalid write of size 1' "$tmp/error"
    has "$name: leak" '77 bytes in 1 blocks are definitely lost' "$tmp/error"
    has "$name: and nothing else" 'ERROR SUMMARY: 4 errors from 4 contexts' "$tmp/error"
}

if command -v valgrind >/dev/null; then
    gcc -g -O0 -w "$source" -o "$tmp/plain" -pthread
    memcheck "memcheck's malloc"
    export CMALLOC_OPTIONS=valgrind=on
    memcheck 'valgrind=on' --soname-synonyms=somalloc=nouserintercepts --suppressions=src/cmalloc.supp
else
    skip valgrind 'not here'
fi
exit $failed
