#!/bin/sh
# need.sh NAME...: make sure that these tools are here: cmocka, cxx (a C++ compiler),
# lint, browser (chromium, and python3 to look at its pictures), gdb, mandoc.
#
# Installs what is missing where it may (root, or sudo without a password; apt-get, dnf,
# apk or pacman); else says in one line what to run, and fails.
set -eu

# ---- is it here? ----

cmocka_is_here()
{
    printf '%s\n' '#include <stdarg.h>' '#include <stddef.h>' '#include <stdint.h>' \
        '#include <setjmp.h>' '#include <cmocka.h>' 'int main(void) { return 0; }' |
        ${CC:-cc} -x c - -lcmocka -o /dev/null 2>/dev/null
}

cxx_is_here()
{
    printf '%s\n' '#include <new>' 'int main() { delete new int; }' |
        ${CXX:-c++} -x c++ - -o /dev/null 2>/dev/null
}

lint_is_here()
{
    for tool in gcc clang clang-format clang-tidy cppcheck shellcheck; do
        command -v "$tool" >/dev/null || return 1
    done
}

browser_is_here()
{
    command -v python3 >/dev/null || return 1
    command -v chromium || command -v chromium-browser || command -v google-chrome
} >/dev/null

is_here()
{
    case $1 in
    cmocka) cmocka_is_here ;;
    cxx) cxx_is_here ;;
    lint) lint_is_here ;;
    browser) browser_is_here ;;
    gdb | mandoc) command -v "$1" >/dev/null ;;
    *)
        echo "need.sh: what is '$1'? cmocka, cxx, lint, browser, gdb or mandoc" >&2
        exit 2
        ;;
    esac
}

missing_of()
{
    for name; do
        is_here "$name" || echo "$name"
    done
}

# ---- what is it called here, and how is it installed? ----

# $1: manager; $2: name.
packages()
{
    case $1-$2 in
    *-gdb | *-mandoc) echo "$2" ;;
    apt-get-browser) echo chromium python3 fonts-dejavu-core ;;
    pacman-browser) echo chromium python ;;
    *-browser) echo chromium python3 ;;
    apt-get-cmocka) echo libcmocka-dev ;;
    dnf-cmocka) echo libcmocka-devel ;;
    apk-cmocka) echo cmocka-dev ;;
    pacman-cmocka) echo cmocka ;;
    dnf-cxx) echo gcc-c++ ;;
    pacman-cxx) echo gcc ;;
    *-cxx) echo g++ ;;
    dnf-lint) echo gcc clang clang-tools-extra cppcheck ShellCheck ;;
    apk-lint) echo gcc clang clang-extra-tools cppcheck shellcheck ;;
    pacman-lint) echo gcc clang cppcheck shellcheck ;;
    *-lint) echo gcc clang clang-format clang-tidy cppcheck shellcheck ;;
    esac
}

find_manager()
{
    for manager in apt-get dnf apk pacman; do
        command -v $manager >/dev/null && return
    done
    manager=
}

# A fresh machine has no package lists yet: the first attempt may fail for that alone.
install_packages()
{
    # shellcheck disable=SC2086  # lists of words
    case $manager in
    apt-get)
        export DEBIAN_FRONTEND=noninteractive
        $as $install || { $as apt-get update && $as $install; }
        ;;
    *) $as $install ;;
    esac
}

missing=$(missing_of "$@")
[ -n "$missing" ] || exit 0

find_manager
list=
for name in $missing; do
    list="$list $(packages "$manager" "$name")"
done
case $manager in
apt-get) install="apt-get install -y --no-install-recommends$list" ;;
dnf) install="dnf install -y$list" ;;
apk) install="apk add$list" ;;
pacman) install="pacman -S --noconfirm$list" ;;
*)
    echo "$(echo $missing): not found; install with this system's package manager" >&2
    exit 1
    ;;
esac

as=
[ "$(id -u)" -eq 0 ] || as='sudo -n'
if [ -z "$as" ] || sudo -n true 2>/dev/null; then
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    printf '  %-5s %s\n' NEED "${as:+sudo }$install"
    install_packages </dev/null >"$log" 2>&1 && [ -z "$(missing_of "$@")" ] && exit 0
    tail -n 3 "$log" | sed 's/^/        /' >&2
fi
by_hand=$(echo "$install" | sed 's/ -[a-z-]*//g')
echo "$(echo $missing) not found and not installed; run: sudo $by_hand" >&2
exit 1
