#!/bin/bash
# guard.sh - guarded chunks (guard_sample): what is told of a fault, to whom, and how the program ends.
. tests/tools/lib.sh

# guarded HOW [x]: run it, one chunk in 50 guarded; its status in $status, its words in $tmp/error.
guarded()
{
    status=$(status_of "$TOOL" run -l "$LIB" -o "guard_sample=50,report_file=$tmp/report" "$BIN/guarded" "$@")
}

# frame HEADING FUNCTION: the first line below the heading is of that function.
frame()
{
    local place
    place=$(sed -n "/^  $1\$/{n;s/.* //p;q}" "$tmp/error")
    is "$1 $2" "$2" "$(addr2line -f -e "${place%+*}" "${place##*+}" 2>&1 | head -n 1)"
}

# told HOW WORDS: the program made the mistake, it was told, and ended as it would have.
told()
{
    guarded "$1"
    is "$1: status" 139 "$status"
    has "$1: what" "^cmalloc: guard: $2$" "$tmp/error"
    frame 'allocated by' take
    is "$1: the report's file" '' "$(diff "$tmp/report" "$tmp/error")"
}

guarded fine
is 'without a mistake' '0 ' "$status $(cat "$tmp/error")"

told overflow 'overflow: 0x[0-9a-f]*: 8 bytes behind the 48 bytes at 0x[0-9a-f]*'
told underflow 'underflow: 0x[0-9a-f]*: 200 bytes before the 48 bytes at 0x[0-9a-f]*'
told use 'use after free: 0x[0-9a-f]*: byte 3 of the 48 freed bytes at 0x[0-9a-f]*'
frame 'freed by' give

guarded twice
is 'freed twice: status' 134 "$status"
has 'freed twice: what' '^cmalloc: fatal: double free: 0x[0-9a-f]*$' "$tmp/error"
frame 'allocated by' take
frame 'freed by' give
frame 'called by' give

for how in wild sent; do
    guarded $how
    is "$how: a fault of another's" '139 ' "$status $(cat "$tmp/error")"
done

guarded use x
is 'a handler of the program' '11 its own handler' "$status $(cat "$tmp/error")"

exit $failed
