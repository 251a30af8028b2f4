#!/bin/sh
# check.sh: what `cmalloc map` writes about a heap is what the heap's program and `cmalloc
# stats` say about it, as text, as SVG, in a snapshot, and in two that are compared.
set -u
# shellcheck source=tests/map/lib.sh
. "$(dirname "$0")/lib.sh"

# $1: status wanted; $2: a word of the one line wanted; then the command.
refuses()
{
    want=$1 word=$2
    shift 2
    "$@" >"$tmp/out" 2>"$tmp/err"
    got=$?
    if [ $got -eq "$want" ] && [ "$(wc -l <"$tmp/err")" -eq 1 ] && grep -q "$word" "$tmp/err"
    then
        ok "status $want, $word"
    else
        fault "status $got, not $want, or no '$word' in: $(cat "$tmp/err")"
    fi
}

# The sums of all in a snapshot: bytes by state.
sums() { awk '/^w / { print $6, $7, $8, $9, $10, $11, $12 }' "$1"; }

# A sum of all, as `cmalloc stats` has it.
total() { sed -n 's/.*"total".*"'"$1"'": \([0-9]*\),.*/\1/p' "$tmp/stats"; }

start_heap 3000 2
$cmalloc map "$pid" -o "$tmp/a.snap" || fault 'no snapshot'
$cmalloc stats "$pid" --json >"$tmp/stats"

# ---- sums ----

# shellcheck disable=SC2046  # seven numbers
set -- $(sums "$tmp/a.snap")
inuse=$((0x$1)) cached=$((0x$2)) idle=$((0x$3 + 0x$4 + 0x$5)) purged=$((0x$5))
all=$((inuse + cached + idle + 0x$6))
check 'as much in use as the program holds' [ $inuse -ge "$held_bytes" ]
check 'no more than 512 KiB are not its own' [ $((inuse - held_bytes)) -lt 524288 ]
check 'cached, as cmalloc stats has it' [ $cached -eq "$(total cached)" ]
check 'free, as cmalloc stats has it' \
    [ $idle -eq $(($(total free_resident) + $(total free_purged))) ]
check 'purged, as cmalloc stats has it' [ $purged -eq "$(total free_purged)" ]
check 'all, as cmalloc stats has it' \
    [ $all -eq $(($(total heaps) + $(total mmapped) + $(total kept))) ]
records=0
while read -r kind _ size _; do
    case $kind in c | r) records=$((records + 0x$size)) ;; esac
done <"$tmp/a.snap"
check 'the records add up to the sums' [ $records -eq $all ]
check 'the last line counts the records' \
    [ "$(grep -c '^[cr] ' "$tmp/a.snap")" -eq $((0x$(sed -n 's/^end //p' "$tmp/a.snap"))) ]
chunk=$(printf '%x' $((held_at - 16)))
check 'a chunk that it holds is a record of its own' \
    grep -qE "^c $chunk $held_size 1 0 [15] 0\$" "$tmp/a.snap"

# ---- snapshots ----

$cmalloc map "$tmp/a.snap" -o "$tmp/again.snap"
check 'a snapshot that was read is written as it was' cmp -s "$tmp/a.snap" "$tmp/again.snap"
cat >"$tmp/swapped.snap" <<'END'
cmalloc-map 1 1000 10 0
t a heap whose first pages are not in memory
w 0 1 5000 2000 0 0 0 0 5000 0 0 0 0 0 0 1 0 0
s 0 0 10000 5000 2000
p 0
p 3
p 2
c 10000 5000 1 4 4 0
end 1
END
$cmalloc map "$tmp/swapped.snap" -o "$tmp/again2.snap"
check 'so is one that begins with pages that are not in memory' \
    cmp -s "$tmp/swapped.snap" "$tmp/again2.snap"
sed '$d' "$tmp/a.snap" >"$tmp/cut.snap"
refuses 6 truncated $cmalloc map "$tmp/cut.snap"
sed "s/^c $chunk $held_size/c $chunk 10/" "$tmp/a.snap" >"$tmp/bad.snap"
refuses 6 damaged $cmalloc map "$tmp/bad.snap"
sed '3s/.*/k zz/' "$tmp/a.snap" >"$tmp/bad.snap"
refuses 6 damaged $cmalloc map "$tmp/bad.snap"
for line in 'p 1' 'c 10 10 1 0 0 0' '' x 'k 0 1 1 1 -' 'a 10000 0 0 0'; do
    sed "2a\\
$line" "$tmp/a.snap" >"$tmp/bad.snap"
    refuses 6 damaged $cmalloc map "$tmp/bad.snap"
done
sed '$i x' "$tmp/a.snap" >"$tmp/bad.snap"
refuses 6 damaged $cmalloc map "$tmp/bad.snap"
for head in '1 100 10 0' '1 1001 10 0' '1 1000 1 0' '1 1000 18 0' '1 1000 10' '1 1000 x' '2 1000 10 0'; do
    sed "1s/.*/cmalloc-map $head/" "$tmp/a.snap" >"$tmp/bad.snap"
    refuses 2 'not a snapshot' $cmalloc map "$tmp/bad.snap"
done
: >"$tmp/bad.snap"
refuses 2 'not a snapshot' $cmalloc map "$tmp/bad.snap"
echo nothing >"$tmp/bad.snap"
refuses 2 'not a snapshot' $cmalloc map "$tmp/bad.snap"
refuses 4 'No such file' $cmalloc map "$tmp/none.snap"

# ---- the command line ----

refuses 2 'must end in' $cmalloc map "$tmp/a.snap" -o "$tmp/a.png"
refuses 2 'must end in' $cmalloc map --diff "$tmp/a.snap" "$tmp/a.snap" -o "$tmp/b.snap"
refuses 2 usage $cmalloc map
refuses 2 usage $cmalloc map --diff "$tmp/a.snap"
ln -s /dev/full "$tmp/full.svg"
refuses 8 'cannot be written' $cmalloc map "$tmp/a.snap" -o "$tmp/full.svg"
refuses 8 'No such file' $cmalloc map "$tmp/a.snap" -o "$tmp/no/where.svg"

# ---- text ----

COLUMNS=80 $cmalloc map "$tmp/a.snap" >"$tmp/text"
# shellcheck disable=SC2016  # an escape, not a variable
check 'no colours into a file' eval '! grep -q "$(printf "\033")" "$tmp/text"'
check 'rows are as wide as the terminal' [ "$(grep '|$' "$tmp/text" | wc -L)" -eq 80 ]
check 'every arena is there' [ "$(grep -c '^arena' "$tmp/text")" -ge 3 ]
check 'the mapped chunks are there' grep -q '^mapped chunks' "$tmp/text"
check 'the key has a share for those in use' \
    grep -qE "'#' in use +[0-9.]+ MiB +[0-9.]+ %" "$tmp/text"

# On a terminal, where there is something that makes one.
if command -v script >/dev/null; then
    terminal()
    {
        env -u NO_COLOR TERM=xterm LC_ALL="$1" COLUMNS=80 \
            script -qec "$cmalloc map $tmp/a.snap" /dev/null >"$tmp/tty"
    }
    terminal C.UTF-8
    # shellcheck disable=SC2016
    check 'colours and bars on a terminal' \
        eval 'grep -q "$(printf "\033\\[38;5;33;48;5;")" "$tmp/tty" && grep -q "▇" "$tmp/tty"'
    terminal C
    check 'letters where there is no Unicode' eval '! grep -q "▇" "$tmp/tty"'
    # shellcheck disable=SC2016
    check 'and colours all the same' eval 'grep -q "$(printf "\033\\[38;5;33m#")" "$tmp/tty"'
fi

# ---- SVG ----

$cmalloc map "$tmp/a.snap" -o "$tmp/a.svg"
width=$(sed -n 's/.*y="76" width="\([0-9.]*\)".*/\1/p' "$tmp/a.svg" |
    awk '{ sum += $1 } END { print (sum > 1151.9 && sum < 1152.1) ? "whole" : sum }')
check 'the bar of all adds up' [ "$width" = whole ]
check 'no state is drawn at no place' eval '! grep -q "d=\"\"/>" <<-E
	$(grep "class=\"s" "$tmp/a.svg")
	E'
check 'light and dark' grep -q 'prefers-color-scheme:dark' "$tmp/a.svg"

# ---- HTML: what can be seen without a browser ----

$cmalloc map "$tmp/a.snap" -o "$tmp/a.html"
check 'asks nobody for anything' \
    eval '! sed s,http://www.w3.org/2000/svg,, "$tmp/a.html" | grep -qE "https?://|src=|@import|fetch\("'
check 'has the picture without a script' grep -q '<svg ' "$tmp/a.html"
check 'has a row for each arena' [ "$(grep -c '^<tr><td data-v="[0-2]">[0-2]</td>' "$tmp/a.html")" -eq 3 ]

# ---- two compared ----

changed() { awk -v want="$1" -F '  +' '$2 ~ want { print $3 }' "$tmp/diff"; }
$cmalloc map --diff "$tmp/a.snap" "$tmp/again.snap" >"$tmp/diff"
check 'nothing differs from itself' [ -z "$(changed "' new")$(changed "' gone")" ]
echo >&3
await 2 || fault 'the heap does not go on'
$cmalloc map "$pid" -o "$tmp/b.snap"
$cmalloc map --diff "$tmp/a.snap" "$tmp/b.snap" >"$tmp/diff"
check 'what was freed is gone: 3 MiB and 4000 bytes' \
    [ "$(changed "' gone")" = '3.01 MiB' ]
check 'nothing is new' [ -z "$(changed "' new")" ]
$cmalloc map --diff "$tmp/b.snap" "$pid" >"$tmp/diff"
check 'a process may be compared' [ -z "$(changed "' new")$(changed "' gone")" ]

end
