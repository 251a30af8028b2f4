# shellcheck shell=bash
# Threads on the smallest stack that there may be; how deep each function of the family goes.
. "$PRELOAD_SRC/../lib.sh"
limit 30 60
need gcc gcc

build stack stack.c -Wl,-z,now
probe ./stack "$((1024 * PRELOAD_SLOW))"
