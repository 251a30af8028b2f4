# shellcheck shell=bash
# Programs that run out of memory and go on, and programs with little: limits on address space and on data.
. "$PRELOAD_SRC/../lib.sh"
limit 60 120
need /usr/bin/python3 python3
need perl perl

sizes=$(quick && echo 5000 3000000 || echo 500 5000 100000 3000000)
# The debug variant has larger tables.
little=$([ "$PRELOAD_SLOW" = 1 ] && echo 30000 || echo 70000)

exhaust() {
    # shellcheck disable=SC2086 # words
    /usr/bin/python3 -c '
import sys, threading
sizes = [int(size) for size in sys.argv[1:]]
def fill(size):
    held = []
    try:
        while True:
            held.append(bytearray(size))
    except MemoryError:
        enough = len(held) * size > 20 << 20
        held.clear()
        return enough
results = []
all_here = threading.Barrier(4)
def work():
    all_here.wait()
    fill(70_000)
    all_here.wait()
    results.append(len("x" * 100000))
threads = [threading.Thread(target=work) for _ in range(3)]
for t in threads: t.start()
all_here.wait()
all_here.wait()
for t in threads: t.join()
print(len(results))
for size in sizes:
    print(size, fill(size), fill(size * 2))' $sizes
}

in_address_space() { ulimit -v 180000 && exhaust; }
in_data() { ulimit -d 90000 && exhaust; }
# The smallest that a program can do with: a heap must not be reserved in advance where there is no room.
in_little() { ulimit -v $little && perl -e 'my @held = map { "x" x ($_ * 10) } 1 .. 1000; print scalar(@held), "\n"' && sort /etc/services | head -n 3; }

# Not compared: without the library some of this fails.
recovers() {
    preloaded "$1" >"$1.out" 2>&1 || die "$1: status $?: $(tail -n 1 "$1.out")"
    ! grep False "$1.out" || die "$1: memory that was freed is not to be had again: $(grep -m 1 False "$1.out")"
}

export PYTHONMALLOC=malloc
recovers in_address_space
recovers in_data
recovers in_little
loaded '*/python3*' 2
