#!/bin/sh
# options.sh LIB: the README's table of options is the one that CMALLOC_OPTIONS=help
# prints. When it is not, the table that belongs there is printed.
set -eu
lib=$1
case $lib in */*) ;; *) lib=./$lib ;; esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Columns are two or more spaces apart.
CMALLOC_OPTIONS=help LD_PRELOAD=$lib /bin/true 2>&1 | awk -F '  +' '
    { gsub(/\|/, "\\|") }
    NR == 1 { print "| " $1 " | " $2 " | " $3 " | " $4 " |"; print "|---|---|---|---|"; next }
    { print "| `" $1 "` | " $2 " | " $3 " | " $4 " |" }' >"$tmp/help"
sed -n '/^## Options/,/^## Coming/p' README.md | grep '^|' >"$tmp/readme" || true

if ! [ -s "$tmp/help" ] || ! cmp -s "$tmp/help" "$tmp/readme"; then
    echo "README.md: the table of options should read"
    cat "$tmp/help"
    exit 1
fi
echo "options: $(($(wc -l <"$tmp/help") - 2)) in the README"
