#!/bin/bash
# check.sh: the manual says what the programs say: options, commands, statuses, functions
# and panics. The completion knows them too; make install puts all in its place, and make
# uninstall takes it away.
set -u
cd "$(dirname "$0")/../.." || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
passed=0 failed=0

# $1: what; then a command that is true or not.
check()
{
    what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok $what"
    else
        failed=$((failed + 1))
        echo "not ok $what"
    fi
}

# $1: page; $2: whole line.
has() { check "${1##*/}: $2" grep -qxF -- "$2" "$1"; }

# ---- the form ----

tests/need.sh mandoc || exit 1
for page in src/man/*.[1-8]; do
    mandoc -Tlint -W warning "$page" >"$out/lint"
    check "$page: mandoc has nothing to say" [ ! -s "$out/lint" ]
    cat "$out/lint"
done

# ---- libcmalloc.7 ----

page=src/man/libcmalloc.7
CMALLOC_OPTIONS=help LD_PRELOAD=$PWD/libcmalloc-secure.so /bin/true 2>&1 |
    awk -F '  +' 'NR > 1 { print ".It Cm " $1 " Ns = Ns Ar " $2 " Pq " $3; print $4 }' >"$out/help"
awk '/^\.It Cm .* Ns = Ns Ar / { print; getline; print }' $page >"$out/page"
check 'the options are those that CMALLOC_OPTIONS=help prints' cmp -s "$out/help" "$out/page"
diff "$out/page" "$out/help"
while read -r panic; do
    has $page ".It $panic"
done < <(sed -n 's/^#define PANIC_[A-Z]* "\(.*\)"$/\1/p' src/base/report.h)

# ---- cmalloc.1 ----

page=src/man/cmalloc.1
build/cmalloc --help >"$out/help"
mapfile -t commands < <(awk '/^  [a-z]/ { print $1 }' "$out/help")
check 'the command line has commands' [ ${#commands[@]} -ge 8 ]
for command in "${commands[@]}"; do
    check "cmalloc.1: $command" grep -q "^\.It Cm $command\( \|$\)" $page
    for flag in $(grep "^  $command " "$out/help" | grep -oE ' \[?-[-a-z0-9]+' | tr -d ' ['); do
        check "cmalloc.1: $command $flag" grep -qE -- "Fl ${flag#-}( |\$)" $page
    done
done
for status in 0 1 2 3 4 5 6 7 8 9 10; do
    has $page ".It $status"
    check "cmalloc --help: status $status" grep -qE "[;:]? ?\b$status " "$out/help"
done

# ---- cmalloc.3 ----

page=src/man/cmalloc.3
for function in $(grep -oE '^[a-z].*\bcmalloc_[a-z_]+\(' include/cmalloc.h | grep -oE 'cmalloc_[a-z_]+\(' | tr -d '('); do
    check "cmalloc.3: $function" grep -qE "^\.Fn $function " $page
    check "cmalloc.3: $function by name" grep -qE "^\.Nm $function( ,|\$)" $page
done

# ---- completion ----

# What bash would offer for these words, the last of which is not finished.
offers()
{
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _cmalloc cmalloc "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    echo "${COMPREPLY[*]}"
}

PATH=$PWD/build:$PATH
# shellcheck source=src/tools/cmalloc.bash
. src/tools/cmalloc.bash
check 'completes every command' [ "$(offers cmalloc '')" = "${commands[*]} --help --version" ]
check 'completes ma' [ "$(offers cmalloc ma)" = map ]
check 'completes flags' [ "$(offers cmalloc stats 1 --)" = '--json --prom' ]
check 'completes short flags' [ "$(offers cmalloc map 1 -)" = '-o --diff' ]
check 'completes options' [ "$(offers cmalloc run -o arena_)" = arena_max= ]
LD_PRELOAD=$PWD/libcmalloc.so sleep 30 &
pid=$!
sleep 0.3
check 'completes processes on the library' [ "$(offers cmalloc stats $pid)" = $pid ]
check 'and no others' [ "$(offers cmalloc stats $$)" = '' ]
kill $pid

# ---- installing ----

install() { make -s "$1" DESTDIR="$out/root" PREFIX=/usr >"$out/log" 2>&1; }

check 'make install' install install
for file in bin/cmalloc include/cmalloc.h lib/libcmalloc.so.0 share/man/man1/cmalloc.1 \
    share/man/man3/cmalloc.3 share/man/man7/libcmalloc.7 \
    share/bash-completion/completions/cmalloc \
    "share/gdb/auto-load/usr/lib/$(readlink "$out/root/usr/lib/libcmalloc.so.0")-gdb.py"; do
    check "installs $file" [ -s "$out/root/usr/$file" ]
done
check 'make uninstall' install uninstall
check 'leaves nothing' [ -z "$(find "$out/root" ! -type d)" ]

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
