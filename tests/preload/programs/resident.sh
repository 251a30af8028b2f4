# shellcheck shell=bash
# Of the library's code, a small program has resident what it runs, not what the start alone has run
# (src/library.ld): less than the 64 KiB that Linux maps round the first of them that is touched.
. "$PRELOAD_SRC/../lib.sh"
limit 30 60

around=65536
case $PRELOAD_ORIGIN in */tiny/* | *secure*) around=1048576 ;; esac # they are not laid out for it
[ "$(getconf PAGESIZE)" = 4096 ] || around=1048576
for _ in 1 2 3 4 5; do # the library lies elsewhere each time
    preloaded sed "" /proc/self/smaps >smaps
    resident=$(awk -v lib="$PRELOAD_LIB" '/^[0-9a-f]+-/ { code = $2 ~ /x/ && $6 == lib }
                                          code && /^Rss:/ { kib += $2 } END { print kib + 0 }' smaps)
    echo "resident of the code: $resident KiB"
    [ "$resident" -gt 0 ] || die "no code of the library is resident"
    [ $((resident * 1024)) -lt $around ] || die "$resident KiB of the library's code are resident"
done
