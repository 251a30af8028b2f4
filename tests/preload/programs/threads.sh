# shellcheck shell=bash
# A heavily threaded program: 64 threads pass memory to each other, threads come and go, contents checked.
. "$PRELOAD_SRC/../lib.sh"
limit 120 120
need gcc gcc

build threads threads.c
seconds=$(quick && echo 4 || echo 30)
probe ./threads 64 "$seconds"
probe ./threads 3 2
