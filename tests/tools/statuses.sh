#!/bin/bash
# statuses.sh - every way not to succeed has one clear line and a status of its own.
. tests/tools/lib.sh

# gives STATUS WORDS COMMAND...
gives()
{
    local expected=$1 words=$2 name
    shift 2
    name=$(echo "$*" | sed "s#$tmp/##g; s#$TOOL#cmalloc#g; s#[0-9]\{4,\}#PID#g")
    is "$name: status" "$expected" "$(status_of "$@")"
    has "$name: words" "$words" "$tmp/error"
    is "$name: lines" 1 "$(wc -l <"$tmp/error")"
}

is 'version' "cmalloc $(awk '/define CMALLOC_VERSION_/ { v = v s $3; s = "." } END { print v }' include/cmalloc.h)" "$("$TOOL" --version)"
is 'help: status' 0 "$(status_of "$TOOL" --help)"
is 'no command: status' 2 "$(status_of "$TOOL")"
is 'help, by its name: status' 0 "$(status_of "$TOOL" help)"
is 'no such command: status' 2 "$(status_of "$TOOL" nothing)"
for command in stats check 'find 1' trim why who map leaks 'top -d' 'why 1 -n 0' profile 'profile 1 --all' \
    'run -z x' 'run -o' 'who 1 2 3'; do
    # shellcheck disable=SC2086 # a command and its arguments
    gives 2 usage: "$TOOL" $command
done
gives 2 usage: "$TOOL" stats 1 --json --prom
gives 2 'not an address' "$TOOL" find 1 xyz
gives 4 'no such process' "$TOOL" stats 4194305
gives 4 'no such file' "$TOOL" stats "$tmp/none"
gives 6 'not a core' "$TOOL" stats Makefile
: >"$tmp/empty"
gives 6 'not a core' "$TOOL" check "$tmp/empty"
gives 2 'cannot be trimmed\|usage' "$TOOL" trim
sleep 100 &
other=$!
disown
started="$started $other"
for command in stats check why trim; do
    gives 5 'not run on cmalloc' "$TOOL" $command $other
done

start "$BIN/idle"
answer
variant=tiny
[ "$TOOL" = build/cmalloc ] || variant=release
if [ $variant = tiny ]; then gives 7 'layout' build/tiny/cmalloc stats "$pid"; else
    gives 7 'layout' build/cmalloc stats "$pid"; fi
# The user nobody may not look at what we run.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    cp "$TOOL" "$tmp/cmalloc"
    chmod 755 "$tmp" "$tmp/cmalloc"
    nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
    # shellcheck disable=SC2086 # a command and its arguments
    for command in stats check find\ 0 why trim; do
        set -- $command
        gives 3 'permission refused' $nobody "$tmp/cmalloc" "$1" "$pid" ${2:+"$2"}
    done
else
    skip 'permission refused' 'not root'
fi
finish
is 'the program ends as it should' 0 $status

# --- run ---

is 'run: status of the program' 3 "$(status_of "$TOOL" run -l "$LIB" sh -c 'exit 3')"
is 'run: on the library' 0 "$(status_of "$TOOL" run -l "$LIB" grep -q libcmalloc /proc/self/maps)"
printf '#!/bin/sh\ngrep -c libcmalloc /proc/self/maps\n' >"$tmp/script"
chmod +x "$tmp/script"
is 'run: a script' 0 "$(status_of "$TOOL" run -l "$LIB" "$tmp/script")"
is 'run: options' 0 "$(status_of "$TOOL" run -l "$LIB" -o stats=exit -o arena_max=1 sort Makefile)"
has 'run: options were read' 'in use by the program' "$tmp/error"
printf '#! \t/bin/sh \t-e' >"$tmp/script"
is 'run: a script without a newline' 0 "$(status_of "$TOOL" run -l "$LIB" "$tmp/script")"
: >"$tmp/script"
is 'run: an empty one' 0 "$(LD_PRELOAD='' status_of "$TOOL" run -l "$LIB" "$tmp/script")"
printf '#!%s\n' "$tmp/script" >"$tmp/script"
gives 8 "$tmp/script: " "$TOOL" run -l "$LIB" "$tmp/script"
gives 4 'No such file' "$TOOL" run -l "$tmp/none" true
gives 4 'no such program' "$TOOL" run -l "$LIB" "$tmp/none"
gives 2 'usage' "$TOOL" run
gives 9 'linked statically' "$TOOL" run -l "$LIB" "$BIN/static"
gives 9 'allocator of its own' "$TOOL" run -l "$LIB" ./heap
cp "$BIN/idle" "$tmp/other"
printf '\377' | dd of="$tmp/other" bs=1 seek=18 conv=notrunc status=none
gives 9 'another machine' "$TOOL" run -l "$LIB" "$tmp/other"
for name in __asan_init __tsan_init __msan_init __hwasan_init; do
    echo "void $name(void) {} int main(void) { return 0; }" |
        "${CC:-cc}" -w -rdynamic -x c - -o "$tmp/sanitized"
    gives 9 'a sanitizer' "$TOOL" run -l "$LIB" "$tmp/sanitized"
done
if [ "$(id -u)" = 0 ]; then
    cp "$BIN/idle" "$tmp/owned"
    chown 65534:65534 "$tmp/owned"
    chmod 4755 "$tmp/owned"
    gives 9 'it is setuid' "$TOOL" run -l "$LIB" "$tmp/owned"
    chmod 2755 "$tmp/owned"
    gives 9 'it is setgid' "$TOOL" run -l "$LIB" "$tmp/owned"
    chown 0:0 "$tmp/owned"
    chmod 6755 "$tmp/owned"
    is 'run: with the rights that we have' 0 "$(status_of "$TOOL" run -l "$LIB" "$tmp/owned" </dev/null)"
elif [ -u /usr/bin/passwd ]; then
    gives 9 setuid "$TOOL" run -l "$LIB" /usr/bin/passwd
fi
exit $failed
