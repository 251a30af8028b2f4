#!/bin/sh
# exports.sh LIB: the dynamic library is linked as a drop-in has to be. Its exports are
# those of src/cmalloc.map, all of them and no others; it needs nothing but libc; the
# flags, the segments and the TLS model are the promised ones; it calls nothing in libc
# that allocates.
set -eu
lib=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0

fault()
{
    echo "$lib: $*"
    bad=1
}

# The width of size_t in mangled names: j on 32 bits, m on 64.
width=m
readelf -h "$lib" | grep -q ELF32 && width=j

# ---- exports ----
sed -n '/global:/,/local:/p' src/cmalloc.map | sed "s/\[jm\]/$width/; s|/\*.*\*/||" |
    grep -o '[A-Za-z_0-9]*\**;' | tr -d ';' | grep -v '\*' | sort >"$tmp/promised"
nm -D --defined-only "$lib" | awk '{ print $NF }' | sort >"$tmp/found"
grep -v '^cmalloc_' "$tmp/found" >"$tmp/family" || true
for name in $(comm -23 "$tmp/promised" "$tmp/family"); do
    fault "does not export $name"
done
for name in $(comm -13 "$tmp/promised" "$tmp/family"); do
    fault "exports $name"
done
if readelf -VW "$lib" | grep -q 'Version definition'; then
    fault "its exports have versions; they would not take the place of libc's"
fi

# ---- what it needs, and its flags ----
readelf -dW "$lib" >"$tmp/dynamic"
for needed in $(awk -F '[][]' '/\(NEEDED\)/ { print $2 }' "$tmp/dynamic"); do
    case $needed in
    libc.so | libc.so.* | ld-linux* | libc.musl-*) ;;
    *) fault "needs $needed" ;;
    esac
done
for flag in now nodelete initfirst; do
    grep -qwi "$flag" "$tmp/dynamic" || fault "is not linked with -z $flag"
done
grep -q TEXTREL "$tmp/dynamic" && fault "has text relocations"

# ---- segments ----
readelf -lW "$lib" >"$tmp/segments"
grep -q GNU_RELRO "$tmp/segments" || fault "has no relro"
grep -q 'GNU_STACK.* RWE ' "$tmp/segments" && fault "asks for an executable stack"
if grep -q '^ *TLS ' "$tmp/segments"; then
    # Of the general and the local model; not every linker sets STATIC_TLS.
    ! readelf -rW "$lib" | grep -q 'DTP\|TLSDESC' || fault "its TLS is not initial-exec"
    tls=$(awk '$1 == "TLS" { print $6 }' "$tmp/segments")
    [ $((tls)) -le 64 ] || fault "takes $((tls)) bytes of static TLS, 64 allowed"
fi

# ---- what it calls ----
# A call into our own family that goes through the dynamic linker may end in another
# allocator. C++ is different: operator new[] has to call the operator new that the
# program may have replaced.
readelf -rW "$lib" | awk '$3 ~ /GLOB_DAT|JUMP_SLO/ { sub(/@.*/, "", $5); print $5 }' |
    grep -v '^_Z' | sort -u >"$tmp/bound"
for name in $(comm -12 "$tmp/promised" "$tmp/bound"); do
    fault "calls $name through the dynamic linker"
done
nm -D --undefined-only "$lib" | awk '{ sub(/@.*/, "", $NF); print $NF }' >"$tmp/calls"
while read -r name; do
    case $name in
    __tls_get_addr) fault "calls $name, which may allocate" ;;
    fopen* | fdopen* | asprintf | vasprintf | strdup* | strndup* | getline | getdelim | \
        qsort* | opendir | scandir | setlocale | strerror | getpw* | getgr* | setenv | putenv | \
        tsearch)
        fault "calls $name, which allocates" ;;
    esac
done <"$tmp/calls"

[ $bad -ne 0 ] || echo "$lib: $(wc -l <"$tmp/found") exports"
exit $bad
