#!/bin/sh
# install.sh: what `make install DESTDIR=...` puts there serves every kind of consumer:
# pkg-config, CMake (C and C++, shared and static), static-pie; and `make uninstall` takes
# all of it away.
set -u
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
one=$here/../lint/link.c two=$here/../lint/link.cc
libdir=/usr/lib/some-triplet
failed=0

# What it is; then a command.
try()
{
    what=$1
    shift
    if "$@" >"$root/out" 2>&1; then
        echo "ok - $what"
    else
        echo "not ok - $what"
        sed 's/^/# /' "$root/out"
        failed=1
    fi
}

make_()
{
    "${MAKE:-make}" -C "$top" --no-print-directory DESTDIR="$root/to" PREFIX=/usr \
        LIBDIR=$libdir "$@"
}

# As for a package: what is installed names /usr, and stands in the sysroot.
pkg()
{
    PKG_CONFIG_LIBDIR=$root/to$libdir/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root/to \
        pkg-config "$@" cmalloc
}

# A compiler, its source, its flags.
builds_and_runs()
{
    "$@" -o "$root/program" && LD_LIBRARY_PATH=$root/to$libdir "$root/program"
}

cmake_project()
{
    mkdir -p "$root/cmake"
    cat >"$root/cmake/CMakeLists.txt" <<-E
	cmake_minimum_required(VERSION 3.16)
	project(consumer C CXX)
	find_package(cmalloc $version REQUIRED)
	foreach(kind cmalloc static)
	  add_executable(c-\${kind} $one)
	  add_executable(cxx-\${kind} $two)
	  target_link_libraries(c-\${kind} cmalloc::\${kind})
	  target_link_libraries(cxx-\${kind} cmalloc::\${kind})
	endforeach()
	E
    cmake -S "$root/cmake" -B "$root/cmake/build" \
        -DCMAKE_PREFIX_PATH="$root/to/usr/lib/some-triplet/cmake" &&
        cmake --build "$root/cmake/build"
}

refuses_another_major()
{
    sed -i "s/find_package(cmalloc $version/find_package(cmalloc 77/" "$root/cmake/CMakeLists.txt"
    ! cmake -S "$root/cmake" -B "$root/cmake/other" \
        -DCMAKE_PREFIX_PATH="$root/to/usr/lib/some-triplet/cmake"
}

nothing_left() { [ -z "$(find "$root/to" ! -type d)" ]; }

try 'make install' make_ install
version=$(pkg --modversion)
try 'version of header, library and pkg-config' \
    [ "$(readlink "$root/to$libdir/libcmalloc.so.${version%%.*}")" = "libcmalloc.so.$version" ]
c=${CC:-cc} cxx=${CXX:-c++}
# shellcheck disable=SC2046,SC2086  # lists of flags
{
    try 'pkg-config, C' builds_and_runs $c "$one" $(pkg --cflags --libs) -pthread
    try 'pkg-config, C++' builds_and_runs $cxx "$two" $(pkg --cflags --libs) -pthread
    try 'pkg-config, -static' builds_and_runs $c -static "$one" $(pkg --static --cflags --libs)
    try 'pkg-config, -static-pie' builds_and_runs $c -static-pie -fPIE "$one" \
        $(pkg --static --cflags --libs)
}
try 'CMake project' cmake_project
for program in c-cmalloc c-static cxx-cmalloc cxx-static; do
    try "CMake, $program" "$root/cmake/build/$program"
done
try 'CMake, another major version is refused' refuses_another_major
try 'make uninstall' make_ uninstall
try 'no file left' nothing_left
exit $failed
