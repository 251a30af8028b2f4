#!/bin/sh
# link.sh: what make install installs can be linked with in every way, and make uninstall
# takes it all away. Dynamic, with the archive, and wholly static; in C, and in C++ where
# there is a compiler.
set -eu
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
here=$(dirname "$0")
failed=0 passed=0

# A command; the rest of the line is what it shows.
try()
{
    what=$1
    shift
    if "$@" >"$root/out" 2>&1; then
        echo "ok - $what"
        passed=$((passed + 1))
    else
        echo "not ok - $what"
        sed 's/^/# /' "$root/out"
        failed=$((failed + 1))
    fi
}

make_() { "${MAKE:-make}" --no-print-directory DESTDIR="$root" PREFIX=/usr "$@"; }

has_all()
{
    for file in lib/libcmalloc.so lib/libcmalloc.so.0 lib/libcmalloc.a \
        lib/pkgconfig/cmalloc.pc include/cmalloc.h; do
        [ -s "$root/usr/$file" ] || { echo "no $file"; return 1; }
    done
}

has_none() { [ -z "$(find "$root/usr" ! -type d)" ]; }

# $1: output; the rest: compiler, files and flags.
build_and_run()
{
    program=$root/$1
    shift
    "$@" -I"$root/usr/include" -pthread -o "$program" || return 1
    LD_LIBRARY_PATH=$root/usr/lib "$program"
}

c=${CC:-cc} cxx=${CXX:-c++} lib=$root/usr/lib
one=$here/link.c two=$here/link.cc
try 'make install' make_ install
try 'install: every file' has_all
# shellcheck disable=SC2086  # compilers with flags
{
    try 'C, -lcmalloc' build_and_run a $c "$one" -L"$lib" -lcmalloc
    try 'C, libcmalloc.a' build_and_run b $c "$one" "$lib/libcmalloc.a"
    try 'C, -static' build_and_run c $c -static "$one" "$lib/libcmalloc.a"
    try 'C++, -lcmalloc' build_and_run d $cxx "$two" -L"$lib" -lcmalloc
    try 'C++, libcmalloc.a' build_and_run e $cxx "$two" "$lib/libcmalloc.a"
    try 'C++, -static' build_and_run f $cxx -static "$two" "$lib/libcmalloc.a"
}
try 'make uninstall' make_ uninstall
try 'uninstall: no file left' has_none
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
