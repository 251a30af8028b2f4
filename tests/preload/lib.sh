# shellcheck shell=bash
# lib.sh - the words that the scripts in programs/ are written with. run.sh starts them; see there.
#
# In the environment: PRELOAD_LIB the library under test (a private copy), PRELOAD_WITNESS the witness,
# PRELOAD_LOG its log, PRELOAD_SRC this folder's src, PRELOAD_TOP the project, PRELOAD_ORIGIN where the
# library came from, PRELOAD_QUICK 1 or 0, PRELOAD_SLOW the factor on time limits. The script's current
# folder is an empty one of its own; PRELOAD_WHY is the file for the reason of a failure.

set -eu
export LC_ALL=C TZ=UTC

# die WHY... : the program has failed, and this is the line that says why.
die() {
    printf '%s\n' "$*" >"$PRELOAD_WHY"
    printf 'FAIL: %s\n' "$*" >&2
    exit 1
}

# limit QUICK FULL: seconds, before PRELOAD_SLOW, in either set; `-` keeps a script out of the quick one.
# Read by the driver from the script's text.
limit() { :; }

# need WHAT PACKAGE: WHAT is a command, or an absolute path that may be a glob; PACKAGE is the Debian
# package that has it, or alternatives a|b|c. The driver reads these lines too, to install them.
need() {
    if ! found "$1"; then
        die "needs $1 (Debian package $2): install it, or run with --install"
    fi
}

found() {
    case $1 in
    /*) compgen -G "$1" >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

quick() { [ "$PRELOAD_QUICK" = 1 ]; }

# preloaded COMMAND...: run it, and all that it starts, on the library under test.
preloaded() (
    export LD_PRELOAD="$PRELOAD_WITNESS $PRELOAD_LIB"
    "$@"
)

# same NAME FUNCTION...: run FUNCTION in plain/ without the library and in ours/ with it; its output, error
# output and status must agree. Files it leaves in these folders are there for same_files.
same() {
    local name=$1
    shift
    echo "-- $name: plain"
    run_in plain "$name" "$@"
    echo "-- $name: preloaded"
    preloaded run_in ours "$name" "$@"
    agree "$name"
}

# run_in FOLDER NAME FUNCTION...
# Both runs see the same path, work/, which takes its place as FOLDER afterwards: paths get into output and
# into object files. The inner set: FUNCTION ends at its first failing command, and that status must agree.
run_in() (
    folder=$1
    result=$PWD/results/$2.$1
    shift 2
    mkdir -p results
    if [ -d "$folder" ]; then mv "$folder" work; else mkdir work; fi
    set +e
    (
        set -e
        cd work
        "$@"
    ) >"$result.out" 2>"$result.err" </dev/null
    echo "exit status $?" >>"$result.out"
    mv work "$folder"
)

# agree NAME
agree() {
    local name=$1 kind
    if [ "$(tail -n 1 "results/$name.plain.out")" != "exit status 0" ]; then
        cat "results/$name.plain.err"
        die "$name: fails without the library too: $(tail -n 1 "results/$name.plain.err")"
    fi
    if grep -qs '^cmalloc:' "results/$name.ours.err"; then
        die "$name: $(grep -m 1 '^cmalloc:' "results/$name.ours.err")"
    fi
    for kind in out err; do
        if ! cmp -s "results/$name.plain.$kind" "results/$name.ours.$kind"; then
            diff "results/$name.plain.$kind" "results/$name.ours.$kind" | head -n 40 || :
            die "$name: $kind differs from the run without the library: $(
                diff "results/$name.plain.$kind" "results/$name.ours.$kind" | sed -n 2p)"
        fi
    done
}

# same_files PATTERN...: in plain/ and ours/, the same files with the same bytes.
same_files() {
    local pattern file
    for pattern in "$@"; do
        # shellcheck disable=SC2231 # a glob
        for file in plain/$pattern; do
            [ -f "$file" ] || die "nothing to compare: $file"
            cmp "$file" "ours/${file#plain/}" || die "${file#plain/} differs from the run without the library"
        done
    done
}

# loaded PROGRAM [TIMES]: processes of this program (a glob for its path) must have run on the library.
loaded() {
    local times
    # shellcheck disable=SC2254 # the pattern is meant as one
    times=$(while IFS="$(printf '\t')" read -r exe object; do
        case $exe in $1) [ "$object" != "$PRELOAD_LIB" ] || echo yes ;; esac
    done <"$PRELOAD_LOG" | wc -l)
    [ "$times" -ge "${2:-1}" ] || die "$1 ran $times times with the library, not ${2:-1}"
}

# build OUTPUT SOURCE [FLAG...]: compile one of our own C or C++ programs or objects.
# -fno-builtin: the compiler must not take away a malloc whose memory nobody reads.
build() {
    local output=$1 name=$2 source=$PRELOAD_SRC/$2
    shift 2
    case $source in
    *.cc) ${CXX:-g++} -std=c++17 -O1 -g -fno-builtin -Wall -Wextra -pthread -o "$output" "$source" "$@" ;;
    *) ${CC:-gcc} -std=c11 -O1 -g -fno-builtin -Wall -Wextra -pthread -o "$output" "$source" "$@" ;;
    esac || die "$name does not compile"
}

# probe COMMAND...: run it preloaded; it must succeed, and its last words are the reason if it does not.
probe() {
    local status=0
    preloaded "$@" >probe.out 2>&1 || status=$?
    cat probe.out
    [ $status -eq 0 ] || die "$(basename "$1"): status $status: $(tail -n 1 probe.out)"
    loaded "*/$(basename "$1")"
}
