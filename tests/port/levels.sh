#!/bin/sh
# levels.sh TREE CC [CXX]: programs that use the library, built by these compilers with each
# level of optimisation and with LTO, in C and C++: with the archive, static, static-pie,
# and dynamic. The library is TREE's, built there by whatever compiler.
set -u
tree=$1 c=$2 cxx=${3:-}
here=$(dirname "$0")/../lint
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# What it is; then the command that builds it, without -o.
try()
{
    what=$1
    shift
    if "$@" -I"$tree/include" -pthread -o "$tmp/program" >"$tmp/out" 2>&1 &&
        LD_LIBRARY_PATH=$tree "$tmp/program" >>"$tmp/out" 2>&1; then
        echo "ok - $what"
    else
        echo "not ok - $what"
        sed 's/^/# /' "$tmp/out"
        failed=1
    fi
}

# A compiler, its source, its flags.
ways()
{
    name="$1 $3"
    # shellcheck disable=SC2086  # lists of flags
    {
        try "$name, libcmalloc.a" $1 $3 "$2" "$tree/libcmalloc.a"
        try "$name, -static" $1 $3 -static "$2" "$tree/libcmalloc.a"
        try "$name, -static-pie" $1 $3 -static-pie -fPIE "$2" "$tree/libcmalloc.a"
        try "$name, -lcmalloc" $1 $3 "$2" -L"$tree" -lcmalloc
    }
}

ln -s libcmalloc.so "$tree/libcmalloc.so.0" 2>/dev/null
for flags in -O0 -O1 -O2 -O3 -Os '-O2 -flto'; do
    case "$c $flags" in
    *clang*-flto) flags="$flags -fuse-ld=lld" ;;
    esac
    ways "$c" "$here/link.c" "$flags"
    [ -z "$cxx" ] || ways "$cxx" "$here/link.cc" "$flags"
done
exit $failed
