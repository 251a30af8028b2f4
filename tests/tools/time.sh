#!/bin/bash
# time.sh [CHUNKS] - how long each command takes on a process with many chunks. For people:
# nothing is asserted.
. tests/tools/lib.sh
chunks=${1:-10000000}
cat >"$tmp/many.c" <<'E'
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    uint64_t x = 88172645463325252u;
    long n = argc > 1 ? atol(argv[1]) : 1;
    void **p = calloc((size_t)n, sizeof *p);
    for (long i = 0; i < n; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        *(char *)(p[i] = malloc(1 + x % 100)) = 1;
    }
    for (long i = 0; i < n; i += 3)
        free(p[i]);
    puts("ready");
    fflush(stdout);
    pause();
    return 0;
}
E
${CC:-cc} -O1 -fno-builtin -o "$tmp/many" "$tmp/many.c" || exit 1
start "$tmp/many" "$chunks"
answer
"$TOOL" stats "$pid" | grep -e chunks -e mapped
TIMEFORMAT='%R s'
for command in stats why check 'top -1'; do
    echo "$command:"
    # shellcheck disable=SC2086 # a command and its arguments
    time "$TOOL" $command "$pid" >/dev/null
done
gcore -o "$tmp/core" "$pid" >/dev/null 2>&1
echo 'stats of its core:'
[ ! -e "$tmp/core.$pid" ] || time "$TOOL" stats "$tmp/core.$pid" >/dev/null
stop
