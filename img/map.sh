#!/bin/sh
# map.sh: img/heap-map.svg, the heap of a python3 that holds a dictionary and has dropped
# half of it.
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$tmp"' EXIT
python=$(python3 -c 'import sys; print(sys.executable)')
PYTHONHASHSEED=1 PYTHONMALLOC=malloc LD_PRELOAD=$PWD/libcmalloc.so "$python" - "$tmp/ready" <<-'P' &
	import random, sys, time
	random.seed(1)
	held = {i: 'x' * random.randrange(10, 4000) for i in range(2000)}
	for i in list(held):
	    if random.random() < 0.5:
	        del held[i]
	more = [bytearray(300000) for _ in range(3)]
	open(sys.argv[1], 'w').close()
	time.sleep(60)
P
pid=$!
left=300
while ! [ -e "$tmp/ready" ] && [ $left -gt 0 ]; do
    sleep 0.1
    left=$((left - 1))
done
build/cmalloc map "$pid" -o img/heap-map.svg
