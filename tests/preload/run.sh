#!/bin/bash
# run.sh - real programs under LD_PRELOAD, compared with a run without it.
#
#   run.sh [--quick] [--lib PATH] [--install] [--slow N] [--keep] [--list] [NAME...]
#
# --quick    the quick set, with less work in each program
# --lib      the library under test; ./libcmalloc.so of this project if not given
# --install  apt-get installs what the scripts declare as needed
# --slow     multiply time limits by N (for the debug variant)
# --keep     keep the scratch folder of successful programs too
# --list     names and time limits only
# NAME       run these scripts of programs/ alone, in either set
#
# One line per program, `ok` or `FAIL` and why; then `N passed, N failed`; the exit status is 0 if none
# failed. A missing program is a failure. What a failed program printed, and where the threads of a hung
# one stood (if gdb is there), stays in the scratch folder that the line names.
#
# The library is copied first: it may be rebuilt meanwhile, and other users (postgres) must be able to read
# it. A witness preloaded beside it logs who serves malloc in each process; a program in whose processes
# the library never did has failed, whatever it printed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

library=$top/libcmalloc.so
quick=0
install=0
slow=1
keep=0
list=0
names=()

usage() {
    sed -n 's/^# \{0,1\}//; 3,4p' "$0" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=1 ;;
    --lib) library=${2:?--lib needs a path} && shift ;;
    --install) install=1 ;;
    --slow) slow=${2:?--slow needs a factor} && shift ;;
    --keep) keep=1 ;;
    --list) list=1 ;;
    -*) usage ;;
    *) names+=("$1") ;;
    esac
    shift
done

# declared WORD NAME: what stands behind WORD in the script, one declaration a line.
declared() { sed -n "s/^$1 //p" "$here/programs/$2.sh"; }

# limit_of NAME: seconds in the chosen set, or `-`.
limit_of() {
    local quick_limit full_limit
    read -r quick_limit full_limit <<<"$(declared limit "$1")"
    if [ $quick = 1 ]; then echo "$quick_limit"; else echo "$full_limit"; fi
}

choose() {
    local script name
    for script in "$here"/programs/*.sh; do
        name=$(basename "$script" .sh)
        [ "$(limit_of "$name")" = - ] || names+=("$name")
    done
}

if [ ${#names[@]} -eq 0 ]; then choose; fi
for name in "${names[@]}"; do
    [ -f "$here/programs/$name.sh" ] || { echo "run.sh: no such program: $name" >&2 && exit 2; }
done
if [ $list = 1 ]; then
    for name in "${names[@]}"; do printf '%-12s %s s\n' "$name" "$(limit_of "$name")"; done
    exit 0
fi

# known_package A|B|C: the first that apt knows.
known_package() {
    local package
    for package in ${1//|/ }; do
        if apt-cache show "$package" >/dev/null 2>&1; then echo "$package" && return; fi
    done
    echo "${1%%|*}"
}

install_needs() {
    local name what package wanted=() seen=" "
    # shellcheck source=tests/preload/lib.sh
    for name in "${names[@]}"; do
        while read -r what package; do
            case $what in
            \'*) what=${what//\'/} && compgen -G "$what" >/dev/null && continue ;;
            *) command -v "$what" >/dev/null && continue ;;
            esac
            package=${package//\'/}
            case $seen in *" $package "*) continue ;; esac
            seen="$seen$package "
            wanted+=("$package")
        done < <(declared need "$name")
    done
    [ ${#wanted[@]} -gt 0 ] || return 0
    as_root apt-get -qq update || :
    for name in "${!wanted[@]}"; do wanted[name]=$(known_package "${wanted[name]}"); done
    echo "run.sh: installing ${wanted[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install -y --no-install-recommends "${wanted[@]}" </dev/null >"$scratch/apt.log" 2>&1 ||
        { tail -n 5 "$scratch/apt.log" && echo "run.sh: apt-get could not install everything" >&2; }
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Short, because sockets live under it; open to other users, as /tmp is.
scratch=$(mktemp -d /tmp/preload.XXXXXX)
chmod 755 "$scratch"

if [ $install = 1 ]; then install_needs; fi

prepare_library() {
    [ -f "$library" ] || { echo "run.sh: no library at $library: run make first" >&2 && exit 2; }
    PRELOAD_ORIGIN=$(realpath "$library")
    PRELOAD_LIB=$scratch/$(basename "$library")
    PRELOAD_WITNESS=$scratch/witness.so
    cp "$PRELOAD_ORIGIN" "$PRELOAD_LIB"
    chmod 755 "$PRELOAD_LIB"
    "${CC:-gcc}" -std=c11 -O1 -fPIC -shared -Wall -Wextra -o "$PRELOAD_WITNESS" "$here/src/witness.c"
    chmod 755 "$PRELOAD_WITNESS"
    PRELOAD_SRC=$here/src PRELOAD_TOP=$top PRELOAD_QUICK=$quick PRELOAD_SLOW=$slow
    export PRELOAD_ORIGIN PRELOAD_LIB PRELOAD_WITNESS PRELOAD_SRC PRELOAD_TOP PRELOAD_QUICK PRELOAD_SLOW
}

# The library must load at all, and malloc must be its, or no line below would mean anything.
check_it_loads() {
    local maps
    export PRELOAD_LOG=$scratch/first.log
    : >"$PRELOAD_LOG"
    maps=$(LD_PRELOAD="$PRELOAD_WITNESS $PRELOAD_LIB" cat /proc/self/maps 2>&1) ||
        { echo "run.sh: cat fails under $library: $maps" >&2 && exit 1; }
    grep -qF "$PRELOAD_LIB" <<<"$maps" || { echo "run.sh: $library is not loaded: $maps" >&2 && exit 1; }
    grep -q "	$PRELOAD_LIB\$" "$PRELOAD_LOG" ||
        { echo "run.sh: $library is loaded but does not serve malloc: $(cat "$PRELOAD_LOG")" >&2 && exit 1; }
}

session_pids() { ps -o pid= -s "$1" 2>/dev/null || :; }

# stacks SESSION: where every thread on the library stands.
stacks() {
    local pid
    command -v gdb >/dev/null || { echo "no gdb, no stacks" && return; }
    for pid in $(session_pids "$1"); do
        grep -qsF "$PRELOAD_LIB" "/proc/$pid/maps" || continue
        echo "== $pid $(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c 1-200)"
        timeout 20 gdb -p "$pid" -batch -nx -ex 'thread apply all bt 25' 2>&1 </dev/null | grep -E '^(#|Thread)' || :
    done
}

# end_session SESSION: nothing that the script started outlives it.
end_session() {
    local signal pid tries
    for signal in TERM KILL; do
        for tries in 1 2 3 4 5 6 7 8 9 10; do
            [ -n "$(session_pids "$1")" ] || return 0
            if [ "$tries" = 1 ]; then
                for pid in $(session_pids "$1"); do kill -$signal "$pid" 2>/dev/null || :; done
            fi
            sleep 0.3
        done
    done
}

# supervise FOLDER SECONDS SCRIPT: 0, or the script's status, or 124 when its time was up.
# A session of its own, so that its processes can be told from everybody else's.
supervise() {
    local folder=$1 seconds=$2 script=$3 pid status=0 start=$SECONDS
    (cd "$folder/cwd" && exec setsid bash "$script") >"$folder/log" 2>&1 </dev/null &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
        if [ $((SECONDS - start)) -ge "$seconds" ]; then
            stacks $pid >"$folder/stacks" 2>&1
            status=124
            break
        fi
        sleep 0.05
    done
    if [ $status = 124 ]; then end_session $pid; fi
    if [ $status = 0 ]; then wait $pid 2>/dev/null || status=$?; fi
    end_session $pid
    return $status
}

# why FOLDER STATUS SECONDS: the reason of a failure in one line, empty if there is none.
why() {
    local stranger
    if [ "$2" = 124 ]; then
        echo "not finished after $3 s"
    elif [ -s "$1/why" ]; then
        head -n 1 "$1/why"
    elif [ "$2" != 0 ]; then
        echo "exit status $2: $(tail -n 1 "$1/log")"
    elif ! grep -q "	$PRELOAD_LIB\$" "$1/loaded"; then
        echo "the library was loaded in none of its processes"
    else
        stranger=$(grep -v -m 1 "	$PRELOAD_LIB\$" "$1/loaded") || return 0
        echo "malloc is not the library's in: ${stranger/	/ has }"
    fi
}

run_one() {
    local name=$1 folder=$scratch/$1 seconds status=0 reason start
    seconds=$(limit_of "$name")
    if [ "$seconds" = - ]; then seconds=$(declared limit "$name" | cut -d ' ' -f 2); fi
    seconds=$((seconds * slow))
    mkdir -p "$folder/cwd"
    : >"$folder/loaded"
    chmod 666 "$folder/loaded"
    start=$(date +%s%N)
    PRELOAD_LOG=$folder/loaded PRELOAD_WHY=$folder/why supervise "$folder" "$seconds" \
        "$here/programs/$name.sh" || status=$?
    reason=$(why "$folder" $status "$seconds")
    start=$((($(date +%s%N) - start) / 100000000))
    if [ -z "$reason" ]; then
        printf 'ok    %-12s %d.%d s\n' "$name" $((start / 10)) $((start % 10))
        [ $keep = 1 ] || rm -rf "$folder"
    else
        printf 'FAIL  %-12s %s (see %s)\n' "$name" "$reason" "$folder"
        return 1
    fi
}

prepare_library
check_it_loads
passed=0
failed=0
for name in "${names[@]}"; do
    if run_one "$name"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
if [ $failed = 0 ] && [ $keep = 0 ]; then rm -rf "$scratch"; fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
