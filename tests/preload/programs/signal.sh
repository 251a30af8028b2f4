# shellcheck shell=bash
# A signal handler that allocates in the middle of malloc and free. One that ends the process (a crash handler
# that logs) must get sound memory; one that returns again and again must not hang.
. "$PRELOAD_SRC/../lib.sh"
limit 60 120
need gcc gcc

build signal signal.c
probe ./signal once "$(quick && echo 300 || echo 3000)"
probe ./signal again "$(quick && echo 3 || echo 20)"
