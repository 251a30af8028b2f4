# shellcheck shell=bash
# gdb (which calls sbrk itself, and has a Python inside) on a program that runs on the library as well.
. "$PRELOAD_SRC/../lib.sh"
limit - 120
need gdb gdb
need gcc gcc

build threads threads.c
look() {
    gdb -nx -batch -ex 'set width 0' -ex 'set print address off' -ex 'set startup-with-shell off' -ex 'break make' \
        -ex run -ex 'bt 1' -ex 'python print(sum(len(str(i)) for i in range(100000)))' \
        -ex 'print sizeof(item_t)' -ex 'info line main' -ex 'ptype item_t' -ex kill --args ../threads 2 1 |
        grep -v -E '^(\[New|Using host|\[Switching|Thread|\[Inferior|\[Thread|$)'
}
same gdb look
loaded '*/gdb'
loaded '*/threads'
