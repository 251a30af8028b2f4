#!/bin/sh
# need.sh cmocka|lint: make sure that the tools of that name are here. Installs what is missing where it may
# (root, or sudo without a password; apt-get, dnf, apk or pacman); else says in one line what to run.
set -eu

has_cmocka()
{
    printf '%s\n' '#include <stdarg.h>' '#include <stddef.h>' '#include <setjmp.h>' \
        '#include <stdint.h>' '#include <cmocka.h>' 'int main(void) { return 0; }' |
        ${CC:-cc} -x c - -lcmocka -o /dev/null 2>/dev/null
}

has_lint()
{
    for tool in gcc clang clang-format clang-tidy cppcheck shellcheck; do
        command -v "$tool" >/dev/null || return 1
    done
}

case ${1:-} in
cmocka) apt=libcmocka-dev dnf=libcmocka-devel apk=cmocka-dev pacman=cmocka ;;
lint) apt='gcc clang clang-format clang-tidy cppcheck shellcheck'
    dnf='gcc clang clang-tools-extra cppcheck ShellCheck'
    apk='gcc clang clang-extra-tools cppcheck shellcheck'
    pacman='gcc clang cppcheck shellcheck' ;;
*) echo "need.sh: what is '${1:-}'? cmocka or lint" >&2; exit 2 ;;
esac

"has_$1" && exit 0

if command -v apt-get >/dev/null; then
    do="apt-get install -y --no-install-recommends $apt"
elif command -v dnf >/dev/null; then
    do="dnf install -y $dnf"
elif command -v apk >/dev/null; then
    do="apk add $apk"
elif command -v pacman >/dev/null; then
    do="pacman -S --noconfirm $pacman"
else
    echo "$1 is missing: install it with this system's package manager, then run make again" >&2
    exit 1
fi

as=
[ "$(id -u)" -eq 0 ] || as='sudo -n'
log=$(mktemp)
trap 'rm -f "$log"' EXIT

echo "  NEED  $1: ${as:+sudo }$do"
export DEBIAN_FRONTEND=noninteractive
# A fresh machine has no package lists yet: the first attempt may fail for that alone.
install() { $as $do </dev/null >>"$log" 2>&1; }
refresh() { case $do in apt-get*) $as apt-get update </dev/null >>"$log" 2>&1 ;; *) false ;; esac; }
if { install || { refresh && install; }; } && "has_$1"; then
    exit 0
fi
tail -n 3 "$log" | sed 's/^/        /' >&2
echo "$1 is missing and could not be installed; run: sudo $do" >&2
exit 1
