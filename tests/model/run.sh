#!/bin/sh
# run.sh: check each model in this folder, and that each can fail. Prints TAP and
# "N passed, N failed".
#
# spin makes a C program of a model, that program visits every state. A model holds when
# it visits all of them and finds no error; a mutation is there to be found. Everything
# made lies in build/model/.
#
#   CC      compiler of the checkers (cc)
set -eu
cd "$(dirname "$0")/../.."

command -v spin >/dev/null || {
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        apt-get install -y --no-install-recommends spin >/dev/null 2>&1 || true
    fi
    command -v spin >/dev/null || {
        echo 'model: spin not found; run: apt-get install spin (or see spinroot.com)' >&2
        exit 1
    }
}

passed=0 failed=0

# $1: model; the rest: flags. Leaves the checker's report in $dir/out.
explore()
{
    model=$1
    shift
    dir=build/model/$(echo "$model $*" | tr -c 'A-Za-z0-9\n' _)
    mkdir -p "$dir"
    (
        cd "$dir"
        spin "$@" -a "$OLDPWD/tests/model/$model.pml" >spin.log
        # A search for safety: assertions, and deadlock (an end that is not the end).
        ${CC:-cc} -w -O1 -DSAFETY -DMEMLIM=2000 -o pan pan.c
        ./pan -m10000 >out 2>&1
    ) || return 1
}

states() { awk '/states, stored/ { print $1; exit }' "$dir/out"; }

result()
{
    if [ "$1" = ok ]; then
        passed=$((passed + 1))
        echo "ok $((passed + failed)) - $2"
    else
        failed=$((failed + 1))
        echo "not ok $((passed + failed)) - $2"
        [ ! -f "$dir/out" ] || sed 's/^/# /' "$dir/out" "$dir/spin.log" | head -n 30
    fi
}

# Every state visited, no error.
holds()
{
    if explore "$@" && grep -q 'errors: 0' "$dir/out" &&
        ! grep -q -e 'depth too small' -e 'not completed' "$dir/out"; then
        result ok "$* holds in $(states) states"
    else
        result bad "$* does not hold, or was not searched to the end"
    fi
}

# The fault is found: by an assertion, or as a deadlock.
found()
{
    if explore "$@" && grep -q -e 'assertion violated' -e 'invalid end state' "$dir/out"
    then
        result ok "$* is found: $(sed -n 's/^pan:1: \(.*\) (at.*/\1/p' "$dir/out")"
    else
        result bad "$* is not found"
    fi
}

holds inbox
found inbox -DPOST_BY_STORE
found inbox -DTAKE_BY_STORE
found inbox -DPOP_ONE
holds arena
holds arena -DTHREADS=2 -DROUNDS=3
found arena -DNO_LOCK
found arena -DWRONG_HOME
found arena -DNOBODY_WAITS
holds arena -DNOBODY_WAITS -DREPAIRED -DTHREADS=2 -DROUNDS=3
found arena -DNOBODY_WAITS -DREPAIRED -DNO_RETRY
found arena -DNOBODY_WAITS -DREPAIRED -DNO_LAST
holds kept
found kept -DPICK_BY_STORE
found kept -DPUT_BY_STORE
holds lock
holds lock -DORPHAN
found lock -DFORGETFUL
found lock -DORPHAN -DINHERIT_BY_STORE

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
