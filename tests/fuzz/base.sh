#!/bin/sh
# base.sh PROGRAM FILE: a core of PROGRAM, which waits for a line, without its ending. A
# small one: gdb writes address space that is only reserved, too.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkfifo "$tmp/in" "$tmp/out"
# shellcheck disable=SC3045  # every sh of a Linux has it
ulimit -s 256
CMALLOC_OPTIONS=arena_max=1 "$1" <"$tmp/in" >"$tmp/out" &
pid=$!
exec 7>"$tmp/in" 8<"$tmp/out"
read -r _ <&8
gcore -o "$tmp/core" "$pid" >/dev/null 2>&1
echo x >&7
wait "$pid"
mv "$tmp/core.$pid" "$2"
