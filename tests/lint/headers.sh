#!/bin/sh
# headers.sh CC: every header compiles alone, twice in a row, and so does every .c of the
# library: what a file needs it includes itself. LIB_FLAGS and WARNING_FLAGS come from the
# Makefile.
set -eu
cc=$1
bad=0

# $1: header; the rest: further flags.
alone()
{
    header=$1
    shift
    # shellcheck disable=SC2086  # lists of flags
    "$cc" $LIB_FLAGS $WARNING_FLAGS -Wno-unused-function -Werror "$@" -fsyntax-only -x c - \
        <<-E || {
	#include "$header"
	#include "$header"
	typedef int not_empty;
	E
        echo "$header does not compile alone with $cc $*"
        bad=1
    }
}

for file in $(find include src -name '*.h' | sort); do
    alone "$PWD/$file"
    alone "$PWD/$file" -DCM_TINY=1 -DCM_DEBUG=1
done
for file in $(find src -mindepth 2 -name '*.c' | sort); do
    # shellcheck disable=SC2086
    "$cc" $LIB_FLAGS -D_GNU_SOURCE -fsyntax-only "$file" || {
        echo "$file does not compile alone with $cc"
        bad=1
    }
done
exit $bad
