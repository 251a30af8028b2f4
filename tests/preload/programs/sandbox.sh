# shellcheck shell=bash
# Behind a seccomp filter that knows only the system calls of memory, locks and threads.
. "$PRELOAD_SRC/../lib.sh"
limit 30 60
need gcc gcc

build sandbox sandbox.c
probe ./sandbox
