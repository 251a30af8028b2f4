#!/bin/sh
# check.sh: ./heap says what it should, however it is called. UPDATE=1 accepts the tour as it is now.
#
# What differs between runs and machines is masked before the tour is compared with heap.golden:
# addresses, words that are not valid, and sizes that follow from the page size or the library's structs.
set -u
cd "$(dirname "$0")/../.." || exit 1
golden=tests/demo/heap.golden
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
bad=0

# Words of 16 digits that begin with ten zeros are sizes, and stay.
mask()
{
    sed -E -e '/not valid/ s/0x[0-9a-f]{16} /WORD /' \
        -e 's/0x(0{10}[0-9a-f]{6}|f{8}[0-9a-f]{8})([^0-9a-f]|$)/0_\1\2/g' \
        -e 's/0x([0-9a-f]{16}|[0-9a-f]{8,12})/ADDRESS/g' \
        -e 's/0_/0x/g' \
        -e '/^ +heap \+/ s/0x[0-9a-f]+/OFFSET/' \
        -e '/(top  |heap  |mmapped|fencepost)/ s/ +[0-9]+(,[0-9]{3})+/ N/g' \
        -e '/fencepost$/ s/[01] +[-N0-9]+  f/P PREV  f/' \
        -e '/mmapped/ s/0x[0-9a-f]{16}/WORD/'
}

fault()
{
    echo "check.sh: $*"
    bad=1
}

# $1: what; $2: status wanted; then the command. Its output is in $out/text.
expect()
{
    what=$1 want=$2
    shift 2
    "$@" >"$out/text" 2>&1
    got=$?
    [ $got -eq "$want" ] || { fault "$what: status $got, not $want"; tail -n 3 "$out/text"; }
}

same()
{
    mask <"$out/text" >"$out/masked"
    diff -u $golden "$out/masked" || fault "$1: differs from $golden (UPDATE=1 accepts it)"
}

expect 'the tour' 0 ./heap
[ -z "${UPDATE:-}" ] || mask <"$out/text" >$golden
same 'the tour'
expect 'with other settings' 0 env MALLOC_ARENA_MAX=1 MALLOC_MMAP_MAX_=0 MALLOC_PERTURB_=165 ./heap
same 'with other settings'
expect 'with --step and no input' 0 ./heap --step
grep -q 'Enter goes on' "$out/text" || fault '--step does not wait'
! grep -q "$(printf '\033')" "$out/text" || fault 'colours, though this is no terminal'
expect '--help' 0 ./heap --help
expect 'a bad argument' 2 ./heap --no-such
[ "$(cat "$out/text")" = 'heap: no such argument: --no-such (try --help)' ] || fault 'a bad argument: another line'
expect 'no directory' 2 ./heap --svg
[ "$(cat "$out/text")" = 'heap: --svg needs a directory (try --help)' ] || fault 'no directory: another line'
expect 'two at a time' 2 ./heap --json --step
[ "$(cat "$out/text")" = 'heap: --json and --step do not go together (try --help)' ] || fault 'two at a time: another line'
expect 'no such directory' 1 ./heap --html "$out/no/page.html"
[ "$(cat "$out/text")" = "heap: $out/no/page.html: No such file or directory" ] || fault 'no such directory: another line'

# Every step is drawn, with the chunks' names, and says what the tour says.
steps=$(grep -c '^  >  ' $golden)
expect '--svg' 0 ./heap --svg "$out/svg"
[ "$(sed 's/^[^ ]*  //' "$out/text")" = "$(sed -n 's/^  >  //p' $golden)" ] || fault '--svg: not the steps of the tour'
for step in $(seq -w "$steps"); do
    [ "$(tail -n 1 "$out/svg/$step.svg")" = '</svg>' ] || fault "$step.svg: not whole"
done
for name in a b c d e; do
    grep -q "<text class=\"in on\"[^>]*>$name</text>" "$out/svg/02.svg" || fault "02.svg: no chunk $name"
done
grep -q '<text class="in"[^>]*>c</text>' "$out/svg/03.svg" || fault '03.svg: c is not free'
expect '--html' 0 ./heap --html "$out/page.html"
[ "$(grep -c '<figure><svg' "$out/page.html")" -eq "$steps" ] || fault '--html: not a picture for each step'
[ "$(grep -c '^\(<pre>\)*  ok' "$out/page.html")" -eq "$(grep -c '^  ok' $golden)" ] || fault '--html: not what the tour says'
expect '--json' 0 ./heap --json
[ "$(grep -c '"stop": ' "$out/text")" -eq "$steps" ] || fault '--json: not every step'
grep -q '"size": 32, .*"p": 1, .*"name": "p"' "$out/text" || fault '--json: no p'
expect 'a full disk' 1 sh -c './heap --json >/dev/full'
expect 'a full disk' 1 sh -c './heap >/dev/full'
exit $bad
