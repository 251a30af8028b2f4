# shellcheck shell=bash
# Signal handlers that allocate below a fault inside the library, below a panic while an arena's lock is
# held, and from a timer: they come back.
. "$PRELOAD_SRC/../lib.sh"
limit 120 120
need gcc gcc

build handler handler.c
for way in fault abort timer; do
    preloaded ./handler $way >out 2>err || die "$way: status $?: $(head -n 1 err)"
    [ "$(cat out)" = 'the handler came back' ] || die "$way: $(cat out)"
done
