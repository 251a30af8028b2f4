#!/bin/bash
# edges.sh - what the command says of addresses in no chunk, of a heap too large to draw each chunk of it,
# of two snapshots, of leaks byte by byte, and at every column of top.
. tests/tools/lib.sh

# --- a heap of half a million chunks ---

export CMALLOC_OPTIONS=background=off,purge_age=off
cp build/map/heaps "$tmp/a<b&\"c"
start "$tmp/a<b&\"c" 250000 2
answer
read -r _ _ _ mem _ <<<"$REPLY"
is 'map: a page' 0 "$(status_of "$TOOL" map "$pid" -o "$tmp/large.html")"
is 'map: of no more than two MiB' yes "$([ "$(stat -c %s "$tmp/large.html")" -lt 2100000 ] && echo yes)"
is 'map: a picture' 0 "$(status_of "$TOOL" map "$pid" -o "$tmp/large.svg")"
has 'map: the name of the program is text' 'a&lt;b&amp;' "$tmp/large.svg"
is 'map: a snapshot' 0 "$(status_of "$TOOL" map "$pid" -o "$tmp/large.snap")"
is 'map: records of more than one chunk' yes "$(awk '$1 == "r" && $4 != "1" { print "yes"; exit }' "$tmp/large.snap")"
is 'map: drawn from the snapshot' 0 "$(status_of "$TOOL" map "$tmp/large.snap" -o "$tmp/again.svg")"
is 'map: as the process was' "$(wc -l <"$tmp/large.svg")" "$(wc -l <"$tmp/again.svg")"
for lang in C C.UTF-8; do
    is "map: as text, in $lang" 0 "$(LC_ALL=$lang status_of "$TOOL" map "$pid")"
done
is 'map: to nowhere' 8 "$(status_of "$TOOL" map "$pid" -o "$tmp/none/x.svg")"

# --- find ---

stack=$(awk '/\[stack\]/ { sub("-.*", ""); print "0x" $0; exit }' "/proc/$pid/maps")
is 'find: in and out of chunks' 1 "$(status_of "$TOOL" find "$pid" "$mem" "$stack" 0x10)"
has 'find: in a chunk' "^$mem: in use, byte 0" "$tmp/text"
has 'find: in another mapping' "^$stack: in no chunk; mapping .*\[stack\]" "$tmp/text"
has 'find: nowhere' '^0x10: in no chunk, and not mapped' "$tmp/text"
is 'find: the header' 0 "$(status_of "$TOOL" find "$pid" "$(printf '%#x' $((mem - 8)))")"
has 'find: says so' 'in the header' "$tmp/text"
is 'who: in no chunk' 2 "$(status_of "$TOOL" who "$pid" 0x10)"
is 'who: no address' 2 "$(status_of "$TOOL" who "$pid" 10g)"
is 'stats: for Prometheus' 0 "$(status_of "$TOOL" stats "$pid" --prom)"
has 'stats: a sample' '^cmalloc_live_bytes{arena="0"} [0-9]' "$tmp/text"

# --- two snapshots ---

tell x
answer
is 'map: another snapshot' 0 "$(status_of "$TOOL" map "$pid" -o "$tmp/after.snap")"
is 'map: the two' 0 "$(status_of "$TOOL" map "$tmp/large.snap" --diff "$tmp/after.snap" -o "$tmp/both.html")"
has 'map: arena by arena' '<td data-v="0">arena 0</td>' "$tmp/both.html"
has 'map: what there is less of' 'class="down">−' "$tmp/both.html"
stop
unset CMALLOC_OPTIONS

# --- leaks ---

start build/leak/plant "$tmp/truth" pin ready
REPLY=
until [[ $REPLY = ready* ]]; do answer || break; done
is 'leaks: two looks' 1 "$(status_of "$TOOL" leaks "$pid" --interval 0.1 --hex 24 --rows 2)"
has 'leaks: with their bytes' '^    [0-9a-f][0-9a-f] .*' "$tmp/text"
is 'leaks: saved' 1 "$(status_of "$TOOL" leaks "$pid" --once --save "$tmp/saved")"
is 'leaks: since then' 0 "$(status_of "$TOOL" leaks "$pid" --once --since "$tmp/saved" --mask ffffffffffff)"
has 'leaks: nothing new' 'since .*: 0 new, 0 gone$' "$tmp/error"
sed '1d; s/ [0-9a-f]*$/ 0/' "$tmp/saved" >"$tmp/changed"
is 'leaks: since others' 1 "$(status_of "$TOOL" leaks "$pid" --once --since "$tmp/changed")"
for rows in '' 3x -1; do
    is "leaks: no number, '$rows'" 2 "$(status_of "$TOOL" leaks "$pid" --rows "$rows")"
done
lost=0x$(awk 'NR == 1 { print $1 }' "$tmp/saved")
is 'who: a leak' 1 "$(status_of "$TOOL" who "$pid" "$lost")"
has 'who: says so' 'nothing points to it' "$tmp/text"
is 'leaks: no number' 2 "$(status_of "$TOOL" leaks "$pid" --rows x)"
is 'leaks: to nowhere' 8 "$(status_of "$TOOL" leaks "$pid" --once --save "$tmp/none/x")"
is 'leaks: since nothing' 4 "$(status_of "$TOOL" leaks "$pid" --once --since "$tmp/none")"
is 'leaks: what' 2 "$(status_of "$TOOL" leaks)"
is 'who: what' 2 "$(status_of "$TOOL" who "$pid")"
stop

# --- what is written when a program ends ---

# said OPTIONS WORDS: a program that ends says them.
said()
{
    CMALLOC_OPTIONS=$1 LD_PRELOAD=$LIB "$BIN/idle" </dev/null >/dev/null 2>"$tmp/error"
    has "said: $(echo "$1" | sed "s#$tmp/##g")" "$2" "$tmp/error"
}

mkdir "$tmp/folder"
for name in none/x folder; do
    said "stats=exit,stats_file=$tmp/$name" "^cmalloc: statistics cannot be written to: $tmp/$name$"
    said "profile=2,profile_file=$tmp/$name" "^cmalloc: the profile cannot be written to: $tmp/$name$"
done
said stats_signal=9 '^cmalloc: stats_signal: there is no such signal$'
said profile_signal=9 '^cmalloc: profile_signal: there is no such signal$'
said stats_interval=1,background=off '^cmalloc: stats_interval: needs background=on$'
said leaks=exit '^cmalloc: leaks: 0 chunks'
for name in s.prom s.json s s; do
    (cd "$tmp" && CMALLOC_OPTIONS=stats=exit,stats_file=$name LD_PRELOAD=$LIB "$OLDPWD/$BIN/idle" </dev/null >/dev/null)
done
mkfifo "$tmp/pipe"
said "stats=exit,stats_file=$tmp/pipe" "^cmalloc: statistics cannot be written to: $tmp/pipe$"
cat "$tmp/pipe" >"$tmp/piped" &
reader=$!
until CMALLOC_OPTIONS=stats=exit,stats_file=$tmp/pipe LD_PRELOAD=$LIB "$BIN/idle" </dev/null >/dev/null &&
    [ -s "$tmp/piped" ]; do sleep 0.1; done
wait $reader
has 'statistics to a pipe' ' in use by the program ' "$tmp/piped"
is 'a pipe stays one' yes "$([ -p "$tmp/pipe" ] && echo yes)"
if mknod "$tmp/null" c 1 3 2>/dev/null; then
    CMALLOC_OPTIONS=stats=exit,stats_file=$tmp/null LD_PRELOAD=$LIB "$BIN/idle" </dev/null >/dev/null
    is 'a device stays one' yes "$([ -c "$tmp/null" ] && echo yes)"
fi
has 'statistics for Prometheus' '^cmalloc_live_bytes{arena="0"} ' "$tmp/s.prom"
has 'statistics as JSON' '^{"schema": 1, ' "$tmp/s.json"
has 'statistics as text' ' in use by the program ' "$tmp/s"

# --- top, run ---

start "$BIN/idle"
answer
if command -v script >/dev/null; then
    (
        for key in '\033[C' '\033[C' '\033[C' '\033[C' '\033[C' '\033[C' '\033[C' '\033[Z' '\033OD' z q; do
            sleep 0.3
            printf '%b' "$key"
        done
    ) | TERM=xterm timeout 60 script -qec "$TOOL top -d 0.1 $pid" "$tmp/screen" >/dev/null
    is 'top: by each column' 0 $?
    printf '\033[B\033[Aq' | TERM=xterm timeout 60 script -qec "$TOOL top -d 60 $pid" "$tmp/screen" >/dev/null
    is 'top: keys that come together' 0 $?
    TERM=xterm timeout 60 script -qec "timeout --foreground 3 $TOOL top" "$tmp/screen" >/dev/null
    has 'top: ended, puts the terminal back' '1049l' "$tmp/screen"
fi
is 'top: twice, where there is no terminal' 0 "$(status_of "$TOOL" top -d 0.2 "$pid")"
has 'top: lines' "^ *$pid " "$tmp/text"
is 'top: every so often' 2 "$(status_of "$TOOL" top -d 0)"
is 'top: of whom' 2 "$(status_of "$TOOL" top me)"
finish
is 'run: no such program' 4 "$(PATH=/bin status_of "$TOOL" run -l "$LIB" nosuchprogram)"
is 'run: a directory' 4 "$(status_of "$TOOL" run -l "$LIB" /tmp)"
cp "$TOOL" "$tmp/alone"
is 'run: no library beside the command' 8 "$(status_of "$tmp/alone" run true)"
exit $failed
