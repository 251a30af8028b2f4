# shellcheck shell=bash
# The library as the dynamic linker sees it: its exports, flags, segments and what it calls.
. "$PRELOAD_SRC/../lib.sh"
limit 30 30
need readelf binutils

cd "$PRELOAD_TOP"
preloaded tests/lint/exports.sh "$PRELOAD_ORIGIN" >"$OLDPWD/faults" || die "$(head -n 1 "$OLDPWD/faults")"
