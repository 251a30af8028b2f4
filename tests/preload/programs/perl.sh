# shellcheck shell=bash
. "$PRELOAD_SRC/../lib.sh"
limit 120 60
need perl perl

rounds=$(quick && echo 1 || echo 8)
same perl perl "$PRELOAD_SRC/work.pl" "$rounds"
loaded '*/perl'
