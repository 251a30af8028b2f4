# shellcheck shell=bash
# The library loaded by dlopen into a program that runs, threads and all, on libc's malloc; and in a namespace of
# its own. There is room for its TLS, both allocators use the break, dlclose does no harm.
. "$PRELOAD_SRC/../lib.sh"
limit 30 30
need gcc gcc

build dlopen dlopen.c -ldl
./dlopen "$PRELOAD_LIB" >plain.out 2>&1 || die "status $?: $(tail -n 1 plain.out)"
cat plain.out
# And once more into a program that runs on it already: the same copy must answer.
probe ./dlopen "$PRELOAD_LIB"
