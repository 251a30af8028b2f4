# shellcheck shell=bash
# redis-server under redis-benchmark, with io threads; then what it holds, saved by a forked child and
# loaded again, must be what a server without the library holds.
. "$PRELOAD_SRC/../lib.sh"
limit - 180
need redis-server redis-server
need redis-benchmark redis-tools

requests=20000
socket=$PWD/redis.sock
server=

cli() { redis-cli -s "$socket" "$@"; }

# start_server NAME COMMAND...: COMMAND is what it runs under.
start_server() {
    local name=$1
    shift
    mkdir -p data
    "$@" redis-server --port 0 --unixsocket "$socket" --dir "$PWD/data" --save '' --appendonly no \
        --io-threads 2 --databases 2 --daemonize no >>"$name.log" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        if cli ping 2>/dev/null | grep -q PONG; then return; fi
        sleep 0.1
    done
    die "the $name server does not answer: $(tail -n 1 "$name.log")"
}

# stop_server NAME
stop_server() {
    local status=0
    cli shutdown nosave >/dev/null 2>&1 || :
    wait "$server" || status=$?
    server=
    [ $status -eq 0 ] || die "the $1 server ended with status $status: $(tail -n 1 "$1.log")"
}
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null || :' EXIT

# fill: a data set with no randomness, in every type, with growth, deletion and expiry.
fill() {
    awk 'BEGIN {
        for (i = 0; i < 40000; i++) {
            print "SET key" i " " sprintf("%0" (1 + i % 400) "d", i)
            if (i % 3 == 0) print "APPEND key" int(i / 2) " " sprintf("%" (i % 90 + 1) "s", "x")
            if (i % 2 == 0) print "HSET hash" i % 500 " field" i " value" i
            if (i % 5 == 0) print "RPUSH list" i % 97 " " sprintf("%0" (i % 200 + 1) "d", i)
            if (i % 7 == 0) print "ZADD sorted" i % 31 " " i " member" i
            if (i % 11 == 0) print "SADD set" i % 41 " " i
            if (i % 13 == 0) print "DEL key" int(i / 3)
        }
        print "SETRANGE big 8000000 end"
    }' | cli --pipe >/dev/null
}

# The number of keys, and a digest of their values in the order of the keys.
contents() {
    cli dbsize
    cli --raw eval "local keys = redis.call('keys', '*'); table.sort(keys); local sum = ''
        for _, key in ipairs(keys) do sum = redis.sha1hex(sum .. key .. redis.call('dump', key)) end
        return sum" 0
}

benchmark() {
    redis-benchmark -s "$socket" --csv -c 30 -P 4 --threads 2 -d 200 -r 5000 --dbnum 1 "$@" >>benchmark.csv 2>&1 ||
        die "redis-benchmark fails: $(tail -n 1 benchmark.csv)"
}

# The saving child has a copy of the heap, of which the benchmark writes to its own meanwhile.
save_in_child() {
    cli bgsave >/dev/null
    benchmark -n $requests -t set,get
    for _ in $(seq 300); do
        if cli info persistence | grep -q 'rdb_bgsave_in_progress:0'; then break; fi
        sleep 0.1
    done
    cli info persistence | grep -q 'rdb_last_bgsave_status:ok' || die "the saving child failed"
}

# What a server without the library holds.
start_server plain env
fill
contents >plain.contents
stop_server plain

rm -rf data
start_server ours preloaded
fill
contents >ours.contents
benchmark -n $requests -t set,get,incr,lpush,rpop,sadd,hset,zadd,lrange_100,mset
[ "$(cli -n 1 dbsize)" -gt 0 ] || die "the benchmark stored nothing"
save_in_child
cli -n 1 flushdb async >/dev/null
cli memory purge >/dev/null
stop_server ours

start_server ours preloaded
cli -n 1 flushdb >/dev/null
contents >loaded.contents
stop_server ours

cut -d , -f 1,2 benchmark.csv
cat ours.contents
cmp plain.contents ours.contents || die "the data set differs from the run without the library"
cmp ours.contents loaded.contents || die "what was loaded is not what was saved"
loaded '*/redis-*' 2
