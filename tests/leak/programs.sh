#!/bin/sh
# programs.sh: leaks planted in real programs are found, and clean ones are not accused.
# What is not installed is skipped.
set -u
# shellcheck source=tests/leak/lib.sh
. tests/leak/lib.sh

have()
{
    command -v "$1" >/dev/null && return
    echo "ok - $1 # SKIP not installed"
    return 1
}

# leaks N SIZE...: of the JSON report, direct leaks of N chunks with at least SIZE bytes.
count_of_size()
{
    grep -Eo '"address":"0x[0-9a-f]+","size":[0-9]+' "$work/json" |
        awk -F: -v size="$1" '$3 >= size && $3 < size + 32 { n++ } END { print n + 0 }'
}

# scan PID [OPTION...]: the report to $work/json.
scan() { "$tool" leaks "$@" --json >"$work/json" 2>"$work/log"; }

# is_clean PID WHAT: neither mode reports anything.
is_clean()
{
    for mode in --precise ''; do
        # shellcheck disable=SC2086  # none, or one word
        scan "$1" $mode
        status=$?
        [ $status -eq 0 ] || sed 's/^/# /' "$work/json" "$work/log" | head -n 20
        expect "$2 is clean${mode:+, stopped}" [ $status -eq 0 ]
    done
}

stop_program()
{
    exec 3>&-
    kill "$program" 2>/dev/null
    wait "$program" 2>/dev/null
    program=
}

if have git; then
    # It ends by itself: the report comes at exit.
    env LD_PRELOAD="$lib build/leak/planter.so" CMALLOC_OPTIONS=leaks=exit,leak_status=23 \
        git --version >"$work/out" 2>"$work/err"
    expect "git: the exit status says that there are leaks" [ $? -eq 23 ]
    # The last one's address may still stand on the stack.
    expect "git: of a hundred planted leaks, 99 are reported at exit" \
        grep -Eq '^ +(99|100) +43[2-9][0-9] ' "$work/err"
    grep -q '^git version' "$work/out"
    expect "git: its output is all there" [ $? -eq 0 ]
fi

if have python3; then
    start_program python3 -c 'import json, sys
data = {str(i): [i] * 3 for i in range(20000)}
text = json.dumps(data)
print("ready", flush=True)
sys.stdin.readline()
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
for i in range(10):
    p = libc.malloc(54321)
    ctypes.memset(p, 1, 54321)
del p
print("planted", flush=True)
sys.stdin.readline()'
    wait_for_line ready
    is_clean "$program" python3
    echo >&3
    wait_for_line planted
    scan "$program" --precise
    n=$(count_of_size 54321)
    # The last one's address may still stand in a frame of the interpreter.
    expect "python3: of ten leaks by ctypes, nine are found at least ($n)" [ "$n" -ge 9 ]
    stop_program
fi

if have redis-server && have redis-cli && have gdb; then
    port=$((20000 + $$ % 10000))
    start_program redis-server --port $port --save '' --daemonize no
    for _ in $(seq 100); do
        redis-cli -p $port ping >/dev/null 2>&1 && break
        sleep 0.1
    done
    seq 5000 | sed 's/.*/LPUSH list& value&/' | redis-cli -p $port >/dev/null
    is_clean "$program" redis
    gdb -p "$program" -batch -ex 'call (void *)malloc(4321)' \
        -ex 'call (void *)malloc(4321)' -ex 'call (void *)malloc(4321)' >/dev/null 2>&1
    scan "$program" --precise
    n=$(count_of_size 4321)
    expect "redis: three leaks by a debugger are found ($n)" [ "$n" -eq 3 ]
    stop_program
fi

if have sqlite3; then
    start_program sqlite3
    echo "create table t(a, b); with recursive c(n) as (select 1 union all select n + 1
        from c where n < 20000) insert into t select n, 'text ' || n from c;
        create index i on t(b); select 'rea' || 'dy';" >&3
    wait_for_line ready
    is_clean "$program" sqlite3
    stop_program
fi

if have perl; then
    # shellcheck disable=SC2016  # perl's own
    start_program perl -e 'my %h; $h{$_} = [$_, "x" x ($_ % 100)] for 1 .. 20000;
        my $s = join ",", map { "$_" } sort keys %h; $| = 1; print "ready\n"; <STDIN>'
    wait_for_line ready
    is_clean "$program" perl
    stop_program
fi

if have node; then
    start_program node -e 'const a = {};
        for (let i = 0; i < 100000; i++) a["k" + i] = [i, "x".repeat(i % 50)];
        JSON.stringify(a);
        setInterval(() => { a["z" + Math.random()] = Buffer.alloc(5000) }, 5);
        setTimeout(() => console.log("ready"), 500)'
    wait_for_line ready
    is_clean "$program" node
    stop_program
fi
finish
