#!/bin/bash
# pause.sh: how long a search for leaks holds a program up, on this machine: pause.c says.
. tests/tools/lib.sh
BIN=build/leak

LD_PRELOAD=$LIB "$BIN/pause" inside
LD_PRELOAD=$LIB "$BIN/pause" precise

# outside OPTION...: each search by the command.
outside()
{
    start "$BIN/pause" outside
    while answer && [ "$REPLY" = ready ]; do
        "$TOOL" leaks "$pid" "$@" >/dev/null
        tell x
    done
    echo "cmalloc leaks PID $*: ${REPLY#*: }"
    finish
}

# Searches from outside find nothing: the chain is reachable. --once: nothing to confirm.
outside --once
outside --precise
