#!/bin/sh
# need.sh MACHINE: the cross compilers of a processor, and qemu-user, are here; installed
# where we may, else one line says how. Debian's names.
set -eu
case $1 in
armhf) triplet=arm-linux-gnueabihf qemu=qemu-arm ;;
*) triplet=$1-linux-gnu qemu=qemu-$1 ;;
esac

are_here()
{
    command -v "$triplet-gcc" >/dev/null && command -v "$triplet-g++" >/dev/null &&
        command -v "$qemu" >/dev/null
}

! are_here || exit 0
packages="gcc-$triplet g++-$triplet qemu-user"
as=
[ "$(id -u)" -eq 0 ] || as='sudo -n'
install="$as apt-get install -y --no-install-recommends $packages"
printf '  %-5s %s\n' NEED "$install"
{ $install || { $as apt-get update && $install; }; } >/dev/null 2>&1 </dev/null || true
are_here && exit 0
echo "no cross compiler for $1; run: sudo apt-get install $packages" >&2
exit 1
