#!/bin/bash
# soak.sh SECONDS: six programs under load, all at once, each on one of the variants. Once a second each is
# checked from outside, and its resident memory noted: that of the last quarter of the time may not be more
# than 1.2 times that of the second. Ends in TAP lines.
. tests/tools/lib.sh
seconds=$1
here=tests/soak
names=(soak python3 node perl sqlite3 redis)
libs=(build/tiny/libcmalloc.so ./libcmalloc-secure.so ./libcmalloc.so build/tiny/libcmalloc.so ./libcmalloc-secure.so
    ./libcmalloc.so)
pids=()

# endless SECONDS: statements for sqlite3.
endless()
{
    local end=$((SECONDS + $1))
    echo 'create table t(k integer primary key, v text, w blob); create index i on t(v);'
    while [ $SECONDS -lt "$end" ]; do
        echo "begin; with recursive n(x) as (select 1 union all select x+1 from n where x<3000)
              insert or replace into t select abs(random()) % 20000, hex(randomblob(x % 90)), randomblob(x % 700) from n;
              delete from t where k % 7 = abs(random()) % 7; commit; select count(*), max(v) from t;"
    done
}

# run I COMMAND...: in the background, on its library.
run()
{
    local i=$1
    shift
    LD_PRELOAD=$(realpath "${libs[i]}") "$@" <&0 >"$tmp/$i.out" 2>"$tmp/$i.err" &
    pids[i]=$!
    started="$started $!"
}

# load SECONDS: clients of redis, and its forks.
load()
{
    local end=$((SECONDS + $1))
    while [ $SECONDS -lt "$end" ]; do
        redis-benchmark -s "$tmp/socket" -q -n 40000 -r 30000 -d $((RANDOM % 500 + 1)) -t set,get,lpush,lpop,sadd,hset \
            >/dev/null 2>&1
        redis-cli -s "$tmp/socket" bgsave >/dev/null 2>&1 || return
        redis-cli -s "$tmp/socket" flushall >/dev/null
    done
}

run 0 build/soak/soak "$seconds"
PYTHONMALLOC=malloc CMALLOC_OPTIONS=limit_soft=64m run 1 python3 $here/soak.py "$seconds"
run 2 node $here/soak.js "$seconds"
run 3 perl $here/soak.pl "$seconds"
run 4 sqlite3 :memory: < <(endless "$seconds")
run 5 redis-server --port 0 --unixsocket "$tmp/socket" --save '' --dir "$tmp"
sleep 1
load "$seconds" &
started="$started $!"

checks=0
end=$((SECONDS + seconds))
while [ $SECONDS -lt $((end - 3)) ]; do
    for i in "${!pids[@]}"; do
        tool=build/cmalloc
        [ "${libs[i]#build/tiny}" = "${libs[i]}" ] || tool=build/tiny/cmalloc
        $tool check "${pids[i]}" >"$tmp/check" 2>&1 || {
            echo "check $? at $SECONDS: $(head -n 3 "$tmp/check")" >>"$tmp/$i.bad"
        }
        awk '/^VmRSS/ { print $2 }' "/proc/${pids[i]}/status" >>"$tmp/$i.rss" 2>/dev/null
    done
    checks=$((checks + 1))
    sleep 1
done
redis-cli -s "$tmp/socket" shutdown nosave >/dev/null 2>&1
pkill -f "redis-benchmark -s $tmp/socket" # it would wait for the server

# quarter N FILE: the median of that quarter of its lines.
quarter()
{
    local lines
    lines=$(wc -l <"$2")
    sed -n "$((lines * ($1 - 1) / 4 + 1)),$((lines * $1 / 4))p" "$2" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

for i in "${!pids[@]}"; do
    wait "${pids[i]}"
    is "${names[i]}: status" 0 $?
    is "${names[i]}: $checks checks" '' "$(head -n 3 "$tmp/$i.bad" 2>/dev/null)"
    second=$(quarter 2 "$tmp/$i.rss") last=$(quarter 4 "$tmp/$i.rss")
    is "${names[i]}: no growth ($second -> $last kB)" yes "$([ $((last * 10)) -le $((second * 12)) ] && echo yes)"
done
exit $failed
