# shellcheck shell=bash
# From before the first constructor to after the last destructor, in the program and in a shared object.
. "$PRELOAD_SRC/../lib.sh"
limit 30 30
need gcc gcc

build liblife.so life.c -DIN_LIBRARY -fPIC -shared
build life life.c ./liblife.so
build ./early.so early.c -fPIC -shared
probe ./life
[ "$(cat probe.out)" = "$(printf '%s\n' 'preinit 1' 'constructor 3' 'main 4' 'atexit 5' 'destructor 7')" ] ||
    die "not all of its life was lived: $(tr '\n' ',' <probe.out)"
# An object preloaded after the library: is its constructor, too, after the library's?
LD_PRELOAD="$PRELOAD_LIB ./early.so" ./life >early.out || die "with an object whose constructor allocates: status $?"
