# shellcheck shell=bash
# PostgreSQL: initdb, pgbench, a parallel query, a crash recovery of one backend, dump; all of it preloaded.
. "$PRELOAD_SRC/../lib.sh"
limit - 240
need '/usr/lib/postgresql/*/bin/postgres' postgresql
need '/usr/lib/postgresql/*/bin/pgbench' postgresql-contrib

bin=$(dirname "$(compgen -G '/usr/lib/postgresql/*/bin/postgres' | tail -n 1)")
seconds=15
server=

# The server refuses to run as root.
if [ "$(id -u)" = 0 ]; then
    chown postgres .
    as_user() { runuser -u postgres -- "$@"; }
else
    as_user() { "$@"; }
fi

# with_library KIND COMMAND...
with_library() {
    local kind=$1
    shift
    if [ "$kind" = ours ]; then
        as_user env LD_PRELOAD="$PRELOAD_WITNESS $PRELOAD_LIB" "$@"
    else
        as_user "$@"
    fi
}

client() {
    local kind=$1 program=$2
    shift 2
    with_library "$kind" "$bin/$program" -h "$PWD" -p 5499 -U postgres "$@"
}

start_server() {
    with_library "$1" "$bin/postgres" -D "$PWD/$1" -k "$PWD" -p 5499 -c listen_addresses= -c fsync=off \
        -c max_parallel_workers_per_gather=2 -c min_parallel_table_scan_size=0 -c parallel_setup_cost=0 \
        -c jit=on -c jit_above_cost=0 >>"$1.log" 2>&1 &
    server=$!
    for _ in $(seq 150); do
        if client "$1" psql -Atc 'select 1' postgres >/dev/null 2>&1; then return; fi
        sleep 0.2
    done
    die "the $1 server does not answer: $(tail -n 1 "$1.log")"
}

postmaster() { head -n 1 "$1/postmaster.pid"; }

stop_server() {
    local status=0
    kill -INT "$(postmaster "$1")"
    wait "$server" || status=$?
    server=
    [ $status -eq 0 ] || die "the $1 server ended with status $status: $(tail -n 1 "$1.log")"
}
trap 'for kind in plain ours; do if [ -s $kind/postmaster.pid ]; then kill -QUIT "$(postmaster $kind)" 2>/dev/null; fi; done || :' EXIT

# serve KIND
serve() {
    local kind=$1
    with_library "$kind" "$bin/initdb" -D "$PWD/$kind" -U postgres -A trust -N >"$kind.initdb" 2>&1 ||
        die "$kind: initdb fails: $(tail -n 1 "$kind.initdb")"
    start_server "$kind"
    client "$kind" pgbench -q -i -s 5 postgres >"$kind.fill" 2>&1 || die "$kind: pgbench -i fails: $(tail -n 1 "$kind.fill")"
    client "$kind" psql -AtX -v ON_ERROR_STOP=1 -f "$PRELOAD_SRC/postgres.sql" postgres >"$kind.out" 2>"$kind.err" ||
        die "$kind: psql fails: $(tail -n 1 "$kind.err")"
    client "$kind" pg_dump postgres >"$kind.raw" || die "$kind: pg_dump fails"
    sed '/^.\(un\)\{0,1\}restrict /d' "$kind.raw" >"$kind.dump" # a random key of pg_dump's
    client "$kind" pgbench -n -T $seconds -c 8 -j 4 postgres >"$kind.bench" 2>&1 ||
        die "$kind: pgbench fails: $(tail -n 1 "$kind.bench")"
    client "$kind" pgbench -n -S -C -T 4 -c 4 -j 2 postgres >>"$kind.bench" 2>&1 ||
        die "$kind: pgbench with a connection per transaction fails: $(tail -n 1 "$kind.bench")"
    client "$kind" psql -Atc 'select sum(abalance) = (select sum(delta) from pgbench_history) from pgbench_accounts' \
        postgres | grep -qx t || die "$kind: the books do not balance"
    stop_server "$kind"
    grep -E 'terminated by signal|PANIC|cmalloc:' "$kind.log" "$kind.bench" && die "$kind: a process crashed: $(grep -hm 1 -E 'terminated by signal|PANIC|cmalloc:' "$kind.log" "$kind.bench")"
    grep -E '^tps|latency average' "$kind.bench"
}

serve plain
serve ours
cmp plain.out ours.out || die "query results differ from the run without the library"
cmp plain.dump ours.dump || die "the dump differs from the run without the library"
loaded '*/postgres' 4
loaded '*/pgbench' 3
