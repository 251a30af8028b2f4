#!/bin/bash
# programs.sh FAIL.SO: sweep.sh over real programs, with the library preloaded: release, debug and secure.
sweep=tests/faults/sweep.sh
for LIB in ./libcmalloc.so ./libcmalloc-secure.so build/tiny/libcmalloc.so; do
    export LIB
    $sweep "$1" perl -e '@a = map { { k => $_ } } 1 .. 20000'
    $sweep "$1" python3 -c 'import threading
class Node:
    pass
def work():
    a = [Node() for _ in range(5000)]
threads = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]'
    $sweep "$1" sqlite3 :memory: 'with recursive n(x) as (select 1 union all select x+1 from n where x<20000)
        select count(distinct hex(x)) from n'
    $sweep "$1" git log --stat -5
    $sweep "$1" bash -c 'for ((i = 0; i < 20; i++)); do (:); done'
done
