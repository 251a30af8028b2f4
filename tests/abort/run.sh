#!/bin/sh
# run.sh FOLDER LIB: each program of FOLDER, preloaded with LIB, ends in abort and in the
# line that it has announced, and in no other; in the main arena, and in a thread's.
#
#   EMULATOR   for programs of another processor, "qemu-aarch64 -L /usr/aarch64-linux-gnu"
set -u
folder=$1 lib=$(realpath "$2")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
# A purger that starts between the two halves of a mistake may take what was just freed.
export CMALLOC_OPTIONS=background=off
# shellcheck disable=SC3045  # every sh of a Linux has it
ulimit -c 0

# $1: program; $2: main or thread. The subshell becomes the program, so that no shell adds
# "Aborted" to what it says.
run()
(
    exec >"$tmp/announced" 2>"$tmp/said"
    [ -n "${EMULATOR:-}" ] || LD_PRELOAD=$lib exec "$@"
    # shellcheck disable=SC2086  # words
    exec $EMULATOR -E LD_PRELOAD="$lib" "$@"
)

for program in "$folder"/*; do
    case ${program##*/} in *.*) continue ;; esac
    for where in main thread; do
        { run "$program" $where; } 2>/dev/null
        status=$?
        sed 's/^/cmalloc: fatal: /' "$tmp/announced" >"$tmp/expected"
        [ -z "${EMULATOR:-}" ] || sed -i '/^qemu: /d' "$tmp/said"
        if [ $status -eq 134 ] && [ -s "$tmp/expected" ] &&
            head -n 1 "$tmp/said" | cmp -s "$tmp/expected" -; then
            echo "ok ${program##*/} $where"
        else
            echo "not ok ${program##*/} $where: status $status, expected, then said:"
            sed 's/^/# /' "$tmp/expected" "$tmp/said"
            failed=1
        fi
    done
done
exit $failed
