#!/bin/sh
# check-deb.sh VERSION: the packages of build/deb please lintian; installed, they work, and
# purged, they leave nothing. Installing wants root, on a machine that has none of them.
set -u
version=$1
cd build/deb || exit 1
packages='libcmalloc0 libcmalloc-dev cmalloc'
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

# What it is; then a command.
try()
{
    what=$1
    shift
    if "$@" >"$tmp/out" 2>&1; then
        echo "ok - $what"
    else
        echo "not ok - $what"
        sed 's/^/# /' "$tmp/out"
        failed=1
    fi
}

none_is_installed()
{
    for package in $packages; do
        ! dpkg-query -W "$package" >/dev/null 2>&1 || return 1
    done
}

links() { cc ../../tests/lint/link.c -lcmalloc -o "$tmp/program" && "$tmp/program"; }
links_static()
{
    # shellcheck disable=SC2046  # flags
    cc -static ../../tests/lint/link.c $(pkg-config --static --libs cmalloc) \
        -o "$tmp/static" && "$tmp/static"
}
is_preloaded() { LD_PRELOAD=libcmalloc.so.0 grep -q libcmalloc.so.0 /proc/self/maps; }
command_runs() { cmalloc --version | grep -F "$version"; }

# Every file that a package brought, and nothing else of that name.
nothing_left()
{
    [ -s "$tmp/files" ] || return 1
    while read -r file; do
        if [ -f "$file" ]; then echo "$file" && return 1; fi
    done <"$tmp/files"
    none_is_installed
}

# Not in Debian, so there is no bug to close, and no mail to anybody.
tags=initial-upload-closes-no-bugs,bogus-mail-host
lint() { lintian --fail-on warning,error --suppress-tags $tags --allow-root ./*.changes; }

try 'lintian' lint
if [ "$(id -u)" -ne 0 ] || ! none_is_installed; then
    echo 'not ok - install: needs root, and a machine without the packages'
    exit 1
fi
# shellcheck disable=SC2086  # names of packages
{
    try 'install' env DEBIAN_FRONTEND=noninteractive dpkg -i ./libcmalloc0_*.deb \
        ./libcmalloc-dev_*.deb ./cmalloc_*.deb
    dpkg -L $packages | sort -u >"$tmp/files"
    try 'a program links with -lcmalloc' links
    try 'a static program links by pkg-config' links_static
    try 'the library is preloaded by its name' is_preloaded
    try "cmalloc --version says $version" command_runs
    try 'purge' dpkg -P cmalloc libcmalloc-dev libcmalloc0
}
# What others brought too is theirs.
grep -v "^/usr/share/doc$" "$tmp/files" | grep cmalloc >"$tmp/ours" && mv "$tmp/ours" "$tmp/files"
try 'nothing left' nothing_left
exit $failed
