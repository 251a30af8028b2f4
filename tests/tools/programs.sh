#!/bin/bash
# programs.sh - each command on real programs at work: redis-server under load, python3 with
# a large dictionary. What they hold afterwards is what they should.
. tests/tools/lib.sh

# looks NAME: every command, a few times, while it works.
looks()
{
    local i
    for i in 1 2 3 4 5; do
        is "$1: stats $i" 0 "$(status_of "$TOOL" stats "$pid" --json)"
        is "$1: no complaint $i" '' "$(cat "$tmp/error")"
        sums "$1 $i"
        is "$1: check $i" 0 "$(status_of "$TOOL" check "$pid")"
        grep -q ': 0 faults' "$tmp/text" || head -n 20 "$tmp/text" "$tmp/error" | sed 's/^/# /'
        is "$1: trim $i" 0 "$(status_of "$TOOL" trim "$pid")"
    done
    is "$1: why" 0 "$(status_of "$TOOL" why "$pid")"
    has "$1: why tells of sizes" 'which sizes pin how much' "$tmp/text"
    is "$1: map" 0 "$(status_of "$TOOL" map "$pid")"
    is "$1: map, a page" 0 "$(status_of "$TOOL" map "$pid" -o "$tmp/map.html")"
    has "$1: the page is whole" '</html>' "$tmp/map.html"
    is "$1: leaks" yes "$([ "$(status_of "$TOOL" leaks "$pid")" -le 1 ] && echo yes)"
    is "$1: top" 0 "$(status_of "$TOOL" top -1 "$pid")"
}

redis()
{
    local socket=$tmp/redis.sock load
    command -v redis-server >/dev/null || apt-get install -qy redis-server >/dev/null 2>&1
    if ! command -v redis-server >/dev/null; then skip redis 'no redis-server'; return; fi
    start redis-server --port 0 --unixsocket "$socket" --dir "$tmp" --save '' --appendonly no --io-threads 2
    for _ in $(seq 100); do redis-cli -s "$socket" ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done
    redis-cli -s "$socket" eval 'for i = 1, 100000 do redis.call("set", "fixed" .. i, "value" .. i) end' 0 >/dev/null
    redis-benchmark -s "$socket" -q -c 20 -n 100000000 -r 100000 -d 300 -t set,get,lpush,lpop,sadd,hset \
        >/dev/null 2>&1 &
    load=$!
    started="$started $load"
    sleep 1
    looks redis
    kill "$load"
    wait "$load" 2>/dev/null
    is 'redis: holds what it should' value77777 "$(redis-cli -s "$socket" get fixed77777)"
    redis-cli -s "$socket" shutdown nosave >/dev/null 2>&1
    finish
    is 'redis: ends as it should' 0 $status
}

python()
{
    command -v python3 >/dev/null || { skip python3 'no python3'; return; }
    cat >"$tmp/large.py" <<-'E'
	import os, sys
	d = {str(i): [i, str(i) * 3] for i in range(400000)}
	print(os.getpid(), hex(id(d["77"])), flush=True)
	n = 0
	while os.path.exists(sys.argv[1]):
	    for i in range(20000):
	        k = str((i * 7919 + n) % 400000)
	        d[k] = [int(k), k * 3]
	    n += 1
	print(sum(v[0] for v in d.values()) == 400000 * 399999 // 2, flush=True)
	E
    : >"$tmp/go"
    PYTHONMALLOC=malloc start python3 "$tmp/large.py" "$tmp/go"
    answer || { fail 'python3: starts' "$(cat "$tmp/err")"; return; }
    read -r pid address <<<"$REPLY"
    is 'python3: find' 0 "$(status_of "$TOOL" find "$pid" "$address")"
    has 'python3: an object is in use' ': in use' "$tmp/text"
    looks python3
    rm "$tmp/go"
    answer
    is 'python3: holds what it should' True "$REPLY"
    stop
}

redis
python
exit $failed
