#!/bin/bash
# outside.sh - what else a process does not notice: a trim while it waits, a stripped static
# program, options that write by themselves, top in a terminal.
. tests/tools/lib.sh

resident() { awk '/VmRSS/ { print $2 }' "/proc/$pid/status"; }

# --- trim ---

CMALLOC_OPTIONS=trim_threshold=1g start "$BIN/idle"
answer
before=$(resident)
is 'trim: status' 0 "$(status_of "$TOOL" trim "$pid")"
after=$(resident)
is 'trim: most went back' yes "$([ "$after" -lt $((before / 4)) ] && echo yes)"
is 'trim: twice' 0 "$(status_of "$TOOL" trim "$pid")"
tell hello
answer
is 'trim: the program has not noticed' '6 665667.000000' "$REPLY"
finish
is 'trim: nor at its end' 0 $status

# --- a trim in the middle of hits ---

start "$BIN/busy"
answer
served=0
for _ in $(seq 60); do
    [ "$(status_of "$TOOL" trim "$pid")" = 0 ] && served=$((served + 1))
done
is 'busy: trimmed' yes "$([ "$served" -gt 30 ] && echo yes)"
is 'busy: check' 0 "$(status_of "$TOOL" check "$pid")"
tell end
answer
is 'busy: every word as it was' '0 spoiled' "$REPLY"
finish
is 'busy: its end' 0 $status

# --- a static program without symbols ---

mkfifo "$tmp/static.in"
"$BIN/static" <"$tmp/static.in" >"$tmp/static.out" &
pid=$!
started="$started $pid"
exec 7>"$tmp/static.in"
for _ in $(seq 100); do [ -s "$tmp/static.out" ] && break; sleep 0.1; done
is 'static: stats' 0 "$(status_of "$TOOL" stats "$pid" --json)"
sums 'static'
is 'static: live' yes "$([ "$(field live)" -ge 30000 ] && echo yes)"
is 'static: check' 0 "$(status_of "$TOOL" check "$pid")"
is 'static: trim' 0 "$(status_of "$TOOL" trim "$pid")"
if command -v gcore >/dev/null; then
    gcore -o "$tmp/core" "$pid" >/dev/null 2>&1
    is 'static, core: check' 0 "$(status_of "$TOOL" check "$tmp/core.$pid")"
fi
echo hello >&7
exec 7>&-
wait "$pid"
has 'static: has not noticed' '^6 665667.000000' "$tmp/static.out"

# --- options ---

CMALLOC_OPTIONS="stats=exit,stats_file=$tmp/%p.json" LD_PRELOAD=$LIB sort Makefile >/dev/null &
wait $!
cp "$tmp/$!.json" "$tmp/text"
sums 'stats=exit, as JSON'
CMALLOC_OPTIONS="stats=exit,stats_file=$tmp/x.prom" LD_PRELOAD=$LIB sort Makefile >/dev/null
is 'stats=exit, for Prometheus: each line is one' '' "$(grep -v -E \
    '^(# (HELP|TYPE) cmalloc_[a-z_]+ .+|cmalloc_[a-z_]+\{arena="([0-9]+|none)"\} [0-9]+)$' "$tmp/x.prom")"
CMALLOC_OPTIONS="stats_interval=1,stats_file=$tmp/every.%p.json" start "$BIN/idle"
answer
for _ in $(seq 50); do [ -s "$tmp/every.$pid.json" ] && break; sleep 0.1; done
mv "$tmp/every.$pid.json" "$tmp/text"
sums 'stats_interval'
for _ in $(seq 50); do [ -s "$tmp/every.$pid.json" ] && break; sleep 0.1; done
is 'stats_interval: again' yes "$([ -s "$tmp/every.$pid.json" ] && echo yes)"
tell x
answer
finish
is 'stats_interval: the program ends' 0 $status
CMALLOC_OPTIONS=stats_signal=10 start "$BIN/idle"
answer
kill -USR1 "$pid"
tell x
answer
finish
has 'stats_signal' 'in use by the program' "$tmp/err"
is 'stats_signal: the program goes on' 0 $status

# --- top ---

start "$BIN/idle"
answer
is 'top: once' 0 "$(status_of "$TOOL" top -1)"
has 'top: finds it' "^ *$pid .* idle" "$tmp/text"
is 'top: by its id' 0 "$(status_of "$TOOL" top -1 "$pid")"
is 'top: none' 5 "$(status_of "$TOOL" top -1 1)"
if command -v script >/dev/null; then
    (
        for key in '\033[B' '\033[C' '\033[D' '\033[A' q; do
            sleep 0.4
            printf '%b' "$key"
        done
    ) | TERM=xterm timeout 30 script -qec "$TOOL top -d 0.3" "$tmp/screen" >/dev/null
    is 'top: in a terminal' 0 $?
    has 'top: draws' 'free, not in memory' "$tmp/screen"
    has 'top: puts the terminal back' '1049l' "$tmp/screen"
else
    skip 'top: in a terminal' 'no script(1)'
fi
finish
exit $failed
