#!/bin/sh
# exports.sh LIB: the dynamic library is linked as a drop-in has to be. Its exports are those of src/cmalloc.map,
# all of them and no others; it needs libc only; the flags and the TLS model are the promised ones.
set -eu
lib=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0
fault() { echo "$lib: $*"; bad=1; }

# The width of size_t in mangled names: j on 32 bits, m on 64.
width=m
readelf -h "$lib" | grep -q ELF32 && width=j

sed -n '/global:/,/local:/p' src/cmalloc.map | sed "s/\[jm\]/$width/; s|/\*.*\*/||" |
    grep -o '[A-Za-z_0-9]*\**;' | tr -d ';' | grep -v '\*' | sort >"$tmp/promised"
nm -D --defined-only "$lib" | awk '{ print $NF }' | sort >"$tmp/found"
grep -v '^cmalloc_' "$tmp/found" >"$tmp/family" || true
for name in $(comm -23 "$tmp/promised" "$tmp/family"); do fault "does not export $name"; done
for name in $(comm -13 "$tmp/promised" "$tmp/family"); do fault "exports $name"; done

readelf -dW "$lib" >"$tmp/dynamic"
for needed in $(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$tmp/dynamic"); do
    case $needed in
    libc.so.* | ld-linux* | libc.musl-*) ;;
    *) fault "needs $needed" ;;
    esac
done
for flag in NOW NODELETE INITFIRST; do
    grep -qw "$flag" "$tmp/dynamic" || fault "is not linked with -z $(echo $flag | tr A-Z a-z)"
done
grep -q TEXTREL "$tmp/dynamic" && fault "has text relocations"
if readelf -lW "$lib" | grep -q '  TLS '; then
    grep -q STATIC_TLS "$tmp/dynamic" || fault "TLS is not initial-exec"
    nm -D "$lib" | grep -q __tls_get_addr && fault "calls __tls_get_addr"
fi
readelf -lW "$lib" | grep -q GNU_RELRO || fault "has no relro"
readelf -lW "$lib" | awk '/GNU_STACK/ && / RWE / { bad = 1 } END { exit bad }' || fault "asks for an executable stack"

# What we call: never back into the family, or into libc functions that allocate.
for name in $(nm -D --undefined-only "$lib" | awk '{ sub(/@.*/, "", $NF); print $NF }'); do
    grep -qx -e "$name" "$tmp/promised" && fault "calls $name through the dynamic linker"
    case $name in
    *printf* | fopen* | fdopen* | fwrite* | fputs* | puts | strdup* | strndup* | getline | dlsym | dlopen | \
        setlocale | qsort* | opendir* | readdir* | getpw* | strerror)
        fault "calls $name, which may allocate" ;;
    esac
done
[ $bad -ne 0 ] || echo "$lib: $(wc -l <"$tmp/found") exports"
exit $bad
