# shellcheck shell=bash
# The malloc that a shared object was linked with, versioned as libc's, is the library's; nothing that libc
# hands out comes from libc's own heap.
. "$PRELOAD_SRC/../lib.sh"
limit 30 30
need gcc gcc

build libuser.so linked_user.c -fPIC -shared
build linked linked.c ./libuser.so -ldl
readelf --dyn-syms -W libuser.so | grep -q ' malloc@GLIBC_' || die "libuser.so does not ask for a versioned malloc"
probe ./linked "$PRELOAD_LIB"
