#!/bin/bash
# profile.sh - the heap profiler: who holds how much, as pprof and flame graphs have it, from inside, from
# outside and when the program ends. Samples are taken by chance: estimates are within a quarter.
. tests/tools/lib.sh

# near NAME WISH GOT: bytes, within a quarter.
near() {
    is "$1: $3 for $2" yes "$(awk -v w="$2" -v g="$3" 'BEGIN { if (g > w * 0.75 && g < w * 1.25) print "yes" }')"
}

# held FUNCTION FILE: the bytes of folded stacks that end in it.
held() { awk -v f="$1" '{ n = split($1, s, ";"); for (i = 1; i <= n; i++) if (s[i] == f) { sum += $2; break } }
    END { print sum + 0 }' "$2"; }

start "$TOOL" run -l "$LIB" -o "profile=32k,profile_file=$tmp/end.heap" "$BIN/profiled"
answer
is 'says it is ready' ready "$REPLY"
is 'profile' 0 "$(status_of "$TOOL" profile "$pid" -o "$tmp/live.heap")"
has 'heading' '^heap profile: [0-9]*: [0-9]* \[[0-9]*: [0-9]*\] @ heap_v2/32768$' "$tmp/live.heap"
has 'mappings' '^MAPPED_LIBRARIES:$' "$tmp/live.heap"
has 'the program among them' 'r-xp .*/profiled$' "$tmp/live.heap"
is 'folded' 0 "$(status_of "$TOOL" profile "$pid" --folded -o "$tmp/live.folded")"
near 'keep_small holds' $((24 * 1048576)) "$(held keep_small "$tmp/live.folded")"
near 'keep_large holds' $((32 * 1048576)) "$(held keep_large "$tmp/live.folded")"
is 'churn holds nothing' yes "$([ "$(held churn "$tmp/live.folded")" -lt 200000 ] && echo yes)"
is 'page' 0 "$(status_of "$TOOL" profile "$pid" --html -o "$tmp/live.html")"
has 'page: a frame, its bytes and its share' 'title="keep_large: 3[0-9.]* MiB, [3-9][0-9.]* %">keep_large</a>' \
    "$tmp/live.html"
is 'page: its elements are closed' "$(grep -o '<div' "$tmp/live.html" | wc -l)" \
    "$(grep -o '</div>' "$tmp/live.html" | wc -l)"
is 'page: of all' 0 "$(status_of "$TOOL" profile "$pid" --html --all -o "$tmp/all.html")"
has 'page: says so' 'all that was allocated' "$tmp/all.html"
is 'profile: to nowhere' 8 "$(status_of "$TOOL" profile "$pid" -o "$tmp/none/x")"
is 'page or stacks' 2 "$(status_of "$TOOL" profile "$pid" --html --folded)"
"$TOOL" profile "$pid" --folded --all >"$tmp/all.folded"
near 'churn has had' $((64 * 1048576)) "$(held churn "$tmp/all.folded")"
is 'the program is sound' 0 "$(status_of "$TOOL" check "$pid")"
tell x
finish
is 'its status' 0 $status
has 'written at the end' '^heap profile: ' "$tmp/end.heap"

if command -v google-pprof >/dev/null; then
    google-pprof --text "$BIN/profiled" "$tmp/live.heap" >"$tmp/top" 2>/dev/null
    near 'google-pprof: keep_large' 32 "$(awk '/ keep_large$/ { print $1 }' "$tmp/top")"
    near 'google-pprof: keep_small' 24 "$(awk '/ keep_small$/ { print $1 }' "$tmp/top")"
fi

start "$TOOL" run -l "$LIB" -o "profile=32k,profile_signal=10,profile_file=$tmp/now.heap" "$BIN/profiled"
answer
kill -USR1 "$pid"
for _ in $(seq 50); do
    grep -q MAPPED_LIBRARIES "$tmp/now.heap" 2>/dev/null && break
    sleep 0.1
done
has 'written on a signal' '^heap profile: ' "$tmp/now.heap"
has 'written on a signal, whole' '^MAPPED_LIBRARIES:$' "$tmp/now.heap"
is 'the program goes on' 0 "$(kill -0 "$pid"; echo $?)"
tell x
finish
is 'its status after a signal' 0 $status

is 'the program has its environment' here \
    "$(WITNESS=here CMALLOC_OPTIONS=profile=on LD_PRELOAD=$LIB sh -c 'printenv WITNESS')"

# --- leaks tell who allocated them ---

start "$TOOL" run -l "$LIB" -o profile=16k,leaks=exit "$BIN/profiled" lose
answer
is 'leaks' 1 "$(status_of "$TOOL" leaks "$pid" --precise)"
sed -n '/by call site/,$p' "$tmp/text" >"$tmp/sites"
has 'leaks: by call site' '^    by lose+0x' "$tmp/sites"
is 'leaks: those that are held are not among them' 0 "$(grep -c keep_ "$tmp/sites")"
near 'leaks: as many samples as there should be' 256 "$(awk 'NR == 2 { print $1 }' "$tmp/sites")"
is 'leaks, as JSON' 1 "$(status_of "$TOOL" leaks "$pid" --precise --json)"
has 'leaks, as JSON: a stack' '"stack":\["lose+0x[0-9a-f]*","main+0x' "$tmp/text"
tell x
finish
has 'leaks=exit: by call site' '^    by profiled+0x' "$tmp/err"

start "$BIN/profiled"
answer
is 'without the option' 5 "$(status_of "$TOOL" profile "$pid")"
tell x
finish
exit $failed
