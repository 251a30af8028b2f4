#!/bin/sh
# need.sh WHAT: the cross compilers of a processor, and qemu-user, or what musl needs, are
# here; installed where we may, else one line says how. Debian's names.
set -eu
case $1 in
musl) commands=musl-gcc packages=musl-tools ;;
install) commands='pkg-config cmake c++' packages='pkg-config cmake make g++' ;;
checkers) commands='gcc clang valgrind' packages='gcc clang valgrind' ;;
deb) commands='dpkg-buildpackage dh lintian' packages='dpkg-dev debhelper fakeroot lintian' ;;
i386)
    triplet=i686-linux-gnu
    commands="$triplet-gcc $triplet-g++"
    ;;
*)
    triplet=$1-linux-gnu
    commands="$triplet-gcc $triplet-g++ qemu-$1"
    ;;
esac
packages=${packages:-"gcc-$triplet g++-$triplet qemu-user"}

are_here()
{
    for command in $commands; do
        command -v "$command" >/dev/null || return 1
    done
}

! are_here || exit 0
as=
[ "$(id -u)" -eq 0 ] || as='sudo -n'
install="$as apt-get install -y --no-install-recommends $packages"
printf '  %-5s %s\n' NEED "$install"
{ $install || { $as apt-get update && $install; }; } >/dev/null 2>&1 </dev/null || true
are_here && exit 0
echo "not all is here for $1; run: sudo apt-get install $packages" >&2
exit 1
