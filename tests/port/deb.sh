#!/bin/sh
# deb.sh TARBALL VERSION: Debian packages of it, in build/deb.
set -eu
tarball=$(realpath "$1") version=$2
rm -rf build/deb
mkdir -p build/deb
tar -C build/deb -xf "$tarball"
cd "build/deb/cmalloc-$version"
cp -r src/debian debian
date=$(date -R -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}")
sed -i "s/@VERSION@/$version/; s/@DATE@/$date/" debian/changelog
# The license as Debian writes one: indented, a dot for an empty line.
sed '1,/^$/d; /^Copyright/d' LICENSE | sed '/./,$!d; s/^$/./; s/^/ /' >debian/license
sed -i -e '/@LICENSE@/r debian/license' -e '/@LICENSE@/d' debian/copyright
rm debian/license
log=../build.log
dpkg-buildpackage -us -uc -b >$log 2>&1 || { tail -n 30 $log; exit 1; }
cd ..
ls ./*.deb
