# shellcheck shell=bash
# The library as the dynamic linker sees it: its exports, flags, segments and what it calls.
. "$PRELOAD_SRC/../lib.sh"
limit 30 30
need readelf binutils

check() { cd "$PRELOAD_TOP" && tests/lint/exports.sh "$PRELOAD_ORIGIN"; }
preloaded check >faults || die "$(head -n 1 faults)"
