# shellcheck shell=bash
# Fork in a threaded program whose fork handlers allocate; vfork, posix_spawn, system and popen beside it.
. "$PRELOAD_SRC/../lib.sh"
limit 60 120
need gcc gcc

build atfork atfork.c
probe ./atfork "$(quick && echo 3 || echo 20)"
